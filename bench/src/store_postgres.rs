//! What `PostgresStore` does per second, beside the bare client on the same work.
//!
//! ```text
//! cargo run --release --bin store-postgres -- [sessions] [beside|size]
//! ```
//!
//! `beside` has the store and the bare client in turn on loads, commits, creates and ends, and prints
//! the ratios. `size` says what the tables weigh and measures nothing else.
//!
//! It starts a server of its own on the loopback interface, so that client and server share the
//! processor. The default is 100,000 sessions; it takes a few minutes. Durable figures are the
//! disk's as much as the store's.

mod load;

use std::cell::Cell;
use std::collections::VecDeque;
use std::sync::Arc;

use cloakroom_journeys::postgres::Postgres;
use cloakroom_postgres::{PostgresConfig, PostgresStore};
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, NoTls, Statement};

use load::{Load, Speed, key, median, members, session_id};

/// Runs of each measurement; the median is printed.
const RUNS: usize = 3;
/// Runs of what is compared with the bare client, in turn with it.
const TURNS: usize = 5;
/// Calls that are asked for and not yet answered, as from as many busy requests.
const OUTSTANDING: usize = 64;
/// Touches wait for each other's company, so that more of them are under way.
const TOUCHES_OUTSTANDING: usize = 1_024;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let sessions = arguments.next().and_then(|text| text.parse().ok()).unwrap_or(100_000);
    let part = arguments.next().unwrap_or_default();
    let mut settings = vec!["shared_buffers=1GB", "max_wal_size=4GB", "checkpoint_timeout=30min"];
    if part == "size" {
        // What a table weighs does not depend on its disk.
        settings.push("fsync=off");
    }
    let postgres = Postgres::start(&settings).expect("a server");
    let runtime = Runtime::new().expect("a runtime");
    match &*part {
        "size" => return sizes(&runtime, &postgres, sessions),
        "beside" => return beside(&runtime, &postgres, sessions),
        _ => {}
    }
    println!("{sessions} sessions, median of {RUNS} runs, {OUTSTANDING} calls outstanding\n");

    let config: PostgresConfig = postgres.url().parse().expect("a URL");
    let one = Load::new(open(&runtime, config.clone().connections(1)), sessions);
    let four = Load::new(open(&runtime, config.clone().connections(4)), sessions);
    let eight = Load::new(open(&runtime, config.clone().connections(8)), sessions);
    let relaxed =
        Load::new(open(&runtime, Ok(config.lose_recent_data_on_server_crash())), sessions);
    row("creates, 8 connections", eight.fill(OUTSTANDING));
    size(&postgres, sessions);
    postgres.sql("VACUUM (ANALYZE)").expect("a vacuum");

    let bare = Bare::new(&runtime, &postgres.url(), 1);
    several("loads, one at a time", || eight.loads_at_once(1, 5_000));
    several("  bare client", || bare.loads(1, 5_000, sessions));
    for (store, name) in [(&one, "1"), (&four, "4"), (&eight, "8")] {
        several(&format!("loads, {name} connections"), || store.loads_at_once(OUTSTANDING, 60_000));
    }
    several("  bare client, 1 connection", || bare.loads(OUTSTANDING, 60_000, sessions));
    // On one connection each change waits for a sync of its own.
    let stores = [
        (&one, "1", 1_500),
        (&four, "4", 5_000),
        (&eight, "8", 5_000),
        (&relaxed, "4 relaxed", 20_000),
    ];
    for (store, name, count) in stores {
        several(&format!("commits, {name} connections"), || store.updates(OUTSTANDING, count));
    }
    several("  bare client, 1 connection, no merge", || bare.updates(true, 1_500, sessions));
    several("  the same, relaxed", || bare.updates(false, 20_000, sessions));
    several("touches", || eight.touches(TOUCHES_OUTSTANDING, 100_000));
    created_and_ended("1", &one, 0);
    created_and_ended("8", &eight, 1_000_000);
    println!();
    choices(&runtime, &bare, &postgres);
}

