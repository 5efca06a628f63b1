//! What the clauses are written with: names, times, drafts, and the verbs with their answers
//! awaited.

use std::fmt::Debug;
use std::thread;
use std::time::Duration;

use cloakroom_store::{
    Answer, ClientInfo, Commit, Count, Create, Draft, End, Ended, EndedAll, Ending, Expect,
    Factors, Field, Identity, Keep, Key, Limit, Load, Ops, Page, Reason, Record, Registry, Resume,
    Rotate, Rotation, Route, SessionId, StoreError, Swept, Target, Times, Timestamp, Touch, UserId,
};

use crate::Fixture;
use crate::executor::block_on;

/// The idle deadline of every draft, in seconds after its creation.
pub(crate) const IDLE: u64 = 100;
/// The absolute deadline of every draft, in seconds after its creation.
pub(crate) const ABSOLUTE: u64 = 1_000;
/// How long a remembered draft is remembered, in seconds after its creation.
pub(crate) const REMEMBERED: u64 = 5_000;
/// The grace of every renewal, in seconds.
pub(crate) const GRACE: u64 = 20;
/// The cap of every renewal, in seconds.
pub(crate) const CAP: u64 = 60;
/// [`Ended::KEPT`] in seconds.
pub(crate) const KEPT: u64 = Ended::KEPT.as_secs();

/// The instant `seconds` after the one at which most clauses begin.
pub(crate) fn at(seconds: u64) -> Timestamp {
    Timestamp::from_millis((1_000_000_000 + seconds) * 1_000)
}

/// A touch at `seconds` with the usual idle timeout.
pub(crate) fn touch(seconds: u64) -> Touch {
    Touch { seen: at(seconds), idle_deadline: at(seconds + IDLE) }
}

/// The times of a session created at `seconds`.
pub(crate) fn times(seconds: u64) -> Times {
    Times {
        created: at(seconds),
        seen: at(seconds),
        idle_deadline: at(seconds + IDLE),
        absolute_deadline: at(seconds + ABSOLUTE),
    }
}

pub(crate) fn user(name: &str) -> UserId {
    agreed(UserId::try_from(name))
}

/// Operations that set one field to a JSON text.
pub(crate) fn set(name: &str, json: &str) -> Ops {
    let mut ops = Ops::new();
    agreed(ops.set_json(field(name), json));
    ops
}

/// Operations that remove one field.
pub(crate) fn unset(name: &str) -> Ops {
    let mut ops = Ops::new();
    ops.unset(field(name));
    ops
}

pub(crate) fn field(name: &str) -> Field {
    agreed(Field::new(name.to_owned()))
}

/// A login that keeps `fields` and sets no limit.
pub(crate) fn login(draft: Draft, fields: &[&str]) -> Rotation {
    limited_login(draft, fields, None)
}

pub(crate) fn limited_login(draft: Draft, fields: &[&str], limit: Option<Limit>) -> Rotation {
    let keep = Keep::Only(fields.iter().map(|name| field(name)).collect());
    let ending = Ending { reason: Reason::Replaced, by: cloakroom_store::By::HOLDER };
    Rotation::Privilege { draft, keep, limit, ending }
}

/// A renewal with the usual grace and cap that changes neither identity nor clocks.
pub(crate) fn renewal() -> Rotation {
    step_up(None)
}

pub(crate) fn step_up(identity: Option<Identity>) -> Rotation {
    let (grace, cap) = (Duration::from_secs(GRACE), Duration::from_secs(CAP));
    Rotation::Renewal { identity, times: None, grace, cap }
}

/// The value of a step that must not fail.
#[track_caller]
pub(crate) fn agreed<T>(result: Result<T, StoreError>) -> T {
    match result {
        Ok(value) => value,
        Err(error) => panic!("a step that the contract allows failed: {error:?}"),
    }
}

/// The session of an outcome that must be a success.
pub(crate) trait Success: Debug + Sized {
    /// The record, if it is one.
    fn record(self) -> Option<Record>;

    #[track_caller]
    fn done(self) -> Record {
        let shown = format!("{self:?}");
        match self.record() {
            Some(record) => record,
            None => panic!("a session was expected, and the store answered {shown}"),
        }
    }
}

