//! The feed beside other transactions, across the loss of commits, and its bound.
#![allow(clippy::unwrap_used, reason = "what a test relies on fails the test")]

mod server;

use std::thread;
use std::time::Duration;

use cloakroom_journeys::deadline::poll;
use cloakroom_postgres::PostgresStore;
use cloakroom_store::{
    BULLETIN_MAX, Bulletin, Cursor, End, Ending, FEED_MAX, News, Registry as _, SessionId,
    Store as _, Target,
};
use server::people::{NOW, create, id, key};
use server::{config, new_schema, open, runtime, server, wait};
use tokio_postgres::{Client, NoTls};

fn store(schema: &str) -> PostgresStore {
    open(config(schema).call_limit(Duration::from_secs(20)).unwrap()).unwrap()
}

/// A connection of somebody who uses the server beside the store.
fn stranger() -> Client {
    let (client, connection) = wait(tokio_postgres::connect(server().url(), NoTls)).unwrap();
    runtime().spawn(connection);
    client
}

fn run(client: &Client, sql: &str) {
    wait(client.batch_execute(sql)).unwrap();
}

fn end(store: &PostgresStore, number: u32) {
    let ended = wait(store.end(Target::Key(key(number)), Ending::LOGOUT, NOW)).unwrap();
    assert!(matches!(ended, End::Ended(_)), "{ended:?}");
}

fn watch(store: &PostgresStore, from: Cursor) -> Bulletin {
    wait(store.watch(from, BULLETIN_MAX, NOW)).unwrap()
}

fn newest(store: &PostgresStore) -> Cursor {
    watch(store, Cursor::NEWEST).next
}

fn ended(bulletin: &Bulletin) -> Vec<SessionId> {
    let ids = bulletin.notices.iter().filter_map(|notice| {
        if let News::Ended { id, .. } = &notice.news { Some(*id) } else { None }
    });
    ids.collect()
}

#[test]
fn a_reader_skips_no_ending_that_is_committed_late() {
    let schema = new_schema();
    let store = store(&schema);
    [1, 2].into_iter().for_each(|number| drop(create(&store, number).unwrap()));
    let start = newest(&store);
    let slow = stranger();
    let call = format!("SELECT {schema}.end_session(NULL, $1, 'logout', 'holder', 1)");
    run(&slow, "BEGIN");
    wait(slow.query(&call, &[&id(1).as_bytes().as_slice()])).unwrap();

    let seen_before = thread::scope(|scope| {
        scope.spawn(|| end(&store, 2));
        let waits = "SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'advisory'";
        poll("the second ending", Duration::from_secs(10), || {
            let held_up = server().sql(waits).is_ok_and(|waits| waits != "0");
            (held_up || !watch(&store, start).notices.is_empty()).then_some(())
        })
        .unwrap();
        let seen = watch(&store, start);
        run(&slow, "COMMIT");
        seen
    });

    let mut told = ended(&seen_before);
    told.extend(ended(&watch(&store, seen_before.next)));
    assert_eq!(told, [id(1), id(2)]);
}

#[test]
fn a_long_transaction_of_somebody_else_holds_no_news_back() {
    let store = store(&new_schema());
    create(&store, 1).unwrap();
    let start = newest(&store);
    let other = stranger();
    run(&other, "BEGIN; SELECT pg_current_xact_id()");

    end(&store, 1);

    assert_eq!(ended(&watch(&store, start)), [id(1)]);
    run(&other, "ROLLBACK");
}

#[test]
fn a_place_of_commits_that_the_server_lost_is_lost() {
    let schema = new_schema();
    let store = store(&schema);
    (1..=4).for_each(|number| drop(create(&store, number).unwrap()));
    end(&store, 1);
    let kept = newest(&store);
    end(&store, 2);
    let read = newest(&store);

    // As on a standby that is promoted before the second ending has reached it.
    let forget = format!("DELETE FROM {schema}.feed WHERE place = {}", read.major());
    server().sql(&forget).unwrap();
    [3, 4].into_iter().for_each(|number| end(&store, number));

    let bulletin = watch(&store, read);
    assert!(bulletin.lost, "{bulletin:?}");
    assert_eq!(ended(&bulletin), [id(1), id(3), id(4)]);
    let bulletin = watch(&store, kept);
    assert_eq!((bulletin.lost, ended(&bulletin)), (false, vec![id(3), id(4)]));
}

#[test]
fn a_feed_that_was_emptied_by_hand_has_lost_what_it_knew_and_goes_on() {
    let schema = new_schema();
    let store = store(&schema);
    [1, 2].into_iter().for_each(|number| drop(create(&store, number).unwrap()));
    end(&store, 1);
    let read = newest(&store);
    server().sql(&format!("TRUNCATE {schema}.feed")).unwrap();

    let emptied = watch(&store, read);
    let start = newest(&store);
    end(&store, 2);

    assert_eq!((emptied.lost, emptied.more, ended(&emptied)), (true, false, vec![]));
    for from in [emptied.next, start] {
        let bulletin = watch(&store, from);
        assert_eq!((bulletin.lost, ended(&bulletin)), (false, vec![id(2)]));
    }
    assert!(watch(&store, read).lost, "a place of before is none of now");
}

#[test]
fn a_sweep_forgets_the_oldest_notices_beyond_the_bound() {
    const BEYOND: usize = 1_200;
    let schema = new_schema();
    let store = store(&schema);
    let start = newest(&store);
    let tell = |count: usize| {
        let fill =
            "INSERT INTO s.feed (place, stamp, at, user_id) SELECT place + n, 7, @now, 'ada' \
            FROM (SELECT max(place) AS place FROM s.feed) l, generate_series(1, @count) n"
                .replace("s.feed", &format!("{schema}.feed"))
                .replace("@now", &NOW.as_millis().to_string())
                .replace("@count", &count.to_string());
        server().sql(&fill).unwrap();
    };
    tell(FEED_MAX);
    wait(store.sweep(NOW, 10)).unwrap();
    assert!(!watch(&store, start).lost, "as many as are kept");

    tell(BEYOND);
    let swept = wait(store.sweep(NOW, 10)).unwrap();

    assert_eq!((swept.removed, swept.more), (0, false));
    assert!(watch(&store, start).lost);
    let told = format!("SELECT count(*) FROM {schema}.feed WHERE at IS NOT NULL");
    assert_eq!(server().sql(&told).unwrap(), FEED_MAX.to_string());
}
