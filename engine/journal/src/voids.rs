//! Commands that operators decided did not happen: one small file each, beside the journal, which is
//! never rewritten. It refuses to know why a command is voided, and to judge whether it may be.
//!
//! The file is text, for people, with a checksum at its end; it names the record by its own checksum,
//! so that it says nothing about another journal.

use std::collections::BTreeMap;
use std::io;
use std::str::FromStr;

use thiserror::Error;

use crate::Sequence;
use crate::checksum::checksum;
use crate::storage::{Access, Storage, StorageFile};

const DIRECTORY: &str = "voids";
const FIRST_LINE: &str = "rialto void 1";
/// The longest reason or name, in bytes.
const TEXT_MAX: usize = 1_024;

/// A command that did not happen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Void {
    /// Which.
    pub sequence: Sequence,
    /// Of its record: see [`record_checksum`].
    pub record_checksum: u64,
    /// Who decided: two people.
    pub administrators: [String; 2],
    /// When, in nanoseconds since 1970.
    pub time: u64,
    /// Why, in one line.
    pub reason: String,
}

/// A void could not be read or written.
#[derive(Debug, Error)]
pub enum VoidError {
    /// The operating system refused.
    #[error("cannot read or write {file}: {source}; check the file and its permissions")]
    Io {
        /// The file.
        file: String,
        /// What the system said.
        source: io::Error,
    },
    /// Not what was written.
    #[error(
        "{file} is not a void as it was written; restore it from a backup: without it the journal means something else"
    )]
    Damaged {
        /// The file.
        file: String,
    },
    /// There is one already.
    #[error("command {sequence} is voided already, see {file}")]
    Exists {
        /// Which command.
        sequence: Sequence,
        /// The file.
        file: String,
    },
    /// A void that names another record.
    #[error(
        "command {sequence} is voided, but it is not the command that was voided: journal and `voids` are not of one exchange; restore both from one backup"
    )]
    OfAnother {
        /// Which command.
        sequence: Sequence,
    },
    /// A name or reason that the file cannot hold.
    #[error("{0}: give one line of 1 to {TEXT_MAX} bytes")]
    Text(&'static str),
}

/// The checksum by which a void names a record of the journal.
pub fn record_checksum(record: &[u8]) -> u64 {
    checksum(&[record])
}

/// The voids of a data directory, to ask for each command.
#[derive(Clone, Debug, Default)]
pub struct Voids(BTreeMap<Sequence, Void>);

impl Voids {
    /// Reads them.
    pub fn read<S: Storage>(storage: &S) -> Result<Self, VoidError> {
        Ok(Self(Void::read_all(storage)?.into_iter().map(|void| (void.sequence, void)).collect()))
    }

    /// Whether the command of this sequence, which is this record, did not happen.
    pub fn has(&self, sequence: Sequence, record: &[u8]) -> Result<bool, VoidError> {
        match self.0.get(&sequence) {
            None => Ok(false),
            Some(void) if void.record_checksum == record_checksum(record) => Ok(true),
            Some(_) => Err(VoidError::OfAnother { sequence }),
        }
    }
}

impl Void {
    /// Every void of a data directory, by sequence. Files of other names are passed over.
    pub fn read_all<S: Storage>(storage: &S) -> Result<Vec<Self>, VoidError> {
        let failed = |source| VoidError::Io { file: storage.locate(DIRECTORY), source };
        let mut names = storage.list(DIRECTORY).map_err(failed)?;
        names.retain(|name| {
            name.strip_prefix("void-").is_some_and(|rest| rest.strip_suffix(".txt").is_some())
        });
        names.sort_unstable();
        names.iter().map(|name| Self::read(storage, &format!("{DIRECTORY}/{name}"))).collect()
    }

    fn read<S: Storage>(storage: &S, path: &str) -> Result<Self, VoidError> {
        let failed = |source| VoidError::Io { file: storage.locate(path), source };
        let file = storage.open(path, Access::Read).map_err(failed)?;
        let mut bytes = vec![0; 8 * TEXT_MAX];
        let length = file.read_at(&mut bytes, 0).map_err(failed)?;
        let damaged = || VoidError::Damaged { file: storage.locate(path) };
        let void = std::str::from_utf8(&bytes[..length]).ok().and_then(parse).ok_or_else(damaged)?;
        if path == void.path() { Ok(void) } else { Err(damaged()) }
    }

    /// Writes it down, durably. The caller holds the [`DirectoryLock`](crate::DirectoryLock).
    pub fn write<S: Storage>(&self, storage: &S) -> Result<(), VoidError> {
        let [first, second] = &self.administrators;
        for (text, what) in [
            (first, "an administrator's name"),
            (second, "an administrator's name"),
            (&self.reason, "the reason"),
        ] {
            if text.trim().is_empty() || text.len() > TEXT_MAX || text.contains(char::is_control) {
                return Err(VoidError::Text(what));
            }
        }
        let path = self.path();
        let failed = |source| VoidError::Io { file: storage.locate(&path), source };
        storage.create_directory(DIRECTORY).map_err(failed)?;
        let name = path.trim_start_matches("voids/");
        if storage.list(DIRECTORY).map_err(failed)?.iter().any(|other| other == name) {
            return Err(VoidError::Exists { sequence: self.sequence, file: storage.locate(&path) });
        }
        let temporary = format!("{path}.tmp");
        let write = || {
            let file = storage.open(&temporary, Access::Create)?;
            file.write_at(&[self.text().as_bytes()], 0)?;
            file.sync_data()?;
            storage.rename(&temporary, &path)?;
            storage.sync_directory(DIRECTORY)
        };
        write().map_err(failed)
    }

