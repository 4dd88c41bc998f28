//! Reconciliation: whether the books are what the engine has, and whether they add up in themselves. Reads
//! and compares; refuses to know how the engine's balances are found, and to repair anything.

use crate::{
    Balances, SettlementError,
    base::{Base, amounts, key, of},
    order_row::{number, out_of_range},
    projection,
};
use database::{Database, Value, Value::Integer};
use protocol::{AccountId, AssetId, Sequence, Time};
use serde::Serialize;
use std::collections::BTreeMap;

/// The most breaks of one kind that a report names.
const BREAKS_MAX: usize = 100;

// One statement, one view of the tables: the balances are those of the position beside them.
const BALANCES: &str = "SELECT p.sequence AS at_sequence, p.time AS at_time, b.account, b.asset, b.available, \
     b.held, b.sequence FROM position p LEFT JOIN balances b ON 1 = 1 ORDER BY b.account, b.asset";
const SUMS: &str = "SELECT account, asset, CAST(SUM(available) AS BIGINT) AS available, \
     CAST(SUM(held) AS BIGINT) AS held, COUNT(*) AS postings FROM postings WHERE sequence > $1 AND sequence <= $2 \
     GROUP BY account, asset";
const UNEVEN: &str = "SELECT sequence, event_index, asset, CAST(SUM(available + held) AS BIGINT) AS rest \
     FROM postings WHERE sequence > $1 AND sequence <= $2 GROUP BY sequence, event_index, asset \
     HAVING SUM(available + held) <> 0 ORDER BY sequence, event_index LIMIT 101";
const BROKEN_CHAIN: &str = "SELECT sequence, event_index, leg FROM (SELECT sequence, event_index, leg, available, \
     held, available_after, held_after, \
     LAG(available_after, 1, $5) OVER (ORDER BY sequence, event_index, leg) AS available_before, \
     LAG(held_after, 1, $6) OVER (ORDER BY sequence, event_index, leg) AS held_before \
     FROM postings WHERE account = $1 AND asset = $2 AND sequence > $3 AND sequence <= $4) AS chain \
     WHERE available_before + available <> available_after OR held_before + held <> held_after \
     ORDER BY sequence, event_index, leg LIMIT 1";
const LAST_POSTING: &str = "SELECT sequence, event_index, leg FROM postings WHERE account = $1 AND asset = $2 \
     AND sequence > $3 AND sequence <= $4 ORDER BY time DESC, sequence DESC, event_index DESC, leg DESC LIMIT 1";
const FEES: &str = "SELECT asset, CAST(SUM(fee) AS BIGINT) AS fee FROM fees WHERE sequence > $1 AND sequence <= $2 GROUP BY asset";
/// What trades (3) and an auction's trades (28) brought to the account of fees.
const FEE_POSTINGS: &str = "SELECT asset, CAST(SUM(available + held) AS BIGINT) AS fee FROM postings \
     WHERE account = $1 AND reason IN (3, 28) AND sequence > $2 AND sequence <= $3 GROUP BY asset";

/// Something that does not agree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Break {
    /// What was compared: `engine`, `asset_sum`, `postings`, `event` or `fees`.
    pub check: &'static str,
    /// Whose balance, if it is about one.
    pub account: Option<u32>,
    /// Which asset.
    pub asset: u16,
    /// The command that it is to be looked for at: the last that touched the row, or the one whose posting
    /// is wrong.
    pub sequence: u64,
    /// Which rows, and what they say.
    pub rows: String,
}

/// What a reconciliation found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReconciliationReport {
    /// The command up to which both were compared.
    pub sequence: u64,
    /// Its time, in nanoseconds since 1970.
    pub time: u64,
    /// The day from whose closing on postings were added up, such as `2026-11-21`; all of them when none.
    pub since: Option<String>,
    /// Whether the engine's balances were compared too.
    pub with_engine: bool,
    /// How many balances were compared.
    pub balances: usize,
    /// How many postings were added up.
    pub postings: u64,
    /// What does not agree; at most 100 of each check.
    pub breaks: Vec<Break>,
}

