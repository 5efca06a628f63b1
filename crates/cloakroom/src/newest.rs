//! Which answer owns the cookie: only one whose identity change is still the newest.
//!
//! Two requests that came with the same ticket may both change the identity. The response that
//! reaches the browser last would win, whichever was committed first: a slow sign-out would take
//! back the sign-in that followed it. So each change marks the keys of its request, and a response
//! whose mark is not on them sends no cookie.
//!
//! Answers of the store may come in another order than it made the changes in. But only one change
//! can use a key up; whatever else was done with that key came after it, because it found the key
//! gone. So the mark of the change that used a key up never replaces one that is there already, but
//! for one of a request that found the key alive and changed something else: of two live sessions
//! neither is the visitor's, and both live on.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::store::{Key, Timestamp};

/// How long a response may still be on its way after its identity change.
const KEPT: Duration = Duration::from_secs(10 * 60);
/// The most keys that are marked, at 100 bytes each; beyond it the oldest are forgotten.
const MARKS_MAX: usize = 100_000;

#[derive(Debug, Default)]
pub(crate) struct Newest {
    marks: Mutex<Marks>,
}

#[derive(Debug, Default)]
struct Marks {
    last: u64,
    by_key: HashMap<Key, Mark>,
    order: VecDeque<(Timestamp, Key, u64)>,
}

#[derive(Clone, Copy, Debug)]
struct Mark {
    number: u64,
    /// The change left the key as it was.
    spared: bool,
}

impl Newest {
    /// Marks the keys that a request came with as changed now, and the one that it used up. Those in
    /// `alive` may be used up by others still.
    pub(crate) fn mark(
        &self,
        keys: impl Iterator<Item = Key>,
        used_up: Option<Key>,
        alive: &[Key],
        now: Timestamp,
    ) -> u64 {
        let mut marks = self.marks.lock().unwrap_or_else(PoisonError::into_inner);
        marks.last += 1;
        let mark = marks.last;
        for key in keys.filter(|key| Some(*key) != used_up) {
            marks.put(key, Mark { number: mark, spared: alive.contains(&key) }, now);
        }
        let is_free = |key: &Key| marks.by_key.get(key).is_none_or(|there| there.spared);
        if let Some(key) = used_up.filter(is_free) {
            marks.put(key, Mark { number: mark, spared: false }, now);
        }
        marks.forget(now);
        mark
    }

    /// Whether no other change has overwritten `mark` on these keys, and none has been made with
    /// the key that came out of it.
    pub(crate) fn is_newest(
        &self,
        mark: u64,
        mut keys: impl Iterator<Item = Key>,
        came_out: Option<Key>,
    ) -> bool {
        let marks = self.marks.lock().unwrap_or_else(PoisonError::into_inner);
        let untouched = came_out
            .is_none_or(|key| marks.by_key.get(&key).is_none_or(|later| later.number <= mark));
        untouched && keys.all(|key| marks.by_key.get(&key).is_none_or(|found| found.number == mark))
    }
}

impl Marks {
    fn put(&mut self, key: Key, mark: Mark, now: Timestamp) {
        self.by_key.insert(key, mark);
        self.order.push_back((now, key, mark.number));
    }

    fn forget(&mut self, now: Timestamp) {
        while let Some((at, key, mark)) = self.order.front().copied() {
            if self.order.len() <= MARKS_MAX && now.since(at) < KEPT {
                break;
            }
            self.order.pop_front();
            if self.by_key.get(&key).is_some_and(|there| there.number == mark) {
                self.by_key.remove(&key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(byte: u8) -> Key {
        Key::from_bytes([byte; 32])
    }

    #[test]
    fn a_later_change_of_the_same_ticket_takes_the_cookie_over() {
        let (newest, now) = (Newest::default(), Timestamp::from_millis(0));
        let logout = newest.mark([key(1)].into_iter(), None, &[], now);
        assert!(newest.is_newest(logout, [key(1)].into_iter(), None));

        let login = newest.mark([key(1)].into_iter(), None, &[], now);

        assert!(!newest.is_newest(logout, [key(1)].into_iter(), None));
        assert!(newest.is_newest(login, [key(1)].into_iter(), Some(key(2))));
    }

    #[test]
    fn a_change_of_what_came_out_takes_the_cookie_over() {
        let (newest, now) = (Newest::default(), Timestamp::from_millis(0));
        let login = newest.mark([key(1)].into_iter(), None, &[], now);

        newest.mark([key(2)].into_iter(), None, &[], now);

        assert!(!newest.is_newest(login, [key(1)].into_iter(), Some(key(2))));
    }

    #[test]
    fn the_change_that_used_the_ticket_up_came_first_however_late_it_is_told() {
        let (newest, now) = (Newest::default(), Timestamp::from_millis(0));
        let keys = || [key(1)].into_iter();
        let login = newest.mark(keys(), None, &[], now);

        let logout = newest.mark(keys(), Some(key(1)), &[], now);

        assert!(!newest.is_newest(logout, keys(), None));
        assert!(newest.is_newest(login, keys(), Some(key(2))));
    }

    #[test]
    fn a_change_that_left_the_ticket_alive_came_before_the_one_that_used_it_up() {
        let (newest, now) = (Newest::default(), Timestamp::from_millis(0));
        let elsewhere = newest.mark([key(1), key(2)].into_iter(), None, &[key(1)], now);

        let login = newest.mark([key(1)].into_iter(), Some(key(1)), &[], now);
        let late = newest.mark([key(2)].into_iter(), Some(key(2)), &[], now);

        assert!(newest.is_newest(login, [key(1)].into_iter(), None));
        assert!(!newest.is_newest(late, [key(2)].into_iter(), None), "it was found gone");
        assert!(!newest.is_newest(elsewhere, [key(1), key(2)].into_iter(), None));
    }

    #[test]
    fn marks_are_forgotten_in_time_and_in_number() {
        let newest = Newest::default();
        newest.mark([key(1)].into_iter(), None, &[], Timestamp::from_millis(0));
        newest.mark([key(2)].into_iter(), None, &[], Timestamp::from_millis(0).plus(KEPT));

        let marks = newest.marks.lock().unwrap();
        assert_eq!(marks.by_key.keys().copied().collect::<Vec<_>>(), [key(2)]);
    }
}