    fn path(&self) -> String {
        format!("{DIRECTORY}/void-{:020}.txt", self.sequence)
    }

    fn text(&self) -> String {
        let [first, second] = &self.administrators;
        let body = format!(
            "{FIRST_LINE}\nsequence {}\nrecord {:016x}\nadministrator {first}\nadministrator {second}\ntime {}\nreason {}\n",
            self.sequence, self.record_checksum, self.time, self.reason
        );
        let checksum = checksum(&[body.as_bytes()]);
        format!("{body}checksum {checksum:016x}\n")
    }
}

/// What was written: a text that this void would be written as again, its checksum included.
fn parse(text: &str) -> Option<Void> {
    let mut lines = text.lines();
    let mut field = |name: &str| lines.next()?.strip_prefix(name);
    field(FIRST_LINE)?;
    let void = Void {
        sequence: u64::from_str(field("sequence ")?).ok()?,
        record_checksum: hexadecimal(field("record ")?)?,
        administrators: [field("administrator ")?.to_owned(), field("administrator ")?.to_owned()],
        time: u64::from_str(field("time ")?).ok()?,
        reason: field("reason ")?.to_owned(),
    };
    (void.text() == text).then_some(void)
}

fn hexadecimal(text: &str) -> Option<u64> {
    (text.len() == 16).then(|| u64::from_str_radix(text, 16).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::SimulatedStorage;

    fn void(sequence: Sequence) -> Void {
        Void {
            sequence,
            record_checksum: record_checksum(b"a record"),
            administrators: ["Ada".to_owned(), "Grace Hopper".to_owned()],
            time: 1_790_000_000_000_000_000,
            reason: "command 7 breaks an invariant: checksum of nothing".to_owned(),
        }
    }

    #[test]
    fn voids_are_read_back_in_order_and_written_once() {
        let storage = SimulatedStorage::new();
        assert_eq!(Void::read_all(&storage).unwrap(), []);
        for sequence in [12, 7] {
            void(sequence).write(&storage).unwrap();
        }
        storage.crash(1);
        assert_eq!(Void::read_all(&storage).unwrap(), [void(7), void(12)]);
        assert!(matches!(void(7).write(&storage), Err(VoidError::Exists { sequence: 7, .. })));
    }

    #[test]
    fn every_flipped_bit_is_found() {
        let storage = SimulatedStorage::new();
        void(7).write(&storage).unwrap();
        let path = void(7).path();
        let good = storage.content(&path).unwrap();
        for bit in 0..good.len() * 8 {
            let mut bad = good.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            storage.set_content(&path, bad);
            assert!(matches!(Void::read_all(&storage), Err(VoidError::Damaged { .. })), "bit {bit}");
        }
    }

    #[test]
    fn a_crash_leaves_a_whole_one_or_none() {
        for change in 1..=5 {
            for seed in 0..20 {
                let storage = SimulatedStorage::new();
                storage.power_off_after(change);
                let written = void(7).write(&storage);
                storage.crash(seed);
                let found = Void::read_all(&storage).unwrap();
                assert!(
                    found == [void(7)] || (found.is_empty() && written.is_err()),
                    "change {change} seed {seed}"
                );
            }
        }
    }

    #[test]
    fn names_and_reason_are_one_line_each() {
        let storage = SimulatedStorage::new();
        for bad in ["", " ", "two\nlines"] {
            let refused = Void { reason: bad.to_owned(), ..void(7) }.write(&storage);
            assert!(matches!(refused, Err(VoidError::Text("the reason"))), "{bad:?}");
        }
    }

    #[test]
    fn a_record_is_known_by_its_sequence_and_its_bytes() {
        let storage = SimulatedStorage::new();
        assert!(!Voids::read(&storage).unwrap().has(7, b"a record").unwrap());
        void(7).write(&storage).unwrap();
        let voids = Voids::read(&storage).unwrap();
        assert!(voids.has(7, b"a record").unwrap());
        assert!(!voids.has(8, b"a record").unwrap());
        // Journal and voids of two exchanges must not be mistaken for one's.
        let error = voids.has(7, b"another record").unwrap_err();
        assert!(matches!(error, VoidError::OfAnother { sequence: 7 }), "{error}");
    }

    #[test]
    fn texts_are_as_long_as_they_may_be_and_no_longer() {
        let storage = SimulatedStorage::new();
        let long = |length| "x".repeat(length);
        let administrators = [long(TEXT_MAX), long(TEXT_MAX)];
        let longest = Void { administrators, reason: long(TEXT_MAX), ..void(7) };
        longest.write(&storage).unwrap();
        assert_eq!(Void::read_all(&storage).unwrap(), [longest]);
        let refused = Void { reason: long(TEXT_MAX + 1), ..void(8) }.write(&storage);
        assert!(matches!(refused, Err(VoidError::Text("the reason"))));
    }
}
