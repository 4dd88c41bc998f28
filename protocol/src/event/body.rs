//! The bodies of events: fixed layouts. Each carries what its readers need to know without asking
//! anyone (whose, where, how much), so that [`crate::posting`] can say what it did to balances.

use crate::{
    AccountId, AssetId, HoldId, Instrument, InstrumentId, OrderId, OrderType, Price, Quantity,
    SelfTradePrevention, Side, SourceId, SourceNumber, Time, TimeInForce, TradeId,
    command::{QuantityKind, SetLimits},
    instrument::{FeeRates, Name},
    order::{CloseReason, RestingOrders},
    record::record_struct,
};

record_struct! {
    /// An order is in: it has an id. Trades and a rest or a close follow. The client order id, then
    /// [`crate::terms::AcceptedTerms`] if it is not plain, may follow.
    OrderAccepted {
        /// Its id.
        order_id: OrderId,
        /// Whose.
        account: AccountId,
        /// Its limit: a pegged order's as the core set it; 0 for a market order; the protection price
        /// for a stop-loss or take-profit market order, which has no limit to show.
        price: Price,
        /// Where.
        instrument: InstrumentId,
        /// Buy or sell.
        side: Side,
        /// What kind of order.
        order_type: OrderType,
        /// How long it lives.
        time_in_force: TimeInForce,
        /// What happens against one's own orders.
        self_trade_prevention: SelfTradePrevention,
        /// What `quantity` counts.
        quantity_kind: QuantityKind,
        /// 1 when it rests in the book at once, whole, and no [`OrderRested`] follows; 2 when it holds
        /// as if it did, but waits for its trigger in no book.
        rests: u8,
        /// How much.
        quantity: Quantity,
        /// When a GTD order expires.
        expires_at: Time,
    }
}

record_struct! {
    /// What is left of an order after it traded rests in the book, its funds held.
    OrderRested {
        /// Which.
        order_id: OrderId,
        /// Whose.
        account: AccountId,
        /// At which price.
        price: Price,
        /// How much rests.
        leaves: Quantity,
        /// Where.
        instrument: InstrumentId,
        /// Buy or sell.
        side: Side,
        /// Zero.
        reserved: [u8; 5],
    }
}

record_struct! {
    /// Two orders traded.
    Trade {
        /// Consecutive within the instrument.
        trade_id: TradeId,
        /// Fills of one taker at one price share it; consecutive within the instrument.
        aggregate_id: u64,
        /// The order that rested.
        maker_order_id: OrderId,
        /// The order that came.
        taker_order_id: OrderId,
        /// Whose order rested.
        maker_account: AccountId,
        /// Whose order came.
        taker_account: AccountId,
        /// The resting order's price.
        price: Price,
        /// Where.
        instrument: InstrumentId,
        /// The side of the order that came.
        taker_side: Side,
        /// 1 when nothing is left of the resting order.
        maker_filled: u8,
        /// How much.
        quantity: Quantity,
        /// Ledger units of the asset the maker receives; negative is a rebate.
        maker_fee: i64,
        /// Ledger units of the asset the taker receives.
        taker_fee: i64,
    }
}

record_struct! {
    /// An order left without being filled whole; what it held is released. The name of the
    /// request may follow.
    OrderClosed {
        /// Which.
        order_id: OrderId,
        /// Whose.
        account: AccountId,
        /// Its limit; 0 for a market order.
        price: Price,
        /// What was left: base units, or ledger units of the quote for a market order by quote.
        leaves: Quantity,
        /// Where.
        instrument: InstrumentId,
        /// Buy or sell.
        side: Side,
        /// Why.
        reason: CloseReason,
        /// 1 when it rested in the book, and so held funds; 2 when it waited for its trigger and held
        /// funds; 0 when it held none.
        rested: u8,
        /// Zero.
        reserved: [u8; 3],
    }
}

record_struct! {
    /// An open order became smaller and kept its place. Its new name may follow.
    OrderAmended {
        /// Which.
        order_id: OrderId,
        /// Whose.
        account: AccountId,
        /// At which price.
        price: Price,
        /// What was left before.
        old_leaves: Quantity,
        /// What is left now.
        new_leaves: Quantity,
        /// Where.
        instrument: InstrumentId,
        /// Buy or sell.
        side: Side,
        /// 1 when it waits for its trigger, or for its list, in no book.
        waits: u8,
        /// 1 when it holds nothing: it waits for its list.
        holds_nothing: u8,
        /// Zero.
        reserved: [u8; 3],
    }
}

record_struct! {
    /// Self-trade prevention stood between two orders.
    TradePrevented {
        /// Consecutive from 1 over the engine.
        prevented_match_id: u64,
        /// The resting order.
        maker_order_id: OrderId,
        /// The incoming order.
        taker_order_id: OrderId,
        /// Whose order rested.
        maker_account: AccountId,
        /// Whose order came.
        taker_account: AccountId,
        /// The resting order's price.
        price: Price,
        /// Where.
        instrument: InstrumentId,
        /// The side of the incoming order.
        taker_side: Side,
        /// The mode that applied.
        mode: SelfTradePrevention,
        /// What did not trade.
        quantity: Quantity,
        /// Taken from the resting order without a trade, its funds released (mode Decrement).
        maker_decrement: Quantity,
    }
}

