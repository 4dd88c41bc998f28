//! The frames of the WebSocket API: reading requests, writing answers (dialect §3.2, §9). Refuses to
//! know sessions.

use crate::{
    calls::Json,
    dialect::{DialectError, is_frame_id},
};
use serde::Deserialize;
use serde_json::value::RawValue;

/// A request, as written.
#[derive(Debug)]
pub(super) struct Frame<'a> {
    /// Echoed as it is.
    pub(super) id: &'a str,
    /// Without its version.
    pub(super) method: String,
    /// An object; `None` when it was not sent.
    pub(super) params: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Raw<'a> {
    #[serde(borrow, default)]
    id: Option<&'a RawValue>,
    method: Option<String>,
    #[serde(borrow, default)]
    params: Option<&'a RawValue>,
}

/// Reads a frame; an error comes with the id to answer to.
pub(super) fn parse(text: &str) -> Result<Frame<'_>, (&str, DialectError)> {
    let raw: Raw<'_> = serde_json::from_str(text)
        .map_err(|error| ("null", DialectError::new(400, -1135, format!("Invalid JSON Request: {error}"))))?;
    let id = raw.id.map_or("null", RawValue::get);
    if !is_frame_id(id) {
        let error =
            DialectError::illegal_characters("id", "an integer, a string of at most 36 characters or null");
        return Err(("null", error));
    }
    let method = raw.method.ok_or_else(|| (id, DialectError::mandatory("method")))?;
    let method = method.strip_prefix("v3/").map_or_else(|| method.clone(), str::to_owned);
    Ok(Frame { id, method, params: raw.params.filter(|params| params.get() != "null") })
}

/// `{"id":…,"status":…,"result":…}` or `…"error":…}`; `rate_limits` is a JSON array.
pub(super) fn answer(id: &str, result: &Result<Json, DialectError>, rate_limits: Option<&str>) -> String {
    let mut text = match result {
        Ok(json) => format!(r#"{{"id":{id},"status":200,"result":{}"#, json.0),
        Err(error) => format!(r#"{{"id":{id},"status":{},"error":{}"#, error.status, error.to_frame_json()),
    };
    if let Some(rate_limits) = rate_limits {
        text.push_str(r#","rateLimits":"#);
        text.push_str(rate_limits);
    }
    text.push('}');
    text
}

/// An account's event, for one subscription.
pub(super) fn event(subscription: u64, event: &str) -> String {
    format!(r#"{{"subscriptionId":{subscription},"event":{event}}}"#)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_come_back_as_they_were_written() {
        for (text, id, method) in [
            (r#"{"id":"a-1","method":"ping"}"#, r#""a-1""#, "ping"),
            (r#"{"id":7,"method":"v3/order.place","params":{}}"#, "7", "order.place"),
            (r#"{"method":"time"}"#, "null", "time"),
            (r#"{"id":null,"method":"time","params":null}"#, "null", "time"),
        ] {
            let frame = parse(text).unwrap();
            assert_eq!((frame.id, frame.method.as_str()), (id, method), "{text}");
        }
    }

    #[test]
    fn bad_frames_are_refused_with_the_id_they_have() {
        for (text, id, code) in [
            ("", "null", -1135),
            ("[1]", "null", -1135),
            (r#"{"id":1}"#, "1", -1102),
            (r#"{"id":1.5,"method":"ping"}"#, "null", -1100),
            (r#"{"id":{},"method":"ping"}"#, "null", -1100),
        ] {
            let (answered, error) = parse(text).unwrap_err();
            assert_eq!((answered, error.code), (id, code), "{text}");
            let body: serde_json::Value = serde_json::from_str(&answer(answered, &Err(error), None)).unwrap();
            assert_eq!(body["status"], 400);
            assert_eq!(body["error"]["code"], code);
        }
    }

    #[test]
    fn answers_carry_limits_when_they_are_wanted() {
        let result = Ok(Json("{}".to_owned()));
        assert_eq!(answer("1", &result, None), r#"{"id":1,"status":200,"result":{}}"#);
        assert_eq!(answer("1", &result, Some("[]")), r#"{"id":1,"status":200,"result":{},"rateLimits":[]}"#);
        assert_eq!(event(0, r#"{"e":"x"}"#), r#"{"subscriptionId":0,"event":{"e":"x"}}"#);
    }
}
