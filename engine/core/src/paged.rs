//! A table of two dense keys, the second one large and mostly absent: (asset, account) or
//! (instrument, account). Rows of the second key come in pages that exist once one of them was
//! written. Two loads find an entry; nothing is hashed. Refuses to know what it keeps.

use protocol::AccountId;

const PAGE_BITS: u32 = 8;
const PAGE_ROWS: usize = 1 << PAGE_BITS;
/// The page that stands for all those that do not exist: never written.
const NO_PAGE: u32 = 0;

/// The table; `T::default()` is what an entry holds that was never written.
#[derive(Debug)]
pub(crate) struct Paged<T> {
    /// By `first * stride + (account >> PAGE_BITS)`: which page, or [`NO_PAGE`].
    directory: Vec<u32>,
    /// Page numbers that a first key has in `directory`.
    stride: usize,
    entries: Vec<T>,
}

impl<T: Copy + Default> Default for Paged<T> {
    fn default() -> Self {
        Self { directory: Vec::new(), stride: 1, entries: vec![T::default(); PAGE_ROWS] }
    }
}

impl<T: Copy + Default> Paged<T> {
    /// Makes room for a first key.
    pub(crate) fn open(&mut self, first: u16) {
        let length = (usize::from(first) + 1) * self.stride;
        if self.directory.len() < length {
            self.directory.resize(length, NO_PAGE);
        }
    }

    #[inline]
    fn place(&self, first: u16, account: AccountId) -> usize {
        let high = (account.0 >> PAGE_BITS) as usize;
        let page = if high < self.stride {
            self.directory.get(usize::from(first) * self.stride + high).copied().unwrap_or(NO_PAGE)
        } else {
            NO_PAGE
        };
        page as usize * PAGE_ROWS + account.0 as usize % PAGE_ROWS
    }

    /// The entry, or the default.
    #[inline]
    pub(crate) fn get(&self, first: u16, account: AccountId) -> &T {
        &self.entries[self.place(first, account)]
    }

    /// The entry, which exists from now on.
    #[inline]
    pub(crate) fn entry(&mut self, first: u16, account: AccountId) -> &mut T {
        let mut place = self.place(first, account);
        if place < PAGE_ROWS {
            place = self.open_page(first, account);
        }
        &mut self.entries[place]
    }

    #[cold]
    fn open_page(&mut self, first: u16, account: AccountId) -> usize {
        let high = (account.0 >> PAGE_BITS) as usize;
        if high >= self.stride {
            let stride = (high + 1).next_power_of_two();
            let mut directory = vec![NO_PAGE; self.directory.len() / self.stride * stride];
            for (new, old) in directory.chunks_mut(stride).zip(self.directory.chunks(self.stride)) {
                new[..old.len()].copy_from_slice(old);
            }
            (self.directory, self.stride) = (directory, stride);
        }
        let page = self.entries.len() / PAGE_ROWS;
        self.entries.resize(self.entries.len() + PAGE_ROWS, T::default());
        self.directory[usize::from(first) * self.stride + high] = page as u32;
        page * PAGE_ROWS + account.0 as usize % PAGE_ROWS
    }

    /// Every entry of the pages that exist, by first key, then account.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u16, AccountId, &T)> {
        let pages = self.directory.iter().enumerate().filter(|(_, page)| **page != NO_PAGE);
        pages.flat_map(move |(place, page)| {
            let first = (place / self.stride) as u16;
            let lowest = place % self.stride * PAGE_ROWS;
            let entries = &self.entries[*page as usize * PAGE_ROWS..][..PAGE_ROWS];
            entries
                .iter()
                .enumerate()
                .map(move |(low, entry)| (first, AccountId((lowest + low) as u32), entry))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    /// Near each other and far apart, the first and the last of a page among them.
    fn accounts() -> impl Strategy<Value = u32> {
        prop_oneof![
            0_u32..70_000,
            (0_u32..40, 0_u32..3)
                .prop_map(|(page, row)| (page << PAGE_BITS).saturating_add(row).saturating_sub(1))
        ]
    }

    proptest! {
        #[test]
        fn keeps_what_a_map_keeps(writes in proptest::collection::vec((0_u16..9, accounts(), 1_u64..9), 1..200)) {
            let mut paged: Paged<u64> = Paged::default();
            let mut model = BTreeMap::new();
            for (first, account, value) in writes {
                paged.open(first);
                *paged.entry(first, AccountId(account)) = value;
                model.insert((first, account), value);
                for other in [account, account ^ 1, account + (1 << PAGE_BITS), account << 1] {
                    let expected = model.get(&(first, other)).copied().unwrap_or(0);
                    prop_assert_eq!(*paged.get(first, AccountId(other)), expected);
                }
            }
            let kept: Vec<_> = paged.iter().filter(|(_, _, value)| **value != 0).map(|(first, account, value)| ((first, account.0), *value)).collect();
            prop_assert_eq!(kept, model.into_iter().collect::<Vec<_>>());
        }
    }
}
