//! One order as its owner sees it. Refuses to know JSON and other orders.

use super::names::shown_client_order_id;
use crate::{
    AccountId, ClientOrderId, InstrumentId, OrderId, OrderListId, OrderTerms, OrderType, Price, Quantity,
    SelfTradePrevention, Side, Time, TimeInForce,
    command::QuantityKind,
    event::{OrderAccepted, OrderActivated},
    order::CloseReason,
    terms::{AcceptedTerms, OrderPhase, PegPrice},
};
use serde::{Deserialize, Serialize};

/// Where an order stands, in the dialect's words (§9). A refused order is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum OrderStatus {
    /// Open, in its list, and waiting for the list's working order to be filled.
    PendingNew,
    /// Open, nothing traded.
    New,
    /// Open, part of it traded.
    PartiallyFilled,
    /// All of it traded.
    Filled,
    /// Cancelled by its owner or the operator; part of it may have traded.
    Canceled,
    /// Ended by its own terms (IOC, FOK, GTD, protection price); part of it may have traded.
    Expired,
    /// Ended by self-trade prevention.
    ExpiredInMatch,
}

impl OrderStatus {
    /// Every status.
    pub const ALL: [Self; 7] = [
        Self::PendingNew,
        Self::New,
        Self::PartiallyFilled,
        Self::Filled,
        Self::Canceled,
        Self::Expired,
        Self::ExpiredInMatch,
    ];

    /// As clients are sent it.
    pub const fn text(self) -> &'static str {
        match self {
            Self::PendingNew => "PENDING_NEW",
            Self::New => "NEW",
            Self::PartiallyFilled => "PARTIALLY_FILLED",
            Self::Filled => "FILLED",
            Self::Canceled => "CANCELED",
            Self::Expired => "EXPIRED",
            Self::ExpiredInMatch => "EXPIRED_IN_MATCH",
        }
    }

    /// Whether the order can still trade.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::PendingNew | Self::New | Self::PartiallyFilled)
    }
}

/// What self-trade prevention last did to an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prevention {
    /// Which prevented match.
    pub prevented_match_id: u64,
    /// The order on the other side.
    pub counter_order_id: OrderId,
    /// What did not trade, in quantity units.
    pub quantity: Quantity,
    /// At which price it would have.
    pub price: Price,
}

/// An order, all of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// Its id.
    pub order_id: OrderId,
    /// What its owner calls it, or what [`super::shown_client_order_id`] made.
    pub client_order_id: ClientOrderId,
    /// Whose.
    pub account: AccountId,
    /// Where.
    pub instrument: InstrumentId,
    /// Buy or sell.
    pub side: Side,
    /// What kind of order.
    pub order_type: OrderType,
    /// How long it lives; clients are shown GTC for a market order.
    pub time_in_force: TimeInForce,
    /// What happens against one's own orders.
    pub self_trade_prevention: SelfTradePrevention,
    /// Its limit; 0 for one that has none. A pegged order's as it was set when it came.
    pub price: Price,
    /// The price that what it holds is reckoned at: its limit, or the protection price.
    pub hold_price: Price,
    /// What was asked for: base quantity units, or quote ledger units, as `quantity_kind` says.
    /// An amend changes it.
    pub asked: Quantity,
    /// What `asked` counts.
    pub quantity_kind: QuantityKind,
    /// What has traded, in base quantity units.
    pub executed: Quantity,
    /// What has been paid or received, in ledger units of the quote asset, before fees.
    pub cumulative_quote: i64,
    /// What can still trade, in base quantity units; 0 for an order by quote quantity.
    pub leaves: Quantity,
    /// What of `leaves` an iceberg keeps out of sight.
    pub hidden: Quantity,
    /// What self-trade prevention kept from trading, in base quantity units.
    pub prevented: Quantity,
    /// Whether it is in the book.
    pub is_resting: bool,
    /// What self-trade prevention last did.
    pub last_prevention: Option<Prevention>,
    /// Where it stands.
    pub status: OrderStatus,
    /// Why it left without being filled.
    pub close_reason: Option<CloseReason>,
    /// When it was accepted.
    pub time: Time,
    /// When it last changed.
    pub update_time: Time,
    /// When it began to work: what the dialect calls `workingTime`. `None` while it waits.
    pub working_time: Option<Time>,
    /// When a GTD order expires; [`Time::NEVER`] otherwise.
    pub expires_at: Time,
    /// What it asks beyond its price and quantity; [`OrderTerms::NONE`] of a plain order.
    pub terms: OrderTerms,
    /// Its list; 0 is none.
    pub list_id: OrderListId,
    /// Since when its trigger follows the price, if it does from the beginning.
    pub trailing_since: Option<Time>,
    /// The last price that triggers it, as it stood when it began to wait; 0 is none.
    pub trigger_price: Price,
    /// Whether it works, or for what it waits.
    pub phase: OrderPhase,
}

