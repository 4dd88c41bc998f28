//! The few answers of the wallet API that clients ask for while they load markets (dialect §7). There
//! is no wallet yet: deposits and withdrawals are shown as closed. Refuses to move money.

use super::{Json, Reply, Request, account::balances};
use crate::{
    dialect::{Decimal, DialectError},
    views::{Asset, Balance, rate_text},
};
use accounts::Scopes;
use serde_json::{Value, json};

pub(super) fn system_status() -> Json {
    Json::of(&json!({"status": 0, "msg": "normal"}))
}

/// Every asset with the caller's balance.
pub(super) fn coins(request: &Request<'_>) -> Reply {
    let coins: Vec<Value> = balances(request)?
        .into_iter()
        .map(|(asset, balance)| {
            json!({
                "coin": asset.name.as_str(),
                "name": asset.name.as_str(),
                "free": Decimal::new(balance.available, asset.scale),
                "locked": Decimal::new(balance.held, asset.scale),
                "freeze": Decimal::ZERO,
                "withdrawing": Decimal::ZERO,
                "ipoing": Decimal::ZERO,
                "ipoable": Decimal::ZERO,
                "storage": Decimal::ZERO,
                "isLegalMoney": false,
                "trading": true,
                "depositAllEnable": false,
                "withdrawAllEnable": false,
                "networkList": [],
            })
        })
        .collect();
    Ok(Json::of(&coins))
}

/// The caller's rates, in one instrument or all.
pub(super) fn trade_fee(request: &Request<'_>) -> Reply {
    let account = request.caller()?.account;
    let one = request.optional_listing()?;
    let listings = one.map_or_else(|| request.directory.listings().to_vec(), |listing| vec![listing]);
    let rows: Vec<Value> = listings
        .iter()
        .map(|listing| {
            let rates = request.gateway.views.rates(account, listing.id()).unwrap_or(listing.instrument.fees);
            json!({
                "symbol": listing.symbol(),
                "makerCommission": rate_text(rates.maker),
                "takerCommission": rate_text(rates.taker),
            })
        })
        .collect();
    Ok(Json::of(&rows))
}

/// What the caller's key may do.
pub(super) fn api_restrictions(request: &Request<'_>) -> Reply {
    let caller = request.caller()?;
    Ok(Json::of(&json!({
        "ipRestrict": !caller.key.ip_allow_list.networks().is_empty(),
        "createTime": 0,
        "enableReading": caller.key.scopes.contains(Scopes::READ),
        "enableSpotAndMarginTrading": caller.key.scopes.contains(Scopes::TRADE),
        "enableWithdrawals": caller.key.scopes.contains(Scopes::WITHDRAW),
        "enableInternalTransfer": false,
        "enableMargin": false,
        "enableFutures": false,
        "permitsUniversalTransfer": false,
        "enableVanillaOptions": false,
        "enableFixApiTrade": false,
        "enableFixReadOnly": false,
        "enablePortfolioMarginTrading": false,
    })))
}

/// Whether the account may do business.
pub(super) fn account_status(request: &Request<'_>) -> Reply {
    Ok(Json::of(&json!({"data": if suspended(request)? { "Locked" } else { "Normal" }})))
}

/// Whether the account may trade by the API.
pub(super) fn trading_status(request: &Request<'_>) -> Reply {
    Ok(Json::of(&json!({"data": {
        "isLocked": suspended(request)?,
        "plannedRecoverTime": 0,
        "triggerCondition": {},
        "updateTime": request.unit.of(request.now),
    }})))
}

fn suspended(request: &Request<'_>) -> Result<bool, DialectError> {
    let account = request.caller()?.account;
    let summary = request.gateway.views.accounts().summary(account).ok_or_else(DialectError::key_refused)?;
    Ok(summary.suspended)
}

/// What the caller has, of one asset or of each that is not nothing.
pub(super) fn user_assets(request: &Request<'_>) -> Reply {
    let wanted = asset(request, "asset")?;
    let rows: Vec<Value> = balances(request)?
        .into_iter()
        .filter(|(asset, balance)| match wanted {
            Some(wanted) => asset.id == wanted.id,
            None => *balance != Balance::default(),
        })
        .map(|(asset, balance)| {
            json!({
                "asset": asset.name.as_str(),
                "free": Decimal::new(balance.available, asset.scale),
                "locked": Decimal::new(balance.held, asset.scale),
                "freeze": Decimal::ZERO,
                "withdrawing": Decimal::ZERO,
                "ipoable": Decimal::ZERO,
                "btcValuation": Decimal::ZERO,
            })
        })
        .collect();
    Ok(Json::of(&rows))
}

/// Deposits or withdrawals that were: none, as long as no asset has a chain.
pub(super) fn no_transfers(request: &Request<'_>) -> Reply {
    request.caller()?;
    asset(request, "coin")?;
    Ok(Json("[]".to_owned()))
}

/// An address to deposit to.
pub(super) fn deposit_address(request: &Request<'_>) -> Reply {
    request.caller()?;
    request.parameters.required("coin")?;
    asset(request, "coin")?;
    Err(DialectError::asset_not_open())
}

/// A withdrawal.
pub(super) fn withdraw(request: &Request<'_>) -> Reply {
    request.caller()?;
    for name in ["coin", "address", "amount"] {
        request.parameters.required(name)?;
    }
    asset(request, "coin")?;
    Err(DialectError::asset_not_open())
}

/// The asset that a parameter names, if it was sent.
fn asset<'a>(request: &'a Request<'_>, name: &str) -> Result<Option<&'a Asset>, DialectError> {
    let named = request.parameters.text(name);
    named.map(|named| request.directory.asset_named(named).ok_or_else(DialectError::asset)).transpose()
}
