//! A real exchange in a test's process, or in a child of it: the pipeline with its journal, a small
//! market, and the publisher beside it. Refuses to know what a test does to them.

use engine_journal::{EventReader, FileStorage};
use engine_runtime::pipeline::{Exchange, Options, Port};
use protocol::{
    AccountId, AssetId, InstrumentId, Price, Quantity, Sequence, Side, SourceId,
    command::{CancelAll, Command, CreateInstrument, LedgerOperation, OpenAccount, PlaceOrder, sample},
    order::CloseReason,
    reject::{Outcome, Reject},
};
use services::{Answer, CommandPort, EngineStatus, EventConsumer};
use std::{
    env,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Child, Command as Process, Stdio},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};
use stream::{EventPublisher, KafkaOptions, Published, PublishingMetrics, StreamError};
use tokio::{
    runtime::{Builder, Runtime},
    sync::oneshot,
    task::JoinHandle,
};

/// How long a test waits for what must happen. It is far above what anything takes.
pub const PATIENCE: Duration = Duration::from_mins(2);
/// Between two looks at something that has not happened yet.
const LOOK: Duration = Duration::from_millis(10);
const GATEWAY: SourceId = SourceId(1);
pub const BUYER: AccountId = AccountId(5);
const SELLER: AccountId = AccountId(6);
/// What a child process is told: its part, the brokers, its topics' prefix, its data directory.
const CHILD: [&str; 4] =
    ["RIALTO_TEST_PART", "RIALTO_TEST_SERVERS", "RIALTO_TEST_PREFIX", "RIALTO_TEST_DIRECTORY"];

/// Consumes nothing: the test reads the log.
struct Nobody;

impl EventConsumer for Nobody {
    fn consume(&mut self, _: &[u8]) {}
}

/// An exchange that trades.
pub struct Market {
    exchange: Exchange,
    port: Arc<Port>,
    published: Published,
    orders: u64,
}

impl Market {
    /// Opens the data directory; an empty one gets a market.
    pub fn open(directory: &Path) -> Self {
        // Small segments, so that little data crosses many ends.
        let options = Options {
            journal_segment_bytes: 4 << 20,
            event_segment_bytes: 1 << 20,
            reserve_bytes: 0,
            ..Options::default()
        };
        let (nobody, published) = stream::tell(Box::new(Nobody));
        let exchange = Exchange::open_directory(directory, options, vec![nobody]).expect("a data directory");
        let port = Arc::new(exchange.port(GATEWAY));
        let recovered = exchange.recovered().0;
        let mut market = Self { exchange, port, published, orders: recovered };
        if recovered == 0 {
            market.set_up();
        }
        market
    }

    fn set_up(&mut self) {
        for name in ["BTC", "USDT"] {
            self.done(&Command::CreateAsset(sample::asset(name)));
        }
        self.done(&Command::CreateInstrument(CreateInstrument { instrument: sample::instrument() }));
        for account in [BUYER, SELLER] {
            self.done(&Command::OpenAccount(OpenAccount { trade_group: 0, fee_tier: 0, reserved: [0; 3] }));
            for asset in [1, 2] {
                let external = AccountId(2 + asset);
                let amount = 1_000_000_000_000_000;
                let deposit = LedgerOperation::transfer(external, account, AssetId(asset as u16), amount);
                self.done(&Command::Ledger(deposit));
            }
        }
    }

    fn done(&self, command: &Command) -> Answer {
        let answer = self.port.submit(command, 0).expect("it is taken").wait().expect("it is answered");
        assert_eq!(answer.outcome, Outcome::Done, "{command:?}");
        answer
    }

    /// Places `count` orders, some of which trade, and waits for their answers. Gives the last's sequence.
    pub fn trade(&mut self, count: u64) -> Sequence {
        let pending: Vec<_> = (0..count)
            .map(|_| {
                self.orders += 1;
                self.port.submit(&order(self.orders), self.orders).expect("it is taken")
            })
            .collect();
        let answers = pending.into_iter().map(|answer| answer.wait().expect("it is answered").sequence);
        answers.last().expect("there was an order")
    }

    /// Places `count` thousand orders that rest, and cancels them all by one command of many events.
    pub fn rest_and_cancel(&mut self, count: u64) -> Sequence {
        let order = PlaceOrder { account: BUYER, price: Price(1), ..sample::limit_order() };
        let order = Command::PlaceOrder { order, client_order_id: None, terms: None };
        for _ in 0..count {
            let pending = (0..1_000).map(|_| self.port.submit(&order, 0).expect("it is taken"));
            for answer in pending.collect::<Vec<_>>() {
                assert_eq!(answer.wait().expect("it is answered").outcome, Outcome::Done);
            }
        }
        let reason = CloseReason::Cancelled;
        let cancel = CancelAll { account: BUYER, instrument: InstrumentId(0), reason, reserved: 0 };
        self.done(&Command::CancelAll(cancel)).sequence
    }

    /// Places an order that is refused: of nothing.
    pub fn refused(&mut self) -> Sequence {
        let order = PlaceOrder { account: BUYER, quantity: Quantity(0), ..sample::limit_order() };
        let order = Command::PlaceOrder { order, client_order_id: None, terms: None };
        let answer = self.port.submit(&order, 0).expect("it is taken").wait().expect("it is answered");
        assert_eq!(answer.outcome, Outcome::Refused(Reject::LotSize));
        answer.sequence
    }

    /// An order that nobody has placed yet.
    pub fn next_order(&mut self) -> Command {
        self.orders += 1;
        order(self.orders)
    }

    /// Where its orders are placed.
    pub fn port(&self) -> Arc<dyn CommandPort> {
        Arc::clone(&self.port) as Arc<dyn CommandPort>
    }

