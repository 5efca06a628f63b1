//! Which answer owns the cookie: only one whose identity change is still the newest.
//!
//! Two requests that came with the same ticket may both change the identity. The response that
//! reaches the browser last would win, whichever was committed first: a slow sign-out would take
//! back the sign-in that followed it. So each change marks the keys of its request, and a response
//! whose mark has been overwritten sends no cookie.

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
    by_key: HashMap<Key, u64>,
    order: VecDeque<(Timestamp, Key, u64)>,
}

impl Newest {
    /// Marks the keys that a request came with, or used, as changed now.
    pub(crate) fn mark(&self, keys: impl Iterator<Item = Key>, now: Timestamp) -> u64 {
        let mut marks = self.marks.lock().unwrap_or_else(PoisonError::into_inner);
        marks.last += 1;
        let mark = marks.last;
        for key in keys {
            marks.by_key.insert(key, mark);
            marks.order.push_back((now, key, mark));
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
        let untouched =
            came_out.is_none_or(|key| marks.by_key.get(&key).is_none_or(|later| *later <= mark));
        untouched && keys.all(|key| marks.by_key.get(&key).is_none_or(|found| *found == mark))
    }
}

impl Marks {
    fn forget(&mut self, now: Timestamp) {
        while let Some((at, key, mark)) = self.order.front().copied() {
            if self.order.len() <= MARKS_MAX && now.since(at) < KEPT {
                break;
            }
            self.order.pop_front();
            if self.by_key.get(&key) == Some(&mark) {
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
        let logout = newest.mark([key(1)].into_iter(), now);
        assert!(newest.is_newest(logout, [key(1)].into_iter(), None));

        let login = newest.mark([key(1)].into_iter(), now);

        assert!(!newest.is_newest(logout, [key(1)].into_iter(), None));
        assert!(newest.is_newest(login, [key(1)].into_iter(), Some(key(2))));
    }

    #[test]
    fn a_change_of_what_came_out_takes_the_cookie_over() {
        let (newest, now) = (Newest::default(), Timestamp::from_millis(0));
        let login = newest.mark([key(1)].into_iter(), now);

        newest.mark([key(2)].into_iter(), now);

        assert!(!newest.is_newest(login, [key(1)].into_iter(), Some(key(2))));
    }

    #[test]
    fn marks_are_forgotten_in_time_and_in_number() {
        let newest = Newest::default();
        newest.mark([key(1)].into_iter(), Timestamp::from_millis(0));
        newest.mark([key(2)].into_iter(), Timestamp::from_millis(0).plus(KEPT));

        let marks = newest.marks.lock().unwrap();
        assert_eq!(marks.by_key.keys().copied().collect::<Vec<_>>(), [key(2)]);
    }
}
