//! What random scripts are made of. Everything is small numbers, so that what fails shrinks to the
//! few verbs that matter; names are given out when a script runs.

use std::fmt;

use cloakroom_store::{By, Ending, FIELD_MAX, Field, Keep, Limit, Ops, Reason};
use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::{Just, Strategy, any};
use proptest::prop_oneof;

/// A key or an id: a new one, or one of the last that were used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Name {
    New,
    Used(u8),
}

/// A session as it is asked for.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    pub(super) id: Name,
    pub(super) user: Option<u8>,
    /// For how many seconds it is remembered.
    pub(super) remembered: Option<u64>,
    /// Idle timeout in seconds.
    pub(super) idle: u64,
    pub(super) changes: Vec<Change>,
}

/// One change of one of four fields.
#[derive(Clone, Copy, Debug)]
pub(super) enum Change {
    Set(u8, u8),
    Unset(u8),
    /// A value that is longer than a field may be.
    TooLong(u8),
}

/// The version a commit names.
#[derive(Clone, Copy, Debug)]
pub(super) enum Version {
    Any,
    Newest,
    Behind,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Proof {
    Same,
    SteppedUp,
    OfUser(u8),
}

/// Where the clock goes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    Seconds(u64),
    /// To the next, second, .. instant at which something changes by itself, or a millisecond
    /// beside it.
    Deadline(u8, i8),
    /// A day, so that endings are forgotten.
    Day,
    Back(u64),
}

#[derive(Clone, Debug)]
pub(super) enum Verb {
    Clock(Step),
    Create { key: Name, draft: Draft, limit: Option<Bound> },
    Load { keys: Vec<u8> },
    Commit { key: u8, version: Version, changes: Vec<Change>, touch: Option<u64> },
    Renew { key: u8, new: Name, proof: Proof, anew: bool, grace: u64, cap: u64 },
    Replace { key: u8, new: Name, draft: Draft, keep: u8, limit: Option<Bound>, reason: u8 },
    Resume { key: u8, draft: Draft, same_user: bool, keep: u8 },
    EndKey { key: u8, reason: u8 },
    EndId { id: u8, reason: u8 },
    EndAll { user: u8, except: Option<u8>, reason: u8 },
    Amend { user: u8, changes: Vec<Change> },
    List { user: u8, after: Option<u8>, limit: u32 },
    Scan { after: Option<u8>, limit: u32 },
    Count,
    Sweep { limit: u32 },
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Bound {
    KeepNewest(u32),
    RefuseBeyond(u32),
}

impl Bound {
    pub(super) const fn limit(self) -> Limit {
        match self {
            Self::KeepNewest(max) => Limit::keep_newest(max),
            Self::RefuseBeyond(max) => Limit::refuse_beyond(max),
        }
    }
}

/// The verbs of one run, one per line.
#[derive(Clone)]
pub(super) struct Script(pub(super) Vec<Verb>);

impl fmt::Debug for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().enumerate().try_for_each(|(at, verb)| write!(f, "\n{at:>4}  {verb:?}"))
    }
}

pub(super) const FIELDS: [&str; 4] = ["a", "b", "c", "d"];

pub(super) fn field(number: u8) -> Field {
    let name = FIELDS.get(usize::from(number)).copied().unwrap_or("e");
    Field::from_static(name)
}

pub(super) fn ops(changes: &[Change]) -> Ops {
    let mut ops = Ops::new();
    for change in changes {
        match change {
            // Text and numbers always have a JSON form.
            Change::Set(name, value) => drop(ops.set(field(*name), value)),
            Change::TooLong(name) => drop(ops.set(field(*name), &"x".repeat(FIELD_MAX))),
            Change::Unset(name) => ops.unset(field(*name)),
        }
    }
    ops
}

/// The fields of the bits that are set; all of them for 16.
pub(super) fn keep(bits: u8) -> Keep {
    if bits == 16 {
        return Keep::All;
    }
    Keep::Only((0..4).filter(|number| bits & (1 << number) != 0).map(field).collect())
}

pub(super) fn ending(reason: u8) -> Ending {
    let reason = Reason::ALL.get(usize::from(reason)).copied().unwrap_or(Reason::Logout);
    Ending { reason, by: if reason == Reason::Logout { By::HOLDER } else { By::USER } }
}

pub(super) fn scripts(longest: usize) -> impl Strategy<Value = Script> {
    vec(verb(), 1..=longest).prop_map(Script)
}