/// The balances as the books have them, at one command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BooksBalances {
    /// Which command.
    pub sequence: Sequence,
    /// Its time.
    pub time: Time,
    /// The balances.
    pub balances: Balances,
    /// The commands that last changed each.
    changed_by: BTreeMap<(AccountId, AssetId), Sequence>,
}

impl BooksBalances {
    /// Reads them, all at one command.
    pub async fn read(database: &Database) -> Result<Self, SettlementError> {
        // Names books of two engines, which the statement below would mix.
        projection::position(database).await?;
        let mut read = Self {
            sequence: Sequence(0),
            time: Time(0),
            balances: Balances::new(),
            changed_by: BTreeMap::new(),
        };
        database
            .each_row(BALANCES, &[], |row| {
                read.sequence = Sequence(number(&row, "at_sequence")?);
                read.time = Time(number(&row, "at_time")?);
                if row.optional_integer("account")?.is_some() {
                    let key = key(&row)?;
                    read.balances.insert(key, amounts(&row)?);
                    read.changed_by.insert(key, Sequence(number(&row, "sequence")?));
                }
                Ok::<_, SettlementError>(())
            })
            .await?;
        Ok(read)
    }
}

/// Compares the books with `engine`'s balances at the same command (`None`: the books with themselves
/// alone), and adds them up from `base` on. Postings of commands up to `checked` were found even before.
pub(crate) async fn reconcile(
    database: &Database,
    books: &BooksBalances,
    engine: Option<&Balances>,
    base: &Base,
    checked: Sequence,
) -> Result<ReconciliationReport, SettlementError> {
    let mut breaks = Vec::new();
    if let Some(engine) = engine {
        breaks.extend(with_engine(books, engine));
    }
    breaks.extend(asset_sums(books));
    let postings = postings_sums(database, books, base, &mut breaks).await?;
    uneven_events(database, books, checked.max(base.sequence), &mut breaks).await?;
    fees(database, books, base, &mut breaks).await?;
    Ok(ReconciliationReport {
        sequence: books.sequence.0,
        time: books.time.0,
        since: base.day.map(|day| day.to_string()),
        with_engine: engine.is_some(),
        balances: books.balances.len(),
        postings,
        breaks,
    })
}

fn with_engine(books: &BooksBalances, engine: &Balances) -> Vec<Break> {
    let keys: std::collections::BTreeSet<_> = books.balances.keys().chain(engine.keys()).collect();
    keys.into_iter()
        .filter(|key| of(&books.balances, key) != of(engine, key))
        .take(BREAKS_MAX)
        .map(|key| {
            let (has, is) = (of(engine, key), of(&books.balances, key));
            Break {
                check: "engine",
                account: Some(key.0.0),
                asset: key.1.0,
                sequence: books.changed_by.get(key).map_or(0, |sequence| sequence.0),
                rows: format!(
                    "balances (account {}, asset {}): available {}, held {}; the engine has {} and {}",
                    key.0, key.1, is.available, is.held, has.available, has.held
                ),
            }
        })
        .collect()
}

/// The commands after the base, up to where the books are.
fn between(base: &Base, books: &BooksBalances) -> [Value<'static>; 2] {
    [base.sequence, books.sequence].map(|sequence| Integer(sequence.0 as i64))
}

/// For each asset the sum over all accounts is zero.
fn asset_sums(books: &BooksBalances) -> Vec<Break> {
    let mut sums: BTreeMap<AssetId, i128> = BTreeMap::new();
    for ((_, asset), amounts) in &books.balances {
        *sums.entry(*asset).or_default() += i128::from(amounts.available) + i128::from(amounts.held);
    }
    let uneven = sums.into_iter().filter(|(_, sum)| *sum != 0);
    uneven
        .map(|(asset, sum)| Break {
            check: "asset_sum",
            account: None,
            asset: asset.0,
            sequence: books.sequence.0,
            rows: format!("balances of asset {asset}: all accounts together have {sum}, and not 0"),
        })
        .collect()
}

