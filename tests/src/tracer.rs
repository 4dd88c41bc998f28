//! `strace` on a running server: sees its system calls, delays them, fails them, or kills at them. Refuses
//! to know what they are for.

use crate::server::Server;
use rustix::process::{Pid, Signal, kill_process};
use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, ChildStderr, Command, Stdio},
};

/// A traced server.
#[derive(Debug)]
pub struct Tracer {
    strace: Child,
    trace: PathBuf,
    /// It says when it is attached to a new thread, and would end if nobody could hear it.
    _said: BufReader<ChildStderr>,
}

impl Tracer {
    /// Attaches to all threads of a server, with options as `strace` has them; the trace is written to
    /// the file `trace`.
    ///
    /// # Panics
    /// When `strace` is not there, or may not trace.
    pub fn attach(server: &Server, trace: &Path, options: &[&str]) -> Self {
        let process = server.process().as_raw_nonzero().to_string();
        Self::of(&process, trace, &[&["-f"], options].concat())
    }

    /// Attaches to the one thread whose name begins so.
    ///
    /// # Panics
    /// When there is no such thread, and as [`Self::attach`].
    pub fn attach_thread(server: &Server, name: &str, trace: &Path, options: &[&str]) -> Self {
        let tasks = fs::read_dir(format!("/proc/{}/task", server.process().as_raw_nonzero()));
        let thread = tasks
            .expect("the server has threads")
            .map(|task| task.expect("a thread").path())
            .find(|task| {
                fs::read_to_string(task.join("comm")).is_ok_and(|found| found.trim().starts_with(name))
            })
            .unwrap_or_else(|| panic!("no thread is called {name}"));
        let thread = thread.file_name().and_then(|name| name.to_str()).expect("a thread's number");
        Self::of(thread, trace, options)
    }

    fn of(process: &str, trace: &Path, options: &[&str]) -> Self {
        let mut strace = Command::new("strace")
            .arg("-y")
            .args(options)
            .arg("-o")
            .arg(trace)
            .args(["-p", process])
            .stderr(Stdio::piped())
            .spawn()
            .expect("this test needs strace: tests/setup.sh says how to get it");
        let said = strace.stderr.take().expect("its standard error is piped");
        let mut line = String::new();
        let mut said = BufReader::new(said);
        said.read_line(&mut line).expect("strace says when it is there");
        assert!(line.contains("attached"), "strace may not trace the server: {line}");
        Self { strace, trace: trace.to_owned(), _said: said }
    }

    /// Lets go, and gives the lines of the trace.
    ///
    /// # Panics
    /// When the trace cannot be read.
    pub fn detach(self) -> Vec<String> {
        kill_process(Pid::from_child(&self.strace), Signal::INT).expect("a child can be signalled");
        self.ended()
    }

    /// The lines of the trace, once the server has ended.
    ///
    /// # Panics
    /// When the trace cannot be read.
    pub fn ended(mut self) -> Vec<String> {
        self.strace.wait().expect("a child can be waited for");
        let trace = fs::read_to_string(&self.trace).expect("the trace can be read");
        trace.lines().map(str::to_owned).collect()
    }
}
