//! An operator's client of the running exchange's administration. Refuses to know what is asked.

use anyhow::{Context as _, bail};
use http_body_util::{BodyExt as _, Full};
use hyper::{
    Method, Request,
    body::Bytes,
    client::conn::http1::handshake,
    header::{AUTHORIZATION, CONTENT_TYPE, HOST},
};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use std::net::SocketAddr;
use std::path::Path;
use tokio::net::TcpStream;

/// Asks administration at `address`, with the token of the data directory. A refusal is an error that
/// says why.
pub(crate) fn ask(
    data: &Path,
    address: SocketAddr,
    method: Method,
    path: &str,
    body: Option<&Value>,
) -> anyhow::Result<Value> {
    let file = data.join("admin-token");
    let token = std::fs::read_to_string(&file).with_context(|| {
        format!("cannot read {}; name the running exchange's data directory with --data", file.display())
    })?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let stream = TcpStream::connect(address).await.with_context(|| {
            format!("no exchange answers at {address}; start one with `rialto serve`, or name its address with --admin-listen")
        })?;
        let (mut sender, connection) = handshake(TokioIo::new(stream)).await?;
        let connection = tokio::spawn(connection);
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, address.to_string())
            .header(AUTHORIZATION, format!("Bearer {}", token.trim()))
            .header(CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::from(body.map(Value::to_string).unwrap_or_default())))?;
        let response = sender.send_request(request).await?;
        let status = response.status();
        let bytes = response.into_body().collect().await?.to_bytes();
        connection.abort();
        let answer: Value = serde_json::from_slice(&bytes).context("the answer is not JSON")?;
        if !status.is_success() {
            bail!("{} ({status})", answer["error"].as_str().unwrap_or("the exchange refused"));
        }
        Ok(answer)
    })
}
