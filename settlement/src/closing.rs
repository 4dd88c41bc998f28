//! A day's closing: what every account had at the midnight (UTC) that ends it, and the proof of
//! liabilities over it. A command belongs to the day that its time is in: the last of a day is the last
//! before midnight. Refuses to close a day that is not over in the books.

use crate::{
    SettlementError,
    order_row::number,
    projection,
    proof::{Leaf, ProofError, ProofFile, ProofTree, PublishedRoot},
};
use data_encoding::HEXLOWER;
use database::{
    Database, Transaction,
    Value::{Integer, Text},
};
use protocol::{AccountId, AssetId, Sequence, Time, decimal::print_units};
use serde::Serialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    str::FromStr,
    time::{Duration, UNIX_EPOCH},
};

/// A day in nanoseconds.
const DAY: u64 = 86_400_000_000_000;

const LAST: &str = "SELECT b.account, b.asset, \
     (SELECT p.available_after FROM postings p WHERE p.account = b.account AND p.asset = b.asset \
      AND p.time < $1 ORDER BY p.time DESC, p.sequence DESC, p.event_index DESC, p.leg DESC LIMIT 1) AS available, \
     (SELECT p.held_after FROM postings p WHERE p.account = b.account AND p.asset = b.asset \
      AND p.time < $1 ORDER BY p.time DESC, p.sequence DESC, p.event_index DESC, p.leg DESC LIMIT 1) AS held, \
     (SELECT p.sequence FROM postings p WHERE p.account = b.account AND p.asset = b.asset \
      AND p.time < $1 ORDER BY p.time DESC, p.sequence DESC, p.event_index DESC, p.leg DESC LIMIT 1) AS sequence \
     FROM balances b";
const ASSETS: &str =
    "SELECT asset, name, scale, external_account FROM assets WHERE created_at < $1 ORDER BY asset";
const CLOSING: &str = "SELECT sequence FROM closings WHERE day = $1";
const CLOSING_BALANCES: &str = "SELECT account, asset, available, held FROM closing_balances WHERE day = $1";
const NONCES: &str = "SELECT account, nonce FROM closing_nonces WHERE day = $1";
const INSERT_CLOSING: &str =
    "INSERT INTO closings (day, sequence, accounts, root, made_at) VALUES ($1, $2, $3, $4, $5)";
const INSERT_BALANCE: &str =
    "INSERT INTO closing_balances (day, account, asset, available, held) VALUES ($1, $2, $3, $4, $5)";
const INSERT_NONCE: &str = "INSERT INTO closing_nonces (day, account, nonce) VALUES ($1, $2, $3)";

/// A day by UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day(u32);

impl Day {
    /// The day that holds a moment.
    pub const fn of(time: Time) -> Self {
        Self((time.0 / DAY) as u32) // until the year 2554, where times end
    }

    /// The day before; 1970-01-01 has none.
    pub fn before(self) -> Option<Self> {
        self.0.checked_sub(1).map(Self)
    }

    /// The midnight that begins it.
    pub const fn begin(self) -> Time {
        Time(self.0 as u64 * DAY)
    }

    /// The midnight that ends it: the first moment of the next day.
    pub const fn end(self) -> Time {
        Time((self.0 as u64 + 1) * DAY)
    }
}

impl fmt::Display for Day {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let moment = UNIX_EPOCH + Duration::from_nanos(self.begin().0);
        formatter.write_str(&humantime::format_rfc3339_seconds(moment).to_string()[..10])
    }
}

impl FromStr for Day {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no day such as 2026-11-21");
        let moment = humantime::parse_rfc3339(&format!("{text}T00:00:00Z")).map_err(|_| wrong())?;
        let since = moment.duration_since(UNIX_EPOCH).map_err(|_| wrong())?;
        let day = Self::of(Time(u64::try_from(since.as_nanos()).map_err(|_| wrong())?));
        // Each day has one text.
        if day.to_string() == text { Ok(day) } else { Err(wrong()) }
    }
}

/// What an account had of an asset: available and held.
type Had = (i64, i64);

/// A day's closing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closing {
    /// Which day.
    pub day: Day,
    /// The last command before its midnight that moved money.
    pub sequence: Sequence,
    assets: Vec<Asset>,
    balances: BTreeMap<(AccountId, AssetId), Had>,
    /// Of every account in the proof.
    nonces: BTreeMap<AccountId, [u8; 32]>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Asset {
    id: AssetId,
    name: String,
    scale: u8,
    external: AccountId,
}

/// One asset at a day's end, for people; amounts are decimals.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AssetReport {
    /// Its name.
    pub asset: String,
    /// What customers' accounts have.
    pub customers: String,
    /// Of that, what is set aside.
    pub held: String,
    /// What the account of fees has.
    pub fees: String,
    /// What the account for what is not clear yet has.
    pub suspense: String,
    /// What all of them have: what the exchange owes, and what came from outside.
    pub liabilities: String,
    /// What the account that stands for the world outside has.
    pub outside: String,
}

