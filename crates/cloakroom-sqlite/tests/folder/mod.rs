//! A folder of a test's own, and short ways to open stores in it.
#![allow(dead_code, clippy::unwrap_used, reason = "each test uses its part, and fails with it")]

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use cloakroom_conformance::executor::block_on;
use cloakroom_conformance::{Durable, Fixture, Shared};
use cloakroom_sqlite::SqliteStore;
use cloakroom_store::StoreError;

/// A new folder, removed with the value.
#[derive(Debug)]
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("cloakroom-sqlite-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub(crate) fn open(path: &Path) -> Result<SqliteStore, StoreError> {
    block_on(SqliteStore::open(path))
}

/// Opens a new file for every store.
#[derive(Debug)]
pub(crate) struct Files {
    folder: Folder,
    opened: AtomicU32,
}

impl Files {
    pub(crate) fn new() -> Self {
        Self { folder: Folder::new(), opened: AtomicU32::new(0) }
    }

    fn open_newest(&self) -> SqliteStore {
        let newest = self.opened.load(Ordering::Relaxed) - 1;
        open(&self.folder.path(&format!("{newest}.db"))).unwrap()
    }
}

impl Fixture for Files {
    type Store = SqliteStore;

    fn open(&self) -> SqliteStore {
        let number = self.opened.fetch_add(1, Ordering::Relaxed);
        open(&self.folder.path(&format!("{number}.db"))).unwrap()
    }
}

impl Durable for Files {
    fn reopen(&self, store: SqliteStore) -> SqliteStore {
        block_on(store.close());
        self.open_newest()
    }
}

impl Shared for Files {
    fn another(&self, _: &SqliteStore) -> SqliteStore {
        self.open_newest()
    }
}
