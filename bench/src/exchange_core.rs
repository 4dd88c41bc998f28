//! exchange-core (Java, from Maven Central) as a contender: a process for each stream, which runs a round whenever it
//! is asked to. What it does in a round is in `peers/exchange-core`.
//!
//! It refuses to know what exchange-core does inside; that is the Java side's.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context, bail};

use crate::contest::{Contender, RoundResult, Stream};

/// Packages of the Java runtime that exchange-core's libraries reach into.
const OPENED_PACKAGES: [&str; 4] =
    ["java.base/java.lang", "java.base/java.nio", "java.base/sun.nio.ch", "java.base/jdk.internal.misc"];

/// What runs fastest on one processor: a collector without threads, and room enough that it seldom runs.
const MACHINE_OPTIONS: [&str; 5] =
    ["-XX:+UseSerialGC", "-Xms2g", "-Xmx2g", "-Xmn1200m", "-XX:+AlwaysPreTouch"];

/// The peer, built; it has a process while a stream is run.
pub struct ExchangeCore {
    project: PathBuf,
    process: Option<Process>,
}

struct Process {
    stream: PathBuf,
    child: Child,
    requests: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl ExchangeCore {
    /// Builds the Maven project in this directory, from what is on disk if that is enough, else with downloads.
    ///
    /// # Errors
    /// When Maven is missing or the build fails.
    pub fn build(project: &Path) -> anyhow::Result<Self> {
        let package = |offline: &[&str]| {
            let mut maven = Command::new("mvn");
            maven.args(["-q", "-B"]).args(offline).arg("package").current_dir(project);
            // Only the benchmark's own output belongs on standard output.
            maven.output().context("starting `mvn`: install Maven and a Java 17 development kit")
        };
        if !package(&["-o"])?.status.success() {
            let online = package(&[])?;
            if !online.status.success() {
                bail!(
                    "building exchange-core in {} failed: {}{}",
                    project.display(),
                    String::from_utf8_lossy(&online.stdout),
                    String::from_utf8_lossy(&online.stderr)
                );
            }
        }
        Ok(Self { project: project.to_owned(), process: None })
    }

    fn start(&self, stream: &Path) -> anyhow::Result<Process> {
        let built = self.project.join("target");
        let class_path = format!("{}:{}", built.join("classes").display(), built.join("lib/*").display());
        let opened = OPENED_PACKAGES.iter().flat_map(|package| {
            let all = format!("{package}=ALL-UNNAMED");
            ["--add-opens".to_owned(), all]
        });
        let mut child = Command::new("java")
            .args(MACHINE_OPTIONS)
            .args(opened)
            .args(["-cp", &class_path, "rialto.bench.peer.Main"])
            .arg(stream)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("starting `java`: install a Java 17 runtime")?;
        let requests = child.stdin.take().context("the peer has no standard input")?;
        let answers = BufReader::new(child.stdout.take().context("the peer has no standard output")?);
        Ok(Process { stream: stream.to_owned(), child, requests, answers })
    }
}

impl Contender for ExchangeCore {
    fn name(&self) -> &'static str {
        "exchange-core"
    }

    fn round(&mut self, stream: &Stream) -> anyhow::Result<RoundResult> {
        // The process of another stream ends here, before the next one takes its memory.
        let running = self.process.take().filter(|process| process.stream == stream.path);
        let process = match running {
            Some(process) => process,
            None => self.start(&stream.path)?,
        };
        self.process.insert(process).round()
    }
}

impl Process {
    fn round(&mut self) -> anyhow::Result<RoundResult> {
        self.requests.write_all(b"round\n").context("the peer has ended")?;
        let mut answer = String::new();
        self.answers.read_line(&mut answer)?;
        if answer.is_empty() {
            bail!("the peer ended without an answer: its reason is on standard error");
        }
        serde_json::from_str(&answer).with_context(|| format!("the peer answered {answer:?}"))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // A process that has ended already cannot be killed; that is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
