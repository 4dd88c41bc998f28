//! The newest records of one kind of an account: matches that self-trade prevention stopped,
//! amendments. Refuses to know what they say.

use super::bounds::{Gone, Held, Leave};
use protocol::{
    Time,
    history::{Amendment, PreventedMatch},
};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// What happened at a time.
pub(super) trait Timed {
    /// When.
    fn time(&self) -> Time;
}

impl Timed for PreventedMatch {
    fn time(&self) -> Time {
        self.time
    }
}

impl Timed for Amendment {
    fn time(&self) -> Time {
        self.time
    }
}

/// The newest records of one kind, the oldest first.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Records<T> {
    records: VecDeque<T>,
    gone: Gone,
}

impl<T> Default for Records<T> {
    fn default() -> Self {
        Self { records: VecDeque::new(), gone: Gone::default() }
    }
}

impl<T: Copy + Timed> Records<T> {
    pub(super) fn add(&mut self, record: T, leave: &Leave) {
        self.records.push_back(record);
        while let Some(oldest) = self.records.front().map(Timed::time)
            && leave.oldest(self.records.len(), leave.bounds.records_of_account, oldest)
        {
            self.records.pop_front();
            self.gone.note(leave, oldest);
        }
    }

    /// The first `limit` of those that are wanted.
    pub(super) fn first(&self, limit: usize, wanted: impl Fn(&T) -> bool) -> Held<Vec<T>> {
        let found = self.records.iter().filter(|record| wanted(record)).take(limit).copied().collect();
        Held { found, lacks: self.gone.until() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::views::Bounds;
    use protocol::Sequence;

    impl Timed for u64 {
        fn time(&self) -> Time {
            Time(*self)
        }
    }

    #[test]
    fn the_oldest_record_goes_first() {
        let mut records = Records::default();
        let bounds = Bounds { records_of_account: 3, ..Bounds::default() };
        for number in 1..=5_u64 {
            records.add(number, &Leave { bounds, books: None, now: Sequence(number) });
        }
        let all = records.first(9, |_| true);
        assert_eq!((all.found, all.lacks), (vec![3, 4, 5], Some(Sequence(5))));
        assert_eq!(records.first(1, |number| *number > 3).found, [4]);
    }
}