/// A day's closing, for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ClosingReport {
    /// Such as `2026-11-21`.
    pub day: String,
    /// The last command in it that moved money.
    pub sequence: u64,
    /// How many accounts the proof counts.
    pub accounts: usize,
    /// The proof's root.
    pub root: String,
    /// By asset.
    pub assets: Vec<AssetReport>,
}

impl Closing {
    /// Closes a day, or reads the closing it has. `now` is noted; `nonce` makes random ones.
    ///
    /// # Errors
    /// When the day is not over in the books; when it was closed otherwise than its postings now say, or
    /// does not add up.
    pub async fn of(
        database: &Database,
        day: Day,
        now: Time,
        mut nonce: impl FnMut() -> [u8; 32],
    ) -> Result<Self, SettlementError> {
        let place = projection::position(database).await?;
        if place.is_none_or(|place| place.time < day.end()) {
            return Err(SettlementError::NotOver {
                day: day.to_string(),
                position: place.map_or(Sequence(0), |place| place.sequence),
            });
        }
        let mut closing = Self::from_postings(database, day).await?;
        closing.adds_up()?;
        let known = database.rows(CLOSING, &[Integer(day.0.into())]).await?;
        if known.is_empty() {
            let counted: BTreeSet<AccountId> = closing.counted().map(|((account, _), _)| *account).collect();
            closing.nonces = counted.into_iter().map(|account| (account, nonce())).collect();
            closing.write(database, now).await?;
        } else {
            closing.read_nonces(database).await?;
            closing.is_as_closed(database).await?;
        }
        Ok(closing)
    }

    async fn from_postings(database: &Database, day: Day) -> Result<Self, SettlementError> {
        let end = Integer(day.end().0 as i64);
        let mut closing = Self {
            day,
            sequence: Sequence(0),
            assets: Vec::new(),
            balances: BTreeMap::new(),
            nonces: BTreeMap::new(),
        };
        for row in database.rows(ASSETS, &[end]).await? {
            closing.assets.push(Asset {
                id: AssetId(number(&row, "asset")?),
                name: row.text("name")?,
                scale: number(&row, "scale")?,
                external: AccountId(number(&row, "external_account")?),
            });
        }
        database
            .each_row(LAST, &[end], |row| {
                let Some(sequence) = row.optional_integer("sequence")? else { return Ok(()) };
                closing.sequence = closing.sequence.max(Sequence(sequence as u64));
                let key = (AccountId(number(&row, "account")?), AssetId(number(&row, "asset")?));
                let had = (row.integer("available")?, row.integer("held")?);
                if had != (0, 0) {
                    closing.balances.insert(key, had);
                }
                Ok::<_, SettlementError>(())
            })
            .await?;
        Ok(closing)
    }

    /// The balances that the exchange owes: all but those of the world outside.
    fn counted(&self) -> impl Iterator<Item = (&(AccountId, AssetId), &Had)> {
        let is_outside = |account: AccountId| self.assets.iter().any(|asset| asset.external == account);
        self.balances.iter().filter(move |((account, _), _)| !is_outside(*account))
    }

    fn adds_up(&self) -> Result<(), SettlementError> {
        let mut sums: BTreeMap<AssetId, i128> = BTreeMap::new();
        for ((_, asset), (available, held)) in &self.balances {
            *sums.entry(*asset).or_default() += i128::from(*available) + i128::from(*held);
        }
        match sums.into_iter().find(|(_, sum)| *sum != 0) {
            None => Ok(()),
            Some((asset, sum)) => Err(SettlementError::DoesNotAddUp(format!(
                "at the end of {} all accounts together have {sum} ledger units of asset {asset}, and not 0",
                self.day
            ))),
        }
    }

    async fn write(&self, database: &Database, now: Time) -> Result<(), SettlementError> {
        let root = HEXLOWER.encode(&self.tree()?.0.root());
        let mut transaction: Transaction = database.begin().await?;
        let day = Integer(self.day.0.into());
        let values = [
            day,
            Integer(self.sequence.0 as i64),
            Integer(self.nonces.len() as i64),
            Text(&root),
            Integer(now.0 as i64),
        ];
        transaction.execute(INSERT_CLOSING, &values).await?;
        for ((account, asset), (available, held)) in &self.balances {
            let key = [day, Integer(account.0.into()), Integer(asset.0.into())];
            let values = [key[0], key[1], key[2], Integer(*available), Integer(*held)];
            transaction.execute(INSERT_BALANCE, &values).await?;
        }
        for (account, nonce) in &self.nonces {
            let text = HEXLOWER.encode(nonce);
            transaction.execute(INSERT_NONCE, &[day, Integer(account.0.into()), Text(&text)]).await?;
        }
        Ok(transaction.commit().await?)
    }

