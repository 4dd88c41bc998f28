//! The gateway's state: the rooms it asks, and what it counts itself. Cheap to clone. Refuses to hold
//! anything that could not be thrown away.

use crate::{
    dialect::DialectError,
    limits::{Door, Limiter, RateLimits},
    link::SocketTimes,
    views::Views,
};
use accounts::{Accounts, KeyStore};
use protocol::Time;
use services::{CommandPort, EngineStatus};
use std::{
    fmt,
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::{SystemTime, UNIX_EPOCH},
};
use tokio::sync::watch;

/// What the handlers of every door share.
#[derive(Clone)]
pub struct Gateway {
    pub(crate) commands: Arc<dyn CommandPort>,
    pub(crate) engine: Arc<dyn EngineStatus>,
    pub(crate) views: Views,
    pub(crate) accounts: Arc<Accounts>,
    pub(crate) keys: Arc<KeyStore>,
    pub(crate) limiter: Arc<Limiter>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) socket_times: SocketTimes,
    stopping: Arc<watch::Sender<bool>>,
    trace: Arc<AtomicU64>,
}

/// Plain counts for `/metrics`.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    /// REST requests answered.
    pub(crate) rest_requests: AtomicU64,
    /// Of those, with an error.
    pub(crate) rest_errors: AtomicU64,
    /// Requests of the WebSocket API answered.
    pub(crate) websocket_requests: AtomicU64,
    /// Of those, with an error.
    pub(crate) websocket_errors: AtomicU64,
    /// Market-stream connections open now.
    pub(crate) stream_connections: AtomicUsize,
    /// WebSocket API connections open now.
    pub(crate) websocket_connections: AtomicUsize,
    /// Connections closed because their client did not read.
    pub(crate) slow_connections: AtomicU64,
}

impl fmt::Debug for Gateway {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Gateway").finish_non_exhaustive()
    }
}

impl Gateway {
    /// A gateway over its rooms. `commands` is a source of its own, for traders' commands alone;
    /// `limits` is what clients may use.
    pub fn new(
        commands: Arc<dyn CommandPort>,
        engine: Arc<dyn EngineStatus>,
        views: Views,
        accounts: Arc<Accounts>,
        limits: RateLimits,
    ) -> Self {
        let now = system_time();
        Self {
            commands,
            engine,
            views,
            keys: accounts.key_store(),
            accounts,
            limiter: Arc::new(Limiter::new(limits)),
            counters: Arc::new(Counters::default()),
            socket_times: SocketTimes::default(),
            stopping: Arc::new(watch::Sender::new(false)),
            // Traces of two runs should not meet: a run starts from its own time.
            trace: Arc::new(AtomicU64::new(now.0)),
        }
    }

    /// The same with other times for its WebSocket connections.
    #[must_use]
    pub fn with_socket_times(mut self, socket_times: SocketTimes) -> Self {
        self.socket_times = socket_times;
        self
    }

    /// Tells every stream's client that the server stops (`serverShutdown`), and closes the streams.
    /// Requests that are being answered go on; stop taking connections first.
    pub fn stop_streams(&self) {
        self.stopping.send_replace(true);
    }

    /// Becomes true when the streams are to end.
    pub(crate) fn stopping(&self) -> watch::Receiver<bool> {
        self.stopping.subscribe()
    }

    /// The wall clock.
    #[expect(clippy::unused_self, reason = "the clock is a part of the gateway that callers should not pick")]
    pub(crate) fn now(&self) -> Time {
        system_time()
    }

    /// Counts a WebSocket connection that is about to open, or says that there were too many.
    pub(crate) fn count_connection(&self, address: IpAddr, door: Door) -> Result<(), DialectError> {
        let now = self.now();
        self.limiter.connect(address, door, now).map_err(|exceeded| exceeded.told(now))
    }

    /// A number that follows a request to the last consumer.
    pub(crate) fn next_trace(&self) -> u64 {
        self.trace.fetch_add(1, Ordering::Relaxed)
    }
}

/// Waits until the streams are to end. Cancel-safe.
pub(crate) async fn stopped(stopping: &mut watch::Receiver<bool>) {
    // The sender lives in the gateway that every connection holds: an error cannot be.
    let _ = stopping.wait_for(|stopping| *stopping).await;
}

/// The wall clock, as nanoseconds since 1970; 0 for a clock before that.
pub(crate) fn system_time() -> Time {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Time(u64::try_from(since.as_nanos()).unwrap_or(u64::MAX))
}
