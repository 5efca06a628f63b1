//! The requests of `requests/` on files of SQLite: the same scenarios, judged in the same way.
#![cfg(all(feature = "sqlite", feature = "memory", feature = "derive"))]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::needless_pass_by_value,
    clippy::print_stdout,
    clippy::wildcard_enum_match_arm,
    unreachable_pub,
    reason = "tests, which print what they tried and the seed that repeats it"
)]

#[path = "requests/composing.rs"]
mod composing;
#[path = "requests/endings.rs"]
mod endings;
#[path = "requests/limits.rs"]
mod limits;
#[path = "requests/newest.rs"]
mod newest;
#[path = "requests/privilege.rs"]
mod privilege;
#[path = "requests/random/mod.rs"]
mod random;
#[path = "requests/support.rs"]
mod support;

/// A folder for each test, with a file for each store.
mod place {
    use std::path::PathBuf;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    use cloakroom::SqliteStore;
    use cloakroom::store::Registry;
    use cloakroom_conformance::executor::block_on;

    /// How many orders of a scenario are tried, beside the same number that is drawn from all of
    /// them: a new file takes longer than a request.
    pub const ORDERS_MAX: u64 = 60;

    /// How many orders are drawn behind the near cache. Here they are the same as without it: nobody else
    /// changes these files, and of its own changes a store on a file tells nothing.
    pub const NEAR_DRAWN: Option<u64> = None;

    /// How many orders a login beside a read and a write has at least.
    pub const ORDERS_LEAST: u64 = 20;

    /// How many random scripts are tried.
    pub const SCRIPTS: u32 = 100;

    /// Where the files are, as long as a test is there.
    pub struct Place {
        folder: PathBuf,
        opened: AtomicU64,
    }

    impl Place {
        pub fn enter() -> Self {
            static NUMBER: AtomicU64 = AtomicU64::new(0);
            let number = NUMBER.fetch_add(1, Ordering::Relaxed);
            let name = format!("cloakroom-requests-{}-{number}", std::process::id());
            let folder = std::env::temp_dir().join(name);
            std::fs::create_dir_all(&folder).unwrap();
            Self { folder, opened: AtomicU64::new(0) }
        }

        /// A store with nothing in it. Nothing pulls the plug here, so that the disk need not have
        /// each change.
        pub fn open(&self) -> Arc<dyn Registry> {
            let number = self.opened.fetch_add(1, Ordering::Relaxed);
            let builder = SqliteStore::builder(self.folder.join(format!("{number}.db")));
            let opening = builder.dangerous_lose_recent_changes_on_power_loss().open();
            Arc::new(block_on(opening).unwrap())
        }
    }

    impl Drop for Place {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.folder);
        }
    }
}