    async fn read_nonces(&mut self, database: &Database) -> Result<(), SettlementError> {
        for row in database.rows(NONCES, &[Integer(self.day.0.into())]).await? {
            let nonce = HEXLOWER.decode(row.text("nonce")?.as_bytes()).ok();
            let nonce: Option<[u8; 32]> = nonce.and_then(|nonce| nonce.try_into().ok());
            let nonce = nonce.ok_or_else(|| crate::order_row::out_of_range("nonce"))?;
            self.nonces.insert(AccountId(number(&row, "account")?), nonce);
        }
        Ok(())
    }

    async fn is_as_closed(&self, database: &Database) -> Result<(), SettlementError> {
        let mut closed = BTreeMap::new();
        for row in database.rows(CLOSING_BALANCES, &[Integer(self.day.0.into())]).await? {
            let key = (AccountId(number(&row, "account")?), AssetId(number(&row, "asset")?));
            closed.insert(key, (row.integer("available")?, row.integer("held")?));
        }
        let counted: BTreeSet<AccountId> = self.counted().map(|((account, _), _)| *account).collect();
        if closed == self.balances && counted.iter().eq(self.nonces.keys()) {
            return Ok(());
        }
        Err(SettlementError::DoesNotAddUp(format!(
            "{} was closed with other balances than its postings add up to now",
            self.day
        )))
    }

    /// The tree over what is owed, and its leaves in their order: by their hidden ids, which says nothing of
    /// whose they are.
    fn tree(&self) -> Result<(ProofTree, Vec<Leaf>), ProofError> {
        let mut leaves: Vec<Leaf> = Vec::with_capacity(self.nonces.len());
        for (account, nonce) in &self.nonces {
            let of = |asset: &Asset| {
                let (available, held) = self.balances.get(&(*account, asset.id)).copied().unwrap_or_default();
                available.checked_add(held).ok_or(ProofError::Overflow { most: crate::proof::SUM_MAX })
            };
            let balances = self.assets.iter().map(of).collect::<Result<_, _>>()?;
            leaves.push(Leaf { account: account.0, nonce: *nonce, balances });
        }
        leaves.sort_by_cached_key(|leaf| crate::proof::account_hash(leaf.account, &leaf.nonce));
        Ok((ProofTree::new(&leaves, self.assets.len())?, leaves))
    }

    /// What is published of it, and what each account's owner is given.
    pub fn proofs(&self) -> Result<(PublishedRoot, Vec<ProofFile>), SettlementError> {
        let (tree, leaves) = self.tree()?;
        let assets: Vec<_> = self.assets.iter().map(|asset| (asset.name.clone(), asset.scale)).collect();
        let published = tree.published(&self.day.to_string(), self.sequence.0, &assets, leaves.len());
        let file = |(place, leaf)| ProofFile { published: published.clone(), proof: tree.proof(place, leaf) };
        let files = leaves.iter().enumerate().map(file).collect();
        Ok((published, files))
    }

    /// It, for people.
    pub fn report(&self) -> Result<ClosingReport, SettlementError> {
        let root = HEXLOWER.encode(&self.tree()?.0.root());
        let assets = self.assets.iter().map(|asset| {
            let (mut customers, mut held, mut fees, mut suspense, mut outside) = (0, 0, 0, 0, 0_i128);
            for ((account, _), had) in self.balances.iter().filter(|((_, id), _)| *id == asset.id) {
                let all = i128::from(had.0) + i128::from(had.1);
                match *account {
                    AccountId::FEES => fees += all,
                    AccountId::SUSPENSE => suspense += all,
                    account if account == asset.external => outside += all,
                    _ => (customers, held) = (customers + all, held + i128::from(had.1)),
                }
            }
            let text = |units| print_units(units, asset.scale);
            AssetReport {
                asset: asset.name.clone(),
                customers: text(customers),
                held: text(held),
                fees: text(fees),
                suspense: text(suspense),
                liabilities: text(customers + fees + suspense),
                outside: text(outside),
            }
        });
        Ok(ClosingReport {
            day: self.day.to_string(),
            sequence: self.sequence.0,
            accounts: self.nonces.len(),
            root,
            assets: assets.collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_has_one_text_and_ends_at_midnight() {
        let day: Day = "2026-11-21".parse().expect("a day");
        assert_eq!(day.begin(), Time(20_778 * DAY));
        assert_eq!(day.end().0 - day.begin().0, DAY);
        assert_eq!(Day::of(Time(day.end().0 - 1)), day);
        assert_eq!(Day::of(day.end()).before(), Some(day));
        assert_eq!(day.to_string(), "2026-11-21");
        for text in ["2026-11-31", "2026-1-2", "1969-12-31", "", "2026-11-21T00:00:00Z", "x"] {
            assert!(text.parse::<Day>().is_err(), "{text}");
        }
    }
}
