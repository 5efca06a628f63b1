//! What is checked before a server is trusted, and how it is spoken to.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "what a test relies on fails the test"
)]

mod support;

use cloakroom_store::{
    Change, Create, End, Ending, Expect, Identity, Load, Page, Registry as _, Route, Store as _,
    StoreErrorKind, Survives, Target,
};
use support::desk::{NOW, ada, done, draft, draft_on, has, key, load, login, set};
use support::ear::Ear;
use support::server::Server;
use support::{config, connect};

#[test]
fn a_server_that_evicts_at_random_is_refused_with_the_remedy() {
    let server = Server::start(&["--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru"]);

    let refused = connect(config(&server.url())).unwrap_err();
    let accepted = connect(config(&server.url()).dangerous_accept_eviction());

    assert_eq!(refused.kind(), StoreErrorKind::Refused);
    assert!(refused.to_string().contains("noeviction"), "{refused}");
    assert!(accepted.is_ok());
}

#[test]
fn a_store_declares_what_its_server_is_set_up_for() {
    let declared = |options: &[&str]| {
        let server = Server::start(options);
        connect(config(&server.url())).unwrap().survival().identity
    };

    assert_eq!(declared(&["--save", ""]), Survives::Nothing);
    assert_eq!(declared(&["--appendonly", "yes"]), Survives::ProcessCrash);
    let synced = ["--appendonly", "yes", "--appendfsync", "always"];
    assert_eq!(declared(&synced), Survives::PowerLoss);
}

#[test]
fn a_disk_confirms_on_servers_that_can_and_is_refused_on_others() {
    let synced_once_a_second = ["--appendonly", "yes", "--appendfsync", "everysec"];
    let server = Server::start(&synced_once_a_second);
    let info = server.cli(&["INFO", "server"]);
    let knows_its_disk = !info.contains("redis_version:7.0.");

    let connected = connect(config(&server.url()).confirmed_on_disk());

    match connected {
        Ok(store) => {
            assert!(knows_its_disk, "{info}");
            let session = has(&store, None, 1);
            assert!(matches!(load(&store, &session), Load::Live(_)));
            let survival = store.survival();
            let declared = (survival.identity, survival.data);
            assert_eq!(declared, (Survives::PowerLoss, Survives::ProcessCrash));
        }
        Err(error) => {
            assert!(!knows_its_disk, "{error}");
            assert_eq!(error.kind(), StoreErrorKind::Refused);
            assert!(error.to_string().contains("needs Redis 7.2 or Valkey"), "{error}");
        }
    }
}

#[test]
fn a_replica_is_not_a_store() {
    let primary = Server::start(&["--save", ""]);
    let of = format!("127.0.0.1 {}", primary.port);
    let replica = Server::start(&["--save", "", "--replicaof", &of]);

    let error = connect(config(&replica.url())).unwrap_err();

    assert!(error.to_string().contains("replica"), "{error}");
}

#[test]
fn a_password_that_is_refused_says_so_and_is_not_told() {
    let server = Server::start(&["--save", "", "--requirepass", "hunter2"]);
    let with = |login: &str| connect(config(&format!("redis://{login}127.0.0.1:{}", server.port)));

    let wrong = with(":hunter3@").unwrap_err().to_string();
    let none = with("").unwrap_err().to_string();

    assert!(with(":hunter2@").is_ok());
    assert!(wrong.contains("refuses the user or password"), "{wrong}");
    assert!(none.contains("refuses the user or password"), "{none}");
    assert!(!wrong.contains("hunter"), "{wrong}");
}

/// The rights that the documentation of the crate names.
const RIGHTS: &str = "~cloakroom:* +get +mget +set +setbit +exists +del +pttl \
     +pexpire +hget +hset +hdel +hexists +hgetall +zadd +zrem +zcard +zcount +zpopmin +zscore \
     +zrangebyscore +evalsha +script|load +info +time +ping +wait +cluster|slots +cluster|nodes \
     +config|get +hello +auth +select +client|tracking +xadd +xdel +xlen +xrange +xinfo|stream";

