//! TLS and SASL SCRAM-SHA-512 against the real broker: who is let in, and what the others are told.

use crate::{
    exchange::{Market, Publishing, runtime},
    reading::{agrees, opened},
};
use protocol::Sequence;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use secrecy::SecretString;
use std::{fs, path::Path};
use stream::{KafkaOptions, KafkaSecurity, StreamError};
use tests::kafka::{Access, Broker};

const USER: &str = "rialto";
const PASSWORD: &str = "correct-horse";

/// A certificate authority, and what it signs for a broker on this machine.
struct Authority {
    ca: String,
    broker: String,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(rcgen::DnType::CommonName, "Rialto's test CA");
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("a CA");
        let key = KeyPair::generate().expect("a key");
        let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
        let certificate =
            CertificateParams::new(names).expect("names").signed_by(&key, &issuer).expect("a certificate");
        Self { ca: issuer.pem(), broker: format!("{}{}", key.serialize_pem(), certificate.pem()) }
    }
}

fn options(broker: &Broker, security: KafkaSecurity, ca: Option<&Path>, password: &str) -> KafkaOptions {
    let named = matches!(security, KafkaSecurity::SaslPlaintext | KafkaSecurity::SaslSsl);
    KafkaOptions {
        security,
        ca: ca.map(Path::to_owned),
        user: named.then(|| USER.to_owned()),
        password: named.then(|| SecretString::from(password)),
        ..KafkaOptions::plaintext(broker.servers())
    }
}

fn access(authority: Option<&Authority>, user: bool) -> Access {
    Access {
        certificate: authority.map(|authority| authority.broker.clone()),
        user: user.then(|| (USER.to_owned(), PASSWORD.to_owned())),
    }
}

pub fn lets_in() {
    let files = tempfile::tempdir().expect("a temporary directory");
    let authority = Authority::new();
    let ca = files.path().join("ca.pem");
    fs::write(&ca, &authority.ca).expect("the CA can be written");
    let cases = [
        (KafkaSecurity::Ssl, access(Some(&authority), false), Some(ca.as_path())),
        (KafkaSecurity::SaslPlaintext, access(None, true), None),
        (KafkaSecurity::SaslSsl, access(Some(&authority), true), Some(ca.as_path())),
    ];
    for (security, access, ca) in cases {
        let broker = Broker::start_with(&access);
        let directory = tempfile::tempdir().expect("a temporary directory");
        let options = options(&broker, security, ca, PASSWORD);
        let mut market = Market::open(directory.path());
        let publishing = Publishing::start(&options, directory.path(), Some(market.published()));
        publishing.wait_for(market.trade(1_000));
        publishing.stop().expect("it published");
        market.stop();
        let last = agrees(&options, directory.path());
        println!("{security}: {last} commands published and read");
    }
}

pub fn keeps_out() {
    let files = tempfile::tempdir().expect("a temporary directory");
    let (authority, other) = (Authority::new(), Authority::new());
    let (ca, other_ca) = (files.path().join("ca.pem"), files.path().join("other.pem"));
    fs::write(&ca, &authority.ca).expect("the CA can be written");
    fs::write(&other_ca, &other.ca).expect("the CA can be written");
    let broker = Broker::start_with(&access(Some(&authority), true));
    let directory = tempfile::tempdir().expect("a temporary directory");
    let cases = [
        (KafkaSecurity::SaslSsl, &ca, "wrong-horse", "Authentication failed"),
        (KafkaSecurity::SaslSsl, &other_ca, PASSWORD, "certificate verify failed"),
    ];
    for (security, ca, password, said) in cases {
        let options = options(&broker, security, Some(ca), password);
        let publisher = Publishing::start(&options, directory.path(), None).ended();
        let reader = runtime().block_on(opened(&options, Sequence(0))).expect_err("it is kept out");
        for error in [publisher, reader] {
            let text = error.to_string();
            assert!(matches!(error, StreamError::Denied { .. }), "{text}");
            assert!(text.contains(said) && !text.contains(password), "{text}");
            println!("{text}");
        }
    }
}
