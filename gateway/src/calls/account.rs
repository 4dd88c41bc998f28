//! The caller's account: balances, fees, limits (dialect §6.1, 6.6). Refuses to know orders.

use super::{Json, Reply, Request};
use crate::{
    dialect::{Decimal, DialectError},
    views::{Asset, Balance, rate_text},
};
use accounts::Scopes;
use protocol::FeeRate;
use serde_json::{Value, json};

/// Fee rates count 10^-8; a bip is 10^-4.
const RATE_UNITS_PER_BIP: i32 = 10_000;

pub(super) fn account(request: &Request<'_>) -> Reply {
    let caller = request.caller()?;
    let views = &request.gateway.views;
    let summary = views.accounts().summary(caller.account).ok_or_else(DialectError::key_refused)?;
    let omit_zero = request.parameters.boolean("omitZeroBalances", false)?;
    let balances: Vec<Value> = balances(request)?
        .into_iter()
        .filter(|(_, balance)| !omit_zero || *balance != Balance::default())
        .map(|(asset, balance)| {
            json!({
                "asset": asset.name.as_str(),
                "free": Decimal::new(balance.available, asset.scale),
                "locked": Decimal::new(balance.held, asset.scale),
            })
        })
        .collect();
    // The dialect has one rate for the account; ours are by instrument: the first's stands for all.
    let rates = request
        .directory
        .listings()
        .first()
        .and_then(|listing| views.rates(caller.account, listing.id()))
        .unwrap_or_default();
    let bips = |rate: FeeRate| rate.0 / RATE_UNITS_PER_BIP;
    Ok(Json::of(&json!({
        "makerCommission": bips(rates.maker),
        "takerCommission": bips(rates.taker),
        "buyerCommission": 0,
        "sellerCommission": 0,
        "commissionRates": {
            "maker": rate_text(rates.maker), "taker": rate_text(rates.taker),
            "buyer": Decimal::ZERO, "seller": Decimal::ZERO,
        },
        "canTrade": caller.key.scopes.contains(Scopes::TRADE) && summary.takes_orders(),
        "canWithdraw": false,
        "canDeposit": false,
        "brokered": false,
        "requireSelfTradePrevention": false,
        "preventSor": false,
        "updateTime": request.unit.of(summary.update_time),
        "accountType": "SPOT",
        "balances": balances,
        "permissions": ["SPOT"],
        "uid": caller.account.0,
    })))
}

/// The caller's balance in every asset there is.
pub(super) fn balances<'a>(request: &'a Request<'_>) -> Result<Vec<(&'a Asset, Balance)>, DialectError> {
    let account = request.caller()?.account;
    let held = request.gateway.views.accounts().balances(account);
    Ok(request
        .directory
        .assets()
        .iter()
        .map(|asset| {
            let balance = held.iter().find(|(id, _)| *id == asset.id).map(|(_, balance)| *balance);
            (asset, balance.unwrap_or_default())
        })
        .collect())
}

/// How many orders the account has placed in each window.
pub(super) fn order_rate_limits(request: &Request<'_>) -> Reply {
    let limiter = &request.gateway.limiter;
    let count = limiter.orders_of(request.caller()?.account, request.now);
    Ok(Json::of(&limiter.limits().order_rows(count)))
}

/// The rates that the caller pays in an instrument.
pub(super) fn commission(request: &Request<'_>) -> Reply {
    let account = request.caller()?.account;
    let listing = request.listing()?;
    let rates = request.gateway.views.rates(account, listing.id()).unwrap_or(listing.instrument.fees);
    let row = |maker: String, taker: String| json!({"maker": maker, "taker": taker, "buyer": Decimal::ZERO, "seller": Decimal::ZERO});
    let none = || row(rate_text(FeeRate(0)), rate_text(FeeRate(0)));
    Ok(Json::of(&json!({
        "symbol": listing.symbol(),
        "standardCommission": row(rate_text(rates.maker), rate_text(rates.taker)),
        "specialCommission": none(),
        "taxCommission": none(),
        "discount": {
            "enabledForAccount": false, "enabledForSymbol": false,
            "discountAsset": "", "discount": Decimal::ZERO,
        },
    })))
}
