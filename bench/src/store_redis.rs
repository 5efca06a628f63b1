//! What `RedisStore` does per second with a million sessions of 300 bytes, and what they weigh.
//!
//! ```text
//! cargo run --release --bin store-redis -- [sessions] [part of a row's name]
//! ```
//!
//! It starts a `redis-server` of its own without persistence, which shares the machine with it. The
//! raw rows are redis-rs on the same keys in the same run: what the network and the server allow.

use std::future::Future;
use std::io::Read as _;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use cloakroom_redis::RedisStore;
use cloakroom_store::{
    ClientInfo, Commit, Create, Draft, End, Ending, Expect, Factors, Field, Identity, Key, Load,
    Ops, SessionId, Store, Target, Times, Timestamp, UserId,
};
use redis::aio::MultiplexedConnection;

/// Runs of each measurement; the median is printed.
const RUNS: usize = 5;
const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);
const HOUR: u64 = 3_600_000;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let sessions = arguments.next().and_then(|text| text.parse().ok()).unwrap_or(1_000_000);
    let part = arguments.next().unwrap_or_default();
    let server = Server::start();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a runtime");
    println!("{sessions} sessions, median of {RUNS} runs; one runtime thread beside the server\n");
    runtime.block_on(measure(&server, sessions, &part));
}

async fn measure(server: &Server, sessions: u64, part: &str) {
    let url = format!("redis://127.0.0.1:{}", server.port);
    let connect = || async {
        RedisStore::connect(url.parse().expect("an address")).await.expect("the server is there")
    };
    let (next, over) = (Arc::default(), Arc::new(AtomicU64::new(sessions + 64)));
    let bench = Bench { stores: vec![connect().await], sessions, next, over };
    let empty = server.memory().await;
    row("creates of signed-in sessions, 64 tasks", fill(&bench, sessions).await);
    let full = server.memory().await;
    println!("{:<52}{:>10.0} bytes a session\n", "memory", (full - empty) as f64 / sessions as f64);

    let client = redis::Client::open(url.as_str()).expect("an address");
    let raw = client.get_multiplexed_async_connection().await.expect("the server is there");
    let names = Arc::new(bench.names(&raw).await);
    for tasks in [1, 64, 256] {
        let each = if tasks == 1 { 30_000 } else { 400_000 / tasks };
        let name = format!("raw GET, {tasks} tasks");
        run(&name, part, || raw_gets(one(&raw), Arc::clone(&names), tasks, each)).await;
        let name = format!("loads, {tasks} tasks");
        run(&name, part, || bench.loads(tasks, each)).await;
    }
    for tasks in [64, 256] {
        let name = format!("raw SET of the same bytes, {tasks} tasks");
        let each = 200_000 / tasks;
        run(&name, part, || raw_sets(one(&raw), Arc::clone(&names), tasks, each)).await;
        run(&format!("commits of one field, {tasks} tasks"), part, || bench.commits(tasks, each))
            .await;
    }
    run("creates, 64 tasks", part, || bench.creates(64, 1_500)).await;
    run("ends, 64 tasks", part, || bench.ends(64, 1_500)).await;
    let set = Arc::new(names.iter().map(|name| format!("raw:{name}")).collect::<Vec<_>>());
    run("raw DEL, 64 tasks", part, || raw_dels(one(&raw), Arc::clone(&set), 64, 1_500)).await;

    let (mut several, mut raws) = (bench.clone(), vec![raw]);
    for _ in 0..3 {
        several.stores.push(connect().await);
        raws.push(client.get_multiplexed_async_connection().await.expect("the server is there"));
    }
    let raws = || Arc::new(raws.clone());
    let four = |what: &str| format!("{what}, 256 tasks on 4 connections");
    run(&four("raw GET"), part, || raw_gets(raws(), Arc::clone(&names), 256, 1_600)).await;
    run(&four("loads"), part, || several.loads(256, 1_600)).await;
    run(&four("raw SET of the same bytes"), part, || {
        raw_sets(raws(), Arc::clone(&names), 256, 800)
    })
    .await;
    run(&four("commits of one field"), part, || several.commits(256, 800)).await;
    run(&four("creates"), part, || several.creates(256, 400)).await;
    run(&four("ends"), part, || several.ends(256, 400)).await;
    run(&four("raw DEL"), part, || raw_dels(raws(), Arc::clone(&set), 256, 400)).await;
}

/// The connections of the raw client; each task has one of them.
type Raw = Arc<Vec<MultiplexedConnection>>;

fn one(raw: &MultiplexedConnection) -> Raw {
    Arc::new(vec![raw.clone()])
}

/// A store through some connections, and the sessions that are in it.
#[derive(Clone)]
struct Bench {
    stores: Vec<RedisStore>,
    sessions: u64,
    next: Arc<AtomicU64>,
    over: Arc<AtomicU64>,
}

impl Bench {
    fn store(&self, task: u64) -> RedisStore {
        self.stores[task as usize % self.stores.len()].clone()
    }

