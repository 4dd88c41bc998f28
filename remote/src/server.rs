//! The engine's side: takes gateways' connections, and hands what they send to their sources' ports.
//! Refuses to know what a command does, and to answer it: the event stream does.
//!
//! One connection speaks for a source at a time. A newer one of the same source takes over when what
//! the older had under way is settled, so that the number it is told is the right one.

use crate::{
    frame::Frame,
    handshake::{Challenge, Goodbye, GoodbyeReason, Hello, PROTOCOL_VERSION, Welcome},
    life::{Sessions, Speaker},
    secret::{Prover, Secret, nonce},
    settle::{NotUsed, Settling},
    status::StatusReport,
    wire::{read_frame, write_frame},
};
use protocol::{
    Sequence, SourceId, SourceNumber,
    command::{CloseSession, Command},
};
use services::{CommandPort, EngineState, EngineStatus, NumberedPort, RecordRefused, SubmitError};
use std::{fmt, io, sync::Arc, time::Duration};
use tokio::{
    io::BufReader,
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::{Mutex, Semaphore, mpsc, watch},
    time::{interval, sleep, timeout},
};

/// How often the gateway hears how the engine is, when nothing happens.
pub(crate) const HEARTBEAT: Duration = Duration::from_millis(500);
/// A side that says nothing for so long is gone.
pub(crate) const SILENCE: Duration = Duration::from_secs(3);
/// How long a handshake's step may take.
pub(crate) const HANDSHAKE: Duration = Duration::from_secs(3);
/// Between two attempts to hand in what the ring had no room for.
const RING_RETRY: Duration = Duration::from_millis(1);
/// Between two attempts to hand in the end of sessions.
const SESSIONS_RETRY: Duration = Duration::from_millis(20);
/// After a connection that the system did not give.
const ACCEPT_RETRY: Duration = Duration::from_millis(100);
/// Connections that have not proven anything yet.
const STRANGERS_MAX: usize = 64;
/// Bytes read at once.
const READ_BYTES: usize = 64 * 1024;
/// Commands read and not handed in yet.
const READ_AHEAD: usize = 64;
/// All sessions of a source.
const ALL: u64 = 0;

/// How the server is run.
#[derive(Clone, Debug)]
pub struct ServerOptions {
    /// Which engine it is.
    pub engine_id: u32,
    /// What gateways must know.
    pub secret: Secret,
    /// A gateway that is not back after so long has ended, and its sessions with it.
    pub grace: Duration,
}

/// What the server asks of its engine.
pub struct EngineSide {
    /// The ports of the sources that may come over the socket.
    pub ports: Vec<Arc<dyn NumberedPort>>,
    /// A source of the server's own, for the ends of sessions.
    pub sessions: Arc<dyn CommandPort>,
    /// Whether any open order ends with a session.
    pub has_session_orders: Box<dyn Fn() -> bool + Send + Sync>,
    /// How the engine is.
    pub status: Arc<dyn EngineStatus>,
    /// How far the event log goes.
    pub published: watch::Receiver<Sequence>,
}

/// Serves gateways. Clones are the same server.
#[derive(Clone)]
pub struct EngineServer(Arc<Shared>);

struct Shared {
    options: ServerOptions,
    side: EngineSide,
    slots: Vec<Slot>,
    strangers: Semaphore,
}

/// One source's place.
struct Slot {
    source: SourceId,
    /// Counts the connections that asked for the place: the newest has it.
    claims: watch::Sender<u64>,
    state: Mutex<SlotState>,
}

struct SlotState {
    port: Arc<dyn NumberedPort>,
    speaker: Speaker,
    settling: Settling,
}

impl fmt::Debug for EngineServer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("EngineServer").field("options", &self.0.options).finish_non_exhaustive()
    }
}

/// Why a connection is over.
enum End {
    /// It broke.
    Lost(io::Error),
    /// It is told why.
    Told(Goodbye),
}

impl From<io::Error> for End {
    fn from(error: io::Error) -> Self {
        // A frame that is none is told; everything else has nobody to tell.
        if error.kind() == io::ErrorKind::InvalidData {
            Self::Told(Goodbye::new(GoodbyeReason::Broken, error.to_string()))
        } else {
            Self::Lost(error)
        }
    }
}

