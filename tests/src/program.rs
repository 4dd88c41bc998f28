//! The program under test: where it is, and its commands that end by themselves. Refuses to build it;
//! `tests/setup.sh` does.

use serde_json::Value;
use std::{
    env,
    ffi::OsStr,
    path::{Path, PathBuf},
    process::{Command, Output},
};

/// The `rialto` of this build: `RIALTO_BIN`, or the release build beside the tests' own.
///
/// # Panics
/// When there is none.
pub fn rialto() -> PathBuf {
    if let Some(named) = env::var_os("RIALTO_BIN") {
        let named = PathBuf::from(named);
        assert!(named.is_file(), "RIALTO_BIN is {}, which is no file", named.display());
        return named;
    }
    // target/release/deps/test -> target/release/rialto, wherever the target directory is.
    let test = env::current_exe().expect("a test knows its own path");
    let target = test.ancestors().nth(3).expect("a test is built into target/<profile>/deps");
    let built = target.join("release/rialto");
    assert!(built.is_file(), "{} is not built; run tests/setup.sh first", built.display());
    built
}

/// The workspace's root.
pub fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the tests are a room of the workspace")
}

/// Runs a command of `rialto` to its end, with nothing of this environment's settings.
pub fn run<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Output {
    command(&rialto()).args(arguments).output().expect("rialto can be started")
}

/// Runs a command that must succeed and print one JSON value.
pub fn run_json<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Value {
    let output = run(arguments);
    let (text, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{}\n{text}\n{errors}", output.status);
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error} in {text:?}; it also said {errors}"))
}

/// `program`, without the settings of Rialto that this environment may have.
pub(crate) fn command(program: &Path) -> Command {
    let mut command = Command::new(program);
    for (name, _) in env::vars_os() {
        if name.to_str().is_some_and(|name| name.starts_with("RIALTO_")) {
            command.env_remove(name);
        }
    }
    command
}
