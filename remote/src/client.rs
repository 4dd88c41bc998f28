//! The gateway's side: a port whose engine is in another process. Numbers its commands itself, keeps
//! them until they are answered, and after a lost connection sends again what was not taken. Refuses to
//! know what a command does, and where the event stream comes from.

use crate::{
    answers::AnswerFeed,
    frame::{Frame, push_command},
    greet::{GreetError, greet},
    handshake::{Goodbye, Welcome},
    outgoing::Outgoing,
    secret::Secret,
    server::{HANDSHAKE, HEARTBEAT, SILENCE, refusal},
    status::StatusReport,
    wire::{read_frame, write_frame},
};
use protocol::{Sequence, SourceId, command::Command};
use services::{CommandPort, EngineState, EngineStatus, PendingAnswer, SubmitError};
use std::{
    fmt, io,
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock},
    time::{Duration, Instant},
};
use thiserror::Error;
use tokio::{
    io::{AsyncWriteExt as _, BufReader},
    net::{
        TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::{Notify, watch},
    time::{MissedTickBehavior, interval, sleep, timeout},
};

/// Between two attempts to connect.
const CONNECT_INTERVAL: Duration = Duration::from_millis(100);
/// Bytes written at once.
const WRITE_BYTES: usize = 64 * 1024;
/// The engine keeps so many outcomes of a source: no more may be without an answer.
const WINDOW_MAX: usize = 4_096;

/// How the engine is reached.
#[derive(Clone, Debug)]
pub struct RemoteOptions {
    /// Where: a host's name or address, and a port.
    pub address: String,
    /// Whose commands are sent; no other process sends any of this source.
    pub source: SourceId,
    /// What engine and gateways share.
    pub secret: Secret,
    /// Which engine it must be; `None`: whichever it is.
    pub engine_id: Option<u32>,
    /// Commands that may wait for their answers, at most 4,096.
    pub window: usize,
    /// What was not taken is sent again after a connection lost for no longer than this.
    pub grace: Duration,
    /// Who waits for an answer longer is told that it is not known.
    pub patience: Duration,
}

/// Why the engine will not be reached, however often it is tried.
#[derive(Debug, Error)]
pub enum RemoteError {
    /// The engine said so.
    #[error("the engine at {address} ended the connection for good: {reason}")]
    Ended {
        /// Where it is.
        address: String,
        /// Its words.
        reason: Goodbye,
    },
    /// Who answers there does not know the secret.
    #[error(
        "what answers at {address} does not know the secret: it is another engine, or none; give both sides the same file"
    )]
    Stranger {
        /// Where.
        address: String,
    },
    /// It is another engine.
    #[error(
        "the engine at {address} is engine {found}, and engine {expected} is meant: its events are not those of this gateway's stream"
    )]
    OtherEngine {
        /// Where.
        address: String,
        /// Which is meant.
        expected: u32,
        /// Which it is.
        found: u32,
    },
}

/// An engine in another process. Clones are the same.
#[derive(Clone)]
pub struct RemoteEngine(Arc<Shared>);

pub(crate) struct Shared {
    options: RemoteOptions,
    outgoing: Mutex<Outgoing>,
    /// As it was told last; [`EngineState::Unreachable`] while there is no connection.
    status: RwLock<StatusReport>,
    /// Whether commands are taken: there is a connection, and what was before it is settled.
    is_up: RwLock<bool>,
    /// There is something to send.
    more: Notify,
    /// How far the engine's event log goes, as it was told.
    published: watch::Sender<Sequence>,
    /// How far the event stream was read.
    pub(crate) seen: watch::Sender<Sequence>,
}

/// The connection to the engine, made again whenever it is lost.
#[derive(Debug)]
pub struct Connection {
    engine: RemoteEngine,
    life: u64,
    /// Until a welcome came.
    first: bool,
    lost: Option<Instant>,
    /// The last failure that was told.
    told: Option<String>,
}

impl fmt::Debug for RemoteEngine {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("RemoteEngine")
            .field("address", &self.0.options.address)
            .finish_non_exhaustive()
    }
}

/// Why a connection was lost.
enum Lost {
    /// Try again.
    Again(io::Error),
    Final(RemoteError),
}

impl From<io::Error> for Lost {
    fn from(error: io::Error) -> Self {
        Self::Again(error)
    }
}

