//! What a client is told when the answer is no: a code, a text and an HTTP status (dialect §3). One
//! constructor for each; clients compare the texts, so they are written once, here. Refuses to know
//! why the engine refuses: that table is [`super::refusals`].

use protocol::Time;
use serde::Serialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// A refusal or fault in the dialect's words.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{code}: {message}")]
pub struct DialectError {
    /// The HTTP status; the WebSocket API says it in its frame.
    pub status: u16,
    /// The dialect's code, negative.
    pub code: i32,
    /// The text.
    pub message: Cow<'static, str>,
    /// What a cancel-replace did before it failed, as JSON.
    pub data: Option<Box<RawValue>>,
    /// When to ask again, after asking too often.
    pub retry: Option<Retry>,
}

/// When a client may ask again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    /// The server's time of the refusal.
    pub now: Time,
    /// From when on.
    pub until: Time,
}

impl Retry {
    /// How long to wait, for HTTP's `Retry-After`: whole seconds, enough of them.
    pub fn after_seconds(self) -> u64 {
        self.until.0.saturating_sub(self.now.0).div_ceil(1_000_000_000)
    }
}

/// A [`DialectError`] as clients read it.
#[derive(Serialize)]
struct Body<'a> {
    code: i32,
    msg: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a RawValue>,
}

/// A refusal with its time as frames say it.
#[derive(Serialize)]
struct FrameBody<'a> {
    code: i32,
    msg: &'a str,
    data: FrameRetry,
}

/// In milliseconds since 1970.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FrameRetry {
    server_time: u64,
    retry_after: u64,
}

impl DialectError {
    /// Any code and text.
    pub fn new(status: u16, code: i32, message: impl Into<Cow<'static, str>>) -> Self {
        Self { status, code, message: message.into(), data: None, retry: None }
    }

    /// `{"code":…,"msg":…}`.
    pub fn to_json(&self) -> String {
        let body = Body { code: self.code, msg: &self.message, data: self.data.as_deref() };
        serde_json::to_string(&body).expect("integers and text are always JSON")
    }

    /// The same in a frame, where no header can say when to ask again.
    pub fn to_frame_json(&self) -> String {
        let Some(Retry { now, until }) = self.retry else { return self.to_json() };
        let data = FrameRetry { server_time: now.millis(), retry_after: until.millis() };
        let body = FrameBody { code: self.code, msg: &self.message, data };
        serde_json::to_string(&body).expect("integers and text are always JSON")
    }
}

/// Faults and refusals of the exchange as a whole.
impl DialectError {
    pub(crate) fn unknown() -> Self {
        Self::new(500, -1000, "An unknown error occurred while processing the request.")
    }

    pub(crate) fn execution_unknown() -> Self {
        Self::new(
            500,
            -1006,
            "An unexpected response was received from the message bus. Execution status unknown.",
        )
    }

    pub(crate) fn overloaded() -> Self {
        Self::new(
            503,
            -1008,
            "Server is currently overloaded with other requests. Please try again in a few minutes.",
        )
    }

    pub(crate) fn no_room() -> Self {
        Self::new(
            503,
            -1008,
            "Server is currently overloaded: there is no room to record the request. Nothing was done; please \
             try again in a few minutes.",
        )
    }

    /// What memory no longer holds cannot be read from the books of record.
    pub(crate) fn no_history() -> Self {
        Self::new(
            503,
            -1008,
            "Server is currently overloaded: older records cannot be read just now. Please try again in a few \
             minutes.",
        )
    }

    pub(crate) fn behind() -> Self {
        Self::new(
            503,
            -1008,
            "Server is currently overloaded: the books of record are behind. Nothing was done; cancels are \
             taken, new orders again in a few moments.",
        )
    }

    pub(crate) fn shutting_down() -> Self {
        Self::new(503, -1016, "This service is no longer available.")
    }

