//! A key of an account's own, RSA, made and used and revoked; and a change that is sent twice around a
//! restart.

use crate::http::{Answer, ask};
use data_encoding::BASE64;
use ring::{
    rand::SystemRandom,
    signature::{RSA_PKCS1_SHA256, RsaKeyPair},
};
use std::net::TcpStream;
use tests::{
    client::{Client, milliseconds_now},
    server::Server,
};

/// A pair for tests alone, made by OpenSSL.
const PRIVATE: &str = include_str!("../../fixtures/rsa-2048.private.pem");
const PUBLIC: &str = include_str!("../../fixtures/rsa-2048.public.pem");
const KEYS: &str = "/api/account/keys";

/// As a browser escapes a form's value.
fn escaped(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    text.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

fn rsa_signature(payload: &str) -> String {
    let der: String = PRIVATE.lines().filter(|line| !line.starts_with("-----")).collect();
    let der = BASE64.decode(der.as_bytes()).expect("base64");
    let pair = RsaKeyPair::from_pkcs8(&der).expect("a key of PKCS#8");
    let mut signature = vec![0; pair.public().modulus_len()];
    let random = SystemRandom::new();
    pair.sign(&RSA_PKCS1_SHA256, &random, payload.as_bytes(), &mut signature).expect("a signature");
    BASE64.encode(&signature)
}

fn send(server: &Server, method: &str, path: &str, query: &str, api_key: &str) -> Answer {
    let mut stream = TcpStream::connect(server.listen).expect("the port is open");
    ask(&mut stream, method, &format!("{path}?{query}"), &[("X-MBX-APIKEY", api_key)])
}

/// `parameters` with a timestamp, signed by an HMAC key.
fn signed(client: &Client, parameters: &str) -> String {
    let separator = if parameters.is_empty() { "" } else { "&" };
    let payload = format!("{parameters}{separator}recvWindow=60000&timestamp={}", milliseconds_now());
    let signature = client.signature(&payload);
    format!("{payload}&signature={signature}")
}

#[test]
fn an_account_makes_itself_an_rsa_key_and_trades_with_it() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let data = directory.path().join("data");
    let server = Server::start(&data);
    let owner = server.client(1);
    let create = signed(
        &owner,
        &format!(
            "keyType=RSA&publicKey={}&scopes=READ,TRADE&label=robot&ipAllowList=127.0.0.1",
            escaped(PUBLIC)
        ),
    );
    let made = send(&server, "POST", KEYS, &create, owner.api_key());
    assert_eq!((made.status, made.body["keyType"].as_str()), (200, Some("RSA")), "{made:?}");
    let api_key = made.body["apiKey"].as_str().expect("a key").to_owned();

    let order = format!(
        "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.001&price=40000&recvWindow=60000&timestamp={}",
        milliseconds_now()
    );
    let signature = escaped(&rsa_signature(&order));
    let placed = send(&server, "POST", "/api/v3/order", &format!("{order}&signature={signature}"), &api_key);
    assert_eq!((placed.status, placed.body["status"].as_str()), (200, Some("NEW")), "{placed:?}");
    let forged = order.replace("quantity=0.001", "quantity=0.002");
    let refused =
        send(&server, "POST", "/api/v3/order", &format!("{forged}&signature={signature}"), &api_key);
    assert_eq!((refused.status, refused.body["code"].as_i64()), (400, Some(-1022)), "{refused:?}");

    // Killed and started again: the key is there, and the request that made it is not taken again.
    server.kill();
    let server = Server::start(&data);
    let replayed = send(&server, "POST", KEYS, &create, owner.api_key());
    assert_eq!((replayed.status, replayed.body["code"].as_i64()), (400, Some(-1130)), "{replayed:?}");
    let account = format!("recvWindow=60000&timestamp={}", milliseconds_now());
    let account = format!("{account}&signature={}", escaped(&rsa_signature(&account)));
    for _ in 0..2 {
        let answer = send(&server, "GET", "/api/v3/account", &account, &api_key);
        assert_eq!(answer.status, 200, "what reads may come twice: {answer:?}");
    }
    let listed = send(&server, "GET", KEYS, &signed(&owner, ""), owner.api_key());
    let rows = listed.body.as_array().unwrap_or_else(|| panic!("{listed:?}"));
    let row = rows.iter().find(|row| row["apiKey"] == api_key.as_str()).expect("the new key is listed");
    assert!(row["lastUsedTime"].as_u64().is_some() && row["ipAllowList"] == "127.0.0.1/32", "{row}");

    let revoke = signed(&owner, &format!("targetKey={api_key}"));
    assert_eq!(send(&server, "DELETE", KEYS, &revoke, owner.api_key()).status, 200);
    let refused = send(&server, "GET", "/api/v3/account", &account, &api_key);
    assert_eq!((refused.status, refused.body["code"].as_i64()), (401, Some(-2015)), "{refused:?}");
}
