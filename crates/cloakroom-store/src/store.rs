//! The verbs of the request path and what they answer.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::answer::Answer;
use crate::ending::{Ended, Ending};
use crate::fields::Field;
use crate::identity::Identity;
use crate::listener::{Listener, Told};
use crate::names::{Key, Route, SessionId, UserId};
use crate::ops::Ops;
use crate::record::{Draft, Record, Times};
use crate::timestamp::Timestamp;

/// Keeps sessions for the request path. Each verb is one atomic round trip.
///
/// Shared between threads and safe to call from all of them. The work of a verb begins when it is
/// called and runs to its end even if the [`Answer`] is dropped. `now` decides what is expired;
/// a store never reads a clock.
///
/// Expiry is judged by each call's own `now`. A touch that was asked for before a deadline and
/// arrives late still counts, even if a call with a later `now` was told meanwhile that the session
/// had expired; once it is swept, it stays over.
pub trait Store: Send + Sync + 'static {
    /// What the store is called in messages, such as `sqlite`.
    fn name(&self) -> &'static str;

    /// How far the store reaches: a policy for several machines refuses one that cannot.
    fn reach(&self) -> Reach;

    /// What an acknowledged write outlives.
    fn survival(&self) -> Survival;

    /// Where the sessions of `user` live; [`Route::NONE`] in a store without slots. Pure: it
    /// costs nothing and never changes for one user.
    fn route(&self, user: Option<&UserId>) -> Route;

    /// Where a session without a user lives, by two random bytes of the caller's. A store with slots
    /// spreads such sessions; one without has one place for all.
    fn guest_route(&self, random: [u8; 2]) -> Route {
        let _ = random;
        self.route(None)
    }

    /// What is behind each of `keys`, at most [`LOOKUP_MAX`], in their order.
    ///
    /// The first load through the new key of a renewal starts the grace of the old one.
    fn load(&self, keys: &[Key], now: Timestamp) -> Answer<Loads>;

    /// The same, past any cache in between: what it answers was true after it was called.
    fn load_fresh(&self, keys: &[Key], now: Timestamp) -> Answer<Loads> {
        self.load(keys, now)
    }

    /// Makes a session out of nothing, and never overwrites one.
    ///
    /// With a user, the user's index and `limit` change in the same step.
    fn create(
        &self,
        key: &Key,
        draft: Draft,
        limit: Option<Limit>,
        now: Timestamp,
    ) -> Answer<Create>;

    /// Changes fields and moves the idle deadline of a live session.
    ///
    /// Works through a forwarded key too. With no `ops` it is a touch, which may be less durable
    /// than a change and leaves the version alone.
    fn commit(
        &self,
        key: &Key,
        expect: Expect,
        ops: &Ops,
        touch: Option<Touch>,
        now: Timestamp,
    ) -> Answer<Commit>;

    /// Puts the live session of `old` behind the key `new`.
    ///
    /// [`Rotation::Privilege`] ends the old session in that instant and begins a new one in its
    /// place; [`Rotation::Renewal`] keeps the session, and the old key forwards for a while.
    fn rotate(&self, old: &Key, new: &Key, rotation: Rotation, now: Timestamp) -> Answer<Rotate>;

    /// Begins a new session of the same user behind the key of a dormant one.
    fn resume(&self, key: &Key, draft: Draft, keep: Keep, now: Timestamp) -> Answer<Resume>;

    /// Ends one session, live or dormant, and remembers why.
    fn end(&self, target: Target, ending: Ending, now: Timestamp) -> Answer<End>;

    /// Tells `listener`, as long as the store is there, of changes that others make, and says of
    /// which. A change is told at the latest right after it was answered to whoever made it; how
    /// much later it is heard is a matter of the way there.
    fn listen(&self, listener: Arc<dyn Listener>) -> Told {
        drop(listener);
        Told::Nothing
    }

    /// Lets go of files and connections when everything that was asked is done. Verbs that come
    /// later are *unavailable*. A store that holds nothing has nothing to do.
    fn close(&self) -> Answer<()> {
        Answer::ready(Ok(()))
    }
}

/// The most keys in one load: a browser that holds more cookies of one name is being played with.
pub const LOOKUP_MAX: usize = 4;

/// What is behind one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Load {
    /// A live session.
    Live(Record),
    /// A live session whose token was renewed; the identity is as it was before.
    Forwarded(Record),
    /// A session whose clocks ran out; its remembered user may [`Store::resume`].
    Dormant(Record),
    /// Nothing, or what is still known of an ended session.
    Gone(Option<Ended>),
}

/// One [`Load`] per key, in the order of the keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Loads {
    first: Option<Load>,
    rest: Vec<Load>,
}

impl Loads {
    /// The answers in order.
    pub fn iter(&self) -> impl Iterator<Item = &Load> {
        self.first.iter().chain(&self.rest)
    }
}

/// One answer costs no allocation.
impl FromIterator<Load> for Loads {
    fn from_iter<I: IntoIterator<Item = Load>>(loads: I) -> Self {
        let mut loads = loads.into_iter();
        Self { first: loads.next(), rest: loads.collect() }
    }
}

impl IntoIterator for Loads {
    type Item = Load;
    type IntoIter = std::iter::Chain<std::option::IntoIter<Load>, std::vec::IntoIter<Load>>;

    fn into_iter(self) -> Self::IntoIter {
        self.first.into_iter().chain(self.rest)
    }
}

