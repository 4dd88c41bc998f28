//! A WebSocket client that waits for frames and signs as clients do. Refuses to know what frames mean.

use serde_json::{Value, json};
use std::{
    net::{SocketAddr, TcpStream},
    time::Duration,
};
use tests::client::{Client, milliseconds_now};
use tungstenite::{Message, WebSocket, client};

/// Longer than any frame takes; a test that waits so long has failed.
const PATIENCE: Duration = Duration::from_mins(1);

/// A connection.
pub struct Socket(WebSocket<TcpStream>);

impl Socket {
    /// Connects to a path.
    pub fn connect(address: SocketAddr, path: &str) -> Self {
        let stream = TcpStream::connect(address).expect("the server listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout can be set");
        stream.set_nodelay(true).expect("the option can be set");
        let (socket, _) = client(format!("ws://{address}{path}"), stream).expect("a WebSocket");
        Self(socket)
    }

    /// Sends a frame.
    pub fn send(&mut self, frame: &Value) {
        self.write(frame);
        self.0.flush().expect("the server reads");
    }

    /// Puts a frame into what is sent at the next [`Self::flush`].
    pub fn write(&mut self, frame: &Value) {
        self.0.write(Message::text(frame.to_string())).expect("the server reads");
    }

    /// Sends what was put.
    pub fn flush(&mut self) {
        self.0.flush().expect("the server reads");
    }

    /// The next text; `None` when the connection has ended.
    pub fn next(&mut self) -> Option<Value> {
        loop {
            match self.0.read() {
                Ok(Message::Text(text)) => return Some(serde_json::from_str(&text).expect("texts are JSON")),
                Ok(Message::Ping(_) | Message::Pong(_)) => {}
                Ok(_) | Err(tungstenite::Error::ConnectionClosed | tungstenite::Error::AlreadyClosed) => {
                    return None;
                }
                // A server that was killed.
                Err(tungstenite::Error::Protocol(_)) => return None,
                Err(tungstenite::Error::Io(error)) if error.kind() != std::io::ErrorKind::WouldBlock => {
                    return None;
                }
                Err(error) => panic!("no frame in {PATIENCE:?}: {error}"),
            }
        }
    }

    /// Sends a frame and gives the answer, which must be the next text.
    pub fn ask(&mut self, frame: &Value) -> Value {
        self.send(frame);
        self.next().expect("the connection is open")
    }

    /// Sends a signed request and gives its result.
    pub fn signed(&mut self, client: &Client, method: &str) -> Value {
        let timestamp = milliseconds_now().to_string();
        let key = client.api_key();
        let signature = client.signature(&format!("apiKey={key}&timestamp={timestamp}"));
        let parameters = json!({"apiKey": key, "timestamp": timestamp, "signature": signature});
        let answer = self.ask(&json!({"id": method, "method": method, "params": parameters}));
        assert_eq!(answer["status"], 200, "{answer}");
        answer["result"].clone()
    }
}
