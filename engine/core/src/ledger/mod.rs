//! The ledger: every balance, every hold that is not an order's, every account. Refuses to know
//! orders and prices: it is told which amounts move.
//!
//! Money is only ever moved from one place to another, so the sum over all accounts, the external
//! ones included, is zero for each asset after every command (requirements §10.6, invariant 1).

pub mod accounts;
pub mod balances;
pub mod holds;
mod operations;

use accounts::Accounts;
use balances::Balances;
use holds::Holds;
use protocol::{AccountId, AssetId, instrument::Name};

/// An asset as the ledger keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asset {
    /// What it is called.
    pub name: Name,
    /// A ledger unit is 10^-scale.
    pub scale: u8,
    /// The account that stands for the world outside.
    pub external: AccountId,
    /// The most there may ever be.
    pub max_supply: i64,
}

/// Balances, holds, accounts and assets.
#[derive(Debug, Default)]
pub struct Ledger {
    /// What everyone has.
    pub balances: Balances,
    /// Who everyone is.
    pub accounts: Accounts,
    /// What is set aside other than for orders.
    pub holds: Holds,
    /// By id, from 1.
    assets: Vec<Asset>,
}

impl Ledger {
    /// The asset of this id.
    pub fn asset(&self, asset: AssetId) -> Option<&Asset> {
        self.assets.get(usize::from(asset.0).checked_sub(1)?)
    }

    /// Every asset with its id, in the order of creation.
    pub fn assets(&self) -> impl Iterator<Item = (AssetId, &Asset)> {
        self.assets.iter().enumerate().map(|(index, asset)| (AssetId(index as u16 + 1), asset))
    }

    /// Adds an asset whose definition was checked.
    pub(crate) fn add_asset(&mut self, asset: Asset) -> AssetId {
        self.assets.push(asset);
        let id = AssetId(self.assets.len() as u16);
        self.balances.open_asset(id);
        id
    }
}
