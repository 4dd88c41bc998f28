//! Settings of what stands outside the process: the database and the brokers. Their passwords come from
//! files or the environment, never from the configuration itself. Refuses to connect.

use super::Config;
use anyhow::{Context as _, bail};
use database::{DatabaseLocation, TableGroup};
use secrecy::SecretString;
use serde::Deserialize;
use std::num::NonZeroU32;
use std::path::Path;
use stream::{
    KafkaOptions, KafkaSecurity,
    public::{LargeOrder, PublicOptions},
};

/// Holds the password of PostgreSQL's user.
const DATABASE_PASSWORD: &str = "RIALTO_DATABASE_PASSWORD";
/// Holds the password of the brokers' user.
const KAFKA_PASSWORD: &str = "RIALTO_KAFKA_PASSWORD";

/// Which database.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) enum DatabaseSetting {
    /// Files in the data directory.
    #[default]
    Sqlite,
    /// A PostgreSQL server's, by its URL.
    Postgres(String),
}

impl TryFrom<String> for DatabaseSetting {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if text == "sqlite" {
            return Ok(Self::Sqlite);
        }
        let Some((_, rest)) = text.split_once("://").filter(|(scheme, _)| *scheme == "postgres") else {
            return Err("`database` is \"sqlite\" or \"postgres://USER@HOST:PORT/NAME\"".to_owned());
        };
        let user = rest.split_once('@').map_or("", |(user, _)| user);
        if user.contains(':') {
            return Err(format!(
                "a password does not belong into the configuration: put it into a file, set `database_password_file` or {DATABASE_PASSWORD}, and take it out of `database`"
            ));
        }
        Ok(Self::Postgres(text))
    }
}

impl std::str::FromStr for DatabaseSetting {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::try_from(text.to_owned())
    }
}

/// How brokers are spoken to, in Kafka's own words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct BrokerSecurity(pub(crate) KafkaSecurity);

impl TryFrom<String> for BrokerSecurity {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse().map(Self)
    }
}

/// From how much of an asset on an order is told as large: `100000 USDT`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct LargeOrderSetting(LargeOrder);

impl TryFrom<String> for LargeOrderSetting {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let rule = text.split_once(' ').filter(|(notional, asset)| {
            // Whole ones are an amount of any asset.
            notional.parse::<NonZeroU32>().is_ok() && asset.bytes().all(|byte| byte.is_ascii_alphanumeric())
        });
        let Some((notional, asset)) = rule else {
            return Err(format!(
                "`{text}` is no large order: give a whole number and an asset, such as \"100000 USDT\""
            ));
        };
        Ok(Self(LargeOrder { asset: asset.to_owned(), notional: notional.to_owned() }))
    }
}

impl Config {
    pub(super) fn check_outside(&self) -> anyhow::Result<()> {
        if self.kafka.is_some()
            && matches!(self.kafka_security.0, KafkaSecurity::SaslPlaintext | KafkaSecurity::SaslSsl)
            && self.kafka_user.is_none()
        {
            bail!("`kafka_security` asks for SASL, which needs `kafka_user` and its password");
        }
        if self.stream_lag_bound == 0 {
            bail!("a `stream_lag_bound` of 0 would refuse every order");
        }
        if self.months_kept().is_some() && self.database == DatabaseSetting::Sqlite {
            bail!("`books_months_kept` is for PostgreSQL: SQLite keeps all trades and postings");
        }
        Ok(())
    }

    /// Where a group of tables is kept.
    pub(crate) fn database(&self, group: TableGroup) -> anyhow::Result<DatabaseLocation> {
        let (file, schema) = match group {
            TableGroup::Accounts => ("accounts.sqlite", "accounts"),
            TableGroup::Settlement => ("settlement.sqlite", "settlement"),
        };
        Ok(match &self.database {
            DatabaseSetting::Sqlite => DatabaseLocation::Sqlite(self.data.join(file)),
            DatabaseSetting::Postgres(url) => DatabaseLocation::Postgres {
                url: url.clone(),
                password: password(DATABASE_PASSWORD, self.database_password_file.as_deref())?,
                schema: schema.to_owned(),
            },
        })
    }

