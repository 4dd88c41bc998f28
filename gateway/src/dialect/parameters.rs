//! The parameters of a call, from wherever it came: the query and body of a REST request, or the
//! `params` of a WebSocket frame. Typed reading with the dialect's errors (§2.1, §2.8, §3). Refuses to
//! know which call takes which.

use super::{DialectError, payload};
use protocol::{
    ClientOrderId, Time,
    decimal::{DecimalError, parse_units},
};
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;
use std::{borrow::Cow, fmt};

/// What a whole number may look like.
const INTEGER_RANGE: &str = r"^[0-9]{1,20}$";
/// What a decimal may look like.
const DECIMAL_RANGE: &str = r"^([0-9]{1,20})(\.[0-9]{1,20})?$";
/// What a client order id may look like.
const CLIENT_ORDER_ID_RANGE: &str = "^[a-zA-Z0-9-_]{1,36}$";
/// Timestamps from here on count microseconds.
const MICROSECONDS_FROM: u64 = 100_000_000_000_000;

/// Decoded names and values; each name once. A value that is empty or null was sent as nothing.
#[derive(Clone, Debug, Default)]
pub(crate) struct Parameters<'a> {
    pairs: Vec<payload::Pair<'a>>,
    /// Which order of a list is read: then names are the list's names for it.
    leg: Option<Leg>,
}

/// One order of a list: what its parameters are called (dialect §5.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Leg {
    /// Before each name, as in `aboveStopPrice`.
    pub(crate) prefix: &'static str,
    /// Names that all orders of the list share, and what the list calls them.
    pub(crate) shared: &'static [(&'static str, &'static str)],
}

impl Leg {
    fn name<'n>(&self, name: &'n str) -> Cow<'n, str> {
        if let Some((_, shared)) = self.shared.iter().find(|(plain, _)| *plain == name) {
            return Cow::Borrowed(*shared);
        }
        let own = if name == "newClientOrderId" { "clientOrderId" } else { name };
        let (first, rest) = own.split_at(own.len().min(1));
        Cow::Owned(format!("{}{}{rest}", self.prefix, first.to_uppercase()))
    }
}

impl<'a> Parameters<'a> {
    /// From a REST request; where both places have a name, the query's value stands. A body is a form,
    /// whatever its label says, or a JSON object.
    pub(crate) fn from_request(query: &'a str, body: &'a str) -> Result<Self, DialectError> {
        let mut pairs = payload::decoded_pairs(query)?;
        let of_body = if payload::is_json(body) {
            let object: &RawValue =
                serde_json::from_str(body).map_err(|_| DialectError::illegal_encoding())?;
            Self::from_json(object)?.pairs
        } else {
            payload::decoded_pairs(body)?
        };
        for pair in of_body {
            if !pairs.iter().any(|(name, _)| *name == pair.0) {
                pairs.push(pair);
            }
        }
        Ok(Self { pairs, leg: None })
    }

    /// From the `params` object of a frame: strings unescaped, everything else as the client wrote it.
    pub(crate) fn from_json(object: &'a RawValue) -> Result<Self, DialectError> {
        let JsonPairs(pairs) =
            serde_json::from_str(object.get()).map_err(|_| DialectError::invalid_data("params"))?;
        if pairs.len() > payload::PARAMETERS_MAX {
            return Err(DialectError::too_many_parameters());
        }
        for (index, (name, _)) in pairs.iter().enumerate() {
            if pairs[..index].iter().any(|(known, _)| known == name) {
                return Err(DialectError::duplicate(&payload::printable(name)));
            }
        }
        Ok(Self { pairs, leg: None })
    }

    /// The same, read as one order of a list.
    pub(crate) fn leg(&self, leg: Leg) -> Self {
        Self { leg: Some(leg), ..self.clone() }
    }

