//! One file of a backup: compressed, encrypted, and known by the hash of what went in. Refuses to know
//! what that is.

use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::path::Path;

use data_encoding::HEXLOWER;
use ring::digest::{Context, SHA256};

use crate::BackupError;
use crate::cipher::{Opener, Sealer};
use crate::key::BackupKeys;
use crate::manifest::{Content, Entry, Manifest};
use crate::private;

/// zstd's own default.
const LEVEL: i32 = 3;
/// Copied together.
const PIECE: usize = 128 << 10;

/// Writes the files of one backup, one after the other.
pub(crate) struct BlobWriter<'a> {
    directory: &'a Path,
    keys: &'a BackupKeys,
    /// What was written so far.
    pub(crate) entries: Vec<Entry>,
}

impl<'a> BlobWriter<'a> {
    pub(crate) fn new(directory: &'a Path, keys: &'a BackupKeys) -> Self {
        Self { directory, keys, entries: Vec::new() }
    }

    /// Stores what `source` gives, durably. `from` is what a fault in reading it is told of. `tick`
    /// hears of bytes that are done.
    pub(crate) fn store(
        &mut self,
        content: Content,
        source: &mut dyn Read,
        from: &Path,
        tick: &mut dyn FnMut(u64),
    ) -> Result<(), BackupError> {
        let number = self.entries.len() as u32;
        let blob = format!("{number:06}.blob");
        let path = self.directory.join(&blob);
        let mut digest = Context::new(&SHA256);
        let mut length = 0;
        let failed = || BackupError::io("write", &path);
        let sealer = Sealer::new(private::create(&path)?, self.keys.content(), number).map_err(failed())?;
        let mut encoder = zstd::stream::write::Encoder::new(sealer, LEVEL).map_err(failed())?;
        let mut piece = vec![0; PIECE];
        loop {
            let count = read_some(source, &mut piece).map_err(BackupError::io("read", from))?;
            if count == 0 {
                break;
            }
            digest.update(&piece[..count]);
            encoder.write_all(&piece[..count]).map_err(failed())?;
            length += count as u64;
            tick(count as u64);
        }
        let file = encoder.finish().and_then(Sealer::finish).map_err(failed())?;
        file.sync_all().map_err(failed())?;
        let stored = file.metadata().map_err(failed())?.len();
        let sha256 = HEXLOWER.encode(digest.finish().as_ref());
        self.entries.push(Entry { content, length, sha256, blob, stored });
        Ok(())
    }
}

/// Writes an entry's content to `sink`, and proves that it is what was stored.
pub(crate) fn copy_out(
    directory: &Path,
    number: usize,
    entry: &Entry,
    keys: &BackupKeys,
    sink: &mut dyn Write,
    to: &Path,
    tick: &mut dyn FnMut(u64),
) -> Result<(), BackupError> {
    let path = Manifest::blob(directory, entry);
    let damaged = |what: &str| BackupError::Damaged { path: path.clone(), what: what.to_owned() };
    let unreadable = |source: io::Error| match source.kind() {
        // Decompression says Other of what it cannot make sense of.
        io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof | io::ErrorKind::Other => {
            damaged(&source.to_string())
        }
        _ => BackupError::io("read", &path)(source),
    };
    let file = File::open(&path).map_err(BackupError::io("read", &path))?;
    if file.metadata().map_err(unreadable)?.len() != entry.stored {
        return Err(damaged("it is shorter or longer than the manifest says"));
    }
    let opener = Opener::new(BufReader::new(file), keys.content(), number as u32).map_err(unreadable)?;
    let mut source = zstd::stream::read::Decoder::new(opener).map_err(unreadable)?;
    let mut digest = Context::new(&SHA256);
    let mut left = entry.length;
    let mut piece = vec![0; PIECE];
    loop {
        let count = read_some(&mut source, &mut piece).map_err(unreadable)?;
        if count == 0 {
            break;
        }
        left =
            left.checked_sub(count as u64).ok_or_else(|| damaged("it holds more than the manifest says"))?;
        digest.update(&piece[..count]);
        sink.write_all(&piece[..count]).map_err(BackupError::io("write", to))?;
        tick(count as u64);
    }
    if left != 0 || HEXLOWER.encode(digest.finish().as_ref()) != entry.sha256 {
        return Err(damaged("it holds something else than the manifest says"));
    }
    Ok(())
}

fn read_some(source: &mut dyn Read, piece: &mut [u8]) -> io::Result<usize> {
    loop {
        match source.read(piece) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}
