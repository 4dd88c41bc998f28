//! `rialto serve` and `rialto engine`: composes the rooms in one process, or all but the traders' doors, in
//! an order in which nothing is reached before it is ready, and takes them apart again. Refuses to do any of
//! their work.
//!
//! Start: the directory and its lock, the ports bound (health answers from here on), journal and event
//! log verified; nothing in the directory was touched so far, and a start that fails has left it as it
//! was. Then the accounts, the rest of administration, recovery, what administration had promised, the
//! demo if asked for, the traders' port. Stop: no more connections, streams told, what is in flight
//! finished, the engine, the database.

use crate::{
    accounts_database,
    admin_door::AdminDoor,
    books_upkeep::BooksUpkeep,
    config::Config,
    demo, demo_market,
    engine_door::{EngineDoor, ServedDoor},
    followers::Followers,
    past, private_file,
    process::{self, EndSignal, now},
    readiness::Readiness,
    saved_views::Consumers,
    snapshots::{SnapshotKeeper, Taker},
    traders_ports::{ServedPorts, TradersPorts, bind, serve_plain},
};
use accounts::Accounts;
use anyhow::Context as _;
use data_encoding::HEXLOWER;
use engine_journal::{DirectoryLock, FileStorage};
use engine_runtime::pipeline::{Exchange, ExchangeStatus, InspectedExchange, Options};
use gateway::{
    Gateway,
    admin::{self, Administration},
    views::Views,
};
use protocol::{SourceId, command::Command};
use secrecy::SecretString;
use services::{CommandPort, EngineState, EngineStatus, PendingAnswer, SubmitError};
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval, timeout};

/// The source of traders' commands.
const GATEWAY: SourceId = SourceId(1);
/// The source of administration's commands.
const ADMINISTRATION: SourceId = SourceId(2);
/// How often market data that is due is sent.
const VIEWS_INTERVAL: Duration = Duration::from_millis(100);
/// How often the last use of keys is written.
const KEYS_INTERVAL: Duration = Duration::from_mins(1);
/// How long open connections have to finish.
pub(crate) const CONNECTIONS_TIMEOUT: Duration = Duration::from_secs(4);
/// How long what is under way in the database has to finish.
pub(crate) const DATABASE_TIMEOUT: Duration = Duration::from_secs(2);

/// A port of an engine that has not recovered yet: it refuses until it has.
struct PortToCome {
    source: SourceId,
    port: OnceLock<Box<dyn CommandPort>>,
}

impl PortToCome {
    fn of(source: SourceId) -> Arc<Self> {
        Arc::new(Self { source, port: OnceLock::new() })
    }
}

impl CommandPort for PortToCome {
    fn source(&self) -> SourceId {
        self.source
    }

    fn submit(&self, command: &Command, trace: u64) -> Result<PendingAnswer, SubmitError> {
        self.port.get().ok_or(SubmitError::Closed)?.submit(command, trace)
    }
}

/// What of the exchange is in this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Everything.
    Whole {
        /// With a small synthetic market.
        demo_market: bool,
    },
    /// All but the traders' doors: gateways in other processes have them.
    Engine,
}

/// How commands of traders come in.
enum Doors {
    /// By ports of this process.
    Traders(TradersPorts),
    /// By gateways of other processes.
    Gateways(EngineDoor),
}

/// Runs until a signal ends it.
pub(crate) fn start(config: &Config, role: Role, demo: bool) -> anyhow::Result<()> {
    private_file::create_directory(&config.data)
        .with_context(|| format!("cannot make the data directory {}", config.data.display()))?;
    let program = match role {
        Role::Whole { .. } => "rialto serve",
        Role::Engine => "rialto engine",
    };
    let lock = DirectoryLock::acquire(&config.data, program)?;
    let mut has_begun = false;
    let served = process::run(config, |runtime| {
        let Some(begun) = runtime.block_on(begin(config, role))? else { return Ok(()) };
        has_begun = true;
        runtime.block_on(serve(config, begun, role, demo))
    });
    if !has_begun && let Err(error) = lock.give_back_untouched() {
        tracing::warn!(%error, "the lock file does not say who had it before");
    }
    served
}

/// What there is when nothing in the data directory was touched yet.
struct Beginning {
    ended: EndSignal,
    doors: Doors,
    admin_server: JoinHandle<std::io::Result<()>>,
    admin_door: AdminDoor,
    readiness: Arc<Readiness>,
    status: Arc<ExchangeStatus>,
    stop: watch::Sender<bool>,
    inspected: InspectedExchange<FileStorage>,
}

