//! The bodies of events of orders that are not plain, of auctions and of what stops trading. Refuses
//! to know who reads them.

use super::Trade;
use crate::{
    AccountId, AssetId, InstrumentId, OrderId, OrderListId, Price, Quantity, Side, SourceId, Time,
    command::{SetBreaker, SetOrderFilters},
    order::OrderType,
    record::record_struct,
    terms::{Contingency, KillSwitch, OrderListStatus, OrderPhase},
};

record_struct! {
    /// A waiting order was triggered: what it held is released, and from here on it is as an order
    /// that has just come. Trades and a rest or a close follow.
    OrderTriggered {
        /// Which.
        order_id: OrderId,
        /// Whose.
        account: AccountId,
        /// Its limit, or a market order's protection price: what it held at.
        price: Price,
        /// How much of it goes in.
        quantity: Quantity,
        /// Where.
        instrument: InstrumentId,
        /// Buy or sell.
        side: Side,
        /// What kind of order.
        order_type: OrderType,
        /// The last price that triggered it.
        last_price: Price,
    }
}

record_struct! {
    /// A pending order's turn came: the working order of its list is filled.
    OrderActivated {
        /// Which.
        order_id: OrderId,
        /// Whose.
        account: AccountId,
        /// Its limit, or a market order's protection price.
        price: Price,
        /// How much.
        quantity: Quantity,
        /// Where.
        instrument: InstrumentId,
        /// Buy or sell.
        side: Side,
        /// [`OrderPhase::Waiting`]: it holds its funds and waits for its trigger.
        /// [`OrderPhase::Working`]: as an order that has just come; trades, a rest or a close follow.
        phase: OrderPhase,
        /// The last price that triggers it; 0 is none.
        trigger_price: Price,
    }
}

record_struct! {
    /// What an iceberg keeps out of sight changed, and what is held for it. An [`super::OrderRested`]
    /// that follows says the slice that shows.
    ReserveChanged {
        /// Which.
        order_id: OrderId,
        /// Whose.
        account: AccountId,
        /// At which price.
        price: Price,
        /// Out of sight before.
        old: Quantity,
        /// Out of sight now.
        new: Quantity,
        /// Where.
        instrument: InstrumentId,
        /// Buy or sell.
        side: Side,
        /// Zero.
        reserved: [u8; 5],
    }
}

record_struct! {
    /// An order list stands otherwise. Its client order id may follow.
    OrderListChanged {
        /// Which.
        list_id: OrderListId,
        /// Whose.
        account: AccountId,
        /// Where.
        instrument: InstrumentId,
        /// How its orders depend on each other.
        contingency: Contingency,
        /// Where it stands.
        status: OrderListStatus,
        /// Its orders, in the order they were placed in; 0 where there is no third.
        orders: [OrderId; 3],
    }
}

record_struct! {
    /// Two legs hold once: what both hold together differs from the sum by this.
    ListHoldChanged {
        /// Which list.
        list_id: OrderListId,
        /// Whose.
        account: AccountId,
        /// Of what.
        asset: AssetId,
        /// Zero.
        reserved: [u8; 2],
        /// Ledger units more that are held; negative is given back.
        held: i64,
    }
}

record_struct! {
    /// A call auction found its price; its trades follow.
    AuctionHeld {
        /// Where.
        instrument: InstrumentId,
        /// The side of which more was offered at the price; `surplus` says how much.
        surplus_side: Side,
        /// Zero.
        reserved: u8,
        /// The one price of all its trades; 0 when nothing crossed.
        price: Price,
        /// How much trades.
        quantity: Quantity,
        /// How much more one side offered at the price.
        surplus: Quantity,
    }
}

record_struct! {
    /// Two orders at rest traded in an auction. The one that came later is the taker.
    AuctionTrade {
        /// As every trade; its price is the auction's.
        trade: Trade,
        /// At which price the maker's order rested: the difference goes back to a buyer.
        maker_price: Price,
        /// At which price the taker's order rested.
        taker_price: Price,
        /// 1 when nothing is left of the taker's order (of an iceberg: of its slice).
        taker_filled: u8,
        /// Zero.
        reserved: [u8; 7],
    }
}

record_struct! {
    /// A circuit breaker halted an instrument: limit orders rest and nothing matches until the
    /// reopening auction.
    InstrumentHalted {
        /// Which.
        instrument: InstrumentId,
        /// Zero.
        reserved: [u8; 6],
        /// The last price that went beyond the band.
        last_price: Price,
        /// The price of the window it moved from.
        from_price: Price,
        /// When the auction reopens it.
        reopens_at: Time,
    }
}

record_struct! {
    /// An account's kill switch was turned; closes of its orders follow.
    KillSwitchSet {
        /// Whose.
        account: AccountId,
        /// On or off.
        switch: KillSwitch,
        /// Zero.
        reserved: [u8; 3],
    }
}

record_struct! {
    /// An account's cancel timer was set, renewed, lifted, or ran out (closes follow).
    CancelTimerSet {
        /// Whose.
        account: AccountId,
        /// Zero.
        reserved: u32,
        /// When it runs out; [`Time::NEVER`] when there is none any more.
        due_at: Time,
    }
}

record_struct! {
    /// A session ended; closes of its orders follow.
    SessionEnded {
        /// Whose gateway.
        source: SourceId,
        /// Zero.
        reserved: u32,
        /// Which; 0 is all of them.
        session: u64,
    }
}

record_struct! {
    /// The filters of orders that are not plain were set.
    OrderFiltersSet {
        /// As commanded.
        set: SetOrderFilters,
    }
}

record_struct! {
    /// A circuit breaker was set.
    BreakerSet {
        /// As commanded.
        set: SetBreaker,
    }
}
