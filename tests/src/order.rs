//! The order that most tests place: a limit order for BTC that rests until it is filled or cancelled. Refuses
//! to judge the answer.

use crate::{
    client::{Client, ClientError},
    load::SYMBOL,
};
use serde_json::Value;
use ureq::http::Method;

/// Its parameters: `BUY` or `SELL`, how much, at which price.
pub const fn limit<'a>(side: &'a str, quantity: &'a str, price: &'a str) -> [(&'a str, &'a str); 6] {
    [
        ("symbol", SYMBOL),
        ("side", side),
        ("type", "LIMIT"),
        ("timeInForce", "GTC"),
        ("quantity", quantity),
        ("price", price),
    ]
}

/// Places it: side, quantity and price; and what is said beside them, such as its name.
///
/// # Errors
/// See [`ClientError`].
pub fn place_limit(
    client: &Client,
    [side, quantity, price]: [&str; 3],
    beside: &[(&str, &str)],
) -> Result<Value, ClientError> {
    let parameters = [&limit(side, quantity, price)[..], beside].concat();
    client.signed(&Method::POST, "/api/v3/order", &parameters)
}
