//! A PostgreSQL server of a test's own: the real one, on a port of its own, in a directory of its own, that
//! can be killed, frozen and started again. Refuses to know what is stored.

use rustix::process::{Pid, Signal, kill_process};
use std::{
    env,
    fs::{self, File},
    io,
    net::TcpListener,
    os::unix::{fs::chown, process::CommandExt as _},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// How long a server may take to start. It is far above what one takes.
const PATIENCE: Duration = Duration::from_mins(1);
/// Between two looks at something that has not happened yet.
const LOOK: Duration = Duration::from_millis(10);
/// Where Debian and others put the server's programs, by version.
const PROGRAMS: &str = "/usr/lib/postgresql";
/// Who runs the server, which refuses to be run by root.
const USER: &str = "postgres";

/// A server that serves, or one that was killed and can be started again. Dropping it kills it.
#[derive(Debug)]
pub struct Postgres {
    directory: TempDir,
    programs: PathBuf,
    port: u16,
    process: Option<Child>,
}

impl Postgres {
    /// Starts a server with a database `rialto`, whose user `rialto` needs no password from this machine.
    ///
    /// # Panics
    /// When there is none on this machine, or it does not serve.
    pub fn start() -> Self {
        let programs = programs();
        let directory = tempfile::tempdir().expect("a temporary directory");
        own(directory.path());
        let port = TcpListener::bind("127.0.0.1:0").expect("a free port").local_addr().expect("bound").port();
        let mut server = Self { directory, programs, port, process: None };
        let data = server.data();
        let made = server
            .run("initdb", &["-D", data.to_str().expect("text"), "-U", "rialto", "-A", "trust", "--no-sync"]);
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        server.start_again();
        server.execute("CREATE DATABASE rialto", "postgres");
        server
    }

    /// Starts it again after it was killed, with what it had.
    ///
    /// # Panics
    /// When it does not serve; its log is printed.
    pub fn start_again(&mut self) {
        assert!(self.process.is_none(), "the server runs");
        let log = File::create(self.log_path()).expect("the log can be written");
        let mut command = self.command("postgres");
        command.arg("-D").arg(self.data()).args([
            "-p",
            &self.port.to_string(),
            "-c",
            "listen_addresses=127.0.0.1",
        ]);
        command.arg("-c").arg(format!("unix_socket_directories={}", self.directory.path().display()));
        command.stdout(Stdio::null()).stderr(log);
        self.process = Some(command.spawn().expect("postgres can be started"));
        let start = Instant::now();
        let port = self.port.to_string();
        while !self.run("pg_isready", &["-h", "127.0.0.1", "-p", &port, "-U", "rialto"]).status.success() {
            assert!(start.elapsed() < PATIENCE, "postgres does not serve:\n{}", self.log());
            thread::sleep(LOOK);
        }
    }

    /// The URL of the database.
    pub fn url(&self) -> String {
        format!("postgres://rialto@127.0.0.1:{}/rialto", self.port)
    }

    /// What a statement gives in the database `rialto`: a line a row, columns parted by `|`.
    ///
    /// # Panics
    /// When the server refuses it.
    pub fn query(&self, statement: &str) -> Vec<String> {
        self.execute(statement, "rialto").lines().map(str::to_owned).collect()
    }

    /// Kills it, and what it has started, as nobody can refuse.
    ///
    /// # Panics
    /// When it does not run.
    pub fn kill(&mut self) {
        let mut process = self.process.take().expect("the server runs");
        process.kill().expect("a child can be killed");
        process.wait().expect("a child can be waited for");
        // Its own children end when they see that it is gone, and hold what the next start needs until then.
        let lock = self.data().join("postmaster.pid");
        let _ = fs::remove_file(lock);
    }

    /// Ends it in order.
    ///
    /// # Panics
    /// When it does not run.
    pub fn stop(&mut self) {
        let mut process = self.process.take().expect("the server runs");
        kill_process(Pid::from_child(&process), Signal::INT).expect("a child can be signalled");
        process.wait().expect("a child can be waited for");
    }

    /// What it has said since its last start.
    pub fn log(&self) -> String {
        let log = File::open(self.log_path()).and_then(io::read_to_string);
        log.unwrap_or_else(|error| format!("(its log cannot be read: {error})"))
    }

    fn execute(&self, statement: &str, database: &str) -> String {
        let port = self.port.to_string();
        let output = self.run(
            "psql",
            &[
                "-h",
                "127.0.0.1",
                "-p",
                &port,
                "-U",
                "rialto",
                "-d",
                database,
                "-At",
                "-v",
                "ON_ERROR_STOP=1",
                "-c",
                statement,
            ],
        );
        assert!(output.status.success(), "{statement}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    fn log_path(&self) -> PathBuf {
        self.directory.path().join("log")
    }

    fn run(&self, program: &str, arguments: &[&str]) -> Output {
        self.command(program).args(arguments).output().expect("PostgreSQL's programs can be run")
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.programs.join(program));
        command.stdin(Stdio::null()).current_dir(self.directory.path());
        if let Some((uid, gid)) = user() {
            command.uid(uid).gid(gid);
        }
        command
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if let Some(process) = &mut self.process {
            // In order: its children would else go on for a moment in a directory that is gone.
            let _ = kill_process(Pid::from_child(process), Signal::QUIT);
            let _ = process.wait();
        }
    }
}

/// The newest version's programs.
fn programs() -> PathBuf {
    if let Some(named) = env::var_os("RIALTO_POSTGRES") {
        return PathBuf::from(named);
    }
    let versions = fs::read_dir(PROGRAMS).into_iter().flatten().flatten();
    let newest = versions.map(|entry| entry.path().join("bin")).max();
    newest
        .unwrap_or_else(|| panic!("no PostgreSQL in {PROGRAMS}; RIALTO_POSTGRES says where its programs are"))
}

/// Who runs the server, when the tests are run by root.
fn user() -> Option<(u32, u32)> {
    if !rustix::process::getuid().is_root() {
        return None;
    }
    let users = fs::read_to_string("/etc/passwd").expect("users are listed");
    let line = users.lines().find(|line| line.starts_with(&format!("{USER}:"))).expect("postgres is a user");
    let mut numbers = line.split(':').skip(2).map(|number| number.parse().expect("a number"));
    Some((numbers.next().expect("a user's number"), numbers.next().expect("a group's number")))
}

fn own(directory: &Path) {
    if let Some((uid, gid)) = user() {
        chown(directory, Some(uid), Some(gid)).expect("root may give a directory away");
    }
}