    /// How it is.
    pub fn status(&self) -> Arc<dyn EngineStatus> {
        self.exchange.status()
    }

    /// What tells of new events.
    pub fn published(&self) -> Published {
        self.published.clone()
    }

    /// Ends it in order.
    pub fn stop(self) {
        self.exchange.stop().engine.expect("it has not halted").audit().expect("books and ledger agree");
    }
}

/// The order that is the `index`th: they trade now and then.
fn order(index: u64) -> Command {
    let random = (index + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 20;
    let (account, side) = if random.is_multiple_of(2) { (BUYER, Side::Buy) } else { (SELLER, Side::Sell) };
    let price = Price(1_000 + (random / 2 % 9) as u32);
    let quantity = Quantity(1 + random / 32 % 7);
    let order = PlaceOrder { account, side, price, quantity, ..sample::limit_order() };
    Command::PlaceOrder { order, client_order_id: None, terms: None }
}

/// A publisher at work in this process.
pub struct Publishing {
    runtime: Runtime,
    stop: oneshot::Sender<()>,
    task: JoinHandle<Result<(), StreamError>>,
    metrics: Arc<PublishingMetrics>,
}

impl Publishing {
    /// Starts it.
    pub fn start(options: &KafkaOptions, directory: &Path, published: Option<Published>) -> Self {
        let runtime = runtime();
        let publisher = EventPublisher::new(options.clone(), directory, published);
        let metrics = publisher.metrics();
        let (stop, stopped) = oneshot::channel::<()>();
        let task = runtime.spawn(async {
            let ended = publisher.run(async { drop(stopped.await) }).await;
            if let Err(error) = &ended {
                eprintln!("the publisher has ended: {error}");
            }
            ended
        });
        Self { runtime, stop, task, metrics }
    }

    /// Waits until everything up to `sequence` is acknowledged.
    pub fn wait_for(&self, sequence: Sequence) {
        wait(&format!("{sequence} is acknowledged"), || {
            assert!(!self.task.is_finished(), "the publisher has ended");
            self.metrics.position() >= sequence
        });
    }

    /// How it is doing.
    pub fn metrics(&self) -> &PublishingMetrics {
        &self.metrics
    }

    /// Ends it in order.
    pub fn stop(self) -> Result<(), StreamError> {
        self.stop.send(()).expect("it runs");
        self.runtime.block_on(self.task).expect("it does not panic")
    }

    /// Waits until it ends by itself: the error says why.
    pub fn ended(self) -> StreamError {
        let ended = self.runtime.block_on(async { tokio::time::timeout(PATIENCE, self.task).await });
        ended.expect("it ends").expect("it does not panic").expect_err("nobody stopped it")
    }
}

/// A runtime of two threads.
pub fn runtime() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime")
}

/// Waits until something is so.
pub fn wait(what: &str, mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < PATIENCE, "not after {PATIENCE:?}: {what}");
        thread::sleep(LOOK);
    }
}

/// All chunks of the event log, and its last command.
pub fn event_log(directory: &Path) -> (Vec<u8>, Sequence) {
    let mut reader = EventReader::open(FileStorage::new(directory), 0).expect("the event log opens");
    let mut chunks = Vec::new();
    let mut last = Sequence(0);
    while let Some(group) = reader.next_group().expect("the event log can be read") {
        chunks.extend_from_slice(group.payload);
        last = Sequence(group.last_sequence);
    }
    (chunks, last)
}

/// What a child process does, publishing all the while.
#[derive(Clone, Copy)]
pub enum Part {
    /// Trades until it is killed; says the last sequence after each round.
    Trade,
    /// Places an order for each line it is given; says its sequence.
    Step,
}

impl Part {
    const fn name(self) -> &'static str {
        match self {
            Self::Trade => "trade",
            Self::Step => "step",
        }
    }
}

/// A process that plays a part; `before` stands before its program, if anything does.
pub fn child(part: Part, before: &[&str], options: &KafkaOptions, directory: &Path) -> Child {
    let program = env::current_exe().expect("a test knows its own path");
    let mut process = match before {
        [] => Process::new(program),
        [first, rest @ ..] => {
            let mut process = Process::new(first);
            process.args(rest).arg(program);
            process
        }
    };
    let told = [part.name(), &options.servers, &options.topic_prefix];
    process.envs(CHILD.into_iter().zip(told)).env(CHILD[3], directory);
    process.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("a child can be started")
}

/// Whether this process is a child; one that is has ended its part when this returns.
pub fn run_as_child() -> bool {
    let [Ok(part), Ok(servers), Ok(topic_prefix), Ok(directory)] = CHILD.map(env::var) else { return false };
    let directory = PathBuf::from(directory);
    let options = KafkaOptions { topic_prefix, ..KafkaOptions::plaintext(servers) };
    let mut market = Market::open(&directory);
    let publishing = Publishing::start(&options, &directory, Some(market.published()));
    if part == Part::Trade.name() {
        loop {
            let last = market.trade(200);
            // Not more than this ahead, so that kills find both at work.
            wait("the publisher keeps up", || publishing.metrics().position().0 + 2_000 > last.0);
            say(&last.to_string());
        }
    }
    wait("the publisher has begun", || publishing.metrics().position() > Sequence(0));
    say("ready");
    for line in std::io::stdin().lines() {
        line.expect("the parent writes text");
        say(&market.trade(1).to_string());
    }
    publishing.stop().expect("it published");
    market.stop();
    true
}

/// A line for the parent.
fn say(line: &str) {
    println!("{line}");
    std::io::stdout().flush().expect("the parent reads");
}
