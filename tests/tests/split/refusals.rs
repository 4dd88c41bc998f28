//! What cannot be is refused at the start, in words that say what to do.

use std::fs;
use tests::split::{Process, Split};

/// Starts a process with another line in its configuration, and returns why it did not go on.
fn refused(process: &mut Process, configuration: &std::path::Path, from: &str, to: &str) -> String {
    let sample = fs::read_to_string(configuration).expect("a configuration");
    assert!(sample.contains(from), "{from} is not in {sample}");
    fs::write(configuration, sample.replace(from, to)).expect("it can be written");
    process.begin();
    let said = process.refused();
    fs::write(configuration, sample).expect("it can be written");
    said
}

#[test]
fn what_does_not_go_together_is_refused_with_what_to_do() {
    let mut split = Split::prepare(1, None);
    let (engine, gateway) = (split.directory().join("engine.toml"), split.directory().join("gateway-0.toml"));
    let database = format!("database = {:?}", split.postgres.url());
    let said = refused(&mut split.engine, &engine, &database, "database = \"sqlite\"");
    assert!(said.contains("a SQLite file is not for") && said.contains("rialto serve"), "{said}");
    split.engine.start();
    let said = refused(&mut split.gateways[0].0, &gateway, &database, "database = \"sqlite\"");
    assert!(said.contains("a SQLite file is not for"), "{said}");
    let other = split.directory().join("other-secret");
    fs::write(&other, "x".repeat(64)).expect("it can be written");
    let said = refused(&mut split.gateways[0].0, &gateway, "etc/engine-secret", "other-secret");
    assert!(said.contains("does not know the secret"), "{said}");
    let said = refused(&mut split.gateways[0].0, &gateway, "etc/master.key", "etc/nowhere.key");
    assert!(said.contains("the master key is not there"), "{said}");
    let said = refused(&mut split.gateways[0].0, &gateway, "etc/master.key", "other-secret");
    assert!(said.contains("master key"), "{said}");
    split.gateways[0].0.start();
}
