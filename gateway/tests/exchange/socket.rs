//! A WebSocket client of the test exchange.

use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use std::{net::SocketAddr, time::Duration};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{
        Error, Message,
        protocol::{CloseFrame, frame::coding::CloseCode},
    },
};

/// Longer than any answer takes; a test that waits so long has failed.
const PATIENCE: Duration = Duration::from_mins(1);

/// A connection.
pub struct Socket(WebSocketStream<TcpStream>);

impl Socket {
    /// Connects to a path.
    pub async fn connect(address: SocketAddr, path: &str) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        let (socket, _) = client_async(format!("ws://{address}{path}"), stream).await.unwrap();
        Self(socket)
    }

    /// Connects, or gives the HTTP status with which that was refused.
    pub async fn try_connect(address: SocketAddr, path: &str) -> Result<Self, u16> {
        let stream = TcpStream::connect(address).await.unwrap();
        match client_async(format!("ws://{address}{path}"), stream).await {
            Ok((socket, _)) => Ok(Self(socket)),
            Err(Error::Http(response)) => Err(response.status().as_u16()),
            Err(error) => panic!("{error}"),
        }
    }

    pub async fn send(&mut self, text: impl Into<String>) {
        self.0.send(Message::text(text.into())).await.unwrap();
    }

    /// The next text.
    pub async fn next(&mut self) -> Value {
        match self.frame().await {
            Some(Message::Text(text)) => serde_json::from_str(&text).unwrap(),
            other => panic!("expected a text, got {other:?}"),
        }
    }

    /// The next text for which `wanted` holds; others are passed over.
    pub async fn until(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        loop {
            let value = self.next().await;
            if wanted(&value) {
                return value;
            }
        }
    }

    /// Sends a frame and gives the answer, which must be the next text.
    pub async fn ask(&mut self, frame: Value) -> Value {
        self.send(frame.to_string()).await;
        self.next().await
    }

    /// Sends a close in order.
    pub async fn say_goodbye(&mut self) {
        let frame = CloseFrame { code: CloseCode::Normal, reason: "".into() };
        self.0.send(Message::Close(Some(frame))).await.unwrap();
    }

    /// The code of the close that comes next.
    pub async fn closed(&mut self) -> u16 {
        match self.frame().await {
            Some(Message::Close(Some(frame))) => frame.code.into(),
            other => panic!("expected a close, got {other:?}"),
        }
    }

    /// Sends a text, if the connection still takes one.
    pub async fn try_send(&mut self, text: String) -> Result<(), ()> {
        self.0.send(Message::text(text)).await.map_err(|_| ())
    }

    /// Passes texts over until the connection ends: the code of its close, if it had one.
    pub async fn closed_or_gone(&mut self) -> Option<u16> {
        loop {
            match self.frame().await {
                Some(Message::Close(frame)) => return frame.map(|frame| frame.code.into()),
                Some(_) => {}
                None => return None,
            }
        }
    }

    /// The next text, or the code of the close that comes instead (`None` without one).
    pub async fn text_or_close(&mut self) -> Result<Value, Option<u16>> {
        match self.frame().await {
            Some(Message::Text(text)) => Ok(serde_json::from_str(&text).unwrap()),
            Some(Message::Close(frame)) => Err(frame.map(|frame| frame.code.into())),
            _ => Err(None),
        }
    }

    /// Reads until so many pings have come. Each is answered.
    pub async fn pinged(&mut self, count: usize) {
        let mut pings = 0;
        while pings < count {
            let frame = timeout(PATIENCE, self.0.next()).await.expect("a frame in time");
            pings += usize::from(matches!(frame.unwrap().unwrap(), Message::Ping(_)));
        }
    }

    async fn frame(&mut self) -> Option<Message> {
        loop {
            let frame = timeout(PATIENCE, self.0.next()).await.expect("a frame in time");
            match frame {
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(frame)) => return Some(frame),
                Some(Err(_)) | None => return None,
            }
        }
    }
}
