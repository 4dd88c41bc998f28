//! A page of two halves: what memory has of it and what the books have. Refuses to know what is in it.

use std::collections::BTreeMap;

/// Which end of all there is a page is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The first of them.
    First,
    /// The last of them.
    Last,
}

impl End {
    /// The first, if it is read forward.
    pub(super) const fn of(is_forward: bool) -> Self {
        if is_forward { Self::First } else { Self::Last }
    }
}

/// The first or last `limit` of two such pages, in the order of their keys. Where both have a key, the one
/// in memory is taken.
pub(super) fn united<T, K: Ord>(
    in_memory: Vec<T>,
    written: Vec<T>,
    key: impl Fn(&T) -> K,
    limit: usize,
    end: End,
) -> Vec<T> {
    let mut all: BTreeMap<K, T> = BTreeMap::new();
    for row in written.into_iter().chain(in_memory) {
        all.insert(key(&row), row);
    }
    let beyond = all.len().saturating_sub(limit);
    match end {
        End::First => all.into_values().take(limit).collect(),
        End::Last => all.into_values().skip(beyond).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_wins_and_either_end_is_whole() {
        let (memory, books) = (vec![(3, 'm'), (5, 'm'), (6, 'm')], vec![(1, 'b'), (3, 'b'), (4, 'b')]);
        for (limit, end, expected) in [
            (2, End::First, vec![(1, 'b'), (3, 'm')]),
            (4, End::Last, vec![(3, 'm'), (4, 'b'), (5, 'm'), (6, 'm')]),
            (9, End::Last, vec![(1, 'b'), (3, 'm'), (4, 'b'), (5, 'm'), (6, 'm')]),
            (0, End::First, vec![]),
        ] {
            let page = united(memory.clone(), books.clone(), |row| row.0, limit, end);
            assert_eq!(page, expected, "{limit} {end:?}");
        }
    }
}
