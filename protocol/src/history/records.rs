//! What an account may look up of its orders: their trades, the matches that self-trade prevention
//! stopped, their amendments, the lists they are in. Refuses to know the orders themselves.

use super::shown_list_client_order_id;
use crate::{
    AccountId, AssetId, ClientOrderId, InstrumentId, OrderId, OrderListId, Price, Quantity,
    SelfTradePrevention, Side, Time, TradeId,
    event::{OrderListChanged, TradePrevented},
    terms::{Contingency, OrderListStatus},
};
use serde::{Deserialize, Serialize};

/// A trade as one of its two sides sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnTrade {
    /// Consecutive within the instrument.
    pub trade_id: TradeId,
    /// The owner's order.
    pub order_id: OrderId,
    /// Where.
    pub instrument: InstrumentId,
    /// At which price.
    pub price: Price,
    /// How much.
    pub quantity: Quantity,
    /// Price × quantity in ledger units of the quote asset.
    pub quote: i64,
    /// In ledger units of `commission_asset`; negative is a rebate.
    pub commission: i64,
    /// The asset received.
    pub commission_asset: AssetId,
    /// When.
    pub time: Time,
    /// The owner's side.
    pub side: Side,
    /// Whether the owner's order rested.
    pub is_maker: bool,
}

/// Two orders that would have traded, as one of their owners sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreventedMatch {
    /// Consecutive over the engine.
    pub prevented_match_id: u64,
    /// Where.
    pub instrument: InstrumentId,
    /// The order that came.
    pub taker_order_id: OrderId,
    /// Whose order came.
    pub taker_account: AccountId,
    /// The side of the order that came.
    pub taker_side: Side,
    /// The order that rested.
    pub maker_order_id: OrderId,
    /// Whose order rested.
    pub maker_account: AccountId,
    /// The mode that applied.
    pub mode: SelfTradePrevention,
    /// At which price they would have traded.
    pub price: Price,
    /// How much.
    pub quantity: Quantity,
    /// When.
    pub time: Time,
}

impl PreventedMatch {
    /// As its event says it.
    pub fn of(event: &TradePrevented, time: Time) -> Self {
        Self {
            prevented_match_id: event.prevented_match_id,
            instrument: event.instrument,
            taker_order_id: event.taker_order_id,
            taker_account: event.taker_account,
            taker_side: event.taker_side,
            maker_order_id: event.maker_order_id,
            maker_account: event.maker_account,
            mode: event.mode,
            price: event.price,
            quantity: event.quantity,
            time,
        }
    }
}

/// An order that became smaller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Amendment {
    /// Where.
    pub instrument: InstrumentId,
    /// Which order.
    pub order_id: OrderId,
    /// Grows over the engine: twice the event's number.
    pub execution_id: u64,
    /// What the order was called before.
    pub name_before: ClientOrderId,
    /// What it is called since.
    pub name: ClientOrderId,
    /// What it asked for before, what had traded included.
    pub quantity_before: Quantity,
    /// What it asks for since.
    pub quantity: Quantity,
    /// When.
    pub time: Time,
}

/// Orders that depend on each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderList {
    /// Its id.
    pub list_id: OrderListId,
    /// What its owner calls it, or what was made for it.
    pub client_order_id: ClientOrderId,
    /// Whose.
    pub account: AccountId,
    /// Where.
    pub instrument: InstrumentId,
    /// How its orders depend on each other.
    pub contingency: Contingency,
    /// Where it stands.
    pub status: OrderListStatus,
    /// When it was placed.
    pub time: Time,
    /// When it last stood otherwise.
    pub update_time: Time,
    /// Its orders, in the order they were placed in; 0 where there is no third.
    pub placed: [OrderId; 3],
    /// What its orders hold together beyond the sum of what each holds, in ledger units of `hold_asset`:
    /// two legs hold once, so it is negative. 0 of a list that is done.
    pub hold: i64,
    /// What `hold` is of.
    pub hold_asset: AssetId,
}

impl OrderList {
    /// The list as an event says it stands; `name` is what its client called it.
    pub fn changed(event: &OrderListChanged, name: Option<ClientOrderId>, time: Time) -> Self {
        Self {
            list_id: event.list_id,
            client_order_id: shown_list_client_order_id(event.list_id, name),
            account: event.account,
            instrument: event.instrument,
            contingency: event.contingency,
            status: event.status,
            time,
            update_time: time,
            placed: event.orders,
            hold: 0,
            hold_asset: AssetId(0),
        }
    }

    /// Its orders, in the order they were placed in.
    pub fn orders(&self) -> &[OrderId] {
        &self.placed[..self.contingency.orders()]
    }

    /// `contingencyType`: `OCO` or `OTO`.
    pub const fn contingency_text(&self) -> &'static str {
        match self.contingency {
            Contingency::OneCancelsOther => "OCO",
            Contingency::OneTriggersOther | Contingency::OneTriggersOneCancelsOther => "OTO",
        }
    }

    /// `listStatusType`.
    pub const fn status_type_text(&self) -> &'static str {
        match self.status {
            OrderListStatus::Started => "EXEC_STARTED",
            OrderListStatus::Updated => "UPDATED",
            OrderListStatus::Done => "ALL_DONE",
        }
    }

    /// `listOrderStatus`.
    pub const fn order_status_text(&self) -> &'static str {
        match self.status {
            OrderListStatus::Started | OrderListStatus::Updated => "EXECUTING",
            OrderListStatus::Done => "ALL_DONE",
        }
    }
}
