//! A `rialto serve --demo` of a test's own: its directory, its ports, its log, its end. Refuses to
//! know what is asked of it.

use crate::{
    client::{Client, agent},
    ports::free_addresses,
    program::{command, rialto},
};
use rustix::process::{Pid, Signal, kill_process};
use serde::Deserialize;
use serde_json::Value;
use std::{
    ffi::OsString,
    fs::{self, File, OpenOptions},
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};
use ureq::{
    Agent, Body,
    http::{Method, Request, Response},
};

/// How long a server may take to open, or to end. It is far above what either takes.
const PATIENCE: Duration = Duration::from_mins(3);
/// Between two looks at something that has not happened yet.
const LOOK: Duration = Duration::from_millis(5);

/// Settings of limits that no test comes near.
pub const AMPLE_LIMITS: &str = "request_weight_per_minute = 100000000
raw_requests_per_5_minutes = 100000000
connections_per_5_minutes = 100000
orders_per_10_seconds = 1000000
orders_per_day = 100000000
";

/// A server that was ready for trading when it was made. Dropping it kills it.
#[derive(Debug)]
pub struct Server {
    child: Child,
    /// Where traders go.
    pub listen: SocketAddr,
    /// Where operators go.
    pub admin: SocketAddr,
    /// Its data directory.
    pub data: PathBuf,
    /// From its start until `/readyz` said yes.
    pub opened_in: Duration,
}

/// One line of `demo-keys.json`.
#[derive(Clone, Debug, Deserialize)]
pub struct DemoKey {
    /// The account's name.
    pub account: String,
    /// `HMAC` or `Ed25519`.
    pub key_type: String,
    /// Public.
    pub api_key: String,
    /// Of an HMAC key.
    pub secret: Option<String>,
    /// Of an Ed25519 key.
    pub private_key_pem: Option<String>,
}

impl Server {
    /// Starts a server on `data` and waits until it is ready.
    ///
    /// # Panics
    /// When it does not become ready; its log is printed.
    pub fn start(data: &Path) -> Self {
        Self::start_until(data, Until::Open)
    }

    /// Starts a server that must not open for trading, and waits until it says that it has halted.
    ///
    /// # Panics
    /// When it does not halt; its log is printed.
    pub fn start_halted(data: &Path) -> Self {
        Self::start_until(data, Until::Halted)
    }

    fn start_until(data: &Path, until: Until) -> Self {
        match Self::attempt(data, free_addresses(), &[], until) {
            Ok(server) => server,
            Err(status) => panic!("rialto ended with {status}:\n{}", log(data)),
        }
    }

    /// Starts a server under `strace` with these options, which does to its system calls what they say.
    ///
    /// # Errors
    /// How it ended, when it ended before it was ready.
    ///
    /// # Panics
    /// When it can neither open nor end.
    pub fn start_traced(data: &Path, options: &[OsString]) -> Result<Self, ExitStatus> {
        Self::attempt(data, free_addresses(), options, Until::Open)
    }

    /// Starts a server with settings of its own, which the next starts on `data` have too; without any it
    /// has the defaults, limits on clients included.
    ///
    /// # Panics
    /// When it does not become ready; its log is printed.
    pub fn start_with(data: &Path, settings: &str) -> Self {
        fs::write(configuration_path(data), settings).expect("the configuration can be written");
        Self::start(data)
    }

    /// Starts a server on `data` and kills it after `life`, whatever it has come to by then.
    ///
    /// # Panics
    /// When it cannot be started or killed.
    pub fn interrupted(data: &Path, life: Duration) {
        let [listen, admin] = free_addresses();
        let mut child = serve(data, listen, admin)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("rialto can be started");
        thread::sleep(life);
        child.kill().expect("a child can be killed");
        child.wait().expect("a child can be waited for");
    }

