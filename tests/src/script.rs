//! Scripts of other people's clients, against a server. Refuses to know what they ask, and to install
//! the clients; `tests/clients/install.sh` does.

use crate::{program::workspace, server::Server};
use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
};
use tempfile::TempDir;

/// The line by which a script has the server killed and started again.
const RESTART: &str = "@restart";
/// What it is told then.
const RESTARTED: &str = "restarted\n";

/// One script of one client.
#[derive(Clone, Copy, Debug)]
pub struct Script {
    /// Its path in `tests/clients/`.
    pub file: &'static str,
    /// The directory in `target/clients/` that the client is installed in.
    pub client: &'static str,
    /// The server's settings, if they are not those of [`Server::start`].
    pub settings: Option<&'static str>,
}

impl Script {
    /// Why its client could not be had on this machine, if so.
    ///
    /// # Panics
    /// When nobody has tried to install it.
    pub fn missing(&self) -> Option<String> {
        let installed = installed(self.client);
        if let Ok(reason) = fs::read_to_string(installed.with_extension("missing")) {
            return Some(reason.trim().to_owned());
        }
        assert!(installed.is_dir(), "{} is not there; run tests/setup.sh first", installed.display());
        None
    }

    /// Runs it to its end against a server of its own; gives its lines, `client | method | outcome`.
    ///
    /// # Errors
    /// What it said, when it said no.
    ///
    /// # Panics
    /// When it cannot be started, or the server does not come.
    pub fn run(&self) -> Result<Vec<String>, String> {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let data = directory.path().join("data");
        let mut server = match self.settings {
            Some(settings) => Server::start_with(&data, settings),
            None => Server::start(&data),
        };
        let mut child = self
            .command(&server, &directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the client's interpreter can be started");
        let mut said = child.stderr.take().expect("its standard error is piped");
        let errors = thread::spawn(move || {
            let mut text = Vec::new();
            // What cannot be read any more is not told.
            let _ = said.read_to_end(&mut text);
            String::from_utf8_lossy(&text).into_owned()
        });
        let mut answers = child.stdin.take().expect("its standard input is piped");
        let mut lines = Vec::new();
        for line in BufReader::new(child.stdout.take().expect("its standard output is piped")).lines() {
            let line = line.expect("a script prints text");
            if line == RESTART {
                server = server.restart();
                // A script that has ended meanwhile has failed, and says so below.
                let _ = answers.write_all(RESTARTED.as_bytes());
            } else {
                lines.push(line);
            }
        }
        let status = child.wait().expect("a child can be waited for");
        let errors = errors.join().expect("reading does not panic");
        if status.success() {
            return Ok(lines);
        }
        let lines = lines.join("\n");
        Err(format!("{}: {status}\n{lines}\n{errors}\nwhat the server said:\n{}", self.file, server.log()))
    }

    fn command(&self, server: &Server, directory: &TempDir) -> Command {
        let installed = installed(self.client);
        let mut command = if Path::new(self.file).extension().is_some_and(|extension| extension == "py") {
            let mut python = Command::new(installed.join("bin/python"));
            // Unbuffered, and no caches beside the sources.
            python.args(["-u", "-B"]);
            python
        } else {
            Command::new("node")
        };
        command
            .arg(workspace().join("tests/clients").join(self.file))
            .args([&server.listen.to_string(), path(&server.keys_file()), &server.admin.to_string()])
            // Where npm has put the packages; and where clients may leave their own files.
            .env("RIALTO_CLIENTS", &installed)
            .current_dir(directory.path());
        command
    }
}

fn installed(client: &str) -> PathBuf {
    workspace().join("target/clients").join(client)
}

fn path(path: &Path) -> &str {
    path.to_str().expect("a temporary path is text")
}
