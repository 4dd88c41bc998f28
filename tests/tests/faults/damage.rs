//! Files cut and bits flipped under the real program: the longest valid prefix, or a stop that names file
//! and offset and touches nothing. The journal's own tests do it at every byte and for every bit.

use crate::small_segments;
use engine_journal::{FileStorage, JournalReader};
use serde_json::Value;
use std::{
    fs::{self, OpenOptions},
    path::{Path, PathBuf},
    process::Output,
};
use tests::{
    directory::content,
    load::Random,
    order::place_limit,
    ports::free_addresses,
    program,
    server::{Server, serve},
};
use ureq::http::Method;

/// Orders, each a group of its own.
const ORDERS: usize = 30;
/// So many places are cut, and so many bits are flipped.
const CUTS: u64 = 12;
const BITS: u64 = 60;
/// Of those bits so many are shown to a start as well.
const STARTS: u64 = 6;
const SNAPSHOT_BITS: u64 = 20;

/// A directory as a killed server left it, and where each of its groups ends: bytes, and last command.
fn killed(data: &Path) -> (PathBuf, Vec<(u64, u64)>) {
    let server = Server::start_with(data, &small_segments(0));
    let client = server.client(1);
    for number in 0..ORDERS {
        let name = format!("n{number}");
        place_limit(&client, ["BUY", "0.001", "40000"], &[("newClientOrderId", &name)])
            .expect("an order in range");
    }
    server.kill();
    let mut reader = JournalReader::open(FileStorage::new(data), 0).expect("the journal can be read");
    let mut ends = Vec::new();
    while let Some(last) = reader.next_batch().expect("it is whole").map(|batch| batch.last_sequence()) {
        ends.push((reader.place().expect("a batch was read").offset, last));
    }
    let segments: Vec<PathBuf> = fs::read_dir(data.join("journal"))
        .expect("the journal's directory")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "log"))
        .collect();
    let [segment] = &segments[..] else { panic!("one segment holds so little: {segments:?}") };
    (segment.clone(), ends)
}

pub fn cut_tails() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let data = directory.path().join("data");
    let (segment, ends) = killed(&data);
    let whole = fs::read(&segment).expect("the segment can be read");
    let mut random = Random::new(7);
    let begin = ends[ends.len() - ORDERS].0;
    let end = ends.last().expect("a group").0;

    // Events that were let out stand above the end of what is left: commands are lost.
    cut(&segment, &whole, ends[ends.len() - 2].0 + 1);
    let (status, said) = refused(&data);
    assert!(said.contains("above") || said.contains("lost"), "{said}");
    println!("damage: the journal is cut and its events were let out: {status}: {}", last_line(&said));

    let mut lost = 0;
    for _ in 0..CUTS {
        let at = random.between(begin, end - 1);
        let expected = ends.iter().rfind(|(end, _)| *end <= at).expect("a group before it").1;
        cut(&segment, &whole, at);
        remove_derived(&data);
        let server = Server::start(&data);
        let (_, ready) = server.readiness();
        assert_eq!(ready["sequence"], expected, "cut at {at}");
        server.kill();
        lost += ends.last().expect("a group").1 - expected;
        // What was cut off is kept beside; the next cut is of the whole one again.
        let torn = fs::read_dir(data.join("journal")).expect("the journal's directory").filter(|entry| {
            entry.as_ref().expect("an entry").file_name().to_string_lossy().starts_with("torn-")
        });
        for entry in torn {
            fs::remove_file(entry.expect("an entry").path()).expect("the copy can be removed");
        }
    }
    println!(
        "damage: the journal cut at {CUTS} bytes between {begin} and {end}: each start goes on from the longest whole \
         prefix, {lost} commands less in all"
    );
}

