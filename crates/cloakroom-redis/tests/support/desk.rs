//! Short ways to say what a session is.

use cloakroom_conformance::executor::block_on;
use cloakroom_redis::RedisStore;
use cloakroom_store::{
    Answer, By, ClientInfo, Draft, Ending, Factors, Field, Identity, Keep, Key, Limit, Load, Ops,
    Reason, Rotation, Route, SessionId, Store as _, Times, Timestamp, UserId,
};

pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

pub(crate) fn ada() -> UserId {
    UserId::try_from("ada").unwrap()
}

/// Bytes that begin with a route and differ for each number.
fn bytes<const N: usize>(route: Route, number: u32) -> [u8; N] {
    let mut bytes = [7; N];
    bytes[..2].copy_from_slice(&route.to_bytes());
    bytes[2..6].copy_from_slice(&number.to_be_bytes());
    bytes
}

pub(crate) fn key(route: Route, number: u32) -> Key {
    Key::from_bytes(bytes(route, number))
}

/// A session of an hour.
pub(crate) fn draft(store: &RedisStore, user: Option<&UserId>, number: u32) -> Draft {
    let identity = match user {
        Some(user) => Identity::signed_in(user.clone(), Factors::PASSWORD, NOW),
        None => Identity::anonymous(),
    };
    draft_on(store.route(user), identity, number)
}

pub(crate) fn draft_on(route: Route, identity: Identity, number: u32) -> Draft {
    let hour = std::time::Duration::from_secs(3_600);
    Draft {
        id: SessionId::from_bytes(bytes(route, number)),
        identity,
        times: Times {
            created: NOW,
            seen: NOW,
            idle_deadline: NOW.plus(hour),
            absolute_deadline: NOW.plus(12 * hour),
        },
        client: ClientInfo::default(),
        ops: Ops::new(),
    }
}

/// Creates a session, and tells its key.
pub(crate) fn has(store: &RedisStore, user: Option<&UserId>, number: u32) -> Key {
    let key = key(store.route(user), number);
    let created = done(store.create(&key, draft(store, user, number), None, NOW));
    assert!(matches!(created, cloakroom_store::Create::Done { .. }), "{created:?}");
    key
}

/// A login of ada.
pub(crate) fn login(store: &RedisStore, number: u32, limit: Option<Limit>) -> Rotation {
    Rotation::Privilege {
        draft: draft(store, Some(&ada()), number),
        keep: Keep::All,
        limit,
        ending: Ending { reason: Reason::Replaced, by: By::HOLDER },
    }
}

/// A new token for the same session.
pub(crate) fn renewal() -> Rotation {
    let grace = std::time::Duration::from_secs(20);
    Rotation::Renewal { identity: None, times: None, grace, cap: 30 * grace }
}

pub(crate) fn load(store: &RedisStore, key: &Key) -> Load {
    done(store.load(&[*key], NOW)).into_iter().next().unwrap()
}

pub(crate) fn set(name: &'static str, json: &str) -> Ops {
    let mut ops = Ops::new();
    ops.set_json(Field::from_static(name), json).unwrap();
    ops
}

#[track_caller]
pub(crate) fn done<T>(answer: Answer<T>) -> T {
    match block_on(answer) {
        Ok(done) => done,
        Err(error) => panic!("a step that must succeed failed: {error}"),
    }
}
