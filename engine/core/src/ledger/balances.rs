//! Who has how much: `available` and `held` for each (account, asset), in pages that exist once
//! one of their accounts had the asset. Refuses to know why money moves.
//!
//! A balance that would become negative, where it may not, is a broken invariant: every command
//! checks before it moves. It panics, and the exchange halts before anything wrong leaves.

use protocol::{AccountId, AssetId};

const PAGE_BITS: u32 = 8;
const PAGE_ACCOUNTS: usize = 1 << PAGE_BITS;

/// An account's money in one asset, in ledger units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Balance {
    /// What may be spent. Negative only for external accounts.
    pub available: i64,
    /// What is set aside.
    pub held: i64,
}

type Page = Option<Box<[Balance; PAGE_ACCOUNTS]>>;

/// All balances.
#[derive(Debug, Default)]
pub struct Balances {
    assets: Vec<Vec<Page>>,
}

impl Balances {
    pub(crate) fn open_asset(&mut self, asset: AssetId) {
        if self.assets.len() <= usize::from(asset.0) {
            self.assets.resize_with(usize::from(asset.0) + 1, Vec::new);
        }
    }

    /// The balance; nothing where there never was one.
    #[inline]
    pub fn get(&self, account: AccountId, asset: AssetId) -> Balance {
        let pages = self.assets.get(usize::from(asset.0));
        match pages.and_then(|pages| pages.get((account.0 >> PAGE_BITS) as usize)) {
            Some(Some(page)) => page[account.0 as usize % PAGE_ACCOUNTS],
            _ => Balance::default(),
        }
    }

    #[inline]
    fn entry(&mut self, account: AccountId, asset: AssetId) -> &mut Balance {
        let pages = &mut self.assets[usize::from(asset.0)];
        let page = (account.0 >> PAGE_BITS) as usize;
        if pages.len() <= page {
            pages.resize_with(page + 1, || None);
        }
        let page = pages[page].get_or_insert_with(|| Box::new([Balance::default(); PAGE_ACCOUNTS]));
        &mut page[account.0 as usize % PAGE_ACCOUNTS]
    }

    /// Adds to what may be spent.
    #[inline]
    pub(crate) fn credit(&mut self, account: AccountId, asset: AssetId, amount: i64) {
        // Supplies are at most 2^62, so no sum leaves an i64.
        self.entry(account, asset).available += amount;
    }

    /// Takes from what may be spent.
    #[inline]
    pub(crate) fn debit(&mut self, account: AccountId, asset: AssetId, amount: i64) {
        let balance = self.entry(account, asset);
        balance.available -= amount;
        if balance.available < 0 {
            broken("available", account, asset);
        }
    }

    /// Takes from what may be spent, below zero if need be: external accounts only.
    pub(crate) fn debit_external(&mut self, account: AccountId, asset: AssetId, amount: i64) {
        self.entry(account, asset).available -= amount;
    }

    /// Sets aside.
    #[inline]
    pub(crate) fn hold(&mut self, account: AccountId, asset: AssetId, amount: i64) {
        let balance = self.entry(account, asset);
        balance.available -= amount;
        balance.held += amount;
        if balance.available < 0 {
            broken("available", account, asset);
        }
    }

    /// Gives back what was set aside.
    #[inline]
    pub(crate) fn release(&mut self, account: AccountId, asset: AssetId, amount: i64) {
        let balance = self.entry(account, asset);
        balance.available += amount;
        balance.held -= amount;
        if balance.held < 0 {
            broken("held", account, asset);
        }
    }

    /// Spends what was set aside.
    #[inline]
    pub(crate) fn capture(&mut self, account: AccountId, asset: AssetId, amount: i64) {
        let balance = self.entry(account, asset);
        balance.held -= amount;
        if balance.held < 0 {
            broken("held", account, asset);
        }
    }

    /// Every balance that is not nothing, by asset, then account.
    pub fn iter(&self) -> impl Iterator<Item = (AssetId, AccountId, Balance)> {
        self.assets.iter().enumerate().flat_map(|(asset, pages)| {
            pages.iter().enumerate().flat_map(move |(high, page)| {
                let balances = page.iter().flat_map(|page| page.iter().enumerate());
                balances.filter(|(_, balance)| **balance != Balance::default()).map(move |(low, balance)| {
                    (AssetId(asset as u16), AccountId((high * PAGE_ACCOUNTS + low) as u32), *balance)
                })
            })
        })
    }
}

#[cold]
#[inline(never)]
fn broken(what: &str, account: AccountId, asset: AssetId) -> ! {
    panic!("broken invariant: {what} of account {account} in asset {asset} would be negative");
}
