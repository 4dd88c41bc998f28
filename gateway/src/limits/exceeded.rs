//! What a client is told that asked for too much, in the dialect's words (dialect §3). Refuses to
//! decide when that is.

use crate::dialect::{DialectError, Retry};
use protocol::Time;

/// Which of the two limits on orders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OrderInterval {
    TenSeconds,
    Day,
}

/// A limit that was passed, and until when it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exceeded {
    /// Request weight of the minute.
    Weight { limit: u32, until: Time },
    /// Requests of 5 minutes.
    RawRequests { limit: u32, until: Time },
    /// Connections of 5 minutes.
    Connections { limit: u32, until: Time },
    /// Orders of an account.
    Orders { limit: u32, interval: OrderInterval, until: Time },
    /// Asked on after refusals.
    Banned { until: Time },
}

impl Exceeded {
    /// The answer to a request that came at `now`.
    pub(crate) fn told(self, now: Time) -> DialectError {
        const LIVE: &str = "Please use WebSocket Streams for live updates to avoid";
        let (status, code, text, until) = match self {
            Self::Weight { limit, until } => {
                let text = format!(
                    "Too much request weight used; current limit is {limit} request weight per 1 MINUTE. {LIVE} \
                     polling the API."
                );
                (429, -1003, text, until)
            }
            Self::RawRequests { limit, until } => {
                let text = format!(
                    "Too many requests; current limit is {limit} requests per 5 MINUTE. {LIVE} polling the API."
                );
                (429, -1003, text, until)
            }
            Self::Connections { limit, until } => {
                let text =
                    format!("Too many connection attempts from IP; current limit is {limit} per '5 MINUTE'.");
                (429, -1034, text, until)
            }
            Self::Orders { limit, interval, until } => {
                let interval = match interval {
                    OrderInterval::TenSeconds => "10 SECOND",
                    OrderInterval::Day => "1 DAY",
                };
                let text = format!("Too many new orders; current limit is {limit} orders per {interval}.");
                (429, -1015, text, until)
            }
            Self::Banned { until } => {
                let text = format!(
                    "Way too much request weight used; IP banned until {}. {LIVE} bans.",
                    until.millis()
                );
                (418, -1003, text, until)
            }
        };
        DialectError { retry: Some(Retry { now, until }), ..DialectError::new(status, code, text) }
    }
}
