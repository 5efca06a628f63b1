//! A schema of a test's own on a server that the run shares, and short ways to open stores in it.
#![allow(dead_code, clippy::unwrap_used, reason = "each test uses its part, and fails with it")]

pub(crate) mod people;

use std::future::Future;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use cloakroom_conformance::{Durable, Fixture};
use cloakroom_journeys::postgres::Shared;
use cloakroom_postgres::{PostgresConfig, PostgresStore};
use cloakroom_store::{Store as _, StoreError};
use tokio::runtime::Runtime;

/// Carries the stores' work while the tests wait on threads of their own.
pub(crate) fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
    })
}

pub(crate) fn server() -> &'static Shared {
    static SERVER: OnceLock<Shared> = OnceLock::new();
    SERVER.get_or_init(|| Shared::get().unwrap())
}

/// Waits on a thread that is none of the runtime's.
pub(crate) fn wait<F: Future>(future: F) -> F::Output {
    runtime().block_on(future)
}

/// A schema that nobody has.
pub(crate) fn new_schema() -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    format!("s{}_{number}", std::process::id())
}

pub(crate) fn config(schema: &str) -> PostgresConfig {
    let config: PostgresConfig = server().url().parse().unwrap();
    config.schema(schema).unwrap().connections(2).unwrap()
}

pub(crate) fn open(config: PostgresConfig) -> Result<PostgresStore, StoreError> {
    wait(PostgresStore::connect(config))
}

/// What counts is what is answered, and a machine that is busy is no failure.
fn patient(schema: &str) -> PostgresConfig {
    config(schema).call_limit(Duration::from_secs(20)).unwrap()
}

/// Makes a new schema for every store.
#[derive(Debug, Default)]
pub(crate) struct Schemas {
    newest: std::sync::Mutex<String>,
}

impl Fixture for Schemas {
    type Store = PostgresStore;

    fn open(&self) -> PostgresStore {
        let schema = new_schema();
        self.newest.lock().unwrap().clone_from(&schema);
        open(patient(&schema)).unwrap()
    }
}

impl Durable for Schemas {
    fn reopen(&self, store: PostgresStore) -> PostgresStore {
        wait(store.close()).unwrap();
        open(patient(&self.newest.lock().unwrap())).unwrap()
    }
}

impl cloakroom_conformance::Shared for Schemas {
    fn another(&self, _: &PostgresStore) -> PostgresStore {
        open(patient(&self.newest.lock().unwrap())).unwrap()
    }
}
