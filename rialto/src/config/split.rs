//! Settings of an exchange whose engine, gateways and settlement are processes of their own: the socket
//! between engine and gateways, and where events come from. Refuses to connect.

use super::Config;
use anyhow::{Context as _, bail};
use protocol::SourceId;
use remote::Secret;
use std::net::IpAddr;
use std::time::Duration;

/// Sources below are the exchange's own; the core takes those below the other.
const GATEWAY_SOURCES: std::ops::Range<u32> = 16..1_024;

impl Config {
    pub(super) fn check_split(&self) -> anyhow::Result<()> {
        let address = self.engine_listen.ip();
        if !is_private(address) && !self.insecure {
            bail!(
                "`engine_listen` on {address} could be reached from anywhere, and what goes over it is not encrypted; use an address of a private network, or 127.0.0.1 and a tunnel"
            );
        }
        let sources = self.gateway_sources.iter().chain([&self.gateway_source]);
        for source in sources {
            if !GATEWAY_SOURCES.contains(source) {
                bail!(
                    "a gateway's source is a number from {} to {}, not {source}",
                    GATEWAY_SOURCES.start,
                    GATEWAY_SOURCES.end - 1
                );
            }
        }
        Ok(())
    }

    /// What engine and gateways share.
    pub(crate) fn engine_secret(&self) -> anyhow::Result<Secret> {
        let file = self.engine_secret_file.as_deref().context(
            "engine and gateways need a secret that they share: set `engine_secret_file`, and make the file with: openssl rand -hex 32",
        )?;
        Ok(Secret::read(file)?)
    }

    /// The sources that gateways of other processes have.
    pub(crate) fn sources_of_gateways(&self) -> Vec<SourceId> {
        self.gateway_sources.iter().copied().map(SourceId).collect()
    }

    /// How long a gateway may be away.
    pub(crate) fn gateway_grace(&self) -> Duration {
        Duration::from_secs(self.gateway_grace_seconds)
    }
}

/// Of this machine, or of a network that is not the world's.
fn is_private(address: IpAddr) -> bool {
    address.is_loopback()
        || match address {
            IpAddr::V4(address) => address.is_private() || address.is_link_local(),
            IpAddr::V6(address) => address.is_unique_local() || address.is_unicast_link_local(),
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_engines_socket_stays_on_private_networks() {
        for (address, is_fine) in [
            ("127.0.0.1:8090", true),
            ("[::1]:8090", true),
            ("10.1.2.3:8090", true),
            ("[fd00::1]:8090", true),
            ("0.0.0.0:8090", false),
            ("203.0.113.7:8090", false),
            ("[2001:db8::1]:8090", false),
        ] {
            let config = Config { engine_listen: address.parse().unwrap(), ..Config::default() };
            assert_eq!(config.check_split().is_ok(), is_fine, "{address}");
            assert!(Config { insecure: true, ..config }.check_split().is_ok(), "{address}");
        }
    }

    #[test]
    fn the_exchanges_own_sources_are_no_gateways() {
        for (source, is_fine) in
            [(0, false), (1, false), (2, false), (15, false), (16, true), (1_023, true), (1_024, false)]
        {
            let listed = Config { gateway_sources: vec![16, source], ..Config::default() };
            let own = Config { gateway_source: source, ..Config::default() };
            assert_eq!([listed, own].map(|config| config.check_split().is_ok()), [is_fine; 2], "{source}");
        }
    }

    #[test]
    fn without_a_secret_there_is_no_socket() {
        let error = Config::default().engine_secret().unwrap_err().to_string();
        assert!(error.contains("engine_secret_file") && error.contains("openssl"), "{error}");
    }
}
