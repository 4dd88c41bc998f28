//! Who writes this data directory: an engine's id, and an epoch that grows each time it is opened
//! for writing, so that an old writer can be fenced. It does not know what is written.

use std::io;

use zerocopy::little_endian::{U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use crate::checksum::checksum;
use crate::error::{OpenError, ReadError};
use crate::layout::FORMAT_VERSION;
use crate::storage::{Access, Storage, StorageFile};

const PATH: &str = "identity";
const TEMPORARY: &str = "identity.tmp";
const MAGIC: u64 = u64::from_le_bytes(*b"RIALTOI\n");

/// The engine that owns a data directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The same for ever, and different for each engine (shard).
    pub engine_id: u32,
    /// Greater by one at each opening for writing, from 1.
    pub epoch: u32,
}

#[derive(FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
struct Layout {
    magic: U64,
    version: U32,
    engine_id: U32,
    epoch: U32,
    reserved: U32,
    checksum: U64,
}

impl Identity {
    /// Reads the identity of a data directory; `None` where none was written yet.
    pub fn read<S: Storage>(storage: &S) -> Result<Option<Self>, ReadError> {
        let failed = |source| ReadError::Io { file: storage.locate(PATH), source };
        let file = match storage.open(PATH, Access::Read) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            file => file.map_err(failed)?,
        };
        let mut bytes = [0; size_of::<Layout>() + 1]; // one more, to see that nothing follows
        let count = file.read_at(&mut bytes, 0).map_err(failed)?;
        let corrupt = |what| ReadError::Corrupt { file: storage.locate(PATH), offset: 0, what };
        let layout = Layout::read_from_bytes(&bytes[..count])
            .map_err(|_| corrupt("the identity file has the wrong length"))?;
        if layout.magic != MAGIC || layout.checksum != checksum(&[&layout.as_bytes()[..24]]) {
            return Err(corrupt("the identity file's checksum does not match"));
        }
        if layout.version != FORMAT_VERSION {
            return Err(ReadError::Version {
                file: storage.locate(PATH),
                offset: 0,
                found: layout.version.get(),
                known: FORMAT_VERSION,
            });
        }
        Ok(Some(Self { engine_id: layout.engine_id.get(), epoch: layout.epoch.get() }))
    }

    /// Replaces the identity file, durably: written beside, synced, renamed, the directory synced.
    /// Opening a journal for writing does so; otherwise only whoever restores a data directory.
    pub fn write<S: Storage>(self, storage: &S) -> Result<(), OpenError> {
        let mut layout = Layout {
            magic: MAGIC.into(),
            version: FORMAT_VERSION.into(),
            engine_id: self.engine_id.into(),
            epoch: self.epoch.into(),
            reserved: 0.into(),
            checksum: 0.into(),
        };
        layout.checksum = checksum(&[&layout.as_bytes()[..24]]).into();
        let replace = || {
            let file = storage.open(TEMPORARY, Access::Create)?;
            file.write_at(&[layout.as_bytes()], 0)?;
            file.sync_data()?;
            storage.rename(TEMPORARY, PATH)?;
            storage.sync_directory("")
        };
        replace().map_err(|source| OpenError::Io { file: storage.locate(PATH), source })
    }

    /// Where the file is, for messages.
    pub(crate) fn locate<S: Storage>(storage: &S) -> String {
        storage.locate(PATH)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::SimulatedStorage;

    #[test]
    fn each_flipped_bit_and_each_length_is_found() {
        let storage = SimulatedStorage::new();
        assert_eq!(Identity::read(&storage).unwrap(), None);
        let identity = Identity { engine_id: 7, epoch: 3 };
        identity.write(&storage).unwrap();
        storage.crash(1);
        assert_eq!(Identity::read(&storage).unwrap(), Some(identity));
        let good = storage.content(PATH).unwrap();
        for bit in 0..good.len() * 8 {
            let mut bad = good.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            storage.set_content(PATH, bad);
            assert!(matches!(Identity::read(&storage), Err(ReadError::Corrupt { .. })), "bit {bit}");
        }
        for length in 0..good.len() {
            storage.set_content(PATH, good[..length].to_vec());
            assert!(matches!(Identity::read(&storage), Err(ReadError::Corrupt { .. })), "length {length}");
        }
        storage.set_content(PATH, [good, vec![0]].concat());
        assert!(Identity::read(&storage).is_err());
    }

    #[test]
    fn a_crash_leaves_the_old_or_the_new() {
        for change in 1..=5 {
            for seed in 0..50 {
                let storage = SimulatedStorage::new();
                Identity { engine_id: 7, epoch: 3 }.write(&storage).unwrap();
                storage.power_off_after(change);
                let written = Identity { engine_id: 7, epoch: 4 }.write(&storage);
                storage.crash(seed);
                let epoch = Identity::read(&storage).unwrap().unwrap().epoch;
                assert!(epoch == 4 || (epoch == 3 && written.is_err()), "change {change} seed {seed}");
            }
        }
    }

    #[test]
    fn what_cannot_be_read_is_not_taken_for_what_is_not_there() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("a-file");
        std::fs::write(&file, "no directory").unwrap();
        let storage = crate::storage::FileStorage::new(&file);
        let error = Identity::read(&storage).unwrap_err();
        assert!(matches!(error, ReadError::Io { .. }), "{error}");
        assert!(error.to_string().contains("a-file/identity"), "{error}");
    }
}
