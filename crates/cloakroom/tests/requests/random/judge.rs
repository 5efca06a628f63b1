//! What must hold at the end of every script.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use cloakroom::store::{Page, Record, Registry, SessionId, UserId};
use cloakroom::{Clock, SessionData};
use cloakroom_conformance::executor::block_on;

use super::script::Do;
use super::{Aim, Entry, Log, Play, RENEW_EVERY, Stands, What};
use crate::support::Shop;

type Judged<T = ()> = Result<T, String>;

/// How much there was to judge.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reached {
    /// Items whose change was acknowledged.
    changes: u64,
    /// Logins whose session was known to end in them alone.
    takeovers: u64,
    /// Sessions that a logout or login left, that an operator ended, and that a user ended elsewhere.
    left: u64,
    revoked: u64,
    elsewhere: u64,
    /// Sessions that were seen before their user got a role.
    roles: u64,
    /// Tickets that were handed out.
    tickets: u64,
}

impl std::ops::AddAssign for Reached {
    fn add_assign(&mut self, other: Self) {
        self.changes += other.changes;
        self.takeovers += other.takeovers;
        self.left += other.left;
        self.revoked += other.revoked;
        self.elsewhere += other.elsewhere;
        self.roles += other.roles;
        self.tickets += other.tickets;
    }
}

impl Reached {
    /// Whether so many scripts left enough to judge; a judge of nothing is always content.
    pub fn is_enough(&self, scripts: u64) -> bool {
        let Self { changes, takeovers, left, revoked, elsewhere, roles, tickets } = *self;
        let often = [changes, left, tickets].into_iter().all(|count| count >= scripts / 4);
        let now_and_then = [takeovers, revoked, elsewhere, roles].into_iter();
        often && now_and_then.min().is_some_and(|least| least >= scripts / 500)
    }
}

pub async fn judge(play: &Play) -> Judged<Reached> {
    let now = play.world.clock.now();
    let records = block_on(play.world.store.store().scan(Page::first(1_000), now));
    let records = records.map_err(|error| error.to_string())?;
    let log = play.log.lock().unwrap();
    let mut reached = Reached::default();
    one_user_per_session(&log, &records)?;
    nobody_is_somebody_else(&log)?;
    changes_are_there_once(&log, &records)?;
    reached.changes = acknowledged(&log).values().map(|items| items.len() as u64).sum();
    reached.takeovers = logins_take_along_what_was_acknowledged(&log)?;
    what_ended_lives_no_more(&log, &records, &mut reached)?;
    reached.roles = roles_reach_every_session(&log, &records)?;
    reached.tickets = cookies_belong_to_changes(&log)?;
    Ok(reached)
}

fn shop(record: &Record) -> Shop {
    Shop::decode(record.fields(), &mut |_| {})
}

fn seen(log: &Log) -> impl Iterator<Item = (&Entry, &Stands)> {
    log.entries.iter().filter_map(|entry| stands_in(entry).map(|stands| (entry, stands)))
}

fn stands_in(entry: &Entry) -> Option<&Stands> {
    match &entry.what {
        What::Did(_, Some(stands)) | What::Left(Some(stands)) | What::Found(Some(stands)) => {
            Some(stands)
        }
        What::Did(_, None) | What::Left(None) | What::Found(None) | What::Began => None,
        What::Asked(_) | What::Aimed(_) | What::Failed(..) => None,
        What::Answered { .. } | What::Cancelled => None,
    }
}

/// A session has one user from its beginning to its end.
fn one_user_per_session(log: &Log, records: &[Record]) -> Judged {
    let mut users: BTreeMap<SessionId, Option<UserId>> = BTreeMap::new();
    let stored = records.iter().map(|record| (record.id(), record.identity().user.clone()));
    for (id, user) in seen(log).map(|(_, stands)| (stands.id, stands.user.clone())).chain(stored) {
        if *users.entry(id).or_insert_with(|| user.clone()) != user {
            return Err(format!("session {id} changed its user to {user:?}"));
        }
    }
    Ok(())
}

/// A browser is nobody but whom it signed in itself.
fn nobody_is_somebody_else(log: &Log) -> Judged {
    for (entry, stands) in seen(log) {
        let Some(user) = &stands.user else { continue };
        let own = log
            .logins
            .get(&entry.browser)
            .is_some_and(|own| own.iter().any(|name| name == user.as_str()));
        if !own {
            return Err(format!("a browser became {user} without a login: {entry:?}"));
        }
    }
    Ok(())
}

