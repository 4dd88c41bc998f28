//! A Kafka broker of a test's own: the real one, on ports of its own, in a directory of its own, that can
//! be stopped, killed, frozen and started again. Refuses to know what is published.

use rustix::process::{Pid, Signal, kill_process};
use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};
use tempfile::TempDir;

use crate::{ports::free_addresses, program::workspace};

/// How long a broker may take to start or to end. It is far above what either takes.
const PATIENCE: Duration = Duration::from_mins(3);
/// Between two looks at something that has not happened yet.
const LOOK: Duration = Duration::from_millis(20);
/// What the broker says when it serves.
const SERVES: &str = "Kafka Server started";
/// Java's own start is most of a broker's; it need not be quick later.
const JAVA: [&str; 4] = ["-Xms128m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"];

/// How clients reach a broker.
#[derive(Clone, Debug, Default)]
pub struct Access {
    /// A private key and its certificates, in PEM, one after the other; without one there is no TLS.
    pub certificate: Option<String>,
    /// A user and a password of SCRAM-SHA-512; without one everybody is let in.
    pub user: Option<(String, String)>,
}

impl Access {
    fn protocol(&self) -> &'static str {
        match (self.certificate.is_some(), self.user.is_some()) {
            (false, false) => "PLAINTEXT",
            (true, false) => "SSL",
            (false, true) => "SASL_PLAINTEXT",
            (true, true) => "SASL_SSL",
        }
    }
}

/// A broker that serves, or one that was stopped and can be started again. Dropping it kills it.
#[derive(Debug)]
pub struct Broker {
    directory: TempDir,
    port: u16,
    process: Option<Child>,
}

impl Broker {
    /// Starts a broker that lets everybody in.
    ///
    /// # Panics
    /// When it does not serve; its log is printed.
    pub fn start() -> Self {
        Self::start_with(&Access::default())
    }

    /// Starts a broker that is reached as `access` says.
    ///
    /// # Panics
    /// When it does not serve; its log is printed.
    pub fn start_with(access: &Access) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let ports = free_addresses().map(|address| address.port());
        configure(directory.path(), ports, access);
        let mut broker = Self { directory, port: ports[0], process: None };
        broker.start_again();
        broker
    }

    /// Where clients go.
    pub fn servers(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Starts it again after it was stopped or killed, with what it had.
    ///
    /// # Panics
    /// When it does not serve; its log is printed.
    pub fn start_again(&mut self) {
        assert!(self.process.is_none(), "the broker runs");
        assert!(self.attempt(), "the broker ended:\n{}", self.log());
    }

    /// Ends it in order.
    ///
    /// # Panics
    /// When it does not end.
    pub fn stop(&mut self) {
        self.signal(Signal::TERM);
        let start = Instant::now();
        let mut process = self.process.take().expect("the broker runs");
        while process.try_wait().expect("a child can be waited for").is_none() {
            assert!(start.elapsed() < PATIENCE, "still there after {PATIENCE:?}:\n{}", self.log());
            thread::sleep(LOOK);
        }
    }

    /// Kills it as nobody can refuse.
    ///
    /// # Panics
    /// When it does not run.
    pub fn kill(&mut self) {
        let mut process = self.process.take().expect("the broker runs");
        process.kill().expect("a child can be killed");
        process.wait().expect("a child can be waited for");
    }

    /// Freezes it: connections stay, and nothing is answered.
    ///
    /// # Panics
    /// When it does not run.
    pub fn freeze(&self) {
        self.signal(Signal::STOP);
    }

    /// Lets it go on.
    ///
    /// # Panics
    /// When it does not run.
    pub fn thaw(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        let process = self.process.as_ref().expect("the broker runs");
        kill_process(Pid::from_child(process), signal).expect("a child can be signalled");
    }

    /// What it has said since its last start.
    pub fn log(&self) -> String {
        let log = File::open(self.directory.path().join("kafka.log")).and_then(io::read_to_string);
        log.unwrap_or_else(|error| format!("(its log cannot be read: {error})"))
    }

    /// Whether it serves now; not when it ended.
    fn attempt(&mut self) -> bool {
        let path = self.directory.path();
        let log = File::create(path.join("kafka.log")).expect("the log can be written");
        let errors = log.try_clone().expect("a file can be shared");
        let mut process = java()
            .arg("kafka.Kafka")
            .arg(path.join("server.properties"))
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(errors)
            .spawn()
            .expect("java can be started");
        let start = Instant::now();
        while !self.log().contains(SERVES) {
            if process.try_wait().expect("a child can be waited for").is_some() {
                return false;
            }
            if start.elapsed() > PATIENCE {
                let _ = process.kill();
                panic!("the broker does not serve after {PATIENCE:?}:\n{}", self.log());
            }
            thread::sleep(LOOK);
        }
        self.process = Some(process);
        true
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        if let Some(process) = &mut self.process {
            // It may have ended already; there is nobody to tell.
            let _ = process.kill();
            let _ = process.wait();
        }
        if thread::panicking() {
            let log = self.log();
            let tail = log.len().saturating_sub(4_000);
            eprintln!("what the broker said:\n{}", log.get(tail..).unwrap_or(&log));
        }
    }
}

