//! How to reach the brokers, and what the topics are called. Refuses to read a configuration file or an
//! environment: who does fills this in.

use crate::StreamError;
use rdkafka::ClientConfig;
use secrecy::{ExposeSecret as _, SecretString};
use std::{fmt, path::PathBuf, str::FromStr};

/// The mechanism of a user and a password: the server never sees the password itself.
const SASL_MECHANISM: &str = "SCRAM-SHA-512";
/// Milliseconds a request may go without an answer: a broker that stands still is tried again after it.
const SOCKET_TIMEOUT: &str = "10000";
/// Milliseconds between attempts to reach a broker that does not answer, at most.
const RECONNECT_MAX: &str = "1000";

/// How the connection to the brokers is protected; the words are Kafka's own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum KafkaSecurity {
    /// Neither encrypted nor authenticated: for a broker on this machine.
    #[default]
    Plaintext,
    /// TLS; the broker shows a certificate.
    Ssl,
    /// A user and a password, unencrypted: for a broker on this machine.
    SaslPlaintext,
    /// TLS, and a user and a password.
    SaslSsl,
}

impl KafkaSecurity {
    const ALL: [Self; 4] = [Self::Plaintext, Self::Ssl, Self::SaslPlaintext, Self::SaslSsl];

    /// Kafka's own word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Plaintext => "plaintext",
            Self::Ssl => "ssl",
            Self::SaslPlaintext => "sasl_plaintext",
            Self::SaslSsl => "sasl_ssl",
        }
    }

    const fn is_authenticated(self) -> bool {
        matches!(self, Self::SaslPlaintext | Self::SaslSsl)
    }
}

impl FromStr for KafkaSecurity {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|security| security.as_str() == text)
            .ok_or_else(|| format!("{text:?} is none of plaintext, ssl, sasl_plaintext, sasl_ssl"))
    }
}

impl fmt::Display for KafkaSecurity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// The brokers, and what this exchange's topics are called there.
#[derive(Clone, Debug, Default)]
pub struct KafkaOptions {
    /// `host:port` of one broker or several, with commas between them.
    pub servers: String,
    /// How the connection is protected.
    pub security: KafkaSecurity,
    /// A file of PEM certificates that the brokers' are signed by; the system's own when there is none.
    pub ca: Option<PathBuf>,
    /// The user of `SaslPlaintext` and `SaslSsl`.
    pub user: Option<String>,
    /// The user's password.
    pub password: Option<SecretString>,
    /// Stands before each topic's name, so that several exchanges can share brokers.
    pub topic_prefix: String,
}

impl KafkaOptions {
    /// Brokers without protection, topics without a prefix.
    pub fn plaintext(servers: impl Into<String>) -> Self {
        Self { servers: servers.into(), ..Self::default() }
    }

    /// The internal log's topic.
    pub fn events_topic(&self) -> String {
        self.topic("rialto.events")
    }

    /// A topic's name here.
    pub fn topic(&self, name: &str) -> String {
        format!("{}{name}", self.topic_prefix)
    }

    /// What is the same for all clients.
    pub(crate) fn client(&self) -> Result<ClientConfig, StreamError> {
        let wrong = |what: &str| Err(StreamError::Options(what.to_owned()));
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &self.servers);
        config.set("client.id", "rialto");
        config.set("security.protocol", self.security.as_str());
        config.set("socket.timeout.ms", SOCKET_TIMEOUT);
        config.set("socket.nagle.disable", "true");
        config.set("reconnect.backoff.max.ms", RECONNECT_MAX);
        if let Some(ca) = &self.ca {
            let Some(path) = ca.to_str() else {
                return wrong("the path of the CA's certificates is not text");
            };
            config.set("ssl.ca.location", path);
        }
        match (self.security.is_authenticated(), &self.user, &self.password) {
            (true, Some(user), Some(password)) => {
                config.set("sasl.mechanism", SASL_MECHANISM);
                config.set("sasl.username", user);
                config.set("sasl.password", password.expose_secret());
            }
            (true, ..) => return wrong("this security needs a user and a password"),
            (false, None, None) => {}
            (false, ..) => return wrong("a user or a password is given, and the security uses none"),
        }
        Ok(config)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn a_user_goes_with_a_password_and_a_security_that_uses_them() {
        let complete = |security, user: Option<&str>, password: Option<&str>| KafkaOptions {
            security,
            user: user.map(str::to_owned),
            password: password.map(SecretString::from),
            ..KafkaOptions::plaintext("localhost:9092")
        };
        let (user, password) = (Some("rialto"), Some("secret"));
        let good = [
            complete(KafkaSecurity::Plaintext, None, None),
            complete(KafkaSecurity::Ssl, None, None),
            complete(KafkaSecurity::SaslPlaintext, user, password),
            complete(KafkaSecurity::SaslSsl, user, password),
        ];
        for options in good {
            options.client().unwrap();
        }
        let bad = [
            complete(KafkaSecurity::Plaintext, user, password),
            complete(KafkaSecurity::Ssl, user, None),
            complete(KafkaSecurity::SaslSsl, user, None),
            complete(KafkaSecurity::SaslSsl, None, password),
            complete(KafkaSecurity::SaslPlaintext, None, None),
        ];
        for options in bad {
            assert!(matches!(options.client(), Err(StreamError::Options(_))), "{options:?}");
        }
    }

    #[test]
    fn securities_are_called_as_kafka_calls_them_and_secrets_are_not_shown() {
        for security in KafkaSecurity::ALL {
            assert_eq!(security.to_string().parse(), Ok(security));
        }
        assert!("SSL".parse::<KafkaSecurity>().is_err());
        let password = Some(SecretString::from("canary"));
        let options = KafkaOptions { password, ..KafkaOptions::plaintext("localhost:9092") };
        assert!(!format!("{options:?}").contains("canary"));
    }
}
