//! The program itself: started, asked, told to end, killed, started again.

#![allow(clippy::unwrap_used, reason = "tests")]

use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Output, Stdio};

const PROGRAM: &str = env!("CARGO_BIN_EXE_rialto");

/// A running exchange, killed when it is dropped.
struct Served {
    process: Child,
    log: BufReader<ChildStderr>,
    admin: SocketAddr,
    traders: SocketAddr,
}

impl Served {
    fn start(data: &Path, flags: &[&str]) -> Self {
        let mut process = command(data)
            .args(["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"])
            .args(flags)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut log = BufReader::new(process.stderr.take().unwrap());
        let admin = address(&mut log, "administration listens");
        let traders = address(&mut log, "open for trading");
        Self { process, log, admin, traders }
    }

    fn terminate(mut self) -> (Option<i32>, String) {
        let id = self.process.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        let mut log = String::new();
        self.log.read_to_string(&mut log).unwrap();
        (self.process.wait().unwrap().code(), log)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn command(data: &Path) -> Command {
    let mut command = Command::new(PROGRAM);
    for name in ["RIALTO_DATA", "RIALTO_LISTEN", "RIALTO_ADMIN_LISTEN", "RIALTO_LOG"] {
        command.env_remove(name);
    }
    // So that no configuration file of whoever runs this is found.
    command.current_dir(data.parent().unwrap()).args(["serve", "--data"]).arg(data);
    command
}

/// The address in the log's line that says `what`.
fn address(log: &mut impl BufRead, what: &str) -> SocketAddr {
    let mut all = String::new();
    for line in log.lines() {
        let line = line.unwrap();
        all.push_str(&line);
        all.push('\n');
        if line.contains(what) {
            return line.rsplit_once("address=").unwrap().1.trim().parse().unwrap();
        }
    }
    panic!("no line says {what:?}:\n{all}");
}

/// Status and body of a GET.
fn get(address: SocketAddr, path: &str) -> (u16, Value) {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head[9..12].parse().unwrap(), serde_json::from_str(body).unwrap())
}

fn run(arguments: &[&str]) -> Output {
    Command::new(PROGRAM).args(arguments).output().unwrap()
}

fn verify(data: &Path) -> Value {
    let output = run(&["replay", "verify", data.to_str().unwrap(), "--json"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn the_demo_is_made_once_and_survives_ends_of_every_kind() {
    let root = tempfile::tempdir().unwrap();
    let data = root.path().join("data");
    let served = Served::start(&data, &["--demo"]);
    assert_eq!(get(served.admin, "/healthz").0, 200);
    let (status, ready) = get(served.admin, "/readyz");
    assert_eq!((status, &ready["status"], &ready["recovering"]), (200, &"OPEN".into(), &false.into()));
    let (_, info) = get(served.traders, "/api/v3/exchangeInfo");
    let symbols: Vec<_> =
        info["symbols"].as_array().unwrap().iter().map(|symbol| &symbol["symbol"]).collect();
    assert_eq!(symbols, ["BTCUSDT", "ETHUSDT", "ETHBTC"]);

    let mode = |name: &str| std::fs::metadata(data.join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(""), mode("demo-keys.json"), mode("admin-token")), (0o700, 0o600, 0o600));
    let keys = std::fs::read_to_string(data.join("demo-keys.json")).unwrap();
    let shown: Vec<Value> = serde_json::from_str(&keys).unwrap();
    let kinds: Vec<_> = shown.iter().map(|key| (&key["account"], &key["key_type"])).collect();
    let hmac: &Value = &"HMAC".into();
    assert_eq!(kinds[0], (&"demo-1".into(), hmac));
    assert_eq!(kinds[3], (&"demo-4".into(), &"Ed25519".into()));
    assert!(shown[3]["private_key_pem"].as_str().unwrap().starts_with("-----BEGIN PRIVATE KEY-----"));

    let second =
        command(&data).args(["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"]).output().unwrap();
    let said = String::from_utf8(second.stderr).unwrap();
    assert_eq!(second.status.code(), Some(2));
    assert!(said.contains(&format!("process {}", served.process.id())), "{said}");

    let audit = |known: &[&str]| {
        let output = run(&[&["audit", "verify", data.to_str().unwrap(), "--json"], known].concat());
        (output.status.code(), serde_json::from_slice::<Value>(&output.stdout).unwrap_or_default())
    };
    let (code, whole) = audit(&[]);
    assert_eq!((code, &whole["whole"]), (Some(0), &true.into()), "{whole}");
    let end = format!("{}:{}", whole["rows"], whole["hash"].as_str().unwrap());
    assert_eq!(audit(&["--known", &end]).0, Some(0));
    let other = format!("{}:{}", whole["rows"], "00".repeat(32));
    let (code, changed) = audit(&["--known", &other]);
    assert_eq!((code, &changed["row"]), (Some(1), &whole["rows"]), "{changed}");
    let listed = run(&["audit", "list", data.to_str().unwrap(), "--limit", "1", "--json"]);
    assert!(String::from_utf8(listed.stdout).unwrap().contains("asset.create"));

    let (code, log) = served.terminate();
    assert_eq!(code, Some(0), "{log}");
    let stopped = verify(&data);
    assert_eq!(stopped["equal"], true);
    // Killed as it stands, then started without the flag, and with it.
    drop(Served::start(&data, &["--demo"]));
    assert_eq!(verify(&data)["state_hash"], stopped["state_hash"]);
    assert_eq!(Served::start(&data, &[]).terminate().0, Some(0));
    assert_eq!(std::fs::read_to_string(data.join("demo-keys.json")).unwrap(), keys);
}

#[test]
fn snapshots_are_made_by_rule_on_a_word_and_at_the_end_and_journal_files_leave() {
    let root = tempfile::tempdir().unwrap();
    let data = root.path().join("data");
    let file = root.path().join("rialto.toml");
    let rules = "journal_segment_bytes = 16384\njournal_segments_kept = 0\njournal_bytes_kept = 0\n\
                 snapshot_commands = 50\nsnapshots_kept = 1\n";
    std::fs::write(&file, rules).unwrap();
    let flags = ["--config", file.to_str().unwrap(), "--demo", "--demo-market"];
    let mut served = Served::start(&data, &flags);
    let listed = || -> Vec<Value> {
        let output = run(&["snapshot", "list", data.to_str().unwrap(), "--json"]);
        serde_json::from_slice(&output.stdout).unwrap()
    };
    // One that was made because commands came.
    let mut line = String::new();
    while !line.contains("a snapshot is made") {
        line.clear();
        assert!(served.log.read_line(&mut line).unwrap() > 0, "the exchange has ended");
    }
    let admin = served.admin.to_string();
    let asked = ["snapshot", "now", "--data", data.to_str().unwrap(), "--admin-listen", &admin, "--json"];
    // Journal files leave once they are full and covered.
    while !std::fs::exists(data.join("archive/segment-00000000000000000001.log.zst")).unwrap() {
        let output = run(&asked);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        let made: Value = serde_json::from_slice(&output.stdout).unwrap();
        // The rule may have made another one since, which takes its place.
        let listed = listed();
        let newest = listed.iter().max_by_key(|one| one["sequence"].as_u64()).unwrap();
        let same = newest["sequence"] == made["sequence"] && newest["state_hash"] == made["state_hash"];
        assert!(same || newest["sequence"].as_u64() > made["sequence"].as_u64(), "{made}: {listed:?}");
    }
    let (code, log) = served.terminate();
    assert_eq!(code, Some(0), "{log}");
    let verified = verify(&data);
    assert_eq!((&verified["equal"], &verified["first_sequence"]), (&true.into(), &1.into()));
    let left = listed();
    assert_eq!(left.len(), 1, "{left:?}");
    assert_eq!(
        (&left[0]["sequence"], &left[0]["state_hash"]),
        (&verified["last_sequence"], &verified["state_hash"])
    );
    let again = Served::start(&data, &flags[..2]);
    assert_eq!(get(again.admin, "/readyz").0, 200);
    assert_eq!(again.terminate().0, Some(0));
    assert_eq!(verify(&data)["state_hash"], verified["state_hash"]);
}

#[test]
fn the_demo_market_trades() {
    let root = tempfile::tempdir().unwrap();
    let data = root.path().join("data");
    // Whoever asks this often needs the limits to be raised.
    let file = root.path().join("rialto.toml");
    let limits = "request_weight_per_minute = 1000000000\nraw_requests_per_5_minutes = 1000000000\n";
    std::fs::write(&file, limits).unwrap();
    let served = Served::start(&data, &["--config", file.to_str().unwrap(), "--demo", "--demo-market"]);
    // Asked until there is a trade: the market trades sooner or later.
    while get(served.traders, "/api/v3/trades?symbol=BTCUSDT").1.as_array().unwrap().is_empty() {
        std::thread::yield_now();
    }
    assert_eq!(served.terminate().0, Some(0));
    assert_eq!(verify(&data)["equal"], true);
}

#[test]
fn what_cannot_be_done_says_so_and_exits_2() {
    let root = tempfile::tempdir().unwrap();
    let file = root.path().join("rialto.toml");
    std::fs::write(&file, "lsten = \"127.0.0.1:1\"\n").unwrap();
    let file = file.to_str().unwrap();
    let nowhere = root.path().join("nowhere");
    for (arguments, expected) in [
        (vec!["config", "check", file], "did you mean `listen`"),
        (vec!["serve", "--config", file], "did you mean `listen`"),
        (vec!["serve", "--listen", "0.0.0.0:0"], "insecure = true"),
        (vec!["serve", "--demo-market"], "--demo"),
        (vec!["config", "explain", "lisen"], "did you mean `listen`"),
        (vec!["replay", "verify", nowhere.to_str().unwrap()], "no journal"),
        (vec!["snapshot", "now", "--data", nowhere.to_str().unwrap()], "--data"),
    ] {
        let output = run(&arguments);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(said.contains(expected), "{arguments:?}: {said}");
    }
    assert!(!nowhere.exists());
}

#[test]
fn every_command_has_a_help_with_an_example() {
    for command in [
        vec!["serve"],
        vec!["replay", "verify"],
        vec!["replay", "state"],
        vec!["replay", "events"],
        vec!["config", "check"],
        vec!["config", "explain"],
    ] {
        let output = run(&[command.clone(), vec!["--help"]].concat());
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success() && said.contains("Example: rialto"), "{command:?}: {said}");
    }
}