/// The items whose change was acknowledged, by session.
fn acknowledged(log: &Log) -> BTreeMap<SessionId, BTreeSet<u32>> {
    let mut items: BTreeMap<SessionId, BTreeSet<u32>> = BTreeMap::new();
    for entry in &log.entries {
        let item = 10 * u32::try_from(entry.request).unwrap();
        match &entry.what {
            What::Did(Do::Update, Some(stands)) => {
                items.entry(stands.id).or_default().insert(item);
            }
            What::Answered { status, .. } if status.is_success() => {
                if let Some(id) = edited(log, entry.request) {
                    items.entry(id).or_default().insert(item + 1);
                }
            }
            _ => {}
        }
    }
    items
}

/// The session of a request that left an edit in it and made no identity call afterwards.
fn edited(log: &Log, request: usize) -> Option<SessionId> {
    let of = log.entries.iter().filter(|entry| entry.request == request);
    let did: Vec<_> = of
        .filter_map(|entry| match &entry.what {
            What::Did(step, stands) => Some((*step, stands.as_ref())),
            What::Failed(Do::Logout, _) => Some((Do::Logout, None)),
            _ => None,
        })
        .collect();
    let last = did.iter().rposition(|(step, _)| *step == Do::Edit)?;
    let rest = did.get(last..)?;
    let moves = |step: &Do| matches!(step, Do::Login(_) | Do::Logout);
    if rest.iter().any(|(step, _)| moves(step)) {
        return None;
    }
    rest.last()?.1.map(|stands| stands.id)
}

/// Nothing twice, and nothing acknowledged missing.
fn changes_are_there_once(log: &Log, records: &[Record]) -> Judged {
    let stored = records.iter().map(|record| (record.id(), shop(record).cart));
    for (id, cart) in
        seen(log).map(|(_, stands)| (stands.id, stands.data.cart.clone())).chain(stored)
    {
        // Until its edit lands, a handler sees it provisionally; two edits of one handler are two.
        let asked = |item: u32| {
            let request = usize::try_from(item / 10).unwrap();
            let of = log.entries.iter().filter(|entry| entry.request == request);
            let step = if item.is_multiple_of(10) { Do::Update } else { Do::Edit };
            of.filter(|entry| matches!(entry.what, What::Asked(asked) if asked == step)).count()
        };
        for item in cart.iter().collect::<BTreeSet<_>>() {
            let times = cart.iter().filter(|other| *other == item).count();
            if times > asked(*item) {
                return Err(format!("{item} is {times} times in session {id}: {cart:?}"));
            }
        }
    }
    let acknowledged = acknowledged(log);
    for record in records {
        let cart = shop(record).cart;
        let expected = acknowledged.get(&record.id());
        if let Some(lost) = expected.into_iter().flatten().find(|item| !cart.contains(item)) {
            return Err(format!("{lost} is lost in session {}: {cart:?}", record.id()));
        }
    }
    Ok(())
}

/// If every login from a session came to a known end, one of them took along all that had been
/// acknowledged in it, unless it was of another user.
fn logins_take_along_what_was_acknowledged(log: &Log) -> Judged<u64> {
    let acknowledged = acknowledged(log);
    let mut logins: BTreeMap<SessionId, Vec<Option<Vec<u32>>>> = BTreeMap::new();
    let (mut users, mut judged) = (BTreeMap::new(), 0);
    for (at, entry) in log.entries.iter().enumerate() {
        let What::Left(Some(before)) = &entry.what else { continue };
        let mut rest =
            log.entries.iter().skip(at + 1).filter(|later| later.request == entry.request);
        let kept = match rest.next().map(|entry| &entry.what) {
            Some(What::Did(Do::Login(_), Some(after))) => {
                let same = before.user.is_none() || before.user == after.user;
                if same { Some(after.data.cart.clone()) } else { None }
            }
            _ => None,
        };
        logins.entry(before.id).or_default().push(kept);
        users.insert(before.id, before.user.clone());
    }
    for (id, carts) in logins {
        let Some(carts) = carts.into_iter().collect::<Option<Vec<_>>>() else { continue };
        let user = users.get(&id).and_then(Option::as_ref);
        if may_have_ended_otherwise(log, id, user) {
            continue;
        }
        let expected = acknowledged.get(&id).cloned().unwrap_or_default();
        let takes_all = |cart: &Vec<u32>| expected.iter().all(|item| cart.contains(item));
        if !carts.iter().any(takes_all) {
            return Err(format!("a login from {id} took {carts:?} along, not {expected:?}"));
        }
        judged += 1;
    }
    Ok(judged)
}