impl Order {
    /// An order as it is accepted; `terms` is what is said of one that is not plain.
    pub fn accepted(
        event: &OrderAccepted,
        name: Option<ClientOrderId>,
        terms: Option<AcceptedTerms>,
        time: Time,
    ) -> Self {
        let leaves = match event.quantity_kind {
            QuantityKind::Base => event.quantity,
            QuantityKind::Quote => Quantity::ZERO,
        };
        let phase = terms.map_or(OrderPhase::Working, |terms| terms.phase);
        Self {
            order_id: event.order_id,
            client_order_id: shown_client_order_id(event.order_id, name),
            account: event.account,
            instrument: event.instrument,
            side: event.side,
            order_type: event.order_type,
            time_in_force: event.time_in_force,
            self_trade_prevention: event.self_trade_prevention,
            price: if event.order_type.is_market() { Price(0) } else { event.price },
            hold_price: event.price,
            asked: event.quantity,
            quantity_kind: event.quantity_kind,
            executed: Quantity::ZERO,
            cumulative_quote: 0,
            leaves,
            hidden: Quantity::ZERO,
            prevented: Quantity::ZERO,
            is_resting: event.rests == 1,
            last_prevention: None,
            status: if phase == OrderPhase::Pending { OrderStatus::PendingNew } else { OrderStatus::New },
            close_reason: None,
            time,
            update_time: time,
            working_time: (phase == OrderPhase::Working).then_some(time),
            expires_at: event.expires_at,
            terms: terms.map_or(OrderTerms::NONE, |terms| terms.terms),
            list_id: terms.map_or(OrderListId(0), |terms| terms.list_id),
            trailing_since: terms.and_then(|terms| trails_at_once(&terms).then_some(time)),
            trigger_price: terms.map_or(Price(0), |terms| terms.trigger_price),
            phase,
        }
    }

    /// It rests in the book, `shown` of it in sight.
    pub fn rest(&mut self, shown: Quantity) {
        self.leaves = Quantity(shown.0 + self.hidden.0);
        self.is_resting = true;
    }

    /// Its trigger was reached: from now on it is as one that has just come.
    pub fn trigger(&mut self, time: Time) {
        self.phase = OrderPhase::Working;
        self.working_time = Some(time);
        self.update_time = time;
    }

    /// The working order of its list is filled, and its turn has come.
    pub fn activate(&mut self, event: &OrderActivated, time: Time) {
        self.phase = event.phase;
        self.status = OrderStatus::New;
        self.hold_price = event.price;
        self.trigger_price = event.trigger_price;
        self.working_time = (event.phase == OrderPhase::Working).then_some(time);
        self.update_time = time;
    }