/// What the tables and their indexes weigh with so many sessions in them, as they were created.
fn sizes(runtime: &Runtime, postgres: &Postgres, sessions: u64) {
    let config: PostgresConfig = postgres.url().parse().expect("a URL");
    let store = Load::new(open(runtime, config.connections(8)), sessions);
    row("creates, 8 connections, nothing synced", store.fill(OUTSTANDING));
    size(postgres, sessions);
    let all = "SELECT sum(pg_total_relation_size(c.oid)) FROM pg_class c \
        JOIN pg_namespace n ON n.oid = c.relnamespace WHERE nspname = 'cloakroom' AND relkind = 'r'";
    let bytes: u64 = postgres.sql(all).expect("a size").parse().expect("a number");
    println!("{:<44}{:>12} bytes a session, {bytes} in all", "every table", bytes / sessions);
}

/// The store and the bare client in turn on the same work, each durable where it changes something.
fn beside(runtime: &Runtime, postgres: &Postgres, sessions: u64) {
    println!("{sessions} sessions, median of {TURNS} turns, {OUTSTANDING} calls outstanding\n");
    let config: PostgresConfig = postgres.url().parse().expect("a URL");
    let filler = Load::new(open(runtime, config.clone().connections(8)), sessions);
    row("creates, 8 connections", filler.fill(OUTSTANDING));
    let first = Bare::new(runtime, &postgres.url(), 1);
    first.execute(
        "CREATE TABLE bare (LIKE cloakroom.sessions INCLUDING ALL) WITH (fillfactor = 80); \
         INSERT INTO bare SELECT * FROM cloakroom.sessions",
    );
    postgres.sql("VACUUM (ANALYZE)").expect("a vacuum");
    for connections in [1, 4] {
        // On one connection each change waits for a sync of its own.
        let count = if connections == 1 { 500 } else { 1_000 };
        let bare = Bare::new(runtime, &postgres.url(), connections);
        let load = Load::new(open(runtime, config.clone().connections(connections)), sessions);
        load.skip_filled(connections as u64 * 1_000_000);
        println!();
        let name = |what: &str| format!("{what}, {connections} connections");
        pair(
            &name("loads"),
            || load.loads_at_once(OUTSTANDING, 30_000),
            || bare.loads(OUTSTANDING, 30_000, sessions),
        );
        pair(
            &name("commits"),
            || load.updates(OUTSTANDING, count),
            || bare.commits(count, sessions),
        );
        let next = Cell::new(connections as u64 * 1_000_000_000);
        pair(
            &name("creates"),
            || load.creates(OUTSTANDING, count),
            || bare.creates(count, next.replace(next.get() + count)),
        );
        pair(
            &name("ends"),
            || load.ends(OUTSTANDING, count),
            || {
                next.set(next.get() - count);
                bare.ends(count, next.get())
            },
        );
    }
}

/// Two works in turn, and what the second comes to beside the first.
fn pair(what: &str, mut store: impl FnMut() -> Speed, mut bare: impl FnMut() -> Speed) {
    let mut others = Vec::new();
    let store = median(TURNS, || {
        others.push(bare());
        store()
    });
    let mut others = others.into_iter();
    let bare = median(TURNS, || others.next().expect("as many"));
    row(what, store);
    row("  bare client", bare);
    let rate = store.per_second / bare.per_second;
    println!("  store to bare: rate {rate:.2}, client {:.1}", store.cpu_micros / bare.cpu_micros);
}

/// Creates that are counted from the filled ones on, and ends of the same.
fn created_and_ended(name: &str, store: &Load<PostgresStore>, skipped: u64) {
    store.skip_filled(skipped);
    let count = 1_500;
    row(&format!("creates, {name} connections"), store.creates(OUTSTANDING, count));
    row(&format!("ends, {name} connections"), store.ends(OUTSTANDING, count));
}

fn open(
    runtime: &Runtime,
    config: Result<PostgresConfig, cloakroom_store::StoreError>,
) -> PostgresStore {
    runtime.block_on(PostgresStore::connect(config.expect("a number"))).expect("a store")
}

fn several(what: &str, run: impl FnMut() -> Speed) {
    row(what, median(RUNS, run));
}