/// Somebody, or the clock, may have ended this session or its tickets in another way than by a login.
fn may_have_ended_otherwise(log: &Log, id: SessionId, user: Option<&UserId>) -> bool {
    let meant = |entry: &Entry| match &entry.what {
        What::Aimed(Aim::Session(session)) => *session == id,
        What::Aimed(Aim::Others(whose, here)) => Some(whose) == user && *here != id,
        _ => false,
    };
    log.entries.iter().any(meant) || span(log) >= cloakroom::GRACE_CAP
}

/// How much of the service's time the script took.
fn span(log: &Log) -> Duration {
    let at = |entry: Option<&Entry>| entry.map(|entry| entry.at).unwrap_or_default();
    at(log.entries.last()).since(at(log.entries.first()))
}

/// Whether the clocks of a session may have run out at some call.
fn may_have_lapsed(log: &Log) -> bool {
    span(log) >= cloakroom::IDLE_TIMEOUT - Duration::from_secs(60)
}

/// What was ended on purpose is not in the store, and no request that began afterwards stood in it.
/// Only where no clock ran out: activity that is recorded late may extend what another call found
/// expired, and so did not end.
fn what_ended_lives_no_more(log: &Log, records: &[Record], reached: &mut Reached) -> Judged {
    if may_have_lapsed(log) {
        return Ok(());
    }
    for (at, entry) in log.entries.iter().enumerate() {
        let What::Did(step, after) = &entry.what else { continue };
        let over = match step {
            Do::Logout | Do::Login(_) => count(left(log, at), &mut reached.left),
            Do::Revoke(_) => count(revoked(log, at), &mut reached.revoked),
            Do::EndOthers => count(others(log, at), &mut reached.elsewhere),
            Do::Read | Do::Update | Do::Edit | Do::Set | Do::Rotate => continue,
            Do::StepUp | Do::Roles(_) | Do::Fail => continue,
        };
        let moved = matches!(step, Do::Logout | Do::Login(_));
        if moved && after.as_ref().is_some_and(|after| over.contains(&after.id)) {
            return Err(format!("{entry:?} kept its session"));
        }
        if let Some(record) = records.iter().find(|record| over.contains(&record.id())) {
            return Err(format!("session {} lives after {entry:?}", record.id()));
        }
        if let Some((back, _)) = seen_later(log, at).find(|(_, stands)| over.contains(&stands.id)) {
            return Err(format!("a session is back: {back:?} after {entry:?}"));
        }
    }
    Ok(())
}

fn count(over: BTreeSet<SessionId>, counted: &mut u64) -> BTreeSet<SessionId> {
    *counted += over.len() as u64;
    over
}

/// What the request of the entry at `at` said before it, newest first.
fn said_before(log: &Log, at: usize) -> impl Iterator<Item = (usize, &What)> {
    let request = log.entries.get(at).map(|entry| entry.request);
    let before = log.entries.iter().enumerate().take(at).rev();
    before.filter(move |(_, e)| Some(e.request) == request).map(|(at, e)| (at, &e.what))
}

/// Whom the step that is done at `at` was about, and when that was said.
fn aim(log: &Log, at: usize) -> Option<(usize, &Aim)> {
    match said_before(log, at).next() {
        Some((said, What::Aimed(aim))) => Some((said, aim)),
        _ => None,
    }
}

/// The session that a login or logout left.
fn left(log: &Log, at: usize) -> BTreeSet<SessionId> {
    let left = said_before(log, at).find_map(|(_, what)| match what {
        What::Left(left) => Some(left.as_ref().map(|left| left.id)),
        _ => None,
    });
    left.flatten().into_iter().collect()
}

fn revoked(log: &Log, at: usize) -> BTreeSet<SessionId> {
    match aim(log, at) {
        Some((_, Aim::Session(id))) => BTreeSet::from([*id]),
        Some((_, Aim::Others(..) | Aim::All(_))) | None => BTreeSet::new(),
    }
}

/// The user's other sessions that somebody had seen when they were to be ended.
fn others(log: &Log, at: usize) -> BTreeSet<SessionId> {
    match aim(log, at) {
        Some((said, Aim::Others(user, here))) => {
            seen_of(log, said, user).filter(|id| id != here).collect()
        }
        Some((_, Aim::Session(_) | Aim::All(_))) | None => BTreeSet::new(),
    }
}

