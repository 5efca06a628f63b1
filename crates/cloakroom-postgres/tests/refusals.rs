//! What is refused, and what is found to be damaged.
#![allow(clippy::unwrap_used, reason = "what a test relies on fails the test")]

mod server;

use std::thread;

use cloakroom_conformance::executor::block_on;
use cloakroom_postgres::{PostgresConfig, PostgresStore};
use cloakroom_store::{
    Ending, Ops, Page, Registry as _, Store as _, StoreError, StoreErrorKind, Survives, UserId,
};
use server::people::{NOW, count, create, draft_of, is_live, key, load, touched};
use server::{config, new_schema, open, server, wait};

#[track_caller]
fn is_error<T>(result: Result<T, StoreError>, kind: StoreErrorKind, says: &str) {
    let error = result.err().unwrap();
    assert_eq!(error.kind(), kind, "{error}");
    assert!(error.to_string().contains(says), "{error}");
}

#[test]
fn each_mistake_in_a_url_is_told_and_no_password_is() {
    let mistakes = [
        ("db.example", "begins with `postgres://`"),
        ("mysql://me:S3cret@h/d", "begins with `postgres://`"),
        ("postgres://h/d", "names a user"),
        ("postgres://:S3cret@h/d", "names a user"),
        ("postgres://me:S3cret@/d", "names a host"),
        ("postgres://me:S3cret@h", "names a database"),
        ("postgres://me:S3cret@h/", "names a database"),
        ("postgres://me:S3cret@h:port/d", "cannot be read"),
        ("postgres://me:S3cret@h:99999/d", "cannot be read"),
        ("postgres://me:S3cret@h/d?sslmod=require", "no parameter `sslmod`"),
        ("postgres://me:S3cret@h/d?password=S3cret", "no parameter `password`"),
        ("postgres://me:S3cret@h/d?options=-csearch_path%3Da", "no parameter `options`"),
        ("postgres://me:S3cret@h/d?sslmode=perhaps", "`sslmode` is"),
        ("postgres://me:S3cret@h/d?sslmode=prefer", "does not keep somebody in between out"),
        ("postgres://me:S3cret@h/d?keepalives_idle=S3cret", "cannot be read"),
    ];

    for (url, says) in mistakes {
        let error = url.parse::<PostgresConfig>().err().unwrap_or_else(|| panic!("{url}"));
        assert_eq!(error.kind(), StoreErrorKind::Refused);
        assert!(error.to_string().contains(says), "{url}: {error}");
        assert!(!format!("{error} {error:?}").contains("cret"), "{error}");
    }
}

#[cfg(not(feature = "tls"))]
#[test]
fn encryption_that_this_build_lacks_is_refused_and_not_left_out() {
    let url = "postgres://me@h/d?sslmode=require".parse::<PostgresConfig>();

    is_error(url, StoreErrorKind::Refused, "needs the feature `tls`");
}

#[test]
fn a_configuration_shows_where_and_no_password() {
    let url = "postgresql://me:S3cret@db.example:6000/shop?application_name=x";

    let shown = format!("{:?}", url.parse::<PostgresConfig>().unwrap());

    assert!(shown.contains("db.example:6000/shop") && !shown.contains("S3cret"), "{shown}");
}

#[test]
fn the_limits_of_a_configuration_hold_at_their_edges() {
    use std::time::Duration;
    let config = || "postgres://me@h/d".parse::<PostgresConfig>().unwrap();
    let millis = Duration::from_millis;

    assert!(config().connections(1).is_ok() && config().connections(64).is_ok());
    assert!(config().connections(0).is_err() && config().connections(65).is_err());
    assert!(config().call_limit(millis(100)).is_ok() && config().call_limit(millis(99)).is_err());
    assert!(config().call_limit(millis(60_000)).is_ok());
    assert!(config().call_limit(millis(60_001)).is_err());
}

#[test]
fn without_a_runtime_a_store_is_refused() {
    is_error(
        block_on(PostgresStore::connect(config("unused"))),
        StoreErrorKind::Refused,
        "in a Tokio runtime",
    );
}

#[test]
fn a_server_that_is_not_there_is_unavailable_and_a_database_that_is_not_is_refused() {
    let nowhere = "postgres://me@127.0.0.1:1/d".parse().unwrap();
    is_error(open(nowhere), StoreErrorKind::Unavailable, "127.0.0.1:1/d` cannot be opened");

    let no_database =
        server().url().rsplit_once('/').map(|(base, _)| format!("{base}/nothing")).unwrap();
    is_error(open(no_database.parse().unwrap()), StoreErrorKind::Refused, "no such database");
}

#[test]
fn a_role_that_does_not_exist_is_refused() {
    let url = server().url().replace("cloakroom@", "nobody:S3cret@");

    let error = open(url.parse().unwrap()).unwrap_err();

    assert_eq!(error.kind(), StoreErrorKind::Refused, "{error}");
    assert!(!error.to_string().contains("S3cret"));
}

#[test]
fn a_schema_of_a_newer_release_is_refused_and_left_alone() {
    let schema = new_schema();
    drop(open(config(&schema)).unwrap());
    let version = format!("{schema}.schema_version");
    server().sql(&format!("UPDATE {version} SET version = 1000")).unwrap();

    is_error(open(config(&schema)), StoreErrorKind::Refused, "version 1000");

    assert_eq!(server().sql(&format!("SELECT version FROM {version}")).unwrap(), "1000");
}

#[test]
fn a_schema_of_something_else_is_refused_and_left_alone() {
    let schema = new_schema();
    server()
        .sql(&format!("CREATE SCHEMA {schema}; CREATE TABLE {schema}.sessions (a int)"))
        .unwrap();

    is_error(open(config(&schema)), StoreErrorKind::Refused, "tables of something else");

    let tables = format!("SELECT count(*) FROM pg_tables WHERE schemaname = '{schema}'");
    assert_eq!(server().sql(&tables).unwrap(), "1");
}