impl RemoteEngine {
    /// An engine that is reached once its connection [runs](Connection::run), and whose answers come when
    /// the feed is shown the event stream.
    ///
    /// # Errors
    /// When the system gives no chance number.
    pub fn new(options: RemoteOptions) -> io::Result<(Self, AnswerFeed, Connection)> {
        let window = options.window.clamp(1, WINDOW_MAX);
        let shared = Arc::new(Shared {
            outgoing: Mutex::new(Outgoing::new(options.source, window)),
            options,
            status: RwLock::new(unreachable()),
            is_up: RwLock::new(false),
            more: Notify::new(),
            published: watch::Sender::new(Sequence(0)),
            seen: watch::Sender::new(Sequence(0)),
        });
        let life = getrandom::u64().map_err(io::Error::other)?;
        let engine = Self(Arc::clone(&shared));
        let connection = Connection { engine: engine.clone(), life, first: true, lost: None, told: None };
        Ok((engine, AnswerFeed::new(shared), connection))
    }

    /// How far the engine's event log goes, as it tells.
    pub fn published(&self) -> watch::Receiver<Sequence> {
        self.0.published.subscribe()
    }

    /// Commands that wait for their answers.
    pub fn waiting(&self) -> usize {
        self.0.outgoing().waiting()
    }
}