#[test]
fn an_acl_user_needs_no_more_than_the_documented_rights() {
    let server = Server::start(&["--save", ""]);
    let rights: Vec<&str> = RIGHTS.split_whitespace().collect();
    let said = server.cli(&[&["ACL", "SETUSER", "shop", "on", ">pw"], &rights[..]].concat());
    assert_eq!(said.trim(), "OK");
    let url = format!("redis://shop:pw@127.0.0.1:{}", server.port);

    let store = connect(config(&url)).unwrap();
    let (guest, user) = (has(&store, None, 1), ada());
    done(store.commit(&guest, Expect::Any, &set("a", "1"), None, NOW));
    let signed_in = key(store.route(Some(&user)), 2);
    done(store.rotate(&guest, &signed_in, login(&store, 2, None), NOW));
    done(store.list(&user, Page::first(10), NOW));
    done(store.scan(Page::first(10), NOW));
    done(store.count(NOW));
    done(store.end(Target::Key(signed_in), Ending::LOGOUT, NOW));
    done(store.end_all(&user, None, Ending::LOGOUT, NOW));
    done(store.sweep(NOW, 10));

    Ear::at(&store).hears(Change::Hearing);

    assert!(matches!(load(&store, &signed_in), Load::Gone(Some(_))));
    let outside = connect(config(&format!("{url}?prefix=other"))).unwrap_err();
    assert!(outside.to_string().contains("ACL"), "{outside}");
}