    /// What a client calls a parameter.
    pub(crate) fn called<'n>(&self, name: &'n str) -> Cow<'n, str> {
        self.leg.map_or(Cow::Borrowed(name), |leg| leg.name(name))
    }

    /// What a frame's client signed: every parameter but the signature, sorted by name (dialect §9).
    pub(crate) fn sorted_payload(&self) -> String {
        let mut pairs: Vec<_> = self.pairs.iter().filter(|(name, _)| name != payload::SIGNATURE).collect();
        pairs.sort();
        let mut text = String::with_capacity(256);
        for (name, value) in pairs {
            if !text.is_empty() {
                text.push('&');
            }
            text.push_str(name);
            text.push('=');
            text.push_str(value);
        }
        text
    }

    /// Gives a value to a name that was sent with none.
    pub(crate) fn set_default(&mut self, name: &'static str, value: &str) {
        if !self.has(name) {
            self.pairs.retain(|(known, _)| known != name);
            self.pairs.push((Cow::Borrowed(name), Cow::Owned(value.to_owned())));
        }
    }

    /// The value, `None` when it was not sent or is empty.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.sent(name).filter(|value| !value.is_empty())
    }

    /// Every name that was sent.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.pairs.iter().map(|(name, _)| name.as_ref())
    }

    /// The value even if it is empty.
    pub(crate) fn sent(&self, name: &str) -> Option<&str> {
        let name = self.called(name);
        self.pairs.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_ref())
    }

    /// Whether the name was sent with a value.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.text(name).is_some()
    }

    /// A value that the call cannot do without.
    pub(crate) fn required(&self, name: &str) -> Result<&str, DialectError> {
        self.text(name).ok_or_else(|| DialectError::mandatory(&self.called(name)))
    }

    /// A whole number from 0.
    pub(crate) fn integer(&self, name: &str) -> Result<Option<u64>, DialectError> {
        let Some(text) = self.text(name) else { return Ok(None) };
        if text.len() > 20 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(DialectError::illegal_characters(&self.called(name), INTEGER_RANGE));
        }
        text.parse().map(Some).map_err(|_| DialectError::overflow(&self.called(name)))
    }

    /// How many rows: `default` when not said, at most `max`; 0 is refused.
    pub(crate) fn limit(&self, default: usize, max: usize) -> Result<usize, DialectError> {
        match self.integer("limit")? {
            None => Ok(default),
            Some(0) => Err(DialectError::invalid_data("limit")),
            Some(limit) => Ok(usize::try_from(limit).map_or(max, |limit| limit.min(max))),
        }
    }

    /// A time in milliseconds, or in microseconds from 10^14 on.
    pub(crate) fn time(&self, name: &str) -> Result<Option<Time>, DialectError> {
        Ok(self.integer(name)?.map(|value| {
            if value < MICROSECONDS_FROM {
                Time::from_millis(value)
            } else {
                Time(value.saturating_mul(1_000))
            }
        }))
    }

    /// `true` or `false` in any case; absent is `default`.
    pub(crate) fn boolean(&self, name: &str, default: bool) -> Result<bool, DialectError> {
        match self.text(name) {
            None => Ok(default),
            Some(text) if text.eq_ignore_ascii_case("true") => Ok(true),
            Some(text) if text.eq_ignore_ascii_case("false") => Ok(false),
            Some(_) => Err(DialectError::invalid_data(&self.called(name))),
        }
    }

    /// A positive decimal as whole units of 10^-`scale`.
    pub(crate) fn units(&self, name: &str, scale: u8) -> Result<Option<u64>, DialectError> {
        let Some(text) = self.text(name) else { return Ok(None) };
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |part: &str| (1..=20).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
        if !digits(whole) || !digits(fraction) {
            return Err(DialectError::illegal_characters(&self.called(name), DECIMAL_RANGE));
        }
        match parse_units(text, scale) {
            Ok(units) => Ok(Some(units)),
            Err(DecimalError::TooPrecise) => Err(DialectError::too_precise(&self.called(name))),
            Err(DecimalError::Overflow) => Err(DialectError::overflow(&self.called(name))),
            Err(DecimalError::Malformed | DecimalError::Negative) => {
                Err(DialectError::illegal_characters(&self.called(name), DECIMAL_RANGE))
            }
        }
    }

    /// A client order id.
    pub(crate) fn client_order_id(&self, name: &str) -> Result<Option<ClientOrderId>, DialectError> {
        match self.sent(name) {
            None => Ok(None),
            Some("") => Err(DialectError::empty(&self.called(name))),
            Some(text) => ClientOrderId::parse(text)
                .map(Some)
                .ok_or_else(|| DialectError::illegal_characters(&self.called(name), CLIENT_ORDER_ID_RANGE)),
        }
    }

    /// A JSON array of texts, as in `symbols=["A","B"]`; a single bare word stands for itself.
    pub(crate) fn list(&self, name: &str) -> Result<Option<Vec<String>>, DialectError> {
        let Some(text) = self.text(name) else { return Ok(None) };
        if !text.starts_with('[') {
            return Ok(Some(vec![text.to_owned()]));
        }
        let list: Vec<String> = serde_json::from_str(text).map_err(|_| {
            DialectError::illegal_characters(&self.called(name), r#"^\["[A-Z0-9]+"(,"[A-Z0-9]+")*\]$"#)
        })?;
        if list.is_empty() { Err(DialectError::empty(&self.called(name))) } else { Ok(Some(list)) }
    }
}

