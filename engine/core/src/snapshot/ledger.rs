//! The ledger in a snapshot: accounts with their limits, assets, balances, holds. Refuses to know
//! orders.

use super::{Reader, SnapshotError, Writer};
use crate::ledger::{
    Asset, Ledger,
    accounts::{Account, AccountKind, Limits, NotionalLimits},
    holds::Hold,
};
use protocol::{AccountId, AssetId, HoldId, Time, instrument::FEE_TIERS, money::SUPPLY_MAX};

pub(super) fn write(ledger: &Ledger, out: &mut Writer<'_>) {
    out.count(ledger.accounts.iter().count());
    for (id, account) in ledger.accounts.iter() {
        write_account(account, ledger.accounts.limits(id), out);
    }
    out.count(ledger.assets().count());
    for (_, asset) in ledger.assets() {
        out.plain(&asset.name);
        out.u8(asset.scale);
        out.u32(asset.external.0);
        out.i64(asset.max_supply);
    }
    out.count(ledger.balances.iter().count());
    for (asset, account, balance) in ledger.balances.iter() {
        out.u16(asset.0);
        out.u32(account.0);
        out.i64(balance.available);
        out.i64(balance.held);
    }
    out.u64(ledger.holds.opened());
    out.count(ledger.holds.iter().count());
    for (id, hold) in ledger.holds.iter() {
        out.u64(id.0);
        out.u32(hold.account.0);
        out.u16(hold.asset.0);
        out.i64(hold.rest);
        out.u32(hold.purpose);
        out.numbers(&[hold.expires_at.0, hold.reference[0], hold.reference[1]]);
    }
}

fn write_account(account: &Account, limits: Option<&Limits>, out: &mut Writer<'_>) {
    out.u8(account.kind as u8);
    out.u32(account.trade_group);
    out.u8(account.fee_tier);
    out.bool(account.suspended);
    out.bool(account.killed);
    out.bool(limits.is_some());
    if let Some(limits) = limits {
        out.u32(limits.max_open_orders);
        out.u32(limits.open_orders);
        out.count(limits.notional.len());
        for (asset, limits) in &limits.notional {
            out.u16(asset.0);
            out.i64(limits.max_order);
            out.i64(limits.max_open);
            out.i128(limits.open);
        }
    }
}

pub(super) fn read(input: &mut Reader<'_>) -> Result<Ledger, SnapshotError> {
    let mut ledger = Ledger::default();
    ledger.accounts.clear();
    input.part("accounts");
    for _ in 0..input.count()? {
        let (account, limits) = read_account(input)?;
        ledger.accounts.put_back(account, limits);
    }
    input.check(ledger.accounts.get(AccountId::SUSPENSE).is_some())?;
    input.part("assets");
    for _ in 0..input.count()? {
        let asset = Asset {
            name: input.plain()?,
            scale: input.u8()?,
            external: AccountId(input.u32()?),
            max_supply: input.i64()?,
        };
        input.check(ledger.accounts.get(asset.external).is_some())?;
        ledger.add_asset(asset);
    }
    input.part("balances");
    for _ in 0..input.count()? {
        let (asset, account) = (AssetId(input.u16()?), AccountId(input.u32()?));
        check_owner(&ledger, account, asset, input)?;
        let balance = ledger.balances.of(account, asset);
        balance.available = input.i64()?;
        balance.held = input.i64()?;
        input.check(balance.available.unsigned_abs() <= SUPPLY_MAX as u64)?;
        input.check((0..=SUPPLY_MAX).contains(&balance.held))?;
    }
    input.part("holds");
    let opened = input.u64()?;
    for _ in 0..input.count()? {
        let id = HoldId(input.u64()?);
        let hold = Hold {
            account: AccountId(input.u32()?),
            asset: AssetId(input.u16()?),
            rest: input.i64()?,
            purpose: input.u32()?,
            expires_at: Time(input.u64()?),
            reference: [input.u64()?, input.u64()?],
        };
        check_owner(&ledger, hold.account, hold.asset, input)?;
        input.check(hold.rest > 0 && id.0 <= opened)?;
        ledger.holds.put_back(id, hold);
    }
    ledger.holds.set_opened(opened);
    Ok(ledger)
}

fn check_owner(
    ledger: &Ledger,
    account: AccountId,
    asset: AssetId,
    input: &Reader<'_>,
) -> Result<(), SnapshotError> {
    input.check(ledger.accounts.get(account).is_some() && ledger.asset(asset).is_some())
}

fn read_account(input: &mut Reader<'_>) -> Result<(Account, Option<Limits>), SnapshotError> {
    let kind = match input.u8()? {
        0 => AccountKind::Customer,
        1 => AccountKind::System,
        2 => AccountKind::External,
        _ => return Err(input.impossible()),
    };
    let account = Account {
        kind,
        trade_group: input.u32()?,
        fee_tier: input.u8()?,
        suspended: input.bool()?,
        killed: input.bool()?,
        limited: input.bool()?,
    };
    input.check(usize::from(account.fee_tier) < FEE_TIERS)?;
    if !account.limited {
        return Ok((account, None));
    }
    let mut limits = Limits { max_open_orders: input.u32()?, open_orders: input.u32()?, ..Limits::default() };
    for _ in 0..input.count()? {
        let asset = AssetId(input.u16()?);
        let notional =
            NotionalLimits { max_order: input.i64()?, max_open: input.i64()?, open: input.i128()? };
        limits.notional.insert(asset, notional);
    }
    Ok((account, Some(limits)))
}