    /// Kills it as nobody can refuse, and starts it again on the same data and the same addresses.
    ///
    /// # Panics
    /// When it does not become ready; its log is printed.
    #[must_use]
    pub fn restart(mut self) -> Self {
        self.child.kill().expect("a child can be killed");
        self.child.wait().expect("a child can be waited for");
        match Self::attempt(&self.data, [self.listen, self.admin], &[], Until::Open) {
            Ok(server) => server,
            Err(status) => panic!("rialto ended with {status}:\n{}", log(&self.data)),
        }
    }

    fn attempt(
        data: &Path,
        [listen, admin]: [SocketAddr; 2],
        tracer: &[OsString],
        until: Until,
    ) -> Result<Self, ExitStatus> {
        let mut log_file = OpenOptions::new();
        let log_file =
            log_file.create(true).append(true).open(log_path(data)).expect("the log can be written");
        let start = Instant::now();
        let mut child = traced(serve(data, listen, admin), tracer)
            .stdout(Stdio::null())
            .stderr(log_file)
            .spawn()
            .expect("rialto can be started");
        let agent = agent();
        while !readiness(&agent, admin).is_some_and(|answer| until.is_reached(&answer)) {
            if let Some(status) = child.try_wait().expect("a child can be waited for") {
                return Err(status);
            }
            assert!(start.elapsed() < PATIENCE, "rialto is not ready after {PATIENCE:?}:\n{}", log(data));
            thread::sleep(LOOK);
        }
        Ok(Self { child, listen, admin, data: data.to_owned(), opened_in: start.elapsed() })
    }

    /// What `/readyz` answers: HTTP's status, and the body.
    ///
    /// # Panics
    /// When it does not answer.
    pub fn readiness(&self) -> (u16, Value) {
        readiness(&agent(), self.admin).expect("the server says how it is")
    }

    /// What `/metrics` prints.
    ///
    /// # Panics
    /// When it does not answer.
    pub fn metrics(&self) -> String {
        let answer = agent().get(format!("http://{}/metrics", self.admin)).call();
        answer.expect("the server answers").body_mut().read_to_string().expect("metrics are text")
    }

    /// Who asks administration, also while the server is killed.
    ///
    /// # Panics
    /// When its token cannot be read.
    pub fn operator(&self) -> Operator {
        Operator::of(self.admin, &self.data)
    }

    /// The demo's keys.
    ///
    /// # Panics
    /// When they cannot be read.
    pub fn keys(&self) -> Vec<DemoKey> {
        let text = fs::read_to_string(self.keys_file()).expect("demo-keys.json is there");
        serde_json::from_str(&text).expect("demo-keys.json is a list of keys")
    }

    /// Where the demo's keys are.
    pub fn keys_file(&self) -> PathBuf {
        self.data.join("demo-keys.json")
    }

    /// A client of one of the demo's HMAC accounts, counted from 1.
    ///
    /// # Panics
    /// When there is no such key.
    pub fn client(&self, number: usize) -> Client {
        let name = format!("demo-{number}");
        let key = self.keys().into_iter().find(|key| key.account == name).expect("the account has a key");
        Client::new(self.listen, key.api_key, key.secret.expect("an HMAC key has a secret"))
    }

    /// Its process.
    pub fn process(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// Waits until it has ended by itself.
    ///
    /// # Panics
    /// When it does not.
    pub fn ended(&mut self) -> ExitStatus {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("a child can be waited for") {
                return status;
            }
            assert!(start.elapsed() < PATIENCE, "still there after {PATIENCE:?}:\n{}", self.log());
            thread::sleep(LOOK);
        }
    }

    /// Kills it as nobody can refuse.
    ///
    /// # Panics
    /// When the system does.
    pub fn kill(mut self) {
        self.child.kill().expect("a child can be killed");
        self.child.wait().expect("a child can be waited for");
    }