    pub(crate) fn not_supported() -> Self {
        Self::new(400, -1020, "This operation is not supported.")
    }

    pub(crate) fn unknown_path() -> Self {
        Self::new(404, -1020, "This operation is not supported.")
    }

    pub(crate) fn unknown_method() -> Self {
        Self::new(405, -1020, "This operation is not supported.")
    }

    /// What the dialect once had, and has taken back.
    pub(crate) fn gone(message: &'static str) -> Self {
        Self::new(410, -1020, message)
    }

    pub(crate) fn too_large() -> Self {
        Self::new(413, -1130, "Data sent is not valid: the request must be at most 65536 bytes.")
    }

    pub(crate) fn only_json() -> Self {
        Self::new(406, -1020, "This operation is not supported: answers are application/json.")
    }
}

/// Who asks, and when.
impl DialectError {
    pub(crate) fn key_format() -> Self {
        Self::new(401, -2014, "API-key format invalid.")
    }

    pub(crate) fn key_refused() -> Self {
        Self::new(401, -2015, "Invalid API-key, IP, or permissions for action.")
    }

    pub(crate) fn unauthorized() -> Self {
        Self::new(401, -1002, "You are not authorized to execute this request.")
    }

    pub(crate) fn signature() -> Self {
        Self::new(400, -1022, "Signature for this request is not valid.")
    }

    pub(crate) fn outside_recv_window() -> Self {
        Self::new(400, -1021, "Timestamp for this request is outside of the recvWindow.")
    }

    pub(crate) fn ahead_of_server() -> Self {
        Self::new(400, -1021, "Timestamp for this request was 1000ms ahead of the server's time.")
    }

    pub(crate) fn recv_window_too_large() -> Self {
        Self::new(400, -1131, "recvWindow must be less than 60000")
    }

    pub(crate) fn time_unit() -> Self {
        Self::new(400, -1194, "Invalid value for time unit; expected either MICROSECOND or MILLISECOND.")
    }
}

/// Parameters.
impl DialectError {
    pub(crate) fn illegal_characters(name: &str, range: &str) -> Self {
        let text = format!("Illegal characters found in parameter '{name}'; legal range is '{range}'.");
        Self::new(400, -1100, text)
    }

    pub(crate) fn illegal_encoding() -> Self {
        Self::new(400, -1100, "Illegal characters found in a parameter.")
    }

    pub(crate) fn duplicate(name: &str) -> Self {
        Self::new(400, -1101, format!("Duplicate values for parameter '{name}' detected."))
    }

    pub(crate) fn too_many_parameters() -> Self {
        Self::new(400, -1101, "Too many parameters sent for this endpoint.")
    }

    pub(crate) fn mandatory(name: &str) -> Self {
        let text = format!("Mandatory parameter '{name}' was not sent, was empty/null, or malformed.");
        Self::new(400, -1102, text)
    }

    pub(crate) fn either(first: &str, second: &str) -> Self {
        let text = format!("Param '{first}' or '{second}' must be sent, but both were empty/null!");
        Self::new(400, -1102, text)
    }

    pub(crate) fn unread(read: usize, sent: usize) -> Self {
        let text =
            format!("Not all sent parameters were read; read '{read}' parameter(s) but was sent '{sent}'.");
        Self::new(400, -1104, text)
    }

    pub(crate) fn empty(name: &str) -> Self {
        Self::new(400, -1105, format!("Parameter '{name}' was empty."))
    }

    pub(crate) fn not_required(name: &str) -> Self {
        Self::new(400, -1106, format!("Parameter '{name}' sent when not required."))
    }

    pub(crate) fn overflow(name: &str) -> Self {
        Self::new(400, -1108, format!("Parameter '{name}' overflowed."))
    }

    pub(crate) fn too_precise(name: &str) -> Self {
        Self::new(400, -1111, format!("Parameter '{name}' has too much precision."))
    }

