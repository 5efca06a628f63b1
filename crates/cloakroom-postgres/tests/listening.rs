//! Who listens hears of everything, or is told that something may be missing.
#![allow(clippy::unwrap_used, reason = "what a test relies on fails the test")]

mod server;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use cloakroom_journeys::deadline::poll;
use cloakroom_journeys::postgres::Postgres;
use cloakroom_journeys::proxy::{Network, Proxy};
use cloakroom_postgres::PostgresStore;
use cloakroom_store::{
    Change, Ending, Key, Listener, Registry as _, Store as _, Target, Told, UserId,
};
use server::people::{NOW, change, create, draft_of, key};
use server::{config, new_schema, open, wait};

/// How long news may take on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(15);

#[derive(Default)]
struct Ear(Mutex<Vec<Change>>);

impl Listener for Ear {
    fn hear(&self, change: Change) {
        self.0.lock().unwrap().push(change);
    }
}

impl Ear {
    fn at(store: &PostgresStore) -> Arc<Self> {
        let ear = Arc::new(Self::default());
        let listener: Arc<dyn Listener> = Arc::<Self>::clone(&ear);
        assert_eq!(store.listen(listener), Told::Endings);
        ear.waits_for(Change::Hearing, PATIENCE);
        ear
    }

    /// Waits for it, and forgets all up to it.
    #[track_caller]
    fn waits_for(&self, change: Change, patience: Duration) {
        let heard = poll("news", patience, || {
            let mut heard = self.0.lock().unwrap();
            let at = heard.iter().position(|heard| *heard == change)?;
            drop(heard.drain(..=at));
            Some(())
        });
        assert!(heard.is_ok(), "{change:?} was not heard, but {:?}", self.0.lock().unwrap());
    }

    fn keys(&self) -> Vec<Key> {
        let heard = self.0.lock().unwrap();
        let keys = heard.iter().filter_map(|change| match change {
            Change::Key(key) => Some(*key),
            Change::Everything | Change::Deaf | Change::Hearing => None,
        });
        keys.collect()
    }
}

fn end(store: &PostgresStore, number: u32) {
    wait(store.end(Target::Key(key(number)), Ending::LOGOUT, NOW)).unwrap();
}

#[test]
fn a_listener_is_deaf_while_the_server_is_gone_and_hears_when_it_is_back() {
    let mut postgres = Postgres::start(&[]).unwrap();
    let [here, there] = [(); 2].map(|()| open(postgres.url().parse().unwrap()).unwrap());
    create(&there, 1).unwrap();
    let ear = Ear::at(&here);

    postgres.kill_hard().unwrap();
    ear.waits_for(Change::Deaf, PATIENCE);
    postgres.run().unwrap();
    ear.waits_for(Change::Hearing, PATIENCE);

    poll("the other store", PATIENCE, || change(&there, 1, 2).ok()).unwrap();
    end(&there, 1);
    ear.waits_for(Change::Key(key(1)), PATIENCE);
}

#[test]
fn a_connection_on_which_nothing_arrives_is_noticed() {
    let postgres = Postgres::start(&[]).unwrap();
    let proxy = Proxy::start(postgres.address()).unwrap();
    let here = open(postgres.url_at(proxy.address()).parse().unwrap()).unwrap();
    let ear = Ear::at(&here);

    proxy.set(Network::HalfOpen);
    ear.waits_for(Change::Deaf, Duration::from_secs(5));

    proxy.set(Network::Healthy);
    ear.waits_for(Change::Hearing, PATIENCE);
}

#[test]
fn an_end_is_told_and_data_is_not() {
    let schema = new_schema();
    let [here, there] = [(); 2].map(|()| open(config(&schema)).unwrap());
    create(&there, 1).unwrap();
    let ear = Ear::at(&here);

    change(&there, 1, 2).unwrap();
    end(&there, 1);

    ear.waits_for(Change::Key(key(1)), PATIENCE);
    assert_eq!(ear.keys(), [], "one change was told");
}

#[test]
fn the_end_of_more_sessions_than_fit_in_one_notification_is_told_of_each() {
    const SESSIONS: u32 = 250;
    let schema = new_schema();
    let patient = || config(&schema).call_limit(Duration::from_secs(20)).unwrap();
    let [here, there] = [(); 2].map(|()| open(patient()).unwrap());
    let user = UserId::from(7);
    let creates: Vec<_> = (0..SESSIONS)
        .map(|number| there.create(&key(number), draft_of(&user, number), None, NOW))
        .collect();
    creates.into_iter().for_each(|create| drop(wait(create).unwrap()));
    let ear = Ear::at(&here);

    wait(there.end_all(&user, None, Ending::LOGOUT, NOW)).unwrap();

    poll("all keys", PATIENCE, || (ear.keys().len() >= SESSIONS as usize).then_some(())).unwrap();
    let mut keys = ear.keys();
    keys.sort_unstable();
    assert_eq!(keys, (0..SESSIONS).map(key).collect::<Vec<_>>());
}

#[test]
fn a_closed_store_listens_no_more_and_says_so() {
    let store = open(config(&new_schema())).unwrap();
    let ear = Ear::at(&store);

    wait(store.close()).unwrap();

    ear.waits_for(Change::Deaf, PATIENCE);
    let late = Arc::new(Ear::default());
    let listener: Arc<dyn Listener> = Arc::<Ear>::clone(&late);
    store.listen(listener);
    assert!(late.0.lock().unwrap().is_empty());
}
