//! One side of one book: the queue at every price, and the way from the best price to the worst.
//!
//! Prices lie in pages of 512 levels, a page existing while one of its levels does; each page has a
//! bitmap of its levels, and the side one of its pages. The next price is found by counting zeros,
//! not by walking a tree. Refuses to know quantities.

use super::{NIL, slab::Slab};
use protocol::{Price, Side};
use std::hint::select_unpredictable;

const PAGE_BITS: u32 = 9;
const PAGE_LEVELS: usize = 1 << PAGE_BITS;
const PAGE_WORDS: usize = PAGE_LEVELS / 64;

#[derive(Clone, Copy, Debug)]
struct Level {
    head: u32,
    tail: u32,
}

/// No page in a pool.
const NO_PAGE: u32 = u32::MAX;

const EMPTY: Level = Level { head: NIL, tail: NIL };

#[derive(Debug)]
pub(super) struct Page {
    occupied: [u64; PAGE_WORDS],
    levels: [Level; PAGE_LEVELS],
}

/// Pages for all sides of all books, used again when empty.
#[derive(Debug, Default)]
pub(super) struct PagePool {
    pub(super) pages: Vec<Page>,
    free: Vec<u32>,
}

impl PagePool {
    fn take(&mut self) -> u32 {
        self.free.pop().unwrap_or_else(|| {
            self.pages.push(Page { occupied: [0; PAGE_WORDS], levels: [EMPTY; PAGE_LEVELS] });
            self.pages.len() as u32 - 1
        })
    }
}

/// One side of a book.
#[derive(Debug)]
pub(super) struct Levels {
    side: Side,
    /// How many orders there are, those included that are in no level.
    orders: u32,
    /// The first order at the best price.
    front: u32,
    /// The best price; 0 when the side is empty.
    best: Price,
    /// The page number (price >> PAGE_BITS) of `directory[0]`; a multiple of 64.
    first_page: u32,
    /// Which pool page holds each page number, or [`NO_PAGE`].
    directory: Vec<u32>,
    /// One bit for each entry of `directory` that is a page.
    occupied: Vec<u64>,
}

impl Levels {
    pub(super) fn new(side: Side) -> Self {
        Self {
            side,
            orders: 0,
            front: NIL,
            best: Price(0),
            first_page: 0,
            directory: Vec::new(),
            occupied: Vec::new(),
        }
    }

    #[inline]
    pub(super) fn front(&self) -> u32 {
        self.front
    }

    #[inline]
    pub(super) fn best(&self) -> Price {
        self.best
    }

    #[inline]
    pub(super) fn orders(&self) -> u32 {
        self.orders
    }

    /// Counts an order that is in no level, or no longer is.
    pub(super) fn count_beside(&mut self, more: bool) {
        self.orders = if more { self.orders + 1 } else { self.orders - 1 };
    }

    #[inline]
    fn is_best(&self, price: Price) -> bool {
        let lower = (price < self.best) | (self.best.0 == 0);
        self.side.pick(price > self.best, lower)
    }

    #[inline]
    fn page_of(&self, price: Price) -> u32 {
        let place = (price.0 >> PAGE_BITS).wrapping_sub(self.first_page) as usize;
        self.directory.get(place).copied().unwrap_or(NO_PAGE)
    }

    /// The last order at a price, or NIL.
    #[inline]
    pub(super) fn tail(&self, price: Price, pool: &PagePool) -> u32 {
        let page = pool.pages.get(self.page_of(price) as usize);
        page.map_or(NIL, |page| page.levels[price.0 as usize % PAGE_LEVELS].tail)
    }

    /// Puts a slot behind those at its price; returns the one it now stands behind, or NIL.
    #[inline]
    pub(super) fn push_back(&mut self, price: Price, slot: u32, pool: &mut PagePool) -> u32 {
        let mut page = self.page_of(price);
        if page == NO_PAGE {
            page = self.open_page(price, pool);
        }
        let page = &mut pool.pages[page as usize];
        let at = price.0 as usize % PAGE_LEVELS;
        let level = &mut page.levels[at];
        self.orders += 1;
        let tail = std::mem::replace(&mut level.tail, slot);
        level.head = select_unpredictable(tail == NIL, slot, level.head);
        page.occupied[at / 64] |= 1 << (at % 64);
        if self.is_best(price) {
            (self.best, self.front) = (price, slot);
        }
        tail
    }

    /// Takes a slot that stands between these two at its price out of its queue.
    #[inline]
    pub(super) fn remove(
        &mut self,
        price: Price,
        (prev, next): (u32, u32),
        slab: &mut Slab,
        pool: &mut PagePool,
    ) {
        self.orders -= 1;
        slab.links(next).prev = prev;
        slab.links(prev).next = next;
        if (prev == NIL) | (next == NIL) {
            self.change_end(price, (prev, next), pool);
        }
    }

