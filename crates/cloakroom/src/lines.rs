//! Where live handles find their sessions: a renewal in this process moves them along.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use crate::store::{Key, SessionId, Timestamp};

/// How long a request may hold a key that has been renewed: as long as the key may forward.
const KEPT: Duration = Duration::from_secs(10 * 60);
/// How many renewals are remembered at most, at 150 bytes each.
const MOVES_MAX: usize = 100_000;
/// How many renewals of one session a single request can have missed.
const HOPS: usize = 16;

/// The keys of all sessions that live handles of this process hold, and the renewals of the last
/// minutes.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    board: Mutex<Board>,
}

#[derive(Debug, Default)]
struct Board {
    lines: HashMap<SessionId, Weak<Mutex<Key>>>,
    moves: HashMap<Key, Key>,
    order: VecDeque<(Timestamp, Key)>,
}

/// The newest key of one session.
#[derive(Debug)]
pub(crate) struct Line(Arc<Mutex<Key>>);

impl Line {
    pub(crate) fn key(&self) -> Key {
        *held(&self.0)
    }
}

impl Lines {
    /// Follows a session from the key on that a request loaded it with, which may be one that has
    /// been renewed meanwhile.
    pub(crate) fn follow(&self, session: SessionId, key: Key, forwarded: bool) -> Line {
        let mut board = held(&self.board);
        let newest = board.newest(key);
        if let Some(line) = board.lines.get(&session).and_then(Weak::upgrade) {
            if newest == key && !forwarded {
                *held(&line) = key;
            }
            return Line(line);
        }
        board.lines.retain(|_, line| line.strong_count() > 0);
        let line = Arc::new(Mutex::new(newest));
        board.lines.insert(session, Arc::downgrade(&line));
        Line(line)
    }

    /// The session was renewed.
    pub(crate) fn moved(&self, session: SessionId, old: Key, new: Key, now: Timestamp) {
        let mut board = held(&self.board);
        board.moves.insert(old, new);
        board.order.push_back((now, old));
        board.forget(now);
        if let Some(line) = board.lines.get(&session).and_then(Weak::upgrade) {
            let mut key = held(&line);
            *key = board.newest(*key);
        }
    }
}

impl Board {
    fn newest(&self, key: Key) -> Key {
        let next = |key: &Key| self.moves.get(key).copied();
        std::iter::successors(Some(key), next).take(HOPS).last().unwrap_or(key)
    }

    fn forget(&mut self, now: Timestamp) {
        while let Some((at, key)) = self.order.front().copied() {
            if self.order.len() <= MOVES_MAX && now.since(at) < KEPT {
                return;
            }
            self.order.pop_front();
            self.moves.remove(&key);
        }
    }
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(byte: u8) -> Key {
        Key::from_bytes([byte; 32])
    }

    #[test]
    fn renewals_move_a_line_whatever_order_they_are_told_in() {
        let (lines, id) = (Lines::default(), SessionId::from_bytes([1; 18]));
        let now = Timestamp::from_millis(0);
        let line = lines.follow(id, key(1), false);

        lines.moved(id, key(2), key(3), now);
        lines.moved(id, key(1), key(2), now);

        assert_eq!(line.key(), key(3));
        assert_eq!(lines.follow(id, key(1), false).key(), key(3), "an old key sets nothing back");
    }

    #[test]
    fn a_ticket_that_another_process_renewed_sets_nothing_back() {
        let (lines, id) = (Lines::default(), SessionId::from_bytes([1; 18]));
        let line = lines.follow(id, key(1), false);
        lines.follow(id, key(2), false);
        assert_eq!(line.key(), key(2), "nobody here told of the renewal");

        let late = lines.follow(id, key(1), true);

        assert_eq!((line.key(), late.key()), (key(2), key(2)));
    }

    #[test]
    fn moves_are_forgotten_in_time() {
        let (lines, id) = (Lines::default(), SessionId::from_bytes([1; 18]));
        lines.moved(id, key(1), key(2), Timestamp::from_millis(0));
        lines.moved(id, key(3), key(4), Timestamp::from_millis(0).plus(KEPT));

        assert_eq!(held(&lines.board).moves.len(), 1);
    }
}