    /// Takes in a trade of this order. `ends` says that nothing more of it will trade although
    /// something is left: a market order by quote quantity, less than one lot short.
    pub fn trade(&mut self, quantity: Quantity, quote: i64, ends: bool, time: Time) {
        self.executed.0 += quantity.0;
        self.cumulative_quote += quote;
        self.leaves.0 = self.leaves.0.saturating_sub(quantity.0);
        self.update_time = time;
        let filled = match self.quantity_kind {
            QuantityKind::Base => self.leaves.0 == 0,
            QuantityKind::Quote => ends || self.cumulative_quote >= self.asked.0 as i64,
        };
        self.status = if filled { OrderStatus::Filled } else { OrderStatus::PartiallyFilled };
        self.is_resting &= !filled;
    }

    /// Takes in a prevented match, which took `decrement` from what is left.
    pub fn prevent(&mut self, prevention: Prevention, decrement: Quantity, time: Time) {
        self.last_prevention = Some(prevention);
        self.prevented.0 += prevention.quantity.0;
        self.update_time = time;
        if decrement.0 > 0 {
            self.leaves.0 = self.leaves.0.saturating_sub(decrement.0);
            if self.leaves.0 == 0 {
                self.close(CloseReason::SelfTrade, time);
            }
        }
    }

    /// Ends it unfilled.
    pub fn close(&mut self, reason: CloseReason, time: Time) {
        self.status = match reason {
            CloseReason::Cancelled
            | CloseReason::Replaced
            | CloseReason::AccountSuspended
            | CloseReason::ByOperator
            | CloseReason::Delisted
            | CloseReason::CancelTimer
            | CloseReason::KillSwitch
            | CloseReason::SessionClosed => OrderStatus::Canceled,
            CloseReason::NoMoreLiquidity
            | CloseReason::NotFillableWhole
            | CloseReason::TimeReached
            | CloseReason::ProtectionPrice
            | CloseReason::LessThanOneLot
            | CloseReason::ListContingency
            | CloseReason::InsufficientBalance
            | CloseReason::WouldTake => OrderStatus::Expired,
            CloseReason::SelfTrade => OrderStatus::ExpiredInMatch,
        };
        self.close_reason = Some(reason);
        self.leaves = Quantity::ZERO;
        self.hidden = Quantity::ZERO;
        self.is_resting = false;
        self.update_time = time;
    }

    /// `origQty`: base quantity units. Of an order by quote quantity, what it has bought or sold.
    pub const fn original_quantity(&self) -> Quantity {
        match self.quantity_kind {
            QuantityKind::Base => self.asked,
            QuantityKind::Quote => self.executed,
        }
    }

    /// `origQuoteOrderQty`: ledger units of the quote asset; 0 for an order by base quantity.
    pub const fn original_quote_quantity(&self) -> i64 {
        match self.quantity_kind {
            QuantityKind::Base => 0,
            QuantityKind::Quote => self.asked.0 as i64, // at most the largest supply, 2^62
        }
    }

    /// Whether it can trade now: `isWorking`.
    pub const fn is_working(&self) -> bool {
        self.status.is_open() && matches!(self.phase, OrderPhase::Working)
    }

    /// `stopPrice`: what its owner said, or, of a trailing order without, where its trigger stood when
    /// it began to wait; 0 of one that has no trigger.
    pub const fn stop_price(&self) -> Price {
        if self.terms.stop_price.0 > 0 { self.terms.stop_price } else { self.trigger_price }
    }

    /// `orderListId`: -1 of an order that is in no list.
    pub const fn shown_list_id(&self) -> i64 {
        if self.list_id.0 == 0 { -1 } else { self.list_id.0 as i64 } // ids fit 53 bits
    }

    /// What of it is in the book.
    pub const fn shown(&self) -> Quantity {
        Quantity(self.leaves.0.saturating_sub(self.hidden.0))
    }

    /// Whether funds are held for what is left of it.
    pub const fn holds(&self) -> bool {
        self.is_resting || (self.status.is_open() && matches!(self.phase, OrderPhase::Waiting))
    }
}

