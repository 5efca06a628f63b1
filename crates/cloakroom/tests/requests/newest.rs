//! L9: a response carries our cookie only for an identity change that it committed and that is still
//! the newest when its head is built.

use cloakroom_conformance::interleaving::Answers;

use crate::support::*;

/// Identity changes of parallel requests that came with one ticket.
fn changes(name: &str, answers: Answers, before: &[Act], acts: &[Act]) {
    Scenario { answers, ..Scenario::of(name) }.explore(
        async |world| world.visit(before, acts).await,
        async |world, ticket, replies| judge(world, ticket, replies).await,
    );
}

async fn judge(world: &World, ticket: &str, replies: &[Reply]) {
    let changes = in_order(world, replies);
    for reply in replies {
        let changed = changes.iter().any(|change| std::ptr::eq(*change, reply));
        assert!(changed || reply.cookie.is_none(), "it changed nothing: {reply:?}");
    }
    for (at, change) in changes.iter().enumerate() {
        let known_newer = |newer: &&&Reply| newer.acknowledged < change.head;
        let newer = changes.iter().skip(at + 1).find(known_newer);
        assert!(newer.is_none() || change.cookie.is_none(), "{change:?} came after {newer:?}");
    }
    if let Some(newest) = changes.last() {
        assert!(newest.cookie.is_some(), "the newest change owns the cookie: {newest:?}");
        assert_eq!(newest.cookie.clone().flatten().is_none(), newest.act == Act::Logout);
        let held = held_after(ticket, in_order_of_head(replies));
        assert_eq!(held, newest.cookie.clone().unwrap(), "as the heads were built: {replies:?}");
        if let Some(ticket) = held {
            assert!(world.opens(Some(&ticket)).await.is_some(), "a dead ticket: {replies:?}");
        }
    }
    for arrival in permutations(replies) {
        let held = held_after(ticket, arrival.iter().copied());
        let handed = arrival.iter().any(|reply| reply.cookie.as_ref() == Some(&held));
        assert!(handed || held.as_deref() == Some(ticket), "nobody handed {held:?} out");
    }
}

/// The requests that changed the identity, oldest first. One change uses the ticket up; all others
/// found it gone and came after it. Which of these came first their answers say, since nothing else
/// does.
fn in_order<'a>(world: &World, replies: &'a [Reply]) -> Vec<&'a Reply> {
    let (mut changes, mut begun): (Vec<&Reply>, Vec<&Reply>) = (Vec::new(), Vec::new());
    for line in world.store.story() {
        let Some((call, "Done" | "Ended")) = line.rsplit_once(": ") else { continue };
        let of = |reply: &&Reply| match reply.act {
            Act::Login(user) => call.ends_with(&format!(" for {user}")),
            Act::Logout => call.starts_with("end") || call.ends_with(" for nobody"),
            Act::Rotate | Act::StepUp => call.starts_with("renew"),
            _ => false,
        };
        let Some(reply) = replies.iter().filter(|reply| reply.is_ok()).find(of) else { continue };
        if call.starts_with("create") { begun.push(reply) } else { changes.push(reply) }
    }
    begun.sort_by_key(|reply| reply.acknowledged);
    changes.extend(begun);
    changes
}

fn in_order_of_head(replies: &[Reply]) -> Vec<&Reply> {
    let mut sorted: Vec<_> = replies.iter().collect();
    sorted.sort_by_key(|reply| reply.head);
    sorted
}

/// The ticket that a browser holds when these responses have arrived.
fn held_after<'a>(ticket: &str, arrived: impl IntoIterator<Item = &'a Reply>) -> Option<String> {
    let set = |held, reply: &Reply| reply.cookie.clone().unwrap_or(held);
    arrived.into_iter().fold(Some(ticket.to_owned()), set)
}

fn permutations(replies: &[Reply]) -> Vec<Vec<&Reply>> {
    let Some((first, rest)) = replies.split_first() else { return vec![Vec::new()] };
    let mut all = Vec::new();
    for shorter in permutations(rest) {
        for at in 0..=shorter.len() {
            let mut longer = shorter.clone();
            longer.insert(at, first);
            all.push(longer);
        }
    }
    all
}

const ADA: Act = Act::Login("ada");
const BEA: Act = Act::Login("bea");

#[test]
fn the_newest_of_a_login_and_a_logout_owns_the_cookie() {
    for answers in [Answers::AtOnce, Answers::Late] {
        let name = format!("login, logout, {answers:?}");
        changes(&name, answers, &[Act::Login("old")], &[BEA, Act::Logout]);
        let name = format!("login, logout with a theme, {answers:?}");
        changes(&name, answers, &[Act::Login("old"), Act::Theme], &[BEA, Act::Logout]);
    }
}

#[test]
fn the_newest_of_two_logins_owns_the_cookie() {
    for answers in [Answers::AtOnce, Answers::Late] {
        changes(&format!("login, login, {answers:?}"), answers, &[Act::Ensure], &[ADA, BEA]);
    }
}

#[test]
fn the_newest_of_three_changes_owns_the_cookie() {
    let before = [Act::Login("old")];
    changes("login, login, logout", Answers::AtOnce, &before, &[ADA, BEA, Act::Logout]);
    changes("login, logout, read", Answers::AtOnce, &before, &[ADA, Act::Logout, Act::Read]);
    changes("login, rotate, logout", Answers::AtOnce, &before, &[ADA, Act::Rotate, Act::Logout]);
    if is_long() {
        changes("login, login, logout, late", Answers::Late, &before, &[ADA, BEA, Act::Logout]);
        let acts = [ADA, Act::Rotate, Act::Logout];
        changes("login, rotate, logout, late", Answers::Late, &before, &acts);
    }
}

#[test]
fn a_renewal_beside_a_login_or_a_logout_owns_the_cookie_only_as_the_newest() {
    for answers in [Answers::AtOnce, Answers::Late] {
        for other in [BEA, Act::Logout, Act::Rotate] {
            let name = format!("rotate, {other:?}, {answers:?}");
            changes(&name, answers, &[Act::Login("old")], &[Act::Rotate, other]);
        }
    }
}

#[test]
fn a_write_beside_an_identity_change_never_takes_the_cookie() {
    for write in [Act::Edit, Act::Update(1), Act::Set(1)] {
        let name = format!("login, {write:?}, logout");
        changes(&name, Answers::AtOnce, &[Act::Login("old")], &[BEA, write, Act::Logout]);
    }
}
