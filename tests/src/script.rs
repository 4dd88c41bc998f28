//! Scripts of other people's clients, against a server. Refuses to know what they ask.

use crate::{program::workspace, server::Server};
use std::process::Command;

/// Runs `tests/clients/<name>` against the server, to its end.
///
/// # Panics
/// When the clients are not installed, or the script says no.
pub fn run(name: &str, server: &Server) {
    let python = workspace().join("target/test-venv/bin/python");
    assert!(python.is_file(), "{} is not there; run tests/setup.sh first", python.display());
    let script = workspace().join("tests/clients").join(name);
    let output = Command::new(python)
        // Unbuffered, and no caches beside the sources.
        .args(["-u", "-B"])
        .arg(script)
        .arg(server.listen.to_string())
        .arg(server.keys_file())
        .output()
        .expect("python can be started");
    println!("{}", String::from_utf8_lossy(&output.stdout));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name}: {}\n{errors}", output.status);
}
