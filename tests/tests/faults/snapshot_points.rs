//! Kills at every step of making a snapshot: whatever it leaves, the next start goes on from a whole one,
//! or from none, and no snapshot is there that is not whole.

use crate::{clients, from_environment, kill::Seen, verify};
use serde_json::Value;
use std::{
    os::unix::process::ExitStatusExt as _,
    path::{Path, PathBuf},
    sync::atomic::Ordering,
};
use tests::{
    audit::{self, Found},
    load::{Load, Random},
    program,
    server::{AMPLE_LIMITS, Server},
    tracer::Tracer,
};
use ureq::http::Method;

/// So many answers before each snapshot.
const ANSWERS: u64 = 50;

/// Which file a step is on.
enum On {
    /// The one that is being written.
    New,
    /// The directory.
    Directory,
    /// The one before.
    Old,
}

/// What is done, and what is not; the call that kills, and the so manieth of them.
const STEPS: &[(&str, On, &str, u64)] = &[
    ("before a first snapshot's file has room", On::New, "fallocate", 1),
    ("before its state is written", On::New, "pwritev", 1),
    ("after its state, before the sync", On::New, "fdatasync", 1),
    ("before its header is written", On::New, "pwritev", 2),
    ("after its header, before the sync", On::New, "fdatasync", 2),
    ("after its sync, before its name", On::New, "rename", 1),
    ("after its name, before the directory's sync", On::Directory, "fsync", 1),
    ("before the old one leaves", On::Old, "unlink", 1),
];

pub fn at_every_step() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let data = directory.path().join("data");
    let load = Load::new(&directory.path().join("acknowledged")).expect("the log can be made");
    let mut random = Random::new(from_environment("RIALTO_KILL_SEED", u64::from(std::process::id())));
    // One snapshot stays, so that each takes another's place.
    let mut server = Server::start_with(&data, &format!("snapshots_kept = 1\n{AMPLE_LIMITS}"));
    let mut seen = Seen::default();
    let mut found = Found::default();
    for (number, (when, on, call, nth)) in STEPS.iter().enumerate() {
        let before = load.answers.load(Ordering::Relaxed);
        load.trade(&clients(&server), &format!("s{number}"), &mut random, || {
            load.wait_for(before + ANSWERS);
            load.end();
        });
        // Nobody trades now: the snapshot's name is known before it is made.
        let (_, ready) = server.readiness();
        let path = on.path(&data, ready["sequence"].as_u64().expect("a sequence"));
        let path = path.to_str().expect("a temporary path is text");
        let (trace, inject) = (format!("trace={call}"), format!("inject={call}:signal=KILL:when={nth}"));
        let options = ["-P", path, "-e", &trace, "-e", &inject];
        let tracer = Tracer::attach(&server, &directory.path().join("trace"), &options);
        let answer = server.operator().ask(&Method::POST, "/admin/snapshots", &Value::Null);
        assert!(answer.is_none(), "{when}: killed within, and answered {answer:?}");
        let status = server.ended();
        assert_eq!(status.signal(), Some(9), "{when}: {status}");
        drop(tracer.ended());
        server = Server::start(&data);
        seen.opened(server.opened_in);
        found = audit::audit(&clients(&server), &load.log());
        let listed = program::run_json(["snapshot", "list", text(&data), "--json"]);
        let listed = listed.as_array().expect("a list");
        assert!(listed.iter().all(|snapshot| snapshot["whole"] == true), "{when}: {listed:?}");
        verify(&data);
        println!(
            "snapshots: killed {when}: {} whole snapshots; open again in {} ms; {found}",
            listed.len(),
            server.opened_in.as_millis()
        );
    }
    let answer = server.operator().ask(&Method::POST, "/admin/snapshots", &Value::Null);
    let (status, made) = answer.expect("administration answers");
    assert_eq!(status, 200, "{made}");
    seen.add(found);
    let (status, _) = server.terminate();
    assert!(status.success(), "{status}");
    verify(&data);
    println!("snapshots: {} kills, then one is made ({made}): {}", STEPS.len(), seen.summary());
}

impl On {
    /// The file's path when the snapshot of `sequence` is made.
    fn path(&self, data: &Path, sequence: u64) -> PathBuf {
        let snapshots = data.join("snapshots");
        match self {
            Self::New => snapshots.join(format!("snapshot-{sequence:020}.bin.tmp")),
            Self::Directory => snapshots,
            Self::Old => {
                let listed = program::run_json(["snapshot", "list", text(data), "--json"]);
                let old = listed[0]["sequence"].as_u64().expect("a snapshot that was made before");
                snapshots.join(format!("snapshot-{old:020}.bin"))
            }
        }
    }
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a temporary path is text")
}
