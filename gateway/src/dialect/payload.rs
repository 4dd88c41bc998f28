//! The raw name=value pairs of a request: reading them, and putting together the bytes that were
//! signed (dialect §2.2). Works on bytes exactly as received; percent-decoding comes after. Refuses to
//! know what any parameter means but `signature`.

use super::DialectError;
use percent_encoding::percent_decode;
use std::borrow::Cow;

/// The parameter that is no part of what it signs.
pub(crate) const SIGNATURE: &str = "signature";
/// The most parameters one place may hold; no call knows half as many.
pub(crate) const PARAMETERS_MAX: usize = 64;

/// The pairs of an urlencoded text, as received, empty ones left out.
pub(crate) fn raw_pairs(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.split('&').filter(|pair| !pair.is_empty()).map(|pair| pair.split_once('=').unwrap_or((pair, "")))
}

/// Decodes one name or value of an urlencoded text, where `+` is a space.
pub(crate) fn decode(text: &str) -> Result<Cow<'_, str>, DialectError> {
    if !text.contains('+') {
        return percent_decoded(text);
    }
    Ok(Cow::Owned(percent_decoded(&text.replace('+', " "))?.into_owned()))
}

/// Decodes `%XX`.
pub(crate) fn percent_decoded(text: &str) -> Result<Cow<'_, str>, DialectError> {
    let bytes = text.as_bytes();
    let whole = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'%').all(|(at, _)| {
        bytes.get(at + 1..at + 3).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    });
    if !whole {
        return Err(DialectError::illegal_encoding());
    }
    percent_decode(bytes).decode_utf8().map_err(|_| DialectError::illegal_encoding())
}

/// A name and a value, decoded.
pub(crate) type Pair<'a> = (Cow<'a, str>, Cow<'a, str>);

/// The pairs of a text, decoded. A name that comes twice, or too many names, are refused.
pub(crate) fn decoded_pairs(text: &str) -> Result<Vec<Pair<'_>>, DialectError> {
    let mut pairs: Vec<Pair<'_>> = Vec::with_capacity(16);
    for (name, value) in raw_pairs(text) {
        let (name, value) = (decode(name)?, decode(value)?);
        if pairs.iter().any(|(known, _)| *known == name) {
            return Err(DialectError::duplicate(&printable(&name)));
        }
        if pairs.len() == PARAMETERS_MAX {
            return Err(DialectError::too_many_parameters());
        }
        pairs.push((name, value));
    }
    Ok(pairs)
}

/// Whether a body is a JSON object. A form cannot begin as one.
pub(crate) fn is_json(body: &str) -> bool {
    body.trim_start().starts_with('{')
}

/// What was signed: the query followed by the body, without a separator, each without its
/// `signature` pair and the `&` that joined it. A JSON body is signed whole.
pub(crate) fn signed_payload(query: &str, body: &str) -> Vec<u8> {
    let mut payload = Vec::with_capacity(query.len() + body.len());
    for place in [query, body] {
        if is_json(place) {
            payload.extend_from_slice(place.as_bytes());
            continue;
        }
        let mut separator = "";
        for pair in place.split('&') {
            let name = pair.split_once('=').map_or(pair, |(name, _)| name);
            if decode(name).is_ok_and(|name| name == SIGNATURE) {
                continue;
            }
            payload.extend_from_slice(separator.as_bytes());
            payload.extend_from_slice(pair.as_bytes());
            separator = "&";
        }
    }
    payload
}

/// A client's own text cut to what an error may repeat.
pub(crate) fn printable(text: &str) -> String {
    text.chars().filter(char::is_ascii_graphic).take(40).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_signature_is_taken_out_wherever_it_stands() {
        for (query, body, expected) in [
            ("a=1&b=2&signature=xyz", "", "a=1&b=2"),
            ("signature=xyz&a=1&b=2", "", "a=1&b=2"),
            ("a=1&signature=xyz&b=2", "", "a=1&b=2"),
            ("", "a=1&b=2&signature=xyz", "a=1&b=2"),
            ("a=1", "b=2&signature=xyz", "a=1b=2"),
            ("a=1&signature=xyz", "b=2", "a=1b=2"),
            ("a=%40&%73ignature=xyz", "", "a=%40"),
            ("signature=xyz", "", ""),
            ("a=1&signatures=2", "", "a=1&signatures=2"),
            ("&a=1&&signature=xyz&", "", "&a=1&&"),
            ("b=2&signature=xyz", r#"{"a":"x&signature=y"}"#, r#"b=2{"a":"x&signature=y"}"#),
        ] {
            let payload = signed_payload(query, body);
            assert_eq!(String::from_utf8(payload).unwrap(), expected, "{query} {body}");
        }
    }

    #[test]
    fn pairs_are_decoded_or_refused() {
        let pairs = decoded_pairs("a=1&&b=%22x%22+y&c&=d").unwrap();
        let texts: Vec<_> = pairs.iter().map(|(name, value)| (name.as_ref(), value.as_ref())).collect();
        assert_eq!(texts, [("a", "1"), ("b", "\"x\" y"), ("c", ""), ("", "d")]);
        let many = (0..=PARAMETERS_MAX).map(|index| format!("p{index}=1")).collect::<Vec<_>>().join("&");
        for (text, code) in [
            ("a=1&a=2", -1101),
            ("a=1&%61=2", -1101),
            ("a=%", -1100),
            ("a=%2", -1100),
            ("a=%zz", -1100),
            ("a=%ff", -1100),
            (many.as_str(), -1101),
        ] {
            assert_eq!(decoded_pairs(text).unwrap_err().code, code, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_answered(query in "\\PC{0,60}", body in "[a-c=&%+signature0-9]{0,60}") {
            let _ = decoded_pairs(&query);
            let _ = decoded_pairs(&body);
            let _ = signed_payload(&query, &body);
        }

        #[test]
        fn a_payload_without_a_signature_is_what_was_received(query in "[a-c=&%0-9]{0,60}") {
            prop_assert_eq!(signed_payload(&query, ""), query.as_bytes());
        }
    }
}
