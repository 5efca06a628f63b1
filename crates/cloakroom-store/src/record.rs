use std::sync::Arc;

use crate::ending::{Ended, Reason};
use crate::error::StoreError;
use crate::fields::Fields;
use crate::identity::{ClientInfo, Identity};
use crate::names::SessionId;
use crate::ops::Ops;
use crate::store::Touch;
use crate::timestamp::Timestamp;

/// The two clocks of a session, as instants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Times {
    /// When the session was created.
    pub created: Timestamp,
    /// The last activity that was recorded.
    pub seen: Timestamp,
    /// The session is over at this instant unless activity moves it.
    pub idle_deadline: Timestamp,
    /// The session is over at this instant whatever happens.
    pub absolute_deadline: Timestamp,
}

impl Times {
    /// The instant at which the session is over if nothing more happens.
    #[must_use]
    pub fn deadline(&self) -> Timestamp {
        self.idle_deadline.min(self.absolute_deadline)
    }

    /// The ending, if the time has run out at `now`. A deadline is the first instant after.
    #[must_use]
    pub fn expired(&self, now: Timestamp) -> Option<Ended> {
        if now < self.deadline() {
            return None;
        }
        let reason = if self.absolute_deadline <= self.idle_deadline {
            Reason::Absolute
        } else {
            Reason::Idle
        };
        Some(Ended::timeout(reason, self.deadline()))
    }

    /// These times after `touch`. Nothing moves backwards, and the idle deadline never passes the
    /// absolute one.
    #[must_use]
    pub fn touched(self, touch: Touch) -> Self {
        Self {
            seen: self.seen.max(touch.seen),
            idle_deadline: self.idle_deadline.max(touch.idle_deadline).min(self.absolute_deadline),
            ..self
        }
    }
}

/// What a session begins with.
#[derive(Clone, Debug)]
pub struct Draft {
    /// Its public name, which nothing else may have.
    pub id: SessionId,
    /// Whose it is.
    pub identity: Identity,
    /// Its clocks.
    pub times: Times,
    /// The browser that asked for it.
    pub client: ClientInfo,
    /// Its first fields, on top of those that a rotation lets it keep.
    pub ops: Ops,
}

/// All that a store keeps for one session. Immutable, and cheap to clone.
///
/// ```
/// use cloakroom_store::{ClientInfo, Draft, Identity, Ops, Record, SessionId, Times, Timestamp};
/// use std::time::Duration;
///
/// let now = Timestamp::from_millis(1_000);
/// let draft = Draft {
///     id: SessionId::from_bytes([1; 18]),
///     identity: Identity::anonymous(),
///     times: Times {
///         created: now,
///         seen: now,
///         idle_deadline: now.plus(Duration::from_secs(60)),
///         absolute_deadline: now.plus(Duration::from_secs(600)),
///     },
///     client: ClientInfo::default(),
///     ops: Ops::new(),
/// };
/// let record = Record::new(draft, &Default::default()).unwrap();
/// assert_eq!(record.version(), 1);
/// assert!(record.ended(now.plus(Duration::from_secs(60))).is_some());
/// ```
#[derive(Clone, Debug)]
pub struct Record {
    block: Arc<Block>,
    times: Times,
}

#[derive(Clone, Debug)]
struct Block {
    id: SessionId,
    version: u64,
    identity: Identity,
    client: ClientInfo,
    fields: Fields,
}

impl Record {
    /// The first version of a session that keeps the fields `kept`.
    ///
    /// # Errors
    ///
    /// Refused if the fields pass a limit.
    pub fn new(draft: Draft, kept: &Fields) -> Result<Self, StoreError> {
        let Draft { id, identity, times, client, ops } = draft;
        let fields = kept.apply(&ops)?;
        let times =
            Times { idle_deadline: times.idle_deadline.min(times.absolute_deadline), ..times };
        Ok(Self { block: Arc::new(Block { id, version: 1, identity, client, fields }), times })
    }

    /// A record as a store read it back.
    #[must_use]
    pub fn restored(
        id: SessionId,
        version: u64,
        identity: Identity,
        times: Times,
        client: ClientInfo,
        fields: Fields,
    ) -> Self {
        Self { block: Arc::new(Block { id, version, identity, client, fields }), times }
    }

    /// The public name of the session.
    #[must_use]
    pub fn id(&self) -> SessionId {
        self.block.id
    }

