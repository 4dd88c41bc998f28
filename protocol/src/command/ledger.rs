//! Operations of the ledger: the only ways money moves besides trades (requirements §10.1). One
//! layout serves a single operation and each one of a batch. Refuses to know balances.

use crate::{AccountId, AssetId, HoldId, Time, record::record_struct};
use zerocopy::{Immutable, IntoBytes, KnownLayout, TryFromBytes};

/// Which operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[derive(TryFromBytes, IntoBytes, Immutable, KnownLayout, serde::Serialize, serde::Deserialize)]
#[repr(u8)]
pub enum LedgerOperationKind {
    /// available of `account` → available of `to`.
    Transfer = 0,
    /// available → held of `account`; opens a hold, whose id the outcome says.
    Hold = 1,
    /// held of the hold's owner → available of `to`.
    Capture = 2,
    /// held → available of the hold's owner.
    Release = 3,
    /// Moves or lifts a hold's expiry.
    ExtendHold = 4,
}

record_struct! {
    /// One operation: 56 bytes. Fields an operation does not name are zero.
    LedgerOperation {
        /// Which.
        kind: LedgerOperationKind,
        /// Capture: 1 gives the rest back and closes the hold.
        last: u8,
        /// Transfer, Hold: of what.
        asset: AssetId,
        /// Transfer, Hold: whose.
        account: AccountId,
        /// Transfer, Capture: to whom.
        to: AccountId,
        /// Hold: what for; the sender's own code.
        purpose: u32,
        /// Capture, Release, ExtendHold: which hold.
        hold_id: HoldId,
        /// Ledger units, from 1; Release: 0 is all that is left; Capture: 0 with `last` is all.
        amount: i64,
        /// Hold, ExtendHold: when it expires by itself; [`Time::NEVER`] is never.
        expires_at: Time,
        /// The sender's business key, carried into the event.
        reference: [u64; 2],
    }
}

impl LedgerOperation {
    const EMPTY: Self = Self {
        kind: LedgerOperationKind::Transfer,
        last: 0,
        asset: AssetId(0),
        account: AccountId(0),
        to: AccountId(0),
        purpose: 0,
        hold_id: HoldId(0),
        amount: 0,
        expires_at: Time::NEVER,
        reference: [0; 2],
    };

    /// Moves `amount` from one account to another.
    pub const fn transfer(from: AccountId, to: AccountId, asset: AssetId, amount: i64) -> Self {
        Self { account: from, to, asset, amount, ..Self::EMPTY }
    }

    /// Sets `amount` aside.
    pub const fn hold(account: AccountId, asset: AssetId, amount: i64, expires_at: Time) -> Self {
        Self { kind: LedgerOperationKind::Hold, account, asset, amount, expires_at, ..Self::EMPTY }
    }

    /// Gives `amount` of a hold to `to`; the last capture gives the rest back.
    pub const fn capture(hold_id: HoldId, to: AccountId, amount: i64, last: bool) -> Self {
        Self { kind: LedgerOperationKind::Capture, hold_id, to, amount, last: last as u8, ..Self::EMPTY }
    }

    /// Gives `amount` of a hold back to its owner; 0 gives all of it.
    pub const fn release(hold_id: HoldId, amount: i64) -> Self {
        Self { kind: LedgerOperationKind::Release, hold_id, amount, ..Self::EMPTY }
    }

    /// Moves a hold's expiry.
    pub const fn extend_hold(hold_id: HoldId, expires_at: Time) -> Self {
        Self { kind: LedgerOperationKind::ExtendHold, hold_id, expires_at, ..Self::EMPTY }
    }

    /// The same with a business key.
    #[must_use]
    pub const fn with_reference(mut self, reference: u128) -> Self {
        self.reference = [reference as u64, (reference >> 64) as u64];
        self
    }
}
