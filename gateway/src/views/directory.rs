//! What may be traded: assets, instruments, fee tiers. A snapshot that readers hold as long as
//! they like; a change makes a new one. Refuses to know accounts, orders and prices.

use super::Units;
use protocol::{
    AccountId, AssetId, FeeRate, Instrument, InstrumentId, Price, Quantity, Side,
    command::{SetBreaker, SetOrderFilters},
    decimal::print_units,
    event::{AssetCreated, FeeTierSet},
    instrument::{FEE_TIERS, FeeRates, InstrumentStatus, Name},
    terms::{Breaker, OrderFilters},
};
use serde::{Deserialize, Serialize};
use std::{collections::HashMap, sync::Arc};

/// An asset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asset {
    /// Its id.
    pub id: AssetId,
    /// What it is called.
    pub name: Name,
    /// A ledger unit is 10^-scale of it; 0 to 8.
    pub scale: u8,
    /// The account that stands for the world outside; its balance is negative.
    pub external: AccountId,
    /// The most there may ever be, in ledger units.
    pub max_supply: i64,
}

/// An instrument with all that is needed to show its numbers and fees.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listing {
    /// The instrument as it is now.
    pub instrument: Instrument,
    /// What is traded.
    pub base: Asset,
    /// What it is paid with.
    pub quote: Asset,
    /// The bounds of orders that are not plain.
    pub order_filters: OrderFilters,
    /// When it halts by itself.
    pub breaker: Breaker,
    /// Each tier's rates. All begin as the instrument's own; only tier 0 follows these.
    tiers: [FeeRates; FEE_TIERS],
}

/// Everything listed, at one moment.
#[derive(Clone, Debug, Default)]
pub struct Directory {
    assets: Vec<Asset>,
    listings: Vec<Arc<Listing>>,
    by_symbol: HashMap<Name, InstrumentId>,
    assets_by_name: HashMap<Name, AssetId>,
}

impl Asset {
    /// An amount of this asset in ledger units, to be shown.
    pub fn amount(&self, amount: impl Into<i128>) -> Units {
        Units { units: amount.into(), scale: self.scale }
    }

    /// The same as text: eight decimals.
    pub fn amount_text(&self, amount: impl Into<i128>) -> String {
        self.amount(amount).to_string()
    }
}

impl Listing {
    /// Its id.
    pub const fn id(&self) -> InstrumentId {
        self.instrument.id
    }

    /// Its symbol, as clients write it.
    pub fn symbol(&self) -> &str {
        self.instrument.symbol.as_str()
    }

    /// The rates of a fee tier (0 to 15).
    pub fn rates(&self, tier: u8) -> FeeRates {
        self.tiers[usize::from(tier) % FEE_TIERS]
    }

    /// The asset that an order of this side receives, and pays its commission in.
    pub const fn received(&self, side: Side) -> &Asset {
        match side {
            Side::Buy => &self.base,
            Side::Sell => &self.quote,
        }
    }

    /// A price, to be shown.
    pub fn price(&self, price: Price) -> Units {
        Units { units: price.0.into(), scale: self.instrument.price_scale }
    }

    /// A quantity of the base asset in quantity units, to be shown.
    pub fn quantity(&self, quantity: impl Into<i128>) -> Units {
        Units { units: quantity.into(), scale: self.instrument.quantity_scale }
    }

    /// A price as text: eight decimals.
    pub fn price_text(&self, price: Price) -> String {
        self.price(price).to_string()
    }

    /// A quantity of the base asset as text: eight decimals.
    pub fn quantity_text(&self, quantity: Quantity) -> String {
        self.quantity(quantity.0).to_string()
    }

    /// An amount of the quote asset in ledger units as text: eight decimals.
    pub fn quote_text(&self, amount: impl Into<i128>) -> String {
        self.quote.amount_text(amount)
    }
}

impl Directory {
    /// The directory of these, by id.
    pub(super) fn of(assets: Vec<Asset>, listings: Vec<Listing>) -> Self {
        Self {
            by_symbol: listings.iter().map(|listing| (listing.instrument.symbol, listing.id())).collect(),
            assets_by_name: assets.iter().map(|asset| (asset.name, asset.id)).collect(),
            assets,
            listings: listings.into_iter().map(Arc::new).collect(),
        }
    }

