//! The balances that postings are added to: nothing at the beginning of all, or what a day's closing says.
//! Refuses to add anything.

use crate::{Day, SettlementError, order_row::number, partitions};
use database::{Database, Row, Value::Integer};
use protocol::{AccountId, AssetId, Sequence};
use serde::Serialize;
use std::collections::BTreeMap;

const CLOSING: &str = "SELECT sequence FROM closings WHERE day = $1";
const BALANCES: &str = "SELECT account, asset, available, held FROM closing_balances WHERE day = $1";
const BALANCES_OF: &str =
    "SELECT account, asset, available, held FROM closing_balances WHERE day = $1 AND account = $2";
// The last but one: what the last one was made from is still added up, for a day.
const BEFORE_THE_LAST: &str = "SELECT day FROM closings ORDER BY day DESC LIMIT 1 OFFSET 1";

/// What an account has of an asset, in ledger units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Amounts {
    /// May be spent.
    pub available: i64,
    /// Set aside.
    pub held: i64,
}

/// Balances by account and asset; those of nothing may be left out.
pub type Balances = BTreeMap<(AccountId, AssetId), Amounts>;

pub(crate) fn key(row: &Row) -> Result<(AccountId, AssetId), SettlementError> {
    Ok((AccountId(number(row, "account")?), AssetId(number(row, "asset")?)))
}

pub(crate) fn amounts(row: &Row) -> Result<Amounts, SettlementError> {
    Ok(Amounts { available: row.integer("available")?, held: row.integer("held")? })
}

/// What is had of an asset; nothing where there is no row.
pub(crate) fn of(balances: &Balances, key: &(AccountId, AssetId)) -> Amounts {
    balances.get(key).copied().unwrap_or_default()
}

/// Where adding up begins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Base {
    /// The day whose closing it is; none at the beginning of all.
    pub(crate) day: Option<Day>,
    /// The last command that is in it.
    pub(crate) sequence: Sequence,
    pub(crate) balances: Balances,
}

impl Base {
    /// The earliest there is: that from which all postings are kept.
    pub(crate) async fn earliest(database: &Database) -> Result<Self, SettlementError> {
        match partitions::closed_before_the_kept(database).await? {
            Some(day) => Self::closing(database, day, None).await,
            None => Ok(Self::default()),
        }
    }

    /// The earliest there is, of one account.
    pub(crate) async fn earliest_of(
        database: &Database,
        account: AccountId,
    ) -> Result<Self, SettlementError> {
        match partitions::closed_before_the_kept(database).await? {
            Some(day) => Self::closing(database, day, Some(account)).await,
            None => Ok(Self::default()),
        }
    }

    /// One that leaves a day or two to be added up; the earliest where days were not closed yet.
    pub(crate) async fn recent(database: &Database) -> Result<Self, SettlementError> {
        match database.rows(BEFORE_THE_LAST, &[]).await?.first() {
            Some(row) => Self::closing(database, Day::numbered(number(row, "day")?), None).await,
            None => Self::earliest(database).await,
        }
    }

    async fn closing(
        database: &Database,
        day: Day,
        account: Option<AccountId>,
    ) -> Result<Self, SettlementError> {
        let at = [Integer(day.number().into())];
        let Some(row) = database.rows(CLOSING, &at).await?.into_iter().next() else {
            return Ok(Self::default());
        };
        let balances = closing_balances(database, day, account).await?;
        Ok(Self { day: Some(day), sequence: Sequence(number(&row, "sequence")?), balances })
    }
}

/// What all accounts had when a day was closed, or one.
pub(crate) async fn closing_balances(
    database: &Database,
    day: Day,
    account: Option<AccountId>,
) -> Result<Balances, SettlementError> {
    let mut balances = Balances::new();
    let mut values = vec![Integer(day.number().into())];
    values.extend(account.map(|account| Integer(account.0.into())));
    database
        .each_row(if account.is_some() { BALANCES_OF } else { BALANCES }, &values, |row| {
            balances.insert(key(&row)?, amounts(&row)?);
            Ok::<_, SettlementError>(())
        })
        .await?;
    Ok(balances)
}
