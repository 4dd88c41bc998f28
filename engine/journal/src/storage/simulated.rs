//! [`Storage`] in memory that keeps what is durable apart from what is only written, so that a test
//! can cut the power: unsynced writes are then lost, kept or torn, by a seed. One-threaded tests with
//! the same calls and seeds see the same bytes. Directories themselves are never lost.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Access, Storage, StorageFile};

const SECTOR: usize = 512;

/// A simulated disk. Clones share it.
#[derive(Clone, Default)]
pub struct SimulatedStorage {
    disk: Arc<Mutex<Disk>>,
}

/// An open file of a [`SimulatedStorage`]. After a crash it only answers errors.
pub struct SimulatedFile {
    disk: Arc<Mutex<Disk>>,
    inode: usize,
    boot: u64,
}

#[derive(Default)]
struct Disk {
    inodes: Vec<Inode>,
    names: BTreeMap<String, usize>,
    durable_names: BTreeMap<String, usize>,
    pending_names: Vec<NameChange>,
    room: Option<u64>,
    short_write: Option<usize>,
    changes: u64,
    power_off_at: Option<u64>,
    syncs: u64,
    failing_sync: Option<u64>,
    boot: u64,
}

#[derive(Default)]
struct Inode {
    durable: Vec<u8>,
    volatile: Vec<u8>,
    pending: Vec<Change>,
}

enum Change {
    Bytes { offset: usize, bytes: Vec<u8> },
    Length(usize),
}

#[derive(Clone)]
enum NameChange {
    Link { path: String, inode: usize },
    Rename { from: String, to: String },
    Unlink { path: String },
}

impl SimulatedStorage {
    /// An empty disk with endless room.
    pub fn new() -> Self {
        Self::default()
    }

    /// Cuts the power and boots again: each unsynced write is lost, kept, or torn at any byte or
    /// sector, and unsynced names are lost from some point on, as `seed` decides. Open files become
    /// unusable; faults set before are cleared, room is kept.
    pub fn crash(&self, seed: u64) {
        let disk = &mut *self.lock();
        let mut random = Random(seed);
        let kept = random.below(disk.pending_names.len() + 1);
        for change in disk.pending_names.drain(..).take(kept) {
            apply_name(&mut disk.durable_names, change);
        }
        disk.names.clone_from(&disk.durable_names);
        for inode in &mut disk.inodes {
            for change in std::mem::take(&mut inode.pending) {
                tear(&mut inode.durable, &change, &mut random);
            }
            inode.volatile.clone_from(&inode.durable);
        }
        disk.boot += 1;
        disk.power_off_at = None;
        disk.failing_sync = None;
        disk.short_write = None;
    }

    /// The process that had it is gone, and the machine goes on: all that was written is there, synced
    /// or not. Open files become unusable; faults set before are cleared, room is kept.
    pub fn restart(&self) {
        let disk = &mut *self.lock();
        disk.boot += 1;
        disk.power_off_at = None;
        disk.failing_sync = None;
        disk.short_write = None;
    }

    /// After `changes` more changes (writes, syncs, names, lengths) the power fails: that change may
    /// or may not reach the disk, its caller gets an error, and so does every later call until
    /// [`crash`](Self::crash) boots again.
    pub fn power_off_after(&self, changes: u64) {
        let mut disk = self.lock();
        disk.power_off_at = Some(disk.changes + changes);
    }

    /// Changes made so far: what `power_off_after` counts.
    pub fn changes(&self) -> u64 {
        self.lock().changes
    }

    /// Sets how many bytes may still be allocated; `None` is endless.
    pub fn set_room(&self, bytes: Option<u64>) {
        self.lock().room = bytes;
    }

    /// The next write keeps only its first `kept` bytes and reports that there is no room, even in a
    /// preallocated file, as file systems that copy on write may.
    pub fn short_next_write(&self, kept: usize) {
        self.lock().short_write = Some(kept);
    }

    /// The `nth` sync of file content from now (1 is the next) fails, and what it should have made
    /// durable never becomes so, though later syncs say Ok: as Linux does.
    pub fn fail_sync(&self, nth: u64) {
        let mut disk = self.lock();
        disk.failing_sync = Some(disk.syncs + nth);
    }

    /// Syncs of file content so far, failed ones included.
    pub fn syncs(&self) -> u64 {
        self.lock().syncs
    }

    /// The paths of all files, sorted.
    pub fn paths(&self) -> Vec<String> {
        self.lock().names.keys().cloned().collect()
    }

    /// A file's content as a reader sees it.
    pub fn content(&self, path: &str) -> Option<Vec<u8>> {
        let disk = self.lock();
        disk.names.get(path).map(|inode| disk.inodes[*inode].volatile.clone())
    }

