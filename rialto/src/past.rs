//! Lets views read what memory no longer holds from the books of record. Refuses to know what is read.

use crate::config::Config;
use database::TableGroup;
use gateway::views::Views;
use settlement::{BooksReader, Status};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// How often it is asked how far the books are that another process keeps: until they have it, memory keeps
/// what is beyond its bounds.
const LOOK: Duration = Duration::from_millis(250);

/// The books of record, being read; to be ended at a stop.
pub(crate) struct ReadBooks {
    books: BooksReader,
    following: JoinHandle<()>,
}

/// Has `views` read beyond memory in the configured books, which need not be there yet. Before the first
/// event: what the views drop at a recovery must be in them. `kept` is told by who keeps the books in this
/// process, if anybody does.
pub(crate) async fn read_beyond_memory(
    config: &Config,
    views: &Views,
    kept: Option<watch::Receiver<Status>>,
) -> anyhow::Result<ReadBooks> {
    let books = BooksReader::at(config.database(TableGroup::Settlement)?);
    if let Err(error) = books.refresh().await {
        tracing::warn!(%error, "the books of record cannot be read yet; older records wait for them");
    }
    views.read_beyond_memory_in(Arc::new(books.clone()));
    let followed = books.clone();
    let following = tokio::spawn(async move {
        match kept {
            Some(status) => followed.told_by(status).await,
            None => followed.follow(LOOK).await,
        }
    });
    Ok(ReadBooks { books, following })
}

impl ReadBooks {
    /// Reads no more.
    pub(crate) async fn end(self) {
        self.following.abort();
        self.books.close().await;
    }
}
