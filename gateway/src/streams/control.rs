//! The control frames of market streams: reading them and writing their answers. Refuses to know
//! connections.

use crate::dialect::is_frame_id;
use serde::Deserialize;
use serde_json::{Value, value::RawValue};
use std::{fmt::Display, sync::Arc};

/// What a client asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Control {
    Subscribe(Vec<String>),
    Unsubscribe(Vec<String>),
    List,
    SetCombined(bool),
    GetCombined,
}

/// A frame that was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refused {
    code: i32,
    message: String,
}

impl Refused {
    pub(super) fn new(code: i32, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}

#[derive(Deserialize)]
struct Frame<'a> {
    #[serde(borrow, default)]
    id: Option<&'a RawValue>,
    method: Option<String>,
    #[serde(borrow, default)]
    params: Option<&'a RawValue>,
}

/// Reads a frame: its id as the client wrote it, and what it asks for.
pub(super) fn parse(text: &str) -> (String, Result<Control, Refused>) {
    let frame: Frame<'_> = match serde_json::from_str(text) {
        Ok(frame) => frame,
        Err(error) if error.is_syntax() || error.is_eof() => {
            return ("null".to_owned(), Err(Refused::new(3, format!("Invalid JSON: {error}"))));
        }
        Err(error) => return ("null".to_owned(), Err(Refused::new(2, format!("Invalid request: {error}")))),
    };
    let id = frame.id.map_or("null", RawValue::get);
    if !is_frame_id(id) {
        let text =
            "Invalid request: request ID must be an integer, a string of at most 36 characters or null";
        return ("null".to_owned(), Err(Refused::new(2, text)));
    }
    (id.to_owned(), control(&frame))
}

fn control(frame: &Frame<'_>) -> Result<Control, Refused> {
    let method = frame.method.as_deref().ok_or_else(|| invalid("missing field `method`"))?;
    match method {
        "SUBSCRIBE" => Ok(Control::Subscribe(names(frame)?)),
        "UNSUBSCRIBE" => Ok(Control::Unsubscribe(names(frame)?)),
        "LIST_SUBSCRIPTIONS" => Ok(Control::List),
        "SET_PROPERTY" => {
            let [property, value] = property(frame)?;
            combined(&property)?;
            match value {
                Value::Bool(combined) => Ok(Control::SetCombined(combined)),
                _ => Err(Refused::new(1, "Invalid value type: expected Boolean")),
            }
        }
        "GET_PROPERTY" => {
            let [property] = property(frame)?;
            combined(&property)?;
            Ok(Control::GetCombined)
        }
        _ => Err(invalid(format!(
            "unknown variant `{method}`, expected one of `SUBSCRIBE`, `UNSUBSCRIBE`, `LIST_SUBSCRIPTIONS`, \
             `SET_PROPERTY`, `GET_PROPERTY`"
        ))),
    }
}

fn invalid(what: impl Display) -> Refused {
    Refused::new(2, format!("Invalid request: {what}"))
}

fn names(frame: &Frame<'_>) -> Result<Vec<String>, Refused> {
    let names = frame.params.and_then(|params| serde_json::from_str(params.get()).ok());
    names.ok_or_else(|| invalid("params must be an array of stream names"))
}

/// A property's name, and what else the method takes.
fn property<const COUNT: usize>(frame: &Frame<'_>) -> Result<[Value; COUNT], Refused> {
    let parameters: Option<Vec<Value>> =
        frame.params.and_then(|params| serde_json::from_str(params.get()).ok());
    let parameters = parameters.unwrap_or_default();
    if parameters.len() > COUNT {
        return Err(invalid("too many parameters"));
    }
    if !parameters.first().is_some_and(Value::is_string) {
        return Err(invalid("property name must be a string"));
    }
    parameters.try_into().map_err(|_| Refused::new(1, "Invalid value type: expected Boolean"))
}

fn combined(property: &Value) -> Result<(), Refused> {
    if property == "combined" { Ok(()) } else { Err(Refused::new(0, "Unknown property")) }
}

