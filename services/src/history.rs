//! Reading the books of record: what happened before what memory holds. Holds the questions; the
//! records that answer them are `protocol::history`'s.

use protocol::{
    AccountId, ClientOrderId, InstrumentId, OrderId, OrderListId, Sequence, Time, TradeId,
    history::{
        AggregateTrade, Amendment, Candle, Interval, Order, OrderList, OwnTrade, PreventedMatch, PublicTrade,
    },
};
use std::{fmt, future::Future, pin::Pin};
use thiserror::Error;

/// Which orders are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrderQuery {
    /// Where; `None` is everywhere.
    pub instrument: Option<InstrumentId>,
    /// From this id on.
    pub from_id: Option<OrderId>,
    /// Up to this id.
    pub until_id: Option<OrderId>,
    /// Not accepted before.
    pub start: Option<Time>,
    /// Not accepted after.
    pub end: Option<Time>,
    /// At most so many: the first from `from_id` or `start`, otherwise the last.
    pub limit: usize,
}

/// Which order lists are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrderListQuery {
    /// From this id on.
    pub from_id: Option<OrderListId>,
    /// Not placed before.
    pub start: Option<Time>,
    /// Not placed after.
    pub end: Option<Time>,
    /// At most so many: the first from `from_id` or `start`, otherwise the last.
    pub limit: usize,
}

/// An order list, with what its owner calls its orders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedOrderList {
    /// The list.
    pub list: OrderList,
    /// The shown names of [`OrderList::orders`], in their order.
    pub names: Vec<ClientOrderId>,
}

/// Which own trades are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OwnTradeQuery {
    /// Where.
    pub instrument: InstrumentId,
    /// Only this order's.
    pub order_id: Option<OrderId>,
    /// From this trade id on.
    pub from_id: Option<TradeId>,
    /// Not before.
    pub start: Option<Time>,
    /// Not after.
    pub end: Option<Time>,
    /// At most so many: the first from `from_id` or `start`, otherwise the last.
    pub limit: usize,
}

/// Which prevented matches are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PreventedMatchQuery {
    /// Where.
    pub instrument: InstrumentId,
    /// Only this one.
    pub prevented_match_id: Option<u64>,
    /// Only those of this order, on either side.
    pub order_id: Option<OrderId>,
    /// From this id on.
    pub from_id: Option<u64>,
    /// At most so many, the first ones.
    pub limit: usize,
}

/// Which amendments are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AmendmentQuery {
    /// Of which order.
    pub order_id: OrderId,
    /// From this execution id on; 0 is from the first.
    pub from_execution_id: u64,
    /// At most so many, the first ones.
    pub limit: usize,
}

/// Which trades of an instrument are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TradeQuery {
    /// From this id on.
    pub from_id: Option<TradeId>,
    /// At most so many: the first from `from_id`, otherwise the last.
    pub limit: usize,
}

/// Which aggregate trades of an instrument are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AggregateQuery {
    /// From this id on.
    pub from_id: Option<u64>,
    /// Not before.
    pub start: Option<Time>,
    /// Not after.
    pub end: Option<Time>,
    /// At most so many: the first from `from_id` or `start`, otherwise the last.
    pub limit: usize,
}

/// Which candles with trades in them are asked for, by UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeptCandleQuery {
    /// How long each is.
    pub interval: Interval,
    /// Those that open from then on, and the one before them, which says at what price an empty interval
    /// stands.
    pub from: Time,
    /// Those that open before then.
    pub until: Time,
    /// At most so many, the first ones, not counting the one before.
    pub limit: usize,
}

/// How a statement is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatementFormat {
    /// One row a line, with a heading.
    Csv,
    /// A page that can be printed, and needs no other file.
    Html,
    /// One JSON object.
    Json,
}

/// Which statement is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatementQuery {
    /// Whose.
    pub account: AccountId,
    /// The first moment in it.
    pub from: Time,
    /// The first moment after it.
    pub until: Time,
    /// How it is written.
    pub format: StatementFormat,
}

/// Up to where the books are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BooksPosition {
    /// The last command in them; everything up to it is.
    pub sequence: Sequence,
    /// That command's time.
    pub time: Time,
}

/// Why the books could not answer.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum HistoryError {
    /// The database does not answer, or not in time.
    #[error("the books of record cannot be read: {0}; see that the database runs, and ask again")]
    Unavailable(String),
    /// What was asked for is not in them yet, and is no longer in memory.
    #[error("the books of record stand at command {at} and are asked for what is up to {wanted}; ask again")]
    Behind {
        /// Where they stand.
        at: Sequence,
        /// What they would have to reach.
        wanted: Sequence,
    },
    /// The question asks for too much at once.
    #[error("{0}")]
    TooLarge(String),
}

/// An answer on its way.
pub type PendingHistory<'a, T> = Pin<Box<dyn Future<Output = Result<T, HistoryError>> + Send + 'a>>;

/// Who reads the books of record. Rows come the oldest first, unless it is said otherwise; every answer
/// holds all that is asked for up to some command at or after [`position`](Self::position) as it was when
/// the question was put.
pub trait History: fmt::Debug + Send + Sync {
    /// Up to where the books are known to be written. Never ahead of them, at once, and never going back
    /// while the process runs.
    fn position(&self) -> BooksPosition;

