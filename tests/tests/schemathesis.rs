//! schemathesis against the served OpenAPI document: what it makes up from the document's own schemas, and
//! what it makes up against them, is answered as documented, and never with a fault. Signed calls are
//! signed by `tests/openapi/hooks.py`.

use std::process::Command;
use tests::{program::workspace, server::Server};

/// What is checked of every answer.
const CHECKS: &str =
    "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance";

#[test]
fn what_the_document_promises_is_kept() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let server = Server::start(&directory.path().join("data"));
    let binary = workspace().join("target/openapi-venv/bin/schemathesis");
    assert!(binary.is_file(), "{} is not there; run tests/setup.sh first", binary.display());
    let output = Command::new(binary)
        .current_dir(directory.path())
        .arg("run")
        .arg(format!("http://{}/api/openapi.json", server.listen))
        .args(["--checks", CHECKS, "--phases", "examples,coverage,fuzzing", "--max-examples", "20"])
        .args(["--seed", "1", "--no-color", "--suppress-health-check", "all"])
        .env("SCHEMATHESIS_HOOKS", workspace().join("tests/openapi/hooks.py"))
        .env("RIALTO_KEYS", server.keys_file())
        .output()
        .expect("schemathesis can be started");
    let text = String::from_utf8_lossy(&output.stdout);
    println!("{text}");
    assert!(
        output.status.success(),
        "{}\n{text}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
}
