//! A PostgreSQL server of a test's own: its data, its port, its end, and what may happen to it. The
//! programs are Debian's, or those in the directory that `RIALTO_POSTGRES` names. Refuses to know
//! what is in its databases.

use crate::ports::free_address;
use rustix::process::{Pid, Signal, kill_process};
use std::{
    env, fs,
    net::SocketAddr,
    os::unix::{fs::chown, process::CommandExt as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::OnceLock,
    thread,
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// How long a server may take to start or to end. It is far above what either takes.
const PATIENCE: Duration = Duration::from_mins(3);
/// Between two looks at something that has not happened yet.
const LOOK: Duration = Duration::from_millis(10);

/// A running server. Dropping it kills it and removes its data.
#[derive(Debug)]
pub struct Postgres {
    directory: TempDir,
    child: Option<Child>,
    /// Where it listens.
    pub address: SocketAddr,
}

/// An empty cluster, made once for a test binary and copied for each server.
static EMPTY: OnceLock<TempDir> = OnceLock::new();

impl Postgres {
    /// Starts a server that syncs what it commits, with a database `rialto` owned by the user `rialto`.
    ///
    /// # Panics
    /// When PostgreSQL is not installed, or does not start; its log is printed.
    pub fn start() -> Self {
        let directory = private_directory();
        let empty = EMPTY.get_or_init(initialised);
        let copied = as_its_user(Path::new("cp"))
            .arg("-r")
            .arg(empty.path().join("data"))
            .arg(directory.path())
            .status();
        assert!(copied.expect("cp").success(), "the empty cluster can be copied");
        let mut server = Self { directory, child: None, address: free_address() };
        server.start_again();
        server.psql("postgres", "CREATE DATABASE rialto");
        server
    }

    /// `postgres://…` of the database `rialto`.
    pub fn url(&self) -> String {
        format!("postgres://rialto@{}/rialto?sslmode=disable", self.address)
    }

    /// Starts it again on its data and its port.
    ///
    /// # Panics
    /// When it runs, or does not start; its log is printed.
    pub fn start_again(&mut self) {
        assert!(self.child.is_none(), "it was stopped or killed before");
        assert!(self.try_start(), "PostgreSQL does not start:\n{}", self.log());
    }

    /// Kills every process of it at once, as a power cut of the server would.
    ///
    /// # Panics
    /// When it does not run.
    pub fn kill(&mut self) {
        self.stop_first();
        let others = self.processes().split_off(1);
        for process in &others {
            // One that ended meanwhile needs no killing.
            let _ = kill_process(*process, Signal::KILL);
        }
        // Whoever starts it again finds the memory that they shared let go.
        until("its processes are gone", || {
            others.iter().all(|process| stat(*process).is_none_or(|(state, _)| state == 'Z'))
        });
        let mut child = self.child.take().expect("it runs");
        child.kill().expect("a child can be killed");
        child.wait().expect("a killed process ends");
    }

    /// Ends it in order.
    ///
    /// # Panics
    /// When it does not run.
    pub fn stop(&mut self) {
        let mut child = self.child.take().expect("it runs");
        kill_process(Pid::from_child(&child), Signal::INT).expect("a child can be signalled");
        child.wait().expect("a child can be waited for");
    }

    /// What a statement gives in the database `rialto`: a line a row, columns parted by `|`.
    ///
    /// # Panics
    /// When the server refuses it.
    pub fn query(&self, statement: &str) -> Vec<String> {
        self.psql("rialto", statement).lines().map(str::to_owned).collect()
    }

    /// Stops every process of it where it stands.
    pub fn freeze(&self) {
        self.stop_first();
        self.signal_all(Signal::STOP);
    }

    /// Lets what was frozen go on.
    pub fn thaw(&self) {
        self.signal_all(Signal::CONT);
    }

    /// Runs a statement with `psql` and returns what it prints, unadorned.
    ///
    /// # Panics
    /// When it fails.
    pub fn psql(&self, database: &str, statement: &str) -> String {
        let output = Command::new(program("psql"))
            .args(["-h", &self.address.ip().to_string(), "-p", &self.address.port().to_string()])
            .args(["-U", "rialto", "-d", database, "-v", "ON_ERROR_STOP=1", "-qAtc", statement])
            .env_remove("PGOPTIONS")
            .output()
            .expect("psql can be started");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{statement}: {said}");
        String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
    }

    /// Its data directory's bytes on disk.
    pub fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    fn try_start(&mut self) -> bool {
        let log = fs::OpenOptions::new().create(true).append(true).open(self.log_path()).expect("a log");
        let child = as_its_user(&program("postgres"))
            .arg("-D")
            .arg(self.data())
            .args(["-p", &self.address.port().to_string()])
            .args(["-c", "listen_addresses=127.0.0.1", "-c", "fsync=on", "-c", "full_page_writes=on"])
            .args(["-c", "max_wal_size=4GB"])
            .arg("-c")
            .arg(format!("unix_socket_directories={}", self.directory.path().display()))
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a log"))
            .stderr(log)
            .spawn()
            .expect("postgres can be started");
        self.child = Some(child);
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            let child = self.child.as_mut().expect("it was just started");
            if child.try_wait().expect("a child can be asked").is_some() {
                self.child = None;
                return false;
            }
            if self.answers() {
                return true;
            }
            thread::sleep(LOOK);
        }
        self.kill();
        false
    }

    fn answers(&self) -> bool {
        let asked = Command::new(program("pg_isready"))
            .args(["-q", "-h", &self.address.ip().to_string(), "-p", &self.address.port().to_string()])
            .status();
        asked.is_ok_and(|status| status.success())
    }

    /// Stops the first of its processes, so that it makes no more of them.
    fn stop_first(&self) {
        let first = Pid::from_child(self.child.as_ref().expect("it runs"));
        // One that has ended stands still as well.
        let _ = kill_process(first, Signal::STOP);
        until("it stands still", || stat(first).is_none_or(|(state, _)| matches!(state, 'T' | 'Z')));
    }

    fn signal_all(&self, signal: Signal) {
        for process in self.processes() {
            // One that ended meanwhile needs no signal.
            let _ = kill_process(process, signal);
        }
    }

    /// The server's first process and its children, each in a session of its own.
    fn processes(&self) -> Vec<Pid> {
        let parent = Pid::from_child(self.child.as_ref().expect("it runs"));
        let listed = fs::read_dir("/proc").expect("/proc is there").flatten();
        let children = listed.filter_map(|entry| {
            let process = Pid::from_raw(entry.file_name().to_str()?.parse().ok()?)?;
            stat(process).is_some_and(|(_, of)| of == parent.as_raw_nonzero().get()).then_some(process)
        });
        [parent].into_iter().chain(children).collect()
    }

    fn log_path(&self) -> PathBuf {
        self.directory.path().join("log")
    }

    /// What it has said since it was made.
    pub fn log(&self) -> String {
        fs::read_to_string(self.log_path()).unwrap_or_default()
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if self.child.is_some() {
            self.kill();
        }
    }
}

/// A process' state (`T` stopped, `Z` ended), and its parent; nothing of one that is not there.
fn stat(process: Pid) -> Option<(char, i32)> {
    let stat = fs::read_to_string(format!("/proc/{}/stat", process.as_raw_nonzero())).ok()?;
    // The name in brackets may hold anything; state and parent follow it.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    Some((fields.next()?.chars().next()?, fields.next()?.parse().ok()?))
}

fn until(what: &str, is_so: impl Fn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < deadline, "not in time: {what}");
        thread::sleep(LOOK);
    }
}

