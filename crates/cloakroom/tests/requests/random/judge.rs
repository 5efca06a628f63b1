//! What must hold at the end of every script.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use cloakroom::store::{Page, Record, Registry, SessionId, UserId};
use cloakroom::{Clock, SessionData};
use cloakroom_conformance::executor::block_on;

use super::script::Do;
use super::{Entry, Log, Play, Stands, What};
use crate::support::Shop;

type Judged = Result<(), String>;

pub async fn judge(play: &Play) -> Judged {
    let now = play.world.clock.now();
    let records = block_on(play.world.store.store().scan(Page::first(1_000), now));
    let records = records.map_err(|error| error.to_string())?;
    let log = play.log.lock().unwrap();
    one_user_per_session(&log, &records)?;
    nobody_is_somebody_else(&log)?;
    changes_are_there_once(&log, &records)?;
    logins_take_along_what_was_acknowledged(&log)?;
    what_ended_lives_no_more(&log, &records)?;
    cookies_belong_to_changes(&log)
}

fn shop(record: &Record) -> Shop {
    Shop::decode(record.fields(), &mut |_| {})
}

fn seen(log: &Log) -> impl Iterator<Item = (&Entry, &Stands)> {
    log.entries.iter().filter_map(|entry| match &entry.what {
        What::Did(_, Some(stands)) | What::Left(Some(stands)) => Some((entry, stands)),
        What::Did(_, None) | What::Left(None) | What::Began | What::Asked(_) => None,
        What::Failed(..) | What::Answered { .. } | What::Cancelled => None,
    })
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
fn logins_take_along_what_was_acknowledged(log: &Log) -> Judged {
    let acknowledged = acknowledged(log);
    let mut logins: BTreeMap<SessionId, Vec<Option<Vec<u32>>>> = BTreeMap::new();
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
    }
    for (id, carts) in logins {
        let Some(carts) = carts.into_iter().collect::<Option<Vec<_>>>() else { continue };
        if may_have_ended_otherwise(log) {
            continue;
        }
        let expected = acknowledged.get(&id).cloned().unwrap_or_default();
        let takes_all = |cart: &Vec<u32>| expected.iter().all(|item| cart.contains(item));
        if !carts.iter().any(takes_all) {
            return Err(format!("a login from {id} took {carts:?} along, not {expected:?}"));
        }
    }
    Ok(())
}

/// Somebody, or the clock, may have ended sessions or tickets in another way than by a login.
fn may_have_ended_otherwise(log: &Log) -> bool {
    let others = |entry: &Entry| matches!(entry.what, What::Asked(Do::Revoke(_) | Do::EndOthers));
    log.entries.iter().any(others) || span(log) >= cloakroom::GRACE_CAP
}

/// How much of the service's time the script took.
fn span(log: &Log) -> Duration {
    let at = |entry: Option<&Entry>| entry.map(|entry| entry.at).unwrap_or_default();
    at(log.entries.last()).since(at(log.entries.first()))
}

/// What was ended on purpose is not in the store, and no request that began afterwards stood in it.
/// Only where no clock ran out: activity that is recorded late may extend what another call found
/// expired, and so did not end.
fn what_ended_lives_no_more(log: &Log, records: &[Record]) -> Judged {
    if span(log) >= cloakroom::IDLE_TIMEOUT - Duration::from_secs(60) {
        return Ok(());
    }
    for (at, entry) in log.entries.iter().enumerate() {
        let What::Did(Do::Logout | Do::Login(_), after) = &entry.what else { continue };
        let own = log.entries.iter().take(at).rev().filter(|e| e.request == entry.request);
        let left = own
            .filter_map(|e| if let What::Left(left) = &e.what { Some(left) } else { None })
            .next();
        let Some(Some(left)) = left else { continue };
        if after.as_ref().is_some_and(|after| after.id == left.id) {
            return Err(format!("{entry:?} kept its session"));
        }
        if records.iter().any(|record| record.id() == left.id) {
            return Err(format!("session {} lives after {entry:?}", left.id));
        }
        let later = log.entries.iter().skip(at + 1);
        let began: BTreeSet<_> = later
            .clone()
            .filter(|later| matches!(later.what, What::Began))
            .map(|later| later.request)
            .collect();
        let stands_in = |later: &&Entry| match &later.what {
            What::Did(_, Some(stands)) => began.contains(&later.request) && stands.id == left.id,
            _ => false,
        };
        if let Some(back) = later.clone().find(stands_in) {
            return Err(format!("session {} is back: {back:?} after {entry:?}", left.id));
        }
    }
    Ok(())
}

/// A cookie is deleted by a logout alone, and set by what may make a token.
fn cookies_belong_to_changes(log: &Log) -> Judged {
    for entry in &log.entries {
        let What::Answered { cookie: Some(cookie), .. } = &entry.what else { continue };
        let own = log.entries.iter().filter(|other| other.request == entry.request);
        let logged_out = own.clone().any(|own| matches!(own.what, What::Did(Do::Logout, _)));
        if cookie.is_none() && !logged_out {
            return Err(format!("signed out without a logout: {entry:?}"));
        }
    }
    Ok(())
}
