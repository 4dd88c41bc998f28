//! Reading the dialect's words for the terms of an order; [`crate::views::words`] writes them. Refuses
//! to know which terms go together.

use super::DialectError;
use crate::views::TimeUnit;
use protocol::{
    InstrumentStatus, OrderType, SelfTradePrevention, Side, TimeInForce, order::CancelRestriction,
};

pub(crate) fn side_from(text: &str) -> Result<Side, DialectError> {
    match text {
        "BUY" => Ok(Side::Buy),
        "SELL" => Ok(Side::Sell),
        _ => Err(DialectError::side()),
    }
}

pub(crate) fn order_type_from(text: &str) -> Result<OrderType, DialectError> {
    match text {
        "LIMIT" => Ok(OrderType::Limit),
        "MARKET" => Ok(OrderType::Market),
        "LIMIT_MAKER" => Ok(OrderType::LimitMaker),
        "STOP_LOSS" => Ok(OrderType::StopLoss),
        "STOP_LOSS_LIMIT" => Ok(OrderType::StopLossLimit),
        "TAKE_PROFIT" => Ok(OrderType::TakeProfit),
        "TAKE_PROFIT_LIMIT" => Ok(OrderType::TakeProfitLimit),
        _ => Err(DialectError::order_type()),
    }
}

pub(crate) fn time_in_force_from(text: &str) -> Result<TimeInForce, DialectError> {
    match text {
        "GTC" => Ok(TimeInForce::GoodTillCancel),
        "IOC" => Ok(TimeInForce::ImmediateOrCancel),
        "FOK" => Ok(TimeInForce::FillOrKill),
        _ => Err(DialectError::time_in_force()),
    }
}

pub(crate) fn self_trade_prevention_from(text: &str) -> Result<SelfTradePrevention, DialectError> {
    match text {
        "NONE" => Ok(SelfTradePrevention::None),
        "EXPIRE_TAKER" => Ok(SelfTradePrevention::ExpireTaker),
        "EXPIRE_MAKER" => Ok(SelfTradePrevention::ExpireMaker),
        "EXPIRE_BOTH" => Ok(SelfTradePrevention::ExpireBoth),
        "DECREMENT" => Ok(SelfTradePrevention::Decrement),
        _ => Err(DialectError::invalid_data("selfTradePreventionMode")),
    }
}

/// An instrument's status. The dialect has no word for the time before the opening, when orders rest
/// and nothing matches: its clients know a closed market as BREAK.
pub(crate) const fn status_name(status: InstrumentStatus) -> &'static str {
    match status {
        InstrumentStatus::Trading => "TRADING",
        InstrumentStatus::Halt => "HALT",
        InstrumentStatus::CancelOnly => "CANCEL_ONLY",
        InstrumentStatus::Break | InstrumentStatus::PreOpen | InstrumentStatus::Delisted => "BREAK",
    }
}

pub(crate) fn cancel_restriction_from(text: Option<&str>) -> Result<CancelRestriction, DialectError> {
    match text {
        None => Ok(CancelRestriction::None),
        Some("ONLY_NEW") => Ok(CancelRestriction::OnlyNew),
        Some("ONLY_PARTIALLY_FILLED") => Ok(CancelRestriction::OnlyPartiallyFilled),
        Some(_) => Err(DialectError::cancel_restrictions()),
    }
}

/// In what unit a client wants its times (dialect §2.6), in capitals or small letters.
pub(crate) fn time_unit_from(text: &str) -> Result<TimeUnit, DialectError> {
    match text {
        "MILLISECOND" | "millisecond" => Ok(TimeUnit::Millisecond),
        "MICROSECOND" | "microsecond" => Ok(TimeUnit::Microsecond),
        _ => Err(DialectError::time_unit()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::views::words;

    #[test]
    fn words_return_from_what_they_name() {
        for side in [Side::Buy, Side::Sell] {
            assert_eq!(side_from(words::side(side)).unwrap(), side);
        }
        for order_type in [
            OrderType::Limit,
            OrderType::Market,
            OrderType::LimitMaker,
            OrderType::StopLoss,
            OrderType::StopLossLimit,
            OrderType::TakeProfit,
            OrderType::TakeProfitLimit,
        ] {
            assert_eq!(order_type_from(words::order_type(order_type)).unwrap(), order_type);
        }
        for text in ["GTC", "IOC", "FOK"] {
            assert_eq!(words::time_in_force(OrderType::Limit, time_in_force_from(text).unwrap()), text);
        }
        for text in ["NONE", "EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH", "DECREMENT"] {
            assert_eq!(words::self_trade_prevention(self_trade_prevention_from(text).unwrap()), text);
        }
    }

    #[test]
    fn unknown_words_are_told_apart() {
        assert_eq!(side_from("buy").unwrap_err().code, -1117);
        assert_eq!(order_type_from("limit").unwrap_err().code, -1116);
        assert_eq!(time_in_force_from("GTD").unwrap_err().code, -1115);
        assert_eq!(self_trade_prevention_from("TRANSFER").unwrap_err().code, -1130);
        assert_eq!(cancel_restriction_from(Some("")).unwrap_err().code, -1145);
        assert_eq!(time_unit_from("microsecond").unwrap(), TimeUnit::Microsecond);
        assert_eq!(time_unit_from("NANOSECOND").unwrap_err().code, -1194);
    }
}