impl EngineServer {
    /// A server of an engine that is open.
    pub fn new(options: ServerOptions, side: EngineSide) -> Self {
        let slot = |port: &Arc<dyn NumberedPort>| {
            let settling = Settling::new(port.next_number());
            let state = SlotState { port: Arc::clone(port), speaker: Speaker::default(), settling };
            Slot { source: port.source(), claims: watch::Sender::new(0), state: Mutex::new(state) }
        };
        let slots = side.ports.iter().map(slot).collect();
        Self(Arc::new(Shared { options, side, slots, strangers: Semaphore::new(STRANGERS_MAX) }))
    }

    /// Serves until told to stop, and then until what is under way is settled.
    pub async fn run(self, listener: TcpListener, stopping: watch::Receiver<bool>) {
        // Whoever an earlier run of the engine knew has as long to come back as after a lost connection.
        for slot in &self.0.slots {
            self.end_unless_back(slot.source, *slot.claims.borrow());
        }
        let mut stopped = stopping.clone();
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                // An error says that the sender is gone, and with it everything else.
                _ = stopped.wait_for(|stopping| *stopping) => break,
            };
            let (stream, address) = match accepted {
                Ok(accepted) => accepted,
                // Such as too many open files: those that are connected go on, and so does this.
                Err(error) => {
                    tracing::warn!(%error, "a connection on the engine's socket was not taken");
                    sleep(ACCEPT_RETRY).await;
                    continue;
                }
            };
            let (server, stopping) = (self.clone(), stopping.clone());
            tokio::spawn(async move {
                if let Err(error) = server.serve(stream, stopping).await {
                    tracing::debug!(%address, %error, "a connection on the engine's socket ended");
                }
            });
        }
        for slot in &self.0.slots {
            // Connections see the stop too, and give their place back when all is settled.
            drop(slot.state.lock().await);
        }
    }

    async fn serve(&self, stream: TcpStream, stopping: watch::Receiver<bool>) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let (reader, mut writer) = stream.into_split();
        let mut reader = BufReader::with_capacity(READ_BYTES, reader);
        let greeted = {
            // Dropped waiting: too many strangers at once wait here, and hold little.
            let _stranger = self.0.strangers.acquire().await.map_err(io::Error::other)?;
            timeout(HANDSHAKE, self.greet(&mut reader, &mut writer)).await?
        };
        let end = match greeted {
            Ok(hello) => self.converse(&hello, reader, &mut writer, stopping).await,
            Err(end) => end,
        };
        match end {
            End::Lost(error) => Err(error),
            End::Told(goodbye) => {
                tracing::warn!(reason = %goodbye, "a gateway's connection is ended");
                timeout(HANDSHAKE, write_frame(&mut writer, &Frame::Goodbye(goodbye))).await?
            }
        }
    }

    /// Learns who it is, and that it knows the secret.
    async fn greet(
        &self,
        reader: &mut BufReader<OwnedReadHalf>,
        writer: &mut OwnedWriteHalf,
    ) -> Result<Hello, End> {
        let told = |reason, text: String| Err(End::Told(Goodbye::new(reason, text)));
        let Frame::Hello(hello) = read_frame(reader).await? else {
            return told(GoodbyeReason::Broken, "a connection begins with a hello".to_owned());
        };
        if !hello.is_ours() || hello.version != PROTOCOL_VERSION {
            let text = format!(
                "the engine speaks version {PROTOCOL_VERSION} of its socket, the gateway {}: run builds that go together",
                hello.version
            );
            return told(GoodbyeReason::Version, text);
        }
        let secret = &self.0.options.secret;
        let nonce = nonce()?;
        let proof = secret.proof(Prover::Engine, &hello, &nonce);
        write_frame(writer, &Frame::Challenge(Challenge { nonce, proof })).await?;
        match read_frame(reader).await? {
            Frame::Proof(proof) if secret.is_proven(Prover::Gateway, &hello, &nonce, &proof.proof) => {}
            Frame::Proof(_) => {
                let text = "the gateway has another secret than the engine: give both the same file";
                return told(GoodbyeReason::Proof, text.to_owned());
            }
            _ => return told(GoodbyeReason::Broken, "a challenge is answered by a proof".to_owned()),
        }
        if self.slot(hello.source).is_none() {
            let text = format!(
                "the engine takes no commands of source {} from its socket: name it in the engine's `gateway_sources`",
                hello.source
            );
            return told(GoodbyeReason::Source, text);
        }
        Ok(hello)
    }

    /// Takes the source's place, and serves it until the connection ends or a newer one comes.
    async fn converse(
        &self,
        hello: &Hello,
        reader: BufReader<OwnedReadHalf>,
        writer: &mut OwnedWriteHalf,
        mut stopping: watch::Receiver<bool>,
    ) -> End {
        let source = hello.source;
        let Some(slot) = self.slot(source) else { return End::Lost(io::ErrorKind::NotFound.into()) };
        let mut claim = 0;
        slot.claims.send_modify(|claims| {
            *claims += 1;
            claim = *claims;
        });
        let mut claims = slot.claims.subscribe();
        let mut state = slot.state.lock().await;
        let sessions = match state.speaker.admit(hello) {
            Ok(sessions) => sessions,
            Err(goodbye) => return End::Told(goodbye),
        };
        if sessions == Sessions::End {
            self.end_sessions(source, "a new life of it has begun").await;
        }
        let welcome = Welcome {
            engine_id: self.0.options.engine_id,
            reserved: 0,
            next: state.settling.next(),
            settled: self.0.side.status.core_sequence(),
        };
        tracing::info!(
            source = source.0,
            next = welcome.next.0,
            first = hello.is_first(),
            "a gateway is connected"
        );
        let (records, mut read) = mpsc::channel(READ_AHEAD);
        let end = tokio::select! {
            end = take_frames(reader, records) => end,
            end = hand_in(&mut state, &mut read) => end,
            end = self.tell(writer, welcome) => end,
            _ = claims.wait_for(|claims| *claims != claim) => {
                End::Lost(io::Error::other("a newer connection speaks for the source"))
            }
            _ = stopping.wait_for(|stopping| *stopping) => {
                End::Told(Goodbye::new(GoodbyeReason::Stopping, "the engine stops"))
            }
        };
        state.settling.all().await;
        drop(state);
        if !*stopping.borrow() {
            let reason = match &end {
                End::Lost(error) => error.to_string(),
                End::Told(goodbye) => goodbye.to_string(),
            };
            tracing::info!(source = source.0, reason, "a gateway's connection is over");
            self.end_unless_back(source, claim);
        }
        end
    }

    /// Welcomes the gateway, and tells how the engine is, whenever that changes and now and then.
    async fn tell(&self, writer: &mut OwnedWriteHalf, welcome: Welcome) -> End {
        let Shared { side, .. } = &*self.0;
        let mut published = side.published.clone();
        let mut beat = interval(HEARTBEAT);
        let mut first = Some(Frame::Welcome(welcome));
        loop {
            let report = StatusReport {
                // Before the others are asked: what it says is then in the event log.
                published: *published.borrow_and_update(),
                state: side.status.state(),
                core: side.status.core_sequence(),
                durable: side.status.durable_sequence(),
            };
            let mut bytes = Vec::new();
            if let Some(welcome) = first.take() {
                welcome.write(&mut bytes);
            }
            Frame::Status(report).write(&mut bytes);
            let written = timeout(SILENCE, tokio::io::AsyncWriteExt::write_all(writer, &bytes)).await;
            if let Err(error) = written.map_err(io::Error::from).flatten() {
                return End::Lost(error);
            }
            tokio::select! {
                _ = beat.tick() => {}
                changed = published.changed() => if changed.is_err() {
                    return End::Told(Goodbye::new(GoodbyeReason::Stopping, "the engine has ended"));
                },
            }
        }
    }

    fn slot(&self, source: SourceId) -> Option<&Slot> {
        self.0.slots.iter().find(|slot| slot.source == source)
    }

    /// Ends the sessions of a source whose connection `claim` is over, unless it comes back in time.
    fn end_unless_back(&self, source: SourceId, claim: u64) {
        let server = self.clone();
        tokio::spawn(async move {
            sleep(server.0.options.grace).await;
            let Some(slot) = server.slot(source) else { return };
            let state = slot.state.lock().await;
            if *slot.claims.borrow() == claim {
                server.end_sessions(source, "it has not come back").await;
            }
            drop(state);
        });
    }

    /// Hands in the end of all sessions of a source, if there are any, until it is taken.
    async fn end_sessions(&self, source: SourceId, why: &str) {
        let side = &self.0.side;
        if !(side.has_session_orders)() {
            return;
        }
        let command = Command::CloseSession(CloseSession { source, reserved: 0, session: ALL });
        loop {
            let answer = match side.sessions.submit(&command, 0) {
                Ok(pending) => pending.await,
                Err(error) => Err(error),
            };
            match answer {
                Ok(answer) => {
                    let (sequence, orders) = (answer.sequence.0, answer.result);
                    tracing::warn!(
                        source = source.0,
                        why,
                        sequence,
                        orders,
                        "a gateway's sessions are ended"
                    );
                    return;
                }
                Err(SubmitError::Overloaded | SubmitError::NoRoom | SubmitError::Behind) => {
                    sleep(SESSIONS_RETRY).await;
                }
                // The engine stops: its next run ends what is left.
                Err(SubmitError::Closed | SubmitError::Unknown) => return,
            }
        }
    }
}

