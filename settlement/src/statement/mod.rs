//! An account's statement: what it had, what moved, what it has then, adding up to the last unit. Refuses
//! to know who may see it.
//!
//! A movement is a posting that changes what the account has in all; setting aside for an order and giving
//! back is none. A trade's movements are net of its fee.

mod write;

use crate::{
    SettlementError,
    base::{self, Base},
    order_row::{number, out_of_range},
    projection,
};
use database::{Database, Row, Value::Integer};
use protocol::{AccountId, AssetId, Sequence, Time, event::EventKind};
use zerocopy::TryFromBytes as _;

/// The most movements of one statement.
const MOVEMENTS_MAX: usize = 1_000_000;

const ASSETS: &str = "SELECT asset, name, scale FROM assets ORDER BY asset";
pub(crate) const BEFORE: &str = "SELECT available_after, held_after FROM postings WHERE account = $1 AND asset = $2 \
     AND time < $3 ORDER BY time DESC, sequence DESC, event_index DESC, leg DESC LIMIT 1";
pub(crate) const MOVEMENTS: &str = "SELECT p.time, p.sequence, p.event_index, p.leg, p.available, p.held, \
     p.available_after, p.held_after, p.subject, p.reason, p.reference, i.symbol FROM postings p \
     LEFT JOIN instruments i ON i.instrument = p.instrument \
     WHERE p.account = $1 AND p.asset = $2 AND p.time >= $3 AND p.time < $4 AND p.available + p.held <> 0 \
     ORDER BY p.time, p.sequence, p.event_index, p.leg LIMIT $5";

/// One asset of a statement. Amounts are ledger units.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssetStatement {
    /// Which.
    pub asset: AssetId,
    /// What it is called.
    pub name: String,
    /// A ledger unit is 10^-scale.
    pub scale: u8,
    /// What the account had in all at the beginning.
    pub opening: i64,
    /// What moved, the oldest first.
    pub movements: Vec<Movement>,
    /// What it has in all at the end, of which `held` is set aside.
    pub closing: i64,
    /// Set aside at the end.
    pub held: i64,
}

/// A change of what an account has in all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Movement {
    /// When.
    pub time: Time,
    /// By which command.
    pub sequence: Sequence,
    /// By which of its events, from 0.
    pub event_index: u32,
    /// By what kind of event.
    pub kind: EventKind,
    /// The trade's or hold's id; 0 is none.
    pub subject: u64,
    /// Where, of a trade.
    pub symbol: Option<String>,
    /// The sender's business key, of a transfer.
    pub reference: Option<String>,
    /// By how much; negative is less.
    pub amount: i64,
    /// What it has after it.
    pub balance: i64,
}

/// A statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// Whose.
    pub account: AccountId,
    /// The first moment in it.
    pub from: Time,
    /// The first moment after it.
    pub until: Time,
    /// The last command in the books when it was made, and its time. Before `until`, more may follow.
    pub written: (Sequence, Time),
    /// By asset; those that the account never had are left out.
    pub assets: Vec<AssetStatement>,
}

impl Statement {
    /// Reads a statement from the books.
    ///
    /// # Errors
    /// When it does not add up, which the error says; when it has too many movements, or begins before the
    /// first posting that is kept.
    pub async fn read(
        database: &Database,
        account: AccountId,
        from: Time,
        until: Time,
    ) -> Result<Self, SettlementError> {
        let place = projection::position(database).await?;
        let base = Base::earliest_of(database, account).await?;
        if let Some(day) = base.day.filter(|day| from < day.end()) {
            return Err(SettlementError::NotKept(format!("a statement can begin with {}", day.after())));
        }
        let written = place.map_or((Sequence(0), Time(0)), |place| (place.sequence, place.time));
        // What comes after the position was read belongs to a later statement.
        let until_written = Time(until.0.min(written.1.0.saturating_add(1)));
        let mut assets = Vec::new();
        for row in database.rows(ASSETS, &[]).await? {
            let asset = AssetId(number(&row, "asset")?);
            let one = read_asset(database, &base, (account, asset), (from, until_written), &row).await?;
            if one.opening != 0 || one.closing != 0 || !one.movements.is_empty() {
                assets.push(one);
            }
        }
        Ok(Self { account, from, until, written, assets })
    }
}

/// What an account had in all before a moment, and what of it was set aside.
async fn before(
    database: &Database,
    base: &Base,
    (account, asset): (AccountId, AssetId),
    moment: Time,
) -> Result<(i64, i64), SettlementError> {
    let values = [Integer(account.0.into()), Integer(asset.0.into()), Integer(sql_time(moment))];
    let rows = database.rows(BEFORE, &values).await?;
    let (available, held) = if let Some(row) = rows.first() {
        (row.integer("available_after")?, row.integer("held_after")?)
    } else {
        let had = base::of(&base.balances, &(account, asset));
        (had.available, had.held)
    };
    Ok((available.checked_add(held).ok_or_else(|| out_of_range("available_after"))?, held))
}

async fn read_asset(
    database: &Database,
    base: &Base,
    (account, asset): (AccountId, AssetId),
    (from, until): (Time, Time),
    definition: &Row,
) -> Result<AssetStatement, SettlementError> {
    let (opening, _) = before(database, base, (account, asset), from).await?;
    let (closing, held) = before(database, base, (account, asset), until.max(from)).await?;
    let values = [
        Integer(account.0.into()),
        Integer(asset.0.into()),
        Integer(sql_time(from)),
        Integer(sql_time(until)),
        Integer(MOVEMENTS_MAX as i64 + 1),
    ];
    let mut movements = Vec::new();
    database
        .each_row(MOVEMENTS, &values, |row| {
            movements.push(read_movement(&row)?);
            Ok::<_, SettlementError>(())
        })
        .await?;
    if movements.len() > MOVEMENTS_MAX {
        return Err(SettlementError::TooLarge(format!(
            "a statement has at most {MOVEMENTS_MAX} movements: ask for a shorter time"
        )));
    }
    let moved: i128 = movements.iter().map(|movement| i128::from(movement.amount)).sum();
    if i128::from(opening) + moved != i128::from(closing) {
        return Err(SettlementError::DoesNotAddUp(format!(
            "account {account}'s asset {asset} had {opening} ledger units, {moved} moved, and it has {closing}"
        )));
    }
    Ok(AssetStatement {
        asset,
        name: definition.text("name")?,
        scale: number(definition, "scale")?,
        opening,
        movements,
        closing,
        held,
    })
}

fn read_movement(row: &Row) -> Result<Movement, SettlementError> {
    let reason: u8 = number(row, "reason")?;
    let sum = |one: i64, other: i64| one.checked_add(other).ok_or_else(|| out_of_range("held"));
    Ok(Movement {
        time: Time(number(row, "time")?),
        sequence: Sequence(number(row, "sequence")?),
        event_index: number(row, "event_index")?,
        kind: EventKind::try_read_from_bytes(&[reason]).map_err(|_| out_of_range("reason"))?,
        subject: number(row, "subject")?,
        symbol: row.optional_text("symbol")?,
        reference: row.optional_text("reference")?,
        amount: sum(row.integer("available")?, row.integer("held")?)?,
        balance: sum(row.integer("available_after")?, row.integer("held_after")?)?,
    })
}

fn sql_time(time: Time) -> i64 {
    i64::try_from(time.0).unwrap_or(i64::MAX)
}
