//! What stops or bounds trading: delisting, order filters, circuit breakers, kill switches, cancel
//! timers. Refuses to decide what they do: the core does.

use super::{
    Admin,
    error::{AdminError, Answered, Result},
    received::{actor, body, listing, quantity, units},
};
use crate::views::Listing;
use axum::{
    body::Bytes,
    extract::{Path, State},
    http::HeaderMap,
};
use protocol::{
    command::{Command, DelistInstrument, SetBreaker, SetCancelTimer, SetKillSwitch, SetOrderFilters},
    terms::{Breaker, KillSwitch, OrderFilters},
};
use serde::Deserialize;
use serde_json::{Value, json};

const SECOND: u64 = 1_000_000_000;
/// The longest a cancel timer may run, in seconds.
const TIMER_MAX: u64 = 86_400;
/// Decimals of a breaker's band: it counts basis points.
const BAND_SCALE: u8 = 4;

/// Filters to set; what is not named stays. 0 switches a bound off.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewOrderFilters {
    max_algo_orders: Option<u32>,
    max_iceberg_orders: Option<u32>,
    max_order_lists: Option<u32>,
    max_order_amends: Option<u32>,
    min_trailing_above: Option<u32>,
    max_trailing_above: Option<u32>,
    min_trailing_below: Option<u32>,
    max_trailing_below: Option<u32>,
    max_position: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewBreaker {
    /// A fraction: `"0.05"` is 5 %. `"0"` takes the breaker away.
    band: String,
    #[serde(default)]
    window_seconds: u64,
    #[serde(default)]
    halt_seconds: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Switch {
    on: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Timer {
    /// 0 lifts it.
    seconds: u64,
}

/// Takes an instrument off for good: its orders are cancelled, and none is taken any more.
pub(super) async fn delist(
    State(admin): State<Admin>,
    Path(symbol): Path<String>,
    headers: HeaderMap,
) -> Result {
    let instrument = listing(&admin.gateway.views.directory(), &symbol)?.id();
    let command = Command::DelistInstrument(DelistInstrument { instrument, reserved: [0; 6] });
    let details = json!({"symbol": symbol});
    admin.administration.execute(&actor(&headers), "instrument.delist", details, command).await?;
    Ok(Answered(json!({"symbol": symbol, "status": "DELISTED"})))
}

pub(super) async fn set_order_filters(
    State(admin): State<Admin>,
    Path(symbol): Path<String>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result {
    let wanted: NewOrderFilters = body(&bytes)?;
    let directory = admin.gateway.views.directory();
    let listing = listing(&directory, &symbol)?;
    let mut filters = listing.order_filters;
    let fields = [
        (wanted.max_algo_orders, &mut filters.max_algo_orders),
        (wanted.max_iceberg_orders, &mut filters.max_iceberg_orders),
        (wanted.max_order_lists, &mut filters.max_order_lists),
        (wanted.max_order_amends, &mut filters.max_order_amends),
        (wanted.min_trailing_above, &mut filters.min_trailing_above),
        (wanted.max_trailing_above, &mut filters.max_trailing_above),
        (wanted.min_trailing_below, &mut filters.min_trailing_below),
        (wanted.max_trailing_below, &mut filters.max_trailing_below),
    ];
    for (value, field) in fields {
        *field = value.unwrap_or(*field);
    }
    if let Some(text) = &wanted.max_position {
        filters.max_position = quantity("max_position", text, listing.instrument.quantity_scale)?;
    }
    if !filters.is_valid() {
        return Err(AdminError::bad(
            "a trailing delta's least must be 1 or more and at most its largest, and the largest below less than 10000",
        ));
    }
    let command =
        Command::SetOrderFilters(SetOrderFilters { instrument: listing.id(), reserved: [0; 6], filters });
    let details = json!({"symbol": symbol, "order_filters": filters_row(listing, &filters)});
    admin.administration.execute(&actor(&headers), "instrument.order_filters", details, command).await?;
    Ok(Answered(filters_row(listing, &filters)))
}

/// Order filters as operators read them.
pub(super) fn filters_row(listing: &Listing, filters: &OrderFilters) -> Value {
    json!({
        "max_algo_orders": filters.max_algo_orders,
        "max_iceberg_orders": filters.max_iceberg_orders,
        "max_order_lists": filters.max_order_lists,
        "max_order_amends": filters.max_order_amends,
        "min_trailing_above": filters.min_trailing_above,
        "max_trailing_above": filters.max_trailing_above,
        "min_trailing_below": filters.min_trailing_below,
        "max_trailing_below": filters.max_trailing_below,
        "max_position": listing.quantity_text(filters.max_position),
    })
}

pub(super) async fn set_breaker(
    State(admin): State<Admin>,
    Path(symbol): Path<String>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result {
    let wanted: NewBreaker = body(&bytes)?;
    let directory = admin.gateway.views.directory();
    let listing = listing(&directory, &symbol)?;
    let band = u32::try_from(units("band", &wanted.band, BAND_SCALE)?)
        .map_err(|_| AdminError::bad("band is too large"))?;
    let nanoseconds = |seconds: u64| seconds.saturating_mul(SECOND);
    let breaker = Breaker {
        band,
        reserved: 0,
        window: nanoseconds(wanted.window_seconds),
        halt: nanoseconds(wanted.halt_seconds),
    };
    if !breaker.is_valid() {
        return Err(AdminError::bad("window_seconds and halt_seconds must be 1 to 86400"));
    }
    let command = Command::SetBreaker(SetBreaker { instrument: listing.id(), reserved: [0; 6], breaker });
    let row = breaker_row(&breaker);
    let details = json!({"symbol": symbol, "breaker": row});
    admin.administration.execute(&actor(&headers), "instrument.breaker", details, command).await?;
    Ok(Answered(row))
}

/// A breaker as operators read it.
pub(super) fn breaker_row(breaker: &Breaker) -> Value {
    json!({
        "band": protocol::decimal::print_units(i128::from(breaker.band), BAND_SCALE),
        "window_seconds": breaker.window / SECOND,
        "halt_seconds": breaker.halt / SECOND,
    })
}

pub(super) async fn set_kill_switch(
    State(admin): State<Admin>,
    Path(name): Path<String>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result {
    let Switch { on } = body(&bytes)?;
    let (_, account) = admin.administration.named(&name).await?;
    let switch = if on { KillSwitch::On } else { KillSwitch::Off };
    let command = Command::SetKillSwitch(SetKillSwitch { account, switch, reserved: [0; 3] });
    let details = json!({"account": name, "on": on});
    admin.administration.execute(&actor(&headers), "account.kill_switch", details, command).await?;
    Ok(Answered(json!({"name": name, "kill_switch": on})))
}

pub(super) async fn set_cancel_timer(
    State(admin): State<Admin>,
    Path(name): Path<String>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result {
    let Timer { seconds } = body(&bytes)?;
    if seconds > TIMER_MAX {
        return Err(AdminError::bad(format!("seconds must be 0 to {TIMER_MAX}")));
    }
    let (_, account) = admin.administration.named(&name).await?;
    let timer = SetCancelTimer { account, reserved: 0, timeout: seconds * SECOND };
    let details = json!({"account": name, "seconds": seconds});
    let command = Command::SetCancelTimer(timer);
    admin.administration.execute(&actor(&headers), "account.cancel_timer", details, command).await?;
    Ok(Answered(json!({"name": name, "seconds": seconds})))
}
