//! Traders who write down what they send and what they are told. Refuses to judge either.

use crate::client::{Client, ClientError};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{
    fs::{File, OpenOptions},
    io::{self, BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    sync::{
        Condvar, Mutex,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    thread,
};
use ureq::http::Method;

/// The instrument that is traded.
pub const SYMBOL: &str = "BTCUSDT";

/// One line of the log.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Line {
    /// Whose order, counted from 1.
    pub account: usize,
    /// Its client order id: each is used once.
    pub name: String,
    /// What is known of it.
    pub known: Known,
}

/// What a trader knows of an order.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Known {
    /// It is about to be sent.
    Sent,
    /// The exchange has it.
    Placed {
        /// Its id.
        order_id: u64,
        /// How it stood.
        status: String,
        /// How much of it was filled.
        executed: String,
    },
    /// The exchange has refused it.
    Refused,
    /// The exchange has cancelled it.
    Cancelled {
        /// How much of it was filled.
        executed: String,
    },
}

/// The accounts that trade: the first of the demonstration.
pub const ACCOUNTS: usize = 3;
/// Threads of each account.
const THREADS: usize = 2;

/// All traders' log, and how many answers it has.
#[derive(Debug)]
pub struct Load {
    path: PathBuf,
    file: Mutex<File>,
    /// So many answers are in the log.
    pub answers: AtomicU64,
    /// So many orders were refused for the exchange's own reasons (HTTP 503).
    pub refusals: AtomicU64,
    /// Tells the traders to end.
    ended: AtomicBool,
    /// Traders that have not ended.
    trading: AtomicUsize,
    more: (Mutex<()>, Condvar),
}

/// A small generator (xorshift): which order comes next is all that hangs on it.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// The generator of a seed.
    pub const fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    /// Another one, of which the next number is the seed.
    #[must_use]
    pub const fn branch(&mut self) -> Self {
        Self::new(self.next())
    }

    /// A number from `least` to `most`.
    pub const fn between(&mut self, least: u64, most: u64) -> u64 {
        least + self.next() % (most - least + 1)
    }

    const fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}

impl Load {
    /// A log that goes on in the file `path`.
    ///
    /// # Errors
    /// When the file cannot be opened.
    pub fn new(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        Ok(Self {
            path: path.to_owned(),
            file: Mutex::new(file),
            answers: AtomicU64::new(0),
            refusals: AtomicU64::new(0),
            ended: AtomicBool::new(false),
            trading: AtomicUsize::new(0),
            more: (Mutex::new(()), Condvar::new()),
        })
    }

    /// Everything written so far, in order.
    ///
    /// # Panics
    /// When it cannot be read.
    pub fn log(&self) -> Vec<Line> {
        let file = File::open(&self.path).expect("the log is there");
        let lines = BufReader::new(file).lines();
        lines.map(|line| serde_json::from_str(&line.expect("a line")).expect("a line as written")).collect()
    }

    /// Waits, while traders trade, until there have been so many answers.
    ///
    /// # Panics
    /// When the traders end before.
    pub fn wait_for(&self, answers: u64) {
        let guard = self.more.0.lock().expect("nobody panics with it");
        let there = || self.answers.load(Ordering::Relaxed);
        let waits = |(): &mut ()| there() < answers && self.trading.load(Ordering::Relaxed) > 0;
        drop(self.more.1.wait_while(guard, waits).expect("nobody panics with it"));
        assert!(there() >= answers, "the traders have ended after {} answers, not {answers}", there());
    }

    /// Lets several traders of each account trade while `meanwhile` runs, and until the exchange no longer
    /// answers or [`Self::end`] was called. `prefix` makes their names their own.
    ///
    /// # Panics
    /// When a trader does.
    pub fn trade<R>(
        &self,
        clients: &[Client],
        prefix: &str,
        random: &mut Random,
        meanwhile: impl FnOnce() -> R,
    ) -> R {
        self.ended.store(false, Ordering::Relaxed);
        self.trading.store(clients.len() * THREADS, Ordering::Relaxed);
        thread::scope(|scope| {
            for (account, client) in (1..).zip(clients) {
                for number in 0..THREADS {
                    let mut random = random.branch();
                    scope.spawn(move || {
                        let _ended = HasEnded(self);
                        self.run(account, &format!("{prefix}t{number}"), client, &mut random);
                    });
                }
            }
            let _guard = EndsWhenItPanics(self);
            meanwhile()
        })
    }

    /// Ends the traders, each after its next answer.
    pub fn end(&self) {
        self.ended.store(true, Ordering::Relaxed);
    }

