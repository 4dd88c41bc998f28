//! Order lists: placing, cancelling, showing (dialect §5.7). Refuses to know how a list's orders depend
//! on each other: that is the core's.

use super::{
    Json, Reply, Request,
    cancel::{self, cancelled_row},
    list_orders::{self, NewList},
    market::window,
    order_json::Cancelled,
    orders::report,
    placed::placed_order,
};
use crate::{
    dialect::{DialectError, Parameters, Purpose, refusal},
    views::{Listing, OrderList, OrderListQuery, is_made_list_id, shown_client_order_id},
};
use protocol::{
    AccountId, OrderId, OrderListId, Time,
    command::{CancelIds, CancelOrderList, Command, PlaceOrderList},
    event::Event,
    reject::Outcome,
    terms::{Contingency, OrderListStatus},
};
use serde::Serialize;
use serde_json::value::RawValue;
use services::{Answer, NamedOrderList};

/// The most rows.
const ROWS_MAX: usize = 1_000;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Member {
    symbol: String,
    order_id: u64,
    client_order_id: String,
}

/// A list, with the reports of its orders where they are asked for.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ListRow {
    order_list_id: u64,
    contingency_type: &'static str,
    list_status_type: &'static str,
    list_order_status: &'static str,
    list_client_order_id: String,
    transaction_time: u64,
    symbol: String,
    orders: Vec<Member>,
    #[serde(skip_serializing_if = "Option::is_none")]
    order_reports: Option<Vec<Box<RawValue>>>,
}

fn row(
    request: &Request<'_>,
    listing: &Listing,
    NamedOrderList { list, names }: &NamedOrderList,
    reports: Option<Vec<Json>>,
) -> ListRow {
    let orders = list
        .orders()
        .iter()
        .zip(names)
        .map(|(order_id, name)| Member {
            symbol: listing.symbol().to_owned(),
            order_id: order_id.0,
            client_order_id: name.to_string(),
        })
        .collect();
    let raw = |json: Json| RawValue::from_string(json.0).expect("answers are JSON that was just written");
    ListRow {
        order_list_id: list.list_id.0,
        contingency_type: list.contingency_text(),
        list_status_type: list.status_type_text(),
        list_order_status: list.order_status_text(),
        list_client_order_id: list.client_order_id.to_string(),
        transaction_time: request.unit.of(list.update_time),
        symbol: listing.symbol().to_owned(),
        orders,
        order_reports: reports.map(|reports| reports.into_iter().map(raw).collect()),
    }
}

/// Places a list of this kind.
pub(super) async fn place(request: &Request<'_>, contingency: Contingency) -> Reply {
    place_read(request, request.parameters, contingency).await
}

/// Places an OCO that is asked for in the old form.
pub(super) async fn place_old_form(request: &Request<'_>) -> Reply {
    let parameters = list_orders::from_old_form(request.parameters)?;
    place_read(request, &parameters, Contingency::OneCancelsOther).await
}

async fn place_read(request: &Request<'_>, parameters: &Parameters<'_>, contingency: Contingency) -> Reply {
    let account = request.caller()?.account;
    let listing = request.listing()?;
    let new = list_orders::parse(parameters, &listing, account, contingency)?;
    // A list has two or three orders.
    request.take_orders(new.orders.len() as u32)?;
    let list = PlaceOrderList { account, instrument: listing.id(), contingency, ids: 0 };
    let NewList { orders, client_order_id, response } = new;
    let answer = request.submit(&Command::PlaceOrderList { list, client_order_id, orders }).await?;
    if let Outcome::Refused(reject) = answer.outcome {
        return Err(refusal(reject, Purpose::Place));
    }
    let list = changed(&answer).first().copied().ok_or_else(DialectError::unknown)?;
    let reports = list
        .orders()
        .iter()
        .filter_map(|&order_id| placed_order(&answer, &listing, order_id))
        .map(|placed| report(&placed, &listing, answer.time, request.unit, response))
        .collect();
    Ok(Json::of(&row(request, &listing, &just_named(request, list), Some(reports))))
}

/// A list of which something was just done, with its orders' names: they are in memory.
fn just_named(request: &Request<'_>, list: OrderList) -> NamedOrderList {
    let accounts = request.gateway.views.accounts();
    let name = |order_id: &OrderId| {
        let order = accounts.order(list.account, *order_id);
        order.map_or_else(|| shown_client_order_id(*order_id, None), |order| order.client_order_id)
    };
    NamedOrderList { list, names: list.orders().iter().map(name).collect() }
}

/// The lists that the answer's command changed, each as it was left.
fn changed(answer: &Answer) -> Vec<OrderList> {
    let mut lists: Vec<OrderList> = Vec::new();
    for event in answer.events() {
        if let Event::OrderListChanged(changed, name) = event {
            let list = OrderList::changed(&changed, name, answer.time);
            match lists.iter_mut().find(|known| known.list_id == list.list_id) {
                Some(known) => (known.status, known.update_time) = (list.status, list.update_time),
                None => lists.push(list),
            }
        }
    }
    lists
}

