//! The months of trades and postings on PostgreSQL: made ahead of time, dropped whole when they are past
//! their retention. SQLite has none. Refuses to drop what no closing covers.

use crate::{Day, SettlementError};
use database::{Database, DatabaseError, Partition, Value::Integer};
use protocol::{Time, history::Interval};
use std::collections::BTreeSet;
use std::num::NonZeroU32;

/// What the first months that are kept go on from.
const POSTINGS: &str = "postings";
/// The tables that are partitioned by time. Postings go first: interrupted between the two, there are fees
/// of trades before those that are added up, and not postings of trades that nobody knows.
const TABLES: [&str; 2] = [POSTINGS, "trades"];

const CLOSED: &str = "SELECT day FROM closings WHERE day = $1";
/// So many months after that of the newest command have partitions already.
const MONTHS_AHEAD: usize = 2;

/// Nanoseconds in 64 bits last for so many years.
const YEARS: usize = 290;

/// Which months have their partitions.
#[derive(Debug, Default)]
pub(crate) struct Partitions {
    made: BTreeSet<u64>,
}

impl Partitions {
    /// Makes the partitions of the months from `first` to `last` and of those to come, unless they are
    /// there.
    pub(crate) async fn make(
        &mut self,
        database: &Database,
        first: Time,
        last: Time,
    ) -> Result<(), DatabaseError> {
        let mut open = Interval::OneMonth.open(first);
        let mut ahead = 0;
        while open <= last || ahead < MONTHS_AHEAD {
            ahead += usize::from(open > last);
            let next = Interval::OneMonth.next(open);
            if !self.made.contains(&open.0) {
                for table in TABLES {
                    database.make_partition(&partition(table, open)).await?;
                }
                self.made.insert(open.0);
            }
            open = next;
        }
        Ok(())
    }
}

/// Makes the months of trades and postings from `first` to `last`, and two more. A consumer makes them by
/// itself.
pub async fn make_months(database: &Database, first: Time, last: Time) -> Result<(), DatabaseError> {
    Partitions::default().make(database, first, last).await
}

/// The day that was closed right before the first posting that is kept; none when all are kept.
pub(crate) async fn closed_before_the_kept(database: &Database) -> Result<Option<Day>, SettlementError> {
    let first = database.partitions(POSTINGS).await?.iter().find_map(|suffix| opening(suffix));
    match first.and_then(|open| Day::of(open).before()) {
        Some(day) if is_closed(database, day).await? => Ok(Some(day)),
        _ => Ok(None),
    }
}

async fn is_closed(database: &Database, day: Day) -> Result<bool, SettlementError> {
    Ok(!database.rows(CLOSED, &[Integer(day.number().into())]).await?.is_empty())
}

/// Drops the months of trades and postings that are more than `months` before the month of `now`, and says
/// which. Balances before the first that is kept are known by the closing of the day before it: while that
/// day is not closed, nothing is dropped.
pub async fn drop_expired(
    database: &Database,
    months: NonZeroU32,
    now: Time,
) -> Result<Vec<String>, SettlementError> {
    let mut until = Interval::OneMonth.open(now);
    for _ in 0..months.get() {
        until = Interval::OneMonth.open(Time(until.0.saturating_sub(1)));
    }
    let mut dropped = Vec::new();
    for table in TABLES {
        for suffix in database.partitions(table).await? {
            let Some(open) = opening(&suffix).filter(|open| *open < until) else { continue };
            let last = Day::of(until).before();
            if !matches!(last, Some(day) if is_closed(database, day).await?) {
                return Ok(dropped);
            }
            let old = partition(table, open);
            database.drop_partition(&old).await?;
            tracing::info!(partition = old.name(), "a month past its retention was dropped");
            dropped.push(old.name());
        }
    }
    Ok(dropped)
}

/// The partition of the month that opens at `open`, named by year and month.
fn partition(table: &'static str, open: Time) -> Partition {
    let months = (1..).zip(months()).find(|(_, month)| *month > open).map_or(0, |(number, _)| number - 2);
    let (year, month) = (1970 + months / 12, 1 + months % 12);
    let to = Interval::OneMonth.next(open);
    Partition { table, suffix: format!("{year:04}_{month:02}"), from: open.0 as i64, to: to.0 as i64 }
}

/// The first moment of the month that `suffix` names.
fn opening(suffix: &str) -> Option<Time> {
    let (year, month) = suffix.split_once('_')?;
    let (year, month): (usize, usize) = (year.parse().ok()?, month.parse().ok()?);
    let number = year.checked_sub(1970).filter(|years| *years < YEARS)? * 12 + month.checked_sub(1)?;
    if month <= 12 { months().nth(number) } else { None }
}

/// Every month since 1970, which is when time begins, as far as it is counted.
fn months() -> impl Iterator<Item = Time> {
    std::iter::successors(Some(Time(0)), |open| Some(Interval::OneMonth.next(*open))).take(12 * YEARS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partition_is_a_month() {
        // 2026-11-21 20:00 UTC.
        let open = Interval::OneMonth.open(Time(1_795_291_200_000_000_000));
        let november = partition("trades", open);
        assert_eq!(november.name(), "trades_2026_11");
        assert_eq!(november.to - november.from, 30 * 86_400_000_000_000);
        assert_eq!(opening("2026_11"), Some(open));
        for other in ["", "2026", "2026_13", "2026_00", "a_b"] {
            assert_eq!(opening(other), None, "{other}");
        }
    }
}