    /// The queue's first or last was taken out.
    #[inline]
    fn change_end(&mut self, price: Price, (prev, next): (u32, u32), pool: &mut PagePool) {
        let page = self.page_of(price);
        let level = &mut pool.pages[page as usize].levels[price.0 as usize % PAGE_LEVELS];
        level.tail = select_unpredictable(next == NIL, prev, level.tail);
        level.head = select_unpredictable(prev == NIL, next, level.head);
        if level.head == NIL {
            self.close_level(price, page, pool);
        } else if price == self.best {
            self.front = level.head;
        }
    }

    #[inline]
    fn close_level(&mut self, price: Price, page: u32, pool: &mut PagePool) {
        let at = price.0 as usize % PAGE_LEVELS;
        let occupied = &mut pool.pages[page as usize].occupied;
        occupied[at / 64] &= !(1 << (at % 64));
        let empty = occupied[at / 64] == 0 && *occupied == [0; PAGE_WORDS];
        if price == self.best {
            (self.best, self.front) = self.level_after(price, pool);
        }
        if empty {
            self.close_page(price, page, pool);
        }
    }

    #[cold]
    fn close_page(&mut self, price: Price, page: u32, pool: &mut PagePool) {
        let place = ((price.0 >> PAGE_BITS) - self.first_page) as usize;
        self.directory[place] = NO_PAGE;
        self.occupied[place / 64] &= !(1 << (place % 64));
        pool.free.push(page);
    }

    /// The next worse price and its first order; 0 and NIL when there is none.
    #[inline]
    pub(super) fn level_after(&self, price: Price, pool: &PagePool) -> (Price, u32) {
        let at = price.0 as usize % PAGE_LEVELS;
        let page = self.page_of(price);
        if page != NO_PAGE {
            let page = &pool.pages[page as usize];
            let found = match self.side {
                Side::Sell => next_up(&page.occupied, at + 1),
                Side::Buy => next_down(&page.occupied, at),
            };
            if let Some(at) = found {
                return (Price(price.0 - price.0 % PAGE_LEVELS as u32 + at as u32), page.levels[at].head);
            }
        }
        self.level_in_next_page(price, pool)
    }

    #[cold]
    fn level_in_next_page(&self, price: Price, pool: &PagePool) -> (Price, u32) {
        let place = ((price.0 >> PAGE_BITS) - self.first_page) as usize;
        let found = match self.side {
            Side::Sell => next_up(&self.occupied, place + 1),
            Side::Buy => next_down(&self.occupied, place),
        };
        let Some(place) = found else { return (Price(0), NIL) };
        let page = &pool.pages[self.directory[place] as usize];
        let at = match self.side {
            Side::Sell => next_up(&page.occupied, 0),
            Side::Buy => next_down(&page.occupied, PAGE_LEVELS),
        };
        at.map_or((Price(0), NIL), |at| {
            let lowest = (self.first_page + place as u32) << PAGE_BITS;
            (Price(lowest + at as u32), page.levels[at].head)
        })
    }

    #[cold]
    fn open_page(&mut self, price: Price, pool: &mut PagePool) -> u32 {
        let number = price.0 >> PAGE_BITS;
        let aligned = number & !63;
        if self.directory.is_empty() {
            self.first_page = aligned;
        } else if number < self.first_page {
            let more = (self.first_page - aligned) as usize;
            self.directory.splice(0..0, std::iter::repeat_n(NO_PAGE, more));
            self.occupied.splice(0..0, std::iter::repeat_n(0, more / 64));
            self.first_page = aligned;
        }
        let place = (number - self.first_page) as usize;
        if place >= self.directory.len() {
            let length = (place + 1).next_multiple_of(64);
            self.directory.resize(length, NO_PAGE);
            self.occupied.resize(length / 64, 0);
        }
        let page = pool.take();
        self.directory[place] = page;
        self.occupied[place / 64] |= 1 << (place % 64);
        page
    }
}

/// The first set bit at `from` or above.
#[inline]
fn next_up(words: &[u64], from: usize) -> Option<usize> {
    let mut word = from / 64;
    let mut bits = words.get(word)? & (!0 << (from % 64));
    while bits == 0 {
        word += 1;
        bits = *words.get(word)?;
    }
    Some(word * 64 + bits.trailing_zeros() as usize)
}

/// The last set bit below `below`.
#[inline]
fn next_down(words: &[u64], below: usize) -> Option<usize> {
    let last = below.checked_sub(1)?;
    let mut word = last / 64;
    let mut bits = words[word] & (!0 >> (63 - last % 64));
    while bits == 0 {
        word = word.checked_sub(1)?;
        bits = words[word];
    }
    Some(word * 64 + 63 - bits.leading_zeros() as usize)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn bits_are_found_as_by_looking_at_each(words in proptest::collection::vec(any::<u64>(), 1..5), at in 0_usize..330) {
            let set = |index: &usize| words[index / 64] >> (index % 64) & 1 == 1;
            let length = words.len() * 64;
            prop_assert_eq!(next_up(&words, at), (at..length).find(set));
            let at = at.min(length);
            prop_assert_eq!(next_down(&words, at), (0..at).rev().find(set));
        }
    }
}