pub(super) async fn cancel(request: &Request<'_>) -> Reply {
    let account = request.caller()?.account;
    let listing = request.listing()?;
    let parameters = request.parameters;
    let list_id = parameters.integer("orderListId")?.map(OrderListId);
    let original = parameters.client_order_id("listClientOrderId")?;
    if list_id.is_none() && original.is_none() {
        return Err(DialectError::either("orderListId", "listClientOrderId"));
    }
    let accounts = request.gateway.views.accounts();
    let known = match (list_id, &original) {
        (Some(list_id), _) => accounts.order_list(account, list_id),
        (None, Some(name)) => accounts.order_list_named(account, name),
        (None, None) => None,
    };
    // The engine does not know the names that we show for lists without one.
    let named_by_us = original.is_some_and(|name| is_made_list_id(&name));
    let (list_id, original) = match (known, named_by_us) {
        (Some(list), true) => (list.list_id, None),
        _ => (list_id.unwrap_or_default(), original),
    };
    let ids = CancelIds { original, request: parameters.client_order_id("newClientOrderId")? };
    let cancel = CancelOrderList { account, instrument: listing.id(), ids: 0, reserved: 0, list_id };
    let answer = request.submit(&Command::CancelOrderList { cancel, ids }).await?;
    if let Outcome::Refused(reject) = answer.outcome {
        return Err(refusal(reject, Purpose::Cancel));
    }
    let rows = grouped(request, account, &answer);
    rows.into_iter().next().ok_or_else(DialectError::unknown)
}

/// What the answer's command cancelled: orders of no list as they are, those of a list as their list.
pub(super) fn grouped(request: &Request<'_>, account: AccountId, answer: &Answer) -> Vec<Json> {
    let mut rows = Vec::new();
    let mut lists: Vec<(OrderListId, Vec<Json>)> = Vec::new();
    for (list_id, cancelled) in cancelled_by_list(request, account, answer) {
        let json = Json::of(&cancelled);
        if list_id == OrderListId(0) {
            rows.push(json);
        } else if let Some((_, reports)) = lists.iter_mut().find(|(known, _)| *known == list_id) {
            reports.push(json);
        } else {
            lists.push((list_id, vec![json]));
        }
    }
    for (list_id, reports) in lists {
        let list = request.gateway.views.accounts().order_list(account, list_id);
        let Some(mut list) = list else { continue };
        let Some(listing) = request.directory.listing(list.instrument) else { continue };
        // Its orders are gone, so it is done, whatever the views have come to.
        (list.status, list.update_time) = (OrderListStatus::Done, answer.time);
        rows.push(Json::of(&row(request, listing, &just_named(request, list), Some(reports))));
    }
    rows
}

fn cancelled_by_list(
    request: &Request<'_>,
    account: AccountId,
    answer: &Answer,
) -> Vec<(OrderListId, Cancelled)> {
    let accounts = request.gateway.views.accounts();
    answer
        .events()
        .filter_map(|event| match event {
            Event::OrderClosed(closed, name) if cancel::is_cancel(&closed, account) => {
                let order = accounts.order(account, closed.order_id)?;
                Some((order.list_id, cancelled_row(request, &order, name, answer)?))
            }
            _ => None,
        })
        .collect()
}

/// One list.
pub(super) async fn query(request: &Request<'_>) -> Reply {
    let account = request.caller()?.account;
    let past = request.past();
    let parameters = request.parameters;
    let name = parameters.client_order_id("origClientOrderId")?;
    let named = match (parameters.integer("orderListId")?, name) {
        (Some(list_id), _) => past.order_list(account, OrderListId(list_id)).await?,
        (None, Some(name)) => past.order_list_named(account, &name).await?,
        (None, None) => return Err(DialectError::either("orderListId", "origClientOrderId")),
    };
    let named = named.ok_or_else(DialectError::no_such_list)?;
    let listing = request.directory.listing(named.list.instrument).ok_or_else(DialectError::symbol)?;
    Ok(Json::of(&row(request, listing, &named, None)))
}

/// Open lists.
pub(super) async fn open(request: &Request<'_>) -> Reply {
    let account = request.caller()?.account;
    let mut lists = Vec::new();
    for list in request.gateway.views.accounts().open_order_lists(account) {
        lists.push(request.past().named(list).await?);
    }
    Ok(rows(request, &lists))
}

/// Open and past lists.
pub(super) async fn all(request: &Request<'_>) -> Reply {
    let account = request.caller()?.account;
    let (start, end): (Option<Time>, Option<Time>) = window(request.parameters)?;
    let from_id = request.parameters.integer("fromId")?.map(OrderListId);
    if from_id.is_some() && (start.is_some() || end.is_some()) {
        return Err(DialectError::optional_combination());
    }
    let limit = request.parameters.limit(500, ROWS_MAX)?;
    let lists = request.past().order_lists(account, &OrderListQuery { from_id, start, end, limit }).await?;
    Ok(rows(request, &lists))
}

fn rows(request: &Request<'_>, lists: &[NamedOrderList]) -> Json {
    let rows: Vec<_> = lists
        .iter()
        .filter_map(|named| {
            let listing = request.directory.listing(named.list.instrument)?;
            Some(row(request, listing, named, None))
        })
        .collect();
    Json::of(&rows)
}
