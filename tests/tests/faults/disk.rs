//! File systems of a test's own: a small one in memory, and one on a file whose power can be cut. Both
//! need a machine that lets the test mount.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::Command,
};
use tempfile::TempDir;

/// Shuts an ext4 down without writing out its log (`EXT4_IOC_SHUTDOWN`, `EXT4_GOING_FLAGS_NOLOGFLUSH`):
/// what was not synced is gone, and every later call fails.
const SHUT_DOWN: &str = "
import fcntl, os, struct, sys
fcntl.ioctl(os.open(sys.argv[1], os.O_RDONLY), 0x8004587D, struct.pack('I', 2))
";

/// A mounted file system. Dropping it unmounts it.
pub struct Disk {
    directory: TempDir,
    /// The file that holds an ext4.
    image: Option<PathBuf>,
}

impl Disk {
    /// One of so many MiB, in memory.
    ///
    /// # Errors
    /// Why not.
    pub fn in_memory(mebibytes: u64) -> Result<Self, String> {
        let disk = Self { directory: new_directory(), image: None };
        fs::create_dir(disk.path()).map_err(|error| error.to_string())?;
        let size = format!("size={mebibytes}m");
        run("mount", &["-t", "tmpfs", "-o", &size, "tmpfs", text(&disk.path())])?;
        Ok(disk)
    }

    /// An ext4 of so many MiB, in a file.
    ///
    /// # Errors
    /// Why not.
    pub fn ext4(mebibytes: u64) -> Result<Self, String> {
        let directory = new_directory();
        let image = directory.path().join("image");
        let disk = Self { directory, image: Some(image.clone()) };
        fs::create_dir(disk.path()).map_err(|error| error.to_string())?;
        let file = File::create(&image).map_err(|error| error.to_string())?;
        file.set_len(mebibytes << 20).map_err(|error| error.to_string())?;
        run("mkfs.ext4", &["-q", text(&image)])?;
        disk.mount()?;
        Ok(disk)
    }

    fn mount(&self) -> Result<(), String> {
        let image = self.image.as_ref().ok_or("a file system in memory is mounted once")?;
        run("mount", &["-o", "loop", text(image), text(&self.path())])
    }

    /// Where it is.
    pub fn path(&self) -> PathBuf {
        self.directory.path().join("mounted")
    }

    /// A directory beside it, on the machine's own disk.
    pub fn beside(&self) -> &Path {
        self.directory.path()
    }

    /// Cuts the power: what is not synced by now will not be there.
    pub fn cut_power(&self) {
        run("python3", &["-c", SHUT_DOWN, text(&self.path())]).expect("the file system can be shut down");
    }

    /// Mounts it anew after the power was cut and everyone has let go of it.
    pub fn power_on(&self) {
        run("umount", &[text(&self.path())]).expect("nobody uses the file system");
        self.mount().expect("it was mounted before");
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Also while something still has a file open there. There is nobody to tell.
        let _ = run("umount", &["--lazy", text(&self.path())]);
    }
}

fn new_directory() -> TempDir {
    tempfile::tempdir().expect("a temporary directory")
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a temporary path is text")
}

fn run(program: &str, arguments: &[&str]) -> Result<(), String> {
    let output =
        Command::new(program).args(arguments).output().map_err(|error| format!("{program}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{program}: {}", String::from_utf8_lossy(&output.stderr).trim()))
}
