//! The feed where servers are emptied, taken over, or several.
#![allow(clippy::unwrap_used, reason = "what a test relies on fails the test")]

mod support;

use cloakroom_redis::RedisStore;
use cloakroom_store::{
    Bulletin, Cursor, Ending, FEED_MAX, Key, Limit, News, Reason, Registry as _, SessionId,
    Store as _, Target, UserId,
};
use support::desk::{NOW, ada, done, draft, has, key, login};
use support::groups::{Cluster, Sentinels};
use support::server::{Server, poll};
use support::{config, connect};

fn watch(store: &RedisStore, from: Cursor) -> Bulletin {
    done(store.watch(from, 1_000, NOW))
}

fn ended(bulletin: &Bulletin) -> Vec<SessionId> {
    let ids = bulletin.notices.iter().filter_map(|notice| {
        if let News::Ended { id, .. } = &notice.news { Some(*id) } else { None }
    });
    ids.collect()
}

fn sign_out(store: &RedisStore, number: u32) -> SessionId {
    let user = UserId::from(number);
    let session = has(store, Some(&user), number);
    done(store.end(Target::Key(session), Ending::LOGOUT, NOW));
    draft(store, Some(&user), number).id
}

#[test]
fn a_reader_of_a_server_that_was_emptied_is_told_that_it_missed_something() {
    let server = Server::start(&["--save", ""]);
    let store = connect(config(&server.url())).unwrap();
    sign_out(&store, 1);
    let before = watch(&store, Cursor::NEWEST).next;

    server.cli(&["FLUSHALL"]);
    let at_once = watch(&store, before);
    server.cli(&["FLUSHALL"]);
    let id = sign_out(&store, 2);
    let later = watch(&store, before);

    assert!(at_once.lost, "{at_once:?}");
    assert!(later.lost && ended(&later) == [id], "{later:?}");
}

/// Writes so many endings of nobody.
const FILL: &str = "for n = 1, tonumber(ARGV[1]) do \
     redis.call('XADD', KEYS[1], '*', 'at', ARGV[2], 'ended', ARGV[3], 'reason', 'logout') end";

#[test]
fn the_feed_is_bounded_and_says_what_it_forgot() {
    let server = Server::start(&["--save", ""]);
    let store = connect(config(&server.url())).unwrap();
    let id = sign_out(&store, 1);
    let first = watch(&store, Cursor::OLDEST).next;
    let (most, at) = ((FEED_MAX + 499).to_string(), NOW.as_millis().to_string());
    let feed = "cloakroom:{meta}:feed";
    let length = || server.cli(&["XLEN", feed]).trim().parse::<usize>().unwrap();

    server.cli(&["EVAL", FILL, "1", feed, &most, &at, &id.to_string()]);
    assert_eq!((length(), watch(&store, first).lost), (FEED_MAX + 500, false));
    sign_out(&store, 2);

    assert_eq!((length(), watch(&store, first).lost), (FEED_MAX + 1, true));
    done(store.sweep(NOW, 10));
    assert_eq!(length(), FEED_MAX);
}

#[test]
fn an_ending_that_is_repeated_after_a_failover_is_in_the_feed() {
    let mut group = Sentinels::start();
    let store = connect(config(&group.url())).unwrap();
    let session = has(&store, Some(&ada()), 1);
    let start = watch(&store, Cursor::NEWEST).next;
    assert_eq!(group.primary.cli(&["WAIT", "1", "5000"]).trim(), "1");
    group.primary.cli(&["ACL", "SETUSER", "default", "-psync", "-replconf"]);
    group.primary.cli(&["CLIENT", "KILL", "TYPE", "replica"]);
    done(store.end(Target::Key(session), Ending::LOGOUT, NOW));

    group.primary.kill();
    let told = poll("the feed of the new primary", || {
        cloakroom_conformance::executor::block_on(store.watch(start, 10, NOW)).ok()
    });

    assert_eq!(ended(&told), [draft(&store, Some(&ada()), 1).id], "{told:?}");
}

#[test]
fn a_cluster_tells_of_an_ending_before_it_happens() {
    let cluster = Cluster::start();
    let store = connect(config(&cluster.url())).unwrap();
    let feed = owner_of(&cluster, "meta").port;
    let users = (0..100).map(UserId::from);
    let (session, user) = users
        .map(|user| (has(&store, Some(&user), 2), user))
        .find(|(key, _)| owner(&cluster, key).port != feed)
        .unwrap();
    let start = watch(&store, Cursor::NEWEST).next;
    let home = owner(&cluster, &session);

    // The service asks whose session it is, tells the feed, and comes no further.
    let lame = ["-@all", "+get", "+ping", "+info", "+time", "+script|load", "+cluster|slots"];
    home.cli(&[&["ACL", "SETUSER", "default"], &lame[..]].concat());
    let failed = cloakroom_conformance::executor::block_on(store.end(
        Target::Key(session),
        Ending::LOGOUT,
        NOW,
    ));

    assert!(failed.is_err(), "{failed:?}");
    assert_eq!(ended(&watch(&store, start)), [draft(&store, Some(&user), 2).id]);
}

#[test]
fn a_login_that_a_limit_refuses_is_no_news_in_a_cluster() {
    let cluster = Cluster::start();
    let store = connect(config(&cluster.url())).unwrap();
    let (old, guest) = (has(&store, Some(&ada()), 1), has(&store, None, 2));
    let start = watch(&store, Cursor::NEWEST).next;
    let new = |number| key(old.route(), number);

    let refuse = login(&store, 3, Some(Limit::refuse_beyond(1)));
    done(store.rotate(&guest, &new(3), refuse, NOW));
    assert_eq!(watch(&store, start).notices, []);
    let keep = login(&store, 4, Some(Limit::keep_newest(1)));
    done(store.rotate(&guest, &new(4), keep, NOW));

    let told = watch(&store, start).notices.into_iter().map(|notice| notice.news);
    let news = |id, reason| News::Ended { id, reason };
    let [guest, old] =
        [(None, 2), (Some(ada()), 1)].map(|(user, n)| draft(&store, user.as_ref(), n).id);
    let expected = [news(guest, Reason::Replaced), news(old, Reason::Evicted)];
    assert_eq!(told.collect::<Vec<_>>(), expected);
}

/// The server on which this session stands.
fn owner<'a>(cluster: &'a Cluster, session: &Key) -> &'a Server {
    let [first, second] = session.route().to_bytes();
    owner_of(cluster, &format!("{first:02x}{second:02x}"))
}

fn owner_of<'a>(cluster: &'a Cluster, tag: &str) -> &'a Server {
    let pattern = format!("cloakroom:{{{tag}}}:*");
    let mut primaries = cluster.primaries();
    let has_it = |node: &&Server| !node.cli(&["--scan", "--pattern", &pattern]).trim().is_empty();
    primaries.find(has_it).unwrap()
}
