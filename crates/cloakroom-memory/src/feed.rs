//! What ended and whose rights changed, for those who read on from a place.

use std::collections::VecDeque;

use cloakroom_store::{
    BULLETIN_MAX, Bulletin, Cursor, Ended, FEED_KEPT, FEED_MAX, News, Notice, SessionId, Timestamp,
    UserId,
};

/// The first number of every place: the feed begins with its store and ends with it.
const MAJOR: u64 = 1;

/// The newest notices, in order. It is changed under the lock of the index, in the step that it
/// tells of.
#[derive(Debug, Default)]
pub(crate) struct Feed {
    notices: VecDeque<Notice>,
    /// How many notices there ever were.
    told: u64,
}

impl Feed {
    /// A session is over. That its clocks ran out is no news.
    pub(crate) fn ended(&mut self, id: SessionId, ended: Ended) {
        if !ended.reason.is_timeout() {
            self.push(ended.at, News::Ended { id, reason: ended.reason });
        }
    }

    /// The rights of a user changed.
    pub(crate) fn epoch(&mut self, user: UserId, now: Timestamp) {
        self.push(now, News::Epoch { user });
    }

    fn push(&mut self, at: Timestamp, news: News) {
        if self.notices.len() == FEED_MAX {
            self.notices.pop_front();
        }
        self.told += 1;
        self.notices.push_back(Notice { place: Cursor::new(MAJOR, self.told), at, news });
    }

    /// Forgets the notices that are a day old.
    pub(crate) fn forget(&mut self, now: Timestamp) {
        while self.notices.front().is_some_and(|notice| notice.at.plus(FEED_KEPT) <= now) {
            self.notices.pop_front();
        }
    }

    /// At most `limit` notices after `from`.
    pub(crate) fn watch(&self, from: Cursor, limit: u32) -> Bulletin {
        let end = Cursor::new(MAJOR, self.told);
        if from >= end {
            let lost = from != end && from != Cursor::NEWEST;
            return Bulletin { notices: Vec::new(), next: end, lost, more: false };
        }
        // The notices have no gaps: the first that is kept tells how many are not.
        let forgotten = self.told - u64::try_from(self.notices.len()).unwrap_or(self.told);
        let lost = from != Cursor::OLDEST && from < Cursor::new(MAJOR, forgotten);
        let begin = self.notices.partition_point(|notice| notice.place <= from);
        let limit = usize::try_from(limit.clamp(1, BULLETIN_MAX)).unwrap_or(1);
        let notices: Vec<_> = self.notices.range(begin..).take(limit).cloned().collect();
        let more = begin + notices.len() < self.notices.len();
        let next = notices.last().map_or(end, |last| last.place);
        Bulletin { notices, next, lost, more }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_notice_makes_room_beyond_the_bound_and_is_lost() {
        let (mut feed, start) = (Feed::default(), Cursor::new(MAJOR, 0));
        let now = Timestamp::from_millis(7);
        for number in 0..FEED_MAX {
            feed.epoch(UserId::from(u32::try_from(number).unwrap()), now);
        }
        assert!(!feed.watch(start, 1).lost);

        feed.epoch(UserId::from(7), now);

        assert!(feed.watch(start, 1).lost);
        assert!(!feed.watch(Cursor::new(MAJOR, 1), 1).lost);
        assert_eq!(feed.notices.len(), FEED_MAX);
    }
}