/// Java with the broker's classes.
fn java() -> Command {
    let mut command = Command::new("java");
    let log = workspace().join("tests/kafka/log4j2.yaml");
    command.args(JAVA).arg(format!("-Dlog4j2.configurationFile={}", log.display()));
    command.arg("-cp").arg(libraries().join("*"));
    command
}

/// Writes the configuration and formats the storage. The ports are those of clients, of the broker to
/// itself, and of the controller.
fn configure(directory: &Path, [clients, internal, controller]: [u16; 3], access: &Access) {
    let data = directory.join("data");
    let mut properties = format!(
        "process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=CLIENTS://127.0.0.1:{clients},INTERNAL://127.0.0.1:{internal},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=CLIENTS://127.0.0.1:{clients},INTERNAL://127.0.0.1:{internal}
controller.listener.names=CONTROLLER
inter.broker.listener.name=INTERNAL
listener.security.protocol.map=CLIENTS:{},INTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={}
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
group.initial.rebalance.delay.ms=0
",
        access.protocol(),
        data.display()
    );
    if let Some(certificate) = &access.certificate {
        let path = directory.join("broker.pem");
        fs::write(&path, certificate).expect("the certificate can be written");
        properties += "ssl.keystore.type=PEM\nssl.keystore.location=";
        properties += path.to_str().expect("a temporary path is text");
        properties += "\n";
    }
    let configuration = directory.join("server.properties");
    let mut format = java();
    format.args(["kafka.tools.StorageTool", "format", "--cluster-id", "MkU3OEVBNTcwNTJENDM2Qg"]);
    format.arg("--config").arg(&configuration);
    if let Some((user, password)) = &access.user {
        properties += "sasl.enabled.mechanisms=SCRAM-SHA-512
listener.name.clients.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
";
        format.arg("--add-scram").arg(format!("SCRAM-SHA-512=[name={user},password={password}]"));
    }
    fs::write(&configuration, properties).expect("the configuration can be written");
    let formatted = format.output().expect("java can be started");
    let said = String::from_utf8_lossy(&formatted.stderr);
    assert!(formatted.status.success(), "{said}\n{}", String::from_utf8_lossy(&formatted.stdout));
}

/// Why no broker can be started here, if so.
pub fn missing() -> Option<String> {
    let java = Command::new("java").arg("-version").stdin(Stdio::null()).output();
    if java.is_err() {
        return Some(
            "there is no java; on Debian and Ubuntu: apt-get install default-jre-headless".to_owned(),
        );
    }
    let libraries = libraries();
    (!libraries.is_dir()).then(|| format!("{} is not there; run tests/setup.sh first", libraries.display()))
}

/// Where the broker's classes are.
fn libraries() -> PathBuf {
    workspace().join("target/kafka-libs")
}