#[test]
fn eight_services_may_begin_at_once_on_nothing() {
    let schema = new_schema();

    let stores: Vec<_> = thread::scope(|scope| {
        let starting: Vec<_> =
            (0..8).map(|_| scope.spawn(|| open(config(&schema).connections(1).unwrap()))).collect();
        starting.into_iter().map(|thread| thread.join().unwrap().unwrap()).collect()
    });

    let (first, last) = (stores.first().unwrap(), stores.last().unwrap());
    create(first, 1).unwrap();
    assert!(is_live(last, 1));
}

#[test]
fn the_rights_that_the_documentation_names_are_enough() {
    let (schema, role) = (new_schema(), new_schema());
    drop(open(config(&schema)).unwrap());
    let url = server().url().replace("cloakroom@", &format!("{role}@"));
    let theirs = || url.parse::<PostgresConfig>().unwrap().schema(&schema).unwrap();
    server().sql(&format!("CREATE ROLE {role} LOGIN")).unwrap();
    is_error(open(theirs()), StoreErrorKind::Refused, "may not");

    let grants = cloakroom_postgres::GRANTS.replace("cloakroom", &schema).replace("shop", &role);
    server().sql(&grants).unwrap();

    let store = open(theirs()).unwrap();
    let user = UserId::from(7);
    create(&store, 1).unwrap();
    wait(store.create(&key(2), draft_of(&user, 2), None, NOW)).unwrap();
    wait(store.amend(&user, &count(3), NOW)).unwrap();
    wait(store.end_all(&user, None, Ending::LOGOUT, NOW)).unwrap();
    wait(store.sweep(NOW, 10)).unwrap();
    assert!(is_live(&store, 1));
}

#[test]
fn a_role_whose_defaults_are_loose_or_strict_changes_nothing() {
    let (schema, role) = (new_schema(), new_schema());
    let set = |what: &str| format!("ALTER ROLE {role} SET {what};");
    server()
        .sql(&format!(
            "CREATE ROLE {role} LOGIN SUPERUSER; {}{}",
            set("default_transaction_isolation = 'serializable'"),
            set("search_path = 'nowhere'"),
        ))
        .unwrap();
    let url = server().url().replace("cloakroom@", &format!("{role}@"));
    let store = open(url.parse::<PostgresConfig>().unwrap().schema(&schema).unwrap()).unwrap();
    let user = UserId::from(7);

    thread::scope(|scope| {
        for first in 0..4 {
            let (store, user) = (&store, &user);
            scope.spawn(move || {
                for number in (first..40).step_by(4) {
                    let limit = Some(cloakroom_store::Limit::keep_newest(3));
                    let created = store.create(&key(number), draft_of(user, number), limit, NOW);
                    wait(created).unwrap();
                }
            });
        }
    });

    assert_eq!(wait(store.list(&user, Page::first(10), NOW)).unwrap().len(), 3);
}

#[test]
fn tables_that_were_removed_are_corrupt() {
    let schema = new_schema();
    let store = open(config(&schema)).unwrap();
    create(&store, 1).unwrap();

    server().sql(&format!("DROP TABLE {schema}.tombstones")).unwrap();

    is_error(load(&store, 1), StoreErrorKind::Corrupt, "cannot read");
    is_error(create(&store, 2), StoreErrorKind::Corrupt, "cannot read");
}

#[test]
fn a_server_that_does_not_sync_is_declared_as_such() {
    let config = config(&new_schema());

    let synced = open(config.clone()).unwrap().survival();
    let relaxed = open(config.lose_recent_data_on_server_crash()).unwrap().survival();

    assert_eq!((synced.identity, synced.data), (Survives::PowerLoss, Survives::PowerLoss));
    assert_eq!((relaxed.identity, relaxed.data), (Survives::PowerLoss, Survives::ProcessCrash));
    let risky = cloakroom_journeys::postgres::Postgres::start(&["fsync=off"]).unwrap();
    let risky = open(risky.url().parse().unwrap()).unwrap().survival();
    assert_eq!((risky.identity, risky.data), (Survives::ProcessCrash, Survives::ProcessCrash));
}

#[test]
fn a_closed_store_has_done_what_was_asked_and_does_no_more() {
    let schema = new_schema();
    let (store, other) = (open(config(&schema)).unwrap(), open(config(&schema)).unwrap());
    drop(store.create(&key(1), server::people::draft(1), None, NOW));

    let closing = store.close();
    is_error(create(&store, 2), StoreErrorKind::Unavailable, "closed");
    is_error(
        wait(store.commit(&key(1), cloakroom_store::Expect::Any, &Ops::new(), touched(1), NOW)),
        StoreErrorKind::Unavailable,
        "closed",
    );
    wait(closing).unwrap();

    is_error(create(&store, 2), StoreErrorKind::Unavailable, "closed");
    is_error(load(&store, 1), StoreErrorKind::Unavailable, "closed");
    assert!(is_live(&other, 1) && !is_live(&other, 2));
    wait(store.close()).unwrap();
}

#[test]
fn an_operator_reads_the_view() {
    let schema = new_schema();
    let store = open(config(&schema)).unwrap();
    let user = UserId::from(7);
    wait(store.create(&key(1), draft_of(&user, 1), None, NOW)).unwrap();
    wait(store.commit(&key(1), cloakroom_store::Expect::Any, &count(5), None, NOW)).unwrap();

    let read = format!("SELECT user_id, data->>'count', version FROM {schema}.sessions_readable");

    assert_eq!(server().sql(&read).unwrap(), "7|5|2");
}
