//! What each call weighs against a client's limit, as in Binance's tables. Refuses to enforce.

use super::Call;
use crate::dialect::Parameters;

/// The weight of a call with these parameters.
pub(crate) fn weight(call: Call, parameters: &Parameters<'_>) -> u32 {
    let one_symbol = parameters.has("symbol");
    match call {
        Call::Statement => 100,
        Call::Ping
        | Call::Time
        | Call::PlaceOrder
        | Call::CreateOrder
        | Call::CancelNamedOrder
        | Call::CancelTimer
        | Call::KillSwitch
        | Call::PlaceOcoOldForm
        | Call::PlaceOco
        | Call::PlaceOto
        | Call::PlaceOtoco
        | Call::CancelList
        | Call::CancelOrder
        | Call::CancelReplace
        | Call::CancelOpenOrders
        | Call::SystemStatus
        | Call::TradeFee
        | Call::ApiRestrictions
        | Call::AccountStatus
        | Call::TradingStatus
        | Call::NoTransfers
        | Call::Withdraw
        | Call::EmptyList
        | Call::EmptyExchangeInfo
        | Call::NotSupported => 1,
        Call::TestOrder => one_or(parameters.has("computeCommissionRates"), 20, 1),
        Call::Klines
        | Call::AveragePrice
        | Call::ReferencePrice
        | Call::ReferencePriceCalculation
        | Call::ListenKey => 2,
        Call::AggregateTrades | Call::QueryOrder | Call::QueryList | Call::AmendOrder | Call::Amendments => 4,
        Call::Depth => match parameters.integer("limit").ok().flatten().unwrap_or(100) {
            0..=100 => 5,
            101..=500 => 25,
            501..=1_000 => 50,
            _ => 250,
        },
        Call::UserAssets => 5,
        Call::OpenLists => 6,
        Call::ListKeys | Call::Coins | Call::DepositAddress => 10,
        Call::CreateKey | Call::ChangeKey | Call::RotateKey | Call::RevokeKey => 50,
        Call::ExchangeInfo
        | Call::AllOrders
        | Call::AllLists
        | Call::Account
        | Call::Commission
        | Call::Allocations => 20,
        Call::MyTrades => one_or(parameters.has("orderId"), 5, 20),
        Call::PreventedMatches => one_or(parameters.has("preventedMatchId"), 2, 20),
        Call::Trades | Call::HistoricalTrades | Call::BlockTrades => 25,
        Call::OrderRateLimits | Call::MyFilters => 40,
        Call::ExecutionRules => one_or(one_symbol, 2, 40),
        Call::TickerPrice | Call::TickerBook => one_or(one_symbol, 2, 4),
        Call::OpenOrders | Call::ListOrders => one_or(one_symbol, 6, 80),
        Call::Ticker24Hours => match symbols(parameters) {
            Some(0..=20) => 2,
            Some(21..=100) => 40,
            Some(_) | None => 80,
        },
        Call::RollingTicker | Call::TradingDayTicker => {
            symbols(parameters).map_or(4, |symbols| (4 * symbols).min(200))
        }
    }
}

const fn one_or(condition: bool, then: u32, otherwise: u32) -> u32 {
    if condition { then } else { otherwise }
}

/// How many instruments a call names; `None` when it names none.
fn symbols(parameters: &Parameters<'_>) -> Option<u32> {
    if parameters.has("symbol") {
        return Some(1);
    }
    let list = parameters.list("symbols").ok().flatten()?;
    Some(u32::try_from(list.len()).unwrap_or(u32::MAX / 4))
}
