//! How segment files are named and found. It does not know what is in them.

use std::io;

use crate::Sequence;
use crate::error::ReadError;
use crate::storage::Storage;

/// The directory of the command log.
pub(crate) const JOURNAL: &str = "journal";
/// The directory of the event log.
pub(crate) const EVENTS: &str = "events";
/// The segment being prepared, before it has a first sequence.
pub(crate) const PREPARED: &str = "journal/next-segment.tmp";

/// The path of the segment that begins at `first`.
pub(crate) fn segment_path(directory: &str, first: Sequence) -> String {
    format!("{directory}/segment-{first:020}.log")
}

/// The path of the command log's segment that begins at `first`, within a data directory.
pub fn journal_segment(first: Sequence) -> String {
    segment_path(JOURNAL, first)
}

/// The first sequences of the command log's segments in a data directory, ascending, without those in
/// an archive.
pub fn journal_segments<S: Storage>(storage: &S) -> Result<Vec<Sequence>, ReadError> {
    list_segments(storage, JOURNAL).map_err(|source| ReadError::Io { file: storage.locate(JOURNAL), source })
}

/// The first sequences of the segments in a directory, ascending.
pub(crate) fn list_segments<S: Storage>(storage: &S, directory: &str) -> io::Result<Vec<Sequence>> {
    let names = storage.list(directory)?;
    let mut firsts: Vec<Sequence> = names.iter().filter_map(|name| parse_name(name)).collect();
    firsts.sort_unstable();
    Ok(firsts)
}

fn parse_name(name: &str) -> Option<Sequence> {
    parse_stem(name.strip_suffix(".log")?)
}

/// The first sequence in `segment-<first sequence>`.
pub(crate) fn parse_stem(stem: &str) -> Option<Sequence> {
    let digits = stem.strip_prefix("segment-")?;
    if digits.len() == 20 && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        digits.parse().ok()
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::parse_name;

    #[test]
    fn only_our_names_are_segments() {
        assert_eq!(parse_name("segment-00000000000000000042.log"), Some(42));
        for name in
            ["segment-42.log", "segment-0000000000000000004x.log", "torn-1-0.bin", "segment-.log", "x", ""]
        {
            assert_eq!(parse_name(name), None, "{name}");
        }
    }
}