record_struct! {
    /// Money moved between two accounts' available balances.
    Transferred {
        /// From whom.
        account: AccountId,
        /// To whom.
        to: AccountId,
        /// Of what.
        asset: AssetId,
        /// Zero.
        reserved: [u8; 6],
        /// Ledger units.
        amount: i64,
        /// The sender's business key.
        reference: [u64; 2],
    }
}

record_struct! {
    /// Money was set aside.
    HoldOpened {
        /// The hold.
        hold_id: HoldId,
        /// Whose.
        account: AccountId,
        /// What for; the sender's code.
        purpose: u32,
        /// Ledger units.
        amount: i64,
        /// When it expires by itself.
        expires_at: Time,
        /// The sender's business key.
        reference: [u64; 2],
        /// Of what.
        asset: AssetId,
        /// Zero.
        reserved: [u8; 6],
    }
}

record_struct! {
    /// Money set aside went to another account.
    HoldCaptured {
        /// The hold.
        hold_id: HoldId,
        /// Whose it was.
        account: AccountId,
        /// To whom.
        to: AccountId,
        /// Ledger units captured.
        amount: i64,
        /// Ledger units given back to the owner with it.
        released: i64,
        /// The sender's business key.
        reference: [u64; 2],
        /// Of what.
        asset: AssetId,
        /// 1 when the hold is closed.
        closed: u8,
        /// Zero.
        reserved: [u8; 5],
    }
}

record_struct! {
    /// Money set aside went back to its owner.
    HoldReleased {
        /// The hold.
        hold_id: HoldId,
        /// Whose.
        account: AccountId,
        /// Of what.
        asset: AssetId,
        /// 1 when the hold is closed.
        closed: u8,
        /// 1 when its time came.
        expired: u8,
        /// Ledger units.
        amount: i64,
        /// The sender's business key; 0 when the hold expired.
        reference: [u64; 2],
    }
}

record_struct! {
    /// A hold's expiry moved.
    HoldExtended {
        /// The hold.
        hold_id: HoldId,
        /// Whose.
        account: AccountId,
        /// Zero.
        reserved: u32,
        /// When it expires now.
        expires_at: Time,
    }
}

record_struct! {
    /// An account was opened.
    AccountOpened {
        /// Its id.
        account: AccountId,
        /// Its trade group; 0 is none.
        trade_group: u32,
        /// Its fee tier.
        fee_tier: u8,
        /// Zero.
        reserved: [u8; 7],
    }
}

record_struct! {
    /// An account was suspended.
    AccountSuspended {
        /// Which.
        account: AccountId,
        /// What becomes of its resting orders; their closes follow.
        resting_orders: RestingOrders,
        /// Zero.
        reserved: [u8; 3],
    }
}

record_struct! {
    /// A suspended account goes on.
    AccountResumed {
        /// Which.
        account: AccountId,
        /// Zero.
        reserved: u32,
    }
}

record_struct! {
    /// An account's limits were set.
    LimitsSet {
        /// As commanded.
        limits: SetLimits,
    }
}

record_struct! {
    /// An asset was created, and the external account that stands for the world outside.
    AssetCreated {
        /// Its id.
        asset: AssetId,
        /// A ledger unit is 10^-scale.
        scale: u8,
        /// Zero.
        reserved: u8,
        /// The account that stands for the world outside; its balance is negative.
        external: AccountId,
        /// What it is called.
        name: Name,
        /// The most there may ever be, in ledger units.
        max_supply: i64,
    }
}

record_struct! {
    /// An instrument was created.
    InstrumentCreated {
        /// All of it.
        instrument: Instrument,
    }
}

record_struct! {
    /// An instrument was changed.
    InstrumentChanged {
        /// All of it, as it is now.
        instrument: Instrument,
    }
}

record_struct! {
    /// A fee tier's rates were set.
    FeeTierSet {
        /// Where; 0 is in every instrument there is.
        instrument: InstrumentId,
        /// Which tier.
        tier: u8,
        /// Zero.
        reserved: u8,
        /// The rates.
        rates: FeeRates,
        /// Zero.
        reserved_2: u32,
    }
}

record_struct! {
    /// An account was put on a fee tier.
    FeeTierAssigned {
        /// Whose.
        account: AccountId,
        /// Which tier.
        tier: u8,
        /// Zero.
        reserved: [u8; 3],
    }
}

record_struct! {
    /// A newer version of the rules is in force from the next command on.
    RulesActivated {
        /// The version.
        version: u32,
        /// Zero.
        reserved: u32,
    }
}

record_struct! {
    /// A source that was stopped goes on.
    SourceResumed {
        /// Which.
        source: SourceId,
        /// Zero.
        reserved: u32,
        /// The number that must come next from it.
        next: SourceNumber,
    }
}
