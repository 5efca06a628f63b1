//! From tickets to a session: one load, at most one answer.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use cloakroom_cookie::values_of;
use http::HeaderMap;
use http::header::COOKIE;

use super::{Standing, Visit};
use crate::entropy;
use crate::error::Result;
use crate::event;
use crate::store::{Ended, Field, Keep, Key, LOOKUP_MAX, Load, Loads, Ops, Record, Resume};
use crate::ticket::Token;

/// The field that holds the names of the user's roles.
pub(crate) const ROLES: Field = Field::from_static("@roles");

/// The keys of the distinct, well-formed tickets of a request.
#[derive(Default)]
pub(super) struct Tickets {
    keys: [Option<Key>; LOOKUP_MAX],
    too_many: bool,
}

impl Tickets {
    /// Broken and foreign values of our name are not ours and hide nothing.
    pub(super) fn read(name: &str, headers: &HeaderMap) -> Self {
        let values = headers.get_all(COOKIE).iter().map(http::HeaderValue::as_bytes);
        let mut tickets = Self::default();
        for token in values_of(values, name).filter_map(Token::parse) {
            let key = token.key();
            if tickets.iter().any(|known| known == key) {
                continue;
            }
            match tickets.keys.iter_mut().find(|place| place.is_none()) {
                Some(place) => *place = Some(key),
                None => tickets.too_many = true,
            }
        }
        tickets
    }

    pub(super) fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Key> {
        self.keys.iter().flatten().copied()
    }
}

/// What the store said, boiled down.
#[derive(Debug, PartialEq, Eq)]
enum Found {
    Nothing(Option<Ended>),
    One { key: Key, record: Record, forwarded: bool },
    Dormant { key: Key, record: Record },
    Ambiguous(usize),
}

impl Visit {
    /// Where the request stands; asks the store if nobody has asked yet.
    pub(crate) async fn standing(self: &Arc<Self>) -> Result<Standing> {
        if let Some(standing) = self.settled() {
            return Ok(standing);
        }
        let _turn = self.turn().await?;
        self.standing_in_turn().await
    }

    /// [`Visit::standing`] for a caller who has the turn.
    pub(super) async fn standing_in_turn(&self) -> Result<Standing> {
        if let Some(standing) = self.settled() {
            return Ok(standing);
        }
        self.state().asked = true;
        let is_fresh = self.fresh.load(Ordering::Relaxed);
        let standing = match (self.look_up(is_fresh).await?, self.known()) {
            // It was here when the request began: nothing may begin in its place.
            (Standing::Anonymous { ended }, Some(Standing::Present { .. })) => {
                Standing::Lost { ended }
            }
            (standing, _) => standing,
        };
        self.note_activity(&standing);
        let mut state = self.state();
        state.standing = Some(standing.clone());
        state.is_fresh = is_fresh;
        Ok(standing)
    }

    async fn look_up(&self, is_fresh: bool) -> Result<Standing> {
        if self.tickets.is_empty() {
            return Ok(Standing::Anonymous { ended: None });
        }
        if self.tickets.too_many {
            event::too_many_tickets();
            self.state().others = self.tickets.iter().collect();
            return Ok(Standing::Anonymous { ended: None });
        }
        let manager = &self.manager;
        let keys: Vec<Key> = self.tickets.iter().collect();
        let loads = manager.load(&keys, is_fresh).await?;
        if keys.len() > 1 {
            let not_gone = keys.iter().zip(loads.iter());
            let not_gone = not_gone.filter(|(_, load)| !matches!(load, Load::Gone(_)));
            self.state().others = not_gone.map(|(key, _)| *key).collect();
        }
        match found(&keys, loads) {
            Found::Nothing(ended) => {
                ended.into_iter().for_each(event::came_back);
                Ok(Standing::Anonymous { ended })
            }
            Found::One { key, record, forwarded } => {
                manager.returned.seen();
                Ok(Standing::Present { key, record, forwarded })
            }
            Found::Dormant { key, record } if self.is_active() => self.resume(key, &record).await,
            Found::Dormant { key, record } => Ok(Standing::Dormant { key, record }),
            Found::Ambiguous(live) => {
                event::ambiguous(live);
                Ok(Standing::Anonymous { ended: None })
            }
        }
    }

    /// Where a change finds the request: what a prefetch left dormant is resumed.
    pub(super) async fn standing_for_change(&self) -> Result<Standing> {
        match self.standing_in_turn().await? {
            Standing::Dormant { key, record } => {
                let standing = self.resume(key, &record).await?;
                self.state().standing = Some(standing.clone());
                Ok(standing)
            }
            standing @ (Standing::Anonymous { .. }
            | Standing::Present { .. }
            | Standing::Lost { .. }) => Ok(standing),
        }
    }

