//! The configuration: defaults, then the file, then the environment, then flags. Refuses keys that it
//! does not know, and settings that would be dangerous without being asked for.

mod keys;
mod outside;
mod split;

use crate::{
    command_line::{ConfigFlags, EngineFlags, GatewayFlags, ServeFlags, SettlementFlags},
    snapshots::SnapshotRules,
    tls::CertificateFiles,
};
pub(crate) use keys::{KEYS, Key};
pub(crate) use outside::{BrokerSecurity, DatabaseSetting, LargeOrderSetting};

use accounts::IpAllowList;
use anyhow::{Context as _, bail};
use engine_journal::{KeepRules, RetentionRule};
use engine_runtime::{pipeline::Options, wait::WaitStrategy};
use gateway::RateLimits;
use serde::Deserialize;
use std::net::SocketAddr;
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The file that is read when none is named.
const DEFAULT_FILE: &str = "rialto.toml";

/// How the engine's threads wait for work.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Wait {
    /// They sleep when there is none.
    #[default]
    Park,
    /// They never sleep.
    Busy,
}

/// All settings. What each means is in [`KEYS`].
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Config {
    pub(crate) data: PathBuf,
    pub(crate) listen: SocketAddr,
    pub(crate) admin_listen: SocketAddr,
    pub(crate) insecure: bool,
    pub(crate) tls_certificate: Option<PathBuf>,
    pub(crate) tls_key: Option<PathBuf>,
    pub(crate) plain_listen: Option<SocketAddr>,
    pub(crate) log: String,
    pub(crate) engine_id: u32,
    pub(crate) ring_slots: usize,
    pub(crate) group_bytes: usize,
    pub(crate) journal_segment_bytes: u64,
    pub(crate) event_segment_bytes: u64,
    pub(crate) reserve_bytes: u64,
    pub(crate) snapshot_commands: u64,
    pub(crate) snapshot_minutes: u64,
    pub(crate) snapshots_kept: NonZeroUsize,
    pub(crate) journal_segments_kept: usize,
    pub(crate) journal_bytes_kept: u64,
    pub(crate) archive: bool,
    pub(crate) clock_bound_seconds: u64,
    pub(crate) wait: Wait,
    pub(crate) processors: Option<[usize; 3]>,
    pub(crate) request_weight_per_minute: u32,
    pub(crate) raw_requests_per_5_minutes: u32,
    pub(crate) connections_per_5_minutes: u32,
    pub(crate) orders_per_10_seconds: u32,
    pub(crate) orders_per_day: u32,
    pub(crate) stream_messages_per_second: NonZeroU32,
    pub(crate) stream_message_burst: NonZeroU32,
    pub(crate) refusals_before_ban: u32,
    pub(crate) trusted_proxies: Vec<String>,
    pub(crate) database: DatabaseSetting,
    pub(crate) database_password_file: Option<PathBuf>,
    pub(crate) kafka: Option<String>,
    pub(crate) kafka_security: BrokerSecurity,
    pub(crate) kafka_ca: Option<PathBuf>,
    pub(crate) kafka_user: Option<String>,
    pub(crate) kafka_password_file: Option<PathBuf>,
    pub(crate) kafka_topic_prefix: String,
    pub(crate) large_orders: Vec<LargeOrderSetting>,
    pub(crate) stream_lag_bound: u64,
    pub(crate) reconcile_minutes: u64,
    pub(crate) books_months_kept: u32,
    pub(crate) master_key_file: Option<PathBuf>,
    pub(crate) engine_listen: SocketAddr,
    pub(crate) engine_secret_file: Option<PathBuf>,
    pub(crate) gateway_sources: Vec<u32>,
    pub(crate) gateway_grace_seconds: u64,
    pub(crate) engine: String,
    pub(crate) gateway_source: u32,
    pub(crate) event_log: Option<PathBuf>,
}

