//! What each call weighs against a client's limit, as in Binance's tables. Refuses to enforce.

use super::Call;
use crate::dialect::Parameters;

/// The weight of a call with these parameters.
pub(crate) fn weight(call: Call, parameters: &Parameters<'_>) -> u32 {
    let one_symbol = parameters.has("symbol");
    match call {
        Call::Ping
        | Call::Time
        | Call::PlaceOrder
        | Call::TestOrder
        | Call::CancelOrder
        | Call::CancelReplace
        | Call::CancelOpenOrders
        | Call::SystemStatus
        | Call::TradeFee
        | Call::ApiRestrictions
        | Call::EmptyList
        | Call::EmptyExchangeInfo
        | Call::NotSupported => 1,
        Call::Klines | Call::AveragePrice => 2,
        Call::AggregateTrades | Call::QueryOrder | Call::AmendOrder => 4,
        Call::Depth => match parameters.integer("limit").ok().flatten().unwrap_or(100) {
            0..=100 => 5,
            101..=500 => 25,
            501..=1_000 => 50,
            _ => 250,
        },
        Call::Coins => 10,
        Call::ExchangeInfo | Call::AllOrders | Call::Account | Call::MyTrades | Call::Commission => 20,
        Call::Trades | Call::HistoricalTrades => 25,
        Call::OrderRateLimits => 40,
        Call::TickerPrice | Call::TickerBook => {
            if one_symbol {
                2
            } else {
                4
            }
        }
        Call::OpenOrders => {
            if one_symbol {
                6
            } else {
                80
            }
        }
        Call::Ticker24Hours => {
            if one_symbol {
                2
            } else {
                80
            }
        }
    }
}
