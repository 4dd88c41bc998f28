//! A small market on a real exchange, a key, and backups of it, for the tests of this crate.

#![allow(clippy::unwrap_used, reason = "tests")]
#![allow(dead_code, reason = "each test file uses its part of this")]

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use backup::{
    BackupError, BackupKey, CreateOptions, Kind, Manifest, RestoreOptions, RestoreReport, create, restore,
};
use engine_runtime::pipeline::{Exchange, Options, Port};
use protocol::{
    AccountId, AssetId, Price, Quantity, Sequence, Side, SourceId,
    command::{Command, CreateInstrument, LedgerOperation, OpenAccount, PlaceOrder, sample},
    reject::Outcome,
};
use services::CommandPort as _;
use tempfile::TempDir;

pub const GATEWAY: SourceId = SourceId(1);
pub const ADMINISTRATION: SourceId = SourceId(2);
/// External accounts come with their assets: 3 and 4. Customers follow.
const CUSTOMER: AccountId = AccountId(5);

/// A directory for everything of a test.
pub struct Place {
    root: TempDir,
    pub key: BackupKey,
}

impl Place {
    pub fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let key = key(root.path(), "key", 'a');
        fs::create_dir(root.path().join("data")).unwrap();
        Self { root, key }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    pub fn data(&self) -> PathBuf {
        self.path("data")
    }

    pub fn backups(&self) -> PathBuf {
        self.path("backups")
    }

    pub fn create(&self, kind: Kind) -> Result<Manifest, BackupError> {
        self.create_of(&self.data(), kind, SystemTime::now())
    }

    pub fn create_of(&self, data: &Path, kind: Kind, now: SystemTime) -> Result<Manifest, BackupError> {
        let options = CreateOptions {
            data,
            to: &self.backups(),
            key: &self.key,
            kind,
            with_master_key: false,
            with_state_hash: true,
            now,
        };
        create(&options, &mut |_| ())
    }

    pub fn restore(&self, to: &Path, at: Option<u64>) -> Result<RestoreReport, BackupError> {
        let options = RestoreOptions { from: &self.backups(), to, key: &self.key, backup: None, at };
        restore(&options, &mut |_| ())
    }
}

pub fn key(directory: &Path, name: &str, digit: char) -> BackupKey {
    let path = directory.join(name);
    fs::write(&path, digit.to_string().repeat(64)).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    BackupKey::read(&path).unwrap()
}

/// Times of backups that follow each other.
pub fn later(seconds: u64) -> SystemTime {
    SystemTime::now() + Duration::from_secs(seconds)
}

/// Small segments and no reserve, so that little data crosses many ends.
pub fn open(directory: &Path) -> Exchange {
    let options = Options {
        journal_segment_bytes: 1 << 18,
        reserve_bytes: 0,
        event_segment_bytes: 1 << 20,
        ..Options::default()
    };
    Exchange::open_directory(directory, options, Vec::new()).unwrap()
}

pub fn ask(port: &Port, command: &Command) {
    let answer = port.submit(command, 0).unwrap().wait().unwrap();
    assert_eq!(answer.outcome, Outcome::Done, "{command:?}");
}

/// Two assets, an instrument, and a customer with plenty of both: six commands.
pub fn set_up(port: &Port) {
    for name in ["BTC", "USDT"] {
        ask(port, &Command::CreateAsset(sample::asset(name)));
    }
    ask(port, &Command::CreateInstrument(CreateInstrument { instrument: sample::instrument() }));
    ask(port, &Command::OpenAccount(OpenAccount { trade_group: 0, fee_tier: 0, reserved: [0; 3] }));
    for asset in [1, 2] {
        let external = AccountId(2 + asset);
        let amount = 1_000_000_000_000_000;
        let operation = LedgerOperation::transfer(external, CUSTOMER, AssetId(asset as u16), amount);
        ask(port, &Command::Ledger(operation));
    }
}

/// Orders `from` to `to` of the customer, that trade now and then; `together` of them in flight at once,
/// so that groups are of many commands.
pub fn trade(port: &Port, from: u64, to: u64, together: usize) {
    let mut pending = std::collections::VecDeque::new();
    for index in from..to {
        let random = (index + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 20;
        let order = PlaceOrder {
            account: CUSTOMER,
            side: if random.is_multiple_of(2) { Side::Buy } else { Side::Sell },
            price: Price(1_000 + (random / 2 % 9) as u32),
            quantity: Quantity(1 + random / 32 % 7),
            ..sample::limit_order()
        };
        let command = Command::PlaceOrder { order, client_order_id: None, terms: None };
        pending.push_back(port.submit(&command, 0).unwrap());
        if pending.len() >= together {
            pending.pop_front().unwrap().wait().unwrap();
        }
    }
    for answer in pending {
        answer.wait().unwrap();
    }
}

/// The state's hash after a command, as `rialto replay state --at` has it.
pub fn state_hash(directory: &Path, at: u64) -> String {
    replay::state(directory, Some(Sequence(at)), None, &mut |_| ()).unwrap().state_hash
}