impl Default for Config {
    fn default() -> Self {
        let engine = Options::default();
        let limits = RateLimits::default();
        let journal = RetentionRule::default();
        Self {
            data: PathBuf::from("./data"),
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            admin_listen: SocketAddr::from(([127, 0, 0, 1], 8081)),
            insecure: false,
            tls_certificate: None,
            tls_key: None,
            plain_listen: None,
            log: "info".to_owned(),
            engine_id: engine.engine_id,
            ring_slots: engine.ring_slots,
            group_bytes: engine.group_bytes,
            journal_segment_bytes: engine.journal_segment_bytes,
            event_segment_bytes: engine.event_segment_bytes,
            reserve_bytes: engine.reserve_bytes,
            snapshot_commands: 1_000_000,
            snapshot_minutes: 60,
            snapshots_kept: NonZeroUsize::MIN.saturating_add(2),
            journal_segments_kept: journal.segments,
            journal_bytes_kept: journal.bytes,
            archive: true,
            clock_bound_seconds: engine.clock_bound.as_secs(),
            wait: Wait::default(),
            processors: None,
            request_weight_per_minute: limits.request_weight_per_minute,
            raw_requests_per_5_minutes: limits.raw_requests_per_5_minutes,
            connections_per_5_minutes: limits.connections_per_5_minutes,
            orders_per_10_seconds: limits.orders_per_10_seconds,
            orders_per_day: limits.orders_per_day,
            stream_messages_per_second: limits.stream_messages_per_second,
            stream_message_burst: limits.stream_message_burst,
            refusals_before_ban: limits.refusals_before_ban,
            trusted_proxies: Vec::new(),
            database: DatabaseSetting::default(),
            database_password_file: None,
            kafka: None,
            kafka_security: BrokerSecurity::default(),
            kafka_ca: None,
            kafka_user: None,
            kafka_password_file: None,
            kafka_topic_prefix: String::new(),
            large_orders: Vec::new(),
            stream_lag_bound: 10_000_000,
            reconcile_minutes: 60,
            books_months_kept: 0,
            master_key_file: None,
            engine_listen: SocketAddr::from(([127, 0, 0, 1], 8090)),
            engine_secret_file: None,
            gateway_sources: vec![16],
            gateway_grace_seconds: 5,
            engine: "127.0.0.1:8090".to_owned(),
            gateway_source: 16,
            event_log: None,
        }
    }
}

impl Config {
    /// The settings of `rialto serve`.
    pub(crate) fn load(flags: &ServeFlags) -> anyhow::Result<Self> {
        let mut config = Self::before_check(&flags.common)?;
        config.listen = flags.listen.unwrap_or(config.listen);
        config.admin_listen = flags.admin_listen.unwrap_or(config.admin_listen);
        config.check()?;
        Ok(config)
    }

    /// The settings of `rialto engine`.
    pub(crate) fn of_engine(flags: &EngineFlags) -> anyhow::Result<Self> {
        let mut config = Self::before_check(&flags.common)?;
        config.admin_listen = flags.admin_listen.unwrap_or(config.admin_listen);
        config.engine_listen = flags.engine_listen.unwrap_or(config.engine_listen);
        config.check()?;
        Ok(config)
    }

    /// The settings of `rialto gateway`.
    pub(crate) fn of_gateway(flags: &GatewayFlags) -> anyhow::Result<Self> {
        let mut config = Self::before_check(&flags.common)?;
        config.listen = flags.listen.unwrap_or(config.listen);
        config.admin_listen = flags.admin_listen.unwrap_or(config.admin_listen);
        config.gateway_source = flags.source.unwrap_or(config.gateway_source);
        if let Some(engine) = &flags.engine {
            config.engine.clone_from(engine);
        }
        if flags.event_log.is_some() {
            config.event_log.clone_from(&flags.event_log);
        }
        config.check()?;
        Ok(config)
    }

    /// The settings of `rialto settlement`.
    pub(crate) fn of_settlement(flags: &SettlementFlags) -> anyhow::Result<Self> {
        let mut config = Self::before_check(&flags.common)?;
        config.admin_listen = flags.admin_listen.unwrap_or(config.admin_listen);
        if flags.event_log.is_some() {
            config.event_log.clone_from(&flags.event_log);
        }
        config.check()?;
        Ok(config)
    }

    /// The settings of a command that opens no port.
    pub(crate) fn of(flags: &ConfigFlags) -> anyhow::Result<Self> {
        let config = Self::before_check(flags)?;
        config.check()?;
        Ok(config)
    }

