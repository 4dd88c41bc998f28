//! What must be known to tell of an event in words and decimals: assets, instruments, balances. All of it
//! comes from the events before. Refuses to know topics.

use protocol::{
    AccountId, AssetId, Instrument, InstrumentId, Price, Quantity,
    decimal::print_units,
    event::Event,
    instrument::Name,
    posting::{Posting, postings},
};
use std::collections::{HashMap, HashSet};

/// An asset, as far as it is told of.
#[derive(Clone, Copy, Debug)]
struct Asset {
    name: Name,
    scale: u8,
}

/// What an account has of an asset, in ledger units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Balance {
    pub available: i64,
    pub held: i64,
}

/// Everything known after the events so far.
#[derive(Debug, Default)]
pub(super) struct Books {
    assets: HashMap<AssetId, Asset>,
    instruments: HashMap<InstrumentId, Instrument>,
    /// The accounts that stand for the world outside.
    outside: HashSet<AccountId>,
    balances: HashMap<(AccountId, AssetId), Balance>,
}

impl Books {
    /// Learns what an event says, and gives what it did to balances, in the order of its postings, each
    /// with the balance after it.
    pub(super) fn learn(&mut self, event: &Event) -> Vec<(Posting, Balance)> {
        match event {
            Event::AssetCreated(asset) => {
                self.assets.insert(asset.asset, Asset { name: asset.name, scale: asset.scale });
                self.outside.insert(asset.external);
            }
            Event::InstrumentCreated(created) => {
                self.instruments.insert(created.instrument.id, created.instrument);
            }
            Event::InstrumentChanged(changed) => {
                self.instruments.insert(changed.instrument.id, changed.instrument);
            }
            _ => {}
        }
        let mut moved = Vec::new();
        let (instruments, balances) = (&self.instruments, &mut self.balances);
        postings(
            event,
            |id| instruments.get(&id),
            |posting| {
                let balance = balances.entry((posting.account, posting.asset)).or_default();
                balance.available += posting.available;
                balance.held += posting.held;
                moved.push((posting, *balance));
            },
        );
        moved
    }

    pub(super) fn instrument(&self, id: InstrumentId) -> Option<&Instrument> {
        self.instruments.get(&id)
    }

    /// The instrument's symbol; empty for one that was never created, which cannot be.
    pub(super) fn symbol(&self, id: InstrumentId) -> String {
        self.instruments.get(&id).map(|instrument| instrument.symbol.to_string()).unwrap_or_default()
    }

    pub(super) fn asset_name(&self, id: AssetId) -> String {
        self.assets.get(&id).map(|asset| asset.name.to_string()).unwrap_or_default()
    }

    /// Ledger units of an asset as a decimal.
    pub(super) fn amount(&self, asset: AssetId, units: i64) -> String {
        print_units(i128::from(units), self.assets.get(&asset).map_or(0, |asset| asset.scale))
    }

    /// A price as a decimal; empty for none.
    pub(super) fn price(&self, instrument: InstrumentId, price: Price) -> String {
        match self.instruments.get(&instrument) {
            Some(instrument) if price.0 > 0 => print_units(i128::from(price.0), instrument.price_scale),
            _ => String::new(),
        }
    }

    /// A quantity of the base asset as a decimal.
    pub(super) fn quantity(&self, instrument: InstrumentId, quantity: Quantity) -> String {
        let scale = self.instruments.get(&instrument).map_or(0, |instrument| instrument.quantity_scale);
        print_units(i128::from(quantity.0), scale)
    }

    /// Whether an account stands for the world outside.
    pub(super) fn is_outside(&self, account: AccountId) -> bool {
        self.outside.contains(&account)
    }

    /// The asset of this name and its scale.
    pub(super) fn asset_named(&self, name: &str) -> Option<(AssetId, u8)> {
        let mut assets = self.assets.iter();
        assets.find(|(_, asset)| asset.name.as_str() == name).map(|(id, asset)| (*id, asset.scale))
    }
}
