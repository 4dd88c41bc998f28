//! Instruments: listing, creating, changing, and the rates of fee tiers. Refuses to decide whether a
//! definition is sound: that is the core's.

use super::{
    Admin,
    accounts::check_tier,
    controls::{breaker_row, filters_row},
    error::{AdminError, Answered, Result},
    received::{Fees, actor, amount, asset, body, listing, price, quantity, units},
};
use crate::views::{Asset, Listing, rate_text, words};
use axum::{
    body::Bytes,
    extract::{Path, State},
    http::HeaderMap,
};
use protocol::{
    Instrument, InstrumentId, InstrumentStatus, SelfTradePrevention,
    command::{ChangeInstrument, Command, CreateInstrument, SetFeeTier, change as parts},
    instrument::{FeeRates, Filters, Name},
};
use serde::Deserialize;
use serde_json::{Value, json};

/// Decimals of a percent-price multiplier.
const MULTIPLIER_SCALE: u8 = 4;

/// What a new instrument bounds when it is not told: nothing but how many orders may be open, which
/// is what an account, and all of them, may take of memory.
const DEFAULT_FILTERS: Filters =
    Filters { max_account_orders: 200, max_open_orders: 1_000_000, ..Filters::open() };

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewInstrument {
    symbol: String,
    base: String,
    quote: String,
    price_scale: u8,
    quantity_scale: u8,
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    default_self_trade_prevention: Option<String>,
    #[serde(default)]
    filters: NewFilters,
    #[serde(default)]
    fees: Option<Fees>,
    #[serde(default)]
    reference_price: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Changes {
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    filters: Option<NewFilters>,
    #[serde(default)]
    fees: Option<Fees>,
    #[serde(default)]
    reference_price: Option<String>,
    #[serde(default)]
    auction: bool,
}

/// Filters to set; what is not named stays. Decimals in the instrument's own terms.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct NewFilters {
    tick_size: Option<String>,
    min_price: Option<String>,
    max_price: Option<String>,
    lot_size: Option<String>,
    min_quantity: Option<String>,
    max_quantity: Option<String>,
    max_market_quantity: Option<String>,
    min_notional: Option<String>,
    max_notional: Option<String>,
    min_notional_on_market: Option<bool>,
    max_notional_on_market: Option<bool>,
    bid_multiplier_up: Option<String>,
    bid_multiplier_down: Option<String>,
    ask_multiplier_up: Option<String>,
    ask_multiplier_down: Option<String>,
    average_minutes: Option<u8>,
    max_account_orders: Option<u32>,
    max_open_orders: Option<u32>,
    iceberg_parts: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TierRates {
    maker: String,
    taker: String,
    #[serde(default)]
    instrument: Option<String>,
}

pub(super) async fn list(State(admin): State<Admin>) -> Answered {
    let directory = admin.gateway.views.directory();
    Answered(directory.listings().iter().map(|listing| row(listing)).collect())
}

pub(super) async fn show(State(admin): State<Admin>, Path(symbol): Path<String>) -> Result {
    let directory = admin.gateway.views.directory();
    Ok(Answered(row(listing(&directory, &symbol)?)))
}

pub(super) async fn create(State(admin): State<Admin>, headers: HeaderMap, bytes: Bytes) -> Result {
    let new: NewInstrument = body(&bytes)?;
    let directory = admin.gateway.views.directory();
    let (base, quote) = (asset(&directory, &new.base)?, asset(&directory, &new.quote)?);
    let symbol = Name::parse(&new.symbol)
        .ok_or_else(|| AdminError::bad("symbol must be 1 to 24 capital letters and digits"))?;
    let mut instrument = Instrument {
        id: InstrumentId(0),
        base: base.id,
        quote: quote.id,
        price_scale: new.price_scale,
        quantity_scale: new.quantity_scale,
        status: new.status.as_deref().map_or(Ok(InstrumentStatus::Trading), status)?,
        default_self_trade_prevention: prevention(new.default_self_trade_prevention.as_deref())?,
        reserved: [0; 6],
        symbol,
        quote_per_unit: 0,
        base_per_unit: 0,
        filters: DEFAULT_FILTERS,
        fees: FeeRates::default(),
    };
    new.filters.apply(&mut instrument, quote)?;
    if let Some(fees) = &new.fees {
        instrument.fees = fees.rates()?;
    }
    if let Some(text) = &new.reference_price {
        instrument.filters.reference_price = price("reference_price", text, new.price_scale)?;
    }
    instrument.checked(base.scale, quote.scale).map_err(|error| AdminError::bad(error.to_string()))?;
    let details = received_details(&new.symbol, &bytes);
    let command = Command::CreateInstrument(CreateInstrument { instrument });
    let id = admin.administration.execute(&actor(&headers), "instrument.create", details, command).await?;
    Ok(Answered(json!({"instrument_id": id, "symbol": new.symbol})))
}

pub(super) async fn change(
    State(admin): State<Admin>,
    Path(symbol): Path<String>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result {
    let changes: Changes = body(&bytes)?;
    let directory = admin.gateway.views.directory();
    let listing = listing(&directory, &symbol)?;
    let mut definition = listing.instrument;
    let mut changed = 0;
    if let Some(text) = &changes.status {
        definition.status = status(text)?;
        changed |= parts::STATUS;
    }
    if changes.auction {
        if changes.status.as_deref() != Some("TRADING") {
            return Err(AdminError::bad("auction goes with \"status\": \"TRADING\""));
        }
        changed |= parts::AUCTION;
    }
    if let Some(filters) = &changes.filters {
        filters.apply(&mut definition, &listing.quote)?;
        changed |= parts::FILTERS;
    }
    if let Some(fees) = &changes.fees {
        definition.fees = fees.rates()?;
        changed |= parts::FEES;
    }
    if let Some(text) = &changes.reference_price {
        definition.filters.reference_price = price("reference_price", text, definition.price_scale)?;
        changed |= parts::REFERENCE_PRICE;
    }
    if changed == 0 {
        return Err(AdminError::bad("name something to change: status, filters, fees or reference_price"));
    }
    definition
        .checked(listing.base.scale, listing.quote.scale)
        .map_err(|error| AdminError::bad(error.to_string()))?;
    let details = received_details(&symbol, &bytes);
    let command = Command::ChangeInstrument(ChangeInstrument {
        instrument: listing.id(),
        parts: changed,
        reserved: [0; 5],
        definition,
    });
    admin.administration.execute(&actor(&headers), "instrument.change", details, command).await?;
    let directory = admin.gateway.views.directory();
    Ok(Answered(row(self::listing(&directory, &symbol)?)))
}

pub(super) async fn set_fee_tier(
    State(admin): State<Admin>,
    Path(tier): Path<String>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result {
    let tier: u8 = tier.parse().map_err(|_| AdminError::bad("a fee tier is a small whole number"))?;
    check_tier(tier)?;
    let wanted: TierRates = body(&bytes)?;
    let rates = FeeRates {
        maker: super::received::rate("maker", &wanted.maker)?,
        taker: super::received::rate("taker", &wanted.taker)?,
    };
    let directory = admin.gateway.views.directory();
    let instrument = match &wanted.instrument {
        Some(symbol) => listing(&directory, symbol)?.id(),
        None => InstrumentId(0),
    };
    let command = Command::SetFeeTier(SetFeeTier { instrument, tier, reserved: 0, rates, reserved_2: 0 });
    let details = json!({
        "tier": tier, "instrument": wanted.instrument, "maker": wanted.maker, "taker": wanted.taker,
    });
    admin.administration.execute(&actor(&headers), "fee_tier.set", details, command).await?;
    Ok(Answered(json!({"tier": tier, "maker": rate_text(rates.maker), "taker": rate_text(rates.taker)})))
}

impl NewFilters {
    /// Puts what is named in the place of what is there.
    fn apply(&self, instrument: &mut Instrument, quote: &Asset) -> Result<()> {
        let (price_scale, quantity_scale) = (instrument.price_scale, instrument.quantity_scale);
        let filters = &mut instrument.filters;
        let prices = [
            ("tick_size", &self.tick_size, &mut filters.tick_size),
            ("min_price", &self.min_price, &mut filters.min_price),
            ("max_price", &self.max_price, &mut filters.max_price),
        ];
        for (name, text, field) in prices {
            if let Some(text) = text {
                *field = price(name, text, price_scale)?;
            }
        }
        let quantities = [
            ("lot_size", &self.lot_size, &mut filters.lot_size),
            ("min_quantity", &self.min_quantity, &mut filters.min_quantity),
            ("max_quantity", &self.max_quantity, &mut filters.max_quantity),
            ("max_market_quantity", &self.max_market_quantity, &mut filters.max_market_quantity),
        ];
        for (name, text, field) in quantities {
            if let Some(text) = text {
                *field = quantity(name, text, quantity_scale)?;
            }
        }
        let notionals = [
            ("min_notional", &self.min_notional, &mut filters.min_notional),
            ("max_notional", &self.max_notional, &mut filters.max_notional),
        ];
        for (name, text, field) in notionals {
            if let Some(text) = text {
                *field = amount(name, text, quote.scale)?;
            }
        }
        let multipliers = [
            ("bid_multiplier_up", &self.bid_multiplier_up, &mut filters.bid_multiplier_up),
            ("bid_multiplier_down", &self.bid_multiplier_down, &mut filters.bid_multiplier_down),
            ("ask_multiplier_up", &self.ask_multiplier_up, &mut filters.ask_multiplier_up),
            ("ask_multiplier_down", &self.ask_multiplier_down, &mut filters.ask_multiplier_down),
        ];
        for (name, text, field) in multipliers {
            if let Some(text) = text {
                let units = units(name, text, MULTIPLIER_SCALE)?;
                *field = u32::try_from(units).map_err(|_| AdminError::bad(format!("{name} is too large")))?;
            }
        }
        filters.average_minutes = self.average_minutes.unwrap_or(filters.average_minutes);
        filters.max_account_orders = self.max_account_orders.unwrap_or(filters.max_account_orders);
        filters.max_open_orders = self.max_open_orders.unwrap_or(filters.max_open_orders);
        filters.iceberg_parts = self.iceberg_parts.unwrap_or(filters.iceberg_parts);
        if let Some(binds) = self.min_notional_on_market {
            filters.min_notional_on_market = binds.into();
        }
        if let Some(binds) = self.max_notional_on_market {
            filters.max_notional_on_market = binds.into();
        }
        Ok(())
    }
}

/// What was asked for, as it was asked, for the audit log.
fn received_details(symbol: &str, bytes: &Bytes) -> Value {
    // It was read a moment ago.
    let asked: Value = serde_json::from_slice(bytes).unwrap_or_default();
    json!({"symbol": symbol, "asked": asked})
}

fn status(text: &str) -> Result<InstrumentStatus> {
    match text {
        "PRE_OPEN" => Ok(InstrumentStatus::PreOpen),
        "TRADING" => Ok(InstrumentStatus::Trading),
        "HALT" => Ok(InstrumentStatus::Halt),
        "CANCEL_ONLY" => Ok(InstrumentStatus::CancelOnly),
        "BREAK" => Ok(InstrumentStatus::Break),
        _ => Err(AdminError::bad("status must be PRE_OPEN, TRADING, HALT, CANCEL_ONLY or BREAK")),
    }
}

const fn status_text(status: InstrumentStatus) -> &'static str {
    match status {
        InstrumentStatus::PreOpen => "PRE_OPEN",
        InstrumentStatus::Trading => "TRADING",
        InstrumentStatus::Halt => "HALT",
        InstrumentStatus::CancelOnly => "CANCEL_ONLY",
        InstrumentStatus::Break => "BREAK",
        InstrumentStatus::Delisted => "DELISTED",
    }
}

fn prevention(text: Option<&str>) -> Result<SelfTradePrevention> {
    let unknown = |_| {
        AdminError::bad(
            "default_self_trade_prevention must be NONE, EXPIRE_TAKER, EXPIRE_MAKER, EXPIRE_BOTH or DECREMENT",
        )
    };
    text.map_or(Ok(SelfTradePrevention::ExpireMaker), |text| {
        crate::dialect::self_trade_prevention_from(text).map_err(unknown)
    })
}

fn row(listing: &Listing) -> Value {
    let instrument = &listing.instrument;
    let filters = &instrument.filters;
    let multiplier = |multiplier| protocol::decimal::print_units(i128::from(multiplier), MULTIPLIER_SCALE);
    json!({
        "instrument_id": listing.id().0,
        "symbol": listing.symbol(),
        "base": listing.base.name.as_str(),
        "quote": listing.quote.name.as_str(),
        "price_scale": instrument.price_scale,
        "quantity_scale": instrument.quantity_scale,
        "status": status_text(instrument.status),
        "default_self_trade_prevention": words::self_trade_prevention(instrument.default_self_trade_prevention),
        "fees": {"maker": rate_text(instrument.fees.maker), "taker": rate_text(instrument.fees.taker)},
        "reference_price": listing.price_text(filters.reference_price),
        "order_filters": filters_row(listing, &listing.order_filters),
        "breaker": breaker_row(&listing.breaker),
        "filters": {
            "tick_size": listing.price_text(filters.tick_size),
            "min_price": listing.price_text(filters.min_price),
            "max_price": listing.price_text(filters.max_price),
            "lot_size": listing.quantity_text(filters.lot_size),
            "min_quantity": listing.quantity_text(filters.min_quantity),
            "max_quantity": listing.quantity_text(filters.max_quantity),
            "max_market_quantity": listing.quantity_text(filters.max_market_quantity),
            "min_notional": listing.quote_text(filters.min_notional),
            "max_notional": listing.quote_text(filters.max_notional),
            "min_notional_on_market": filters.min_notional_on_market != 0,
            "max_notional_on_market": filters.max_notional_on_market != 0,
            "bid_multiplier_up": multiplier(filters.bid_multiplier_up),
            "bid_multiplier_down": multiplier(filters.bid_multiplier_down),
            "ask_multiplier_up": multiplier(filters.ask_multiplier_up),
            "ask_multiplier_down": multiplier(filters.ask_multiplier_down),
            "average_minutes": filters.average_minutes,
            "max_account_orders": filters.max_account_orders,
            "max_open_orders": filters.max_open_orders,
            "iceberg_parts": filters.iceberg_parts,
        },
    })
}
