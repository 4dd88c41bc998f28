//! HTTPS and WSS with a client's own TLS, and a certificate that is renewed under way.

use crate::http::{Answer, ask};
use rcgen::{CertifiedKey, KeyPair, generate_simple_self_signed};
use rustix::process::{Signal, kill_process};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned,
    crypto::ring,
    pki_types::{CertificateDer, ServerName},
};
use serde_json::{Value, json};
use std::{
    fs,
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    path::Path,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};
use tests::{ports::free_address, server::Server};
use tungstenite::{Message, WebSocket};

/// Far above what a reload takes.
const PATIENCE: Duration = Duration::from_mins(3);

type Tls = StreamOwned<ClientConnection, TcpStream>;

fn certificate() -> CertifiedKey<KeyPair> {
    generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate")
}

/// Puts a certificate where the server looks for it.
fn install(directory: &Path, certified: &CertifiedKey<KeyPair>) {
    fs::write(directory.join("key.pem"), certified.signing_key.serialize_pem()).expect("a file");
    fs::write(directory.join("certificate.pem"), certified.cert.pem()).expect("a file");
}

/// A connection of a client that trusts `certificates` and nobody else.
fn connect(address: SocketAddr, certificates: &[&CertifiedKey<KeyPair>]) -> Tls {
    let mut roots = RootCertStore::empty();
    for certified in certificates {
        roots.add(certified.cert.der().clone()).expect("a root");
    }
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("the provider's versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("localhost").expect("a name");
    let connection = ClientConnection::new(Arc::new(config), name).expect("a client");
    let stream = TcpStream::connect(address).expect("the port is open");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    StreamOwned::new(connection, stream)
}

fn time(stream: &mut Tls) -> Answer {
    ask(stream, "GET", "/api/v3/time", &[])
}

/// The certificate that a new connection is shown.
fn shown(address: SocketAddr, certificates: &[&CertifiedKey<KeyPair>]) -> CertificateDer<'static> {
    let mut stream = connect(address, certificates);
    assert_eq!(time(&mut stream).status, 200);
    stream.conn.peer_certificates().expect("the handshake is done")[0].clone().into_owned()
}

/// Waits until `happened`; the server's log tells why not.
fn until(server: &Server, what: &str, mut happened: impl FnMut() -> bool) {
    let start = Instant::now();
    while !happened() {
        assert!(start.elapsed() < PATIENCE, "{what}: not after {PATIENCE:?}:\n{}", server.log());
        thread::sleep(Duration::from_millis(20));
    }
}

fn text(socket: &mut WebSocket<Tls>) -> Value {
    loop {
        match socket.read().expect("a message") {
            Message::Text(text) => return serde_json::from_str(&text).expect("JSON"),
            Message::Ping(_) | Message::Pong(_) => {}
            other => panic!("expected a text, got {other:?}"),
        }
    }
}

#[test]
fn clients_come_in_by_tls_and_stay_while_the_certificate_is_renewed() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let (first, second, third) = (certificate(), certificate(), certificate());
    let all = [&first, &second, &third];
    install(directory.path(), &first);
    let plain = free_address();
    let at = |name: &str| directory.path().join(name).display().to_string();
    let settings = format!(
        "tls_certificate = {:?}\ntls_key = {:?}\nplain_listen = \"{plain}\"\n",
        at("certificate.pem"),
        at("key.pem")
    );
    let server = Server::start_with(&directory.path().join("data"), &settings);

    // HTTPS, over one connection that is kept; and both kinds of WSS.
    let mut kept = connect(server.listen, &[&first]);
    assert_eq!(time(&mut kept).status, 200);
    assert_eq!(kept.conn.peer_certificates().expect("shown")[0], *first.cert.der());
    let (mut streams, _) =
        tungstenite::client("wss://localhost/ws", connect(server.listen, &all)).expect("a WebSocket in TLS");
    streams.send(Message::text(r#"{"method":"LIST_SUBSCRIPTIONS","id":1}"#)).expect("sent");
    assert_eq!(text(&mut streams), json!({"result": [], "id": 1}));
    let (mut requests, _) = tungstenite::client("wss://localhost/ws-api/v3", connect(server.listen, &all))
        .expect("a WebSocket in TLS");
    requests.send(Message::text(r#"{"id":2,"method":"ping"}"#)).expect("sent");
    assert_eq!(text(&mut requests)["status"], 200);

    // Without TLS: at the port for it, and not at the other.
    let mut stream = TcpStream::connect(plain).expect("the plain port is open");
    assert_eq!(ask(&mut stream, "GET", "/api/v3/time", &[]).status, 200);
    let mut wrong = TcpStream::connect(server.listen).expect("the port is open");
    wrong.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    wrong.write_all(b"GET /api/v3/time HTTP/1.1\r\nHost: localhost\r\n\r\n").expect("sent");
    let mut answer = Vec::new();
    // It is closed one way or another, with a TLS alert at most.
    let _ = wrong.read_to_end(&mut answer);
    assert!(!answer.starts_with(b"HTTP"), "{answer:?}");
    // A client that trusts another certificate goes away by itself.
    let mut stranger = connect(server.listen, &[&second]);
    assert!(stranger.write_all(b"GET / HTTP/1.1\r\n\r\n").and_then(|()| stranger.flush()).is_err());

    // Replaced files are seen without being told of.
    install(directory.path(), &second);
    until(&server, "the second certificate is shown", || shown(server.listen, &all) == *second.cert.der());
    // Files that cannot be used change nothing.
    fs::write(directory.path().join("certificate.pem"), "nothing").expect("a file");
    kill_process(server.process(), Signal::HUP).expect("a child can be signalled");
    until(&server, "the damage is told", || server.log().contains("has no certificate"));
    assert_eq!(shown(server.listen, &all), *second.cert.der());
    install(directory.path(), &third);
    kill_process(server.process(), Signal::HUP).expect("a child can be signalled");
    until(&server, "the third certificate is shown", || shown(server.listen, &all) == *third.cert.der());

    // Who was in is still in.
    assert_eq!(time(&mut kept).status, 200);
    assert_eq!(kept.conn.peer_certificates().expect("shown")[0], *first.cert.der());
    streams.send(Message::text(r#"{"method":"LIST_SUBSCRIPTIONS","id":3}"#)).expect("sent");
    assert_eq!(text(&mut streams)["id"], 3);
    requests.send(Message::text(r#"{"id":4,"method":"time"}"#)).expect("sent");
    assert_eq!(text(&mut requests)["id"], 4);
    let (status, _) = server.terminate();
    assert!(status.success(), "{status}");
}
