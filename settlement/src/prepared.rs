//! What one transaction writes: the rows of some commands, and the position after them. Refuses to know
//! how they came to be.

use crate::{
    rows::Rows,
    tables::{
        ACCOUNTS, AMENDMENTS, ASSETS, BALANCES, CANDLES, INSTRUMENTS, ORDER_LISTS, ORDERS, POSTINGS,
        PREVENTED_MATCHES, TRADES,
    },
};
use database::{Database, DatabaseError, Transaction};
use protocol::{Sequence, Time};

/// Rows of every table.
#[derive(Debug)]
pub(crate) struct Tables {
    pub(crate) assets: Rows,
    pub(crate) instruments: Rows,
    pub(crate) accounts: Rows,
    pub(crate) balances: Rows,
    pub(crate) orders: Rows,
    pub(crate) order_lists: Rows,
    pub(crate) amendments: Rows,
    pub(crate) prevented_matches: Rows,
    pub(crate) trades: Rows,
    pub(crate) postings: Rows,
    pub(crate) candles: Rows,
}

impl Tables {
    pub(crate) fn new() -> Self {
        Self {
            assets: Rows::new(&ASSETS),
            instruments: Rows::new(&INSTRUMENTS),
            accounts: Rows::new(&ACCOUNTS),
            balances: Rows::new(&BALANCES),
            orders: Rows::new(&ORDERS),
            order_lists: Rows::new(&ORDER_LISTS),
            amendments: Rows::new(&AMENDMENTS),
            prevented_matches: Rows::new(&PREVENTED_MATCHES),
            trades: Rows::new(&TRADES),
            postings: Rows::new(&POSTINGS),
            candles: Rows::new(&CANDLES),
        }
    }

    pub(crate) fn all(&self) -> [&Rows; 11] {
        [
            &self.assets,
            &self.instruments,
            &self.accounts,
            &self.balances,
            &self.orders,
            &self.order_lists,
            &self.amendments,
            &self.prevented_matches,
            &self.trades,
            &self.postings,
            &self.candles,
        ]
    }

    /// How many rows there are together.
    pub(crate) fn len(&self) -> usize {
        self.all().iter().map(|rows| rows.len()).sum()
    }
}

/// Where the books are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) engine_id: u32,
    pub(crate) epoch: u32,
    pub(crate) sequence: Sequence,
    pub(crate) time: Time,
}

/// What one transaction writes.
#[derive(Debug)]
pub struct Prepared {
    /// Where the books are before; `None` when they are empty.
    pub(crate) from: Option<Place>,
    /// Where they are after.
    pub(crate) to: Place,
    /// The time of the first command.
    pub(crate) first_time: Time,
    pub(crate) tables: Tables,
}

impl Prepared {
    /// How many rows.
    pub fn rows(&self) -> usize {
        self.tables.len()
    }

    /// The last command in it.
    pub const fn last(&self) -> Sequence {
        self.to.sequence
    }

    /// Writes the rows alone, in one transaction, without the position that makes it happen once: what
    /// settlement's speed is measured against. The months must be there (see [`crate::make_months`]).
    pub async fn insert(&self, database: &Database) -> Result<(), DatabaseError> {
        let mut transaction = database.begin().await?;
        self.insert_into(&mut transaction).await?;
        transaction.commit().await
    }

    pub(crate) async fn insert_into(&self, transaction: &mut Transaction) -> Result<(), DatabaseError> {
        for rows in self.tables.all() {
            rows.insert(transaction).await?;
        }
        Ok(())
    }
}
