//! An exchange in processes of their own, from the sample configurations of `deploy/`, with ports and
//! directories of a test's own. Refuses to know what is asked of it.

use crate::{
    client::{Client, agent},
    ports::free_address,
    postgres::Postgres,
    program::{command, rialto, workspace},
    server::{AMPLE_LIMITS, DemoKey, Operator},
};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::{
    fs::{self, File, OpenOptions},
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Stdio},
    thread,
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// How long a process may take to be ready, or to end. It is far above what either takes.
const PATIENCE: Duration = Duration::from_mins(3);
/// Between two looks at something that has not happened yet.
const LOOK: Duration = Duration::from_millis(5);
/// The first source of a gateway.
const FIRST_SOURCE: u32 = 16;

/// One process of it. Dropping it kills it.
#[derive(Debug)]
pub struct Process {
    role: &'static str,
    name: String,
    directory: PathBuf,
    arguments: Vec<String>,
    child: Option<Child>,
    /// Where health and metrics are.
    pub admin: SocketAddr,
}

impl Process {
    fn new(split: &Directory, role: &'static str, name: String, settings: &str, admin: SocketAddr) -> Self {
        let sample = fs::read_to_string(workspace().join(format!("deploy/{role}.toml"))).expect("a sample");
        let configuration = split.path.join(format!("{name}.toml"));
        fs::write(&configuration, format!("{}{settings}", split.moved(&sample))).expect("it can be written");
        let arguments =
            ["--config", configuration.to_str().expect("text"), "--admin-listen", &admin.to_string()];
        let arguments = arguments.map(str::to_owned).to_vec();
        Self { role, name, directory: split.path.clone(), arguments, child: None, admin }
    }

    fn with(mut self, arguments: &[&str]) -> Self {
        self.arguments.extend(arguments.iter().map(|text| (*text).to_owned()));
        self
    }

    /// Starts it, and does not wait until it is ready.
    ///
    /// # Panics
    /// When it runs.
    pub fn begin(&mut self) {
        assert!(self.child.is_none(), "{} runs", self.name);
        let log = OpenOptions::new().create(true).append(true).open(self.log_path());
        let log = log.expect("the log can be written");
        let mut command = command(&rialto());
        command.arg(self.role).args(&self.arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        self.child = Some(command.spawn().expect("rialto can be started"));
    }

    /// Starts it, and waits until it is ready.
    ///
    /// # Panics
    /// When it does not become ready; its log is printed.
    pub fn start(&mut self) {
        self.begin();
        self.ready();
    }

    /// Waits until it is ready, and gives what `/readyz` answers then.
    ///
    /// # Panics
    /// When it does not become ready, or ends; its log is printed.
    pub fn ready(&mut self) -> Value {
        self.wait_until(|status, _| status == 200)
    }

    /// Waits until `/readyz` answers so, and gives what it answers then.
    ///
    /// # Panics
    /// When it does not, or the process ends; its log is printed.
    pub fn wait_until(&mut self, wanted: impl Fn(u16, &Value) -> bool) -> Value {
        let start = Instant::now();
        loop {
            if let Some((status, body)) = self.readiness()
                && wanted(status, &body)
            {
                return body;
            }
            if let Some(status) =
                self.child.as_mut().and_then(|child| child.try_wait().expect("it is a child"))
            {
                panic!("{} ended with {status}:\n{}", self.name, self.log());
            }
            assert!(start.elapsed() < PATIENCE, "{} is not ready:\n{}", self.name, self.log());
            thread::sleep(LOOK);
        }
    }

    /// What `/readyz` answers: HTTP's status, and the body. Nothing when it does not answer.
    pub fn readiness(&self) -> Option<(u16, Value)> {
        let mut answer = agent().get(format!("http://{}/readyz", self.admin)).call().ok()?;
        let text = answer.body_mut().read_to_string().ok()?;
        Some((answer.status().as_u16(), serde_json::from_str(&text).ok()?))
    }

    /// Kills it as nobody can refuse.
    ///
    /// # Panics
    /// When it does not run.
    pub fn kill(&mut self) {
        let mut child = self.child.take().expect("it runs");
        child.kill().expect("a child can be killed");
        child.wait().expect("a child can be waited for");
    }

    /// Asks it to end, and waits until it has.
    ///
    /// # Panics
    /// When it does not end, or not well.
    pub fn terminate(&mut self) {
        self.signal(Signal::TERM);
        let status = self.child.take().expect("it runs").wait().expect("a child can be waited for");
        assert!(status.success(), "{} ended with {status}:\n{}", self.name, self.log());
    }

    /// Sends it a signal.
    ///
    /// # Panics
    /// When it does not run.
    pub fn signal(&self, signal: Signal) {
        let child = self.child.as_ref().expect("it runs");
        kill_process(Pid::from_child(child), signal).expect("a child can be signalled");
    }

    /// Waits until it has ended by itself, badly, and returns what it said.
    ///
    /// # Panics
    /// When it does not end, or ends well.
    pub fn refused(&mut self) -> String {
        let mut child = self.child.take().expect("it runs");
        let start = Instant::now();
        loop {
            if let Some(status) = child.try_wait().expect("a child can be waited for") {
                assert!(!status.success(), "{} ended well:\n{}", self.name, self.log());
                return self.log();
            }
            if start.elapsed() > PATIENCE {
                child.kill().expect("a child can be killed");
                panic!("{} goes on:\n{}", self.name, self.log());
            }
            thread::sleep(LOOK);
        }
    }

    /// What it has said so far, in all its runs.
    pub fn log(&self) -> String {
        let log = File::open(self.log_path()).and_then(io::read_to_string);
        log.unwrap_or_else(|error| format!("(its log cannot be read: {error})"))
    }

    fn log_path(&self) -> PathBuf {
        self.directory.join(format!("{}.log", self.name))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            // It may have ended already; there is nobody to tell.
            let _ = child.kill();
            let _ = child.wait();
        }
        if thread::panicking() {
            eprintln!("what {} said:\n{}", self.name, self.log());
        }
    }
}