    /// Replaces a file's content, durably: for planting damage. The name is as durable as it was; a new
    /// file's is.
    pub fn set_content(&self, path: &str, content: Vec<u8>) {
        let disk = &mut *self.lock();
        let whole = Inode { durable: content.clone(), volatile: content, pending: Vec::new() };
        if let Some(inode) = disk.names.get(path) {
            disk.inodes[*inode] = whole;
        } else {
            disk.names.insert(path.to_owned(), disk.inodes.len());
            disk.durable_names.insert(path.to_owned(), disk.inodes.len());
            disk.inodes.push(whole);
        }
    }

    /// A disk of its own with the same content, all of it durable.
    #[must_use]
    pub fn duplicate(&self) -> Self {
        let copy = Self::new();
        for path in self.paths() {
            if let Some(content) = self.content(&path) {
                copy.set_content(&path, content);
            }
        }
        copy
    }

    fn lock(&self) -> MutexGuard<'_, Disk> {
        lock(&self.disk)
    }

    fn change_name(&self, change: NameChange) -> io::Result<()> {
        let disk = &mut *self.lock();
        let power = disk.change()?;
        apply_name(&mut disk.names, change.clone());
        disk.pending_names.push(change);
        power
    }
}

// The content of a disk would drown what a failing test says.
impl fmt::Debug for SimulatedStorage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("SimulatedStorage").finish_non_exhaustive()
    }
}

impl fmt::Debug for SimulatedFile {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("SimulatedFile").field("inode", &self.inode).finish_non_exhaustive()
    }
}

fn lock(disk: &Mutex<Disk>) -> MutexGuard<'_, Disk> {
    // A test that panicked while holding it left no half-made change that matters.
    disk.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Disk {
    /// Counts a change. The outer error: the power is off already. The inner one: it fails now, after
    /// the change was handed to the disk.
    fn change(&mut self) -> io::Result<io::Result<()>> {
        let limit = self.power_off_at.unwrap_or(u64::MAX);
        if self.changes >= limit {
            return Err(power_is_off());
        }
        self.changes += 1;
        Ok(if self.changes == limit { Err(power_is_off()) } else { Ok(()) })
    }

    /// Takes `bytes` of room, or what is left of it.
    fn take_room(&mut self, bytes: usize) -> usize {
        let Some(room) = &mut self.room else { return bytes };
        let taken = (*room).min(bytes as u64);
        *room -= taken;
        taken as usize
    }

    fn give_room(&mut self, bytes: usize) {
        if let Some(room) = &mut self.room {
            *room += bytes as u64;
        }
    }
}

fn power_is_off() -> io::Error {
    io::Error::other("the power is off")
}

fn apply_name(names: &mut BTreeMap<String, usize>, change: NameChange) {
    match change {
        NameChange::Link { path, inode } => _ = names.insert(path, inode),
        NameChange::Rename { from, to } => {
            if let Some(inode) = names.remove(&from) {
                names.insert(to, inode);
            }
        }
        NameChange::Unlink { path } => _ = names.remove(&path),
    }
}

fn put(content: &mut Vec<u8>, offset: usize, bytes: &[u8]) {
    if content.len() < offset + bytes.len() {
        content.resize(offset + bytes.len(), 0);
    }
    content[offset..offset + bytes.len()].copy_from_slice(bytes);
}

/// Lets an unsynced change reach the durable content wholly, in part, or not at all.
fn tear(durable: &mut Vec<u8>, change: &Change, random: &mut Random) {
    match change {
        Change::Length(length) => {
            if random.below(2) == 0 {
                durable.resize(*length, 0);
            }
        }
        Change::Bytes { offset, bytes } => match random.below(4) {
            0 => {}
            1 => put(durable, *offset, bytes),
            2 => put(durable, *offset, &bytes[..random.below(bytes.len() + 1)]),
            _ => {
                let mut start = 0;
                while start < bytes.len() {
                    let end = bytes.len().min((offset + start) / SECTOR * SECTOR + SECTOR - offset);
                    if random.below(2) == 0 {
                        put(durable, offset + start, &bytes[start..end]);
                    }
                    start = end;
                }
            }
        },
    }
}

impl Storage for SimulatedStorage {
    type File = SimulatedFile;

    fn open(&self, path: &str, access: Access) -> io::Result<SimulatedFile> {
        let disk = &mut *self.lock();
        let existing = disk.names.get(path).copied();
        let mut power = Ok(());
        let inode = match (access, existing) {
            (Access::Create, existing) => {
                power = disk.change()?;
                if let Some(old) = existing {
                    disk.give_room(disk.inodes[old].volatile.len());
                }
                let inode = disk.inodes.len();
                disk.inodes.push(Inode::default());
                let link = NameChange::Link { path: path.to_owned(), inode };
                apply_name(&mut disk.names, link.clone());
                disk.pending_names.push(link);
                inode
            }
            (Access::Read | Access::Write, Some(inode)) => inode,
            (Access::Read | Access::Write, None) => return Err(io::ErrorKind::NotFound.into()),
        };
        power.map(|()| SimulatedFile { disk: Arc::clone(&self.disk), inode, boot: disk.boot })
    }

