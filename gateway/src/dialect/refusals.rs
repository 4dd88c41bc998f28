//! The one table from what the engine refuses to what a client is told (dialect §3). Refuses to know
//! what was asked beyond its [`Purpose`].

use super::DialectError;
use protocol::Reject;
use services::SubmitError;

/// What a command was for: it decides the code of a refusal that every kind of call may meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Placing an order: -2010.
    Place,
    /// Cancelling: -2011.
    Cancel,
    /// Amending: -2038.
    Amend,
}

/// How a refusal's code is found.
enum Code {
    /// This one, whatever was asked.
    Fixed(u16, i32),
    /// By what was asked; status 400.
    ByPurpose,
}

/// What a client is told of a refusal.
pub(crate) fn refusal(reject: Reject, purpose: Purpose) -> DialectError {
    let (code, text) = entry(reject);
    let (status, code) = match code {
        Code::Fixed(status, code) => (status, code),
        Code::ByPurpose => (
            400,
            match purpose {
                Purpose::Place => -2010,
                Purpose::Cancel => -2011,
                Purpose::Amend => -2038,
            },
        ),
    };
    DialectError::new(status, code, text)
}

const fn entry(reject: Reject) -> (Code, &'static str) {
    use Code::{ByPurpose, Fixed};
    const FILTER: Code = Fixed(400, -1013);
    /// Refusals of commands that no trader can send; should one come, it says what it is.
    const INTERNAL: Code = Fixed(400, -1010);
    match reject {
        Reject::PriceFilter => (FILTER, "Filter failure: PRICE_FILTER"),
        Reject::LotSize => (FILTER, "Filter failure: LOT_SIZE"),
        Reject::MarketLotSize => (FILTER, "Filter failure: MARKET_LOT_SIZE"),
        Reject::Notional => (FILTER, "Filter failure: NOTIONAL"),
        Reject::PercentPrice => (FILTER, "Filter failure: PERCENT_PRICE_BY_SIDE"),
        Reject::TooManyOrders => (FILTER, "Filter failure: MAX_NUM_ORDERS"),
        Reject::OpenOrdersLimit => (FILTER, "Filter failure: EXCHANGE_MAX_NUM_ORDERS"),
        Reject::MarketClosed | Reject::InstrumentDelisted => (FILTER, "Market is closed."),
        Reject::TrailingDelta => (FILTER, "Filter failure: TRAILING_DELTA"),
        Reject::IcebergParts => (FILTER, "Filter failure: ICEBERG_PARTS"),
        Reject::TooManyAlgoOrders => (FILTER, "Filter failure: MAX_NUM_ALGO_ORDERS"),
        Reject::TooManyIcebergOrders => (FILTER, "Filter failure: MAX_NUM_ICEBERG_ORDERS"),
        Reject::TooManyOrderLists => (FILTER, "Filter failure: MAX_NUM_ORDER_LISTS"),
        Reject::TooManyAmends => (FILTER, "Filter failure: MAX_NUM_ORDER_AMENDS"),
        Reject::MaxPosition => (FILTER, "Filter failure: MAX_POSITION"),

        Reject::BadCombination => (Fixed(400, -1014), "Unsupported order combination."),
        Reject::NotSupported => (Fixed(400, -1020), "This operation is not supported."),
        Reject::NotEnoughLiquidity => (Fixed(400, -1112), "No orders on book for symbol."),
        Reject::UnknownInstrument => (Fixed(400, -1121), "Invalid symbol."),
        Reject::ExpiryInThePast => {
            (Fixed(400, -1130), "Data sent for parameter 'goodTillDate' is not valid.")
        }

        Reject::InsufficientBalance => (ByPurpose, "Account has insufficient balance for requested action."),
        Reject::WouldTake => (ByPurpose, "Order would immediately match and take."),
        Reject::DuplicateClientOrderId | Reject::DuplicateListClientOrderId => {
            (ByPurpose, "Duplicate order sent.")
        }
        Reject::WouldTrigger => (ByPurpose, "Order would trigger immediately."),
        Reject::VisibleExceedsQuantity => (ByPurpose, "IcebergQty exceeds QTY."),
        Reject::ListPrices => (ByPurpose, "The relationship of the prices for the orders is not correct."),
        Reject::NoPegPrice => (ByPurpose, "The book has no price to peg to."),
        Reject::UnknownAccount
        | Reject::AccountSuspended
        | Reject::KillSwitchOn
        | Reject::NotAllowedForSystemAccount => (ByPurpose, "This account may not place or cancel orders."),
        Reject::OrderNotionalLimit => (ByPurpose, "Order is above the account's limit on order notional."),
        Reject::OpenNotionalLimit => (ByPurpose, "Order is above the account's limit on open notional."),
        Reject::NoPriceYet => (ByPurpose, "Market orders are not supported for this symbol."),
        Reject::UnknownOrder | Reject::UnknownOrderList => (ByPurpose, "Unknown order sent."),

        Reject::NothingToCancel => (Fixed(400, -2011), "Unknown order sent."),
        Reject::CancelRestricted => (Fixed(400, -2011), "Order was not canceled due to cancel restrictions."),
        Reject::ReplaceCancelFailed => (Fixed(400, -2022), "Order cancel-replace failed."),
        Reject::AmendNotLess => (Fixed(400, -2038), "Order amend (quantity increase) is not supported."),

        // The gateway's own numbers or records are at fault: a fresh number was not taken.
        Reject::Malformed | Reject::NumberOutOfOrder => {
            (Fixed(500, -1000), "An unknown error occurred while processing the request.")
        }
        Reject::SourceStopped => (Fixed(503, -1016), "This service is no longer available."),
        Reject::Voided => (ByPurpose, "The exchange's operators decided that this did not happen."),
        // It was taken before, and how it ended is no longer kept.
        Reject::DuplicateForgotten => (
            Fixed(500, -1006),
            "An unexpected response was received from the message bus. Execution status unknown.",
        ),

        Reject::UnknownAsset => (Fixed(400, -1108), "Invalid asset."),
        Reject::UnknownHold => (INTERNAL, "No such open hold."),
        Reject::AmountOutOfRange => (INTERNAL, "The amount is zero, negative or too large."),
        Reject::SupplyExceeded => (INTERNAL, "The asset's largest supply would be passed."),
        Reject::NameTaken => (INTERNAL, "The name is in use."),
        Reject::BadDefinition => (INTERNAL, "The definition contradicts itself."),
        Reject::TooMany => (INTERNAL, "No more of these can be made."),
        Reject::UnknownRules => (INTERNAL, "These rules are not known."),
        Reject::EmptyBatch => (INTERNAL, "A batch needs 1 to 64 operations."),
        Reject::AccountNotSuspended => (INTERNAL, "The account is not suspended."),
        Reject::BookCrossed => (INTERNAL, "The book is crossed."),
    }
}

