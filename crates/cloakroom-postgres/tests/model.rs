//! Random scripts beside a plain model.
#![allow(clippy::print_stdout, reason = "figures, and the seed that repeats a failure")]
#![allow(clippy::unwrap_used, reason = "in a test, also in what its fixture does")]

mod server;

use std::time::Duration;

use cloakroom_conformance::history::Volume;
use cloakroom_conformance::model::Handles;
use cloakroom_conformance::{Fixture, history, model};
use cloakroom_postgres::PostgresStore;
use server::{config, new_schema, open, server};

/// Two services on one schema. It is the same for each script, emptied: a new one takes longer than a script.
struct Emptied {
    schema: String,
    stores: [PostgresStore; 2],
    seed: u64,
}

impl Emptied {
    fn new(seed: u64) -> Self {
        let schema = new_schema();
        // What counts here is what is answered, and a machine that is busy is no failure.
        let config = config(&schema).call_limit(Duration::from_secs(20)).unwrap();
        let stores = [open(config.clone()).unwrap(), open(config).unwrap()];
        Self { schema, stores, seed }
    }
}

impl Fixture for Emptied {
    type Store = Handles<PostgresStore>;

    fn open(&self) -> Handles<PostgresStore> {
        let schema = &self.schema;
        let tables = ["sessions", "forwarders", "tombstones"].map(|t| format!("{schema}.{t}"));
        server().sql(&format!("TRUNCATE {}", tables.join(", "))).unwrap();
        Handles::new(self.stores.clone(), self.seed)
    }
}

#[test]
fn random_scripts_come_out_as_the_model_says() {
    let (seed, long) = (model::seed(), std::env::var_os("CLOAKROOM_LONG").is_some());
    println!("CLOAKROOM_SEED={seed}");

    let figures = model::check(&Emptied::new(seed), if long { 5_000 } else { 150 }, seed);

    println!("{} scripts, {} verbs", figures.scripts, figures.verbs);
}

#[test]
fn what_threads_are_told_one_client_could_have_been_told() {
    let (seed, long) = (model::seed(), std::env::var_os("CLOAKROOM_LONG").is_some());
    println!("CLOAKROOM_SEED={seed}");
    let volume = Volume { sessions: if long { 2_000 } else { 60 }, threads: 4, calls: 12 };

    let figures = history::check(&Emptied::new(seed), volume, seed);

    println!("{figures:?}");
    assert_eq!(figures.unanswered, 0, "what has no answer explains itself");
    assert!(figures.overlapping > 0, "nothing happened at once");
}
