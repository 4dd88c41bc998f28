//! The servers that are measured, each a process of its own. Refuses to know what is asked of them.

use anyhow::{Context as _, bail};
use std::{
    net::{SocketAddr, TcpListener},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use super::http::Http;

/// How long a server may take to open.
const PATIENCE: Duration = Duration::from_mins(1);
/// Limits on clients are not what is measured.
const SETTINGS: &str = "request_weight_per_minute = 1000000000
raw_requests_per_5_minutes = 1000000000
connections_per_5_minutes = 1000000
orders_per_10_seconds = 100000000
orders_per_day = 1000000000
";

/// A running server. Dropping it kills it.
#[derive(Debug)]
pub struct Server {
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Server {
    /// `rialto serve --demo` on a directory.
    ///
    /// # Errors
    /// When it does not open.
    pub fn exchange(rialto: &Path, data: &Path) -> anyhow::Result<Self> {
        let settings = data.with_extension("toml");
        std::fs::write(&settings, SETTINGS)?;
        let [address, admin] = free_addresses()?;
        let mut command = Command::new(rialto);
        command.args(["serve", "--demo", "--data"]).arg(data).arg("--config").arg(settings);
        command.args(["--listen", &address.to_string(), "--admin-listen", &admin.to_string()]);
        let server =
            Self::start(command, address).with_context(|| format!("cannot run {}", rialto.display()))?;
        server.opened(|| Http::connect(admin)?.ask(b"GET /readyz HTTP/1.1\r\nhost: localhost\r\n\r\n"))
    }

    /// The bare server: this program, called `bare`.
    ///
    /// # Errors
    /// When it does not open.
    pub fn bare() -> anyhow::Result<Self> {
        let [address, _] = free_addresses()?;
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["bare", &address.to_string()]);
        Self::start(command, address)?.opened(|| Http::connect(address).map(|_| ()))
    }

    /// The memory it has now, in bytes.
    ///
    /// # Errors
    /// When the system does not say.
    pub fn memory(&self) -> anyhow::Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kibibytes = resident.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
        Ok(kibibytes.context("no VmRSS in the status")? << 10)
    }

    fn start(mut command: Command, address: SocketAddr) -> anyhow::Result<Self> {
        let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Ok(Self { child: quiet.spawn()?, address })
    }

    fn opened(mut self, is_open: impl Fn() -> anyhow::Result<()>) -> anyhow::Result<Self> {
        let start = Instant::now();
        while is_open().is_err() {
            if let Some(status) = self.child.try_wait()? {
                bail!("the server ended with {status}");
            }
            if start.elapsed() > PATIENCE {
                bail!("the server is not open after {PATIENCE:?}");
            }
            thread::sleep(Duration::from_millis(10));
        }
        Ok(self)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already; there is nobody to tell.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn free_addresses() -> anyhow::Result<[SocketAddr; 2]> {
    // Both held at once: they differ.
    let (one, other) = (TcpListener::bind("127.0.0.1:0")?, TcpListener::bind("127.0.0.1:0")?);
    Ok([one.local_addr()?, other.local_addr()?])
}
