//! The public schemas compile, the Rust types are those of the schemas, and a schema only grows.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::{
    env, fs,
    path::{Path, PathBuf},
};

const TOPICS: [&str; 7] = ["events", "order", "trade", "asset", "finance", "risk", "notification"];

fn room() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn the_rust_types_are_those_of_the_schemas() {
    let schemas = room().join("proto/rialto");
    let files: Vec<PathBuf> = TOPICS.iter().map(|topic| schemas.join(format!("{topic}.proto"))).collect();
    let descriptors = protox::compile(&files, [&schemas]).unwrap_or_else(|error| panic!("{error:?}"));
    let made = tempfile::tempdir().unwrap();
    prost_build::Config::new().out_dir(made.path()).compile_fds(descriptors).unwrap();
    for topic in TOPICS {
        let name = format!("rialto.{topic}.v1.rs");
        let text = fs::read_to_string(made.path().join(&name)).unwrap();
        let kept = room().join("src/public/v1").join(&name);
        if env::var_os("RIALTO_WRITE_SCHEMAS").is_some() {
            fs::write(&kept, &text).unwrap();
        }
        let kept_text = fs::read_to_string(&kept).unwrap_or_default();
        assert!(
            kept_text == text,
            "{} is not what the schema says; write it anew with RIALTO_WRITE_SCHEMAS=1",
            kept.display()
        );
    }
}
