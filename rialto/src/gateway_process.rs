//! `rialto gateway`: doors and views in a process of their own. Its commands go to the engine over the
//! engine's socket; its views, and the answers to its commands, come from the event stream. Refuses to
//! keep anything: whatever it has is made again at its next start.
//!
//! Start: the ports bound (health answers from here on), the accounts database, the connection to the
//! engine, the views brought to the stream's end, the traders' port. Stop: no more connections, streams
//! told, what is in flight finished.

use crate::{
    accounts_database,
    admin_door::AdminDoor,
    config::Config,
    event_feed::EventFeed,
    event_source::{EventSource, StreamOpener},
    past,
    process::{self, EndSignal},
    readiness::Readiness,
    serve::{CONNECTIONS_TIMEOUT, DATABASE_TIMEOUT, keep_up},
    traders_ports::{TradersPorts, bind, serve_plain},
};
use accounts::Accounts;
use anyhow::Context as _;
use gateway::{
    Gateway, admin,
    views::{Bounds, Views},
};
use protocol::{Sequence, SourceId};
use remote::{Connection, RemoteEngine, RemoteOptions};
use services::EngineStatus;
use std::sync::Arc;
use std::time::Duration;
use stream::{BoundedPort, Follower, Lag, Published};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval, timeout};

/// Commands that may wait for their answers; the engine keeps the outcomes of as many.
const WINDOW: usize = 4_096;
/// Who waits for an answer longer is told that it is not known.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often it is looked whether another process has changed a key.
const KEYS_INTERVAL: Duration = Duration::from_millis(500);

/// Why its views cannot go on.
const NO_STREAM: &str = "the event stream cannot be followed";

/// Runs until a signal ends it, or it is told that it may not go on.
pub(crate) fn start(config: &Config) -> anyhow::Result<()> {
    process::run(config, |threads| threads.block_on(serve(config)))
}

async fn serve(config: &Config) -> anyhow::Result<()> {
    let ended = process::end_signal()?;
    let secret = config.engine_secret()?;
    let admin_listener = bind(config.admin_listen).await?;
    let traders = TradersPorts::open(config).await?;

    let (engine, answers, connection) = RemoteEngine::new(RemoteOptions {
        address: config.engine.clone(),
        source: SourceId(config.gateway_source),
        secret,
        engine_id: Some(config.engine_id),
        window: WINDOW,
        grace: config.gateway_grace(),
        patience: PATIENCE,
    })?;
    let engine = Arc::new(engine);
    // What the stream is behind the engine, this gateway's clients wait for: then it takes no new orders.
    let feed_at = Follower::default();
    let opened = Sequence(u64::MAX);
    let followers = vec![feed_at.clone()];
    let lag =
        Arc::new(Lag::new(Arc::<RemoteEngine>::clone(&engine), opened, config.stream_lag_bound, followers));
    let commands = BoundedPort::new(Arc::<RemoteEngine>::clone(&engine), Arc::clone(&lag));
    let (views, projection) = Views::new(Bounds::default());
    let read_books = past::read_beyond_memory(config, &views, None).await?;
    let published = Published::told_by(engine.published());
    let feed = EventFeed::new(
        StreamOpener::new(EventSource::of(config)?, Some(published)),
        feed_at,
        vec![Box::new(projection), Box::new(answers)],
    );

    let readiness = Arc::new(Readiness::new(Arc::<RemoteEngine>::clone(&engine)));
    let door = AdminDoor::default();
    let (stop, stopping) = watch::channel(false);
    tracing::info!(address = %admin_listener.local_addr()?, "health and metrics listen");
    let router = door.router(Arc::<Readiness>::clone(&readiness));
    let admin_server = tokio::spawn(serve_plain(admin_listener, router, stopping));

    let accounts = Arc::new(accounts_database::open_shared(config).await?);
    let gateway = Gateway::new(
        Arc::new(commands),
        Arc::<Readiness>::clone(&readiness),
        views.clone(),
        Arc::clone(&accounts),
        config.rate_limits()?,
    );
    door.open(admin::health_router(gateway.clone(), vec![lag]));
    let process = Process { gateway, views, accounts: Arc::clone(&accounts), readiness, traders, stop };
    let served = process.run(feed, connection, ended).await;
    admin_server.abort();
    read_books.end().await;
    if timeout(DATABASE_TIMEOUT, accounts.close()).await.is_err() {
        tracing::warn!("the database is still in use");
    }
    served
}

struct Process {
    gateway: Gateway,
    views: Views,
    accounts: Arc<Accounts>,
    readiness: Arc<Readiness>,
    traders: TradersPorts,
    stop: watch::Sender<bool>,
}

impl Process {
    async fn run(
        self,
        mut feed: EventFeed,
        connection: Connection,
        mut ended: EndSignal,
    ) -> anyhow::Result<()> {
        let Self { gateway, views, accounts, readiness, traders, stop } = self;
        let mut connected = Task(tokio::spawn(connection.run()));
        let stream = tokio::select! {
            stream = feed.catch_up() => stream.context(NO_STREAM)?,
            error = &mut connected.0 => return Err(error?).context("the engine is out of reach for good"),
            () = &mut ended => return Ok(()),
        };
        tracing::info!(sequence = views.position().0.0, "the views have caught up");
        let mut feeding = Task(tokio::spawn(feed.run(stream)));
        let _upkeep = Task(tokio::spawn(keep_up(views, Arc::clone(&accounts))));
        let _following = Task(tokio::spawn(follow_keys(accounts)));
        let ports = traders.serve(gateway::router(gateway.clone()), stop.subscribe(), false).await?;
        readiness.open();
        tracing::info!(address = %ports.address, state = ?readiness.state(), "open for traders");

        let failed = tokio::select! {
            () = &mut ended => Ok(()),
            error = &mut connected.0 => Err(error?).context("the engine is out of reach for good"),
            fed = &mut feeding.0 => fed?.context(NO_STREAM),
        };
        tracing::info!("stopping");
        stop.send_replace(true);
        gateway.stop_streams();
        if timeout(CONNECTIONS_TIMEOUT, ports.ended()).await.is_err() {
            tracing::warn!("some connections did not end by themselves");
        }
        tracing::info!("stopped");
        failed
    }
}

/// A task that ends with whoever has it.
struct Task<T>(JoinHandle<T>);

impl<T> Drop for Task<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Takes over the changes of keys that other processes make.
async fn follow_keys(accounts: Arc<Accounts>) {
    let mut looks = interval(KEYS_INTERVAL);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // Whatever was changed between loading the keys and now is taken over by the first look.
    let mut seen = accounts::KeysSeen::default();
    let mut told = false;
    loop {
        looks.tick().await;
        match accounts.follow_keys(seen).await {
            Ok(now) => (seen, told) = (now, false),
            Err(error) if !told => {
                tracing::warn!(%error, "changes of keys are not seen; trying again");
                told = true;
            }
            Err(_) => {}
        }
    }
}
