//! Names and times of a script: what its small numbers stand for.

use std::collections::BTreeSet;
use std::time::Duration;

use cloakroom_store::{
    ClientInfo, Ended, Factors, Identity, Key, Registry, Route, SessionId, Times, Timestamp, UserId,
};

use super::run::Run;
use super::script::{self, Draft, Name, Step};
use crate::desk::{digest, session_id};

/// The number of a name that may never have been used.
const UNKNOWN: u8 = 4;

impl<S: Registry> Run<'_, S> {
    pub(super) fn move_clock(&mut self, step: Step) {
        let now = self.now;
        let next = match step {
            Step::Seconds(seconds) => later(now, seconds),
            Step::Day => now.plus(Ended::KEPT),
            Step::Back(seconds) => now.minus(Duration::from_secs(seconds)),
            Step::Deadline(which, beside) => {
                let instants = self.model.instants();
                let ahead = instants.range(now..).nth(usize::from(which)).copied();
                let millis = ahead.unwrap_or(now).as_millis().saturating_add_signed(beside.into());
                Timestamp::from_millis(millis)
            }
        };
        self.now = next.max(self.floor);
        let forgotten =
            |ended: Ended| Some(ended.at.plus(Ended::KEPT)).filter(|at| *at <= self.now);
        let known = self.model.used.0.iter().filter_map(|key| self.model.ending(key, self.now));
        let until = self.model.forwards.values().map(|forward| forward.until.plus(Ended::KEPT));
        let until = until.filter(|at| *at <= self.now);
        self.floor = known.filter_map(forgotten).chain(until).fold(self.floor, Timestamp::max);
    }

    /// One of the last keys behind which something was; or the last one that was given out, which
    /// may be unknown.
    pub(super) fn used_key(&self, number: u8) -> Option<Key> {
        match number {
            UNKNOWN => self.keys.last().copied(),
            _ => last(&self.keys, &self.model.used.0, number),
        }
    }

    pub(super) fn used_id(&self, number: u8) -> Option<SessionId> {
        match number {
            UNKNOWN => self.ids.last().copied(),
            _ => last(&self.ids, &self.model.used.1, number),
        }
    }

    /// A key in this place of a store with slots. None if the one that is named is in another.
    pub(super) fn key(&mut self, name: Name, route: Route) -> Option<Key> {
        match name {
            Name::Used(number) => self.used_key(number).filter(|key| key.route() == route),
            Name::New => {
                self.given += 1;
                let key = Key::from_digest(route, &digest(self.given));
                self.keys.push(key);
                Some(key)
            }
        }
    }

    pub(super) fn draft(
        &mut self,
        draft: &Draft,
        theirs: Option<UserId>,
    ) -> cloakroom_store::Draft {
        let user = theirs.or_else(|| draft.user.map(user));
        let route = self.store.route(user.as_ref());
        let used = match draft.id {
            Name::Used(number) => self.used_id(number).filter(|id| id.route() == route),
            Name::New => None,
        };
        let id = used.unwrap_or_else(|| {
            self.given += 1;
            let id = session_id(route, self.given);
            self.ids.push(id);
            id
        });
        let mut identity = Identity::anonymous();
        if let Some(user) = user {
            identity = Identity::signed_in(user, Factors::PASSWORD, self.now);
        }
        if let Some(seconds) = draft.remembered {
            identity = identity.remembered_until(later(self.now, seconds));
        }
        let (times, ops) = (times(self.now, draft.idle), script::ops(&draft.changes));
        let client = ClientInfo::with_user_agent("Browser/1.0");
        cloakroom_store::Draft { id, identity, times, client, ops }
    }
}

fn last<T: Copy + Ord>(all: &[T], used: &BTreeSet<T>, number: u8) -> Option<T> {
    all.iter().rev().filter(|name| used.contains(name)).nth(usize::from(number)).copied()
}

pub(super) fn user(number: u8) -> UserId {
    UserId::from(u32::from(number))
}

pub(super) fn later(now: Timestamp, seconds: u64) -> Timestamp {
    now.plus(Duration::from_secs(seconds))
}

/// A session that begins now; its absolute deadline may come before the idle one.
pub(super) fn times(now: Timestamp, idle: u64) -> Times {
    let (idle_deadline, absolute_deadline) = (later(now, idle), later(now, 150));
    Times { created: now, seen: now, idle_deadline, absolute_deadline }
}