/// Reads what the gateway sends, until it is silent.
async fn take_frames(mut reader: BufReader<OwnedReadHalf>, records: mpsc::Sender<Vec<u8>>) -> End {
    loop {
        let frame = match timeout(SILENCE, read_frame(&mut reader)).await {
            Ok(Ok(frame)) => frame,
            Ok(Err(error)) => return error.into(),
            Err(_) => return End::Lost(io::Error::new(io::ErrorKind::TimedOut, "the gateway is silent")),
        };
        match frame {
            Frame::Command(record) => {
                if records.send(record).await.is_err() {
                    return End::Lost(io::ErrorKind::BrokenPipe.into());
                }
            }
            Frame::Ping => {}
            _ => {
                let text = "after the handshake a gateway sends commands and pings alone";
                return End::Told(Goodbye::new(GoodbyeReason::Broken, text));
            }
        }
    }
}

/// Hands records to the port in their order, and settles what the engine answers.
async fn hand_in(state: &mut SlotState, records: &mut mpsc::Receiver<Vec<u8>>) -> End {
    let SlotState { port, settling, .. } = state;
    let again = |text: String| End::Told(Goodbye::new(GoodbyeReason::Again, text));
    loop {
        let record = tokio::select! {
            biased;
            settled = settling.one(), if !settling.is_idle() => match settled {
                Ok(()) => continue,
                Err(NotUsed::Refused(error)) => return again(error.to_string()),
                Err(NotUsed::Unnumbered(reject)) => return again(reject.to_string()),
            },
            record = records.recv() => record,
        };
        // Nobody reads any more: the other branch says why.
        let Some(record) = record else { return std::future::pending().await };
        loop {
            match settling.hand_in(&**port, number_of(&record), &record) {
                Ok(()) => break,
                // The ring, or the place of a number that is not answered, is taken: the gateway waits too.
                Err(RecordRefused::Submit(SubmitError::Overloaded)) => {
                    sleep(RING_RETRY).await;
                    if !settling.is_idle()
                        && let Ok(Err(_)) = timeout(RING_RETRY, settling.one()).await
                    {
                        return again("a command before was not taken".to_owned());
                    }
                }
                Err(RecordRefused::Submit(error)) => return again(error.to_string()),
                Err(RecordRefused::Bad(text)) => {
                    return End::Told(Goodbye::new(GoodbyeReason::Broken, text));
                }
            }
        }
    }
}

/// The number in a record's header; 0, which is nobody's, when there is no whole one.
fn number_of(record: &[u8]) -> SourceNumber {
    const AT: usize = std::mem::offset_of!(protocol::command::CommandHeader, number);
    let bytes = record.get(AT..AT + 8).and_then(|bytes| bytes.try_into().ok());
    SourceNumber(bytes.map_or(0, u64::from_le_bytes))
}

/// Whether an engine in this state may be given commands.
pub(crate) fn refusal(state: &EngineState) -> Option<SubmitError> {
    match state {
        EngineState::Open => None,
        EngineState::NoRoom => Some(SubmitError::NoRoom),
        EngineState::Recovering { .. }
        | EngineState::Stopping
        | EngineState::Halted(_)
        | EngineState::Unreachable => Some(SubmitError::Closed),
    }
}