    pub(crate) fn time_in_force() -> Self {
        Self::new(400, -1115, "Invalid timeInForce.")
    }

    pub(crate) fn order_type() -> Self {
        Self::new(400, -1116, "Invalid orderType.")
    }

    pub(crate) fn side() -> Self {
        Self::new(400, -1117, "Invalid side.")
    }

    pub(crate) fn interval() -> Self {
        Self::new(400, -1120, "Invalid interval.")
    }

    pub(crate) fn symbol() -> Self {
        Self::new(400, -1121, "Invalid symbol.")
    }

    pub(crate) fn symbol_status() -> Self {
        Self::new(400, -1122, "Invalid symbolStatus.")
    }

    pub(crate) fn interval_too_big() -> Self {
        Self::new(400, -1127, "More than 24 hours between startTime and endTime.")
    }

    pub(crate) fn optional_combination() -> Self {
        Self::new(400, -1128, "Combination of optional parameters invalid.")
    }

    pub(crate) fn invalid_data(name: &str) -> Self {
        Self::new(400, -1130, format!("Data sent for parameter '{name}' is not valid."))
    }

    pub(crate) fn ticker_type() -> Self {
        Self::new(400, -1139, "Invalid ticker type.")
    }

    pub(crate) fn cancel_restrictions() -> Self {
        Self::new(400, -1145, "Invalid cancelRestrictions")
    }

    pub(crate) fn symbol_status_mismatch() -> Self {
        Self::new(400, -1220, "The symbol's status does not match the requested symbolStatus.")
    }
}

/// Orders.
impl DialectError {
    pub(crate) fn filter(name: &str) -> Self {
        Self::new(400, -1013, format!("Filter failure: {name}"))
    }

    pub(crate) fn unsupported_combination() -> Self {
        Self::new(400, -1014, "Unsupported order combination.")
    }

    pub(crate) fn unknown_order() -> Self {
        Self::new(400, -2011, "Unknown order sent.")
    }

    pub(crate) fn no_such_order() -> Self {
        Self::new(400, -2013, "Order does not exist.")
    }

    pub(crate) fn no_such_list() -> Self {
        Self::new(400, -2013, "Order list does not exist.")
    }

    /// A cancel-replace of which nothing was done.
    pub(crate) fn replace_failed(data: Box<RawValue>) -> Self {
        Self { data: Some(data), ..Self::new(400, -2022, "Order cancel-replace failed.") }
    }

    /// A cancel-replace of which one half was done.
    pub(crate) fn replace_partially_failed(data: Box<RawValue>) -> Self {
        Self { data: Some(data), ..Self::new(409, -2021, "Order cancel-replace partially failed.") }
    }
}

/// The wallet.
impl DialectError {
    pub(crate) fn asset() -> Self {
        Self::new(400, -1108, "Invalid asset.")
    }

    /// Nothing comes in or goes out on a chain: no asset has one yet.
    pub(crate) fn asset_not_open() -> Self {
        Self::new(400, -4019, "The current currency is not open for deposit or withdrawal.")
    }
}

/// Subscriptions of the WebSocket API.
impl DialectError {
    pub(crate) fn already_subscribed() -> Self {
        Self::new(400, -2035, "The connection is already subscribed to this account's user data stream.")
    }

    pub(crate) fn no_subscription() -> Self {
        Self::new(400, -2036, "The connection has no active user data stream subscription of this id.")
    }

    pub(crate) fn too_many_subscriptions() -> Self {
        Self::new(400, -2042, "The connection has too many user data stream subscriptions.")
    }
}

impl From<services::HistoryError> for DialectError {
    fn from(error: services::HistoryError) -> Self {
        match error {
            services::HistoryError::Unavailable(_) | services::HistoryError::Behind { .. } => {
                tracing::warn!(%error, "a question about the past was refused");
                Self::no_history()
            }
            services::HistoryError::TooLarge(message) => Self::new(400, -1130, message),
        }
    }
}
