//! How far the public topics are published: a small file beside the event log, replaced whole. Their
//! partitions do not say it, for most records of a command are in few of them. Refuses to guess: a file
//! that cannot be read is an error.

use crate::StreamError;
use protocol::Sequence;
use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

const NAME: &str = "events/public-topics";
const TEMPORARY: &str = "events/public-topics.tmp";

/// The file of one data directory.
#[derive(Clone, Debug)]
pub(super) struct PositionFile {
    directory: PathBuf,
}

impl PositionFile {
    pub(super) fn of(directory: &Path) -> Self {
        Self { directory: directory.to_owned() }
    }

    fn failed(&self, source: &io::Error) -> StreamError {
        StreamError::Position { file: self.directory.join(NAME), what: source.to_string() }
    }

    /// The last command of this engine of which everything is published; 0 where there is no file.
    pub(super) fn read(&self, engine_id: u32) -> Result<Sequence, StreamError> {
        let text = match fs::read_to_string(self.directory.join(NAME)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Sequence(0)),
            text => text.map_err(|error| self.failed(&error))?,
        };
        let mut numbers = text.strip_suffix('\n').unwrap_or_default().split(' ').map(str::parse::<u64>);
        match (numbers.next(), numbers.next(), numbers.next()) {
            (Some(Ok(engine)), Some(Ok(sequence)), None) if engine == u64::from(engine_id) => {
                Ok(Sequence(sequence))
            }
            _ => Err(StreamError::Position {
                file: self.directory.join(NAME),
                what: format!("it says {text:?}, and must say `{engine_id} SEQUENCE`"),
            }),
        }
    }

    /// Replaces the file: after a crash it says the old or the new.
    pub(super) fn write(&self, engine_id: u32, position: Sequence) -> Result<(), StreamError> {
        let replace = || {
            let temporary = self.directory.join(TEMPORARY);
            let mut file = File::create(&temporary)?;
            file.write_all(format!("{engine_id} {position}\n").as_bytes())?;
            file.sync_data()?;
            fs::rename(temporary, self.directory.join(NAME))
        };
        replace().map_err(|error| self.failed(&error))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn what_was_written_is_read_and_nothing_else() {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join("events")).unwrap();
        let file = PositionFile::of(directory.path());
        assert_eq!(file.read(3).unwrap(), Sequence(0));
        for position in [1, 77, 5] {
            file.write(3, Sequence(position)).unwrap();
            assert_eq!(file.read(3).unwrap(), Sequence(position));
        }
        assert!(matches!(file.read(4), Err(StreamError::Position { .. })), "another engine's");
        for text in ["", "3", "3 5", "3 5 6\n", "3 x\n", "3 -1\n"] {
            fs::write(directory.path().join(NAME), text).unwrap();
            assert!(matches!(file.read(3), Err(StreamError::Position { .. })), "{text:?}");
        }
    }
}
