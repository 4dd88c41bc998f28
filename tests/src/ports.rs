//! Ports for the servers of tests: nobody else is given them, neither between the moment they are chosen and
//! the one they are listened at, nor between a server's death and its next start. Refuses to know who
//! listens.
//!
//! They lie below those that Linux gives away by itself, to whoever connects or asks for any port. Test
//! processes divide them among themselves by locked files, which a process that ends lets go.

use std::{
    env,
    fs::{self, File},
    net::{Ipv4Addr, SocketAddr, TcpListener},
    sync::{Mutex, PoisonError},
};

/// The first of all ports.
const FIRST: u16 = 20_000;
/// So many belong together, and to one process at a time.
const BLOCK: u16 = 200;
const BLOCKS: u16 = 60;

/// This process's ports.
struct Own {
    /// The next one that it has not given away, and the end of its newest block.
    next: u16,
    end: u16,
    /// The files of its blocks, locked until it ends.
    locks: Vec<File>,
}

static OWN: Mutex<Own> = Mutex::new(Own { next: 0, end: 0, locks: Vec::new() });

/// An address of this machine alone that nobody listens at; it is given once.
///
/// # Panics
/// When other tests have all there are.
pub fn free_address() -> SocketAddr {
    let mut own = OWN.lock().unwrap_or_else(PoisonError::into_inner);
    loop {
        if own.next == own.end {
            own.take_block();
        }
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, own.next));
        own.next += 1;
        // Somebody who is no test may be there.
        if TcpListener::bind(address).is_ok() {
            return address;
        }
    }
}

/// Several such addresses.
///
/// # Panics
/// When other tests have all there are.
pub fn free_addresses<const COUNT: usize>() -> [SocketAddr; COUNT] {
    [(); COUNT].map(|()| free_address())
}

impl Own {
    fn take_block(&mut self) {
        let user = rustix::process::geteuid().as_raw();
        let directory = env::temp_dir().join(format!("rialto-test-ports-{user}"));
        fs::create_dir_all(&directory).expect("a directory can be made");
        for block in 0..BLOCKS {
            let lock = File::create(directory.join(block.to_string())).expect("a file can be made");
            if lock.try_lock().is_ok() {
                self.locks.push(lock);
                self.next = FIRST + block * BLOCK;
                self.end = self.next + BLOCK;
                return;
            }
        }
        panic!("tests use all ports from {FIRST} on");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn an_address_is_given_once_and_can_be_listened_at() {
        // More than a block has.
        let given: Vec<_> = (0..BLOCK + 10).map(|_| free_address()).collect();
        assert_eq!(given.iter().collect::<BTreeSet<_>>().len(), given.len());
        assert!(given.iter().all(|address| TcpListener::bind(address).is_ok()));
    }

    #[test]
    fn another_process_is_given_other_ports() {
        let [address] = free_addresses();
        let block = (address.port() - FIRST) / BLOCK;
        let mut other = Own { next: 0, end: 0, locks: Vec::new() };
        other.take_block();
        assert_ne!((other.next - FIRST) / BLOCK, block, "each opens its own file");
    }
}