    /// An account's order.
    fn order(&self, account: AccountId, order_id: OrderId) -> PendingHistory<'_, Option<Order>>;

    /// The latest of an account's orders that goes by this name, given or made.
    fn order_named(&self, account: AccountId, name: ClientOrderId) -> PendingHistory<'_, Option<Order>>;

    /// An account's orders, open and closed, by id.
    fn orders(&self, account: AccountId, query: OrderQuery) -> PendingHistory<'_, Vec<Order>>;

    /// An account's trades by id; of a trade with oneself the taker's side first.
    fn own_trades(&self, account: AccountId, query: OwnTradeQuery) -> PendingHistory<'_, Vec<OwnTrade>>;

    /// An account's order list.
    fn order_list(
        &self,
        account: AccountId,
        list_id: OrderListId,
    ) -> PendingHistory<'_, Option<NamedOrderList>>;

    /// The latest of an account's order lists that goes by this name, given or made.
    fn order_list_named(
        &self,
        account: AccountId,
        name: ClientOrderId,
    ) -> PendingHistory<'_, Option<NamedOrderList>>;

    /// An account's order lists, open and done, by id.
    fn order_lists(
        &self,
        account: AccountId,
        query: OrderListQuery,
    ) -> PendingHistory<'_, Vec<NamedOrderList>>;

    /// Matches with an account's orders that self-trade prevention stopped, by id.
    fn prevented_matches(
        &self,
        account: AccountId,
        query: PreventedMatchQuery,
    ) -> PendingHistory<'_, Vec<PreventedMatch>>;

    /// How an account's order became smaller, by execution id.
    fn amendments(&self, account: AccountId, query: AmendmentQuery) -> PendingHistory<'_, Vec<Amendment>>;

    /// An instrument's trades by id.
    fn trades(&self, instrument: InstrumentId, query: TradeQuery) -> PendingHistory<'_, Vec<PublicTrade>>;

    /// An instrument's aggregate trades by id.
    fn aggregate_trades(
        &self,
        instrument: InstrumentId,
        query: AggregateQuery,
    ) -> PendingHistory<'_, Vec<AggregateTrade>>;

    /// An instrument's candles that have trades in them.
    fn candles(&self, instrument: InstrumentId, query: KeptCandleQuery) -> PendingHistory<'_, Vec<Candle>>;

    /// What an account had, what moved, and what it has then, as a document.
    fn statement(&self, query: StatementQuery) -> PendingHistory<'_, String>;
}

impl OrderQuery {
    /// Whether the first orders are asked for, and not the last.
    pub const fn is_forward(&self) -> bool {
        self.from_id.is_some() || self.start.is_some()
    }
}

impl OrderListQuery {
    /// Whether the first lists are asked for, and not the last.
    pub const fn is_forward(&self) -> bool {
        self.from_id.is_some() || self.start.is_some()
    }
}

impl OwnTradeQuery {
    /// Whether the first trades are asked for, and not the last.
    pub const fn is_forward(&self) -> bool {
        self.from_id.is_some() || self.start.is_some()
    }
}

impl AggregateQuery {
    /// Whether the first trades are asked for, and not the last.
    pub const fn is_forward(&self) -> bool {
        self.from_id.is_some() || self.start.is_some()
    }
}

impl PreventedMatchQuery {
    /// Whether a prevented match is asked for.
    pub fn wants(&self, prevented: &PreventedMatch) -> bool {
        prevented.instrument == self.instrument
            && self.prevented_match_id.is_none_or(|id| prevented.prevented_match_id == id)
            && self
                .order_id
                .is_none_or(|id| [prevented.taker_order_id, prevented.maker_order_id].contains(&id))
            && self.from_id.is_none_or(|id| prevented.prevented_match_id >= id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::{Price, Quantity, SelfTradePrevention, Side};

    #[test]
    fn prevented_matches_are_found_by_either_order() {
        let prevented = PreventedMatch {
            prevented_match_id: 7,
            instrument: InstrumentId(1),
            taker_order_id: OrderId(20),
            taker_account: AccountId(3),
            taker_side: Side::Buy,
            maker_order_id: OrderId(10),
            maker_account: AccountId(3),
            mode: SelfTradePrevention::ExpireBoth,
            price: Price(5),
            quantity: Quantity(2),
            time: Time(1),
        };
        let all = PreventedMatchQuery {
            instrument: InstrumentId(1),
            prevented_match_id: None,
            order_id: None,
            from_id: None,
            limit: 9,
        };
        for (query, wanted) in [
            (all, true),
            (PreventedMatchQuery { instrument: InstrumentId(2), ..all }, false),
            (PreventedMatchQuery { prevented_match_id: Some(7), ..all }, true),
            (PreventedMatchQuery { prevented_match_id: Some(8), ..all }, false),
            (PreventedMatchQuery { order_id: Some(OrderId(10)), ..all }, true),
            (PreventedMatchQuery { order_id: Some(OrderId(20)), ..all }, true),
            (PreventedMatchQuery { order_id: Some(OrderId(30)), ..all }, false),
            (PreventedMatchQuery { from_id: Some(7), ..all }, true),
            (PreventedMatchQuery { from_id: Some(8), ..all }, false),
        ] {
            assert_eq!(query.wants(&prevented), wanted, "{query:?}");
        }
    }
}
