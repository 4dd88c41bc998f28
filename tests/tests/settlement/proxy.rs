//! A TCP proxy before a PostgreSQL server that loses what it is told to lose. Refuses to know what is
//! sent, but for a commit.

use std::{
    io::{Read as _, Write as _},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicU8, AtomicU64, Ordering},
    },
    thread,
};

/// What happens to the next commit that a client sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Loss {
    /// Nothing.
    Nothing = 0,
    /// The server commits; the connection ends before its answer.
    Answer = 1,
    /// The connection ends before the server hears of it.
    Commit = 2,
}

/// Between clients and a server.
pub struct Proxy {
    pub address: SocketAddr,
    next: Arc<AtomicU8>,
    lost: Arc<AtomicU64>,
}

impl Proxy {
    /// Before `server`, which may come and go.
    pub fn before(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let (next, lost) = (Arc::new(AtomicU8::new(0)), Arc::new(AtomicU64::new(0)));
        let (next_in, lost_in) = (Arc::clone(&next), Arc::clone(&lost));
        // It ends with the test's process.
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let Ok(server) = TcpStream::connect(server) else { continue };
                let (next, lost) = (Arc::clone(&next_in), Arc::clone(&lost_in));
                thread::spawn(move || relay(&client, &server, &next, &lost));
            }
        });
        Self { address, next, lost }
    }

    /// `postgres://…` of the database `rialto` behind it.
    pub fn url(&self) -> String {
        format!("postgres://rialto@{}/rialto?sslmode=disable", self.address)
    }

    /// Decides about the next commit.
    pub fn lose(&self, loss: Loss) {
        self.next.store(loss as u8, Ordering::SeqCst);
    }

    /// How often it has lost something.
    pub fn losses(&self) -> u64 {
        self.lost.load(Ordering::SeqCst)
    }
}

/// From the client to the server here, back in a thread of its own.
fn relay(client: &TcpStream, server: &TcpStream, next: &AtomicU8, lost: &AtomicU64) {
    let (mut back_from, mut back_to) =
        (server.try_clone().expect("a socket"), client.try_clone().expect("a socket"));
    let (deaf_to, hears) = (Arc::new(AtomicU8::new(0)), client.try_clone().expect("a socket"));
    let deaf = Arc::clone(&deaf_to);
    let back = thread::spawn(move || {
        let mut buffer = vec![0; 64 << 10];
        while let Ok(count) = back_from.read(&mut buffer) {
            if count == 0 || deaf.load(Ordering::SeqCst) != 0 || back_to.write_all(&buffer[..count]).is_err()
            {
                break;
            }
        }
        // Whatever came after a commit was its answer: the server has committed by now.
        let _ = (back_to.shutdown(Shutdown::Both), back_from.shutdown(Shutdown::Both));
    });
    let (mut from, mut to) = (hears, server.try_clone().expect("a socket"));
    let mut buffer = vec![0; 64 << 10];
    while let Ok(count) = from.read(&mut buffer) {
        if count == 0 {
            break;
        }
        let sent = &buffer[..count];
        if sent.windows(7).any(|bytes| bytes == b"COMMIT\0") {
            match next.swap(Loss::Nothing as u8, Ordering::SeqCst) {
                loss if loss == Loss::Answer as u8 => {
                    lost.fetch_add(1, Ordering::SeqCst);
                    deaf_to.store(1, Ordering::SeqCst);
                }
                loss if loss == Loss::Commit as u8 => {
                    lost.fetch_add(1, Ordering::SeqCst);
                    break;
                }
                _ => {}
            }
        }
        if to.write_all(sent).is_err() {
            break;
        }
    }
    if deaf_to.load(Ordering::SeqCst) == 0 {
        let _ = to.shutdown(Shutdown::Both);
    }
    let _ = back.join();
    let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
}
