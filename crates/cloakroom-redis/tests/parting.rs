//! Logins into another slot of a cluster, which happen in two steps.
#![allow(clippy::unwrap_used, reason = "what a test relies on fails the test")]

mod support;

use cloakroom_store::{
    By, End, Ending, Identity, Keep, Limit, Load, Page, Reason, Record, Registry, Rotate, Rotation,
    Store as _, Swept, Target, Timestamp, UserId,
};
use std::sync::Arc;
use std::time::Duration;
use support::desk::{NOW, ada, done, draft, draft_on, has, key, load, login};
use support::groups::Cluster;
use support::server::{Server, poll};
use support::{config, connect};

#[test]
fn a_session_that_left_its_slot_cannot_be_ended_or_taken_back() {
    let cluster = Cluster::start();
    let store = connect(config(&cluster.url())).unwrap();
    let (old, new) = (has(&store, None, 1), key(store.route(Some(&ada())), 2));

    let rotate = done(store.rotate(&old, &new, login(&store, 2, None), NOW));
    let ended = done(store.end(Target::Id(draft(&store, None, 1).id), Ending::LOGOUT, NOW));

    assert!(matches!(rotate, Rotate::Done { .. }), "{rotate:?}");
    assert!(matches!(ended, End::Gone(_)), "{ended:?}");
    assert!(matches!(load(&store, &new), Load::Live(_)));
    let limit = Some(Limit::refuse_beyond(1));
    let guest = has(&store, None, 3);
    let refused = done(store.rotate(&guest, &key(new.route(), 4), login(&store, 4, limit), NOW));
    assert!(matches!(refused, Rotate::LimitReached(_)), "{refused:?}");
    assert!(matches!(load(&store, &guest), Load::Live(_)));
}

#[test]
fn a_session_that_somebody_ended_meanwhile_is_not_taken_back() {
    let cluster = Cluster::start();
    let (store, operator) =
        (connect(config(&cluster.url())).unwrap(), connect(config(&cluster.url())).unwrap());
    let guest = has(&store, None, 1);
    // The feed is told before the old session leaves, so that its server has to be there.
    let here = [owner(&cluster, guest.route()).port, owner_of(&cluster, "meta").port];
    let users = (0..100).map(UserId::from);
    let user = users
        .map(|user| (has(&store, Some(&user), 2), user))
        .find(|(key, _)| !here.contains(&owner(&cluster, key.route()).port));
    let (other, user) = user.unwrap();
    let rotation = Rotation::Privilege {
        draft: draft(&store, Some(&user), 3),
        keep: Keep::All,
        limit: None,
        ending: Ending { reason: Reason::Replaced, by: By::HOLDER },
    };

    let elsewhere = owner(&cluster, other.route());
    elsewhere.pause();
    // The key is taken, so that the login is refused when its old session has left.
    let login = store.rotate(&guest, &other, rotation, NOW);
    poll("the old session to leave", || {
        matches!(load(&operator, &guest), Load::Gone(Some(_))).then_some(())
    });
    let id = draft(&store, None, 1).id;
    let ended = done(operator.end(Target::Id(id), Ending::revoked(By::USER), NOW));
    elsewhere.go_on();
    let login = done(login);

    assert!(matches!(ended, End::Gone(Some(_))), "{ended:?}");
    assert!(matches!(login, Rotate::Gone(Some(_))), "{login:?}");
    assert!(matches!(load(&store, &guest), Load::Gone(Some(_))));
}

#[test]
fn guests_are_spread_over_all_servers() {
    let cluster = Cluster::start();
    // As a service has it: behind a pointer that does not know which store it is.
    let store: Arc<dyn Registry> = Arc::new(connect(config(&cluster.url())).unwrap());

    for number in 0..100_u32 {
        let random = (number * 655) as u16;
        let route = store.guest_route(random.to_be_bytes());
        let guest = draft_on(route, Identity::anonymous(), number);
        done(store.create(&key(route, number), guest, None, NOW));
    }

    let has_some = |node: &Server| node.cli(&["DBSIZE"]).trim().parse::<u32>().unwrap() > 30;
    assert_eq!(cluster.primaries().filter(|node| has_some(node)).count(), 3);
    assert_eq!(done(store.count(NOW)).sessions, 100);
    let scanned = done(store.scan(Page::first(1_000), NOW));
    assert!(scanned.is_sorted_by_key(Record::id), "in the order of ids");
    assert_eq!(scanned.len(), 100);
}

#[test]
fn a_sweep_counts_what_it_frees_although_endings_free_older_keys_too() {
    let cluster = Cluster::start();
    let store = connect(config(&cluster.url())).unwrap();
    let renewal = || Rotation::Renewal {
        identity: None,
        times: None,
        grace: Duration::from_secs(20),
        cap: Duration::from_secs(3_600),
    };
    for number in 0..20 {
        let old = has(&store, None, 100 + number);
        // The sweep comes to the newer key first.
        let new = key(old.route(), number);
        assert!(matches!(done(store.rotate(&old, &new, renewal(), NOW)), Rotate::Done { .. }));
    }

    // When nothing is told of them any more: an hour of life, a day of memory.
    let later = Timestamp::from_millis(NOW.as_millis() + 25 * 3_600_000);
    let first = done(store.sweep(later, 0));
    let rest = done(store.sweep(later, 1_000));

    assert_eq!(first, Swept { removed: 0, more: true });
    assert!((20..=40).contains(&rest.removed) && !rest.more, "{rest:?}");
}

/// The server on which something stands on this route.
fn owner(cluster: &Cluster, route: cloakroom_store::Route) -> &Server {
    let [first, second] = route.to_bytes();
    owner_of(cluster, &format!("{first:02x}{second:02x}"))
}

fn owner_of<'a>(cluster: &'a Cluster, tag: &str) -> &'a Server {
    let pattern = format!("cloakroom:{{{tag}}}:*");
    let mut primaries = cluster.primaries();
    let has_it = |node: &&Server| !node.cli(&["--scan", "--pattern", &pattern]).trim().is_empty();
    primaries.find(has_it).unwrap()
}
