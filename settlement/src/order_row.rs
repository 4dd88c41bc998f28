//! An order as a row: the one place that knows which column holds what, both ways. Refuses to know how an
//! order changes.

use crate::rows::Rows;
use database::{DatabaseError, Row};
use protocol::{
    AccountId, ClientOrderId, InstrumentId, OrderId, OrderListId, OrderTerms, Price, Quantity, Sequence,
    Time,
    history::{Order, OrderStatus, Prevention, order_named, shown_client_order_id},
    terms::PegPrice,
};
use zerocopy::TryFromBytes;

/// An order, and the commands that made and last changed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct KeptOrder {
    pub(crate) order: Order,
    pub(crate) sequence: Sequence,
    pub(crate) updated_sequence: Sequence,
}

/// The name to keep: none of one that is made from the order's id.
pub(crate) fn kept_name(order_id: OrderId, shown: ClientOrderId) -> Option<String> {
    (order_named(&shown) != Some(order_id)).then(|| shown.as_str().to_owned())
}

/// The name to show for what is kept.
pub(crate) fn shown_name(
    row: &Row,
    column: &'static str,
    order_id: OrderId,
) -> Result<ClientOrderId, DatabaseError> {
    Ok(shown_client_order_id(order_id, name(row, column)?))
}

pub(crate) fn add(rows: &mut Rows, kept: &KeptOrder) {
    let order = &kept.order;
    let terms = &order.terms;
    let some = |value: i64| (value != 0).then_some(value);
    let time = |time: Time| some(time.0 as i64);
    let prevention = order.last_prevention.as_ref();
    rows.add()
        .integer(order.order_id.0 as i64)
        .integer(order.account.0.into())
        .integer(order.instrument.0.into())
        .integer(order.side as i64)
        .integer(order.order_type as i64)
        .integer(order.time_in_force as i64)
        .integer(order.self_trade_prevention as i64)
        .integer(order.quantity_kind as i64)
        .integer(order.status as i64)
        .integer(order.phase as i64)
        .integer(order.is_resting.into())
        .optional(order.close_reason.map(|reason| reason as i64))
        .integer(order.price.0.into())
        .integer(order.hold_price.0.into())
        .integer(order.asked.0 as i64)
        .integer(order.executed.0 as i64)
        .integer(order.cumulative_quote)
        .integer(order.leaves.0 as i64)
        .integer(order.hidden.0 as i64)
        .integer(order.prevented.0 as i64)
        .integer(order.time.0 as i64)
        .integer(order.update_time.0 as i64)
        .optional(order.working_time.map(|time| time.0 as i64))
        .optional(time(order.expires_at))
        .integer(kept.sequence.0 as i64)
        .integer(kept.updated_sequence.0 as i64)
        .optional_text(kept_name(order.order_id, order.client_order_id))
        .optional(some(order.list_id.0 as i64))
        .optional(some(terms.stop_price.0.into()))
        .optional(some(terms.trailing_delta.into()))
        .optional(order.trailing_since.map(|time| time.0 as i64))
        .optional(some(order.trigger_price.0.into()))
        .optional(some(terms.visible_quantity.0 as i64))
        .optional(some(terms.session as i64))
        .optional(some(terms.strategy_id))
        .optional(some(terms.strategy_type.into()))
        .optional((terms.peg != PegPrice::None).then_some(terms.peg as i64))
        .optional(some(terms.peg_offset.into()))
        .optional(prevention.map(|one| one.prevented_match_id as i64))
        .optional(prevention.map(|one| one.counter_order_id.0 as i64))
        .optional(prevention.map(|one| one.quantity.0 as i64))
        .optional(prevention.map(|one| one.price.0.into()))
        .end();
}

