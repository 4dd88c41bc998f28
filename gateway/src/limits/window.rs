//! Counts in fixed windows of the clock: a minute is a minute of UTC, as the headers say. Refuses to
//! know what is counted.

use protocol::Time;

const SECOND: u64 = 1_000_000_000;

/// The length of a window, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Length(u64);

pub(super) const TEN_SECONDS: Length = Length(10 * SECOND);
pub(super) const MINUTE: Length = Length(60 * SECOND);
pub(super) const FIVE_MINUTES: Length = Length(300 * SECOND);
pub(super) const DAY: Length = Length(86_400 * SECOND);

impl Length {
    /// Which window since 1970.
    const fn index(self, now: Time) -> u64 {
        now.0 / self.0
    }

    /// When the window that `now` is in ends.
    pub(super) const fn end(self, now: Time) -> Time {
        Time((self.index(now) + 1).saturating_mul(self.0))
    }
}

/// A count in one window; a count of a window that is over is 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Window {
    index: u64,
    count: u32,
}

impl Window {
    /// Adds, and gives the sum.
    pub(super) fn add(&mut self, length: Length, now: Time, number: u32) -> u32 {
        let index = length.index(now);
        if self.index != index {
            *self = Self { index, count: 0 };
        }
        self.count = self.count.saturating_add(number);
        self.count
    }

    /// The sum as it stands.
    pub(super) const fn count(&self, length: Length, now: Time) -> u32 {
        if self.index == length.index(now) { self.count } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_ends_with_its_window() {
        let mut window = Window::default();
        for (second, number, sum) in [(0, 1, 1), (59, 2, 3), (60, 4, 4), (61, 0, 4), (180, 1, 1)] {
            let now = Time(second * SECOND);
            assert_eq!(window.add(MINUTE, now, number), sum, "second {second}");
            assert_eq!(window.count(MINUTE, now), sum);
        }
        assert_eq!(window.count(MINUTE, Time(240 * SECOND)), 0);
        assert_eq!(window.add(MINUTE, Time(180 * SECOND), u32::MAX), u32::MAX, "it does not wrap");
        assert_eq!(MINUTE.end(Time(59 * SECOND)), Time(60 * SECOND));
        assert_eq!(MINUTE.end(Time(60 * SECOND)), Time(120 * SECOND));
    }
}
