//! A day's closing: what every account had at the midnight (UTC) that ends it, and the proof of
//! liabilities over it. A command belongs to the day that its time is in: the last of a day is the last
//! before midnight. Refuses to close a day that is not over in the books.

use crate::{
    Amounts, Balances, Day, SettlementError,
    base::{self, Base, closing_balances},
    order_row::number,
    projection,
    proof::{Leaf, ProofError, ProofFile, ProofKey, ProofTree, PublishedRoot},
};
use data_encoding::HEXLOWER;
use database::{
    BulkInsert, Column, Conflict, Database, Transaction, Value,
    Value::{Integer, Text},
};
use protocol::{AccountId, AssetId, Sequence, Time, decimal::print_units};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

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
const CLOSED: &str = "SELECT sequence, root FROM closings WHERE day = $1";
const INSERT_CLOSING: &str =
    "INSERT INTO closings (day, sequence, accounts, root, made_at) VALUES ($1, $2, $3, $4, $5)";

/// So many balances are written by one statement.
const ROWS: usize = 10_000;

/// A day's closing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closing {
    /// Which day.
    pub day: Day,
    /// The last command before its midnight that moved money.
    pub sequence: Sequence,
    assets: Vec<Asset>,
    balances: Balances,
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
    /// Closes a day, or makes the closing that it has again. `now` is noted.
    ///
    /// # Errors
    /// When the day is not over in the books, or was not closed while its postings were kept; when it was
    /// closed otherwise than its postings now say or with another key, or does not add up.
    pub async fn of(
        database: &Database,
        day: Day,
        now: Time,
        proof_key: &ProofKey,
    ) -> Result<Self, SettlementError> {
        let place = projection::position(database).await?;
        if place.is_none_or(|place| place.time < day.end()) {
            return Err(SettlementError::NotOver {
                day: day.to_string(),
                position: place.map_or(Sequence(0), |place| place.sequence),
            });
        }
        let mut closing = Self {
            day,
            sequence: Sequence(0),
            assets: Vec::new(),
            balances: Balances::new(),
            nonces: BTreeMap::new(),
        };
        closing.read_assets(database).await?;
        let base = Base::earliest(database).await?;
        if base.day.is_some_and(|kept_after| day <= kept_after) {
            closing.read_closed(database).await?;
        } else {
            closing.read_postings(database, base).await?;
        }
        closing.adds_up()?;
        let counted: BTreeSet<AccountId> = closing.counted().map(|((account, _), _)| *account).collect();
        closing.nonces =
            counted.into_iter().map(|account| (account, proof_key.nonce(day, account))).collect();
        match database.rows(CLOSED, &[closing.number()]).await?.first() {
            None => closing.write(database, now).await?,
            Some(row) => closing.is_as_closed(database, &row.text("root")?).await?,
        }
        Ok(closing)
    }

    const fn number(&self) -> Value<'static> {
        Integer(self.day.number() as i64)
    }

    async fn read_assets(&mut self, database: &Database) -> Result<(), SettlementError> {
        for row in database.rows(ASSETS, &[Integer(self.day.end().0 as i64)]).await? {
            self.assets.push(Asset {
                id: AssetId(number(&row, "asset")?),
                name: row.text("name")?,
                scale: number(&row, "scale")?,
                external: AccountId(number(&row, "external_account")?),
            });
        }
        Ok(())
    }

    /// Where its postings are gone: as it was closed.
    async fn read_closed(&mut self, database: &Database) -> Result<(), SettlementError> {
        let rows = database.rows(CLOSED, &[self.number()]).await?;
        let Some(row) = rows.first() else {
            return Err(SettlementError::NotKept(format!("{} was not closed while there were", self.day)));
        };
        self.sequence = Sequence(number(row, "sequence")?);
        self.balances = closing_balances(database, self.day, None).await?;
        Ok(())
    }

    /// What each account had after its last posting of the day; what it had at `base`, where there is none.
    async fn read_postings(&mut self, database: &Database, base: Base) -> Result<(), SettlementError> {
        (self.sequence, self.balances) = (base.sequence, base.balances);
        database
            .each_row(LAST, &[Integer(self.day.end().0 as i64)], |row| {
                let Some(sequence) = row.optional_integer("sequence")? else { return Ok(()) };
                self.sequence = self.sequence.max(Sequence(sequence as u64));
                self.balances.insert(base::key(&row)?, base::amounts(&row)?);
                Ok::<_, SettlementError>(())
            })
            .await?;
        self.balances.retain(|_, had| *had != Amounts::default());
        Ok(())
    }

    /// The balances that the exchange owes: all but those of the world outside.
    fn counted(&self) -> impl Iterator<Item = (&(AccountId, AssetId), &Amounts)> {
        let is_outside = |account: AccountId| self.assets.iter().any(|asset| asset.external == account);
        self.balances.iter().filter(move |((account, _), _)| !is_outside(*account))
    }

    fn adds_up(&self) -> Result<(), SettlementError> {
        let mut sums: BTreeMap<AssetId, i128> = BTreeMap::new();
        for ((_, asset), had) in &self.balances {
            *sums.entry(*asset).or_default() += i128::from(had.available) + i128::from(had.held);
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
        let values = [
            self.number(),
            Integer(self.sequence.0 as i64),
            Integer(self.nonces.len() as i64),
            Text(&root),
            Integer(now.0 as i64),
        ];
        transaction.execute(INSERT_CLOSING, &values).await?;
        let rows: Vec<_> = self.balances.iter().collect();
        for rows in rows.chunks(ROWS) {
            let of = |value: fn(&(AccountId, AssetId), &Amounts) -> i64| -> Vec<i64> {
                rows.iter().map(|(key, had)| value(key, had)).collect()
            };
            let columns = [
                ("day", vec![i64::from(self.day.number()); rows.len()]),
                ("account", of(|(account, _), _| account.0.into())),
                ("asset", of(|(_, asset), _| asset.0.into())),
                ("available", of(|_, had| had.available)),
                ("held", of(|_, had| had.held)),
            ];
            let columns: Vec<_> =
                columns.iter().map(|(name, values)| (*name, Column::Integers(values))).collect();
            let balances =
                BulkInsert { table: "closing_balances", columns: &columns, conflict: Conflict::Keep };
            transaction.insert(&balances).await?;
        }
        Ok(transaction.commit().await?)
    }

    async fn is_as_closed(&self, database: &Database, root: &str) -> Result<(), SettlementError> {
        let day = self.day;
        if closing_balances(database, day, None).await? != self.balances {
            return Err(SettlementError::DoesNotAddUp(format!(
                "{day} was closed with other balances than its postings add up to now"
            )));
        }
        if HEXLOWER.encode(&self.tree()?.0.root()) != root {
            return Err(SettlementError::AnotherProofKey { day: day.to_string(), root: root.to_owned() });
        }
        Ok(())
    }

    /// The tree over what is owed, and its leaves in their order: by their hidden ids, which says nothing of
    /// whose they are.
    fn tree(&self) -> Result<(ProofTree, Vec<Leaf>), ProofError> {
        let mut leaves: Vec<Leaf> = Vec::with_capacity(self.nonces.len());
        for (account, nonce) in &self.nonces {
            let of = |asset: &Asset| {
                let had = base::of(&self.balances, &(*account, asset.id));
                had.available
                    .checked_add(had.held)
                    .ok_or(ProofError::Overflow { most: crate::proof::SUM_MAX })
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
                let all = i128::from(had.available) + i128::from(had.held);
                match *account {
                    AccountId::FEES => fees += all,
                    AccountId::SUSPENSE => suspense += all,
                    account if account == asset.external => outside += all,
                    _ => (customers, held) = (customers + all, held + i128::from(had.held)),
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
