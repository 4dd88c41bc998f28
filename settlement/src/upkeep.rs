//! What is done with the books beside writing them, whenever it is asked for: days that are over are closed,
//! months past their retention dropped. Refuses to know how often.

use crate::{Closing, Day, SettlementError, drop_expired, projection, proof::ProofKey};
use database::Database;
use protocol::Time;
use std::num::NonZeroU32;

const LAST_CLOSED: &str = "SELECT MAX(day) AS value FROM closings";
// No money moves before there is an asset.
const BEGINNING: &str = "SELECT MIN(created_at) AS value FROM assets";

/// What is to be done.
#[derive(Clone, Debug)]
pub struct Upkeep {
    /// What proofs are made with.
    pub proof_key: ProofKey,
    /// How many whole months of trades and postings are kept before the present one; all when none.
    pub months_kept: Option<NonZeroU32>,
}

/// What was done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UpkeepDone {
    /// The days that were closed now.
    pub closed: Vec<Day>,
    /// The last that is closed.
    pub last_closed: Option<Day>,
    /// The months that were dropped, by table.
    pub dropped: Vec<String>,
}

impl Upkeep {
    /// Does it. Time goes by the books' own: by their last command's. `now` is noted.
    ///
    /// # Errors
    /// When a day cannot be closed: nothing after it is closed, and nothing dropped.
    pub async fn run(&self, database: &Database, now: Time) -> Result<UpkeepDone, SettlementError> {
        let mut done = UpkeepDone::default();
        let Some(place) = projection::position(database).await? else { return Ok(done) };
        done.last_closed = optional(database, LAST_CLOSED).await?.map(|day| Day::numbered(day as u32));
        let mut next = match done.last_closed {
            Some(day) => day.after(),
            None => match optional(database, BEGINNING).await? {
                Some(time) => Day::of(Time(time)),
                None => return Ok(done),
            },
        };
        while next < Day::of(place.time) {
            Closing::of(database, next, now, &self.proof_key).await?;
            tracing::info!(day = %next, "a day was closed");
            done.closed.push(next);
            done.last_closed = Some(next);
            next = next.after();
        }
        if let Some(months) = self.months_kept {
            done.dropped = drop_expired(database, months, place.time).await?;
        }
        Ok(done)
    }
}

async fn optional(database: &Database, statement: &'static str) -> Result<Option<u64>, SettlementError> {
    let rows = database.rows(statement, &[]).await?;
    Ok(match rows.first() {
        Some(row) => row.optional_integer("value")?.map(|value| value as u64),
        None => None,
    })
}