#[test]
fn operators_can_read_a_session() {
    let server = Server::start(&["--save", ""]);
    let store = connect(config(&server.url())).unwrap();
    let session = has(&store, Some(&ada()), 1);
    done(store.commit(&session, Expect::Any, &set("cart", "[1,2]"), None, NOW));

    let names = server.cli(&["--scan", "--pattern", "cloakroom:*"]);
    let text = names.lines().find(|name| name.split(':').next_back().unwrap().len() == 40);
    let shown = server.cli(&["GET", text.unwrap()]);

    let lines: Vec<&str> = shown.trim_end().lines().collect();
    assert_eq!((lines[1], lines[6]), ("ada", r#"{"cart":[1,2]}"#));
}

#[test]
fn keys_go_by_themselves_a_day_after_their_session() {
    let server = Server::start(&["--save", ""]);
    let store = connect(config(&server.url())).unwrap();
    let session = has(&store, Some(&ada()), 1);
    has(&store, None, 2);
    done(store.end(Target::Key(session), Ending::LOGOUT, NOW));

    let names = server.cli(&["--scan", "--pattern", "cloakroom:*"]);
    let (hour, day) = (3_600, 24 * 3_600);
    let mut kept = 0;
    for name in names.lines().filter(|name| !name.contains("{meta}")) {
        let left: i64 = server.cli(&["TTL", name]).trim().parse().unwrap();
        assert!((day - 5..=hour + day + 60).contains(&left), "{name} stays for {left} s");
        kept += 1;
    }
    assert!(kept >= 5, "two sessions and the indexes of their routes: {names}");
}

#[test]
fn a_session_that_an_operator_removed_by_hand_is_in_nobodys_way() {
    let server = Server::start(&["--save", ""]);
    let store = connect(config(&server.url())).unwrap();
    has(&store, Some(&ada()), 1);
    let names = server.cli(&["--scan", "--pattern", "cloakroom:*"]);
    let text = names.lines().find(|name| name.split(':').next_back().unwrap().len() == 40);
    server.cli(&["DEL", text.unwrap()]);

    let again = draft(&store, Some(&ada()), 2);
    let limit = Some(cloakroom_store::Limit::refuse_beyond(1));
    let created = done(store.create(&key(again.id.route(), 2), again, limit, NOW));

    assert!(matches!(created, Create::Done { .. }), "{created:?}");
    assert_eq!(done(store.count(NOW)).sessions, 1);
}

#[test]
fn the_oldest_endings_of_a_route_are_forgotten_beyond_the_bound() {
    let server = Server::start(&["--save", ""]);
    let store = connect(config(&server.url())).unwrap();
    let keys: Vec<_> = (0..130).map(|number| has(&store, Some(&ada()), number)).collect();

    for key in &keys {
        done(store.end(Target::Key(*key), Ending::LOGOUT, NOW));
    }

    let told = keys.iter().map(|key| matches!(load(&store, key), Load::Gone(Some(_))));
    assert_eq!(told.filter(|told| *told).count(), 128);
}

#[test]
fn what_stands_there_and_is_no_session_is_corrupt() {
    let server = Server::start(&["--save", ""]);
    let store = connect(config(&server.url())).unwrap();
    let session = has(&store, Some(&ada()), 1);
    let names = server.cli(&["--scan", "--pattern", "cloakroom:*"]);
    let text = names.lines().find(|name| name.split(':').next_back().unwrap().len() == 40).unwrap();
    server.cli(&["SET", text, "S1 what is this"]);

    let loaded = cloakroom_conformance::executor::block_on(store.load(&[session], NOW));
    let ops = set("a", "1");
    let commit = store.commit(&session, Expect::Any, &ops, None, NOW);
    let changed = cloakroom_conformance::executor::block_on(commit);

    assert_eq!(loaded.unwrap_err().kind(), StoreErrorKind::Corrupt);
    assert_eq!(changed.unwrap_err().kind(), StoreErrorKind::Corrupt);
    assert_eq!(server.cli(&["GET", text]).trim(), "S1 what is this", "it stays for a look");
}

#[test]
fn a_damaged_session_is_ended_and_told_with_what_can_be_read_of_it() {
    let server = Server::start(&["--save", ""]);
    let damages = [("{\"cart\":1}", "{\"cart\":"), ("\nada\n", "\na\u{1}a\n")];
    for (number, (whole, damage)) in (1..).zip(damages) {
        let store = connect(config(&format!("{}?prefix=d{number}", server.url()))).unwrap();
        let session = has(&store, Some(&ada()), number);
        done(store.commit(&session, Expect::Any, &set("cart", "1"), None, NOW));
        let names = server.cli(&["--scan", "--pattern", &format!("d{number}:*")]);
        let text = names.lines().find(|name| name.split(':').next_back().unwrap().len() == 40);
        let stored = server.cli(&["GET", text.unwrap()]);
        let damaged = stored.trim_end().replacen(whole, damage, 1);
        assert_ne!(damaged, stored.trim_end());
        server.cli(&["SET", text.unwrap(), &damaged]);
        let loaded = cloakroom_conformance::executor::block_on(store.load(&[session], NOW));
        assert_eq!(loaded.unwrap_err().kind(), StoreErrorKind::Corrupt);

        let ended = done(store.end(Target::Key(session), Ending::LOGOUT, NOW));

        let End::Ended(record) = ended else { panic!("{damage:?}: {ended:?}") };
        assert_eq!(record.id(), draft(&store, Some(&ada()), number).id);
        assert!(matches!(load(&store, &session), Load::Gone(Some(_))));
    }
}

#[test]
fn a_session_lives_nowhere_but_on_the_route_of_its_user() {
    let server = Server::start(&["--save", ""]);
    let store = connect(config(&server.url())).unwrap();
    let home = store.route(Some(&ada()));
    let elsewhere = Route::from_bytes(home.to_bytes().map(|byte| !byte));
    let identity = draft(&store, Some(&ada()), 1).identity;
    let refused = |key_route, id_route, identity: Identity| {
        let draft = draft_on(id_route, identity, 1);
        let answer = store.create(&key(key_route, 1), draft, None, NOW);
        cloakroom_conformance::executor::block_on(answer).unwrap_err().kind()
    };

    assert_eq!(refused(elsewhere, elsewhere, identity.clone()), StoreErrorKind::Refused);
    assert_eq!(refused(elsewhere, home, identity), StoreErrorKind::Refused);
    assert_eq!(refused(elsewhere, home, Identity::anonymous()), StoreErrorKind::Refused);
}

#[test]
fn another_process_finds_the_same_routes() {
    let server = Server::start(&["--save", ""]);
    let stores = [0, 1].map(|_| connect(config(&server.url())).unwrap());

    let [first, second] = stores.map(|store| store.route(Some(&ada())));

    assert_eq!(first, second);
}

#[test]
fn a_closed_store_lets_nobody_in_and_has_done_what_was_asked() {
    let server = Server::start(&["--save", ""]);
    let store = connect(config(&server.url())).unwrap();
    let session = has(&store, None, 1);
    let late = store.end(Target::Key(session), Ending::LOGOUT, NOW);

    done(store.close());

    let after = cloakroom_conformance::executor::block_on(store.load(&[session], NOW));
    assert_eq!(after.unwrap_err().kind(), StoreErrorKind::Unavailable);
    drop(late);
    let other = connect(config(&server.url())).unwrap();
    assert!(matches!(load(&other, &session), Load::Gone(Some(_))));
}
