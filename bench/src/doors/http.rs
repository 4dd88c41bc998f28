//! An HTTP client that costs little: one connection, requests made before they are timed, answers read by
//! their length. Refuses to understand answers beyond their status.

use anyhow::{Context as _, bail};
use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
};

/// A connection.
#[derive(Debug)]
pub struct Http {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// A POST request as bytes.
pub fn post(path: &str, api_key: &str, body: &str) -> Vec<u8> {
    format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\nx-mbx-apikey: {api_key}\r\ncontent-type: \
         application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

impl Http {
    /// Connects.
    ///
    /// # Errors
    /// When nobody listens.
    pub fn connect(address: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).with_context(|| format!("cannot connect to {address}"))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(16 * 1024) })
    }

    /// Sends a request and reads its answer, which must be a 200.
    ///
    /// # Errors
    /// When the connection breaks, or the answer is another.
    pub fn ask(&mut self, request: &[u8]) -> anyhow::Result<()> {
        self.stream.write_all(request)?;
        self.buffer.clear();
        let mut whole = usize::MAX;
        while self.buffer.len() < whole {
            let mut bytes = [0; 8 * 1024];
            let count = self.stream.read(&mut bytes)?;
            if count == 0 {
                bail!("the server closed the connection");
            }
            self.buffer.extend_from_slice(&bytes[..count]);
            if whole == usize::MAX
                && let Some(end) = self.buffer.windows(4).position(|window| window == b"\r\n\r\n")
            {
                let head = std::str::from_utf8(&self.buffer[..end])?.to_ascii_lowercase();
                if !head.starts_with("http/1.1 200") {
                    bail!("the server answered: {}", String::from_utf8_lossy(&self.buffer));
                }
                let length = head.split_once("content-length: ").context("an answer without a length")?.1;
                let length: usize = length.lines().next().unwrap_or_default().trim().parse()?;
                whole = end + 4 + length;
            }
        }
        Ok(())
    }
}
