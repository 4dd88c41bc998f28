//! The disk under the exchange: the journal's own simulated storage, with a door at each sync through
//! which the other parts go on while the disk is slow, and with faults to be found. Refuses to know
//! what is written.

use engine_journal::{Access, SimulatedFile, SimulatedStorage, Storage, StorageFile};
use std::fmt;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// What happens while a sync is under way.
pub type DuringSync = Box<dyn FnMut() + Send>;

/// A disk. Clones share it.
#[derive(Clone, Default)]
pub struct Disk {
    storage: SimulatedStorage,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    during_sync: Mutex<Option<DuringSync>>,
    /// A planted fault: syncs do nothing.
    forgets_syncs: AtomicBool,
    /// A call has failed for good: the power is off, or a sync was refused.
    has_failed: AtomicBool,
}

/// An open file on it.
pub struct DiskFile {
    file: SimulatedFile,
    shared: Arc<Shared>,
}

impl Disk {
    /// What is on it, without doors and faults.
    pub fn storage(&self) -> &SimulatedStorage {
        &self.storage
    }

    /// Calls this in the middle of every sync of a file from now on; `None` ends that.
    pub fn during_sync(&self, call: Option<DuringSync>) {
        *self.shared.during_sync.lock().unwrap_or_else(PoisonError::into_inner) = call;
    }

    /// Plants a fault: every sync of a file says Ok and does nothing.
    pub fn forget_syncs(&self) {
        self.shared.forgets_syncs.store(true, Ordering::Relaxed);
    }

    /// Whether a call has failed for good: the process is not to go on.
    pub fn has_failed(&self) -> bool {
        self.shared.has_failed.load(Ordering::Relaxed)
    }

    /// The machine lost its power and boots: unsynced writes are lost, kept or torn, by `seed`.
    pub fn power_cut(&self, seed: u64) {
        self.storage.crash(seed);
        self.shared.has_failed.store(false, Ordering::Relaxed);
    }

    /// The process was killed and starts again: all it wrote is there.
    pub fn process_killed(&self) {
        self.storage.restart();
        self.shared.has_failed.store(false, Ordering::Relaxed);
    }
}

impl Shared {
    fn note<T>(&self, result: io::Result<T>) -> io::Result<T> {
        if let Err(error) = &result
            && error.kind() == io::ErrorKind::Other
        {
            self.has_failed.store(true, Ordering::Relaxed);
        }
        result
    }

    fn sync_is_under_way(&self) {
        let take = || self.during_sync.lock().unwrap_or_else(PoisonError::into_inner);
        // Taken out while it runs: what it does may come to a sync.
        let call = take().take();
        if let Some(mut call) = call {
            call();
            take().get_or_insert(call);
        }
    }
}

impl fmt::Debug for Disk {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Disk").finish_non_exhaustive()
    }
}

impl fmt::Debug for DiskFile {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.file.fmt(formatter)
    }
}

impl Storage for Disk {
    type File = DiskFile;

    fn open(&self, path: &str, access: Access) -> io::Result<DiskFile> {
        let file = self.shared.note(self.storage.open(path, access))?;
        Ok(DiskFile { file, shared: Arc::clone(&self.shared) })
    }

    fn list(&self, directory: &str) -> io::Result<Vec<String>> {
        self.storage.list(directory)
    }

    fn create_directory(&self, directory: &str) -> io::Result<()> {
        self.storage.create_directory(directory)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.shared.note(self.storage.rename(from, to))
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        self.shared.note(self.storage.remove(path))
    }

    fn sync_directory(&self, directory: &str) -> io::Result<()> {
        self.shared.note(self.storage.sync_directory(directory))
    }

    fn free_space(&self) -> io::Result<u64> {
        self.storage.free_space()
    }

    fn locate(&self, path: &str) -> String {
        self.storage.locate(path)
    }
}

impl StorageFile for DiskFile {
    fn length(&self) -> io::Result<u64> {
        self.file.length()
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.file.read_at(buffer, offset)
    }

    fn write_at(&self, parts: &[&[u8]], offset: u64) -> io::Result<()> {
        self.shared.note(self.file.write_at(parts, offset))
    }

    fn preallocate(&self, length: u64) -> io::Result<()> {
        self.shared.note(self.file.preallocate(length))
    }

    fn truncate(&self, length: u64) -> io::Result<()> {
        self.shared.note(self.file.truncate(length))
    }

    fn sync_data(&self) -> io::Result<()> {
        self.shared.sync_is_under_way();
        if self.shared.forgets_syncs.load(Ordering::Relaxed) {
            return Ok(());
        }
        self.shared.note(self.file.sync_data())
    }
}
