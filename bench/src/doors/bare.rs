//! The bare server: the exchange's HTTP and WebSocket libraries, with a route that answers at once and a
//! socket that sends back what it was sent. Refuses to do anything else.

use anyhow::Context as _;
use axum::{
    Router,
    body::Bytes,
    extract::ws::{Message, WebSocket, WebSocketUpgrade},
    response::Response,
    routing::{any, post},
};
use futures_util::{FutureExt as _, SinkExt, StreamExt as _};
use std::net::SocketAddr;
use tokio::net::TcpListener;

/// What the route answers: as long as the answer to an order.
const ANSWER: &str = concat!(
    r#"{"symbol":"BTCUSDT","orderId":1000000,"orderListId":-1,"clientOrderId":"rialto-1000000","#,
    r#""transactTime":1700000000000,"price":"40000.00000000","origQty":"0.00100000","#,
    r#""executedQty":"0.00000000","origQuoteOrderQty":"0.00000000","cummulativeQuoteQty":"0.00000000","#,
    r#""status":"EXPIRED","timeInForce":"IOC","type":"LIMIT","side":"BUY","workingTime":1700000000000,"#,
    r#""selfTradePreventionMode":"NONE","fills":[]}"#
);

/// Serves until the process is killed.
///
/// # Errors
/// When the address is taken.
pub fn serve(address: SocketAddr) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener =
            TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address}"))?;
        let router = Router::new()
            .route(
                "/order",
                post(async |body: Bytes| {
                    drop(body);
                    ANSWER
                }),
            )
            .route("/echo", any(async |upgrade: WebSocketUpgrade| -> Response { upgrade.on_upgrade(echo) }));
        axum::serve(listener, router).await?;
        Ok(())
    })
}

/// Sends back each text, flushing when none waits: as the exchange's own doors do.
async fn echo(mut socket: WebSocket) {
    while let Some(Ok(message)) = socket.next().await {
        if !matches!(message, Message::Text(_)) {
            continue;
        }
        let mut message = message;
        loop {
            if socket.feed(message).await.is_err() {
                return;
            }
            match socket.next().now_or_never() {
                Some(Some(Ok(next @ Message::Text(_)))) => message = next,
                _ => break,
            }
        }
        if SinkExt::<Message>::flush(&mut socket).await.is_err() {
            return;
        }
    }
}
