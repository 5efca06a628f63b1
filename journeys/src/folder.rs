//! Temporary folders that go away with their owner.

use crate::Failure;
use std::io::ErrorKind;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// A fresh folder that only its owner can read, removed with its content on drop.
///
/// ```
/// use cloakroom_journeys::folder::Folder;
/// let folder = Folder::new("example").unwrap();
/// std::fs::write(folder.join("note"), "hello").unwrap();
/// let path = folder.path().to_owned();
/// drop(folder);
/// assert!(!path.exists());
/// ```
#[derive(Debug)]
pub struct Folder(PathBuf);

impl Folder {
    /// Makes the folder `cloakroom-<label>-<process id>-<number>` where temporary files belong.
    ///
    /// # Errors
    ///
    /// When the folder cannot be made.
    pub fn new(label: &str) -> Result<Self, Failure> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        loop {
            let number = NUMBER.fetch_add(1, Ordering::Relaxed);
            let name = format!("cloakroom-{label}-{}-{number}", std::process::id());
            let path = std::env::temp_dir().join(name);
            match std::fs::DirBuilder::new().mode(0o700).create(&path) {
                Ok(()) => return Ok(Self(path)),
                // Left by a killed process that had the same id.
                Err(cause) if cause.kind() == ErrorKind::AlreadyExists => {}
                Err(cause) => return Err(Failure::when(path.display())(cause)),
            }
        }
    }

    /// Where the folder is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The path of `name` inside the folder.
    #[must_use]
    pub fn join(&self, name: impl AsRef<Path>) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A folder that stays behind is a pity and no reason to fail a test.
        drop(std::fs::remove_dir_all(&self.0));
    }
}
