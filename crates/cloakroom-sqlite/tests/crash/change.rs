//! What the process that dies does, one change after the other, and how it is said in a line.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use cloakroom_conformance::executor::block_on;
use cloakroom_sqlite::SqliteStore;
use cloakroom_store::{
    ClientInfo, Commit, Create, Draft, End, Ending, Expect, Factors, Field, Identity, Keep, Key,
    Load, Ops, Record, Registry as _, Rotate, Rotation, SessionId, Store as _, Target, Times,
    Timestamp, UserId,
};

use crate::world::{Place, World};

pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);
pub(crate) const THREADS: u32 = 4;

/// One call to the store. Sessions, keys and users are numbers; a session's first key has the
/// number of its id, and user 0 is nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    Create {
        id: u32,
        user: u32,
    },
    Commit {
        key: u32,
        count: u32,
    },
    /// A change of privilege.
    Replace {
        old: u32,
        id: u32,
        user: u32,
    },
    Renew {
        old: u32,
        new: u32,
    },
    End {
        key: u32,
    },
    /// Ends all sessions of a user, those of earlier rounds too.
    EndAll {
        user: u32,
    },
}

/// What the thread does next; `number` is new in it.
pub(crate) fn draw(
    world: &World,
    thread: u32,
    number: u32,
    mut below: impl FnMut(u32) -> u32,
) -> Change {
    let user = 10 * thread + below(4);
    // Number 10 t is a user too for every thread but the first.
    let anybody = if below(4) == 0 { 0 } else { user };
    let Some(session) = world.some(&mut below) else {
        return Change::Create { id: number, user: anybody };
    };
    let old = session.key;
    match below(100) {
        0..30 => Change::Create { id: number, user: anybody },
        30..60 => {
            // An older ticket can still write.
            let key = session.older.last().copied().filter(|_| below(3) == 0).unwrap_or(old);
            Change::Commit { key, count: session.count + 1 }
        }
        60..73 => Change::Replace { old, id: number, user: anybody },
        73..86 => Change::Renew { old, new: number },
        86..98 => Change::End { key: old },
        _ if user == 0 => Change::End { key: old },
        _ => Change::EndAll { user },
    }
}

impl Change {
    /// Does it, and makes sure that it was acknowledged.
    pub(crate) fn carry_out(self, store: &SqliteStore) {
        match self {
            Self::Create { id, user } => {
                let created = store.create(&key(id), draft(id, user, true), None, NOW);
                assert!(matches!(block_on(created).unwrap(), Create::Done { .. }), "{self}");
            }
            Self::Commit { key: number, count } => {
                let ops = counted(count);
                let committed = store.commit(&key(number), Expect::Any, &ops, None, NOW);
                assert!(matches!(block_on(committed).unwrap(), Commit::Done(_)), "{self}");
            }
            Self::Replace { old, id, user } => {
                let draft = draft(id, user, false);
                let (keep, ending) = (Keep::All, Ending::LOGOUT);
                let rotation = Rotation::Privilege { draft, keep, limit: None, ending };
                rotate(store, old, id, rotation);
            }
            Self::Renew { old, new } => {
                let (grace, cap) = (Duration::from_secs(20), Duration::from_secs(600));
                let rotation = Rotation::Renewal { identity: None, times: None, grace, cap };
                rotate(store, old, new, rotation);
            }
            Self::End { key: number } => {
                let ended = store.end(Target::Key(key(number)), Ending::LOGOUT, NOW);
                assert!(matches!(block_on(ended).unwrap(), End::Ended(_)), "{self}");
            }
            Self::EndAll { user } => {
                let user = user_id(user);
                drop(block_on(store.end_all(&user, None, Ending::LOGOUT, NOW)).unwrap());
            }
        }
    }

    /// Whether a change that was under way when the process died had come to pass.
    pub(crate) fn landed(self, store: &SqliteStore, before: &World) -> bool {
        match self {
            Self::Create { id, .. } | Self::Replace { id, .. } => is_newest(&load(store, id)),
            Self::Renew { new, .. } => is_newest(&load(store, new)),
            Self::Commit { key, count } => match load(store, key) {
                Load::Live(record) | Load::Forwarded(record) => count_of(&record) == count,
                Load::Dormant(_) | Load::Gone(_) => panic!("{self}: the session is lost"),
            },
            Self::End { key } => matches!(load(store, key), Load::Gone(_)),
            Self::EndAll { user } => before
                .sessions_of(user)
                .any(|session| matches!(load(store, session.key), Load::Gone(_))),
        }
    }
}

