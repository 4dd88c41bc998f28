//! The bodies of commands: fixed layouts, read and written as they stand. Refuses to know what a
//! command does. Every field's unit is said; reserved fields are zero and free for later versions.

use crate::{
    AccountId, AssetId, Instrument, InstrumentId, OrderId, OrderType, Price, Quantity, SelfTradePrevention,
    Side, SourceId, Time, TimeInForce,
    instrument::{FeeRates, Name},
    order::{CancelRestriction, CloseReason, ReplaceMode, RestingOrders},
    record::record_struct,
};
use zerocopy::{Immutable, IntoBytes, KnownLayout, TryFromBytes};

/// What an order's quantity counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[derive(TryFromBytes, IntoBytes, Immutable, KnownLayout, serde::Serialize, serde::Deserialize)]
#[repr(u8)]
pub enum QuantityKind {
    /// Quantity units of the base asset.
    Base = 0,
    /// Ledger units of the quote asset; market orders only.
    Quote = 1,
}

record_struct! {
    /// Places an order. Its client order id, then its [`crate::OrderTerms`], may follow.
    PlaceOrder {
        /// Whose order.
        account: AccountId,
        /// Where.
        instrument: InstrumentId,
        /// Buy or sell.
        side: Side,
        /// What kind of order.
        order_type: OrderType,
        /// How long it lives; market orders are immediate whatever this says.
        time_in_force: TimeInForce,
        /// What happens against one's own orders.
        self_trade_prevention: SelfTradePrevention,
        /// What `quantity` counts.
        quantity_kind: QuantityKind,
        /// What follows: see [`crate::command::HAS_FIRST_ID`] and [`crate::command::HAS_TERMS`].
        ids: u8,
        /// The limit; 0 for a market or a pegged order.
        price: Price,
        /// How much.
        quantity: Quantity,
        /// When a GTD order expires; [`Time::NEVER`] otherwise.
        expires_at: Time,
    }
}

record_struct! {
    /// Cancels an open order. The order's client order id, then the request's own, may follow.
    CancelOrder {
        /// Whose order.
        account: AccountId,
        /// Where.
        instrument: InstrumentId,
        /// In which state the order must be.
        restriction: CancelRestriction,
        /// Which client order ids follow.
        ids: u8,
        /// Which order; 0 when it is named by its client order id. With both, both must agree.
        order_id: OrderId,
    }
}

record_struct! {
    /// Cancels an order and places another. The cancel's ids, then the new order's id, then its
    /// [`crate::OrderTerms`], may follow.
    CancelReplace {
        /// What to cancel.
        cancel: CancelOrder,
        /// What to place.
        order: PlaceOrder,
        /// What a failed cancel means for the new order.
        mode: ReplaceMode,
        /// Zero.
        reserved: [u8; 7],
    }
}

record_struct! {
    /// Makes an open order smaller; it keeps its place. The order's client order id, then its new
    /// one, may follow.
    AmendOrder {
        /// Whose order.
        account: AccountId,
        /// Where.
        instrument: InstrumentId,
        /// Which client order ids follow.
        ids: u8,
        /// Zero.
        reserved: u8,
        /// Which order; 0 when it is named by its client order id.
        order_id: OrderId,
        /// The order's new quantity, what has traded included.
        new_quantity: Quantity,
    }
}

record_struct! {
    /// Cancels every open order of an account, in one instrument or in all.
    CancelAll {
        /// Whose orders.
        account: AccountId,
        /// Where; 0 is everywhere.
        instrument: InstrumentId,
        /// Said in each order's close.
        reason: CloseReason,
        /// Zero.
        reserved: u8,
    }
}

record_struct! {
    /// Opens an account; the outcome says its id.
    OpenAccount {
        /// Accounts of one firm share a group, which self-trade prevention treats as one; 0 is none.
        trade_group: u32,
        /// Which fees it pays, 0 to 15.
        fee_tier: u8,
        /// Zero.
        reserved: [u8; 3],
    }
}