/// The pairs of a JSON object in the order they came, a repeated name kept twice.
struct JsonPairs<'a>(Vec<payload::Pair<'a>>);

impl<'de> Deserialize<'de> for JsonPairs<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs;
        impl<'de> Visitor<'de> for Pairs {
            type Value = JsonPairs<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object of parameters")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut pairs = Vec::with_capacity(16);
                while let Some((name, value)) = map.next_entry::<Cow<'de, str>, &'de RawValue>()? {
                    let value = match value.get() {
                        "null" => continue,
                        text if text.starts_with('"') => Cow::Owned(
                            serde_json::from_str::<String>(text).map_err(serde::de::Error::custom)?,
                        ),
                        text => Cow::Borrowed(text),
                    };
                    pairs.push((name, value));
                }
                Ok(JsonPairs(pairs))
            }
        }
        deserializer.deserialize_map(Pairs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rest(query: &'static str) -> Parameters<'static> {
        Parameters::from_request(query, "").unwrap()
    }

    #[test]
    fn the_query_wins_over_the_body() {
        let parameters = Parameters::from_request("a=1&b=2", "b=3&c=4").unwrap();
        assert_eq!(
            ["a", "b", "c", "d"].map(|name| parameters.text(name)),
            [Some("1"), Some("2"), Some("4"), None]
        );
        assert_eq!(Parameters::from_request("a=1", "b=1&b=2").unwrap_err().code, -1101);
    }

    #[test]
    fn a_body_may_be_a_json_object() {
        let parameters =
            Parameters::from_request("a=1", r#" {"a":"2","price":0.10,"flag":true,"list":["X"]}"#).unwrap();
        assert_eq!(
            ["a", "price", "flag"].map(|name| parameters.text(name)),
            [Some("1"), Some("0.10"), Some("true")]
        );
        assert_eq!(parameters.list("list").unwrap(), Some(vec!["X".to_owned()]));
        for (body, code) in [("{", -1100), (r#"{"a":1,"a":2}"#, -1101), (r#"{"a":1} x"#, -1100)] {
            assert_eq!(Parameters::from_request("", body).unwrap_err().code, code, "{body}");
        }
    }

    #[test]
    fn a_default_stands_where_nothing_was_sent() {
        let mut parameters = rest("sent=1&empty=");
        for name in ["sent", "empty", "absent"] {
            parameters.set_default(name, "default");
        }
        assert_eq!(parameters.text("sent"), Some("1"));
        assert_eq!([parameters.text("empty"), parameters.text("absent")], [Some("default"); 2]);
    }

    #[test]
    fn values_are_typed_or_refused() {
        let parameters = rest("n=17&big=99999999999999999999&word=x&neg=-1&yes=TRUE&empty=&zero=0");
        assert_eq!(parameters.integer("n").unwrap(), Some(17));
        assert_eq!(parameters.integer("absent").unwrap(), None);
        assert_eq!(parameters.integer("empty").unwrap(), None);
        assert_eq!(parameters.integer("big").unwrap_err().code, -1108);
        assert_eq!(parameters.integer("word").unwrap_err().code, -1100);
        assert_eq!(parameters.integer("neg").unwrap_err().code, -1100);
        assert!(parameters.boolean("yes", false).unwrap());
        assert_eq!(parameters.boolean("word", false).unwrap_err().code, -1130);
        assert_eq!(parameters.required("empty").unwrap_err().code, -1102);
        assert_eq!(parameters.client_order_id("empty").unwrap_err().code, -1105);
    }

    #[test]
    fn decimals_are_exact_or_refused() {
        for (text, expected) in [
            ("v=1", Ok(100)),
            ("v=1.5", Ok(150)),
            ("v=0.010000", Ok(1)),
            ("v=0", Ok(0)),
            ("v=0.001", Err(-1111)),
            ("v=-1", Err(-1100)),
            ("v=+1", Err(-1100)),
            ("v=1e5", Err(-1100)),
            ("v=1.", Err(-1100)),
            ("v=.5", Err(-1100)),
            ("v=1,5", Err(-1100)),
            ("v=NaN", Err(-1100)),
            ("v=1.2.3", Err(-1100)),
            ("v=99999999999999999999", Err(-1108)),
            ("v=999999999999999999999", Err(-1100)),
        ] {
            let units = rest(text).units("v", 2).map(|units| units.unwrap()).map_err(|error| error.code);
            assert_eq!(units, expected, "{text}");
        }
    }

    #[test]
    fn limits_are_bounded() {
        for (text, expected) in [
            ("", Ok(500)),
            ("limit=7", Ok(7)),
            ("limit=5000", Ok(1_000)),
            ("limit=0", Err(-1130)),
            ("limit=x", Err(-1100)),
        ] {
            assert_eq!(rest(text).limit(500, 1_000).map_err(|error| error.code), expected, "{text}");
        }
    }

    #[test]
    fn lists_are_json_arrays_or_single_words() {
        assert_eq!(rest("s=%5B%22A%22,%22B%22%5D").list("s").unwrap().unwrap(), ["A", "B"]);
        assert_eq!(rest("s=SPOT").list("s").unwrap().unwrap(), ["SPOT"]);
        for bad in ["s=[", "s=[1]", "s=[]"] {
            assert!(rest(bad).list("s").is_err(), "{bad}");
        }
    }

    #[test]
    fn times_are_read_by_magnitude() {
        assert_eq!(rest("t=1700000000000").time("t").unwrap(), Some(Time(1_700_000_000_000_000_000)));
        assert_eq!(rest("t=1700000000000001").time("t").unwrap(), Some(Time(1_700_000_000_000_001_000)));
    }

    #[test]
    fn frames_keep_the_text_of_numbers_and_sort_what_was_signed() {
        let object: Box<RawValue> = serde_json::from_str(
            r#"{"symbol":"BTCUSDT","price":23416.10000000,"flag":true,"nothing":null,"signature":"s","apiKey":"k","timestamp":1.0}"#,
        )
        .unwrap();
        let parameters = Parameters::from_json(&object).unwrap();
        assert_eq!(parameters.text("price"), Some("23416.10000000"));
        assert_eq!(
            parameters.sorted_payload(),
            "apiKey=k&flag=true&price=23416.10000000&symbol=BTCUSDT&timestamp=1.0"
        );
        for (bad, code) in [(r#"{"a":1,"a":2}"#, -1101), ("[]", -1130), ("7", -1130)] {
            let object: Box<RawValue> = serde_json::from_str(bad).unwrap();
            assert_eq!(Parameters::from_json(&object).unwrap_err().code, code, "{bad}");
        }
    }
}
