//! A page of what an account has by id, of which what closed first may have left memory: what is here,
//! and whether that is all. Refuses to know what is kept.

use super::bounds::{Gone, Held};
use protocol::Time;
use std::collections::BTreeMap;

/// Which page is asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked<I> {
    /// The first id.
    pub(super) from: I,
    /// The last id; from [`from`](Self::from) on at least.
    pub(super) until: I,
    /// Not what was placed before.
    pub(super) start: Option<Time>,
    /// Not what was placed after.
    pub(super) end: Option<Time>,
    /// So many at most.
    pub(super) limit: usize,
    /// The first that there are, and not the last.
    pub(super) is_forward: bool,
}

impl<I: Ord + Copy> Asked<I> {
    /// The page of `kept`, by id: of what is `wanted`, placed when `placed` says. `gone_highest` is the
    /// highest id that has left and when it was placed, `gone` where that is to be found. Ids grow with
    /// time, so that whatever is above it, or was placed later, is here.
    pub(super) fn of<T: Copy>(
        &self,
        kept: &BTreeMap<I, T>,
        placed: impl Fn(&T) -> Time,
        wanted: impl Fn(&T) -> bool,
        gone: Gone,
        (gone_id, gone_time): (I, Time),
    ) -> Held<Vec<T>> {
        let is_asked = |(_, one): &(&I, &T)| {
            let time = placed(one);
            self.start.is_none_or(|start| time >= start)
                && self.end.is_none_or(|end| time <= end)
                && wanted(one)
        };
        let range = kept.range(self.from..=self.until.max(self.from));
        let (found, is_all): (Vec<_>, bool);
        if self.is_forward {
            found = range.filter(is_asked).take(self.limit).map(|(_, one)| *one).collect();
            is_all = self.from > gone_id || self.start.is_some_and(|start| start > gone_time);
        } else {
            let mut last: Vec<_> = range.rev().filter(is_asked).take(self.limit).collect();
            last.reverse();
            is_all = last.len() == self.limit && last.first().is_none_or(|(id, _)| **id > gone_id);
            found = last.into_iter().map(|(_, one)| *one).collect();
        }
        Held { found, lacks: gone.until().filter(|_| !is_all) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::views::bounds::{Bounds, Leave};
    use protocol::Sequence;

    /// Up to here the books must be to have what has left.
    const LEFT: Sequence = Sequence(77);
    const ANY: Asked<u64> =
        Asked { from: 0, until: u64::MAX, start: None, end: None, limit: 3, is_forward: true };

    /// Ids 3, 5, 6, 7, 8, 9 are here, placed at ten times their id; 4 is the highest that has left, and 3,
    /// which is still open, has not.
    fn page(asked: Asked<u64>, gone: Gone) -> Held<Vec<u64>> {
        let kept = [3, 5, 6, 7, 8, 9].map(|id| (id, id)).into();
        asked.of(&kept, |id| Time(id * 10), |id| *id != 6, gone, (4, Time(40)))
    }

    fn gone() -> Gone {
        let mut gone = Gone::NOTHING;
        gone.note(&Leave { bounds: Bounds::default(), books: None, now: LEFT }, Time(40));
        gone
    }

    #[test]
    fn a_page_lacks_what_may_lie_where_something_has_left() {
        let backward = Asked { is_forward: false, ..ANY };
        let cases = [
            ("the first of all", ANY, vec![3, 5, 7], true),
            ("from an id that has left", Asked { from: 4, ..ANY }, vec![5, 7, 8], true),
            ("from above what has left", Asked { from: 5, ..ANY }, vec![5, 7, 8], false),
            ("from the time of what has left", Asked { start: Some(Time(40)), ..ANY }, vec![5, 7, 8], true),
            ("from a later time", Asked { start: Some(Time(41)), ..ANY }, vec![5, 7, 8], false),
            ("up to a time", Asked { from: 5, end: Some(Time(70)), ..ANY }, vec![5, 7], false),
            ("up to an id", Asked { from: 5, until: 8, ..ANY }, vec![5, 7, 8], false),
            ("up to an id before the first", Asked { from: 5, until: 2, ..ANY }, vec![5], false),
            ("nothing", Asked { from: 10, ..ANY }, vec![], false),
            ("the last, enough above what has left", backward, vec![7, 8, 9], false),
            ("the last, and one from below", Asked { limit: 5, ..backward }, vec![3, 5, 7, 8, 9], true),
            ("the last, all above", Asked { limit: 4, ..backward }, vec![5, 7, 8, 9], false),
            ("the last, not enough", Asked { end: Some(Time(55)), ..backward }, vec![3, 5], true),
            ("none of the last", Asked { limit: 0, ..backward }, vec![], false),
        ];
        for (case, asked, found, lacks) in cases {
            assert_eq!(
                page(asked, gone()),
                Held { found: found.clone(), lacks: lacks.then_some(LEFT) },
                "{case}"
            );
            assert_eq!(
                page(asked, Gone::NOTHING),
                Held { found, lacks: None },
                "{case}, and nothing has left"
            );
        }
    }
}
