//! The feed: what ended is told, in an order that a reader can go on from.

use std::collections::BTreeMap;
use std::thread;
use std::time::Duration;

use cloakroom_store::{
    BULLETIN_MAX, Bulletin, By, Cursor, End, Ending, Expect, Keep, Limit, News, Notice, Ops,
    Reason, Registry, Rotate, SessionId, Target, Timestamp,
};

use crate::desk::{
    CAP, Desk, IDLE, KEPT, Success, answered, at, limited_login, login, renewal, set, times, touch,
    user,
};
use crate::{Durable, Fixture};

impl<S: Registry> Desk<S> {
    #[track_caller]
    fn watch(&self, from: Cursor, now: Timestamp) -> Bulletin {
        answered(self.store.watch(from, BULLETIN_MAX, now))
    }

    /// All that happened after `from`, none of which may be lost.
    #[track_caller]
    fn told(&self, from: Cursor, now: Timestamp) -> Vec<Notice> {
        let bulletin = self.watch(from, now);
        assert!(!bulletin.lost && !bulletin.more, "{bulletin:?}");
        bulletin.notices
    }

    /// Where a reader begins that has no need of the past.
    #[track_caller]
    fn end_of_feed(&self, now: Timestamp) -> Cursor {
        let bulletin = self.watch(Cursor::NEWEST, now);
        assert!(bulletin.notices.is_empty() && !bulletin.lost && !bulletin.more, "{bulletin:?}");
        bulletin.next
    }
}

fn ended(notices: &[Notice]) -> Vec<(SessionId, Reason)> {
    let ended = notices.iter().filter_map(|notice| {
        if let News::Ended { id, reason } = &notice.news { Some((*id, *reason)) } else { None }
    });
    ended.collect()
}

/// A store to which nothing has happened has nothing to tell, and a place to begin at, which is
/// not that of a reader who wants to hear of everything.
pub fn a_new_feed_is_empty(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);

    let bulletin = desk.watch(Cursor::OLDEST, at(1));

    assert!(bulletin.notices.is_empty() && !bulletin.lost && !bulletin.more, "{bulletin:?}");
    assert_ne!(bulletin.next, Cursor::OLDEST);
    assert_eq!(bulletin.next, desk.end_of_feed(at(1)));
}

/// Sign-out, revocation and the end of all are told, with their reason and their time.
pub fn every_end_is_told(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let [first, ..] = [1, 2, 3, 4].map(|number| desk.has_member("ada", number));
    let guest = desk.has_guest(5);
    let start = desk.end_of_feed(at(1));
    let revoked = Ending::revoked(By::USER);

    desk.sign_out(&first, at(2)).done();
    desk.end(Target::Id(desk.id_of("ada", 2)), revoked, at(3)).done();
    desk.end_all("ada", Some(desk.id_of("ada", 3)), revoked, at(4));
    desk.sign_out(&guest, at(5)).done();

    let told = desk.told(start, at(6));
    let id = |number| desk.id_of("ada", number);
    let (logout, revoked) = (Reason::Logout, Reason::Revoked);
    let all = [(id(1), logout), (id(2), revoked), (id(4), revoked), (desk.id(5), logout)];
    assert_eq!(ended(&told), all);
    let times: Vec<_> = told.iter().map(|notice| notice.at).collect();
    assert_eq!(times, [at(2), at(3), at(4), at(5)]);
}

/// A login ends the session that it replaces, and those that make room.
pub fn what_a_login_ends_is_told(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let guest = desk.has_guest(1);
    desk.has_member("ada", 2);
    let start = desk.end_of_feed(at(1));
    let new = desk.key_of("ada", 3);
    let limit = Some(Limit::keep_newest(1));

    desk.rotate(&guest, &new, limited_login(desk.member("ada", 3), &[], limit), at(2)).done();
    let other = desk.key_of("ada", 4);
    desk.create(&other, desk.member("ada", 4), limit, at(3)).done();

    let mut told = ended(&desk.told(start, at(4)));
    told.sort_unstable_by_key(|(_, reason)| reason.code());
    let id = |number| desk.id_of("ada", number);
    let evicted = Reason::Evicted;
    let mut firsts: Vec<_> = told.iter().filter(|(_, reason)| *reason == evicted).collect();
    firsts.sort_unstable_by_key(|(told, _)| *told != id(2));
    assert_eq!(firsts, [&(id(2), evicted), &(id(3), evicted)]);
    assert_eq!(told.last(), Some(&(desk.id(1), Reason::Replaced)));
    assert_eq!(told.len(), 3);
}

