//! A real engine behind its server, gateways of it fed from its event log, and a way between them that
//! breaks when it is told to. Refuses to judge.

mod way;

use engine_runtime::pipeline::{Exchange, ExchangeStatus, Options};
use protocol::{
    SourceId,
    event::{Event, EventChunk},
};
use remote::{
    Connection, EngineServer, EngineSide, Frame, Goodbye, GreetError, RemoteEngine, RemoteError,
    RemoteOptions, Secret, ServerOptions, read_frame, write_frame,
};
use services::{Answer, EngineState, EngineStatus as _, EventConsumer, NumberedPort};
use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{
    io::AsyncWriteExt as _,
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
    time::{Instant, sleep, timeout},
};
pub use way::BreakingWay;

/// Shared by engine and gateways.
pub const SECRET: &str = "0123456789abcdef0123456789abcdef";
/// A gateway that is away for longer has ended.
pub const GRACE: Duration = Duration::from_millis(400);
/// Far above what anything here takes.
pub const PATIENCE: Duration = Duration::from_mins(1);

pub fn secret() -> Secret {
    Secret::new(SECRET).unwrap()
}

/// The account that an answer's own events say was opened.
pub fn account_of(answer: &Answer) -> u64 {
    let opened = |event| match event {
        Event::AccountOpened(opened) => Some(u64::from(opened.account.0)),
        _ => None,
    };
    answer.events().find_map(opened).expect("an account was opened")
}

/// All events there were, and how far they go: what an event log is.
struct Log {
    chunks: Mutex<Vec<Arc<[u8]>>>,
    published: watch::Sender<protocol::Sequence>,
}

struct Writer(Arc<Log>);

impl EventConsumer for Writer {
    fn consume(&mut self, chunks: &[u8]) {
        self.0.chunks.lock().unwrap().push(chunks.into());
        let last = EventChunk::all(chunks).last().unwrap().unwrap().header.sequence;
        self.0.published.send_replace(last);
    }
}

pub struct Engine {
    pub address: SocketAddr,
    log: Arc<Log>,
    _stop: watch::Sender<bool>,
    _exchange: Arc<Exchange>,
    _directory: tempfile::TempDir,
}

