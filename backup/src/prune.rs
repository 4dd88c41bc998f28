//! Which backups may go: a pure plan by their dates, and its execution. Refuses to take from a chain what
//! a backup that stays is built on. Dates are UTC's.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use engine_journal::DirectoryLock;

use crate::catalogue::{Catalogue, UNFINISHED};
use crate::manifest::Manifest;
use crate::{BackupError, private};

const DAY: u64 = 24 * 60 * 60 * 1000;

/// How long backups are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeepRule {
    /// The newest of each of so many days, today's included. Default 7.
    pub daily: u64,
    /// The newest of each of so many weeks, from Monday, this one included. Default 4.
    pub weekly: u64,
    /// The newest of each of so many months, this one included. Default 12.
    pub monthly: u64,
}

impl Default for KeepRule {
    fn default() -> Self {
        Self { daily: 7, weekly: 4, monthly: 12 }
    }
}

/// Days, weeks and months since 1970, of a time in milliseconds.
fn calendar(created: u64) -> [u64; 3] {
    let day = created / DAY;
    // 1970 began with a Thursday.
    let week = (day + 3) / 7;
    let date = humantime::format_rfc3339_seconds(UNIX_EPOCH + Duration::from_millis(created)).to_string();
    // Such as 2026-11-21T…: a year of four digits, as backups' times have.
    let number = |range: std::ops::Range<usize>| date.get(range).and_then(|digits| digits.parse().ok());
    let month = number(0..4).unwrap_or(0_u64) * 12 + number(5..7).unwrap_or(0);
    [day, week, month]
}

/// Plans which of `backups` may go at the time `now`, in milliseconds since 1970: each engine's by
/// itself. The newest always stays, whatever its age, and so does what another that stays builds on; one
/// from a clock that was ahead stays until its time has come. Those that build on others come first.
pub fn plan(backups: &[Manifest], rule: KeepRule, now: u64) -> Vec<String> {
    let mut kept: BTreeSet<&str> = BTreeSet::new();
    let mut newest: BTreeMap<(u32, usize, u64), &Manifest> = BTreeMap::new();
    let mut newest_of_all: BTreeMap<u32, &Manifest> = BTreeMap::new();
    let present = calendar(now);
    for backup in backups {
        let later = |other: &&Manifest| (other.created, &other.id) > (backup.created, &backup.id);
        let of_all = newest_of_all.entry(backup.engine_id).or_insert(backup);
        if !later(of_all) {
            *of_all = backup;
        }
        if backup.created > now {
            kept.insert(&backup.id);
            continue;
        }
        let limits = [rule.daily, rule.weekly, rule.monthly];
        for (period, (number, limit)) in calendar(backup.created).into_iter().zip(limits).enumerate() {
            if present[period] - number < limit {
                let of_period = newest.entry((backup.engine_id, period, number)).or_insert(backup);
                if !later(of_period) {
                    *of_period = backup;
                }
            }
        }
    }
    kept.extend(newest.values().chain(newest_of_all.values()).map(|backup| backup.id.as_str()));
    // A parent is older than its child, so one pass from the newest on finds all.
    let mut by_age: Vec<&Manifest> = backups.iter().collect();
    by_age.sort_by(|left, right| (right.created, &right.id).cmp(&(left.created, &left.id)));
    for backup in &by_age {
        if kept.contains(backup.id.as_str()) {
            kept.extend(backup.parent.as_deref());
        }
    }
    by_age
        .iter()
        .filter(|backup| !kept.contains(backup.id.as_str()))
        .map(|backup| backup.id.clone())
        .collect()
}