/// A dormant session can still be resumed, so that its end is news.
pub fn the_end_of_a_dormant_session_is_told(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let key = desk.has_remembered("ada", 1);
    let start = desk.end_of_feed(at(1));

    desk.sign_out(&key, at(IDLE + 1)).done();

    let told = desk.told(start, at(IDLE + 2));
    assert_eq!(ended(&told), [(desk.id_of("ada", 1), Reason::Logout)]);
}

/// Nobody hears of what began, changed, went on, ran out of time or was refused.
pub fn nothing_else_is_told(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let start = desk.end_of_feed(at(0));

    let guest = desk.has_guest(1);
    desk.change(&guest, &set("a", "1"), at(1)).done();
    desk.commit(&guest, Expect::Any, &Ops::new(), Some(touch(2)), at(2)).done();
    let old = desk.has_remembered("ada", 2);
    let new = desk.key_of("ada", 3);
    desk.rotate(&old, &new, renewal(), at(3)).done();
    assert_eq!(desk.sign_out(&old, at(4)), End::Stale);
    let refused = limited_login(desk.member("ada", 4), &[], Some(Limit::refuse_beyond(1)));
    let rotate = desk.rotate(&guest, &desk.key_of("ada", 4), refused, at(5));
    assert!(matches!(rotate, Rotate::LimitReached(_)), "{rotate:?}");
    assert!(matches!(desk.sign_out(&desk.key(9), at(6)), End::Gone(_)));
    let absent = login(desk.member("ada", 5), &[]);
    let rotate = desk.rotate(&desk.key(9), &desk.key_of("ada", 5), absent, at(6));
    assert!(matches!(rotate, Rotate::Gone(_)), "{rotate:?}");
    let later = IDLE + CAP + 50;
    let draft = desk.remembered("ada", 6);
    let draft =
        cloakroom_store::Draft { identity: draft.identity.resumed(), times: times(later), ..draft };
    desk.resume(&new, draft, Keep::All, at(later)).done();
    desk.sweep_all(at(later));

    assert_eq!(desk.told(start, at(later)), []);
}

/// An amendment is a new epoch of its user, also of one who has no session: somebody may be
/// signing in.
pub fn an_amendment_is_an_epoch(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    desk.has_member("ada", 1);
    let start = desk.end_of_feed(at(1));

    desk.amend("ada", &set("roles", "[]"), at(2));
    desk.amend("bob", &set("roles", "[]"), at(3));

    let told = desk.told(start, at(4));
    let news: Vec<_> = told.iter().map(|notice| (notice.at, notice.news.clone())).collect();
    let epoch = |name| News::Epoch { user: user(name) };
    assert_eq!(news, [(at(2), epoch("ada")), (at(3), epoch("bob"))]);
}

/// A reader that takes small parts hears of everything once, in order, and is told that there is
/// more.
pub fn reading_goes_on_where_it_stopped(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let start = desk.end_of_feed(at(0));
    for number in 1..=5 {
        let key = desk.has_guest(number);
        desk.sign_out(&key, at(u64::from(number))).done();
    }

    let (mut from, mut told, mut mores) = (start, Vec::new(), Vec::new());
    for _ in 0..4 {
        let bulletin = answered(desk.store.watch(from, 2, at(6)));
        assert!(!bulletin.lost && bulletin.notices.len() <= 2, "{bulletin:?}");
        assert_eq!(bulletin.notices.last().map_or(from, |last| last.place), bulletin.next);
        from = bulletin.next;
        told.extend(bulletin.notices);
        mores.push(bulletin.more);
    }

    let ids: Vec<_> = ended(&told).into_iter().map(|(id, _)| id).collect();
    assert_eq!(ids, [1, 2, 3, 4, 5].map(|number| desk.id(number)));
    assert!(told.is_sorted_by(|one, next| one.place < next.place), "{told:?}");
    assert_eq!(mores, [true, true, false, false]);
    assert_eq!(desk.told(start, at(6)), told, "a second reader hears the same");
}

/// A part is never empty while there is more, and never above the bound.
pub fn a_part_is_bounded(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let start = desk.end_of_feed(at(0));
    for number in 1..=2 {
        let key = desk.has_guest(number);
        desk.sign_out(&key, at(1)).done();
    }

    let none = answered(desk.store.watch(start, 0, at(2)));
    let all = answered(desk.store.watch(start, u32::MAX, at(2)));

    assert_eq!((none.notices.len(), none.more), (1, true), "{none:?}");
    assert_eq!((all.notices.len(), all.more), (2, false), "{all:?}");
}

/// From the newest place on, only what comes after it is told.
pub fn the_newest_place_is_after_all(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let (before, after) = (desk.has_guest(1), desk.has_guest(2));
    desk.sign_out(&before, at(1)).done();
    let start = desk.end_of_feed(at(2));

    desk.sign_out(&after, at(3)).done();

    assert_eq!(ended(&desk.told(start, at(4))), [(desk.id(2), Reason::Logout)]);
}

