//! How much the views keep in memory, and what may leave it. Older history is the books of record's.
//! Refuses to know what is kept.

use protocol::{Sequence, Time};
use serde::{Deserialize, Serialize};
use services::BooksPosition;

/// The most of each thing that is kept; the oldest goes first.
///
/// Where there are books of record, nothing goes before they have it: while they are behind, memory keeps
/// more, up to [`while_books_lag`](Self::while_books_lag) times its bound. What must go even so is not
/// lost, but a question about it is refused until the books have caught up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Closed orders of one account (about 300 bytes each).
    pub closed_orders_of_account: usize,
    /// Closed orders of all accounts together.
    pub closed_orders: usize,
    /// Own trades of one account (about 100 bytes each).
    pub own_trades_of_account: usize,
    /// Own trades of all accounts together.
    pub own_trades: usize,
    /// Prevented matches of one account, amendments and done order lists likewise.
    pub records_of_account: usize,
    /// Public trades of one instrument, and aggregate trades likewise.
    pub trades_of_instrument: usize,
    /// Candles with trades in them, of one instrument and interval. At least 10,082: tickers over up
    /// to seven days are made from those of one minute.
    pub candles: usize,
    /// How many times each of these bounds may be reached while the books of record are behind; at least 1.
    pub while_books_lag: usize,
    /// Bytes waiting for one market-data connection before it is closed as too slow. Connections that
    /// wait for the same message share it: this is the most that one adds alone.
    pub market_queue_bytes: usize,
    /// Bytes waiting for one private subscription before it is closed as too slow.
    pub user_queue_bytes: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            closed_orders_of_account: 10_000,
            closed_orders: 1_000_000,
            own_trades_of_account: 10_000,
            own_trades: 1_000_000,
            records_of_account: 1_000,
            trades_of_instrument: 10_000,
            candles: 10_100,
            while_books_lag: 4,
            market_queue_bytes: 1 << 20,
            user_queue_bytes: 4 << 20,
        }
    }
}

/// What may leave memory just now.
#[derive(Clone, Copy, Debug)]
pub(super) struct Leave {
    /// How much is kept.
    pub(super) bounds: Bounds,
    /// Up to where the books of record are; `None` where there are none, and what leaves is gone.
    pub(super) books: Option<BooksPosition>,
    /// The command whose events are being taken in.
    pub(super) now: Sequence,
}

impl Leave {
    /// Whether the oldest of `count` things is to go. It last changed at `time`.
    pub(super) fn oldest(&self, count: usize, bound: usize, time: Time) -> bool {
        let bound = bound.max(1);
        let hard_bound = bound.saturating_mul(self.bounds.while_books_lag.max(1));
        count > bound && (self.written(time).is_some() || count > hard_bound)
    }

    /// A command up to which the books are, if that is beyond all that happened at `time`.
    fn written(&self, time: Time) -> Option<Sequence> {
        match self.books {
            None => Some(self.now),
            // Commands may share a time: the books have all of it only when they are beyond it.
            Some(books) => (time < books.time).then_some(books.sequence),
        }
    }
}

/// That something has left a store, and where it is to be found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Gone {
    /// Books up to this command have all that has left; 0 when nothing has.
    until: Sequence,
}

impl Gone {
    pub(super) const NOTHING: Self = Self { until: Sequence(0) };

    /// Notes what leaves, which last changed at `time`.
    pub(super) fn note(&mut self, leave: &Leave, time: Time) {
        self.until = self.until.max(leave.written(time).unwrap_or(leave.now));
    }

    /// Up to where the books must be to have what has left; `None` when nothing has.
    pub(super) fn until(self) -> Option<Sequence> {
        (self.until > Sequence(0)).then_some(self.until)
    }
}

/// What memory has of what was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held<T> {
    /// As if there were nothing else.
    pub found: T,
    /// When there may be more: books of record up to this command have it.
    pub lacks: Option<Sequence>,
}

impl<T: Default> Default for Held<T> {
    fn default() -> Self {
        Self { found: T::default(), lacks: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leave(books: Option<(u64, u64)>) -> Leave {
        let books =
            books.map(|(sequence, time)| BooksPosition { sequence: Sequence(sequence), time: Time(time) });
        Leave { bounds: Bounds { while_books_lag: 3, ..Bounds::default() }, books, now: Sequence(9) }
    }

    #[test]
    fn nothing_leaves_before_the_books_have_it_but_beyond_the_hard_bound() {
        for (books, count, expected, until) in [
            (None, 2, false, 9),
            (None, 3, true, 9),
            (Some((5, 50)), 3, false, 9), // others of its time may not be written
            (Some((5, 51)), 3, true, 5),
            (Some((5, 51)), 2, false, 5),
            (Some((0, 0)), 6, false, 9),
            (Some((0, 0)), 7, true, 9),
        ] {
            let leave = leave(books);
            assert_eq!(leave.oldest(count, 2, Time(50)), expected, "{books:?} {count}");
            let mut gone = Gone::default();
            assert_eq!(gone.until(), None);
            gone.note(&leave, Time(50));
            assert_eq!(gone.until(), Some(Sequence(until)), "{books:?} {count}");
        }
    }
}
