//! The words of an order, after FIX: side, type, time in force, self-trade prevention, why it ended.
//! Refuses to know books and balances.

use zerocopy::{Immutable, IntoBytes, KnownLayout, TryFromBytes};

/// Buy or sell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[derive(TryFromBytes, IntoBytes, Immutable, KnownLayout, serde::Serialize, serde::Deserialize)]
#[repr(u8)]
pub enum Side {
    /// Pays the quote asset, gets the base asset.
    Buy = 0,
    /// Pays the base asset, gets the quote asset.
    Sell = 1,
}

impl Side {
    /// The other side.
    #[must_use]
    pub const fn opposite(self) -> Self {
        match self {
            Self::Buy => Self::Sell,
            Self::Sell => Self::Buy,
        }
    }

    /// The one of two values that goes with the side, without a branch: sides come in no order that
    /// a processor could guess.
    #[inline]
    #[must_use]
    pub fn pick<T>(self, buy: T, sell: T) -> T {
        std::hint::select_unpredictable(self as u8 == Self::Buy as u8, buy, sell)
    }
}

/// What kind of order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[derive(TryFromBytes, IntoBytes, Immutable, KnownLayout, serde::Serialize, serde::Deserialize)]
#[repr(u8)]
pub enum OrderType {
    /// At its price or better; what is left rests.
    Limit = 0,
    /// At what the book offers, within the protection price; what is left expires.
    Market = 1,
    /// A limit order that is refused rather than take (post only).
    LimitMaker = 2,
    /// A market order that waits for its trigger: what it trades is bounded by the protection price
    /// of that trigger.
    StopLoss = 3,
    /// A limit order that waits for its trigger.
    StopLossLimit = 4,
    /// As [`Self::StopLoss`], its trigger on the other side of the price.
    TakeProfit = 5,
    /// As [`Self::StopLossLimit`], its trigger on the other side of the price.
    TakeProfitLimit = 6,
}

/// How long an order lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[derive(TryFromBytes, IntoBytes, Immutable, KnownLayout, serde::Serialize, serde::Deserialize)]
#[repr(u8)]
pub enum TimeInForce {
    /// Until filled or cancelled.
    GoodTillCancel = 0,
    /// Takes what it can at once; the rest expires.
    ImmediateOrCancel = 1,
    /// All of it at once or nothing.
    FillOrKill = 2,
    /// Until filled, cancelled or its time.
    GoodTillDate = 3,
}

/// What happens where an order would trade with one of the same account or trade group. The
/// incoming order's mode decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[derive(TryFromBytes, IntoBytes, Immutable, KnownLayout, serde::Serialize, serde::Deserialize)]
#[repr(u8)]
pub enum SelfTradePrevention {
    /// They trade.
    None = 0,
    /// What is left of the incoming order expires.
    ExpireTaker = 1,
    /// The resting order expires; the incoming one goes on.
    ExpireMaker = 2,
    /// Both expire.
    ExpireBoth = 3,
    /// Both lose the smaller's quantity; the smaller expires.
    Decrement = 4,
}

/// Why an order left without being filled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[derive(TryFromBytes, IntoBytes, Immutable, KnownLayout, serde::Serialize, serde::Deserialize)]
#[repr(u8)]
pub enum CloseReason {
    /// Its owner cancelled it.
    Cancelled = 0,
    /// Its owner replaced it.
    Replaced = 1,
    /// An IOC or market order: the book had no more at its price.
    NoMoreLiquidity = 2,
    /// A FOK order that could not be filled whole.
    NotFillableWhole = 3,
    /// A GTD order whose time came.
    TimeReached = 4,
    /// Self-trade prevention.
    SelfTrade = 5,
    /// Its account was suspended with its orders to be cancelled.
    AccountSuspended = 6,
    /// The operator cancelled it.
    ByOperator = 7,
    /// A market order reached the protection price.
    ProtectionPrice = 8,
    /// What is left of a market order by quote quantity is worth less than one lot.
    LessThanOneLot = 9,
    /// Another order of its list traded, triggered or left.
    ListContingency = 10,
    /// A pending order of a list, when its turn came: not enough available.
    InsufficientBalance = 11,
    /// Its instrument was delisted.
    Delisted = 12,
    /// Its account's cancel timer was not renewed in time.
    CancelTimer = 13,
    /// Its account's kill switch.
    KillSwitch = 14,
    /// The session that placed it ended.
    SessionClosed = 15,
    /// A pending post-only order of a list, when its turn came: it would have taken.
    WouldTake = 16,
}

/// What a cancel asks of the order's state (dialect §5.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[derive(TryFromBytes, IntoBytes, Immutable, KnownLayout, serde::Serialize, serde::Deserialize)]
#[repr(u8)]
pub enum CancelRestriction {
    /// Any open order.
    None = 0,
    /// Only one that has not traded.
    OnlyNew = 1,
    /// Only one that has traded in part.
    OnlyPartiallyFilled = 2,
}

/// What a cancel-replace does when its cancel fails (dialect §5.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[derive(TryFromBytes, IntoBytes, Immutable, KnownLayout, serde::Serialize, serde::Deserialize)]
#[repr(u8)]
pub enum ReplaceMode {
    /// The new order is not attempted.
    StopOnFailure = 0,
    /// The new order is attempted all the same.
    AllowFailure = 1,
}

/// What becomes of a suspended account's resting orders.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[derive(TryFromBytes, IntoBytes, Immutable, KnownLayout, serde::Serialize, serde::Deserialize)]
#[repr(u8)]
pub enum RestingOrders {
    /// They stay and may trade.
    Keep = 0,
    /// They are cancelled.
    Cancel = 1,
}