/// News is kept for a day and forgotten by a sweep after it; a reader that was away for longer is
/// told that it missed something, and one that had heard it is not.
pub fn what_is_forgotten_is_said_to_be_lost(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let (first, second) = (desk.has_guest(1), desk.has_guest(2));
    let before = desk.end_of_feed(at(0));
    desk.sign_out(&first, at(1)).done();
    let between = desk.end_of_feed(at(1));
    desk.sign_out(&second, at(IDLE - 1)).done();

    desk.sweep_all(at(KEPT));
    assert_eq!(ended(&desk.told(before, at(KEPT))).len(), 2, "both are kept for a day");
    desk.sweep_all(at(KEPT + 2));

    let kept = [(desk.id(2), Reason::Logout)];
    let late = desk.watch(before, at(KEPT + 2));
    assert!(late.lost, "{late:?}");
    assert_eq!(ended(&desk.told(between, at(KEPT + 2))), kept);
    assert_eq!(ended(&desk.told(Cursor::OLDEST, at(KEPT + 2))), kept);
}

/// Sweeping all of it away does not hide that there was something.
pub fn an_emptied_feed_remembers_its_end(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let key = desk.has_guest(1);
    let before = desk.end_of_feed(at(0));
    desk.sign_out(&key, at(1)).done();
    let after = desk.end_of_feed(at(1));

    desk.sweep_all(at(KEPT + 2));

    assert!(desk.watch(before, at(KEPT + 2)).lost);
    assert_eq!(desk.told(after, at(KEPT + 2)), []);
    assert_eq!(desk.end_of_feed(at(KEPT + 2)), after);
}

/// A place that this store never gave is lost: the reader comes from another store, or from one
/// that was restored.
pub fn a_place_that_never_was_is_lost(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let key = desk.has_guest(1);
    desk.sign_out(&key, at(1)).done();

    let bulletin = desk.watch(Cursor::new(u64::MAX, 0), at(2));

    assert!(bulletin.lost && !bulletin.more, "{bulletin:?}");
    assert_eq!(bulletin.next, desk.end_of_feed(at(2)));
}

/// A reader that follows while four threads end sessions hears of each once, and of those of one
/// thread in their order.
pub fn what_ends_in_parallel_is_told_once(fixture: &impl Fixture) {
    const THREADS: u32 = 4;
    const EACH: u32 = 25;
    let desk = Desk::open(fixture);
    let keys: Vec<_> = (0..THREADS * EACH).map(|number| desk.has_guest(number)).collect();
    let mut from = desk.end_of_feed(at(0));
    let mut told = Vec::new();

    thread::scope(|scope| {
        for keys in keys.chunks(EACH as usize) {
            let desk = &desk;
            scope.spawn(move || {
                for key in keys {
                    desk.sign_out(key, at(1)).done();
                }
            });
        }
        for _ in 0..2_000 {
            let bulletin = answered(desk.store.watch(from, 7, at(2)));
            assert!(!bulletin.lost, "{bulletin:?}");
            from = bulletin.next;
            told.extend(ended(&bulletin.notices));
            if told.len() == keys.len() {
                break;
            }
            thread::sleep(Duration::from_millis(2));
        }
    });

    assert_eq!(desk.told(from, at(2)), [], "nothing is told twice");
    let mut places = BTreeMap::new();
    for (place, (id, _)) in told.iter().enumerate() {
        assert!(places.insert(*id, place).is_none(), "{id} was told twice");
    }
    for thread in 0..THREADS {
        let ids = (thread * EACH..(thread + 1) * EACH).map(|number| desk.id(number));
        let order: Vec<_> = ids.map(|id| places.get(&id).copied()).collect();
        assert!(order.iter().all(Option::is_some), "thread {thread}: {order:?}");
        assert!(order.is_sorted(), "thread {thread}: {order:?}");
    }
}

/// What was told is told again after the store was closed and opened, and reading goes on.
pub fn the_feed_survives(fixture: &impl Durable) {
    let desk = Desk::open(fixture);
    let (first, second) = (desk.has_guest(1), desk.has_guest(2));
    let start = desk.end_of_feed(at(0));
    desk.sign_out(&first, at(1)).done();
    desk.amend("ada", &set("roles", "[]"), at(2));
    let before = desk.told(start, at(2));
    let end = desk.end_of_feed(at(2));

    let desk = Desk { store: fixture.reopen(desk.store) };

    assert_eq!(before.len(), 2);
    assert_eq!(desk.told(start, at(3)), before);
    desk.sign_out(&second, at(3)).done();
    assert_eq!(ended(&desk.told(end, at(4))), [(desk.id(2), Reason::Logout)]);
}
