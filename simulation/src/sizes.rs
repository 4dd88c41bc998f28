//! How large a world is: small enough that its edges are met often. Refuses to know what happens in it.

use crate::client::{Client, Numbering};
use crate::random::Random;
use protocol::SourceId;

/// What a seed decides before anything happens.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    /// Slots of the ring.
    pub ring_slots: usize,
    /// Bytes of a segment of the journal.
    pub journal_segment_bytes: u64,
    /// Bytes of a segment of the event log.
    pub event_segment_bytes: u64,
    /// Steps of the core and the egress that fit in a sync, at most.
    pub slowness: u64,
    /// How many things happen.
    pub turns: u64,
    /// One turn in so many goes wrong.
    pub peace: u64,
    /// Commands that come at once, at most.
    pub burst: u64,
}

impl Sizes {
    /// A seed's sizes.
    pub fn draw(random: &mut Random) -> Self {
        Self {
            ring_slots: random.pick(&[64, 64, 128, 1_024]),
            journal_segment_bytes: random.pick(&[8 << 10, 8 << 10, 16 << 10, 64 << 10]),
            event_segment_bytes: random.pick(&[1 << 10, 8 << 10, 64 << 10]),
            slowness: random.pick(&[0, 1, 4, 16]),
            turns: random.within(100..900),
            peace: random.pick(&[15, 40, 100, 400]),
            burst: random.pick(&[1, 3, 12, 90]),
        }
    }

    /// The clients: one service that makes the markets, and up to four others.
    pub fn clients(random: &mut Random) -> Vec<Client> {
        let limits = [1, 4, 30, 300];
        let mut clients = vec![Client::new(SourceId(1), Numbering::Own, 40)];
        for source in 2..2 + random.within(1..5) as u32 {
            let numbering = random.pick(&[Numbering::Own, Numbering::Port]);
            clients.push(Client::new(SourceId(source), numbering, random.pick(&limits)));
        }
        clients
    }
}