    /// Trades until there is nobody who answers. `prefix` makes this trader's names its own.
    ///
    /// # Panics
    /// When an answer is none that the exchange may give.
    fn run(&self, account: usize, prefix: &str, client: &Client, random: &mut Random) {
        let mut open: Vec<String> = Vec::new();
        for number in 0_u64.. {
            if self.ended.load(Ordering::Relaxed) {
                return;
            }
            let cancels = !open.is_empty() && random.between(0, 3) == 0;
            let goes_on = if cancels {
                let name = open.swap_remove(random.between(0, open.len() as u64 - 1) as usize);
                self.cancel(account, &name, client)
            } else {
                let name = format!("{prefix}a{account}n{number}");
                match self.place(account, &name, client, random) {
                    Some(true) => {
                        open.push(name);
                        true
                    }
                    Some(false) => true,
                    None => false,
                }
            };
            if !goes_on {
                return;
            }
        }
    }

    /// Places an order; says whether it is known to rest, or nothing when there was no answer.
    fn place(&self, account: usize, name: &str, client: &Client, random: &mut Random) -> Option<bool> {
        let side = if random.between(0, 1) == 0 { "BUY" } else { "SELL" };
        let price = format!("{}.{:02}", random.between(49_995, 50_004), random.between(0, 99));
        let quantity = format!("0.{:05}", random.between(100, 999));
        let mut order = vec![
            ("symbol", SYMBOL),
            ("side", side),
            ("newClientOrderId", name),
            ("quantity", &quantity),
            // A trade with oneself would be in one account's list twice.
            ("selfTradePreventionMode", "EXPIRE_TAKER"),
            ("newOrderRespType", "FULL"),
        ];
        match random.between(0, 9) {
            0 => order.push(("type", "MARKET")),
            1 => order.extend([("type", "LIMIT"), ("timeInForce", "IOC"), ("price", &price)]),
            2 => order.extend([("type", "LIMIT_MAKER"), ("price", &price)]),
            _ => order.extend([("type", "LIMIT"), ("timeInForce", "GTC"), ("price", &price)]),
        }
        self.write(account, name, Known::Sent, false);
        match client.signed(&Method::POST, "/api/v3/order", &order) {
            Ok(answer) => {
                let status = text(&answer, "status");
                let rests = matches!(status.as_str(), "NEW" | "PARTIALLY_FILLED");
                let order_id = answer["orderId"].as_u64().expect("an order id");
                let executed = text(&answer, "executedQty");
                self.write(account, name, Known::Placed { order_id, status, executed }, true);
                Some(rests)
            }
            Err(ClientError::Refused { status: 400, .. }) => {
                self.write(account, name, Known::Refused, true);
                Some(false)
            }
            // Not taken: it must not be there later.
            Err(ClientError::Refused { status: 503, code: -1008 | -1016, .. }) => {
                self.write(account, name, Known::Refused, false);
                self.refusals.fetch_add(1, Ordering::Relaxed);
                Some(false)
            }
            // Its fate is not known, and the exchange goes on.
            Err(ClientError::Refused { code: -1006, .. }) => Some(false),
            Err(_) => None,
        }
    }

    /// Cancels an order; says whether there was an answer.
    fn cancel(&self, account: usize, name: &str, client: &Client) -> bool {
        let which = [("symbol", SYMBOL), ("origClientOrderId", name)];
        match client.signed(&Method::DELETE, "/api/v3/order", &which) {
            Ok(answer) => {
                assert_eq!(answer["status"], "CANCELED", "{answer}");
                let executed = text(&answer, "executedQty");
                self.write(account, name, Known::Cancelled { executed }, true);
                true
            }
            // It was filled in the meantime, the exchange takes no commands now, or its fate is not known.
            Err(ClientError::Refused { code: -2011 | -1008 | -1016 | -1006, .. }) => true,
            Err(ClientError::NoAnswer(_)) => false,
            Err(ClientError::Refused { status, code, message }) => {
                panic!("cancelling {name}: {status} {code} {message}")
            }
        }
    }

    /// Writes a line; an answer's is on disk when this returns.
    fn write(&self, account: usize, name: &str, known: Known, is_answer: bool) {
        let line = Line { account, name: name.to_owned(), known };
        let mut line = serde_json::to_vec(&line).expect("a line can be written as JSON");
        line.push(b'\n');
        let mut file = self.file.lock().expect("nobody panics with it");
        file.write_all(&line).expect("there is room for the log");
        if is_answer {
            file.sync_data().expect("the log can be synced");
            drop(file);
            let guard = self.more.0.lock().expect("nobody panics with it");
            self.answers.fetch_add(1, Ordering::Relaxed);
            drop(guard);
            self.more.1.notify_all();
        }
    }
}

/// A trader that is no more, for whoever waits for its answers.
struct HasEnded<'a>(&'a Load);

impl Drop for HasEnded<'_> {
    fn drop(&mut self) {
        // Whoever panicked with it has told.
        let guard = self.0.more.0.lock();
        self.0.trading.fetch_sub(1, Ordering::Relaxed);
        drop(guard);
        self.0.more.1.notify_all();
    }
}

/// Lets a test that fails meanwhile end: it waits for the traders.
struct EndsWhenItPanics<'a>(&'a Load);

impl Drop for EndsWhenItPanics<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.end();
        }
    }
}

/// The text of a field.
///
/// # Panics
/// When there is none.
pub fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_else(|| panic!("no {name} in {value}")).to_owned()
}
