//! Accounts: opening, showing, suspending, their fee tier and limits, and the audit log. Refuses to
//! know keys.

use super::{
    Admin,
    administration::Administration,
    error::{AdminError, Answered, Result},
    received::{actor, amount, asset, body},
};
use accounts::{Account, AccountName, AccountsError};
use axum::{
    body::Bytes,
    extract::{Path, RawQuery, State},
    http::HeaderMap,
};
use protocol::{
    AccountId, Time,
    command::{AssignFeeTier, Command, OpenAccount, ResumeAccount, SetLimits, SuspendAccount},
    instrument::FEE_TIERS,
    order::RestingOrders,
};
use serde::Deserialize;
use serde_json::{Value, json};

/// Rows of the audit log when the query does not say, and at most.
const AUDIT_ROWS: u32 = 100;
const AUDIT_ROWS_MAX: u32 = 1_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewAccount {
    name: String,
    #[serde(default)]
    fee_tier: u8,
    #[serde(default)]
    trade_group: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Suspension {
    #[serde(default)]
    resting_orders: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Tier {
    tier: u8,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Limits {
    asset: String,
    #[serde(default)]
    max_open_orders: u32,
    #[serde(default)]
    max_order_notional: Option<String>,
    #[serde(default)]
    max_open_notional: Option<String>,
}

pub(super) async fn list(State(admin): State<Admin>) -> Result {
    let accounts = admin.administration.accounts().accounts().await?;
    Ok(Answered(accounts.iter().map(summary).collect()))
}

fn summary(account: &Account) -> Value {
    json!({
        "name": account.name.as_str(),
        "account_id": account.account_id.map(|id| id.0),
        "created_at": account.created_at.millis(),
    })
}

pub(super) async fn open(State(admin): State<Admin>, headers: HeaderMap, bytes: Bytes) -> Result {
    let new: NewAccount = body(&bytes)?;
    let name = AccountName::parse(&new.name)?;
    check_tier(new.fee_tier)?;
    let open = OpenAccount { trade_group: new.trade_group, fee_tier: new.fee_tier, reserved: [0; 3] };
    let id = admin.administration.open_account(&actor(&headers), &name, open).await?;
    Ok(Answered(json!({"name": name.as_str(), "account_id": id.0})))
}

pub(super) fn check_tier(tier: u8) -> Result<()> {
    if usize::from(tier) < FEE_TIERS {
        return Ok(());
    }
    Err(AdminError::bad(format!("a fee tier is 0 to {}", FEE_TIERS - 1)))
}

pub(super) async fn show(State(admin): State<Admin>, Path(name): Path<String>) -> Result {
    let (account, id) = admin.administration.named(&name).await?;
    let directory = admin.gateway.views.directory();
    let accounts = admin.administration.views().accounts();
    let known = accounts.summary(id).ok_or_else(|| AdminError::no_account(&name))?;
    let balances: Vec<Value> = accounts
        .balances(id)
        .into_iter()
        .filter_map(|(asset, balance)| {
            let asset = directory.asset(asset)?;
            Some(json!({
                "asset": asset.name.as_str(),
                "available": asset.amount_text(balance.available),
                "held": asset.amount_text(balance.held),
            }))
        })
        .collect();
    let mut row = summary(&account);
    row["suspended"] = known.suspended.into();
    row["trade_group"] = known.trade_group.into();
    row["fee_tier"] = known.fee_tier.into();
    row["kill_switch"] = known.kill_switch.into();
    row["cancel_timer_due_at"] = known.cancel_timer.map(Time::millis).into();
    row["open_orders"] = accounts.open_orders(id, None).len().into();
    row["balances"] = balances.into();
    Ok(Answered(row))
}

pub(super) async fn suspend(
    State(admin): State<Admin>,
    Path(name): Path<String>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result {
    let wanted: Suspension = body(&bytes)?;
    let (text, resting_orders) = match wanted.resting_orders.as_deref() {
        None | Some("KEEP") => ("KEEP", RestingOrders::Keep),
        Some("CANCEL") => ("CANCEL", RestingOrders::Cancel),
        Some(_) => return Err(AdminError::bad("resting_orders must be KEEP or CANCEL")),
    };
    let command =
        |account| Command::SuspendAccount(SuspendAccount { account, resting_orders, reserved: [0; 3] });
    let details = json!({"account": name, "resting_orders": text});
    change(&admin.administration, &name, &headers, "account.suspend", details, command).await
}

pub(super) async fn resume(
    State(admin): State<Admin>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Result {
    let command = |account| Command::ResumeAccount(ResumeAccount { account, reserved: 0 });
    let details = json!({"account": name});
    change(&admin.administration, &name, &headers, "account.resume", details, command).await
}

pub(super) async fn assign_fee_tier(
    State(admin): State<Admin>,
    Path(name): Path<String>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result {
    let Tier { tier } = body(&bytes)?;
    check_tier(tier)?;
    let command = |account| Command::AssignFeeTier(AssignFeeTier { account, tier, reserved: [0; 3] });
    let details = json!({"account": name, "tier": tier});
    change(&admin.administration, &name, &headers, "account.fee_tier", details, command).await
}

pub(super) async fn set_limits(
    State(admin): State<Admin>,
    Path(name): Path<String>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result {
    let wanted: Limits = body(&bytes)?;
    let directory = admin.gateway.views.directory();
    let asset = asset(&directory, &wanted.asset)?;
    let notional = |field: &str, text: &Option<String>| {
        text.as_ref().map_or(Ok(0), |text| amount(field, text, asset.scale))
    };
    let max_order_notional = notional("max_order_notional", &wanted.max_order_notional)?;
    let max_open_notional = notional("max_open_notional", &wanted.max_open_notional)?;
    let command = |account| {
        Command::SetLimits(SetLimits {
            account,
            asset: asset.id,
            reserved: 0,
            max_open_orders: wanted.max_open_orders,
            reserved_2: 0,
            max_order_notional,
            max_open_notional,
        })
    };
    let details = json!({
        "account": name, "asset": wanted.asset, "max_open_orders": wanted.max_open_orders,
        "max_order_notional": max_order_notional, "max_open_notional": max_open_notional,
    });
    change(&admin.administration, &name, &headers, "account.limits", details, command).await
}

/// Changes an account by a command that makes nothing.
async fn change(
    administration: &Administration,
    name: &str,
    headers: &HeaderMap,
    action: &str,
    details: Value,
    command: impl FnOnce(AccountId) -> Command,
) -> Result {
    let (_, id) = administration.named(name).await?;
    administration.execute(&actor(headers), action, details, command(id)).await?;
    Ok(Answered(json!({"name": name, "account_id": id.0})))
}

/// Lines of the audit log, oldest first.
pub(super) async fn audit(State(admin): State<Admin>, RawQuery(query): RawQuery) -> Result {
    let query = query.unwrap_or_default();
    let number = |name: &str| -> Result<Option<u64>> {
        let value = crate::dialect::payload::raw_pairs(&query).find(|(known, _)| *known == name);
        let bad = |_| AdminError::bad(format!("{name} must be a whole number"));
        value.map(|(_, value)| value.parse::<u64>().map_err(bad)).transpose()
    };
    let after = number("after")?.unwrap_or(0);
    let limit = number("limit")?.map_or(AUDIT_ROWS, |limit| limit.clamp(1, u64::from(AUDIT_ROWS_MAX)) as u32);
    let log = admin.administration.accounts().audit_log();
    let entries = log.entries(after, limit).await.map_err(AccountsError::from)?;
    let rows = entries.iter().map(|entry| {
        let details: Value = serde_json::from_str(&entry.details).unwrap_or_default();
        json!({
            "id": entry.id, "time": entry.time.millis(), "actor": entry.actor,
            "action": entry.action, "details": details,
        })
    });
    Ok(Answered(rows.collect()))
}