/// Each balance is what it was at the base and the sum of its postings since. Gives how many there are.
async fn postings_sums(
    database: &Database,
    books: &BooksBalances,
    base: &Base,
    breaks: &mut Vec<Break>,
) -> Result<u64, SettlementError> {
    let [after, at] = between(base, books);
    let (mut postings, mut sums) = (0, base.balances.clone());
    database
        .each_row(SUMS, &[after, at], |row| {
            postings += number::<u64>(&row, "postings")?;
            let (sum, moved) = (sums.entry(key(&row)?).or_default(), amounts(&row)?);
            let added = |one: i64, other| one.checked_add(other).ok_or_else(|| out_of_range("available"));
            sum.available = added(sum.available, moved.available)?;
            sum.held = added(sum.held, moved.held)?;
            Ok::<_, SettlementError>(())
        })
        .await?;
    let keys: std::collections::BTreeSet<_> = books.balances.keys().chain(sums.keys()).copied().collect();
    let broken = keys.into_iter().filter(|key| of(&books.balances, key) != of(&sums, key));
    for key in broken.take(BREAKS_MAX) {
        let begun = of(&base.balances, &key);
        let values = [Integer(key.0.0.into()), Integer(key.1.0.into()), after, at];
        let chain = [&values[..], &[Integer(begun.available), Integer(begun.held)]].concat();
        let chain = database.rows(BROKEN_CHAIN, &chain).await?;
        let (row, what) = match chain.into_iter().next() {
            Some(row) => (Some(row), "the first that does not follow from the one before is"),
            None => (database.rows(LAST_POSTING, &values).await?.into_iter().next(), "the last is"),
        };
        let place = match &row {
            Some(row) => format!(
                "{what} (sequence {}, event_index {}, leg {})",
                row.integer("sequence")?,
                row.integer("event_index")?,
                row.integer("leg")?
            ),
            None => "there is none".to_owned(),
        };
        let (is, sum) = (of(&books.balances, &key), of(&sums, &key));
        breaks.push(Break {
            check: "postings",
            account: Some(key.0.0),
            asset: key.1.0,
            sequence: row.as_ref().map(|row| number(row, "sequence")).transpose()?.unwrap_or(0),
            rows: format!(
                "balances (account {}, asset {}): available {}, held {}; its postings add up to {} and {}; of \
                 postings {place}",
                key.0, key.1, is.available, is.held, sum.available, sum.held
            ),
        });
    }
    Ok(postings)
}

/// The postings of each event add up to nothing, for each asset.
async fn uneven_events(
    database: &Database,
    books: &BooksBalances,
    checked: Sequence,
    breaks: &mut Vec<Break>,
) -> Result<(), SettlementError> {
    let values = [Integer(checked.0 as i64), Integer(books.sequence.0 as i64)];
    for row in database.rows(UNEVEN, &values).await?.iter().take(BREAKS_MAX) {
        let (sequence, asset) = (number(row, "sequence")?, number(row, "asset")?);
        breaks.push(Break {
            check: "event",
            account: None,
            asset,
            sequence,
            rows: format!(
                "postings (sequence {sequence}, event_index {}): of asset {asset} they add up to {}, and not 0",
                row.integer("event_index")?,
                row.integer("rest")?
            ),
        });
    }
    Ok(())
}

/// What trades say they cost is what the account of fees was given.
async fn fees(
    database: &Database,
    books: &BooksBalances,
    base: &Base,
    breaks: &mut Vec<Break>,
) -> Result<(), SettlementError> {
    let [after, at] = between(base, books);
    let mut sums: BTreeMap<AssetId, (i64, i64)> = BTreeMap::new();
    for row in database.rows(FEES, &[after, at]).await? {
        sums.entry(AssetId(number(&row, "asset")?)).or_default().0 = row.integer("fee")?;
    }
    for row in database.rows(FEE_POSTINGS, &[Integer(AccountId::FEES.0.into()), after, at]).await? {
        sums.entry(AssetId(number(&row, "asset")?)).or_default().1 = row.integer("fee")?;
    }
    breaks.extend(sums.into_iter().filter(|(_, (said, posted))| said != posted).map(
        |(asset, (said, posted))| Break {
            check: "fees",
            account: Some(AccountId::FEES.0),
            asset: asset.0,
            sequence: books.sequence.0,
            rows: format!("trades' fees of asset {asset} are {said}, and the postings of them {posted}"),
        },
    ));
    Ok(())
}