    fn before_check(flags: &ConfigFlags) -> anyhow::Result<Self> {
        let mut config = match &flags.config {
            Some(file) => Self::read(file)?,
            None if Path::new(DEFAULT_FILE).exists() => Self::read(Path::new(DEFAULT_FILE))?,
            None => Self::default(),
        };
        if let Some(data) = &flags.data {
            config.data.clone_from(data);
        }
        if let Some(log) = &flags.log {
            config.log.clone_from(log);
        }
        if let Some(database) = &flags.database {
            config.database.clone_from(database);
        }
        if let Some(kafka) = &flags.kafka {
            config.kafka = Some(kafka.clone());
        }
        Ok(config)
    }

    fn read(file: &Path) -> anyhow::Result<Self> {
        let text =
            std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
        Self::parse(&text).with_context(|| format!("{} is not a configuration", file.display()))
    }

    fn parse(text: &str) -> anyhow::Result<Self> {
        let table: toml::Table = toml::from_str(text)?;
        for found in table.keys() {
            if !KEYS.iter().any(|known| known.name == found) {
                bail!("there is no key `{found}`{}", suggestion(found));
            }
        }
        Ok(toml::from_str(text)?)
    }

    fn check(&self) -> anyhow::Result<()> {
        let certificate = self.certificate_files()?;
        if self.plain_listen.is_some() && certificate.is_none() {
            bail!(
                "`plain_listen` is for a second port beside one with TLS: set `tls_certificate` and `tls_key`, or use `listen` alone"
            );
        }
        let plain = if certificate.is_some() { self.plain_listen } else { Some(self.listen) };
        if let Some(plain) = plain.filter(|plain| !plain.ip().is_loopback() && !self.insecure) {
            bail!(
                "listening on {plain} would let other machines trade without TLS; set `tls_certificate` and `tls_key`, listen on 127.0.0.1 behind a proxy that speaks TLS, or set `insecure = true` in the configuration file"
            );
        }
        if !self.admin_listen.ip().is_loopback() {
            bail!(
                "administration on {} could be reached from other machines; use 127.0.0.1",
                self.admin_listen
            );
        }
        self.check_outside()?;
        self.check_split()?;
        self.rate_limits()?;
        Ok(())
    }

    /// The files of TLS, if there is to be any.
    pub(crate) fn certificate_files(&self) -> anyhow::Result<Option<CertificateFiles>> {
        match (&self.tls_certificate, &self.tls_key) {
            (Some(certificate), Some(key)) => {
                Ok(Some(CertificateFiles { certificate: certificate.clone(), key: key.clone() }))
            }
            (None, None) => Ok(None),
            _ => bail!("`tls_certificate` and `tls_key` belong together: set both or neither"),
        }
    }

    /// What clients may use.
    pub(crate) fn rate_limits(&self) -> anyhow::Result<RateLimits> {
        let trusted_proxies: IpAllowList =
            self.trusted_proxies.join(",").parse().context("`trusted_proxies` cannot be read")?;
        Ok(RateLimits {
            request_weight_per_minute: self.request_weight_per_minute,
            raw_requests_per_5_minutes: self.raw_requests_per_5_minutes,
            connections_per_5_minutes: self.connections_per_5_minutes,
            orders_per_10_seconds: self.orders_per_10_seconds,
            orders_per_day: self.orders_per_day,
            stream_messages_per_second: self.stream_messages_per_second,
            stream_message_burst: self.stream_message_burst,
            refusals_before_ban: self.refusals_before_ban,
            trusted_proxies,
        })
    }

    /// When snapshots are made, and what stays.
    pub(crate) fn snapshot_rules(&self) -> SnapshotRules {
        SnapshotRules {
            commands: self.snapshot_commands,
            interval: Duration::from_mins(self.snapshot_minutes),
            keep: KeepRules {
                snapshots: self.snapshots_kept.get(),
                journal: RetentionRule {
                    segments: self.journal_segments_kept,
                    bytes: self.journal_bytes_kept,
                },
                archive: self.archive,
            },
        }
    }

    /// How the engine is opened.
    pub(crate) fn engine_options(&self) -> Options {
        Options {
            engine_id: self.engine_id,
            ring_slots: self.ring_slots,
            group_bytes: self.group_bytes,
            journal_segment_bytes: self.journal_segment_bytes,
            event_segment_bytes: self.event_segment_bytes,
            reserve_bytes: self.reserve_bytes,
            clock_bound: Duration::from_secs(self.clock_bound_seconds),
            wait: match self.wait {
                Wait::Park => WaitStrategy::default(),
                Wait::Busy => WaitStrategy::Busy,
            },
            processors: self.processors,
            ..Options::default()
        }
    }
}

