//! What can go wrong in administration, in words an operator can act on. No variant carries a secret.

use crate::ApiKeyId;
use crate::audit::AuditError;
use crate::ip_allow_list::BadNetwork;
use crate::master_key::MasterKeyError;
use crate::outbox::OutboxError;
use database::DatabaseError;
use protocol::{AccountId, SourceNumber};

/// A refusal or fault of this room.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AccountsError {
    /// The name is not 1 to 64 of `[a-zA-Z0-9._-]`.
    #[error("the account name {0:?} is not 1 to 64 letters, digits, '.', '_' or '-'")]
    AccountName(String),
    /// An account of this name exists.
    #[error("an account named {0} exists already; choose another name")]
    AccountExists(String),
    /// No account has this id.
    #[error("there is no account {0}, or the engine has not opened it yet")]
    NoAccount(AccountId),
    /// No account waits for this command.
    #[error("no account waits for the answer to command {0} of administration")]
    NotAwaited(SourceNumber),
    /// The account has another id already.
    #[error(
        "the engine answered command {number} with account {answered}, and before with {recorded}: stop and compare the engine's journal with this database"
    )]
    AccountIdConflict {
        /// The command that opened the account.
        number: SourceNumber,
        /// The id in this database.
        recorded: AccountId,
        /// The id answered now.
        answered: AccountId,
    },
    /// No key of this name can be changed so: unknown, another account's, disabled or revoked.
    #[error("there is no API key {0} to change so: it is unknown, disabled or revoked")]
    NoKey(ApiKeyId),
    /// A key cannot make one that may do more than itself.
    #[error(
        "a key can hand out no more than it has itself: {0}; use a key that may do more, or ask an operator"
    )]
    BeyondOwnRights(&'static str),
    /// The account has as many keys as it may.
    #[error("the account has {0} keys already; revoke one that is not needed")]
    TooManyKeys(usize),
    /// The same signed request has been carried out before.
    #[error("this signed request was carried out before; sign a new one, with a new timestamp")]
    Replayed,
    /// No kind of key has this name.
    #[error("{0:?} is no key type; use HMAC, ED25519 or RSA")]
    KeyType(String),
    /// The label is too long or has control characters.
    #[error("the label must be at most 100 characters, without control characters")]
    Label,
    /// The public key cannot be read.
    #[error(
        "the public key cannot be used: {0}; give an Ed25519 or RSA key's PEM (BEGIN PUBLIC KEY), its inside alone, or the 32 bytes of an Ed25519 key in base64"
    )]
    PublicKey(&'static str),
    /// An IP allow-list cannot be read.
    #[error(transparent)]
    Network(#[from] BadNetwork),
    /// A row cannot be read back as what it was written for.
    #[error("row {row} of table {table} is damaged ({what}); restore the database's backup")]
    Damaged {
        /// The table.
        table: &'static str,
        /// The row's key.
        row: String,
        /// What is wrong with it.
        what: &'static str,
    },
    /// The operating system gave no random bytes.
    #[error("the operating system gave no random bytes: {0}")]
    Random(getrandom::Error),
    /// The master key is missing, wrong or unreadable.
    #[error(transparent)]
    MasterKey(#[from] MasterKeyError),
    /// The outbox refused.
    #[error(transparent)]
    Outbox(#[from] OutboxError),
    /// The audit log refused.
    #[error(transparent)]
    Audit(#[from] AuditError),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DatabaseError),
}