/// What is behind a key.
pub(crate) fn load(store: &SqliteStore, number: u32) -> Load {
    block_on(store.load(&[key(number)], NOW)).unwrap().into_iter().next().unwrap()
}

/// The number that the session holds as its data.
pub(crate) fn count_of(record: &Record) -> u32 {
    record.fields().get("count").unwrap().parse().unwrap()
}

pub(crate) fn counted(value: u32) -> Ops {
    let mut ops = Ops::new();
    ops.set(Field::from_static("count"), &value).unwrap();
    ops
}

pub(crate) fn key(number: u32) -> Key {
    let mut bytes = [9; 32];
    bytes[..4].copy_from_slice(&number.to_be_bytes());
    Key::from_bytes(bytes)
}

/// The number of the session.
pub(crate) fn number_of(record: &Record) -> u32 {
    let id = record.id();
    let [a, b, c, d, ..] = id.as_bytes();
    u32::from_be_bytes([*a, *b, *c, *d])
}

pub(crate) fn user_id(number: u32) -> UserId {
    UserId::from(number)
}

/// The number of the session's user.
pub(crate) fn user_of(record: &Record) -> u32 {
    let user = record.identity().user.as_ref();
    user.map_or(0, |user| user.as_str().parse().unwrap())
}

fn draft(number: u32, user: u32, is_new: bool) -> Draft {
    let mut id = [9; 18];
    id[..4].copy_from_slice(&number.to_be_bytes());
    Draft {
        id: SessionId::from_bytes(id),
        identity: match user {
            0 => Identity::anonymous(),
            user => Identity::signed_in(user_id(user), Factors::PASSWORD, NOW),
        },
        times: Times {
            created: NOW,
            seen: NOW,
            idle_deadline: Timestamp::MAX,
            absolute_deadline: Timestamp::MAX,
        },
        client: ClientInfo::default(),
        ops: if is_new { counted(0) } else { Ops::new() },
    }
}

fn rotate(store: &SqliteStore, old: u32, new: u32, rotation: Rotation) {
    let rotated = block_on(store.rotate(&key(old), &key(new), rotation, NOW)).unwrap();
    assert!(matches!(rotated, Rotate::Done { .. }), "{old} to {new}: {rotated:?}");
}

fn is_newest(load: &Load) -> bool {
    matches!(load, Load::Live(_))
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Create { id, user } => write!(f, "create {id} {user}"),
            Self::Commit { key, count } => write!(f, "commit {key} {count}"),
            Self::Replace { old, id, user } => write!(f, "replace {old} {id} {user}"),
            Self::Renew { old, new } => write!(f, "renew {old} {new}"),
            Self::End { key } => write!(f, "end {key}"),
            Self::EndAll { user } => write!(f, "end-all {user}"),
        }
    }
}

impl FromStr for Change {
    type Err = String;

    fn from_str(line: &str) -> Result<Self, String> {
        let (verb, rest) = line.split_once(' ').ok_or(line)?;
        let numbers: Result<Vec<u32>, _> = rest.split(' ').map(str::parse).collect();
        match (verb, numbers.map_err(|_| line)?.as_slice()) {
            ("create", &[id, user]) => Ok(Self::Create { id, user }),
            ("commit", &[key, count]) => Ok(Self::Commit { key, count }),
            ("replace", &[old, id, user]) => Ok(Self::Replace { old, id, user }),
            ("renew", &[old, new]) => Ok(Self::Renew { old, new }),
            ("end", &[key]) => Ok(Self::End { key }),
            ("end-all", &[user]) => Ok(Self::EndAll { user }),
            _ => Err(line.to_owned()),
        }
    }
}

/// What a key led to must be what it leads to now.
pub(crate) fn compare(key: u32, place: Place, world: &World, found: &Load, when: &str) {
    match (place, found) {
        (Place::Newest(id), Load::Live(record)) | (Place::Older(id), Load::Forwarded(record)) => {
            let wanted = &world.sessions[&id];
            let is = (number_of(record), user_of(record), count_of(record));
            assert_eq!(is, (id, wanted.user, wanted.count), "{when}: key {key}");
        }
        (Place::Nowhere, Load::Gone(Some(_))) => {}
        (wanted, found) => panic!("{when}: key {key} should be {wanted:?} and is {found:?}"),
    }
}