/// Removes from `directory` the backups that the rule lets go. Returns their names. A crash on the way
/// leaves no half one.
pub fn prune(
    directory: &Path,
    rule: KeepRule,
    now: SystemTime,
    is_rehearsal: bool,
) -> Result<Vec<String>, BackupError> {
    let catalogue = Catalogue::read(directory)?;
    let now = now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64);
    let gone = plan(catalogue.backups(), rule, now);
    if is_rehearsal || gone.is_empty() {
        return Ok(gone);
    }
    let _lock = DirectoryLock::acquire(directory, "rialto backup prune")?;
    for id in &gone {
        let place = catalogue.path(id);
        let aside = directory.join(format!("{UNFINISHED}{id}"));
        fs::rename(&place, &aside).map_err(BackupError::io("remove", &place))?;
        private::sync_directory(directory)?;
        private::remove_directory(&aside)?;
    }
    Ok(gone)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::Kind;

    fn milliseconds(date: &str) -> u64 {
        let time = humantime::parse_rfc3339(&format!("{date}Z")).unwrap();
        time.duration_since(UNIX_EPOCH).unwrap().as_millis() as u64
    }

    fn backup(date: &str, parent: Option<&str>) -> Manifest {
        Manifest {
            format: 1,
            id: date.to_owned(),
            kind: if parent.is_some() { Kind::Incremental } else { Kind::Full },
            parent: parent.map(str::to_owned),
            created: milliseconds(date),
            program: String::new(),
            engine_id: 1,
            epoch: 1,
            first_sequence: 1,
            last_sequence: 1,
            state_hash: None,
            key: String::new(),
            salt: String::new(),
            files: Vec::new(),
        }
    }

    fn gone(backups: &[Manifest], now: &str) -> Vec<String> {
        plan(backups, KeepRule::default(), milliseconds(now))
    }

    fn full(date: &str) -> Manifest {
        backup(date, None)
    }

    /// A full backup at noon of each day for a year and more before 2026-11-21, a Saturday.
    fn a_year_of_days() -> Vec<Manifest> {
        let today = milliseconds("2026-11-21T12:00:00");
        (0..400)
            .map(|days| {
                let time = UNIX_EPOCH + Duration::from_millis(today - days * DAY);
                let date = humantime::format_rfc3339_seconds(time).to_string();
                full(date.trim_end_matches('Z'))
            })
            .collect()
    }

    #[test]
    fn seven_days_four_weeks_and_twelve_months_are_kept() {
        let backups = a_year_of_days();
        let gone = gone(&backups, "2026-11-21T23:59:59");
        let kept: Vec<&str> = backups
            .iter()
            .map(|backup| &backup.id[..10])
            .filter(|date| !gone.iter().any(|id| id.starts_with(date)))
            .collect();
        assert_eq!(
            kept,
            [
                // Seven days; the last of them is this week's and this month's.
                "2026-11-21",
                "2026-11-20",
                "2026-11-19",
                "2026-11-18",
                "2026-11-17",
                "2026-11-16",
                "2026-11-15", // a Sunday: also the week's before
                "2026-11-08",
                "2026-11-01", // the Sundays of the two weeks before
                "2026-10-31",
                "2026-09-30",
                "2026-08-31",
                "2026-07-31",
                "2026-06-30",
                "2026-05-31",
                "2026-04-30",
                "2026-03-31",
                "2026-02-28",
                "2026-01-31",
                "2025-12-31",
            ]
        );
    }

    #[test]
    fn of_a_day_the_newest_stays_and_what_it_builds_on() {
        let backups = [
            full("2026-11-14T00:00:00"),
            backup("2026-11-14T00:15:00", Some("2026-11-14T00:00:00")),
            full("2026-11-20T00:00:00"),
            backup("2026-11-20T00:15:00", Some("2026-11-20T00:00:00")),
            backup("2026-11-20T00:30:00", Some("2026-11-20T00:15:00")),
            full("2026-11-20T12:00:00"),
            backup("2026-11-20T12:15:00", Some("2026-11-20T12:00:00")),
        ];
        // The forenoon's chain is superseded; those that build on others go before them.
        let expected = ["2026-11-20T00:30:00", "2026-11-20T00:15:00", "2026-11-20T00:00:00"];
        assert_eq!(gone(&backups, "2026-11-21T01:00:00"), expected);
        // A month later the fourteenth is nothing's newest any more.
        let gone = gone(&backups, "2026-12-21T01:00:00");
        assert!(
            gone.contains(&"2026-11-14T00:00:00".to_owned())
                && gone.contains(&"2026-11-14T00:15:00".to_owned())
        );
        assert!(!gone.contains(&"2026-11-20T12:00:00".to_owned()), "{gone:?}");
    }

    #[test]
    fn a_chain_over_many_days_stays_as_long_as_its_end() {
        let mut backups = vec![full("2026-10-01T00:00:00")];
        for day in 2..=31 {
            let parent = backups.last().map(|parent| parent.id.clone());
            backups.push(backup(&format!("2026-10-{day:02}T00:00:00"), parent.as_deref()));
        }
        assert_eq!(
            gone(&backups, "2026-11-21T00:00:00"),
            Vec::<String>::new(),
            "October's newest is its end"
        );
        assert_eq!(gone(&backups, "2027-11-21T00:00:00"), Vec::<String>::new(), "the newest of all");
        backups.push(full("2027-11-20T00:00:00"));
        assert_eq!(gone(&backups, "2027-11-21T00:00:00").len(), 31);
    }

    #[test]
    fn the_newest_and_those_of_a_clock_ahead_stay_and_engines_do_not_count_for_each_other() {
        assert_eq!(gone(&[], "2026-11-21T00:00:00"), Vec::<String>::new());
        assert_eq!(gone(&[full("2001-01-01T00:00:00")], "2026-11-21T00:00:00"), Vec::<String>::new());
        let backups = [full("2001-01-01T00:00:00"), full("2002-01-01T00:00:00"), full("2030-01-01T00:00:00")];
        assert_eq!(gone(&backups, "2026-11-21T00:00:00"), ["2002-01-01T00:00:00", "2001-01-01T00:00:00"]);
        let other = Manifest { engine_id: 2, ..full("2026-11-20T01:00:00") };
        assert_eq!(gone(&[full("2026-11-20T00:00:00"), other], "2026-11-21T00:00:00"), Vec::<String>::new());
    }

    #[test]
    fn a_rule_of_nothing_keeps_the_newest() {
        let rule = KeepRule { daily: 0, weekly: 0, monthly: 0 };
        let backups = a_year_of_days();
        let gone = plan(&backups, rule, milliseconds("2026-11-21T12:00:00"));
        assert_eq!(gone.len(), 399);
        assert!(!gone.contains(&"2026-11-21T12:00:00".to_owned()));
    }
}
