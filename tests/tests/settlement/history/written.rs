//! Books that have a history. Refuses to know what is asked of them.

use crate::{events::History, place};
use database::{Database, DatabaseLocation};
use settlement::Books;
use std::path::Path;
use tests::postgres::Postgres;

/// The same history in both databases.
pub struct Written {
    pub history: History,
    pub databases: Vec<(DatabaseLocation, Database)>,
}

impl Written {
    /// `count` commands drawn from `seed`.
    pub async fn new(server: &Postgres, directory: &Path, seed: u64, count: usize) -> Self {
        let history = History::new(seed, count);
        let mut databases = Vec::new();
        for location in [place::sqlite(directory), place::postgres(server)] {
            let database = place::open(&location).await;
            let mut books = Books::open(database.clone()).await.expect("the books open");
            for batch in history.joined(500) {
                books.apply(&batch).expect("the batch follows");
                books.write().await.expect("it is written");
            }
            databases.push((location, database));
        }
        Self { history, databases }
    }
}