/// Binds the ports, and verifies journal and event log. Nothing when a signal ended it.
async fn begin(config: &Config, role: Role) -> anyhow::Result<Option<Beginning>> {
    let mut ended = process::end_signal()?;
    let admin_listener = bind(config.admin_listen).await?;
    let doors = match role {
        Role::Whole { .. } => Doors::Traders(TradersPorts::open(config).await?),
        Role::Engine => Doors::Gateways(EngineDoor::open(config).await?),
    };

    let status: Arc<ExchangeStatus> = Arc::default();
    let readiness = Arc::new(Readiness::new(Arc::<ExchangeStatus>::clone(&status)));
    let admin_door = AdminDoor::default();
    let (stop, stopping) = watch::channel(false);
    tracing::info!(address = %admin_listener.local_addr()?, "administration listens");
    let router = admin_door.router(Arc::<Readiness>::clone(&readiness));
    let admin_server = tokio::spawn(serve_plain(admin_listener, router, stopping));

    let storage = FileStorage::new(&config.data);
    let options = Options { status: Arc::clone(&status), hash_seed: random()?, ..config.engine_options() };
    let inspection = tokio::task::spawn_blocking(move || Exchange::inspect(storage, options));
    let inspected = tokio::select! {
        inspected = inspection => inspected?.context("the exchange cannot be opened")?,
        () = &mut ended => return Ok(None),
    };
    Ok(Some(Beginning { ended, doors, admin_server, admin_door, readiness, status, stop, inspected }))
}

async fn serve(config: &Config, begun: Beginning, role: Role, with_demo: bool) -> anyhow::Result<()> {
    let opened = match role {
        Role::Whole { .. } => accounts_database::open(config).await,
        Role::Engine => accounts_database::open_to_share(config).await,
    };
    let accounts = Arc::new(opened?);
    let served = Box::pin(run(config, begun, &accounts, role, with_demo)).await;
    let closed = timeout(DATABASE_TIMEOUT, accounts.close()).await;
    served?;
    if let Ok(closed) = closed {
        closed?;
    } else {
        tracing::warn!("the database is still in use; its write-ahead log stays beside it");
    }
    Ok(())
}