fn row(what: &str, Speed { per_second, cpu_micros }: Speed) {
    println!("{what:<44}{per_second:>12.0} /s {cpu_micros:>9.1} us CPU of the client");
}

fn size(postgres: &Postgres, sessions: u64) {
    for part in ["pg_table_size", "pg_indexes_size"] {
        let sql = format!("SELECT {part}('cloakroom.sessions')");
        let bytes: u64 = postgres.sql(&sql).expect("a size").parse().expect("a number");
        println!("{part:<44}{:>12} bytes a session", bytes / sessions);
    }
}

/// The client library with plain statements, on some connections in turn.
struct Bare<'a> {
    runtime: &'a Runtime,
    clients: Vec<Arc<Client>>,
}

/// A statement as each connection knows it.
type Prepared = Vec<Statement>;

impl<'a> Bare<'a> {
    fn new(runtime: &'a Runtime, url: &str, connections: usize) -> Self {
        let connect = |_| {
            let (client, connection) =
                runtime.block_on(tokio_postgres::connect(url, NoTls)).expect("a connection");
            runtime.spawn(connection);
            Arc::new(client)
        };
        Self { runtime, clients: (0..connections).map(connect).collect() }
    }

    fn prepare(&self, sql: &str) -> Prepared {
        let prepare = |client: &Arc<Client>| self.runtime.block_on(client.prepare(sql));
        self.clients.iter().map(|client| prepare(client).expect("a statement")).collect()
    }

    fn execute(&self, sql: &str) {
        for client in &self.clients {
            self.runtime.block_on(client.batch_execute(sql)).expect("a statement");
        }
    }

    fn commits(&self, count: u64, among: u64) -> Speed {
        let statement = self.prepare(
            "UPDATE bare SET version = version + 1, seen_at = $2, data = $3 WHERE key = $1 \
             RETURNING version",
        );
        self.run(&statement, OUTSTANDING, count, |at| {
            vec![
                Box::new(random_key(at, among)),
                Box::new(1_800_000_000_000_i64),
                Box::new(members(at)),
            ]
        })
    }

    fn creates(&self, count: u64, first: u64) -> Speed {
        let statement = self.prepare(
            "INSERT INTO bare (version, created_at, seen_at, idle_deadline, absolute_deadline, \
             sweep_at, factors, key, id, user_id, data) SELECT 1, now, now, now + 3600000, \
             now + 43200000, now + 3600000, 1, $2, $3, $4, $5 FROM (SELECT $1::bigint) AS at (now) \
             RETURNING version",
        );
        self.run(&statement, OUTSTANDING, count, |at| {
            let number = first + at;
            vec![
                Box::new(1_800_000_000_000_i64),
                Box::new(key(number).as_bytes().to_vec()),
                Box::new(session_id(number).as_bytes().to_vec()),
                Box::new((number * 2 / 3).to_string()),
                Box::new(members(number)),
            ]
        })
    }

    fn ends(&self, count: u64, first: u64) -> Speed {
        let statement = self.prepare("DELETE FROM bare WHERE key = $1 RETURNING version");
        self.run(&statement, OUTSTANDING, count, |at| {
            vec![Box::new(key(first + at).as_bytes().to_vec())]
        })
    }

    fn loads(&self, outstanding: usize, count: u64, among: u64) -> Speed {
        let statement = self.prepare("SELECT * FROM cloakroom.sessions WHERE key = $1");
        self.run(&statement, outstanding, count, |at| vec![Box::new(random_key(at, among))])
    }

    fn updates(&self, durably: bool, count: u64, among: u64) -> Speed {
        let setting = if durably { "on" } else { "off" };
        self.execute(&format!("SET synchronous_commit = {setting}"));
        let statement = self.prepare(
            "UPDATE cloakroom.sessions SET version = version + 1, seen_at = $2, data = data \
             WHERE key = $1 AND $2 < LEAST(idle_deadline, absolute_deadline) RETURNING *",
        );
        let speed = self.run(&statement, OUTSTANDING, count, |at| {
            vec![Box::new(random_key(at, among)), Box::new(1_800_000_000_000_i64)]
        });
        self.execute("SET synchronous_commit = on");
        speed
    }

