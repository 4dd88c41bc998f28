//! The intervals of candles and where each begins: whole multiples since 1970, weeks from Monday,
//! months from the first, all in UTC shifted by the asker's zone. Refuses to know prices.

use crate::Time;

const SECOND: u64 = 1_000_000_000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// How long a candle is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Interval {
    OneSecond,
    OneMinute,
    ThreeMinutes,
    FiveMinutes,
    FifteenMinutes,
    ThirtyMinutes,
    OneHour,
    TwoHours,
    FourHours,
    SixHours,
    EightHours,
    TwelveHours,
    OneDay,
    ThreeDays,
    OneWeek,
    OneMonth,
}

impl Interval {
    /// Every interval, the shortest first.
    pub const ALL: [Self; 16] = [
        Self::OneSecond,
        Self::OneMinute,
        Self::ThreeMinutes,
        Self::FiveMinutes,
        Self::FifteenMinutes,
        Self::ThirtyMinutes,
        Self::OneHour,
        Self::TwoHours,
        Self::FourHours,
        Self::SixHours,
        Self::EightHours,
        Self::TwelveHours,
        Self::OneDay,
        Self::ThreeDays,
        Self::OneWeek,
        Self::OneMonth,
    ];

    /// As clients write it.
    pub const fn text(self) -> &'static str {
        match self {
            Self::OneSecond => "1s",
            Self::OneMinute => "1m",
            Self::ThreeMinutes => "3m",
            Self::FiveMinutes => "5m",
            Self::FifteenMinutes => "15m",
            Self::ThirtyMinutes => "30m",
            Self::OneHour => "1h",
            Self::TwoHours => "2h",
            Self::FourHours => "4h",
            Self::SixHours => "6h",
            Self::EightHours => "8h",
            Self::TwelveHours => "12h",
            Self::OneDay => "1d",
            Self::ThreeDays => "3d",
            Self::OneWeek => "1w",
            Self::OneMonth => "1M",
        }
    }

    /// The interval a client wrote; `None` for any other text.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|interval| interval.text() == text)
    }

    /// Its length in nanoseconds; `None` for a month.
    const fn nanoseconds(self) -> Option<u64> {
        Some(match self {
            Self::OneSecond => SECOND,
            Self::OneMinute => MINUTE,
            Self::ThreeMinutes => 3 * MINUTE,
            Self::FiveMinutes => 5 * MINUTE,
            Self::FifteenMinutes => 15 * MINUTE,
            Self::ThirtyMinutes => 30 * MINUTE,
            Self::OneHour => HOUR,
            Self::TwoHours => 2 * HOUR,
            Self::FourHours => 4 * HOUR,
            Self::SixHours => 6 * HOUR,
            Self::EightHours => 8 * HOUR,
            Self::TwelveHours => 12 * HOUR,
            Self::OneDay => DAY,
            Self::ThreeDays => 3 * DAY,
            Self::OneWeek => 7 * DAY,
            Self::OneMonth => return None,
        })
    }

    /// When the interval that holds `time` begins.
    pub fn open(self, time: Time) -> Time {
        let Some(length) = self.nanoseconds() else {
            let (year, month) = year_and_month(time.0 / DAY);
            return Time(first_day(year, month) * DAY);
        };
        // 1970 began on a Thursday: weeks are counted from the Monday after, 4 days later.
        let shift = if self == Self::OneWeek { 4 * DAY } else { 0 };
        if time.0 < shift {
            // The first days of 1970 belong to a week that began in 1969: cut to what there is.
            return Time(0);
        }
        Time((time.0 - shift) / length * length + shift)
    }

    /// When the interval after the one that opens at `open` begins.
    pub fn next(self, open: Time) -> Time {
        match self.nanoseconds() {
            Some(length) if self == Self::OneWeek && open.0 == 0 => Time(length - 3 * DAY),
            Some(length) => Time(open.0.saturating_add(length)),
            None => {
                let (year, month) = year_and_month(open.0 / DAY);
                let (year, month) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
                Time(first_day(year, month) * DAY)
            }
        }
    }
}

/// An interval by a clock east of UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ZonedInterval {
    /// How long.
    pub interval: Interval,
    /// How many minutes its clock is east of UTC; −720 to 840.
    pub zone_minutes: i32,
}

impl ZonedInterval {
    /// An interval by UTC.
    pub const fn utc(interval: Interval) -> Self {
        Self { interval, zone_minutes: 0 }
    }

    const fn zone(self) -> i64 {
        self.zone_minutes as i64 * MINUTE as i64 // a day at most
    }

    /// When the interval that holds `time` begins.
    pub fn open(self, time: Time) -> Time {
        let local = Time(time.0.saturating_add_signed(self.zone()));
        Time(self.interval.open(local).0.saturating_add_signed(-self.zone()))
    }

