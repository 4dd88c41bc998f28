//! A way between a gateway and its engine that breaks when it is told to, or is closed. Refuses to know
//! what goes over it.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering},
    },
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::watch,
};

pub struct BreakingWay {
    pub address: SocketAddr,
    state: Arc<State>,
}

struct State {
    /// Bytes from the gateway that still get through; negative: any number.
    left: AtomicI64,
    closed: AtomicBool,
    breaks: AtomicU64,
    /// Told to end what there is.
    cut: watch::Sender<u64>,
}

impl BreakingWay {
    pub async fn open_to(engine: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(State {
            left: AtomicI64::new(-1),
            closed: AtomicBool::new(false),
            breaks: AtomicU64::new(0),
            cut: watch::Sender::new(0),
        });
        let shared = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((gateway, _)) = listener.accept().await {
                if !shared.closed.load(Ordering::SeqCst) {
                    tokio::spawn(carry(gateway, engine, Arc::clone(&shared)));
                }
            }
        });
        Self { address, state }
    }

    /// Breaks once so many bytes from the gateway have gone over it.
    pub fn after(&self, bytes: u64) {
        self.state.left.store(bytes as i64, Ordering::SeqCst);
    }

    /// How often it broke.
    pub fn breaks(&self) -> u64 {
        self.state.breaks.load(Ordering::SeqCst)
    }

    /// Nothing goes over it until it is opened.
    pub fn close(&self) {
        self.state.closed.store(true, Ordering::SeqCst);
        self.state.cut.send_modify(|cuts| *cuts += 1);
    }

    pub fn open(&self) {
        self.state.closed.store(false, Ordering::SeqCst);
    }
}

async fn carry(mut gateway: TcpStream, engine: SocketAddr, state: Arc<State>) {
    let mut cut = state.cut.subscribe();
    cut.mark_unchanged();
    let Ok(mut engine) = TcpStream::connect(engine).await else { return };
    let (mut from_gateway, mut to_gateway) = gateway.split();
    let (mut from_engine, mut to_engine) = engine.split();
    let up = async {
        let mut bytes = vec![0; 4_096];
        while let Ok(read @ 1..) = from_gateway.read(&mut bytes).await {
            // What is sent after the way was closed must not slip through before the cut is noticed.
            if state.closed.load(Ordering::SeqCst) {
                return;
            }
            let left = state.left.load(Ordering::SeqCst);
            let passed = if left < 0 { read } else { read.min(left as usize) };
            if to_engine.write_all(&bytes[..passed]).await.is_err() {
                return;
            }
            if left >= 0 {
                state.left.store(left - passed as i64, Ordering::SeqCst);
                if passed < read {
                    state.left.store(-1, Ordering::SeqCst);
                    state.breaks.fetch_add(1, Ordering::SeqCst);
                    return;
                }
            }
        }
    };
    tokio::select! {
        () = up => {}
        _ = tokio::io::copy(&mut from_engine, &mut to_gateway) => {}
        _ = cut.changed() => {}
    }
}
