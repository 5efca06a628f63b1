//! Random scripts beside a plain model.
#![allow(clippy::print_stdout, reason = "figures, and the seed that repeats a failure")]
#![allow(clippy::unwrap_used, reason = "in a test, also in what its fixture does")]

mod server;

use std::sync::Mutex;
use std::time::Duration;

use cloakroom_conformance::history::Volume;
use cloakroom_conformance::{Fixture, history, model};
use cloakroom_postgres::PostgresStore;
use cloakroom_store::{
    Answer, Commit, Count, Create, Draft, End, EndedAll, Ending, Expect, Keep, Key, Limit, Loads,
    Ops, Page, Reach, Record, Registry, Resume, Rotate, Rotation, Route, SessionId, Store,
    Survival, Swept, Target, Timestamp, Touch, UserId,
};
use server::{config, new_schema, open, server};

/// Two services on one schema, whose calls take turns.
struct Both([PostgresStore; 2], Mutex<bool>);

impl Both {
    fn next(&self) -> &PostgresStore {
        let mut turn = self.1.lock().unwrap();
        *turn = !*turn;
        let [first, second] = &self.0;
        if *turn { first } else { second }
    }
}

/// The same schema for each script, emptied: a new one takes longer than a script.
struct Emptied {
    schema: String,
    stores: [PostgresStore; 2],
}

impl Emptied {
    fn new() -> Self {
        let schema = new_schema();
        // What counts here is what is answered, and a machine that is busy is no failure.
        let config = config(&schema).call_limit(Duration::from_secs(20)).unwrap();
        let stores = [open(config.clone()).unwrap(), open(config).unwrap()];
        Self { schema, stores }
    }
}

impl Fixture for Emptied {
    type Store = Both;

    fn open(&self) -> Both {
        let schema = &self.schema;
        let tables = ["sessions", "forwarders", "tombstones"].map(|t| format!("{schema}.{t}"));
        server().sql(&format!("TRUNCATE {}", tables.join(", "))).unwrap();
        Both(self.stores.clone(), Mutex::default())
    }
}

#[test]
fn random_scripts_come_out_as_the_model_says() {
    let (seed, long) = (model::seed(), std::env::var_os("CLOAKROOM_LONG").is_some());
    println!("CLOAKROOM_SEED={seed}");

    let figures = model::check(&Emptied::new(), if long { 5_000 } else { 150 }, seed);

    println!("{} scripts, {} verbs", figures.scripts, figures.verbs);
}

#[test]
fn what_threads_are_told_one_client_could_have_been_told() {
    let (seed, long) = (model::seed(), std::env::var_os("CLOAKROOM_LONG").is_some());
    println!("CLOAKROOM_SEED={seed}");
    let volume = Volume { sessions: if long { 2_000 } else { 60 }, threads: 4, calls: 12 };

    let figures = history::check(&Emptied::new(), volume, seed);

    println!("{figures:?}");
    assert!(figures.overlapping > 0, "nothing happened at once");
}

impl Store for Both {
    fn name(&self) -> &'static str {
        self.next().name()
    }

    fn reach(&self) -> Reach {
        self.next().reach()
    }

    fn survival(&self) -> Survival {
        self.next().survival()
    }

    fn route(&self, user: Option<&UserId>) -> Route {
        self.next().route(user)
    }

    fn load(&self, keys: &[Key], now: Timestamp) -> Answer<Loads> {
        self.next().load(keys, now)
    }

    fn create(
        &self,
        key: &Key,
        draft: Draft,
        limit: Option<Limit>,
        now: Timestamp,
    ) -> Answer<Create> {
        self.next().create(key, draft, limit, now)
    }

    fn commit(
        &self,
        key: &Key,
        expect: Expect,
        ops: &Ops,
        touch: Option<Touch>,
        now: Timestamp,
    ) -> Answer<Commit> {
        self.next().commit(key, expect, ops, touch, now)
    }

    fn rotate(&self, old: &Key, new: &Key, rotation: Rotation, now: Timestamp) -> Answer<Rotate> {
        self.next().rotate(old, new, rotation, now)
    }

    fn resume(&self, key: &Key, draft: Draft, keep: Keep, now: Timestamp) -> Answer<Resume> {
        self.next().resume(key, draft, keep, now)
    }

    fn end(&self, target: Target, ending: Ending, now: Timestamp) -> Answer<End> {
        self.next().end(target, ending, now)
    }
}

impl Registry for Both {
    fn list(&self, user: &UserId, page: Page, now: Timestamp) -> Answer<Vec<Record>> {
        self.next().list(user, page, now)
    }

    fn end_all(
        &self,
        user: &UserId,
        except: Option<SessionId>,
        ending: Ending,
        now: Timestamp,
    ) -> Answer<EndedAll> {
        self.next().end_all(user, except, ending, now)
    }

    fn amend(&self, user: &UserId, ops: &Ops, now: Timestamp) -> Answer<u64> {
        self.next().amend(user, ops, now)
    }

    fn scan(&self, page: Page, now: Timestamp) -> Answer<Vec<Record>> {
        self.next().scan(page, now)
    }

    fn count(&self, now: Timestamp) -> Answer<Count> {
        self.next().count(now)
    }

    fn sweep(&self, now: Timestamp, limit: u32) -> Answer<Swept> {
        self.next().sweep(now, limit)
    }
}