macro_rules! success {
    ($($outcome:ident: $pattern:pat => $record:expr),* $(,)?) => {$(
        impl Success for $outcome {
            fn record(self) -> Option<Record> {
                if let $pattern = self { Some($record) } else { None }
            }
        }
    )*};
}
success! {
    Load: Load::Live(record) => record,
    Create: Create::Done { record, .. } => record,
    Commit: Commit::Done(record) => record,
    Rotate: Rotate::Done { record, .. } => record,
    Resume: Resume::Done(record) => record,
    End: End::Ended(record) => record,
}

/// A store, and the names that are used on it.
#[derive(Debug)]
pub(crate) struct Desk<S> {
    pub(crate) store: S,
}

impl<S: Registry> Desk<S> {
    pub(crate) fn open(fixture: &impl Fixture<Store = S>) -> Self {
        Self { store: fixture.open() }
    }

    /// The key of this number for a session without a user.
    pub(crate) fn key(&self, number: u32) -> Key {
        Key::from_digest(self.store.route(None), &digest(number))
    }

    /// The key of this number for a session of `name`.
    pub(crate) fn key_of(&self, name: &str, number: u32) -> Key {
        Key::from_digest(self.store.route(Some(&user(name))), &digest(number))
    }

    pub(crate) fn id(&self, number: u32) -> SessionId {
        session_id(self.store.route(None), number)
    }

    pub(crate) fn id_of(&self, name: &str, number: u32) -> SessionId {
        session_id(self.store.route(Some(&user(name))), number)
    }

    /// A session without a user that begins at 0.
    pub(crate) fn guest(&self, number: u32) -> Draft {
        Draft {
            id: self.id(number),
            identity: Identity::anonymous(),
            times: times(0),
            client: ClientInfo::default(),
            ops: Ops::new(),
        }
    }

    /// A session of `name` that begins at 0.
    pub(crate) fn member(&self, name: &str, number: u32) -> Draft {
        let identity = Identity::signed_in(user(name), Factors::PASSWORD, at(0));
        Draft { id: self.id_of(name, number), identity, ..self.guest(number) }
    }

    /// A session of `name` that begins at 0 and is remembered.
    pub(crate) fn remembered(&self, name: &str, number: u32) -> Draft {
        let draft = self.member(name, number);
        Draft { identity: draft.identity.remembered_until(at(REMEMBERED)), ..draft }
    }

    /// Creates a session without a user at 0.
    #[track_caller]
    pub(crate) fn has_guest(&self, number: u32) -> Key {
        self.has(self.key(number), self.guest(number))
    }

    /// Creates a session of `name` at 0.
    #[track_caller]
    pub(crate) fn has_member(&self, name: &str, number: u32) -> Key {
        self.has(self.key_of(name, number), self.member(name, number))
    }

    /// Creates a session of `name` at 0 that is dormant from [`IDLE`] to [`REMEMBERED`].
    #[track_caller]
    pub(crate) fn has_remembered(&self, name: &str, number: u32) -> Key {
        self.has(self.key_of(name, number), self.remembered(name, number))
    }

    #[track_caller]
    pub(crate) fn has(&self, key: Key, draft: Draft) -> Key {
        let now = draft.times.created;
        self.create(&key, draft, None, now).done();
        key
    }

    #[track_caller]
    pub(crate) fn load(&self, key: &Key, now: Timestamp) -> Load {
        match self.load_all(&[*key], now).as_slice() {
            [load] => load.clone(),
            loads => panic!("one key was loaded, and the store answered {loads:?}"),
        }
    }

    #[track_caller]
    pub(crate) fn load_all(&self, keys: &[Key], now: Timestamp) -> Vec<Load> {
        answered(self.store.load(keys, now)).into_iter().collect()
    }

    #[track_caller]
    pub(crate) fn create(
        &self,
        key: &Key,
        draft: Draft,
        limit: Option<Limit>,
        now: Timestamp,
    ) -> Create {
        answered(self.store.create(key, draft, limit, now))
    }

    /// Commits `ops` on whatever version there is.
    #[track_caller]
    pub(crate) fn change(&self, key: &Key, ops: &Ops, now: Timestamp) -> Commit {
        self.commit(key, Expect::Any, ops, None, now)
    }

    #[track_caller]
    pub(crate) fn touch(&self, key: &Key, touch: Touch, now: Timestamp) -> Commit {
        self.commit(key, Expect::Any, &Ops::new(), Some(touch), now)
    }

    #[track_caller]
    pub(crate) fn commit(
        &self,
        key: &Key,
        expect: Expect,
        ops: &Ops,
        touch: Option<Touch>,
        now: Timestamp,
    ) -> Commit {
        answered(self.store.commit(key, expect, ops, touch, now))
    }