/// What a client is told when a command was not taken, or its fate is not known.
pub(crate) fn submit_error(error: SubmitError) -> DialectError {
    match error {
        SubmitError::Overloaded => DialectError::overloaded(),
        SubmitError::NoRoom => DialectError::no_room(),
        SubmitError::Behind => DialectError::behind(),
        SubmitError::Closed => DialectError::shutting_down(),
        SubmitError::Unknown => DialectError::execution_unknown(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refusal_has_a_code_a_text_and_a_status() {
        for reject in Reject::ALL {
            for purpose in [Purpose::Place, Purpose::Cancel, Purpose::Amend] {
                let error = refusal(*reject, purpose);
                assert!(matches!(error.status, 400 | 500 | 503), "{reject:?}");
                assert!(error.code <= -1000 && !error.message.is_empty(), "{reject:?}");
            }
        }
    }

    #[test]
    fn texts_that_clients_compare_are_exact() {
        use Purpose::{Amend, Cancel, Place};
        for (reject, purpose, code, text) in [
            (
                Reject::InsufficientBalance,
                Place,
                -2010,
                "Account has insufficient balance for requested action.",
            ),
            (Reject::WouldTake, Place, -2010, "Order would immediately match and take."),
            (Reject::DuplicateClientOrderId, Place, -2010, "Duplicate order sent."),
            (Reject::AccountSuspended, Place, -2010, "This account may not place or cancel orders."),
            (Reject::AccountSuspended, Cancel, -2011, "This account may not place or cancel orders."),
            (Reject::MarketClosed, Place, -1013, "Market is closed."),
            (Reject::LotSize, Place, -1013, "Filter failure: LOT_SIZE"),
            (Reject::PriceFilter, Place, -1013, "Filter failure: PRICE_FILTER"),
            (Reject::PercentPrice, Place, -1013, "Filter failure: PERCENT_PRICE_BY_SIDE"),
            (Reject::Notional, Place, -1013, "Filter failure: NOTIONAL"),
            (Reject::BadCombination, Place, -1014, "Unsupported order combination."),
            (Reject::UnknownOrder, Cancel, -2011, "Unknown order sent."),
            (Reject::UnknownOrder, Amend, -2038, "Unknown order sent."),
            (Reject::NothingToCancel, Cancel, -2011, "Unknown order sent."),
            (Reject::UnknownInstrument, Place, -1121, "Invalid symbol."),
        ] {
            let error = refusal(reject, purpose);
            assert_eq!(
                (error.code, &*error.message, error.status),
                (code, text, 400),
                "{reject:?} {purpose:?}"
            );
        }
    }

    #[test]
    fn a_command_not_taken_is_told_apart_from_one_whose_fate_is_unknown() {
        for (error, status, code) in [
            (SubmitError::Overloaded, 503, -1008),
            (SubmitError::NoRoom, 503, -1008),
            (SubmitError::Behind, 503, -1008),
            (SubmitError::Closed, 503, -1016),
            (SubmitError::Unknown, 500, -1006),
        ] {
            let told = submit_error(error);
            assert_eq!((told.status, told.code), (status, code), "{error:?}");
        }
        assert!(submit_error(SubmitError::Unknown).message.contains("Execution status unknown"));
    }

    #[test]
    fn an_error_is_written_as_clients_read_it() {
        let error = DialectError::mandatory("symbol");
        let text = "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed.";
        assert_eq!(error.to_json(), format!(r#"{{"code":-1102,"msg":"{text}"}}"#));
    }
}
