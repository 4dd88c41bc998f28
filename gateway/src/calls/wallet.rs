//! The few answers of the wallet API that clients ask for while they load markets (dialect §7). There
//! is no wallet yet: deposits and withdrawals are shown as closed. Refuses to move money.

use super::{Json, Reply, Request, account::balances};
use crate::{dialect::Decimal, views::rate_text};
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