    fn loads(&self, tasks: u64, each: u64) -> impl Future<Output = Speed> + use<> {
        let this = self.clone();
        together(tasks, each, move |task| {
            let (store, sessions, mut dice) = (this.store(task), this.sessions, dice());
            async move {
                for _ in 0..each {
                    let key = key(&store, dice() % sessions);
                    let loads = store.load(&[key], NOW).await.expect("a load");
                    assert!(matches!(loads.into_iter().next(), Some(Load::Live(_))));
                }
            }
        })
    }

    fn commits(&self, tasks: u64, each: u64) -> impl Future<Output = Speed> + use<> {
        let this = self.clone();
        together(tasks, each, move |task| {
            let (store, sessions, mut dice) = (this.store(task), this.sessions, dice());
            async move {
                for at in 0..each {
                    let mut ops = Ops::new();
                    ops.set(Field::from_static("visits"), &at).expect("a number is JSON");
                    let key = key(&store, dice() % sessions);
                    let commit = store.commit(&key, Expect::Any, &ops, None, NOW).await;
                    assert!(matches!(commit.expect("a commit"), Commit::Done(_)));
                }
            }
        })
    }

    fn creates(&self, tasks: u64, each: u64) -> impl Future<Output = Speed> + use<> {
        let this = self.clone();
        together(tasks, each, move |task| {
            let this = this.clone();
            async move {
                let store = this.store(task);
                for _ in 0..each {
                    let number = this.next.fetch_add(1, Ordering::Relaxed);
                    let (key, draft) = (key(&store, number), draft(&store, number));
                    let created = store.create(&key, draft, None, NOW).await.expect("a creation");
                    assert!(matches!(created, Create::Done { .. }));
                }
            }
        })
    }

    /// Ends what was created first after those that stay.
    fn ends(&self, tasks: u64, each: u64) -> impl Future<Output = Speed> + use<> {
        let this = self.clone();
        together(tasks, each, move |task| {
            let this = this.clone();
            async move {
                let store = this.store(task);
                for _ in 0..each {
                    let number = this.over.fetch_add(1, Ordering::Relaxed);
                    let target = Target::Key(key(&store, number));
                    let end = store.end(target, Ending::LOGOUT, NOW).await.expect("an end");
                    assert!(matches!(end, End::Ended(_)));
                }
            }
        })
    }

    /// The keys of a thousand sessions, as the server names them.
    async fn names(&self, raw: &MultiplexedConnection) -> Vec<String> {
        let mut scan = redis::cmd("SCAN");
        scan.arg(0).arg("COUNT").arg(20_000).arg("TYPE").arg("string");
        let (_, names): (u64, Vec<String>) =
            scan.query_async(&mut raw.clone()).await.expect("a scan");
        let is_session = |name: &String| name.rsplit(':').next().is_some_and(|d| d.len() == 40);
        names.into_iter().filter(is_session).collect()
    }
}

async fn fill(bench: &Bench, sessions: u64) -> Speed {
    bench.creates(64, sessions / 64 + 1).await
}

fn raw_gets(
    raw: Raw,
    names: Arc<Vec<String>>,
    tasks: u64,
    each: u64,
) -> impl Future<Output = Speed> {
    together(tasks, each, move |task| {
        let (mut raw, names, mut dice) = (of(&raw, task), Arc::clone(&names), dice());
        async move {
            for _ in 0..each {
                let name = &names[dice() as usize % names.len()];
                let _: Option<Vec<u8>> =
                    redis::cmd("GET").arg(name).query_async(&mut raw).await.expect("a GET");
            }
        }
    })
}

fn raw_sets(
    raw: Raw,
    names: Arc<Vec<String>>,
    tasks: u64,
    each: u64,
) -> impl Future<Output = Speed> {
    let value = "x".repeat(520);
    together(tasks, each, move |task| {
        let (mut raw, names, value) = (of(&raw, task), Arc::clone(&names), value.clone());
        async move {
            for at in 0..each {
                // Beside the sessions, so that they stay readable.
                let name = format!("raw:{}", names[(task * each + at) as usize % names.len()]);
                let mut set = redis::cmd("SET");
                set.arg(name).arg(&value).arg("PX").arg(HOUR);
                let _: () = set.query_async(&mut raw).await.expect("a SET");
            }
        }
    })
}

/// What was set beside the sessions; most of it is gone after the first round, which costs a raw
/// server as much.
fn raw_dels(
    raw: Raw,
    names: Arc<Vec<String>>,
    tasks: u64,
    each: u64,
) -> impl Future<Output = Speed> {
    together(tasks, each, move |task| {
        let (mut raw, names) = (of(&raw, task), Arc::clone(&names));
        async move {
            for at in 0..each {
                let name = &names[(task * each + at) as usize % names.len()];
                let _: u64 =
                    redis::cmd("DEL").arg(name).query_async(&mut raw).await.expect("a DEL");
            }
        }
    })
}

fn of(raw: &Raw, task: u64) -> MultiplexedConnection {
    raw[task as usize % raw.len()].clone()
}

