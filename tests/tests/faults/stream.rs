//! An account's own stream, to see what has left the exchange. Refuses to know what its events mean.

use serde_json::{Value, json};
use std::net::TcpStream;
use tests::{
    client::{Client, milliseconds_now},
    server::Server,
};
use tungstenite::{Message, WebSocket, stream::MaybeTlsStream};

/// A subscription.
pub struct Stream(WebSocket<MaybeTlsStream<TcpStream>>);

impl Stream {
    /// Subscribes to an account's events.
    pub fn of_account(server: &Server, client: &Client) -> Self {
        let (mut socket, _) =
            tungstenite::connect(format!("ws://{}/ws-api/v3", server.listen)).expect("a socket opens");
        let timestamp = milliseconds_now();
        let signature = client.signature(&format!("apiKey={}&timestamp={timestamp}", client.api_key()));
        let request = json!({
            "id": "1",
            "method": "userDataStream.subscribe.signature",
            "params": {"apiKey": client.api_key(), "timestamp": timestamp as u64, "signature": signature},
        });
        socket.send(Message::text(request.to_string())).expect("a request is sent");
        let answer = socket.read().expect("an answer comes").into_text().expect("an answer is text");
        let answer: Value = serde_json::from_str(&answer).expect("an answer is JSON");
        assert_eq!(answer["status"], 200, "{answer}");
        Self(socket)
    }

    /// The account's events until the connection ends.
    pub fn rest(&mut self) -> Vec<Value> {
        let mut rest = Vec::new();
        while let Ok(message) = self.0.read() {
            if let Message::Text(text) = message {
                let message: Value = serde_json::from_str(&text).expect("every message is JSON");
                if message["event"]["e"] != "eventStreamTerminated"
                    && message["event"]["e"] != "serverShutdown"
                {
                    rest.push(message);
                }
            }
        }
        rest
    }
}
