//! Money in and out by an operator's hand: a transfer from or to the asset's external account, which
//! stands for the world outside. Refuses to create money any other way.

use super::{
    Admin,
    error::{AdminError, Answered, Result},
    received::{actor, amount, asset, body},
};
use axum::{
    body::Bytes,
    extract::{Path, State},
    http::HeaderMap,
};
use protocol::command::{Command, LedgerOperation};
use serde::Deserialize;
use serde_json::json;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Move {
    asset: String,
    amount: String,
    #[serde(default)]
    note: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    In,
    Out,
}

pub(super) async fn credit(
    State(admin): State<Admin>,
    Path(name): Path<String>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result {
    transfer(&admin, &name, &actor(&headers), &bytes, Direction::In).await
}

pub(super) async fn debit(
    State(admin): State<Admin>,
    Path(name): Path<String>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result {
    transfer(&admin, &name, &actor(&headers), &bytes, Direction::Out).await
}

async fn transfer(admin: &Admin, name: &str, actor: &str, bytes: &Bytes, direction: Direction) -> Result {
    let wanted: Move = body(bytes)?;
    let (_, account) = admin.administration.named(name).await?;
    let directory = admin.gateway.views.directory();
    let asset = asset(&directory, &wanted.asset)?;
    let units = amount("amount", &wanted.amount, asset.scale)?;
    if units == 0 {
        return Err(AdminError::bad("amount must be more than 0"));
    }
    let (from, to, action) = match direction {
        Direction::In => (asset.external, account, "account.credit"),
        Direction::Out => (account, asset.external, "account.debit"),
    };
    let command = Command::Ledger(LedgerOperation::transfer(from, to, asset.id, units));
    let details = json!({"account": name, "asset": wanted.asset, "amount": asset.amount_text(units), "note": wanted.note});
    admin.administration.execute(actor, action, details, command).await?;
    let balance = admin.gateway.views.accounts().balance(account, asset.id);
    Ok(Answered(json!({
        "account": name,
        "asset": wanted.asset,
        "available": asset.amount_text(balance.available),
        "held": asset.amount_text(balance.held),
    })))
}
