//! Reads the books for whoever asks about the past: `services::History` on the tables. Refuses to write.

mod lists;
mod market;
mod orders;
mod own_trades;
mod records;
mod statements;

use crate::{SettlementError, Status, projection, statement};
use database::{Database, DatabaseError, DatabaseLocation, TableGroup, Value::Integer};
use protocol::{
    AccountId, ClientOrderId, InstrumentId, OrderId, OrderListId, Time,
    history::{AggregateTrade, Amendment, Candle, Order, OwnTrade, PreventedMatch, PublicTrade},
};
use services::{
    AggregateQuery, AmendmentQuery, BooksPosition, History, HistoryError, KeptCandleQuery, NamedOrderList,
    OrderListQuery, OrderQuery, OwnTradeQuery, PendingHistory, PreventedMatchQuery, StatementQuery,
    TradeQuery,
};
use std::{
    future::Future,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::sync::{OnceCell, watch};

pub use statements::HISTORY_STATEMENTS;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// The way from a time to a trade: candles of a second say their first and last.
const FIRST_FROM: &str = "SELECT first_trade FROM candles WHERE instrument = $1 AND interval_number = 0 \
     AND open_time >= $2 ORDER BY open_time LIMIT 1";
const LAST_UNTIL: &str = "SELECT last_trade FROM candles WHERE instrument = $1 AND interval_number = 0 \
     AND open_time <= $2 ORDER BY open_time DESC LIMIT 1";

/// The reading side of the books. Cloning shares it.
#[derive(Clone, Debug)]
pub struct BooksReader {
    location: Option<DatabaseLocation>,
    database: Arc<OnceCell<Database>>,
    position: Arc<Mutex<BooksPosition>>,
}

impl BooksReader {
    /// Of the books in `database`; where they stand is known after [`refresh`](Self::refresh).
    pub fn new(database: Database) -> Self {
        let database = Arc::new(OnceCell::new_with(Some(database)));
        Self { location: None, database, position: Arc::default() }
    }

    /// Of the books at `location`, which is opened when it is first needed and can be: a server that is away
    /// at a start keeps nobody waiting.
    pub fn at(location: DatabaseLocation) -> Self {
        Self { location: Some(location), database: Arc::default(), position: Arc::default() }
    }

    async fn database(&self) -> Result<&Database, SettlementError> {
        let open = async || {
            // Without a location there is a database from the beginning.
            let Some(location) = &self.location else { return Err(DatabaseError::Silent(PATIENCE)) };
            Database::open(location, TableGroup::Settlement).await
        };
        Ok(self.database.get_or_try_init(open).await?)
    }

    /// Closes the database, if it was opened.
    pub async fn close(&self) {
        if let Some(database) = self.database.get() {
            database.close().await;
        }
    }

    /// Reads where the books stand.
    pub async fn refresh(&self) -> Result<BooksPosition, SettlementError> {
        let place = projection::position(self.database().await?).await?;
        let position = place.map_or_else(BooksPosition::default, |place| BooksPosition {
            sequence: place.sequence,
            time: place.time,
        });
        self.stands_at(position);
        Ok(position)
    }

    fn stands_at(&self, position: BooksPosition) {
        // The lock is held for a copy alone: whoever had it cannot have left it half done.
        *self.position.lock().unwrap_or_else(PoisonError::into_inner) = position;
    }

    /// Is told where the books stand by the consumer in this process that keeps them. Ends with it.
    pub async fn told_by(&self, mut status: watch::Receiver<Status>) {
        while status.changed().await.is_ok() {
            let (sequence, time) = {
                let status = status.borrow_and_update();
                (status.position, status.time)
            };
            // At the beginning the consumer itself does not know yet.
            if sequence.0 > 0 {
                self.stands_at(BooksPosition { sequence, time });
            }
        }
    }

    /// Reads where the books stand, again and again; a database that is away is asked again. Never ends.
    pub async fn follow(&self, every: Duration) {
        loop {
            if let Err(error) = self.refresh().await {
                tracing::warn!(%error, "the books of record cannot be read");
            }
            tokio::time::sleep(every).await;
        }
    }
}

/// An answer in the words of the trait, in time.
fn answer<'a, T: Send + 'a>(
    answer: impl Future<Output = Result<T, SettlementError>> + Send + 'a,
) -> PendingHistory<'a, T> {
    Box::pin(async move {
        match tokio::time::timeout(PATIENCE, answer).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(SettlementError::TooLarge(what))) => Err(HistoryError::TooLarge(what)),
            Ok(Err(error @ SettlementError::NotKept(_))) => Err(HistoryError::TooLarge(error.to_string())),
            Ok(Err(error)) => Err(HistoryError::Unavailable(error.to_string())),
            Err(_) => Err(HistoryError::Unavailable(format!("no answer within {PATIENCE:?}"))),
        }
    })
}