    fn run(
        &self,
        prepared: &Prepared,
        outstanding: usize,
        count: u64,
        params: impl Fn(u64) -> Vec<Box<dyn ToSql + Sync + Send>>,
    ) -> Speed {
        let watch = load::Stopwatch::start();
        let mut open: VecDeque<JoinHandle<usize>> = VecDeque::new();
        for at in 0..count {
            if open.len() == outstanding
                && let Some(oldest) = open.pop_front()
            {
                assert_eq!(self.runtime.block_on(oldest).expect("an answer"), 1);
            }
            let turn = at as usize % self.clients.len();
            let (client, statement, params) =
                (Arc::clone(&self.clients[turn]), prepared[turn].clone(), params(at));
            open.push_back(self.runtime.spawn(async move {
                let params: Vec<&(dyn ToSql + Sync)> =
                    params.iter().map(|param| &**param as &(dyn ToSql + Sync)).collect();
                client.query(&statement, &params).await.expect("rows").len()
            }));
        }
        for answer in open {
            assert_eq!(self.runtime.block_on(answer).expect("an answer"), 1);
        }
        watch.speed(count)
    }
}

fn random_key(at: u64, among: u64) -> Vec<u8> {
    key(at.wrapping_mul(0x9e37_79b9_7f4a_7c15) % among).as_bytes().to_vec()
}

/// What the shape of the tables costs: the same 50,000 sessions in other columns.
fn choices(runtime: &Runtime, bare: &Bare<'_>, postgres: &Postgres) {
    const ROWS: u64 = 50_000;
    let shapes = [
        ("text[], fillfactor 80", "text[]", "data", 80),
        ("text[], fillfactor 100", "text[]", "data", 100),
        ("bytea", "bytea", "convert_to(array_to_string(data, ','), 'UTF8')", 80),
        ("json", "json", "('{' || array_to_string(data, ',') || '}')::json", 80),
        ("jsonb", "jsonb", "('{' || array_to_string(data, ',') || '}')::jsonb", 80),
    ];
    for (name, kind, from, fill) in shapes {
        bare.execute(&format!(
            "DROP TABLE IF EXISTS choice; CREATE TABLE choice (version bigint NOT NULL, \
             seen_at bigint NOT NULL, key bytea PRIMARY KEY, data {kind} NOT NULL) \
             WITH (fillfactor = {fill}, autovacuum_enabled = off); \
             INSERT INTO choice SELECT version, seen_at, key, {from} FROM cloakroom.sessions \
             WHERE key IN (SELECT key FROM cloakroom.sessions ORDER BY key LIMIT {ROWS}); \
             ANALYZE choice; SET synchronous_commit = off"
        ));
        let keys: Vec<Vec<u8>> = runtime
            .block_on(bare.clients[0].query("SELECT key FROM choice", &[]))
            .expect("keys")
            .iter()
            .map(|row| row.get(0))
            .collect();
        let pick = |at: u64| keys[(at.wrapping_mul(0x9e37_79b9) % ROWS) as usize].clone();
        let read = bare.prepare("SELECT version, data FROM choice WHERE key = $1");
        let write = bare.prepare(
            "UPDATE choice SET version = version + 1, data = data WHERE key = $1 RETURNING version",
        );
        several(&format!("{name}: reads"), || {
            bare.run(&read, OUTSTANDING, 40_000, |at| vec![Box::new(pick(at))])
        });
        several(&format!("{name}: writes"), || {
            bare.run(&write, OUTSTANDING, 40_000, |at| vec![Box::new(pick(at))])
        });
        bare.execute("SELECT pg_stat_force_next_flush()");
        let hot = "SELECT round(100.0 * n_tup_hot_upd / greatest(n_tup_upd, 1)) || ' % in place, ' \
            || pg_table_size('choice') / 50000 || ' bytes a row after it' \
            FROM pg_stat_user_tables WHERE relname = 'choice'";
        println!("{name}: {}", postgres.sql(hot).expect("figures"));
    }
}
