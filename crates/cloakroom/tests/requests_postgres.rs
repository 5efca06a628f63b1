//! The requests of `requests/` on a PostgreSQL server: the same scenarios, judged in the same way.
#![cfg(all(feature = "postgres", feature = "memory", feature = "derive"))]
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

/// One PostgreSQL server for the tests that run at the same time; each has a schema of its own.
mod place {
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::sync::{Arc, Mutex, Weak};
    use std::time::Duration;

    use cloakroom::store::{Registry, Store as _};
    use cloakroom::{PostgresConfig, PostgresStore};
    use cloakroom_conformance::executor::block_on;
    use cloakroom_journeys::postgres::Postgres;
    use tokio::runtime::{Builder, Runtime};
    use tokio_postgres::{Client, NoTls};

    /// How many orders of a scenario are tried, beside the same number that is drawn from all of
    /// them. All orders of two requests whose answers come at once are fewer.
    pub const ORDERS_MAX: u64 = 60;

    /// How many orders are drawn behind the near cache. The store tells of changes, also of its own, when it
    /// comes to it: what was kept in one run may have to be read in the next, and no order can be tried
    /// again.
    pub const NEAR_DRAWN: Option<u64> = Some(40);

    /// How many orders a login beside a read and a write has at least.
    pub const ORDERS_LEAST: u64 = 20;

    /// How many random scripts are tried.
    pub const SCRIPTS: u32 = 80;

    /// The server keeps what it has acknowledged over a crash of its clients. None of these tests
    /// turns the power off, so that none has to wait for a disk.
    const SETTINGS: [&str; 1] = ["fsync=off"];

    /// Where the store is, as long as a test is there.
    pub struct Place {
        store: PostgresStore,
        operator: Client,
        emptying: String,
        // After the store: it ends first.
        _servers: Arc<Servers>,
    }

    struct Servers {
        // Before the server: its connections end first.
        runtime: Runtime,
        postgres: Postgres,
    }

    impl Place {
        pub fn enter() -> Self {
            static NUMBER: AtomicU64 = AtomicU64::new(0);
            let servers = Servers::get();
            let schema = format!("w{}", NUMBER.fetch_add(1, Ordering::Relaxed));
            let config: PostgresConfig = servers.postgres.url().parse().unwrap();
            // What counts here is what is answered, and a machine that is busy is no failure. One
            // call is under way at a time, and a connection that knows its statements is faster.
            let config = config.call_limit(Duration::from_secs(20)).unwrap();
            let config = config.schema(&schema).unwrap().connections(1).unwrap();
            let store = servers.run(PostgresStore::connect(config)).unwrap();
            let (operator, emptying) = servers.run(operator(servers.postgres.url(), schema));
            Self { store, operator, emptying, _servers: servers }
        }

        /// A store with nothing in it: the one that there is, since a schema takes long to make,
        /// without what was in it. Whoever used it has got all answers.
        pub fn open(&self) -> Arc<dyn Registry> {
            block_on(self.operator.batch_execute(&self.emptying)).unwrap();
            Arc::new(self.store.clone())
        }
    }

    impl Drop for Place {
        fn drop(&mut self) {
            let _ = block_on(self.store.close());
        }
    }

    impl Servers {
        fn get() -> Arc<Self> {
            static SHARED: Mutex<Weak<Servers>> = Mutex::new(Weak::new());
            let mut shared = SHARED.lock().unwrap();
            let servers = shared.upgrade().unwrap_or_else(|| {
                let mut threads = Builder::new_multi_thread();
                let runtime = threads.worker_threads(1).enable_all().build().unwrap();
                Arc::new(Self { runtime, postgres: Postgres::start(&SETTINGS).unwrap() })
            });
            *shared = Arc::downgrade(&servers);
            servers
        }

        fn run<F>(&self, work: F) -> F::Output
        where
            F: Future<Output: Send + 'static> + Send + 'static,
        {
            block_on(self.runtime.spawn(work)).unwrap()
        }
    }

    /// Somebody who can empty the tables that are empty in a new schema; the others say what the
    /// schema is.
    async fn operator(url: String, schema: String) -> (Client, String) {
        let (client, connection) = tokio_postgres::connect(&url, NoTls).await.unwrap();
        tokio::spawn(connection);
        let named = "SELECT quote_ident(schemaname) || '.' || quote_ident(tablename) \
            FROM pg_tables WHERE schemaname = $1 ORDER BY 1";
        let tables = client.query(named, &[&schema]).await.unwrap();
        let mut emptying = String::new();
        for table in tables {
            let table: String = table.get(0);
            let rows = client.query(&format!("SELECT FROM {table} LIMIT 1"), &[]).await.unwrap();
            if rows.is_empty() {
                emptying.push_str(&format!("DELETE FROM {table};"));
            }
        }
        assert!(emptying.contains(".sessions;"), "{emptying}");
        (client, emptying)
    }
}
