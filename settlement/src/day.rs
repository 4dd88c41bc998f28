//! Days by UTC. Refuses to know what is done with one.

use protocol::Time;
use std::{
    fmt,
    str::FromStr,
    time::{Duration, UNIX_EPOCH},
};

/// A day in nanoseconds.
const DAY: u64 = 86_400_000_000_000;

/// A day by UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day(u32);

impl Day {
    /// By its number; 1970-01-01 is 0.
    pub(crate) const fn numbered(number: u32) -> Self {
        Self(number)
    }

    /// How many days after 1970-01-01 it is.
    pub(crate) const fn number(self) -> u32 {
        self.0
    }

    /// The day that holds a moment.
    pub const fn of(time: Time) -> Self {
        Self((time.0 / DAY) as u32) // until the year 2554, where times end
    }

    /// The day before; 1970-01-01 has none.
    pub fn before(self) -> Option<Self> {
        self.0.checked_sub(1).map(Self)
    }

    /// The day after.
    #[must_use]
    pub const fn after(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// The midnight that begins it.
    pub const fn begin(self) -> Time {
        Time(self.0 as u64 * DAY)
    }

    /// The midnight that ends it: the first moment of the next day.
    pub const fn end(self) -> Time {
        Time((self.0 as u64 + 1) * DAY)
    }
}

impl fmt::Display for Day {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let moment = UNIX_EPOCH + Duration::from_nanos(self.begin().0);
        formatter.write_str(&humantime::format_rfc3339_seconds(moment).to_string()[..10])
    }
}

impl FromStr for Day {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no day such as 2026-11-21");
        let moment = humantime::parse_rfc3339(&format!("{text}T00:00:00Z")).map_err(|_| wrong())?;
        let since = moment.duration_since(UNIX_EPOCH).map_err(|_| wrong())?;
        let day = Self::of(Time(u64::try_from(since.as_nanos()).map_err(|_| wrong())?));
        // Each day has one text.
        if day.to_string() == text { Ok(day) } else { Err(wrong()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_has_one_text_and_ends_at_midnight() {
        let day: Day = "2026-11-21".parse().expect("a day");
        assert_eq!(day.begin(), Time(20_778 * DAY));
        assert_eq!(day.end().0 - day.begin().0, DAY);
        assert_eq!(Day::of(Time(day.end().0 - 1)), day);
        assert_eq!((Day::of(day.end()), Day::of(day.end()).before()), (day.after(), Some(day)));
        assert_eq!(day.to_string(), "2026-11-21");
        for text in ["2026-11-31", "2026-1-2", "1969-12-31", "", "2026-11-21T00:00:00Z", "x"] {
            assert!(text.parse::<Day>().is_err(), "{text}");
        }
    }
}
