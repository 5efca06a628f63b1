use crate::answer::Answer;
use crate::ending::Ending;
use crate::error::StoreError;
use crate::feed::{Bulletin, Cursor};
use crate::names::{SessionId, UserId};
use crate::ops::Ops;
use crate::record::Record;
use crate::store::Store;
use crate::timestamp::Timestamp;

/// The verbs of operators and device lists, beside those of the request path.
///
/// Dormant sessions count everywhere here: their tickets can still open something.
pub trait Registry: Store {
    /// The sessions of one user, ordered by id.
    fn list(&self, user: &UserId, page: Page, now: Timestamp) -> Answer<Vec<Record>>;

    /// Ends every session of one user but `except`, in one step.
    fn end_all(
        &self,
        user: &UserId,
        except: Option<SessionId>,
        ending: Ending,
        now: Timestamp,
    ) -> Answer<EndedAll>;

    /// Changes the same fields in every session of one user, in one step, and says in how many.
    /// A user's roles change this way.
    fn amend(&self, user: &UserId, ops: &Ops, now: Timestamp) -> Answer<u64>;

    /// All sessions, ordered by id.
    fn scan(&self, page: Page, now: Timestamp) -> Answer<Vec<Record>>;

    /// How many sessions there are.
    fn count(&self, now: Timestamp) -> Answer<Count>;

    /// Frees at most `limit` expired sessions, forwarders and forgotten reasons. What it frees was
    /// gone before. Notices of the feed that are too old go along and are not counted.
    fn sweep(&self, now: Timestamp, limit: u32) -> Answer<Swept>;

    /// What happened after the place `from`, at most `limit` notices (1 to
    /// [`BULLETIN_MAX`](crate::BULLETIN_MAX)), and where to go on.
    ///
    /// Every session that a verb ended is in it, and every [`Registry::amend`] as an epoch of its
    /// user, at the latest when that verb is answered, and in an order that never changes: whoever
    /// goes on from [`Bulletin::next`] misses nothing. A notice may be there of an ending that then
    /// did not happen, because whoever was about to do it died; the other way round is a defect.
    ///
    /// From [`Cursor::OLDEST`] it gives all that is still known (24 hours of it, if there is not
    /// too much), and from [`Cursor::NEWEST`] nothing but the place to begin at.
    ///
    /// # Errors
    ///
    /// Refused in a store that keeps no feed.
    fn watch(&self, from: Cursor, limit: u32, now: Timestamp) -> Answer<Bulletin> {
        let _ = (from, limit, now);
        Answer::ready(Err(StoreError::refused("this store keeps no feed of endings")))
    }
}

/// A part of a list that is ordered by session id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// The last id of the page before; `None` for the first page.
    pub after: Option<SessionId>,
    /// The most records wanted, at least 1.
    pub limit: u32,
}

impl Page {
    /// The first `limit` records.
    #[must_use]
    pub const fn first(limit: u32) -> Self {
        Self { after: None, limit }
    }
}

/// What came of [`Registry::end_all`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EndedAll {
    /// The sessions that were ended.
    pub ended: Vec<SessionId>,
}

/// What came of [`Registry::count`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Sessions that are live or dormant.
    pub sessions: u64,
    /// Those of them that have a user.
    pub signed_in: u64,
}

/// What came of [`Registry::sweep`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// How many entries were freed.
    pub removed: u64,
    /// Whether another call would free more.
    pub more: bool,
}