/// Whether a trailing order trails as it comes, and not from its stop price on.
const fn trails_at_once(terms: &AcceptedTerms) -> bool {
    terms.terms.trailing_delta > 0
        && terms.terms.stop_price.0 == 0
        && matches!(terms.phase, OrderPhase::Waiting)
}

/// An order's words as the dialect writes them (§5).
pub mod words {
    use super::{
        CloseReason, Order, OrderPhase, OrderType, PegPrice, SelfTradePrevention, Side, TimeInForce,
    };

    /// `BUY` or `SELL`.
    pub const fn side(side: Side) -> &'static str {
        match side {
            Side::Buy => "BUY",
            Side::Sell => "SELL",
        }
    }

    /// As the dialect names it: `LIMIT`, `STOP_LOSS_LIMIT` …
    pub const fn order_type(order_type: OrderType) -> &'static str {
        match order_type {
            OrderType::Limit => "LIMIT",
            OrderType::Market => "MARKET",
            OrderType::LimitMaker => "LIMIT_MAKER",
            OrderType::StopLoss => "STOP_LOSS",
            OrderType::StopLossLimit => "STOP_LOSS_LIMIT",
            OrderType::TakeProfit => "TAKE_PROFIT",
            OrderType::TakeProfitLimit => "TAKE_PROFIT_LIMIT",
        }
    }

    /// `GTC`, `IOC`, `FOK`, `GTD`; of a market order always `GTC`.
    pub const fn time_in_force(order_type: OrderType, time_in_force: TimeInForce) -> &'static str {
        match (order_type, time_in_force) {
            (OrderType::Market | OrderType::StopLoss | OrderType::TakeProfit, _)
            | (_, TimeInForce::GoodTillCancel) => "GTC",
            (_, TimeInForce::ImmediateOrCancel) => "IOC",
            (_, TimeInForce::FillOrKill) => "FOK",
            (_, TimeInForce::GoodTillDate) => "GTD",
        }
    }

    /// `NONE`, `EXPIRE_TAKER`, `EXPIRE_MAKER`, `EXPIRE_BOTH`, `DECREMENT`.
    pub const fn self_trade_prevention(mode: SelfTradePrevention) -> &'static str {
        match mode {
            SelfTradePrevention::None => "NONE",
            SelfTradePrevention::ExpireTaker => "EXPIRE_TAKER",
            SelfTradePrevention::ExpireMaker => "EXPIRE_MAKER",
            SelfTradePrevention::ExpireBoth => "EXPIRE_BOTH",
            SelfTradePrevention::Decrement => "DECREMENT",
        }
    }

    /// `PRIMARY_PEG`, `MARKET_PEG`; empty of an order that is not pegged.
    pub const fn peg_price(peg: PegPrice) -> &'static str {
        match peg {
            PegPrice::None => "",
            PegPrice::Primary => "PRIMARY_PEG",
            PegPrice::Market => "MARKET_PEG",
        }
    }

    /// Why an order expired, where the dialect has a word for it.
    pub const fn expiry_reason(order: &Order) -> Option<&'static str> {
        let Some(reason) = order.close_reason else { return None };
        match reason {
            CloseReason::NoMoreLiquidity if order.order_type.is_market() => Some("INSUFFICIENT_LIQUIDITY"),
            CloseReason::NoMoreLiquidity => Some("UNFILLED_IOC_QUANTITY_EXPIRED"),
            CloseReason::NotFillableWhole => Some("UNFILLED_FOK_ORDER_EXPIRED"),
            CloseReason::ProtectionPrice => Some("EXECUTION_RULE_PRICE_RANGE_EXCEEDED"),
            CloseReason::ListContingency if matches!(order.phase, OrderPhase::Pending) => {
                Some("OTO_PHASE_ONE_EXPIRED")
            }
            CloseReason::ListContingency => Some("OCO_TRIGGER"),
            CloseReason::InsufficientBalance | CloseReason::WouldTake => Some("REJECTED"),
            _ => None,
        }
    }
}