    /// What is published to the public topics.
    pub(crate) fn public_options(&self) -> PublicOptions {
        let large_orders = self.large_orders.iter().map(|setting| setting.0.clone()).collect();
        PublicOptions { large_orders }
    }

    /// How many months of trades and postings the books keep; all of them when none.
    pub(crate) fn months_kept(&self) -> Option<NonZeroU32> {
        NonZeroU32::new(self.books_months_kept)
    }

    /// How the brokers are reached, if there are any.
    pub(crate) fn kafka_options(&self) -> anyhow::Result<Option<KafkaOptions>> {
        let Some(servers) = &self.kafka else { return Ok(None) };
        Ok(Some(KafkaOptions {
            servers: servers.clone(),
            security: self.kafka_security.0,
            ca: self.kafka_ca.clone(),
            user: self.kafka_user.clone(),
            password: password(KAFKA_PASSWORD, self.kafka_password_file.as_deref())?,
            topic_prefix: self.kafka_topic_prefix.clone(),
        }))
    }
}

/// The environment wins over the file, as everywhere.
fn password(variable: &str, file: Option<&Path>) -> anyhow::Result<Option<SecretString>> {
    if let Ok(password) = std::env::var(variable) {
        return Ok(Some(SecretString::from(password)));
    }
    let Some(file) = file else { return Ok(None) };
    let text = std::fs::read_to_string(file)
        .with_context(|| format!("cannot read the password in {}", file.display()))?;
    Ok(Some(SecretString::from(text.trim_end_matches(['\r', '\n']))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret as _;

    #[test]
    fn a_database_is_sqlite_or_a_url_without_a_password() {
        for (text, expected) in [
            ("sqlite", Ok(())),
            ("postgres://rialto@127.0.0.1:5432/rialto", Ok(())),
            ("postgres://127.0.0.1/rialto?sslmode=verify-full", Ok(())),
            ("postgres://rialto:secret@127.0.0.1/rialto", Err("does not belong")),
            ("mysql://rialto@127.0.0.1/rialto", Err("\"sqlite\" or")),
            ("", Err("\"sqlite\" or")),
        ] {
            match (text.parse::<DatabaseSetting>(), expected) {
                (Ok(_), Ok(())) => {}
                (Err(error), Err(said)) => assert!(error.contains(said), "{text}: {error}"),
                (parsed, _) => panic!("{text}: {parsed:?}"),
            }
        }
    }

    #[test]
    fn a_password_file_ends_where_its_line_does() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("password");
        std::fs::write(&file, "not a word\n").unwrap();
        let kafka = Some("127.0.0.1:9092".to_owned());
        let config = Config { kafka: kafka.clone(), kafka_password_file: Some(file), ..Config::default() };
        let options = config.kafka_options().unwrap().unwrap();
        assert_eq!(options.password.unwrap().expose_secret(), "not a word");
        let without = Config { kafka, ..Config::default() };
        assert!(without.kafka_options().unwrap().unwrap().password.is_none());
        assert!(Config::default().kafka_options().unwrap().is_none());
    }

    #[test]
    fn proving_a_user_needs_one() {
        let config = Config {
            kafka: Some("127.0.0.1:9092".to_owned()),
            kafka_security: BrokerSecurity(KafkaSecurity::SaslSsl),
            ..Config::default()
        };
        assert!(config.check_outside().is_err());
        assert!(Config { kafka_user: Some("rialto".to_owned()), ..config }.check_outside().is_ok());
        assert!(Config { stream_lag_bound: 0, ..Config::default() }.check_outside().is_err());
    }

    #[test]
    fn a_large_order_is_a_whole_number_of_an_asset() {
        let rule = LargeOrderSetting::try_from("100000 USDT".to_owned()).expect("a rule");
        assert_eq!((rule.0.notional.as_str(), rule.0.asset.as_str()), ("100000", "USDT"));
        for text in ["", "100000", "USDT", "0 USDT", "-1 USDT", "0.5 BTC", "1 B-C", "1 B C", "USDT 1"] {
            let error = LargeOrderSetting::try_from(text.to_owned()).expect_err("no rule");
            assert!(error.contains("100000 USDT"), "{text}: {error}");
        }
    }
}
