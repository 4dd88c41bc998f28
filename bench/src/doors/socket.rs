//! A WebSocket client: frames sent in batches, answers counted. Refuses to understand answers beyond what
//! they must contain.

use anyhow::{Context as _, bail};
use std::net::{SocketAddr, TcpStream};
use tungstenite::{Message, Utf8Bytes, WebSocket, client};

/// A connection.
#[derive(Debug)]
pub struct Socket(WebSocket<TcpStream>);

impl Socket {
    /// Connects to a path.
    ///
    /// # Errors
    /// When nobody listens, or not for WebSocket.
    pub fn connect(address: SocketAddr, path: &str) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).with_context(|| format!("cannot connect to {address}"))?;
        stream.set_nodelay(true)?;
        let (socket, _) = client(format!("ws://{address}{path}"), stream)?;
        Ok(Self(socket))
    }

    /// Sends frames as one batch and reads as many answers, each of which must contain `expected`.
    ///
    /// # Errors
    /// When the connection breaks, or an answer is another.
    pub fn ask(&mut self, frames: &[Utf8Bytes], expected: &str) -> anyhow::Result<()> {
        for frame in frames {
            self.0.write(Message::Text(frame.clone()))?;
        }
        self.0.flush()?;
        let mut left = frames.len();
        while left > 0 {
            if let Message::Text(text) = self.0.read()? {
                if !text.contains(expected) {
                    bail!("the server answered: {text}");
                }
                left -= 1;
            }
        }
        Ok(())
    }
}
