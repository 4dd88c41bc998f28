//! A trader's client of the exchange's own REST door: signed requests over one connection. Refuses to
//! know what is traded.

use crate::process::now;
use anyhow::Context as _;
use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http_body_util::{BodyExt as _, Empty};
use hyper::{
    Method, Request, StatusCode,
    body::Bytes,
    client::conn::http1::{SendRequest, handshake},
    header::HOST,
};
use hyper_util::rt::TokioIo;
use secrecy::{ExposeSecret as _, SecretString};
use sha2::Sha256;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use tokio::net::{TcpSocket, TcpStream};

/// Where it connects from, to a server on loopback.
const OWN_ADDRESS: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

/// An account's HMAC key.
pub(crate) struct TraderKey {
    /// Its public name.
    pub(crate) api_key: String,
    /// Its secret.
    pub(crate) secret: SecretString,
}

/// A connection.
pub(crate) struct RestClient {
    sender: SendRequest<Empty<Bytes>>,
    address: SocketAddr,
    key: TraderKey,
}

impl RestClient {
    pub(crate) async fn connect(address: SocketAddr, key: TraderKey) -> anyhow::Result<Self> {
        let stream = match address.ip() {
            // From a loopback address of its own: what it uses is not taken from others on this machine.
            IpAddr::V4(ip) if ip.is_loopback() => {
                let socket = TcpSocket::new_v4()?;
                socket.bind((OWN_ADDRESS, 0).into())?;
                socket.connect(address).await?
            }
            _ => TcpStream::connect(address).await?,
        };
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "the demo market's connection ended");
            }
        });
        Ok(Self { sender, address, key })
    }

    /// Sends a signed request; gives the status and the answer.
    pub(crate) async fn signed(
        &mut self,
        method: Method,
        path: &str,
        parameters: &str,
    ) -> anyhow::Result<(StatusCode, Bytes)> {
        let query = format!("{parameters}&timestamp={}", now().millis());
        let mut mac = Hmac::<Sha256>::new_from_slice(self.key.secret.expose_secret().as_bytes())
            .context("the key has no usable secret")?;
        mac.update(query.as_bytes());
        let signature = HEXLOWER.encode(&mac.finalize().into_bytes());
        let request = Request::builder()
            .method(method)
            .uri(format!("{path}?{query}&signature={signature}"))
            .header(HOST, self.address.to_string())
            .header("X-MBX-APIKEY", &self.key.api_key)
            .body(Empty::new())?;
        self.sender.ready().await?;
        let response = self.sender.send_request(request).await?;
        let status = response.status();
        Ok((status, response.into_body().collect().await?.to_bytes()))
    }
}
