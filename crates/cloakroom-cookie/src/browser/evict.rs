//! Which cookies go when there are too many.

use super::address::registrable;
use super::family::{Counted, Limits};
use super::stored::{Priority, StoredCookie};
use std::collections::BTreeSet;

/// One round of making room: which cookies may go, and how many of their priority stay in any case.
struct Round {
    priority: Priority,
    spares_secure: bool,
    kept: usize,
}

/// Chromium's rounds and quotas. Without priorities every cookie is medium, and what remains is the
/// order of RFC 6265bis section 5.7: those without `Secure` first.
const ROUNDS: [Round; 6] = [
    Round { priority: Priority::Low, spares_secure: true, kept: 30 },
    Round { priority: Priority::Low, spares_secure: false, kept: 30 },
    Round { priority: Priority::Medium, spares_secure: true, kept: 50 },
    Round { priority: Priority::High, spares_secure: true, kept: 70 },
    Round { priority: Priority::Medium, spares_secure: false, kept: 50 },
    Round { priority: Priority::High, spares_secure: false, kept: 70 },
];

/// Removes what is too much after `newest` has come, and gives it back.
///
/// Within a round the cookies that were used longest ago go first.
pub(super) fn make_room(
    cookies: &mut Vec<StoredCookie>,
    newest: &StoredCookie,
    limits: &Limits,
) -> Vec<StoredCookie> {
    let mut gone = remove(cookies, &crowded(cookies, newest, limits));
    gone.extend(remove(cookies, &heavy(cookies, newest, limits)));
    gone.extend(remove(cookies, &surplus(cookies, limits)));
    gone
}

/// The cookies that count together with `newest`, those used longest ago first.
fn neighbours(cookies: &[StoredCookie], newest: &StoredCookie, limits: &Limits) -> Vec<usize> {
    let site = registrable(&newest.domain);
    let counts = |cookie: &StoredCookie| {
        cookie.partition == newest.partition
            && match limits.counted {
                Counted::ByDomain => cookie.domain == newest.domain,
                Counted::BySite => registrable(&cookie.domain) == site,
            }
    };
    oldest_first(cookies, counts)
}

fn oldest_first(cookies: &[StoredCookie], wanted: impl Fn(&StoredCookie) -> bool) -> Vec<usize> {
    let mut found: Vec<_> =
        cookies.iter().enumerate().filter(|(_, cookie)| wanted(cookie)).collect();
    found.sort_by_key(|(_, cookie)| cookie.used);
    found.into_iter().map(|(index, _)| index).collect()
}

fn crowded(cookies: &[StoredCookie], newest: &StoredCookie, limits: &Limits) -> BTreeSet<usize> {
    let mut victims = BTreeSet::new();
    // Only a jar with that many cookies needs its sites compared.
    let has_room_of_its_own = newest.partition.is_some() && limits.partition.is_some();
    if cookies.len() <= limits.most || has_room_of_its_own {
        return victims;
    }
    let neighbours = neighbours(cookies, newest, limits);
    if neighbours.len() <= limits.most {
        return victims;
    }
    let mut goal = neighbours.len() - limits.rest;
    for round in ROUNDS {
        let left = neighbours.iter().copied().filter(|index| !victims.contains(index));
        let of_round: Vec<_> = round.going(cookies, left, limits).take(goal).collect();
        goal -= of_round.len();
        victims.extend(of_round);
    }
    victims
}

impl Round {
    /// What of `left` may go in this round.
    fn going(
        &self,
        cookies: &[StoredCookie],
        left: impl Iterator<Item = usize>,
        limits: &Limits,
    ) -> impl Iterator<Item = usize> {
        let of_priority: Vec<_> = left
            .filter_map(|index| cookies.get(index).map(|cookie| (index, cookie)))
            .filter(|(_, cookie)| cookie.priority == self.priority)
            .collect();
        // Where a browser keeps fewer cookies than a quota there are no quotas.
        let kept = if limits.counted == Counted::BySite { self.kept } else { 0 };
        let may_go = of_priority.len().saturating_sub(kept);
        let spares_secure = self.spares_secure;
        of_priority
            .into_iter()
            .filter(move |(_, cookie)| !(spares_secure && cookie.secure))
            .map(|(index, _)| index)
            .take(may_go)
            .collect::<Vec<_>>()
            .into_iter()
    }
}

/// What is too much for a partition of one site.
fn heavy(cookies: &[StoredCookie], newest: &StoredCookie, limits: &Limits) -> BTreeSet<usize> {
    let mut victims = BTreeSet::new();
    let (Some(_), Some(room)) = (&newest.partition, limits.partition) else {
        return victims;
    };
    let neighbours = neighbours(cookies, newest, limits);
    let octets = |index: &usize| cookies.get(*index).map_or(0, StoredCookie::octets);
    let mut weight: usize = neighbours.iter().map(octets).sum();
    let mut left = neighbours.len();
    for index in neighbours {
        if weight <= room.octets && left <= room.cookies {
            break;
        }
        weight -= octets(&index);
        left -= 1;
        victims.insert(index);
    }
    victims
}

/// What is too much in all. Browsers may spare what was used lately; a jar has to stay within bounds.
fn surplus(cookies: &[StoredCookie], limits: &Limits) -> BTreeSet<usize> {
    if cookies.len() <= limits.most_in_all {
        return BTreeSet::new();
    }
    let goal = cookies.len() - limits.rest_in_all;
    oldest_first(cookies, |_| true).into_iter().take(goal).collect()
}

fn remove(cookies: &mut Vec<StoredCookie>, victims: &BTreeSet<usize>) -> Vec<StoredCookie> {
    if victims.is_empty() {
        return Vec::new();
    }
    let all = std::mem::take(cookies).into_iter().enumerate();
    let (gone, rest): (Vec<_>, Vec<_>) = all.partition(|(index, _)| victims.contains(index));
    *cookies = rest.into_iter().map(|(_, cookie)| cookie).collect();
    gone.into_iter().map(|(_, cookie)| cookie).collect()
}
