//! The WebSocket API (dialect §9): requests by frames, on the functions that REST calls, and accounts'
//! own streams. Refuses to know what a call does.

mod frame;
mod requests;
mod session;
mod subscriptions;

use crate::{
    Gateway,
    dialect::{DialectError, time_unit_from},
    gateway::stopped,
    limits::{ClientAddress, Door},
    link::{self, BATCH_FRAMES_MAX, CloseCode, EXPIRED, Gone, Incoming, Link, STOPPING},
    rest::error_response,
    streams::{not_an_upgrade, query_value},
    views::TimeUnit,
};
use axum::{
    Router,
    extract::{
        FromRequestParts, Request, State,
        ws::{Utf8Bytes, WebSocketUpgrade},
    },
    response::Response,
    routing::any,
};
use futures_util::{FutureExt, StreamExt, future::BoxFuture, stream::FuturesUnordered};
use session::{Next, Options, Session};
use std::{net::IpAddr, sync::atomic::Ordering, time::Duration};
use tokio::time::{MissedTickBehavior, interval};

/// The most requests of one connection that may wait for the engine; more are read when some are
/// answered.
const IN_FLIGHT_MAX: usize = 256;
/// How often a subscription's key is looked up again: a disabled key's stream ends within this.
const KEY_CHECK_INTERVAL: Duration = Duration::from_secs(5);

/// The path of the WebSocket API.
pub(crate) fn routes() -> Router<Gateway> {
    Router::new().route("/ws-api/v3", any(connect)).route("/ws-api/v3/", any(connect))
}

async fn connect(State(gateway): State<Gateway>, request: Request) -> Response {
    let options = match options(&request) {
        Ok(options) => options,
        Err(error) => return error_response(&error),
    };
    let address = ClientAddress::noted(request.extensions());
    let (mut parts, _) = request.into_parts();
    match WebSocketUpgrade::from_request_parts(&mut parts, &gateway).await {
        Ok(upgrade) => match gateway.count_connection(address, Door::WebSocketApi) {
            Ok(()) => {
                let times = gateway.socket_times;
                link::upgrade(upgrade, times, move |link| serve(gateway, link, address, options))
            }
            Err(error) => error_response(&error),
        },
        Err(_) => error_response(&not_an_upgrade()),
    }
}

/// What the URL says of the whole connection.
fn options(request: &Request) -> Result<Options, DialectError> {
    let uri = request.uri();
    let unit = query_value(uri, "timeUnit").map_or(Ok(TimeUnit::default()), time_unit_from)?;
    if query_value(uri, "responseFormat").is_some_and(|format| format != "json") {
        return Err(DialectError::only_json());
    }
    let return_rate_limits = match query_value(uri, "returnRateLimits") {
        None | Some("true") => true,
        Some("false") => false,
        Some(_) => return Err(DialectError::invalid_data("returnRateLimits")),
    };
    Ok(Options { unit, return_rate_limits })
}

async fn serve(gateway: Gateway, mut link: Link, address: IpAddr, options: Options) {
    gateway.counters.websocket_connections.fetch_add(1, Ordering::Relaxed);
    let mut session = Session::new(gateway.clone(), address, options);
    match run(&mut session, &mut link, &gateway).await {
        End::Left => {}
        End::Planned(why) => {
            let time = options.unit.of(gateway.now());
            let event = format!(r#"{{"event":{{"e":"serverShutdown","E":{time}}}}}"#);
            // The client may be gone already.
            let _ = link.send(event).await;
            link.close(CloseCode::Away, why).await;
        }
        End::Slow => {
            gateway.counters.slow_connections.fetch_add(1, Ordering::Relaxed);
            // What is told is where each account's stream ends: after it, nothing was sent.
            let _ = send_all(&mut link, session.end_all_subscriptions()).await;
            link.close(CloseCode::TryAgain, "too slow: events were waiting; connect and ask again").await;
        }
        End::Stuck => {
            gateway.counters.slow_connections.fetch_add(1, Ordering::Relaxed);
        }
    }
    gateway.counters.websocket_connections.fetch_sub(1, Ordering::Relaxed);
}

/// Why a connection ends.
enum End {
    Left,
    /// The server stops, or the connection has lived its life.
    Planned(&'static str),
    /// An account's events had no more room.
    Slow,
    /// The client reads nothing, and so could not be told either.
    Stuck,
}

async fn run(session: &mut Session, link: &mut Link, gateway: &Gateway) -> End {
    let mut stopping = gateway.stopping();
    let mut in_flight: FuturesUnordered<BoxFuture<'static, String>> = FuturesUnordered::new();
    let mut key_check = interval(KEY_CHECK_INTERVAL);
    key_check.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let done = tokio::select! {
            () = stopped(&mut stopping) => return End::Planned(STOPPING),
            // Answers go first: what they made room for can then be read.
            Some(answer) = in_flight.next(), if !in_flight.is_empty() => {
                send_answers(link, &mut in_flight, answer).await
            }
            event = session.next_event() => match event {
                None => return End::Slow,
                Some(event) => match send_events(session, link, event).await {
                    Ok(true) => Ok(()),
                    Ok(false) => return End::Slow,
                    Err(gone) => Err(gone),
                },
            },
            _ = key_check.tick() => send_all(link, session.end_refused_subscriptions()).await,
            incoming = link.incoming(), if in_flight.len() < IN_FLIGHT_MAX => match incoming {
                Incoming::End => return End::Left,
                Incoming::Expired => return End::Planned(EXPIRED),
                Incoming::Text(text) => request(session, link, &mut in_flight, text).await,
            },
        };
        match done {
            Ok(()) => {}
            Err(Gone::Left) => return End::Left,
            Err(Gone::Stuck) => return End::Stuck,
        }
    }
}

/// Takes one frame. What changes the session is answered at once, so that a subscription's answer
/// comes before its events; a call may wait for the engine while others are taken. Calls begin in the
/// order they came.
async fn request(
    session: &mut Session,
    link: &mut Link,
    in_flight: &mut FuturesUnordered<BoxFuture<'static, String>>,
    text: Utf8Bytes,
) -> Result<(), Gone> {
    match session.take(text) {
        Next::Answer(frames) => send_all(link, frames).await,
        Next::Call(call) => {
            in_flight.push(call);
            Ok(())
        }
    }
}

async fn send_all(link: &mut Link, frames: Vec<String>) -> Result<(), Gone> {
    if frames.is_empty() {
        return Ok(());
    }
    for frame in frames {
        link.feed(frame).await?;
    }
    link.flush().await
}

/// Sends an answer and those that are ready behind it, flushed once.
async fn send_answers(
    link: &mut Link,
    in_flight: &mut FuturesUnordered<BoxFuture<'static, String>>,
    first: String,
) -> Result<(), Gone> {
    link.feed(first).await?;
    for _ in 1..BATCH_FRAMES_MAX {
        match in_flight.next().now_or_never() {
            Some(Some(answer)) => link.feed(answer).await?,
            Some(None) | None => break,
        }
    }
    link.flush().await
}

/// Sends an event and those that wait behind it, flushed once; false when a subscription ended after
/// them because it was too slow.
async fn send_events(session: &mut Session, link: &mut Link, first: String) -> Result<bool, Gone> {
    link.feed(first).await?;
    let mut goes_on = true;
    for _ in 1..BATCH_FRAMES_MAX {
        match session.next_event().now_or_never() {
            Some(Some(event)) => link.feed(event).await?,
            Some(None) => {
                goes_on = false;
                break;
            }
            None => break,
        }
    }
    link.flush().await?;
    Ok(goes_on)
}
