//! Who there is: accounts, their trade group, fee tier, state and limits. Refuses to know names,
//! keys and people; that is the accounts room.

use protocol::{AccountId, AssetId, Reject, instrument::FEE_TIERS};
use std::collections::BTreeMap;

/// What kind of account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum AccountKind {
    /// Someone's.
    Customer = 0,
    /// The exchange's own: fees, suspense.
    System = 1,
    /// The world outside; may be negative.
    External = 2,
}

/// An account as the core keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Account {
    /// Accounts of one group do not trade with each other if their orders ask for that; 0 is none.
    pub trade_group: u32,
    /// Which fees it pays.
    pub fee_tier: u8,
    /// What kind.
    pub kind: AccountKind,
    /// Whether its outgoing moves and new orders are stopped.
    pub suspended: bool,
    /// Whether its kill switch is on: no new orders.
    pub killed: bool,
    /// Whether it has limits, kept apart.
    pub limited: bool,
}

/// What an account may have open, and what it has; kept only for accounts with limits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Open orders over all instruments; 0 is no limit.
    pub max_open_orders: u32,
    /// Open orders now.
    pub open_orders: u32,
    /// By quote asset.
    pub notional: BTreeMap<AssetId, NotionalLimits>,
}

/// Limits in one quote asset, in its ledger units; 0 is no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NotionalLimits {
    /// Of one order.
    pub max_order: i64,
    /// Of all open orders.
    pub max_open: i64,
    /// Of all open orders now; sells may together pass what an asset's supply is.
    pub open: i128,
}

/// All accounts.
#[derive(Debug)]
pub struct Accounts {
    /// By id; 0 is nobody.
    accounts: Vec<Account>,
    limits: BTreeMap<AccountId, Limits>,
}

impl Account {
    const fn new(kind: AccountKind, trade_group: u32, fee_tier: u8) -> Self {
        Self { trade_group, fee_tier, kind, suspended: false, killed: false, limited: false }
    }

    /// Whether both are the same party for self-trade prevention.
    #[inline]
    pub(crate) fn same_party(&self, id: AccountId, other: &Self, other_id: AccountId) -> bool {
        id == other_id || (self.trade_group != 0 && self.trade_group == other.trade_group)
    }
}

impl Default for Accounts {
    fn default() -> Self {
        let system = Account::new(AccountKind::System, 0, 0);
        // Nobody, fees, suspense: see AccountId::FEES and AccountId::SUSPENSE.
        Self { accounts: vec![system; AccountId::FIRST_OPENED.0 as usize], limits: BTreeMap::new() }
    }
}

impl Accounts {
    /// Forgets even the exchange's own: for [`Accounts::put_back`].
    pub(crate) fn clear(&mut self) {
        self.accounts.truncate(1);
    }

    /// Puts the next account in its place, as it was.
    pub(crate) fn put_back(&mut self, account: Account, limits: Option<Limits>) {
        let id = AccountId(self.accounts.len() as u32);
        self.accounts.push(account);
        if let Some(limits) = limits {
            self.limits.insert(id, limits);
        }
    }

    /// The account of this id.
    #[inline]
    pub fn get(&self, account: AccountId) -> Option<&Account> {
        if account.0 == 0 { None } else { self.accounts.get(account.0 as usize) }
    }

    /// The account of an order at rest or a hold: it was there when that came.
    #[inline]
    pub(crate) fn known(&self, account: AccountId) -> &Account {
        &self.accounts[account.0 as usize]
    }

    /// A customer's account, which may be changed.
    pub(crate) fn customer(&mut self, account: AccountId) -> Result<&mut Account, Reject> {
        let entry = match account.0 {
            0 => None,
            id => self.accounts.get_mut(id as usize),
        };
        let entry = entry.ok_or(Reject::UnknownAccount)?;
        match entry.kind {
            AccountKind::Customer => Ok(entry),
            AccountKind::System | AccountKind::External => Err(Reject::NotAllowedForSystemAccount),
        }
    }

    pub(crate) fn open(
        &mut self,
        kind: AccountKind,
        trade_group: u32,
        fee_tier: u8,
    ) -> Result<AccountId, Reject> {
        if usize::from(fee_tier) >= FEE_TIERS {
            return Err(Reject::BadDefinition);
        }
        let id = u32::try_from(self.accounts.len()).map_err(|_| Reject::TooMany)?;
        self.accounts.push(Account::new(kind, trade_group, fee_tier));
        Ok(AccountId(id))
    }

    /// The limits of an account that has some.
    pub fn limits(&self, account: AccountId) -> Option<&Limits> {
        self.limits.get(&account)
    }

    /// The limits of an account, which has some from now on.
    pub(crate) fn limits_mut(&mut self, account: AccountId) -> &mut Limits {
        self.accounts[account.0 as usize].limited = true;
        self.limits.entry(account).or_default()
    }

    /// Every account with its id, in the order of opening.
    pub fn iter(&self) -> impl Iterator<Item = (AccountId, &Account)> {
        self.accounts.iter().enumerate().skip(1).map(|(index, account)| (AccountId(index as u32), account))
    }
}
