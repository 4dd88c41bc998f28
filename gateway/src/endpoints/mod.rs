//! Every REST endpoint of the traders' port: its method and path, the call behind it, and what is said of
//! it to those who read the API's document. The router and the document are both made from these tables,
//! so that neither can have what the other has not. Refuses to know what a call does.

mod account;
mod keys;
mod lists;

mod market;
mod orders;
mod shape;
mod tickers;
mod trade;
mod wallet;

pub(crate) use shape::{Field, Object, Parameter, Shape};

use crate::calls::Call;

/// An HTTP method that the door takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Method {
    Get,
    Post,
    Put,
    Delete,
}

/// What a good request is answered with.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Answer {
    /// HTTP 200 and this.
    Good(Shape),
    /// Always a refusal, with this status.
    Never(u16),
}

/// An endpoint.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Endpoint {
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    pub(crate) call: Call,
    /// What it is for, in a few words.
    pub(crate) summary: &'static str,
    /// What else is to be known; may be empty.
    pub(crate) details: &'static str,
    pub(crate) parameters: &'static [Parameter],
    pub(crate) answer: Answer,
    /// The media types of texts that it can answer with instead, if asked to.
    pub(crate) texts: &'static [&'static str],
    /// The dialect's codes and texts that it refuses with, beside those that every call may meet.
    pub(crate) refusals: &'static [(i32, &'static str)],
}

/// A part of the API.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Section {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) endpoints: &'static [Endpoint],
}

/// All of the API.
pub(crate) const SECTIONS: &[Section] = &[
    market::SECTION,
    tickers::SECTION,
    orders::SECTION,
    lists::SECTION,
    trade::SECTION,
    account::SECTION,
    keys::SECTION,
    wallet::SECTION,
];

/// Every endpoint.
pub(crate) fn all() -> impl Iterator<Item = &'static Endpoint> {
    SECTIONS.iter().flat_map(|section| section.endpoints)
}

/// An endpoint that refuses with nothing but what every call may meet.
const fn endpoint(
    method: Method,
    path: &'static str,
    call: Call,
    summary: &'static str,
    parameters: &'static [Parameter],
    answer: Answer,
) -> Endpoint {
    Endpoint { method, path, call, summary, details: "", parameters, answer, texts: &[], refusals: &[] }
}

impl Endpoint {
    const fn details(self, details: &'static str) -> Self {
        Self { details, ..self }
    }

    const fn or_texts(self, texts: &'static [&'static str]) -> Self {
        Self { texts, ..self }
    }

    const fn refuses(self, refusals: &'static [(i32, &'static str)]) -> Self {
        Self { refusals, ..self }
    }
}

/// Parameters and refusals that many endpoints have.
mod usual {
    use super::shape::{Parameter, Shape, mandatory, optional};

    pub(super) const SYMBOL: Parameter = mandatory("symbol", Shape::Text, "The instrument, such as BTCUSDT.");
    pub(super) const MAYBE_SYMBOL: Parameter =
        optional("symbol", Shape::Text, "One instrument; the answer is an object. Without it, an array.");
    pub(super) const SYMBOLS: Parameter =
        optional("symbols", Shape::Text, "Several instruments, as a JSON array of texts. Not with `symbol`.");
    pub(super) const SYMBOL_STATUS: Parameter = optional(
        "symbolStatus",
        Shape::Word(&["TRADING", "HALT", "BREAK", "CANCEL_ONLY", "END_OF_DAY"]),
        "Only instruments of this status; a named one of another status is refused.",
    );
    pub(super) const LIMIT: Parameter =
        optional("limit", Shape::Integer, "The most rows: 500 when not said, at most 1000.");
    pub(super) const START: Parameter =
        optional("startTime", Shape::Integer, "Not before: milliseconds, or microseconds, since 1970.");
    pub(super) const END: Parameter =
        optional("endTime", Shape::Integer, "Not after: milliseconds, or microseconds, since 1970.");
    pub(super) const ORDER_ID: Parameter = optional("orderId", Shape::Integer, "The order's id.");
    pub(super) const ORDER_NAME: Parameter =
        optional("origClientOrderId", Shape::Text, "The order's own client order id.");

    pub(super) const BAD_SYMBOL: (i32, &str) = (-1121, "Invalid symbol.");
    pub(super) const STATUS_MISMATCH: (i32, &str) =
        (-1220, "The symbol's status does not match the requested symbolStatus.");
    pub(super) const NO_ORDER: (i32, &str) = (-2013, "Order does not exist.");
    pub(super) const UNKNOWN_ORDER: (i32, &str) = (-2011, "Unknown order sent.");
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn each_endpoint_stands_once_and_says_what_it_is_for() {
        let mut seen = BTreeSet::new();
        for endpoint in all() {
            assert!(seen.insert((endpoint.path, endpoint.method)), "{endpoint:?}");
            assert!(endpoint.summary.ends_with('.'), "{}", endpoint.path);
            let names: BTreeSet<_> = endpoint.parameters.iter().map(|parameter| parameter.name).collect();
            assert_eq!(names.len(), endpoint.parameters.len(), "{}", endpoint.path);
        }
    }
}