/// The sessions of a user that were seen before the entry at `at`.
fn seen_of<'a>(log: &'a Log, at: usize, user: &'a UserId) -> impl Iterator<Item = SessionId> + 'a {
    let before = log.entries.iter().take(at).filter_map(stands_in);
    before.filter(move |stands| stands.user.as_ref() == Some(user)).map(|stands| stands.id)
}

/// What the requests that began after the entry at `at` stood in.
fn seen_later(log: &Log, at: usize) -> impl Iterator<Item = (&Entry, &Stands)> {
    let later = log.entries.iter().skip(at + 1);
    let begins = later.clone().filter(|later| matches!(later.what, What::Began));
    let began: BTreeSet<_> = begins.map(|later| later.request).collect();
    let theirs = later.filter(move |later| began.contains(&later.request));
    theirs.filter_map(|later| stands_in(later).map(|stands| (later, stands)))
}

/// A user's role is in every session that was there when it was given, and in nobody else's. Only
/// where no clock ran out, for the same reason.
fn roles_reach_every_session(log: &Log, records: &[Record]) -> Judged<u64> {
    let mut judged = 0;
    let told = if may_have_lapsed(log) { &[][..] } else { &log.entries };
    for (at, entry) in told.iter().enumerate() {
        let What::Did(Do::Roles(_), _) = &entry.what else { continue };
        let Some((said, Aim::All(user))) = aim(log, at) else { continue };
        let there: BTreeSet<_> = seen_of(log, said, user).collect();
        judged += there.len() as u64;
        let mut kept = records.iter().filter(|record| there.contains(&record.id()));
        if let Some(record) = kept.find(|record| !is_staff(record)) {
            return Err(format!("session {} has no role after {entry:?}", record.id()));
        }
        let without = |stands: &Stands| there.contains(&stands.id) && !stands.is_staff;
        if let Some((later, _)) = seen_later(log, at).find(|(_, stands)| without(stands)) {
            return Err(format!("{later:?} without the role of {entry:?}"));
        }
    }
    let staff = seen(log).filter(|(_, stands)| stands.is_staff).map(|(_, s)| s.user.clone());
    let stored = records.iter().filter(|record| is_staff(record));
    for user in staff.chain(stored.map(|record| record.identity().user.clone())) {
        let given = |entry: &Entry| matches!(&entry.what, What::Aimed(Aim::All(whose)) if Some(whose) == user.as_ref());
        if !log.entries.iter().any(given) {
            return Err(format!("{user:?} has a role that nobody gave"));
        }
    }
    Ok(judged)
}

fn is_staff(record: &Record) -> bool {
    record.fields().get("@roles").is_some_and(|roles| roles.contains("staff"))
}

/// A cookie is deleted by a logout alone, and set by what may make a token; no token is made twice.
fn cookies_belong_to_changes(log: &Log) -> Judged<u64> {
    let mut tickets = BTreeSet::new();
    for entry in &log.entries {
        let What::Answered { cookie: Some(cookie), status } = &entry.what else { continue };
        let own = log.entries.iter().filter(|other| other.request == entry.request);
        let own: Vec<_> = own.map(|own| &own.what).collect();
        match cookie {
            None if own.iter().any(|own| matches!(own, What::Did(Do::Logout, _))) => {}
            None => return Err(format!("signed out without a logout: {entry:?}")),
            Some(ticket) if !tickets.insert(ticket) => {
                return Err(format!("a ticket that was handed out before: {entry:?}"));
            }
            Some(_) if makes_a_token(&own, status.is_server_error()) => {}
            Some(_) if span(log) >= RENEW_EVERY => {}
            Some(_) => return Err(format!("a ticket for no change: {entry:?}")),
        }
    }
    Ok(tickets.len() as u64)
}

/// An identity call that was done, or a change of somebody who had no session. What waited for the
/// end of a handler that failed makes none, unless a later call landed it.
fn makes_a_token(own: &[&What], has_failed: bool) -> bool {
    let is_new = own.iter().any(|own| matches!(own, What::Found(None)));
    let lands = |own: &&&What| matches!(own, What::Asked(Do::Login(_) | Do::Logout | Do::Update));
    let waits_no_more = !has_failed || own.iter().find(lands).is_some();
    own.iter().any(|own| match own {
        What::Did(Do::Login(_) | Do::Rotate, stands) => stands.is_some(),
        What::Did(Do::StepUp, stands) => stands.as_ref().is_some_and(|s| s.user.is_some()),
        What::Did(Do::Update, _) => is_new,
        What::Did(Do::Edit | Do::Set, _) => is_new && waits_no_more,
        _ => false,
    })
}