/// Streams' names as a JSON array.
pub(super) fn names_json(names: &[Arc<str>]) -> String {
    let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
    serde_json::to_string(&names).expect("texts are always JSON")
}

/// `{"result":…,"id":…}` or `{"error":…,"id":…}`.
pub(super) fn answer(id: &str, result: Result<String, Refused>) -> String {
    match result {
        Ok(result) => format!(r#"{{"result":{result},"id":{id}}}"#),
        Err(Refused { code, message }) => {
            let message = serde_json::to_string(&message).expect("text is always JSON");
            format!(r#"{{"error":{{"code":{code},"msg":{message}}},"id":{id}}}"#)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_read_with_their_ids_as_written() {
        let names = || vec!["btcusdt@trade".to_owned()];
        for (text, id, expected) in [
            (r#"{"method":"SUBSCRIBE","params":["btcusdt@trade"],"id":1}"#, "1", Control::Subscribe(names())),
            (
                r#"{"id":"x","method":"UNSUBSCRIBE","params":["btcusdt@trade"]}"#,
                "\"x\"",
                Control::Unsubscribe(names()),
            ),
            (r#"{"method":"LIST_SUBSCRIPTIONS","id":null}"#, "null", Control::List),
            (
                r#"{"method":"SET_PROPERTY","params":["combined",true],"id":0}"#,
                "0",
                Control::SetCombined(true),
            ),
            (r#"{"method":"GET_PROPERTY","params":["combined"],"id":-7}"#, "-7", Control::GetCombined),
        ] {
            assert_eq!(parse(text), (id.to_owned(), Ok(expected)), "{text}");
        }
    }

    #[test]
    fn bad_frames_get_an_error_object() {
        let long = format!(r#"{{"method":"LIST_SUBSCRIPTIONS","id":"{}"}}"#, "x".repeat(37));
        for (text, code) in [
            ("", 3),
            ("{", 3),
            ("hello", 3),
            ("[]", 2),
            ("7", 2),
            (r#"{"id":1}"#, 2),
            (r#"{"method":"BUY","id":1}"#, 2),
            (r#"{"method":"SUBSCRIBE","id":1}"#, 2),
            (r#"{"method":"SUBSCRIBE","params":"btcusdt@trade","id":1}"#, 2),
            (r#"{"method":"SUBSCRIBE","params":[1],"id":1}"#, 2),
            (r#"{"method":"LIST_SUBSCRIPTIONS","id":1.5}"#, 2),
            (r#"{"method":"LIST_SUBSCRIPTIONS","id":[]}"#, 2),
            (long.as_str(), 2),
            (r#"{"method":"SET_PROPERTY","params":["combined",1],"id":1}"#, 1),
            (r#"{"method":"SET_PROPERTY","params":["combined"],"id":1}"#, 1),
            (r#"{"method":"SET_PROPERTY","params":[true,"combined"],"id":1}"#, 2),
            (r#"{"method":"SET_PROPERTY","params":["combined",true,1],"id":1}"#, 2),
            (r#"{"method":"GET_PROPERTY","params":["combined",true],"id":1}"#, 2),
            (r#"{"method":"GET_PROPERTY","params":[],"id":1}"#, 2),
            (r#"{"method":"GET_PROPERTY","params":{"combined":1},"id":1}"#, 2),
            (r#"{"method":"GET_PROPERTY","params":["other"],"id":1}"#, 0),
            (r#"{"method":"GET_PROPERTY","id":1}"#, 2),
            (r#"{"method":"SET_PROPERTY","params":["other",true],"id":1}"#, 0),
        ] {
            let (id, result) = parse(text);
            let refused = result.unwrap_err();
            assert_eq!(refused.code, code, "{text}: {refused:?}");
            let body: serde_json::Value = serde_json::from_str(&answer(&id, Err(refused))).unwrap();
            assert_eq!(body["error"]["code"], code, "{text}");
        }
        assert_eq!(answer("1", Ok("null".to_owned())), r#"{"result":null,"id":1}"#);
    }
}
