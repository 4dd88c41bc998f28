//! Who may do what: accounts and their names, API keys and what each may do, the proof that a request
//! was signed by its key, and the record of who changed any of it. Refuses to know balances, orders,
//! HTTP, or any clock but the time it is given.
//!
//! None of this is a projection of the command log: the database file and the master key are backed up.
//!
//! - The request path: [`KeyStore::lookup`], [`ApiKey::permits`], [`timing::check_timing`],
//!   [`signature::verify`]. No SQL, no lock.
//! - Administration: [`Accounts`]; what an operator or an account's owner ([`Actor`]) asks for is one
//!   transaction with its line in the [`audit`] log, and an owner's signed request is carried out once.
//! - Commands that administration owes the engine: [`outbox`].

pub mod audit;
pub mod outbox;
pub mod signature;
pub mod timing;

mod account;
mod api_key;
mod error;
mod follow;
mod ip_allow_list;
mod key_store;
mod keys;
mod master_key;
mod open;
mod random;
mod replay_guard;
mod rsa_public_key;
mod scopes;
mod seal;

pub use account::{Account, AccountName};
pub use api_key::{ApiKey, ApiKeyId, Credential, KeyType, Refusal};
pub use error::AccountsError;
pub use follow::KeysSeen;
pub use ip_allow_list::IpAllowList;
pub use key_store::KeyStore;
pub use keys::{Actor, CreatedKey, KeyChange, KeySummary, NewCredential, NewKey, PublicKey, Revealed};
pub use master_key::{MASTER_KEY_FILE, MASTER_KEY_VARIABLE, MasterKeyError, MasterKeySource};
pub use open::Accounts;
pub use replay_guard::SignedRequest;
pub use rsa_public_key::RsaPublicKey;
pub use scopes::{Scopes, UnknownScope};