    /// Asks it to end, and waits until it has; returns how, and after how long.
    ///
    /// # Panics
    /// When it does not end.
    pub fn terminate(mut self) -> (ExitStatus, Duration) {
        let start = Instant::now();
        kill_process(self.process(), Signal::TERM).expect("a child can be signalled");
        let status = self.ended();
        (status, start.elapsed())
    }

    /// What it has said so far, in all its runs.
    pub fn log(&self) -> String {
        log(&self.data)
    }
}

/// Somebody with administration's token.
#[derive(Clone, Debug)]
pub struct Operator {
    admin: SocketAddr,
    token: String,
}

impl Operator {
    /// With the token of a data directory.
    ///
    /// # Panics
    /// When it cannot be read.
    pub fn of(admin: SocketAddr, data: &Path) -> Self {
        let token = fs::read_to_string(data.join("admin-token")).expect("the token is there");
        Self { admin, token: token.trim().to_owned() }
    }

    /// HTTP's status and the body; nothing when there was no answer.
    ///
    /// # Panics
    /// When the path is none.
    pub fn ask(&self, method: &Method, path: &str, body: &Value) -> Option<(u16, Value)> {
        let request = Request::builder()
            .method(method)
            .uri(format!("http://{}{path}", self.admin))
            .header("Authorization", format!("Bearer {}", self.token))
            .header("Content-Type", "application/json")
            .body(body.to_string())
            .expect("a request");
        answer(agent().run(request))
    }
}

/// What a start waits for.
#[derive(Clone, Copy, Debug)]
enum Until {
    Open,
    Halted,
}

impl Until {
    fn is_reached(self, (status, body): &(u16, Value)) -> bool {
        match self {
            Self::Open => *status == 200,
            Self::Halted => body["status"] == "HALTED",
        }
    }
}

/// `strace` in front of a command, itself the command's child: who waits for the command waits for it.
fn traced(command: Command, options: &[OsString]) -> Command {
    if options.is_empty() {
        return command;
    }
    let mut traced = Command::new("strace");
    traced.args(["-D", "-f"]).args(options).arg("--").arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => traced.env(name, value),
            None => traced.env_remove(name),
        };
    }
    traced.stdin(Stdio::null());
    traced
}

fn readiness(agent: &Agent, admin: SocketAddr) -> Option<(u16, Value)> {
    answer(agent.get(format!("http://{admin}/readyz")).call())
}

/// A JSON answer, if it is one.
fn answer(answer: Result<Response<Body>, ureq::Error>) -> Option<(u16, Value)> {
    let mut answer = answer.ok()?;
    let text = answer.body_mut().read_to_string().ok()?;
    Some((answer.status().as_u16(), serde_json::from_str(&text).ok()?))
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already; there is nobody to tell.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            eprintln!("what the server said:\n{}", self.log());
        }
    }
}

/// The command that serves `data`, not started. If there is no configuration yet, it is one of limits
/// that no test comes near.
///
/// # Panics
/// When the configuration cannot be written.
pub fn serve(data: &Path, listen: SocketAddr, admin: SocketAddr) -> Command {
    let configuration = configuration_path(data);
    if !configuration.exists() {
        fs::write(&configuration, AMPLE_LIMITS).expect("the configuration can be written");
    }
    let mut command = command(&rialto());
    command.args(["serve", "--demo", "--data"]).arg(data).arg("--config").arg(configuration);
    command.args(["--listen", &listen.to_string(), "--admin-listen", &admin.to_string()]);
    command.stdin(Stdio::null());
    command
}

/// Beside the data directory, like the log.
fn configuration_path(data: &Path) -> PathBuf {
    data.with_extension("toml")
}

/// The log is beside the data directory, not in it: the directory is the exchange's own.
fn log_path(data: &Path) -> PathBuf {
    data.with_extension("log")
}

fn log(data: &Path) -> String {
    match File::open(log_path(data)).and_then(io::read_to_string) {
        Ok(text) => text,
        Err(error) => format!("(its log cannot be read: {error})"),
    }
}
