//! One transaction: the rows of some commands and the position after them, or nothing. The position moves
//! only from where it was, so that two writers, or one that did not hear its commit's answer, never write
//! twice. Refuses to try again: its caller knows how long.

use crate::{
    SettlementError,
    partitions::Partitions,
    prepared::{Place, Prepared},
    projection,
};
use database::{Database, DatabaseError, Transaction, Value};
use protocol::Sequence;
use std::time::Duration;

const MOVE: &str =
    "UPDATE position SET epoch = $1, sequence = $2, time = $3 WHERE engine_id = $4 AND sequence = $5";
const BEGIN: &str =
    "INSERT INTO position (epoch, sequence, time, engine_id) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
/// A transaction that says nothing for so long is given up: a connection may be lost without a word.
const PATIENCE: Duration = Duration::from_mins(2);

/// Writes to the books.
#[derive(Debug)]
pub(crate) struct Writer {
    database: Database,
    partitions: Partitions,
    /// A commit was asked for and its answer not heard: it may have happened.
    commit_unknown: bool,
}

impl Writer {
    pub(crate) fn new(database: Database) -> Self {
        Self { database, partitions: Partitions::default(), commit_unknown: false }
    }

    /// Writes what is prepared, once. After a temporary error it is to be tried again with the same.
    pub(crate) async fn write(&mut self, prepared: &Prepared) -> Result<(), SettlementError> {
        self.partitions.make(&self.database, prepared.first_time, prepared.to.time).await?;
        let Ok(result) = tokio::time::timeout(PATIENCE, self.transaction(prepared)).await else {
            self.commit_unknown = true;
            return Err(DatabaseError::Silent(PATIENCE).into());
        };
        result
    }

    async fn transaction(&mut self, prepared: &Prepared) -> Result<(), SettlementError> {
        let mut transaction = self.database.begin().await?;
        if move_position(&mut transaction, prepared).await? == 0 {
            drop(transaction);
            return self.already_moved(prepared).await;
        }
        prepared.insert_into(&mut transaction).await?;
        // From here on the answer may be lost, and the commit not.
        self.commit_unknown = true;
        transaction.commit().await?;
        self.commit_unknown = false;
        Ok(())
    }

    /// The position is not where this writer left it: by a commit whose answer it did not hear, or by
    /// another's hand.
    async fn already_moved(&mut self, prepared: &Prepared) -> Result<(), SettlementError> {
        let found = projection::position(&self.database).await?.map_or(Sequence(0), |place| place.sequence);
        if self.commit_unknown && found == prepared.to.sequence {
            self.commit_unknown = false;
            return Ok(());
        }
        let expected = prepared.from.map_or(Sequence(0), |place| place.sequence);
        Err(SettlementError::OtherWriter { expected, found })
    }
}

/// How many positions moved: one, or none.
async fn move_position(transaction: &mut Transaction, prepared: &Prepared) -> Result<u64, DatabaseError> {
    let Place { engine_id, epoch, sequence, time } = prepared.to;
    let mut values = vec![
        Value::Integer(epoch.into()),
        Value::Integer(sequence.0 as i64),
        Value::Integer(time.0 as i64),
        Value::Integer(engine_id.into()),
    ];
    match prepared.from {
        None => transaction.execute(BEGIN, &values).await,
        Some(from) => {
            values.push(Value::Integer(from.sequence.0 as i64));
            transaction.execute(MOVE, &values).await
        }
    }
}