    /// A remembered user whose clocks ran out gets a new session behind the same ticket.
    async fn resume(&self, key: Key, dormant: &Record) -> Result<Standing> {
        let (manager, now) = (&self.manager, self.manager.now());
        let id = entropy::session_id(manager.store.route(dormant.identity().user.as_ref()))?;
        let identity = dormant.identity().resumed();
        let draft = manager.policy.draft(id, identity, self.client(), Ops::new(), now);
        let keep: Vec<Field> = manager.keep_on_login.iter().cloned().chain([ROLES]).collect();
        let keep = Keep::Only(keep);
        match manager.order("resume", |store| store.resume(&key, draft, keep, now)).await? {
            Resume::Done(record) => {
                manager.returned.seen();
                event::resumed(&record);
                Ok(Standing::Present { key, record, forwarded: false })
            }
            Resume::Live(record) => Ok(Standing::Present { key, record, forwarded: false }),
            Resume::Gone(ended) => Ok(Standing::Anonymous { ended }),
        }
    }

    /// The activity is recorded with the end of the request, or at once if the session might be
    /// over by then.
    fn note_activity(&self, standing: &Standing) {
        let Standing::Present { record, forwarded, .. } = standing else { return };
        if !self.is_active() {
            return;
        }
        let (policy, now) = (&self.manager.policy, self.manager.now());
        let mut state = self.state();
        state.renewal = !forwarded && policy.renewal_due(record, now);
        state.touch = policy.touch_due(record.times(), now);
        let is_near = record.times().idle_deadline <= now.plus(policy.touch_every * 2);
        if is_near && state.touch.is_some() {
            state.standing = Some(standing.clone());
            drop(state);
            self.touch();
        }
    }
}

/// Exactly one live session is the visitor's. Two different ones: either may be planted, so it is
/// neither. A renewed session may come with its old ticket and its new one: then the new one counts.
/// Without a live one the same holds of what can be resumed: only one key leads to a dormant session.
fn found(keys: &[Key], loads: Loads) -> Found {
    let mut best: Option<(Key, Record, bool)> = None;
    let mut dormant = None;
    let mut ended = None;
    let (mut live, mut sleeping) = (0, 0);
    for (key, load) in keys.iter().copied().zip(loads) {
        let (record, forwarded) = match load {
            Load::Live(record) => (record, false),
            Load::Forwarded(record) => (record, true),
            Load::Dormant(record) => {
                dormant = dormant.or(Some((key, record)));
                sleeping += 1;
                continue;
            }
            Load::Gone(why) => {
                ended = ended.or(why);
                continue;
            }
        };
        match &best {
            Some((_, known, _)) if known.id() != record.id() => live += 1,
            Some((_, _, false)) => {}
            Some((_, _, true)) | None => {
                live = live.max(1);
                best = Some((key, record, forwarded));
            }
        }
    }
    match (best, live, dormant) {
        (Some((key, record, forwarded)), 1, _) => Found::One { key, record, forwarded },
        (Some(_), live, _) => Found::Ambiguous(live),
        (None, _, Some((key, record))) if sleeping == 1 => Found::Dormant { key, record },
        (None, _, Some(_)) => Found::Ambiguous(sleeping),
        (None, _, None) => Found::Nothing(ended),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Draft, Fields, Identity, SessionId, Times, Timestamp};

    fn record(id: u8) -> Record {
        let at = Timestamp::from_millis;
        let times =
            Times { created: at(0), seen: at(0), idle_deadline: at(1), absolute_deadline: at(1) };
        let draft = Draft {
            id: SessionId::from_bytes([id; 18]),
            identity: Identity::anonymous(),
            times,
            client: crate::store::ClientInfo::default(),
            ops: Ops::new(),
        };
        Record::new(draft, &Fields::default()).unwrap()
    }

    fn of(loads: Vec<Load>) -> Found {
        let keys: Vec<Key> =
            (0u8..).take(loads.len()).map(|byte| Key::from_bytes([byte; 32])).collect();
        found(&keys, loads.into_iter().collect())
    }

    #[test]
    fn two_different_live_sessions_are_nobody() {
        let two = of(vec![Load::Live(record(1)), Load::Gone(None), Load::Live(record(2))]);

        assert_eq!(two, Found::Ambiguous(2));
    }

    #[test]
    fn the_newest_ticket_of_one_session_counts() {
        for loads in [
            vec![Load::Forwarded(record(1)), Load::Live(record(1))],
            vec![Load::Live(record(1)), Load::Forwarded(record(1))],
        ] {
            assert!(matches!(of(loads), Found::One { forwarded: false, .. }));
        }
    }

    #[test]
    fn dead_tickets_hide_nothing() {
        let found = of(vec![Load::Gone(None), Load::Live(record(1)), Load::Dormant(record(2))]);

        assert!(matches!(found, Found::One { forwarded: false, .. }));
    }
}
