//! Reading operators' requests: bodies, names, decimals. Refuses to know what they are for.

use super::error::{AdminError, Result};
use crate::views::{Asset, Directory, Listing};
use axum::{body::Bytes, http::HeaderMap};
use protocol::{FeeRate, Price, Quantity, decimal::parse_units, instrument::FeeRates};
use serde::{Deserialize, de::DeserializeOwned};
use std::sync::Arc;

/// The header that says who asks.
const ACTOR: &str = "x-rialto-actor";
/// Decimals of a fee rate.
const RATE_SCALE: u8 = 8;

/// A JSON body; an absent one is an empty object.
pub(super) fn body<T: DeserializeOwned>(bytes: &Bytes) -> Result<T> {
    let bytes = if bytes.is_empty() { b"{}".as_slice() } else { bytes };
    serde_json::from_slice(bytes)
        .map_err(|error| AdminError::bad(format!("the body cannot be read: {error}")))
}

/// Who asks, for the audit log.
pub(super) fn actor(headers: &HeaderMap) -> String {
    let text = headers.get(ACTOR).and_then(|value| value.to_str().ok()).unwrap_or("admin");
    text.chars().filter(char::is_ascii_graphic).take(64).collect()
}

pub(super) fn asset<'a>(directory: &'a Directory, name: &str) -> Result<&'a Asset> {
    directory.asset_named(name).ok_or_else(|| AdminError::no_asset(name))
}

pub(super) fn listing<'a>(directory: &'a Directory, symbol: &str) -> Result<&'a Arc<Listing>> {
    directory.listing_named(symbol).ok_or_else(|| AdminError::no_instrument(symbol))
}

/// A decimal as units of 10^-`scale`.
pub(super) fn units(name: &str, text: &str, scale: u8) -> Result<u64> {
    parse_units(text, scale).map_err(|error| AdminError::decimal(name, error))
}

/// A decimal as ledger units.
pub(super) fn amount(name: &str, text: &str, scale: u8) -> Result<i64> {
    // parse_units gives at most 2^63 - 1.
    units(name, text, scale).map(|units| units as i64)
}

pub(super) fn price(name: &str, text: &str, scale: u8) -> Result<Price> {
    let units = units(name, text, scale)?;
    u32::try_from(units).map(Price).map_err(|_| {
        AdminError::bad(format!(
            "{name} is too large: with {scale} decimals a price is at most {} units",
            u32::MAX
        ))
    })
}

pub(super) fn quantity(name: &str, text: &str, scale: u8) -> Result<Quantity> {
    units(name, text, scale).map(Quantity)
}

/// Rates as fractions: `"0.001"` is 0.1 %. A maker's may be negative.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Fees {
    maker: String,
    taker: String,
}

impl Fees {
    pub(super) fn rates(&self) -> Result<FeeRates> {
        Ok(FeeRates { maker: rate("maker", &self.maker)?, taker: rate("taker", &self.taker)? })
    }
}

/// A rate; the engine checks its range.
pub(super) fn rate(name: &str, text: &str) -> Result<FeeRate> {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |digits| (-1, digits));
    let units = units(name, digits, RATE_SCALE)?;
    let rate =
        i32::try_from(units).map_err(|_| AdminError::bad(format!("{name} must be at most 1 (100 %)")))?;
    Ok(FeeRate(sign * rate))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_exact_and_may_be_negative() {
        for (text, expected) in
            [("0.001", Some(100_000)), ("-0.0001", Some(-10_000)), ("0", Some(0)), ("1", Some(100_000_000))]
        {
            assert_eq!(rate("maker", text).ok(), expected.map(FeeRate), "{text}");
        }
        for bad in ["", "--1", "0.000000001", "100", "x", "1e-3"] {
            assert!(rate("maker", bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_actor_is_cut_to_plain_characters() {
        let mut headers = HeaderMap::new();
        assert_eq!(actor(&headers), "admin");
        headers.insert(ACTOR, "anna b".parse().unwrap());
        assert_eq!(actor(&headers), "annab");
    }
}