fn verb() -> impl Strategy<Value = Verb> {
    prop_oneof![
        12 => clock().prop_map(Verb::Clock),
        14 => create(),
        12 => keys().prop_map(|keys| Verb::Load { keys }),
        16 => commit(),
        10 => renew(),
        8 => replace(),
        8 => resume(),
        4 => (0..5u8, 0..9u8).prop_map(|(key, reason)| Verb::EndKey { key, reason }),
        3 => (0..5u8, 0..9u8).prop_map(|(id, reason)| Verb::EndId { id, reason }),
        2 => (0..3u8, weighted(0.5, 0..5u8), 0..9u8)
            .prop_map(|(user, except, reason)| Verb::EndAll { user, except, reason }),
        3 => (0..3u8, changes(1)).prop_map(|(user, changes)| Verb::Amend { user, changes }),
        3 => (0..3u8, weighted(0.5, 0..5u8), 1..4u32)
            .prop_map(|(user, after, limit)| Verb::List { user, after, limit }),
        2 => (weighted(0.5, 0..5u8), 1..6u32)
            .prop_map(|(after, limit)| Verb::Scan { after, limit }),
        2 => Just(Verb::Count),
        4 => (0..4u32).prop_map(|limit| Verb::Sweep { limit }),
    ]
}

/// Mostly one: several come from a browser that is being played with, and no cache answers those.
fn keys() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![2 => vec(0..5u8, 1), 1 => vec(0..5u8, 0..=4)]
}

fn clock() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (1..30u64).prop_map(Step::Seconds),
        8 => (0..4u8, -1..=1i8).prop_map(|(which, beside)| Step::Deadline(which, beside)),
        1 => Just(Step::Day),
        3 => (1..40u64).prop_map(Step::Back),
    ]
}

fn create() -> impl Strategy<Value = Verb> {
    (name(), draft(), weighted(0.4, bound())).prop_map(|(key, draft, limit)| Verb::Create {
        key,
        draft,
        limit,
    })
}

fn commit() -> impl Strategy<Value = Verb> {
    let version = prop_oneof![3 => Just(Version::Any), 3 => Just(Version::Newest), 1 => Just(Version::Behind)];
    (0..5u8, version, changes(0), weighted(0.4, 1..120u64))
        .prop_map(|(key, version, changes, touch)| Verb::Commit { key, version, changes, touch })
}

fn renew() -> impl Strategy<Value = Verb> {
    let proof = prop_oneof![
        4 => Just(Proof::Same),
        3 => Just(Proof::SteppedUp),
        1 => (0..3u8).prop_map(Proof::OfUser),
    ];
    (0..5u8, name(), proof, any::<bool>(), 1..30u64, 1..60u64).prop_map(
        |(key, new, proof, anew, grace, cap)| Verb::Renew { key, new, proof, anew, grace, cap },
    )
}

fn replace() -> impl Strategy<Value = Verb> {
    (0..5u8, name(), draft(), 0..=16u8, weighted(0.4, bound()), 0..9u8).prop_map(
        |(key, new, draft, keep, limit, reason)| Verb::Replace {
            key,
            new,
            draft,
            keep,
            limit,
            reason,
        },
    )
}

fn resume() -> impl Strategy<Value = Verb> {
    (0..5u8, draft(), proptest::bool::weighted(0.8), 0..=16u8)
        .prop_map(|(key, draft, same_user, keep)| Verb::Resume { key, draft, same_user, keep })
}

fn draft() -> impl Strategy<Value = Draft> {
    let id = prop_oneof![8 => Just(Name::New), 1 => (0..5u8).prop_map(Name::Used)];
    let user = prop_oneof![1 => Just(None), 3 => (0..3u8).prop_map(Some)];
    let remembered = prop_oneof![
        5 => Just(None),
        4 => Just(Some(400)),
        1 => Just(Some(3 * 24 * 60 * 60)),
    ];
    (id, user, remembered, 1..200u64, changes(0)).prop_map(
        |(id, user, remembered, idle, changes)| Draft { id, user, remembered, idle, changes },
    )
}

fn name() -> impl Strategy<Value = Name> {
    prop_oneof![8 => Just(Name::New), 1 => (0..5u8).prop_map(Name::Used)]
}

fn bound() -> impl Strategy<Value = Bound> {
    prop_oneof![(1..4u32).prop_map(Bound::KeepNewest), (1..4u32).prop_map(Bound::RefuseBeyond),]
}

fn changes(least: usize) -> impl Strategy<Value = Vec<Change>> {
    let change = prop_oneof![
        20 => (0..4u8, 0..10u8).prop_map(|(name, value)| Change::Set(name, value)),
        5 => (0..4u8).prop_map(Change::Unset),
        1 => (0..4u8).prop_map(Change::TooLong),
    ];
    vec(change, least..=3)
}