impl Shared {
    pub(crate) fn outgoing(&self) -> MutexGuard<'_, Outgoing> {
        // Nothing under this lock can panic half way.
        self.outgoing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn report(&self) -> StatusReport {
        self.status.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn is_up(&self) -> bool {
        *self.is_up.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn set_up(&self, is_up: bool) {
        *self.is_up.write().unwrap_or_else(PoisonError::into_inner) = is_up;
    }

    fn hear(&self, report: StatusReport) {
        let published = report.published;
        *self.status.write().unwrap_or_else(PoisonError::into_inner) = report;
        self.published.send_if_modified(|before| {
            let more = published > *before;
            *before = published.max(*before);
            more
        });
    }
}

fn unreachable() -> StatusReport {
    let none = Sequence(0);
    StatusReport { state: EngineState::Unreachable, core: none, durable: none, published: none }
}

impl CommandPort for RemoteEngine {
    fn source(&self) -> SourceId {
        self.0.options.source
    }

    fn submit(&self, command: &Command, trace: u64) -> Result<PendingAnswer, SubmitError> {
        if !self.0.is_up() {
            return Err(SubmitError::Closed);
        }
        if let Some(refused) = refusal(&self.0.report().state) {
            return Err(refused);
        }
        let mut outgoing = self.0.outgoing();
        // Asked again under the lock: a lost connection says so before it lets numbers go.
        if !self.0.is_up() {
            return Err(SubmitError::Closed);
        }
        let answer = outgoing.push(command, trace, Instant::now())?;
        drop(outgoing);
        self.0.more.notify_one();
        Ok(answer)
    }
}

impl EngineStatus for RemoteEngine {
    fn state(&self) -> EngineState {
        if self.0.is_up() { self.0.report().state } else { EngineState::Unreachable }
    }

    fn core_sequence(&self) -> Sequence {
        self.0.report().core
    }

    fn durable_sequence(&self) -> Sequence {
        self.0.report().durable
    }
}

impl Connection {
    /// Connects, and again whenever the connection is lost. Ends only when that can never help.
    pub async fn run(mut self) -> RemoteError {
        let shared = Arc::clone(&self.engine.0);
        let mut sweeps = interval(HEARTBEAT);
        sweeps.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let lost = {
                let connected = self.connected();
                tokio::pin!(connected);
                loop {
                    tokio::select! {
                        lost = &mut connected => break lost,
                        _ = sweeps.tick() => give_up(&shared),
                    }
                }
            };
            shared.set_up(false);
            shared.status.write().unwrap_or_else(PoisonError::into_inner).state = EngineState::Unreachable;
            self.lost.get_or_insert_with(Instant::now);
            match lost {
                Lost::Final(error) => return error,
                Lost::Again(error) => self.note(&error),
            }
            sleep(CONNECT_INTERVAL).await;
        }
    }

    /// Says why there is no connection, once for each reason.
    fn note(&mut self, error: &io::Error) {
        let text = error.to_string();
        if self.told.as_ref() != Some(&text) {
            let address = &self.engine.0.options.address;
            tracing::warn!(address, error = text, "no connection to the engine; trying again");
            self.told = Some(text);
        }
    }

    /// One connection, from its beginning to its end.
    async fn connected(&mut self) -> Lost {
        match self.converse().await {
            Ok(never) => match never {},
            Err(lost) => lost,
        }
    }

    async fn converse(&mut self) -> Result<std::convert::Infallible, Lost> {
        let options = &self.engine.0.options;
        let stream =
            timeout(HANDSHAKE, TcpStream::connect(&options.address)).await.map_err(io::Error::from)??;
        stream.set_nodelay(true)?;
        let (reader, mut writer) = stream.into_split();
        let mut reader = BufReader::new(reader);
        let greeting = timeout(HANDSHAKE, self.greet(&mut reader, &mut writer)).await;
        let welcome = greeting.map_err(io::Error::from)??;
        self.first = false;
        self.told = None;
        let lost_for = self.lost.map_or(Duration::ZERO, |lost| lost.elapsed());
        let engine = self.engine.clone();
        let shared = &*engine.0;
        tokio::select! {
            never = listen(shared, reader) => never,
            never = async {
                let settling = self.settle(welcome, lost_for);
                tokio::pin!(settling);
                // A gateway whose stream has to catch up first is not silent.
                while timeout(HEARTBEAT, &mut settling).await.is_err() {
                    write_frame(&mut writer, &Frame::Ping).await?;
                }
                send(shared, &mut writer).await
            } => never,
        }
    }

    async fn greet(
        &self,
        reader: &mut BufReader<OwnedReadHalf>,
        writer: &mut OwnedWriteHalf,
    ) -> Result<Welcome, Lost> {
        let options = &self.engine.0.options;
        let address = || options.address.clone();
        let mut stream = tokio::io::join(&mut *reader, writer);
        let greeted = greet(&mut stream, options.source, self.life, self.first, &options.secret).await;
        let welcome = greeted.map_err(|error| match error {
            GreetError::Stranger => Lost::Final(RemoteError::Stranger { address: address() }),
            GreetError::Goodbye(reason) => ended(&self.engine.0, reason),
            GreetError::Socket(error) => Lost::Again(error),
        })?;
        // How the engine is follows at once: what waits is judged by it.
        match read_frame(reader).await? {
            Frame::Status(report) => self.engine.0.hear(report),
            Frame::Goodbye(reason) => return Err(ended(&self.engine.0, reason)),
            _ => return Err(Lost::Again(io::ErrorKind::InvalidData.into())),
        }
        match options.engine_id {
            Some(expected) if expected != welcome.engine_id => {
                let (address, found) = (address(), welcome.engine_id);
                Err(Lost::Final(RemoteError::OtherEngine { address, expected, found }))
            }
            _ => Ok(welcome),
        }
    }

    /// Waits until every answer to what was taken before is seen, and goes on with the rest.
    async fn settle(&mut self, welcome: Welcome, lost_for: Duration) {
        let shared = &self.engine.0;
        let mut seen = shared.seen.subscribe();
        // The sender is in what is shared.
        let _ = seen.wait_for(|seen| *seen >= welcome.settled).await;
        let late = (lost_for > shared.options.grace).then_some(SubmitError::Closed);
        let refused = refusal(&shared.report().state).or(late);
        let mut outgoing = shared.outgoing();
        outgoing.reconcile(welcome.next, refused);
        let (next, again) = (welcome.next.0, outgoing.waiting());
        shared.set_up(true);
        drop(outgoing);
        self.lost = None;
        tracing::info!(address = shared.options.address, next, again, "connected to the engine");
    }
}

/// What a goodbye means for the gateway.
fn ended(shared: &Shared, reason: Goodbye) -> Lost {
    if reason.is_final() {
        return Lost::Final(RemoteError::Ended { address: shared.options.address.clone(), reason });
    }
    Lost::Again(io::Error::other(reason.to_string()))
}

/// Hears how the engine is, until it is silent.
async fn listen(
    shared: &Shared,
    mut reader: BufReader<OwnedReadHalf>,
) -> Result<std::convert::Infallible, Lost> {
    loop {
        let frame = timeout(SILENCE, read_frame(&mut reader)).await;
        match frame.map_err(|_| io::Error::new(io::ErrorKind::TimedOut, "the engine is silent"))?? {
            Frame::Status(report) => shared.hear(report),
            Frame::Goodbye(reason) => return Err(ended(shared, reason)),
            _ => return Err(Lost::Again(io::ErrorKind::InvalidData.into())),
        }
    }
}

/// Sends what there is to send, and pings.
async fn send(shared: &Shared, writer: &mut OwnedWriteHalf) -> Result<std::convert::Infallible, Lost> {
    let mut bytes = Vec::with_capacity(WRITE_BYTES);
    loop {
        bytes.clear();
        shared.outgoing().send(|record| {
            push_command(&mut bytes, record);
            bytes.len() < WRITE_BYTES
        });
        if bytes.is_empty() && timeout(HEARTBEAT, shared.more.notified()).await.is_ok() {
            continue;
        }
        if bytes.is_empty() {
            Frame::Ping.write(&mut bytes);
        }
        writer.write_all(&bytes).await?;
    }
}

/// Tells those who wait too long.
fn give_up(shared: &Shared) {
    let Some(time) = Instant::now().checked_sub(shared.options.patience) else { return };
    let told = shared.outgoing().give_up(time);
    if told > 0 {
        tracing::warn!(told, "no answers came in time; what became of the commands is not known yet");
    }
}