    fn list(&self, directory: &str) -> io::Result<Vec<String>> {
        let disk = self.lock();
        let names = disk.names.keys().filter_map(|path| path.strip_prefix(directory)?.strip_prefix('/'));
        Ok(names.filter(|name| !name.contains('/')).map(str::to_owned).collect())
    }

    fn create_directory(&self, _directory: &str) -> io::Result<()> {
        Ok(())
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        if !self.lock().names.contains_key(from) {
            return Err(io::ErrorKind::NotFound.into());
        }
        self.change_name(NameChange::Rename { from: from.to_owned(), to: to.to_owned() })
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        {
            let disk = &mut *self.lock();
            let inode = *disk.names.get(path).ok_or(io::ErrorKind::NotFound)?;
            disk.give_room(disk.inodes[inode].volatile.len());
        }
        self.change_name(NameChange::Unlink { path: path.to_owned() })
    }

    fn sync_directory(&self, _directory: &str) -> io::Result<()> {
        let disk = &mut *self.lock();
        disk.change()??;
        for change in disk.pending_names.drain(..) {
            apply_name(&mut disk.durable_names, change);
        }
        Ok(())
    }

    fn free_space(&self) -> io::Result<u64> {
        Ok(self.lock().room.unwrap_or(u64::MAX))
    }

    fn locate(&self, path: &str) -> String {
        path.to_owned()
    }
}

impl SimulatedFile {
    fn lock(&self) -> io::Result<MutexGuard<'_, Disk>> {
        let disk = lock(&self.disk);
        if disk.boot == self.boot { Ok(disk) } else { Err(io::Error::other("opened before the crash")) }
    }
}

impl StorageFile for SimulatedFile {
    fn length(&self) -> io::Result<u64> {
        Ok(self.lock()?.inodes[self.inode].volatile.len() as u64)
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let disk = self.lock()?;
        let content = &disk.inodes[self.inode].volatile;
        let rest = content.get(offset as usize..).unwrap_or(&[]);
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        Ok(count)
    }

    fn write_at(&self, parts: &[&[u8]], offset: u64) -> io::Result<()> {
        let disk = &mut *self.lock()?;
        let power = disk.change()?;
        let (offset, mut bytes) = (offset as usize, parts.concat());
        let wanted = bytes.len();
        if let Some(kept) = disk.short_write.take() {
            bytes.truncate(kept);
        }
        let growth = (offset + bytes.len()).saturating_sub(disk.inodes[self.inode].volatile.len());
        let refused = growth - disk.take_room(growth);
        bytes.truncate(bytes.len().saturating_sub(refused));
        let written = bytes.len();
        let inode = &mut disk.inodes[self.inode];
        put(&mut inode.volatile, offset, &bytes);
        inode.pending.push(Change::Bytes { offset, bytes });
        power?;
        if written < wanted { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }

    fn preallocate(&self, length: u64) -> io::Result<()> {
        let disk = &mut *self.lock()?;
        let power = disk.change()?;
        let (length, old) = (length as usize, disk.inodes[self.inode].volatile.len());
        if length > old {
            let taken = disk.take_room(length - old);
            if taken < length - old {
                disk.give_room(taken);
                return Err(io::ErrorKind::StorageFull.into());
            }
            let inode = &mut disk.inodes[self.inode];
            inode.volatile.resize(length, 0);
            inode.pending.push(Change::Length(length));
        }
        power
    }

    fn truncate(&self, length: u64) -> io::Result<()> {
        let disk = &mut *self.lock()?;
        let power = disk.change()?;
        let old = disk.inodes[self.inode].volatile.len();
        disk.give_room(old.saturating_sub(length as usize));
        let inode = &mut disk.inodes[self.inode];
        inode.volatile.resize(length as usize, 0);
        inode.pending.push(Change::Length(length as usize));
        power
    }

    fn sync_data(&self) -> io::Result<()> {
        let disk = &mut *self.lock()?;
        disk.syncs += 1;
        disk.change()??;
        let inode = &mut disk.inodes[self.inode];
        let pending = std::mem::take(&mut inode.pending);
        if disk.failing_sync == Some(disk.syncs) {
            // The kernel marks the pages clean: they are never written, and nobody hears of it again.
            return Err(io::Error::other("injected sync failure"));
        }
        for change in pending {
            match change {
                Change::Bytes { offset, bytes } => put(&mut inode.durable, offset, &bytes),
                Change::Length(length) => inode.durable.resize(length, 0),
            }
        }
        Ok(())
    }
}

/// splitmix64: small, and the same everywhere.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % bound as u64) as usize
    }
}