/// The key that may have been meant.
fn suggestion(found: &str) -> String {
    let distance = |key: &Key| strsim::damerau_levenshtein(found, key.name);
    match KEYS.iter().min_by_key(|key| distance(key)).filter(|key| distance(key) <= 3) {
        Some(nearest) => format!("; did you mean `{}`?", nearest.name),
        None => "; `rialto config explain` lists all".to_owned(),
    }
}

/// `rialto config check`.
pub(crate) fn check(file: &Path, json: bool) -> anyhow::Result<()> {
    let config = Config::read(file)?;
    config.check()?;
    if json {
        println!("{}", serde_json::json!({"file": file, "valid": true}));
    } else {
        println!("{} is valid", file.display());
    }
    Ok(())
}

/// `rialto config explain`.
pub(crate) fn explain(wanted: Option<&str>, json: bool) -> anyhow::Result<()> {
    let keys: Vec<_> = KEYS.iter().filter(|key| wanted.is_none_or(|wanted| key.name == wanted)).collect();
    if let (true, Some(wanted)) = (keys.is_empty(), wanted) {
        bail!("there is no key `{wanted}`{}", suggestion(wanted));
    }
    if json {
        println!("{}", serde_json::to_string(&keys)?);
        return Ok(());
    }
    for key in keys {
        println!("{}: {}", key.name, key.meaning);
        println!(
            "    {}; default {}{}",
            key.unit,
            key.default,
            key.environment.map(|name| format!("; environment {name}")).unwrap_or_default()
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sample_file_is_the_defaults_and_explains_every_key() {
        let sample = include_str!("../../deploy/rialto.toml");
        assert_eq!(Config::parse(sample).expect("valid"), Config::default());
        for key in KEYS {
            assert!(sample.contains(&format!("{} =", key.name)), "{} is not in the sample", key.name);
        }
    }

    #[test]
    fn the_sample_files_of_a_split_exchange_are_valid() {
        for sample in [
            include_str!("../../deploy/engine.toml"),
            include_str!("../../deploy/gateway.toml"),
            include_str!("../../deploy/settlement.toml"),
        ] {
            Config::parse(sample).expect("valid").check().expect("it may be used");
        }
    }

    #[test]
    fn an_unknown_key_gets_a_suggestion() {
        for (text, expected) in [
            ("lsten = 1", "did you mean `listen`"),
            ("admin-listen = 1", "did you mean `admin_listen`"),
            ("colour = 1", "`rialto config explain` lists all"),
            ("[server]\nx = 1", "there is no key `server`"),
        ] {
            let error = Config::parse(text).expect_err("no such key").to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
        assert!(Config::parse("listen = 8080").is_err());
    }

    #[test]
    fn flags_win_over_the_file() {
        let flags = ServeFlags {
            common: ConfigFlags { data: Some("/elsewhere".into()), ..ConfigFlags::default() },
            ..ServeFlags::default()
        };
        assert_eq!(Config::load(&flags).expect("valid").data, Path::new("/elsewhere"));
    }

    #[test]
    fn beyond_loopback_one_must_say_so() {
        let open = SocketAddr::from(([0, 0, 0, 0], 8080));
        let config = Config { listen: open, ..Config::default() };
        assert!(config.check().is_err());
        assert!(Config { insecure: true, ..config.clone() }.check().is_ok());
        let certificate =
            Config { tls_certificate: Some("c.pem".into()), tls_key: Some("k.pem".into()), ..config };
        assert!(certificate.check().is_ok());
        let loopback = SocketAddr::from(([127, 0, 0, 1], 8082));
        assert!(Config { plain_listen: Some(loopback), ..certificate.clone() }.check().is_ok());
        assert!(Config { plain_listen: Some(open), ..certificate.clone() }.check().is_err());
        assert!(Config { tls_key: None, ..certificate }.check().is_err());
        assert!(Config { plain_listen: Some(loopback), ..Config::default() }.check().is_err());
        assert!(Config { admin_listen: open, insecure: true, ..Config::default() }.check().is_err());
    }
}