/// The directory that stands for the sample configurations' paths and servers.
#[derive(Debug)]
struct Directory {
    path: PathBuf,
    database: String,
    kafka: Option<String>,
}

impl Directory {
    /// A sample's text with this test's paths and servers in the place of the sample's own.
    fn moved(&self, sample: &str) -> String {
        let directory = self.path.to_str().expect("a temporary path is text");
        let (kafka, event_log) = match &self.kafka {
            Some(servers) => (format!("kafka = {servers:?}"), ""),
            None => (String::new(), "event_log ="),
        };
        let moved = sample
            .replace("kafka = \"127.0.0.1:9092\"", &kafka)
            .replace("postgres://rialto@127.0.0.1:5432/rialto", &self.database)
            .replace("/etc/rialto", &format!("{directory}/etc"))
            .replace("/var/lib/rialto", &format!("{directory}/data"));
        if event_log.is_empty() { moved } else { moved.replace("# event_log =", event_log) }
    }
}

/// An exchange in processes of their own.
#[derive(Debug)]
pub struct Split {
    /// Journal, core, administration.
    pub engine: Process,
    /// Traders' doors, and where they are.
    pub gateways: Vec<(Process, SocketAddr)>,
    /// The books of record; not started by itself.
    pub settlement: Process,
    /// What they share.
    pub postgres: Postgres,
    directory: TempDir,
}

impl Split {
    /// Starts PostgreSQL, an engine with the demonstration, and so many gateways that read its event log.
    ///
    /// # Panics
    /// When one of them does not become ready; its log is printed.
    pub fn start(gateways: usize) -> Self {
        let mut split = Self::prepare(gateways, None);
        split.start_all();
        split
    }

    /// Starts the engine, and the gateways.
    ///
    /// # Panics
    /// When one of them does not become ready; its log is printed.
    pub fn start_all(&mut self) {
        self.engine.start();
        for (gateway, _) in &mut self.gateways {
            gateway.start();
        }
    }

    /// The same, of which nothing but PostgreSQL was started. With `kafka`, events go by its brokers.
    ///
    /// # Panics
    /// When PostgreSQL does not serve.
    pub fn prepare(gateways: usize, kafka: Option<String>) -> Self {
        let postgres = Postgres::start();
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().to_owned();
        secrets(&path.join("etc"));
        let place = Directory { path, database: postgres.url(), kafka };
        let engine_at = free_address().to_string();
        let engine = Process::new(&place, "engine", "engine".to_owned(), "", free_address()).with(&[
            "--engine-listen",
            &engine_at,
            "--demo",
        ]);
        let settlement = Process::new(&place, "settlement", "settlement".to_owned(), "", free_address());
        let gateways = (0..gateways).map(|number| {
            let (listen, admin) = (free_address(), free_address());
            let source = (FIRST_SOURCE + number as u32).to_string();
            let gateway = Process::new(&place, "gateway", format!("gateway-{number}"), AMPLE_LIMITS, admin);
            (
                gateway.with(&["--listen", &listen.to_string(), "--engine", &engine_at, "--source", &source]),
                listen,
            )
        });
        Self { engine, gateways: gateways.collect(), settlement, postgres, directory }
    }

    /// The engine's data directory.
    pub fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    /// The directory of everything.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Who asks administration, at the engine.
    ///
    /// # Panics
    /// When its token cannot be read.
    pub fn operator(&self) -> Operator {
        Operator::of(self.engine.admin, &self.data())
    }

    /// A client of one of the demo's HMAC accounts, counted from 1, at a gateway, counted from 0.
    ///
    /// # Panics
    /// When there is no such key.
    pub fn client(&self, number: usize, gateway: usize) -> Client {
        let text = fs::read_to_string(self.data().join("demo-keys.json")).expect("demo-keys.json is there");
        let keys: Vec<DemoKey> = serde_json::from_str(&text).expect("demo-keys.json is a list of keys");
        let name = format!("demo-{number}");
        let key = keys.into_iter().find(|key| key.account == name).expect("the account has a key");
        let address = self.gateways[gateway].1;
        Client::new(address, key.api_key, key.secret.expect("an HMAC key has a secret"))
    }
}

/// What the samples name below `/etc/rialto`.
fn secrets(directory: &Path) {
    fs::create_dir(directory).expect("a directory can be made");
    for (name, text) in [
        ("engine-secret", "e".repeat(64)),
        ("master.key", "0123456789abcdef".repeat(4)),
        ("database-password", "-".to_owned()),
    ] {
        let file = directory.join(name);
        fs::write(&file, text).expect("a file can be written");
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        fs::set_permissions(&file, mode).expect("a file can be closed to others");
    }
}
