//! Who changes keys, and how far that goes: an operator may do everything; an account's key with the
//! scope KEYS may manage its own account's keys, and hand out no more than it has itself. Refuses to know
//! how either was recognised.

use crate::{Accounts, AccountsError, IpAllowList, Scopes, SignedRequest};
use database::Transaction;
use protocol::{AccountId, Time};

/// Who asks for a change.
#[derive(Clone, Copy, Debug)]
pub enum Actor<'a> {
    /// An operator, by the name for the audit log.
    Operator(&'a str),
    /// An account, by a request that one of its keys signed.
    Owner(&'a SignedRequest),
}

impl<'a> From<&'a str> for Actor<'a> {
    fn from(name: &'a str) -> Self {
        Self::Operator(name)
    }
}

impl Actor<'_> {
    /// As the audit log names it.
    pub(super) fn name(self) -> String {
        match self {
            Self::Operator(name) => name.to_owned(),
            Self::Owner(request) => format!("key:{}", request.key().id),
        }
    }

    pub(super) fn is_owner(self) -> bool {
        matches!(self, Self::Owner(_))
    }

    /// Whether the account's keys are its to change.
    pub(super) fn manages(self, account: AccountId) -> bool {
        match self {
            Self::Operator(_) => true,
            Self::Owner(request) => request.key().account_id == account,
        }
    }

    /// Whether it may give someone a key of these rights.
    pub(super) fn may_hand_out(self, scopes: Scopes, list: &IpAllowList) -> Result<(), AccountsError> {
        let Self::Owner(request) = self else { return Ok(()) };
        let own = request.key();
        if !own.scopes.contains(scopes) {
            return Err(AccountsError::BeyondOwnRights("its scopes"));
        }
        if !list.is_within(&own.ip_allow_list) {
            return Err(AccountsError::BeyondOwnRights("the addresses it may be used from"));
        }
        Ok(())
    }
}

impl Accounts {
    /// Begins a change; an owner's request is used up in it.
    pub(super) async fn begin(&self, actor: Actor<'_>, now: Time) -> Result<Transaction, AccountsError> {
        let mut transaction = self.database.begin().await?;
        if let Actor::Owner(request) = actor {
            request.spend_in(&mut transaction, now).await?;
        }
        Ok(transaction)
    }
}