record_struct! {
    /// Stops an account's outgoing moves and new orders.
    SuspendAccount {
        /// Which.
        account: AccountId,
        /// What becomes of its resting orders.
        resting_orders: RestingOrders,
        /// Zero.
        reserved: [u8; 3],
    }
}

record_struct! {
    /// Lets a suspended account go on.
    ResumeAccount {
        /// Which.
        account: AccountId,
        /// Zero.
        reserved: u32,
    }
}

record_struct! {
    /// Limits what an account may have open (C-TRD-03). 0 lifts a limit.
    SetLimits {
        /// Whose limits.
        account: AccountId,
        /// The quote asset in which the notionals are counted.
        asset: AssetId,
        /// Zero.
        reserved: u16,
        /// Open orders, over all instruments.
        max_open_orders: u32,
        /// Zero.
        reserved_2: u32,
        /// Largest price × quantity of one order, in ledger units of `asset`.
        max_order_notional: i64,
        /// Largest sum of price × leaves over open orders, in ledger units of `asset`.
        max_open_notional: i64,
    }
}

record_struct! {
    /// Creates an asset and the external account that stands for the world outside; the outcome
    /// says the asset's id.
    CreateAsset {
        /// What it is called.
        name: Name,
        /// A ledger unit is 10^-scale; 0 to 8.
        scale: u8,
        /// Zero.
        reserved: [u8; 7],
        /// The most there may ever be, in ledger units; at most 2^62.
        max_supply: i64,
    }
}

record_struct! {
    /// Creates an instrument; the outcome says its id.
    CreateInstrument {
        /// The definition; `id`, `quote_per_unit` and `base_per_unit` are the core's to fill in.
        instrument: Instrument,
    }
}

/// Which parts a [`ChangeInstrument`] changes.
pub mod change {
    /// The status.
    pub const STATUS: u8 = 1;
    /// The filters, but for the reference price.
    pub const FILTERS: u8 = 2;
    /// The fees of tier 0 and the default self-trade prevention.
    pub const FEES: u8 = 4;
    /// The reference price.
    pub const REFERENCE_PRICE: u8 = 8;
    /// With [`STATUS`]: opens though the book is crossed. What crosses stays until a new order takes it.
    pub const LEAVE_CROSSED: u8 = 16;
    /// With [`STATUS`]: a call auction uncrosses the book before it opens.
    pub const AUCTION: u8 = 32;
}

record_struct! {
    /// Changes parts of an instrument; resting orders stay.
    ChangeInstrument {
        /// Which.
        instrument: InstrumentId,
        /// Which parts: bits of [`change`].
        parts: u8,
        /// Zero.
        reserved: [u8; 5],
        /// Where the parts are taken from.
        definition: Instrument,
    }
}

record_struct! {
    /// Sets the rates of a fee tier. A maker's may be negative.
    SetFeeTier {
        /// Where; 0 is in every instrument there is.
        instrument: InstrumentId,
        /// Which tier, 0 to 15.
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
    /// Puts an account on a fee tier.
    AssignFeeTier {
        /// Whose.
        account: AccountId,
        /// Which tier, 0 to 15.
        tier: u8,
        /// Zero.
        reserved: [u8; 3],
    }
}

record_struct! {
    /// Lets a source go on that was stopped because a number of its came again with another content.
    /// Its numbers go on where they were; another source must send this. The outcome says the source's
    /// next number, or 0 when it was not stopped.
    ResumeSource {
        /// Which; below 1,024.
        source: SourceId,
        /// Zero.
        reserved: u32,
    }
}

record_struct! {
    /// Switches on a newer version of the rules.
    ActivateRules {
        /// The version; at most [`crate::RULES_VERSION`] of the build.
        version: u32,
        /// Zero.
        reserved: u32,
    }
}