    #[track_caller]
    pub(crate) fn rotate(
        &self,
        old: &Key,
        new: &Key,
        rotation: Rotation,
        now: Timestamp,
    ) -> Rotate {
        answered(self.store.rotate(old, new, rotation, now))
    }

    #[track_caller]
    pub(crate) fn resume(&self, key: &Key, draft: Draft, keep: Keep, now: Timestamp) -> Resume {
        answered(self.store.resume(key, draft, keep, now))
    }

    #[track_caller]
    pub(crate) fn end(&self, target: Target, ending: Ending, now: Timestamp) -> End {
        answered(self.store.end(target, ending, now))
    }

    /// The holder of `key` signs out.
    #[track_caller]
    pub(crate) fn sign_out(&self, key: &Key, now: Timestamp) -> End {
        self.end(Target::Key(*key), Ending::LOGOUT, now)
    }

    /// The ids of one user's sessions.
    #[track_caller]
    pub(crate) fn ids_of(&self, name: &str, now: Timestamp) -> Vec<SessionId> {
        self.list(name, Page::first(1_000), now).iter().map(Record::id).collect()
    }

    #[track_caller]
    pub(crate) fn list(&self, name: &str, page: Page, now: Timestamp) -> Vec<Record> {
        answered(self.store.list(&user(name), page, now))
    }

    #[track_caller]
    pub(crate) fn end_all(
        &self,
        name: &str,
        except: Option<SessionId>,
        ending: Ending,
        now: Timestamp,
    ) -> EndedAll {
        answered(self.store.end_all(&user(name), except, ending, now))
    }

    #[track_caller]
    pub(crate) fn amend(&self, name: &str, ops: &Ops, now: Timestamp) -> u64 {
        answered(self.store.amend(&user(name), ops, now))
    }

    #[track_caller]
    pub(crate) fn scan(&self, page: Page, now: Timestamp) -> Vec<Record> {
        answered(self.store.scan(page, now))
    }

    #[track_caller]
    pub(crate) fn count(&self, now: Timestamp) -> Count {
        answered(self.store.count(now))
    }

    #[track_caller]
    pub(crate) fn sweep(&self, limit: u32, now: Timestamp) -> Swept {
        answered(self.store.sweep(now, limit))
    }

    /// Waits until `holds`, for work that was begun and not awaited. Bounded, so that a store that
    /// never does the work fails its test.
    #[track_caller]
    pub(crate) fn eventually(&self, holds: impl Fn() -> bool) {
        let held = (0..1_000).any(|_| {
            let held = holds();
            if !held {
                thread::sleep(Duration::from_millis(5));
            }
            held
        });
        assert!(held, "{} did not do what was asked of it", self.store.name());
    }

    /// Sweeps until there is nothing more to free, and says how much was freed.
    #[track_caller]
    pub(crate) fn sweep_all(&self, now: Timestamp) -> u64 {
        let mut removed = 0;
        for _ in 0..1_000 {
            let swept = self.sweep(1_000, now);
            removed += swept.removed;
            if !swept.more {
                return removed;
            }
        }
        panic!("a sweep never comes to its end")
    }
}

#[track_caller]
pub(crate) fn answered<T>(answer: Answer<T>) -> T {
    agreed(block_on(answer))
}

/// The error of a verb that must not succeed.
#[track_caller]
pub(crate) fn error_of<T: Debug>(answer: Answer<T>) -> StoreError {
    match block_on(answer) {
        Err(error) => error,
        Ok(outcome) => panic!("an error was expected, and the store answered {outcome:?}"),
    }
}

pub(crate) fn session_id(route: Route, number: u32) -> SessionId {
    let [a, b] = route.to_bytes();
    let [c, d, e, f, rest @ ..] = digest(!number);
    let mut bytes = [a, b, c, d, e, f, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    for (place, byte) in bytes.iter_mut().skip(6).zip(rest) {
        *place = byte;
    }
    SessionId::from_bytes(bytes)
}

/// 32 bytes that look as random as a real digest, and are the same in every run.
pub(crate) fn digest(number: u32) -> [u8; 32] {
    let mut bytes = [0; 32];
    let mut state = u64::from(number);
    for chunk in bytes.chunks_mut(8) {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        chunk.copy_from_slice(&(mixed ^ (mixed >> 31)).to_le_bytes());
    }
    bytes
}