impl History for BooksReader {
    fn position(&self) -> BooksPosition {
        *self.position.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn order(&self, account: AccountId, order_id: OrderId) -> PendingHistory<'_, Option<Order>> {
        answer(async move { orders::by_id(self.database().await?, account, order_id).await })
    }

    fn order_named(&self, account: AccountId, name: ClientOrderId) -> PendingHistory<'_, Option<Order>> {
        answer(async move { orders::named(self.database().await?, account, name).await })
    }

    fn orders(&self, account: AccountId, query: OrderQuery) -> PendingHistory<'_, Vec<Order>> {
        answer(async move { orders::page(self.database().await?, account, query).await })
    }

    fn own_trades(&self, account: AccountId, query: OwnTradeQuery) -> PendingHistory<'_, Vec<OwnTrade>> {
        answer(async move { own_trades::page(self.database().await?, account, query).await })
    }

    fn order_list(
        &self,
        account: AccountId,
        list_id: OrderListId,
    ) -> PendingHistory<'_, Option<NamedOrderList>> {
        answer(async move { lists::by_id(self.database().await?, account, list_id).await })
    }

    fn order_list_named(
        &self,
        account: AccountId,
        name: ClientOrderId,
    ) -> PendingHistory<'_, Option<NamedOrderList>> {
        answer(async move { lists::named(self.database().await?, account, name).await })
    }

    fn order_lists(
        &self,
        account: AccountId,
        query: OrderListQuery,
    ) -> PendingHistory<'_, Vec<NamedOrderList>> {
        answer(async move { lists::page(self.database().await?, account, query).await })
    }

    fn prevented_matches(
        &self,
        account: AccountId,
        query: PreventedMatchQuery,
    ) -> PendingHistory<'_, Vec<PreventedMatch>> {
        answer(async move { records::prevented_matches(self.database().await?, account, query).await })
    }

    fn amendments(&self, account: AccountId, query: AmendmentQuery) -> PendingHistory<'_, Vec<Amendment>> {
        answer(async move { records::amendments(self.database().await?, account, query).await })
    }

    fn trades(&self, instrument: InstrumentId, query: TradeQuery) -> PendingHistory<'_, Vec<PublicTrade>> {
        answer(async move { market::trades(self.database().await?, instrument, query).await })
    }

    fn aggregate_trades(
        &self,
        instrument: InstrumentId,
        query: AggregateQuery,
    ) -> PendingHistory<'_, Vec<AggregateTrade>> {
        answer(async move { market::aggregate_trades(self.database().await?, instrument, query).await })
    }

    fn candles(&self, instrument: InstrumentId, query: KeptCandleQuery) -> PendingHistory<'_, Vec<Candle>> {
        answer(async move { market::candles(self.database().await?, instrument, query).await })
    }

    fn statement(&self, query: StatementQuery) -> PendingHistory<'_, String> {
        answer(async move {
            let statement =
                statement::Statement::read(self.database().await?, query.account, query.from, query.until)
                    .await?;
            Ok(statement.text(query.format))
        })
    }
}

/// A bound of ids or times as the tables hold them.
const fn bound(value: Option<u64>, otherwise: i64) -> i64 {
    match value {
        Some(value) if value > i64::MAX as u64 => i64::MAX,
        Some(value) => value as i64,
        None => otherwise,
    }
}

/// A number of rows as the database takes it.
fn rows_limit(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

/// The trades of an instrument that may lie between two times, by id; `None` when there are none. Some of
/// the first and last second may be without.
async fn trade_ids(
    database: &Database,
    instrument: InstrumentId,
    start: Option<Time>,
    end: Option<Time>,
) -> Result<Option<(i64, i64)>, SettlementError> {
    let instrument = Integer(instrument.0.into());
    let mut ids = (0, i64::MAX);
    if let Some(start) = start {
        // Candles of a second open on the whole second: the one that holds `start` too.
        let second = bound(Some(start.0 / 1_000_000_000 * 1_000_000_000), 0);
        let found = database.rows(FIRST_FROM, &[instrument, Integer(second)]).await?;
        let Some(row) = found.first() else { return Ok(None) };
        ids.0 = row.integer("first_trade")?;
    }
    if let Some(end) = end {
        let found = database.rows(LAST_UNTIL, &[instrument, Integer(bound(Some(end.0), 0))]).await?;
        let Some(row) = found.first() else { return Ok(None) };
        ids.1 = row.integer("last_trade")?;
    }
    Ok(Some(ids))
}