fn initialised() -> TempDir {
    let directory = private_directory();
    let output = as_its_user(&program("initdb"))
        .arg("-D")
        .arg(directory.path().join("data"))
        .args(["-U", "rialto", "--auth=trust", "--no-sync", "-E", "UTF8", "--locale=C"])
        .output()
        .expect("initdb can be started");
    assert!(output.status.success(), "initdb: {}", String::from_utf8_lossy(&output.stderr));
    directory
}

/// A directory that the server's user may use.
fn private_directory() -> TempDir {
    let directory = TempDir::new().expect("a temporary directory");
    if let Some((user, group)) = its_user() {
        chown(directory.path(), Some(user), Some(group)).expect("root may give a directory away");
    }
    directory
}

/// PostgreSQL refuses to run as root: then it runs as Debian's user for it.
fn its_user() -> Option<(u32, u32)> {
    if !rustix::process::geteuid().is_root() {
        return None;
    }
    let users = fs::read_to_string("/etc/passwd").expect("/etc/passwd is there");
    let line = users.lines().find(|line| line.starts_with("postgres:"));
    let line = line.expect("as root, PostgreSQL runs as the user postgres, which is not there");
    let ids: Vec<u32> = line.split(':').skip(2).take(2).filter_map(|id| id.parse().ok()).collect();
    Some((ids[0], ids[1]))
}

fn as_its_user(program: &Path) -> Command {
    let mut command = Command::new(program);
    if let Some((user, group)) = its_user() {
        // The caller's directory may not be open to that user.
        command.uid(user).gid(group).current_dir("/");
    }
    command
}

fn program(name: &str) -> PathBuf {
    let named = env::var_os("RIALTO_POSTGRES").map(PathBuf::from);
    let directory = named.or_else(|| {
        let mut versions: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
            .ok()?
            .flatten()
            .map(|entry| entry.path().join("bin"))
            .collect();
        versions.sort();
        versions.pop()
    });
    let path = directory.unwrap_or_else(|| PathBuf::from("/usr/bin")).join(name);
    assert!(path.is_file(), "{} is not there; install PostgreSQL, or name RIALTO_POSTGRES", path.display());
    path
}