    /// Every asset, by id.
    pub fn assets(&self) -> &[Asset] {
        &self.assets
    }

    /// An asset.
    pub fn asset(&self, id: AssetId) -> Option<&Asset> {
        self.assets.get(usize::from(id.0).checked_sub(1)?)
    }

    /// An asset by its name.
    pub fn asset_named(&self, name: &str) -> Option<&Asset> {
        self.asset(*self.assets_by_name.get(&Name::parse(name)?)?)
    }

    /// Every instrument, by id.
    pub fn listings(&self) -> &[Arc<Listing>] {
        &self.listings
    }

    /// An instrument.
    pub fn listing(&self, id: InstrumentId) -> Option<&Arc<Listing>> {
        self.listings.get(usize::from(id.0).checked_sub(1)?)
    }

    /// An instrument by its symbol, in capitals.
    pub fn listing_named(&self, symbol: &str) -> Option<&Arc<Listing>> {
        self.listing(*self.by_symbol.get(&Name::parse(symbol)?)?)
    }

    pub(super) fn add_asset(&mut self, created: &AssetCreated) {
        debug_assert_eq!(usize::from(created.asset.0), self.assets.len() + 1, "asset ids are dense");
        let &AssetCreated { asset: id, name, scale, external, max_supply, .. } = created;
        self.assets.push(Asset { id, name, scale, external, max_supply });
        self.assets_by_name.insert(name, id);
    }

    /// Adds an instrument, or puts its new definition in place of the old.
    pub(super) fn set_instrument(&mut self, instrument: Instrument) {
        let index = usize::from(instrument.id.0) - 1;
        if let Some(listing) = self.listings.get_mut(index) {
            let listing = Arc::make_mut(listing);
            listing.instrument = instrument;
            listing.tiers[0] = instrument.fees;
            return;
        }
        debug_assert_eq!(index, self.listings.len(), "instrument ids are dense");
        // An instrument names assets that exist: the core refuses others.
        let asset = |id| *self.asset(id).expect("an instrument's assets exist");
        let (base, quote) = (asset(instrument.base), asset(instrument.quote));
        self.by_symbol.insert(instrument.symbol, instrument.id);
        self.listings.push(Arc::new(Listing {
            instrument,
            base,
            quote,
            order_filters: OrderFilters::open(),
            breaker: Breaker::OFF,
            tiers: [instrument.fees; FEE_TIERS],
        }));
    }

    /// A circuit breaker halted an instrument: orders rest, and nothing matches until its auction.
    pub(super) fn halt(&mut self, instrument: InstrumentId) {
        self.change(instrument, |listing| listing.instrument.status = InstrumentStatus::PreOpen);
    }

    pub(super) fn set_order_filters(&mut self, set: &SetOrderFilters) {
        self.change(set.instrument, |listing| listing.order_filters = set.filters);
    }

    pub(super) fn set_breaker(&mut self, set: &SetBreaker) {
        self.change(set.instrument, |listing| listing.breaker = set.breaker);
    }

    fn change(&mut self, instrument: InstrumentId, change: impl FnOnce(&mut Listing)) {
        let place = usize::from(instrument.0).checked_sub(1);
        if let Some(listing) = place.and_then(|place| self.listings.get_mut(place)) {
            change(Arc::make_mut(listing));
        }
    }

    pub(super) fn set_fee_tier(&mut self, set: &FeeTierSet) {
        for listing in &mut self.listings {
            if set.instrument == InstrumentId(0) || set.instrument == listing.id() {
                let listing = Arc::make_mut(listing);
                listing.tiers[usize::from(set.tier) % FEE_TIERS] = set.rates;
                if set.tier == 0 {
                    listing.instrument.fees = set.rates;
                }
            }
        }
    }
}

/// A fee rate as clients are sent it: a fraction with eight decimals (`0.00100000` is 0.1 %).
pub fn rate_text(rate: FeeRate) -> String {
    print_units(i128::from(rate.0), 8)
}
