//! Refusals: the business's own "no", each with a code that never changes. An operating fault is
//! not one of these. Refuses to know the words a client is told; that is the gateway's dialect.

use thiserror::Error;
use zerocopy::{Immutable, IntoBytes, KnownLayout, TryFromBytes};

macro_rules! rejects {
    ($($(#[doc = $doc:literal])* $name:ident = $code:literal, $text:literal;)*) => {
        /// Why a command was refused. Nothing was changed by it, but for a cancel-replace's cancel,
        /// which has a code of its own.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error)]
        #[derive(TryFromBytes, IntoBytes, Immutable, KnownLayout, serde::Serialize, serde::Deserialize)]
        #[repr(u16)]
        pub enum Reject {
            $(#[doc = $text] #[error($text)] $name = $code,)*
        }

        impl Reject {
            /// Every reject, for tables and tests.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// Its name, as in logs and JSON.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)*
                }
            }
        }
    };
}

rejects! {
    Malformed = 1, "the record could not be read";
    UnknownAccount = 2, "no such account";
    UnknownAsset = 3, "no such asset";
    UnknownInstrument = 4, "no such instrument";
    UnknownOrder = 5, "no such open order of this account";
    UnknownHold = 6, "no such open hold";
    AccountSuspended = 7, "the account is suspended";
    NotAllowedForSystemAccount = 8, "not allowed for a system account";
    NumberOutOfOrder = 9, "the source's number is not the next one";
    DuplicateForgotten = 10, "a repeat of a number whose outcome is no longer kept";
    SourceStopped = 11, "the source is stopped: a number came again with another content";
    InsufficientBalance = 12, "not enough available";
    AmountOutOfRange = 13, "the amount is zero, negative or too large";
    SupplyExceeded = 14, "the asset's largest supply would be passed";
    MarketClosed = 15, "the instrument takes no such order now";
    PriceFilter = 16, "price out of range or not a multiple of the tick size";
    LotSize = 17, "quantity out of range or not a multiple of the lot size";
    MarketLotSize = 18, "market order's quantity out of range";
    Notional = 19, "price times quantity out of range";
    PercentPrice = 20, "price too far from the average price";
    TooManyOrders = 21, "too many open orders in this instrument";
    DuplicateClientOrderId = 22, "an open order has this client order id";
    WouldTake = 23, "a post-only order would have taken";
    NotEnoughLiquidity = 24, "the book does not hold this quantity";
    BadCombination = 25, "these order terms do not go together";
    ExpiryInThePast = 26, "the time of expiry has passed";
    CancelRestricted = 27, "the order is not in the state the cancel asks for";
    AmendNotLess = 28, "an amend must leave less than the order has, and more than it has traded";
    OrderNotionalLimit = 29, "above the account's limit on an order's notional";
    OpenNotionalLimit = 30, "above the account's limit on open notional";
    OpenOrdersLimit = 31, "above the account's limit on open orders";
    NameTaken = 32, "the name is in use";
    BadDefinition = 33, "the definition contradicts itself";
    TooMany = 34, "no more of these can be made";
    UnknownRules = 35, "this build does not know these rules, or they would go backwards";
    NothingToCancel = 36, "no open order to cancel";
    EmptyBatch = 37, "a batch needs 1 to 64 operations";
    AccountNotSuspended = 38, "the account is not suspended";
    NoPriceYet = 39, "a market order needs a price: no trade yet and no reference price";
    BookCrossed = 40, "the book is crossed and an auction must come first";
    ReplaceCancelFailed = 41, "the cancel failed, the new order was not attempted";
    NotSupported = 42, "the engine takes no such order";
    WouldTrigger = 43, "the order would trigger immediately";
    TrailingDelta = 44, "trailing delta out of range";
    IcebergParts = 45, "an iceberg of too many parts";
    VisibleExceedsQuantity = 46, "an iceberg's visible quantity exceeds its quantity";
    TooManyAlgoOrders = 47, "too many orders that wait for a trigger in this instrument";
    TooManyIcebergOrders = 48, "too many icebergs in this instrument";
    TooManyOrderLists = 49, "too many order lists in this instrument";
    TooManyAmends = 50, "the order was amended too often";
    MaxPosition = 51, "the account's position in the base asset would be too large";
    NoPegPrice = 52, "the book has no price to peg to";
    ListPrices = 53, "the prices of the list's orders are not in the order they must be";
    UnknownOrderList = 54, "no such open order list of this account";
    DuplicateListClientOrderId = 55, "an open order list has this client order id";
    KillSwitchOn = 56, "the account's kill switch is on";
    InstrumentDelisted = 57, "the instrument is delisted";
    Voided = 58, "the command broke an invariant, and operators decided that it did not happen";
}

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// Done.
    Done,
    /// Refused; nothing changed.
    Refused(Reject),
}

impl Outcome {
    /// 0, or the reject's code.
    pub const fn code(self) -> u16 {
        match self {
            Self::Done => 0,
            Self::Refused(reject) => reject as u16,
        }
    }

    /// From [`Outcome::code`]; `None` for a code this build does not know.
    pub fn from_code(code: u16) -> Option<Self> {
        if code == 0 {
            return Some(Self::Done);
        }
        Reject::ALL.iter().copied().find(|reject| *reject as u16 == code).map(Self::Refused)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_stable_and_return() {
        assert_eq!(Outcome::from_code(0), Some(Outcome::Done));
        for (index, reject) in Reject::ALL.iter().enumerate() {
            assert_eq!(usize::from(*reject as u16), index + 1, "codes are dense and never reused");
            assert_eq!(Outcome::from_code(*reject as u16), Some(Outcome::Refused(*reject)));
        }
        assert_eq!(Outcome::from_code(9_999), None);
    }
}