pub fn flipped_bits() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let data = directory.path().join("data");
    let (segment, ends) = killed(&data);
    let whole = fs::read(&segment).expect("the segment can be read");
    let name = segment.file_name().and_then(|name| name.to_str()).expect("a segment's name is text");
    let mut random = Random::new(11);
    let end = ends.last().expect("a group").0;
    // The header's block holds 64 bytes, and zeros that nobody reads.
    let mut shown = String::new();
    for number in 0..BITS {
        let at = random.between(ends[0].0, end - 1) as usize;
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << random.between(0, 7);
        fs::write(&segment, &bytes).expect("the segment can be written");
        let verified = program::run(["replay", "verify", text(&data), "--json"]);
        let said = lossy(&verified);
        assert!(!verified.status.success(), "byte {at}: not found: {said}");
        if number < STARTS {
            let before = content(&data).expect("the directory can be read");
            let (status, said) = refused(&data);
            assert_eq!(content(&data).expect("the directory can be read"), before, "byte {at}: touched");
            // In the last group it looks like a torn tail, but for the events that were let out.
            if at < ends[ends.len() - 2].0 as usize {
                assert!(said.contains(name) && said.contains("offset"), "byte {at}: {said}");
                shown = format!("byte {at}: {status}: {}", last_line(&said));
            }
        }
    }
    println!(
        "damage: {BITS} of {BITS} flipped bits of the journal found by `rialto replay verify`, {STARTS} of {STARTS} by a \
         start, and nothing touched; {shown}"
    );
    fs::write(&segment, &whole).expect("the segment can be written");
    flipped_bits_of_a_snapshot(&data, &mut random);
}

fn flipped_bits_of_a_snapshot(data: &Path, random: &mut Random) {
    let server = Server::start(data);
    let (_, ready) = server.readiness();
    let made = server.operator().ask(&Method::POST, "/admin/snapshots", &Value::Null);
    let (status, made) = made.expect("administration answers");
    assert_eq!(status, 200, "{made}");
    server.kill();
    let name = format!("snapshot-{:020}.bin", made["sequence"].as_u64().expect("a sequence"));
    let path = data.join("snapshots").join(&name);
    let whole = fs::read(&path).expect("the snapshot can be read");
    for _ in 0..SNAPSHOT_BITS {
        let mut bytes = whole.clone();
        let at = random.between(0, whole.len() as u64 - 1) as usize;
        bytes[at] ^= 1 << random.between(0, 7);
        fs::write(&path, &bytes).expect("the snapshot can be written");
        let listed = program::run(["snapshot", "list", text(data)]);
        assert!(!listed.status.success(), "byte {at}: {}", lossy(&listed));
    }
    // The last of them stays: the start goes without it, and comes to the same.
    let server = Server::start(data);
    let log = server.log();
    let passed = log.lines().rfind(|line| line.contains("passed over")).unwrap_or_default();
    assert!(passed.contains(&name), "{log}");
    assert_eq!(server.readiness().1["sequence"], ready["sequence"]);
    println!(
        "damage: {SNAPSHOT_BITS} of {SNAPSHOT_BITS} flipped bits of a snapshot found by `rialto snapshot list`; a start goes \
         without it: {passed}"
    );
}

fn cut(segment: &Path, whole: &[u8], at: u64) {
    fs::write(segment, whole).expect("the segment can be written");
    let file = OpenOptions::new().write(true).open(segment).expect("the segment can be opened");
    file.set_len(at).expect("it can be cut");
}

/// What is made again from the journal.
fn remove_derived(data: &Path) {
    for name in ["events", "snapshots"] {
        let directory = data.join(name);
        if directory.exists() {
            fs::remove_dir_all(directory).expect("a directory can be removed");
        }
    }
}

/// A start that must not come to anything; how it ended, and what it said.
fn refused(data: &Path) -> (std::process::ExitStatus, String) {
    let [listen, admin] = free_addresses();
    let output = serve(data, listen, admin).output().expect("rialto can be started");
    assert_eq!(output.status.code(), Some(2), "{}", lossy(&output));
    (output.status, lossy(&output))
}

fn last_line(said: &str) -> &str {
    said.lines().last().unwrap_or_default()
}

fn lossy(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a temporary path is text")
}