impl Engine {
    pub async fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let log = Arc::new(Log { chunks: Mutex::default(), published: watch::Sender::default() });
        let options = Options { reserve_bytes: 0, ..Options::default() };
        let writer = Box::new(Writer(Arc::clone(&log)));
        let exchange = Arc::new(Exchange::open_directory(directory.path(), options, vec![writer]).unwrap());
        let status: Arc<ExchangeStatus> = exchange.status();
        let port = |source| Arc::new(exchange.port(SourceId(source))) as Arc<dyn NumberedPort>;
        let side = EngineSide {
            ports: vec![port(16), port(17)],
            sessions: Arc::new(exchange.port(SourceId(3))),
            has_session_orders: Box::new(|| false),
            status,
            published: log.published.subscribe(),
        };
        let options = ServerOptions { engine_id: 1, secret: secret(), grace: GRACE };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopping) = watch::channel(false);
        tokio::spawn(EngineServer::new(options, side).run(listener, stopping));
        Self { address, log, _stop: stop, _exchange: exchange, _directory: directory }
    }

    pub fn gateway(&self, source: SourceId, address: SocketAddr) -> Gateway {
        self.gateway_with(source, address, secret())
    }

    pub fn gateway_with(&self, source: SourceId, address: SocketAddr, secret: Secret) -> Gateway {
        let options = RemoteOptions {
            address: address.to_string(),
            source,
            secret,
            engine_id: Some(1),
            window: 4_096,
            grace: GRACE,
            patience: PATIENCE,
        };
        let (port, mut feed, connection) = RemoteEngine::new(options).unwrap();
        let log = Arc::clone(&self.log);
        let feeding = tokio::spawn(async move {
            let mut published = log.published.subscribe();
            let mut read = 0;
            loop {
                published.mark_unchanged();
                let next = log.chunks.lock().unwrap().get(read).cloned();
                match next {
                    Some(chunks) => {
                        feed.consume(&chunks);
                        read += 1;
                    }
                    None => published.changed().await.unwrap(),
                }
            }
        });
        Gateway { port, connection: tokio::spawn(Connection::run(connection)), feeding }
    }

    pub async fn breaking_way(&self) -> BreakingWay {
        BreakingWay::open_to(self.address).await
    }

    /// Waits until the events of this command are there.
    pub async fn has_published(&self, sequence: u64) {
        let mut published = self.log.published.subscribe();
        timeout(PATIENCE, published.wait_for(|reached| reached.0 >= sequence)).await.unwrap().unwrap();
    }

    /// The accounts that were opened.
    pub fn accounts(&self) -> u64 {
        self.count(|chunk| {
            let events = chunk.events().map(Result::unwrap);
            events.filter(|event| matches!(event, Event::AccountOpened(_))).count() as u64
        })
    }

    /// One more than the source's commands that were done.
    pub fn next_number(&self, source: SourceId) -> u64 {
        1 + self.count(|EventChunk { header, .. }| {
            u64::from(header.source == source && header.last == 1 && header.repeat == 0)
        })
    }

    fn count(&self, count: impl Fn(&EventChunk<'_>) -> u64) -> u64 {
        let log = self.log.chunks.lock().unwrap();
        log.iter().flat_map(|chunks| EventChunk::all(chunks)).map(|chunk| count(&chunk.unwrap())).sum()
    }

    /// Speaks for a source by hand.
    pub async fn raw(
        &self,
        source: SourceId,
        life: u64,
        first: bool,
        secret: &Secret,
    ) -> Result<Raw, Goodbye> {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let welcome = match remote::greet(&mut stream, source, life, first, secret).await {
            Ok(welcome) => welcome,
            Err(GreetError::Goodbye(goodbye)) => return Err(goodbye),
            Err(error) => panic!("{error}"),
        };
        Ok(Raw { stream, welcome })
    }

    /// Sends bytes, and waits until the connection is over.
    pub async fn send_nonsense(&self, bytes: &[u8]) {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        // The engine may have hung up already.
        let _ = stream.shutdown().await;
        while read_frame(&mut stream).await.is_ok() {}
    }
}

/// A connection by hand.
pub struct Raw {
    stream: TcpStream,
    pub welcome: remote::Welcome,
}

impl Raw {
    pub async fn send(&mut self, frame: &Frame) {
        write_frame(&mut self.stream, frame).await.unwrap();
    }

    /// Why the engine ends it.
    pub async fn goodbye(&mut self) -> Goodbye {
        loop {
            if let Frame::Goodbye(goodbye) =
                timeout(PATIENCE, read_frame(&mut self.stream)).await.unwrap().unwrap()
            {
                return goodbye;
            }
        }
    }
}

/// A gateway with nothing but its port.
pub struct Gateway {
    pub port: RemoteEngine,
    pub connection: JoinHandle<RemoteError>,
    feeding: JoinHandle<()>,
}

impl Gateway {
    /// Waits until it may send commands.
    pub async fn is_up(&self) {
        self.sees(EngineState::Open).await;
    }

    /// Waits until the engine is so, as far as it knows.
    pub async fn sees(&self, state: EngineState) {
        let deadline = Instant::now() + PATIENCE;
        while self.port.state() != state {
            assert!(Instant::now() < deadline, "{:?}, not {state:?} in time", self.port.state());
            sleep(Duration::from_millis(1)).await;
        }
    }

    /// Waits until the engine has told that it applied so many commands: it tells beside the answers.
    pub async fn has_seen(&self, commands: u64) {
        let deadline = Instant::now() + PATIENCE;
        while self.port.core_sequence().0 < commands {
            assert!(Instant::now() < deadline, "the engine did not tell in time");
            sleep(Duration::from_millis(1)).await;
        }
        assert_eq!(self.port.core_sequence().0, commands);
    }

    /// As a killed process ends.
    pub async fn end(self) {
        self.connection.abort();
        self.feeding.abort();
        let _ = self.connection.await;
        let _ = self.feeding.await;
    }
}
