//! Makes the books again from the first command. Refuses to empty them before it has seen that command.

use crate::{Books, SettlementError, Status, run::pump, tables};
use database::{Database, DatabaseError};
use protocol::Sequence;
use stream::EventStream;
use tokio::sync::watch;

/// PostgreSQL's, which takes as long for many rows as for few.
const TRUNCATE: &str = "TRUNCATE position, assets, instruments, accounts, balances, orders, order_lists, \
     amendments, prevented_matches, trades, postings, candles";

/// Empties the books and writes them again from `stream`, which is opened after command 0, up to where it
/// ends now; returns that position. `status` shows how far it is. A rebuild that was interrupted goes on as
/// any consumer does, from the position it reached.
///
/// # Errors
/// When the stream does not begin with the first command, nothing was changed.
pub async fn rebuild(
    database: Database,
    mut stream: EventStream,
    stop: watch::Receiver<bool>,
    status: watch::Sender<Status>,
) -> Result<Sequence, SettlementError> {
    let end = stream.end().await?;
    if end == Sequence(0) {
        return Err(SettlementError::Ahead { position: Books::open(database).await?.position(), end });
    }
    let first = stream.next().await?;
    if first.first > Sequence(1) {
        return Err(SettlementError::Behind { position: Sequence(0), first: first.first });
    }
    clear(&database).await?;
    status.send_modify(|status| status.end = end);
    let mut books = Books::open(database).await?;
    books.apply(&first)?;
    pump(books, stream, Some(end), stop, &status).await?;
    Ok(status.borrow().position)
}

/// Removes every row that follows from events, and the position.
pub async fn clear(database: &Database) -> Result<(), DatabaseError> {
    let mut transaction = database.begin().await?;
    if let Database::Postgres(_) = database {
        transaction.execute(TRUNCATE, &[]).await?;
    } else {
        transaction.execute("DELETE FROM position", &[]).await?;
        for table in tables::ALL {
            transaction.execute(table.clear, &[]).await?;
        }
    }
    transaction.commit().await
}
