//! Kills at chosen steps of input and output, under load by real clients: before the write of a group,
//! between write and sync, between sync and event log, between event log and answer, and at every step of
//! beginning a new segment. `strace` kills the process as it enters the call, so that the step before it is
//! done and this one is not.
//!
//! `RIALTO_POINT_ROUNDS` says how often each (default 1).

use crate::{clients, from_environment, kill::Seen, small_segments, verify};
use std::{os::unix::process::ExitStatusExt as _, sync::atomic::Ordering};
use tests::{
    audit,
    load::{Load, Random},
    server::Server,
    tracer::Tracer,
};

/// A step that a thread is killed at.
struct Point {
    /// What is done, and what is not.
    when: &'static str,
    /// What its name begins with.
    thread: &'static str,
    call: &'static str,
    /// What the file's path has in it.
    file: &'static str,
    /// Killed at the so manieth of these calls, at least and at most.
    nth: (u64, u64),
}

const SEQUENCER: &str = "rialto-sequence";
const EGRESS: &str = "rialto-egress";
/// Whichever of them is first: answers are written by several, and some of their name write none.
const DOORS: &str = "tokio-rt-worker";

const POINTS: &[Point] = &[
    Point {
        when: "before a group is written",
        thread: SEQUENCER,
        call: "pwritev",
        file: "/journal/segment-",
        nth: (5, 60),
    },
    Point {
        when: "after a group's write, before its sync",
        thread: SEQUENCER,
        call: "fdatasync",
        file: "/journal/segment-",
        nth: (5, 60),
    },
    Point {
        when: "before the next segment is made",
        thread: SEQUENCER,
        call: "openat",
        file: "/journal",
        nth: (1, 1),
    },
    Point {
        when: "after the next segment is made, before its room",
        thread: SEQUENCER,
        call: "fallocate",
        file: "/journal",
        nth: (1, 1),
    },
    Point {
        when: "after the next segment's header is synced, before its name",
        thread: SEQUENCER,
        call: "rename",
        file: "/journal",
        nth: (1, 1),
    },
    Point {
        when: "after the next segment's name, before its directory is synced",
        thread: SEQUENCER,
        call: "fsync",
        file: "/journal",
        nth: (1, 1),
    },
    Point {
        when: "after a group's sync, before its events are written",
        thread: EGRESS,
        call: "pwritev",
        file: "/events/segment-",
        nth: (5, 60),
    },
    Point {
        when: "after the events are written, before the answers",
        thread: EGRESS,
        call: "write",
        file: "eventfd",
        nth: (5, 60),
    },
    Point {
        when: "before the next segment of the event log is made",
        thread: EGRESS,
        call: "openat",
        file: "/events",
        nth: (1, 1),
    },
    Point {
        when: "after some answers, before others",
        thread: DOORS,
        call: "writev",
        file: "socket",
        nth: (5, 60),
    },
];

pub fn at_every_step() {
    let rounds = from_environment("RIALTO_POINT_ROUNDS", 1);
    let seed = from_environment("RIALTO_KILL_SEED", u64::from(std::process::id()));
    let mut random = Random::new(seed);
    let mut seen = Seen::default();
    for _ in 0..rounds {
        kill_at_each(&mut random, &mut seen);
    }
    println!("points: {} kills at {} steps: {}", rounds * POINTS.len() as u64, POINTS.len(), seen.summary());
}

fn kill_at_each(random: &mut Random, seen: &mut Seen) {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let data = directory.path().join("data");
    let trace = directory.path().join("trace");
    let load = Load::new(&directory.path().join("acknowledged")).expect("the log can be made");
    let mut server = Server::start_with(&data, &small_segments(0));
    let mut found = audit::Found::default();
    for (number, point) in POINTS.iter().enumerate() {
        let before = load.answers.load(Ordering::Relaxed);
        let nth = random.between(point.nth.0, point.nth.1);
        let call = point.call;
        let inject = format!("inject={call}:signal=KILL:when={nth}");
        let options = ["-e", &format!("trace={call}"), "-e", &inject];
        let tracer = if point.thread == DOORS {
            Tracer::attach(&server, &trace, &options)
        } else {
            Tracer::attach_thread(&server, point.thread, &trace, &options)
        };
        let status = load.trade(&clients(&server), &format!("p{number}"), random, || server.ended());
        assert_eq!(status.signal(), Some(9), "{}: {status}", point.when);
        let trace = tracer.ended();
        let begun = format!("{call}(");
        let last = trace.iter().rfind(|line| line.contains(&begun)).expect("the call that killed it");
        assert!(last.contains(point.file), "{}: killed at {last}", point.when);
        server = Server::start(&data);
        seen.opened(server.opened_in);
        found = audit::audit(&clients(&server), &load.log());
        verify(&data);
        println!(
            "points: killed {} ({} {nth} of {}), after {} answers; open again in {} ms; {found}",
            point.when,
            call,
            point.thread,
            load.answers.load(Ordering::Relaxed) - before,
            server.opened_in.as_millis(),
        );
    }
    seen.add(found);
    let (status, _) = server.terminate();
    assert!(status.success(), "{status}");
    verify(&data);
}
