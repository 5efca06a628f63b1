//! One session of the model.

use std::collections::BTreeMap;

use cloakroom_store::{
    ClientInfo, Draft, Ended, FIELD_MAX, Fields, Identity, Keep, Op, Ops, Reason, Record,
    SessionId, Times, Timestamp, Touch,
};

#[derive(Clone, Debug)]
pub(super) struct Session {
    pub(super) id: SessionId,
    pub(super) version: u64,
    pub(super) identity: Identity,
    pub(super) client: ClientInfo,
    pub(super) times: Times,
    pub(super) fields: BTreeMap<String, String>,
}

/// A value passes a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TooLarge;

impl Session {
    /// A session that begins with `kept` and the draft's operations on top.
    pub(super) fn begin(draft: &Draft, kept: BTreeMap<String, String>) -> Result<Self, TooLarge> {
        let times = capped(draft.times);
        let (identity, client) = (draft.identity.clone(), draft.client.clone());
        let session = Self { id: draft.id, version: 1, identity, client, times, fields: kept };
        let fields = session.after(&draft.ops)?;
        Ok(Self { fields, ..session })
    }

    pub(super) fn after(&self, ops: &Ops) -> Result<BTreeMap<String, String>, TooLarge> {
        let mut fields = self.fields.clone();
        for op in ops.iter() {
            match op {
                Op::Set(name, value) => drop(fields.insert(name.to_owned(), value.to_owned())),
                Op::Unset(name) => drop(fields.remove(name)),
            }
        }
        if fields.values().any(|value| value.len() > FIELD_MAX) {
            Err(TooLarge)
        } else {
            Ok(fields)
        }
    }

    pub(super) fn kept(&self, keep: &Keep) -> BTreeMap<String, String> {
        let all = self.fields.iter().filter(|(name, _)| keep.keeps(name));
        all.map(|(name, value)| (name.clone(), value.clone())).collect()
    }

    pub(super) fn deadline(&self) -> Timestamp {
        self.times.idle_deadline.min(self.times.absolute_deadline)
    }

    /// How the clocks ended it, if they did.
    pub(super) fn timeout(&self, now: Timestamp) -> Option<Ended> {
        let Times { idle_deadline, absolute_deadline, .. } = self.times;
        let reason =
            if idle_deadline < absolute_deadline { Reason::Idle } else { Reason::Absolute };
        (now >= self.deadline()).then(|| Ended::timeout(reason, self.deadline()))
    }

    /// Until when the ticket can open something, live or dormant.
    pub(super) fn opens_until(&self) -> Timestamp {
        let remembered = self.identity.remembered_until.filter(|_| self.identity.user.is_some());
        self.deadline().max(remembered.unwrap_or_default())
    }

    pub(super) fn exists(&self, now: Timestamp) -> bool {
        now < self.opens_until()
    }

    pub(super) fn record(&self) -> Record {
        let entries = self.fields.iter().map(|(name, value)| format!("\"{name}\":{value}"));
        let json = format!("{{{}}}", entries.collect::<Vec<_>>().join(","));
        let fields = Fields::from_json(json).unwrap_or_default();
        let (identity, client) = (self.identity.clone(), self.client.clone());
        Record::restored(self.id, self.version, identity, self.times, client, fields)
    }

    pub(super) fn touch(&mut self, touch: Touch) {
        let times = &mut self.times;
        times.seen = times.seen.max(touch.seen);
        times.idle_deadline = times.idle_deadline.max(touch.idle_deadline);
        self.times = capped(self.times);
    }
}

pub(super) fn capped(times: Times) -> Times {
    Times { idle_deadline: times.idle_deadline.min(times.absolute_deadline), ..times }
}
