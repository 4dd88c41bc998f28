//! The past as clients page through it: what memory holds and, where that is not all, what the books of
//! record have, as if it were one. Refuses to know where either is kept, and JSON.
//!
//! Memory is read first, then the books. What memory no longer holds when it is read, the books have by
//! then ([`crate::views::Bounds`]), and they have it whole; what memory does hold is at least as new as
//! they are. So the union lacks nothing, and where both have a record memory's is shown.

mod market;
mod page;
#[cfg(test)]
mod tests;

use crate::views::{
    Accounts, Amendment, AmendmentQuery, Held, Order, OrderListQuery, OrderQuery, OwnTrade, OwnTradeQuery,
    PreventedMatch, PreventedMatchQuery, Views, shown_client_order_id,
};
use page::{End, united};
use protocol::{AccountId, ClientOrderId, OrderId, OrderListId, Sequence, history::OrderList};
use services::{History, HistoryError, NamedOrderList};
use std::sync::Arc;

/// Orders read from the books at once, where they are sieved here.
const SIEVED_AT_ONCE: usize = 1_000;
/// The most orders that one question may have sieved.
const SIEVED_MAX: usize = 50_000;

/// Reads the past.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Past<'a>(pub(crate) &'a Views);

impl Past<'_> {
    fn accounts(&self) -> &Accounts {
        self.0.accounts()
    }

    /// The books, if memory lacks what they have. `lacks` is up to where they must be written.
    fn books(&self, lacks: Option<Sequence>) -> Result<Option<&Arc<dyn History>>, HistoryError> {
        let (Some(wanted), Some(books)) = (lacks, self.0.history()) else { return Ok(None) };
        let at = books.position().sequence;
        if at < wanted { Err(HistoryError::Behind { at, wanted }) } else { Ok(Some(books)) }
    }

    /// An order.
    pub(crate) async fn order(
        &self,
        account: AccountId,
        order_id: OrderId,
    ) -> Result<Option<Order>, HistoryError> {
        let held = self.accounts().held_order(account, order_id);
        match self.books(held.lacks)? {
            Some(books) => books.order(account, order_id).await,
            None => Ok(held.found),
        }
    }

    /// The latest order of a name, given or made.
    pub(crate) async fn order_named(
        &self,
        account: AccountId,
        name: &ClientOrderId,
    ) -> Result<Option<Order>, HistoryError> {
        let held = self.accounts().held_order_named(account, name);
        match self.books(held.lacks)? {
            Some(books) => books.order_named(account, *name).await,
            None => Ok(held.found),
        }
    }

    /// Orders by id.
    pub(crate) async fn orders(
        &self,
        account: AccountId,
        query: &OrderQuery,
    ) -> Result<Vec<Order>, HistoryError> {
        let Held { found, lacks } = self.accounts().orders(account, query);
        let Some(books) = self.books(lacks)? else { return Ok(found) };
        let written = books.orders(account, *query).await?;
        Ok(united(found, written, |order| order.order_id, query.limit, End::of(query.is_forward())))
    }

    /// Orders by id that are `wanted`, by what may change as well.
    pub(crate) async fn orders_sieved(
        &self,
        account: AccountId,
        query: &OrderQuery,
        wanted: impl Fn(&Order) -> bool,
    ) -> Result<Vec<Order>, HistoryError> {
        let mut found: Vec<Order> = Vec::new();
        let mut next = OrderQuery { limit: SIEVED_AT_ONCE, ..*query };
        for _ in 0..SIEVED_MAX / SIEVED_AT_ONCE {
            let page = self.orders(account, &next).await?;
            let (first, last) = (page.first().map(|order| order.order_id), page.last());
            if query.is_forward() {
                next.from_id = last.map(|order| OrderId(order.order_id.0 + 1));
            } else {
                next.until_id = first.map(|first| OrderId(first.0.saturating_sub(1)));
            }
            let is_last = page.len() < SIEVED_AT_ONCE;
            let mut sieved: Vec<Order> = page.into_iter().filter(&wanted).collect();
            if query.is_forward() {
                found.append(&mut sieved);
                found.truncate(query.limit);
            } else {
                sieved.append(&mut found);
                found = sieved.split_off(sieved.len().saturating_sub(query.limit));
            }
            if is_last || found.len() == query.limit {
                return Ok(found);
            }
        }
        Err(HistoryError::TooLarge(format!(
            "More than {SIEVED_MAX} orders would have to be looked at: ask by symbol, or for a shorter time."
        )))
    }

    /// Own trades by id.
    pub(crate) async fn own_trades(
        &self,
        account: AccountId,
        query: &OwnTradeQuery,
    ) -> Result<Vec<OwnTrade>, HistoryError> {
        let Held { found, lacks } = self.accounts().own_trades(account, query);
        let Some(books) = self.books(lacks)? else { return Ok(found) };
        let written = books.own_trades(account, *query).await?;
        let key = |trade: &OwnTrade| (trade.trade_id, trade.is_maker);
        Ok(united(found, written, key, query.limit, End::of(query.is_forward())))
    }

    /// An order list.
    pub(crate) async fn order_list(
        &self,
        account: AccountId,
        list_id: OrderListId,
    ) -> Result<Option<NamedOrderList>, HistoryError> {
        let held = self.accounts().held_order_list(account, list_id);
        match (self.books(held.lacks)?, held.found) {
            (Some(books), _) => books.order_list(account, list_id).await,
            (None, Some(list)) => self.named(list).await.map(Some),
            (None, None) => Ok(None),
        }
    }

    /// The latest order list of a name, given or made.
    pub(crate) async fn order_list_named(
        &self,
        account: AccountId,
        name: &ClientOrderId,
    ) -> Result<Option<NamedOrderList>, HistoryError> {
        let held = self.accounts().held_order_list_named(account, name);
        match (self.books(held.lacks)?, held.found) {
            (Some(books), _) => books.order_list_named(account, *name).await,
            (None, Some(list)) => self.named(list).await.map(Some),
            (None, None) => Ok(None),
        }
    }

    /// Order lists by id.
    pub(crate) async fn order_lists(
        &self,
        account: AccountId,
        query: &OrderListQuery,
    ) -> Result<Vec<NamedOrderList>, HistoryError> {
        let Held { found, lacks } = self.accounts().order_lists(account, query);
        let mut named = Vec::with_capacity(found.len());
        for list in found {
            named.push(self.named(list).await?);
        }
        let Some(books) = self.books(lacks)? else { return Ok(named) };
        let written = books.order_lists(account, *query).await?;
        Ok(united(named, written, |named| named.list.list_id, query.limit, End::of(query.is_forward())))
    }

    /// A list with the names of its orders, of which some may have left memory before it.
    pub(crate) async fn named(&self, list: OrderList) -> Result<NamedOrderList, HistoryError> {
        let mut names = Vec::with_capacity(list.orders().len());
        for order_id in list.orders() {
            // An order that is nowhere can only be one that left where there are no books.
            let order = self.order(list.account, *order_id).await?;
            names.push(
                order.map_or_else(|| shown_client_order_id(*order_id, None), |order| order.client_order_id),
            );
        }
        Ok(NamedOrderList { list, names })
    }

    /// Matches that self-trade prevention stopped, by id.
    pub(crate) async fn prevented_matches(
        &self,
        account: AccountId,
        query: &PreventedMatchQuery,
    ) -> Result<Vec<PreventedMatch>, HistoryError> {
        let Held { found, lacks } = self.accounts().prevented_matches(account, query);
        let Some(books) = self.books(lacks)? else { return Ok(found) };
        let written = books.prevented_matches(account, *query).await?;
        Ok(united(found, written, |prevented| prevented.prevented_match_id, query.limit, End::First))
    }

    /// How an order became smaller, by execution id.
    pub(crate) async fn amendments(
        &self,
        account: AccountId,
        query: &AmendmentQuery,
    ) -> Result<Vec<Amendment>, HistoryError> {
        let Held { found, lacks } = self.accounts().amendments(account, query);
        let Some(books) = self.books(lacks)? else { return Ok(found) };
        let written = books.amendments(account, *query).await?;
        Ok(united(found, written, |amendment| amendment.execution_id, query.limit, End::First))
    }
}