/// What came of [`Store::create`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Create {
    /// The session exists; older ones of its user may have made room.
    Done {
        /// The session.
        record: Record,
        /// The sessions that were ended to keep the limit.
        evicted: Vec<SessionId>,
    },
    /// The key or the id is in use; nothing was changed.
    KeyTaken,
    /// The user has as many sessions as the limit allows; nothing was changed.
    LimitReached(Vec<Record>),
}

/// Which version a commit was computed from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// It does not matter: the operations replace whole fields.
    Any,
    /// This one; any other is a conflict.
    Version(u64),
}

/// Activity at `seen`, which moves the idle deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Touch {
    /// When the activity was.
    pub seen: Timestamp,
    /// The idle deadline that follows from it.
    pub idle_deadline: Timestamp,
}

/// What came of [`Store::commit`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Commit {
    /// The session as it is now.
    Done(Record),
    /// Somebody else changed it first: the newest record, to compute the change again from.
    Conflict(Record),
    /// The session is over; nothing was written.
    Gone(Option<Ended>),
}

/// How many sessions one user may have, counting dormant ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// The number, at least 1.
    pub max: u32,
    /// What happens when one more is wanted.
    pub policy: LimitPolicy,
}

impl Limit {
    /// The newest `max` sessions stay; older ones are ended as evicted.
    #[must_use]
    pub const fn keep_newest(max: u32) -> Self {
        Self { max, policy: LimitPolicy::KeepNewest }
    }

    /// A session beyond `max` is refused.
    #[must_use]
    pub const fn refuse_beyond(max: u32) -> Self {
        Self { max, policy: LimitPolicy::Refuse }
    }
}

/// What happens at the [`Limit`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LimitPolicy {
    /// The sessions seen longest ago make room.
    KeepNewest,
    /// The new session is refused, with the list of those that exist.
    Refuse,
}

/// Which fields of the old session a new one takes over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Keep {
    /// All.
    All,
    /// Those named.
    Only(Vec<Field>),
}

impl Keep {
    /// None.
    #[must_use]
    pub const fn nothing() -> Self {
        Self::Only(Vec::new())
    }

    /// Whether the field of this name is taken over.
    #[must_use]
    pub fn keeps(&self, name: &str) -> bool {
        match self {
            Self::All => true,
            Self::Only(fields) => fields.iter().any(|field| field.as_str() == name),
        }
    }
}

/// The two kinds of new token.
#[derive(Clone, Debug)]
pub enum Rotation {
    /// Rights change: a new session with a new id, and the old key is dead at once.
    Privilege {
        /// The new session; its `ops` come after the fields that are kept.
        draft: Draft,
        /// Which of the newest fields go along.
        keep: Keep,
        /// The limit of the new session's user.
        limit: Option<Limit>,
        /// Why the old session ends.
        ending: Ending,
    },
    /// The same session and user with a new token.
    Renewal {
        /// Another proof of the same user, as after a step-up; else it stays.
        identity: Option<Identity>,
        /// Clocks that start anew, as after a re-authentication; else they stay.
        times: Option<Times>,
        /// How long the old key forwards after the new one was first seen.
        grace: Duration,
        /// How long the old key forwards at most.
        cap: Duration,
    },
}

/// What came of [`Store::rotate`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rotate {
    /// The session behind the new key.
    Done {
        /// The session.
        record: Record,
        /// The sessions that were ended to keep the limit.
        evicted: Vec<SessionId>,
    },
    /// The new key or id is in use; nothing was changed.
    KeyTaken,
    /// The user has as many sessions as the limit allows; nothing was changed.
    LimitReached(Vec<Record>),
    /// The old key only forwards: somebody else renewed the token. Nothing was changed.
    Stale,
    /// The old session is over; nothing was changed.
    Gone(Option<Ended>),
}

/// What came of [`Store::resume`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resume {
    /// The new session.
    Done(Record),
    /// The session behind the key is live: somebody else resumed it first.
    Live(Record),
    /// There is nothing to resume.
    Gone(Option<Ended>),
}

/// Which session to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// The one behind this key.
    Key(Key),
    /// The one of this id.
    Id(SessionId),
}

/// What came of [`Store::end`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// The session that was ended; of one that was stored damaged, what can still be read.
    Ended(Record),
    /// The key only forwards: identity calls need the newest ticket. Nothing was changed.
    Stale,
    /// There was nothing to end.
    Gone(Option<Ended>),
}

/// How far a store reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// One process.
    Process,
    /// All processes of one machine.
    Host,
    /// Any number of machines.
    Network,
}

/// What an acknowledged write outlives; each includes those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Survives {
    /// The end of the process loses it.
    Nothing,
    /// The process may be killed at any moment.
    ProcessCrash,
    /// The machine may lose power.
    PowerLoss,
    /// The machine may be lost.
    NodeLoss,
}

impl fmt::Display for Survives {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nothing => "nothing",
            Self::ProcessCrash => "process crash",
            Self::PowerLoss => "power loss",
            Self::NodeLoss => "loss of a node",
        })
    }
}

/// What acknowledged writes of each class outlive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Survival {
    /// Creations, rotations, resumptions and endings.
    pub identity: Survives,
    /// Changes of fields.
    pub data: Survives,
    /// Changes of the idle deadline alone.
    pub touch: Survives,
}