/// What one measurement came to.
#[derive(Clone, Copy)]
struct Speed {
    per_second: f64,
    /// Processor time of this process for one operation; the server's is not in it.
    cpu_micros: f64,
}

async fn together<F: Future<Output = ()> + Send + 'static>(
    tasks: u64,
    each: u64,
    work: impl Fn(u64) -> F,
) -> Speed {
    let (begun, cpu) = (Instant::now(), cpu_seconds());
    let running: Vec<_> = (0..tasks).map(|task| tokio::spawn(work(task))).collect();
    for task in running {
        task.await.expect("a task");
    }
    let count = (tasks * each) as f64;
    Speed {
        per_second: count / begun.elapsed().as_secs_f64(),
        cpu_micros: (cpu_seconds() - cpu) * 1e6 / count,
    }
}

async fn run<F: Future<Output = Speed>>(what: &str, part: &str, measure: impl Fn() -> F) {
    if !what.contains(part) {
        return;
    }
    let mut speeds = Vec::new();
    for _ in 0..RUNS {
        speeds.push(measure().await);
    }
    let middle = |number: fn(&Speed) -> f64| {
        let mut numbers: Vec<f64> = speeds.iter().map(number).collect();
        numbers.sort_by(f64::total_cmp);
        numbers[RUNS / 2]
    };
    row(what, Speed { per_second: middle(|s| s.per_second), cpu_micros: middle(|s| s.cpu_micros) });
}

fn row(what: &str, Speed { per_second, cpu_micros }: Speed) {
    println!("{what:<52}{per_second:>10.0} /s {cpu_micros:>8.1} us CPU");
}

/// User and system time of this process in seconds.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks = after_name.split_whitespace().skip(11).take(2);
    ticks.filter_map(|text| text.parse::<f64>().ok()).sum::<f64>() / 100.0
}

fn key(store: &RedisStore, number: u64) -> Key {
    let mut bytes: [u8; 32] = random_bytes(number);
    bytes[..2].copy_from_slice(&store.route(Some(&user(number))).to_bytes());
    Key::from_bytes(bytes)
}

fn user(number: u64) -> UserId {
    UserId::from(number * 2 / 3)
}

fn draft(store: &RedisStore, number: u64) -> Draft {
    let mut ops = Ops::new();
    let cart: Vec<u64> = (0..13).map(|at| mix(number + at)).collect();
    ops.set(Field::from_static("cart"), &cart).expect("numbers are JSON");
    ops.set(Field::from_static("theme"), &"dark").expect("text is JSON");
    ops.set(Field::from_static("visits"), &0).expect("a number is JSON");
    let mut id: [u8; 18] = random_bytes(!number);
    id[..2].copy_from_slice(&store.route(Some(&user(number))).to_bytes());
    let in_hours = |hours| Timestamp::from_millis(NOW.as_millis() + hours * HOUR);
    Draft {
        id: SessionId::from_bytes(id),
        identity: Identity::signed_in(user(number), Factors::PASSWORD, NOW),
        times: Times {
            created: NOW,
            seen: NOW,
            idle_deadline: in_hours(1),
            absolute_deadline: in_hours(12),
        },
        client: ClientInfo::default(),
        ops,
    }
}

fn dice() -> impl FnMut() -> u64 {
    static SEED: AtomicU64 = AtomicU64::new(7);
    let mut state = mix(SEED.fetch_add(1, Ordering::Relaxed));
    move || {
        state = mix(state);
        state
    }
}

fn random_bytes<const N: usize>(seed: u64) -> [u8; N] {
    let mut state = mix(seed);
    std::array::from_fn(|at| {
        if at % 8 == 0 {
            state = mix(state);
        }
        (state >> (at % 8 * 8)) as u8
    })
}

fn mix(number: u64) -> u64 {
    let state = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// A server that ends with the value.
struct Server {
    child: Child,
    port: u16,
}

impl Server {
    fn start() -> Self {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        let port = listener.local_addr().expect("a port").port();
        drop(listener);
        let mut child = Command::new("redis-server")
            .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", ""])
            .stdout(Stdio::piped())
            .spawn()
            .expect("redis-server is installed");
        let mut said = String::new();
        let mut output = child.stdout.take().expect("its output");
        let mut buffer = [0; 4096];
        while !said.contains("Ready to accept connections") {
            let count = output.read(&mut buffer).expect("its output");
            assert!(count > 0, "the server ended: {said}");
            said.push_str(&String::from_utf8_lossy(&buffer[..count]));
        }
        Self { child, port }
    }

    async fn memory(&self) -> u64 {
        let client = redis::Client::open(format!("redis://127.0.0.1:{}", self.port));
        let mut connection =
            client.expect("an address").get_multiplexed_async_connection().await.expect("it");
        let info: String =
            redis::cmd("INFO").arg("memory").query_async(&mut connection).await.expect("INFO");
        let line = info.lines().find_map(|line| line.strip_prefix("used_memory:"));
        line.and_then(|bytes| bytes.trim().parse().ok()).expect("its memory")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