    /// Grows by one with every change but a touch.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.block.version
    }

    /// Whose session it is.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        &self.block.identity
    }

    /// The browser that holds the ticket, as it described itself.
    #[must_use]
    pub fn client(&self) -> &ClientInfo {
        &self.block.client
    }

    /// The session's data.
    #[must_use]
    pub fn fields(&self) -> &Fields {
        &self.block.fields
    }

    /// The two clocks.
    #[must_use]
    pub const fn times(&self) -> &Times {
        &self.times
    }

    /// The ending, if the time has run out at `now`.
    #[must_use]
    pub fn ended(&self, now: Timestamp) -> Option<Ended> {
        self.times.expired(now)
    }

    /// Whether the clocks have run out but the ticket may still open a new session of the same
    /// user.
    #[must_use]
    pub fn is_dormant(&self, now: Timestamp) -> bool {
        let Identity { user, remembered_until, .. } = self.identity();
        self.ended(now).is_some()
            && user.is_some()
            && remembered_until.is_some_and(|until| now < until)
    }

    /// The instant from which on nothing can be done with the record any more.
    #[must_use]
    pub fn sweepable_at(&self) -> Timestamp {
        let deadline = self.times.deadline();
        let Identity { user, remembered_until, .. } = self.identity();
        match (user, remembered_until) {
            (Some(_), Some(until)) => deadline.max(*until),
            (Some(_), None) | (None, _) => deadline,
        }
    }

    /// The same session after `ops` and `touch`; the version grows if there are `ops`.
    ///
    /// # Errors
    ///
    /// Refused if the fields pass a limit.
    pub fn changed(&self, ops: &Ops, touch: Option<Touch>) -> Result<Self, StoreError> {
        let times = touch.map_or(self.times, |touch| self.times.touched(touch));
        if ops.is_empty() {
            return Ok(Self { block: Arc::clone(&self.block), times });
        }
        let fields = self.fields().apply(ops)?;
        Ok(self.with(times, |block| block.fields = fields))
    }

    /// The same session after a renewal.
    #[must_use]
    pub fn renewed(&self, identity: Option<Identity>, times: Option<Times>) -> Self {
        let times = times.unwrap_or(self.times);
        let times =
            Times { idle_deadline: times.idle_deadline.min(times.absolute_deadline), ..times };
        self.with(times, |block| {
            if let Some(identity) = identity {
                block.identity = identity;
            }
        })
    }

    /// The same record as it looks through a ticket from before a renewal.
    #[must_use]
    pub fn seen_as(&self, identity: Identity) -> Self {
        let mut block = (*self.block).clone();
        block.identity = identity;
        Self { block: Arc::new(block), times: self.times }
    }

    fn with(&self, times: Times, change: impl FnOnce(&mut Block)) -> Self {
        let mut block = (*self.block).clone();
        block.version += 1;
        change(&mut block);
        Self { block: Arc::new(block), times }
    }
}

/// Equal in all that a store keeps.
impl PartialEq for Record {
    fn eq(&self, other: &Self) -> bool {
        let parts = |record: &Self| (record.id(), record.version(), *record.times());
        parts(self) == parts(other)
            && self.identity() == other.identity()
            && self.client() == other.client()
            && self.fields() == other.fields()
    }
}

impl Eq for Record {}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    const TIMES: fn() -> Times =
        || Times { created: at(0), seen: at(0), idle_deadline: at(10), absolute_deadline: at(100) };

    #[test]
    fn a_deadline_is_the_first_instant_after() {
        assert_eq!(TIMES().expired(at(9)), None);
        assert_eq!(TIMES().expired(at(10)), Some(Ended::timeout(Reason::Idle, at(10))));
    }

    #[test]
    fn activity_moves_the_idle_deadline_up_to_the_absolute_one() {
        let touched = TIMES().touched(Touch { seen: at(95), idle_deadline: at(105) });

        assert_eq!(touched.idle_deadline, at(100));
        assert_eq!(touched.expired(at(100)), Some(Ended::timeout(Reason::Absolute, at(100))));
    }

    #[test]
    fn a_clock_that_steps_back_moves_nothing_backwards() {
        let touched = TIMES().touched(Touch { seen: at(50), idle_deadline: at(60) });

        assert_eq!(touched.touched(Touch { seen: at(5), idle_deadline: at(15) }), touched);
    }
}