pub(crate) fn read(row: &Row) -> Result<KeptOrder, DatabaseError> {
    let order_id = OrderId(number(row, "order_id")?);
    let or_zero = |column| Ok::<_, DatabaseError>(row.optional_integer(column)?.unwrap_or(0));
    let last_prevention = match row.optional_integer("prevented_match_id")? {
        None => None,
        Some(id) => Some(Prevention {
            prevented_match_id: id as u64,
            counter_order_id: OrderId(number(row, "prevented_order_id")?),
            quantity: Quantity(number(row, "prevented_quantity")?),
            price: Price(number(row, "prevented_price")?),
        }),
    };
    let status: usize = number(row, "status")?;
    let order = Order {
        order_id,
        client_order_id: shown_name(row, "client_order_id", order_id)?,
        account: AccountId(number(row, "account")?),
        instrument: InstrumentId(number(row, "instrument")?),
        side: word(row, "side")?,
        order_type: word(row, "order_type")?,
        time_in_force: word(row, "time_in_force")?,
        self_trade_prevention: word(row, "self_trade_prevention")?,
        price: Price(number(row, "price")?),
        hold_price: Price(number(row, "hold_price")?),
        asked: Quantity(number(row, "quantity")?),
        quantity_kind: word(row, "quantity_kind")?,
        executed: Quantity(number(row, "executed")?),
        cumulative_quote: row.integer("quote_executed")?,
        leaves: Quantity(number(row, "leaves")?),
        hidden: Quantity(number(row, "hidden")?),
        prevented: Quantity(number(row, "prevented")?),
        is_resting: row.integer("is_resting")? == 1,
        last_prevention,
        status: *OrderStatus::ALL.get(status).ok_or_else(|| out_of_range("status"))?,
        close_reason: row.optional_integer("close_reason")?.map(|_| word(row, "close_reason")).transpose()?,
        time: Time(number(row, "created_at")?),
        update_time: Time(number(row, "updated_at")?),
        working_time: row.optional_integer("working_at")?.map(|time| Time(time as u64)),
        expires_at: Time(or_zero("expires_at")? as u64),
        terms: OrderTerms {
            stop_price: Price(or_zero("stop_price")? as u32),
            trailing_delta: or_zero("trailing_delta")? as u32,
            visible_quantity: Quantity(or_zero("visible_quantity")? as u64),
            session: or_zero("session")? as u64,
            strategy_id: or_zero("strategy_id")?,
            strategy_type: or_zero("strategy_type")? as u32,
            peg: row.optional_integer("peg")?.map_or(Ok(PegPrice::None), |_| word(row, "peg"))?,
            peg_offset: or_zero("peg_offset")? as u8,
            ..OrderTerms::NONE
        },
        list_id: OrderListId(or_zero("list_id")? as u64),
        trailing_since: row.optional_integer("trailing_since")?.map(|time| Time(time as u64)),
        trigger_price: Price(or_zero("trigger_price")? as u32),
        phase: word(row, "phase")?,
    };
    Ok(KeptOrder {
        order,
        sequence: Sequence(number(row, "sequence")?),
        updated_sequence: Sequence(number(row, "updated_sequence")?),
    })
}

/// A whole number of the type it is kept as.
pub(crate) fn number<T: TryFrom<i64>>(row: &Row, column: &'static str) -> Result<T, DatabaseError> {
    T::try_from(row.integer(column)?).map_err(|_| out_of_range(column))
}

/// One of `protocol`'s words, by its number.
pub(crate) fn word<T: TryFromBytes>(row: &Row, column: &'static str) -> Result<T, DatabaseError> {
    let byte: u8 = number(row, column)?;
    T::try_read_from_bytes(&[byte]).map_err(|_| out_of_range(column))
}

/// A client's name for an order or a list.
pub(crate) fn name(row: &Row, column: &'static str) -> Result<Option<ClientOrderId>, DatabaseError> {
    let text = row.optional_text(column)?;
    text.map(|text| ClientOrderId::parse(&text).ok_or_else(|| out_of_range(column))).transpose()
}

pub(crate) fn out_of_range(column: &'static str) -> DatabaseError {
    DatabaseError::Column { column, reason: "it holds what it cannot hold".to_owned() }
}