    /// When the interval after the one that opens at `open` begins.
    pub fn next(self, open: Time) -> Time {
        let local = Time(open.0.saturating_add_signed(self.zone()));
        Time(self.interval.next(local).0.saturating_add_signed(-self.zone()))
    }

    /// The longest interval by UTC, up to an hour, whose candles make up these: the interval
    /// itself where both clocks agree on it.
    pub fn made_from(self) -> Interval {
        let agrees = |interval: &Interval| {
            let zone = self.zone().unsigned_abs();
            zone == 0
                || interval.nanoseconds().is_some_and(|length| length <= DAY && zone.is_multiple_of(length))
        };
        [self.interval, Interval::OneHour, Interval::ThirtyMinutes, Interval::FifteenMinutes]
            .into_iter()
            .find(agrees)
            .unwrap_or(Interval::OneMinute)
    }
}

/// The civil year and month (1 to 12) of a day since 1970.
fn year_and_month(day: u64) -> (u64, u64) {
    // Howard Hinnant's civil_from_days, for days that are not negative: years begin in March, so
    // that a leap day is a year's last.
    let shifted = day + 719_468;
    let era = shifted / 146_097;
    let day_of_era = shifted % 146_097;
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    (year_of_era + era * 400 + u64::from(month <= 2), month)
}

/// The day since 1970 on which a month begins.
fn first_day(year: u64, month: u64) -> u64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year / 400;
    let year_of_era = year % 400;
    let march_month = if month > 2 { month - 3 } else { month + 9 };
    let day_of_year = (153 * march_month + 2) / 5;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> u64 {
        let parts: Vec<u64> = text.split('-').map(|part| part.parse().expect("a number")).collect();
        first_day(parts[0], parts[1]) + parts[2] - 1
    }

    #[test]
    fn texts_return() {
        for interval in Interval::ALL {
            assert_eq!(Interval::parse(interval.text()), Some(interval));
        }
        for text in ["", "1", "1H", "60m", "10m"] {
            assert_eq!(Interval::parse(text), None);
        }
    }

    #[test]
    fn days_and_months_are_the_calendars() {
        assert_eq!(day("1970-01-01"), 0);
        assert_eq!(day("2000-03-01"), 11_017);
        assert_eq!(day("2026-11-21"), 20_778);
        for (date, month) in
            [("2024-02-29", "2024-02-01"), ("2024-03-01", "2024-03-01"), ("2023-12-31", "2023-12-01")]
        {
            let open = Interval::OneMonth.open(Time(day(date) * DAY + 5));
            assert_eq!(open, Time(day(month) * DAY), "{date}");
        }
        assert_eq!(Interval::OneMonth.next(Time(day("2023-12-01") * DAY)), Time(day("2024-01-01") * DAY));
        // 2026-11-16 was a Monday.
        assert_eq!(Interval::OneWeek.open(Time(day("2026-11-22") * DAY)), Time(day("2026-11-16") * DAY));
        assert_eq!(Interval::OneWeek.open(Time(day("2026-11-23") * DAY)), Time(day("2026-11-23") * DAY));
    }

    #[test]
    fn a_zone_is_made_from_intervals_that_agree_with_it() {
        for (interval, zone_minutes, expected) in [
            (Interval::OneDay, 0, Interval::OneDay),
            (Interval::OneMonth, 0, Interval::OneMonth),
            (Interval::OneDay, 480, Interval::OneHour),
            (Interval::FourHours, 480, Interval::FourHours),
            (Interval::OneWeek, 480, Interval::OneHour),
            (Interval::OneHour, -330, Interval::ThirtyMinutes),
            (Interval::OneHour, 345, Interval::FifteenMinutes),
            (Interval::OneMinute, 345, Interval::OneMinute),
            (Interval::OneHour, 1, Interval::OneMinute),
        ] {
            let zoned = ZonedInterval { interval, zone_minutes };
            assert_eq!(zoned.made_from(), expected, "{zoned:?}");
        }
        let noon = Time(day("2026-11-21") * DAY + 20 * HOUR);
        let shanghai = ZonedInterval { interval: Interval::OneDay, zone_minutes: 480 };
        assert_eq!(shanghai.open(noon), Time(day("2026-11-21") * DAY + 16 * HOUR));
        assert_eq!(shanghai.next(shanghai.open(noon)), Time(day("2026-11-22") * DAY + 16 * HOUR));
    }

    #[test]
    fn every_interval_meets_the_next_one() {
        for interval in Interval::ALL {
            for time in [0, 3 * DAY, 4 * DAY, day("2024-02-29") * DAY + 17 * HOUR + 5] {
                let open = interval.open(Time(time));
                let next = interval.next(open);
                assert!(open.0 <= time && time < next.0, "{interval:?} {time}");
                assert_eq!(interval.open(Time(next.0 - 1)), open, "{interval:?} {time}");
                assert_eq!(interval.open(next), next, "{interval:?} {time}");
            }
        }
    }
}
