//! The paths of market streams (dialect §8): which streams a connection begins with, and in which
//! format. Refuses to know what happens after.

use super::{Format, Session, serve};
use crate::{
    Gateway,
    dialect::{
        DialectError,
        payload::{percent_decoded, raw_pairs},
        time_unit_from,
    },
    limits::{ClientAddress, Door},
    link,
    rest::error_response,
    views::TimeUnit,
};
use axum::{
    Extension, Router,
    extract::{
        State,
        ws::{WebSocketUpgrade, rejection::WebSocketUpgradeRejection},
    },
    http::Uri,
    response::Response,
    routing::any,
};

/// Every path that leads to market streams.
pub(crate) fn routes() -> Router<Gateway> {
    Router::new()
        .route("/ws", any(raw))
        .route("/ws/{*names}", any(raw))
        .route("/ws/", any(raw))
        .route("/stream", any(combined))
        .route("/stream/", any(combined))
        .route("/stream/ws", any(raw))
        .route("/stream/ws/", any(raw))
        .route("/stream/ws/{*names}", any(raw))
}

type Client = Extension<ClientAddress>;
type Upgrade = Result<WebSocketUpgrade, WebSocketUpgradeRejection>;

async fn raw(State(gateway): State<Gateway>, client: Client, uri: Uri, upgrade: Upgrade) -> Response {
    let tail = uri.path().split_once("/ws/").map_or("", |(_, tail)| tail);
    let names = names(tail);
    connect(gateway, client, &uri, upgrade, &names, false)
}

async fn combined(State(gateway): State<Gateway>, client: Client, uri: Uri, upgrade: Upgrade) -> Response {
    let names = names(query_value(&uri, "streams").unwrap_or_default());
    connect(gateway, client, &uri, upgrade, &names, true)
}

fn connect(
    gateway: Gateway,
    client: Client,
    uri: &Uri,
    upgrade: Upgrade,
    names: &[String],
    combined: bool,
) -> Response {
    let unit = match query_value(uri, "timeUnit").map_or(Ok(TimeUnit::default()), time_unit_from) {
        Ok(unit) => unit,
        Err(error) => return error_response(&error),
    };
    match upgrade {
        Ok(upgrade) => {
            if let Err(error) = gateway.count_connection(client.0.0, Door::Streams) {
                return error_response(&error);
            }
            let times = gateway.socket_times;
            let session = Session::open(gateway, names, Format { combined, unit });
            link::upgrade(upgrade, times, move |link| serve(session, link))
        }
        Err(_) => error_response(&not_an_upgrade()),
    }
}

/// A plain HTTP request where a WebSocket begins.
pub(crate) fn not_an_upgrade() -> DialectError {
    DialectError::new(426, -1020, "This operation is not supported: connect with WebSocket.")
}

/// A query's value, as received.
pub(crate) fn query_value<'a>(uri: &'a Uri, name: &str) -> Option<&'a str> {
    raw_pairs(uri.query()?).find(|(known, _)| *known == name).map(|(_, value)| value)
}

/// The names between slashes, decoded; a slash may itself be percent-encoded.
fn names(text: &str) -> Vec<String> {
    let decoded = percent_decoded(text).unwrap_or_default();
    decoded.split('/').filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stand_between_slashes() {
        assert_eq!(names("a@trade/b@depth"), ["a@trade", "b@depth"]);
        assert_eq!(names("a%40trade%2Fb@depth/"), ["a@trade", "b@depth"]);
        assert!(names("").is_empty() && names("%").is_empty());
    }
}