async fn run(
    config: &Config,
    begun: Beginning,
    accounts: &Arc<Accounts>,
    role: Role,
    with_demo: bool,
) -> anyhow::Result<()> {
    let Beginning { mut ended, doors, admin_server, admin_door, readiness, status, stop, inspected } = begun;
    let token = admin_token(&config.data)?;

    let storage = FileStorage::new(&config.data);
    let found = tokio::task::spawn_blocking(move || Consumers::newest(&storage, ADMINISTRATION, None));
    let Consumers { views, projection, outcomes, recorder } = found.await??;
    let traders_port = PortToCome::of(GATEWAY);
    let admin_port = PortToCome::of(ADMINISTRATION);
    let gateway = Gateway::new(
        Arc::<PortToCome>::clone(&traders_port),
        Arc::<Readiness>::clone(&readiness),
        views.clone(),
        Arc::clone(accounts),
        config.rate_limits()?,
    );
    let administration = Arc::new(Administration::new(
        Arc::clone(accounts),
        Arc::<PortToCome>::clone(&admin_port),
        views.clone(),
        ADMINISTRATION,
        outcomes,
    ));
    let rules = config.snapshot_rules();
    let keeper = Arc::new(SnapshotKeeper::new(
        &config.data,
        rules,
        Arc::clone(&status),
        views.clone(),
        ADMINISTRATION,
    ));
    let taker = Arc::new(Taker(Arc::clone(&keeper)));
    let (recorder, published) = stream::tell(Box::new(recorder));
    let followers = Followers::new(config, role != Role::Engine, published.clone())?;
    let books = followers.books();
    let read_books = past::read_beyond_memory(config, &views, books.clone()).await?;
    let upkeep = BooksUpkeep::default();
    let mut metrics = followers.metrics();
    metrics.push(Arc::new(upkeep.clone()));
    admin_door.open(admin::router(Arc::clone(&administration), gateway.clone(), taker, metrics, &token));

    let opening = tokio::task::spawn_blocking(move || inspected.open(vec![Box::new(projection), recorder]));
    let exchange = tokio::select! {
        opened = opening => opened?.context("the exchange cannot be opened")?,
        // A recovery changes nothing but the event log, which the next one makes whole.
        () = &mut ended => return Ok(()),
    };
    if let Some(torn) = exchange.torn_tail() {
        tracing::warn!(?torn, "the journal had an unfinished write, which was never answered");
    }
    let engine: Arc<ExchangeStatus> = exchange.status();
    let following = followers.start(engine);
    // Where the books are kept.
    let upkeep = books.map(|books| upkeep.start(config, books, Some(&config.data))).transpose()?;
    // Nobody else sets them.
    let _ = traders_port.port.set(Box::new(following.bounded(exchange.port(GATEWAY))));
    let _ = admin_port.port.set(Box::new(exchange.port(ADMINISTRATION)));

    let mut market = None;
    if status.state() == EngineState::Open {
        gateway.end_sessions_of_before().await;
        let finished = administration.reconcile().await?;
        if finished > 0 {
            tracing::info!(finished, "finished what administration had promised");
        }
        if with_demo {
            let was_empty = exchange.recovered().0 == 0;
            demo::prepare(&config.data, &administration, &views, was_empty).await?;
        }
        if role == (Role::Whole { demo_market: true }) {
            market = Some(demo_market::account(&administration, &views).await?);
        }
    }

    let served = match doors {
        Doors::Traders(traders) => {
            let router = gateway::router(gateway.clone());
            Served::Traders(traders.serve(router, stop.subscribe(), market.is_some()).await?)
        }
        Doors::Gateways(door) => {
            Served::Gateways(door.serve(&exchange, views.clone(), &published, stop.subscribe())?)
        }
    };
    let keeping_up = tokio::spawn(keep_up(views, Arc::clone(accounts)));
    let snapshots = tokio::spawn(Arc::clone(&keeper).run());
    let market = match (&served, market) {
        (Served::Traders(ports), Some(key)) => Some(tokio::spawn(demo_market::run(ports.plain, key))),
        _ => None,
    };
    readiness.open();
    match &served {
        Served::Traders(ports) => tracing::info!(address = %ports.address, "open for trading"),
        Served::Gateways(door) => tracing::info!(address = %door.address, "open for gateways"),
    }

    ended.await;
    tracing::info!("stopping");
    if let Some(market) = market {
        market.abort();
    }
    stop.send_replace(true);
    gateway.stop_streams();
    if timeout(CONNECTIONS_TIMEOUT, served.ended()).await.is_err() {
        tracing::warn!("some connections did not end by themselves");
    }
    snapshots.abort();
    if let Some(upkeep) = upkeep {
        upkeep.abort();
    }
    let last = tokio::task::spawn_blocking(move || {
        let stopped = exchange.stop();
        let last = status.durable_sequence();
        if let Err(error) = keeper.write_last(&stopped) {
            tracing::warn!(
                error = format!("{error:#}"),
                "no last snapshot; the next start reads the journal"
            );
        }
        last
    });
    following.stop(last.await?).await;
    read_books.end().await;
    keeping_up.abort();
    admin_server.abort();
    tracing::info!("stopped");
    Ok(())
}

/// Doors that are open.
enum Served {
    Traders(ServedPorts),
    Gateways(ServedDoor),
}

impl Served {
    async fn ended(self) {
        match self {
            Self::Traders(ports) => ports.ended().await,
            Self::Gateways(door) => door.ended().await,
        }
    }
}

/// Sends market data that is due, and writes the use of keys.
pub(crate) async fn keep_up(views: Views, accounts: Arc<Accounts>) {
    let mut market_data = interval(VIEWS_INTERVAL);
    let mut keys = interval(KEYS_INTERVAL);
    market_data.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = market_data.tick() => views.tick(now()),
            _ = keys.tick() => if let Err(error) = accounts.flush_last_used().await {
                tracing::warn!(%error, "the last use of keys was not written");
            },
        }
    }
}

/// The admin API's token: in its file, which is made at the first start.
fn admin_token(data: &Path) -> anyhow::Result<SecretString> {
    let path = data.join("admin-token");
    if !path.exists() {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes)?;
        private_file::write(&path, HEXLOWER.encode(&bytes).as_bytes())?;
    }
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(SecretString::from(text.trim()))
}

fn random() -> anyhow::Result<u64> {
    Ok(getrandom::u64()?)
}
