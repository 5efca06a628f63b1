//! The store as others see it: the verbs of the contract, answered at once.

use std::sync::Arc;

use cloakroom_store::{
    Answer, Bulletin, Commit, Count, Create, Cursor, Draft, End, EndedAll, Ending, Expect, Keep,
    Key, Limit, Loads, Ops, Page, Reach, Record, Registry, Resume, Rotate, Rotation, Route,
    SessionId, Store, Survival, Survives, Swept, Target, Timestamp, Touch, UserId,
};

use crate::bounds::Bounds;
use crate::commits::Change;
use crate::house::House;

/// A bounded table of sessions in this process. Clones share it.
#[derive(Clone, Debug)]
pub struct MemoryStore(Arc<House>);

impl MemoryStore {
    /// A store with the default bounds.
    #[must_use]
    pub fn new() -> Self {
        Self::builder().build()
    }

    /// A store with other bounds.
    #[must_use]
    pub fn builder() -> Builder {
        Builder(Bounds::default())
    }

    /// About how many bytes its sessions take.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.0.bytes()
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

/// Says how much a [`MemoryStore`] holds.
///
/// ```
/// use cloakroom_memory::MemoryStore;
///
/// let store = MemoryStore::builder().max_sessions(10_000).max_bytes(64 << 20).build();
/// assert_eq!(store.bytes(), 0);
/// ```
#[derive(Clone, Debug)]
pub struct Builder(Bounds);

impl Builder {
    /// At most `number` sessions, live, dormant or not yet swept; else
    /// [`SESSIONS_MAX`](crate::SESSIONS_MAX).
    #[must_use]
    pub const fn max_sessions(mut self, number: usize) -> Self {
        self.0.sessions = number;
        self
    }

    /// About at most `bytes` of memory for sessions and what leads to them; else
    /// [`BYTES_MAX`](crate::BYTES_MAX). The reasons of endings have a bound of their own.
    #[must_use]
    pub const fn max_bytes(mut self, bytes: usize) -> Self {
        self.0.bytes = bytes;
        self
    }

    /// The store, empty.
    #[must_use]
    pub fn build(self) -> MemoryStore {
        MemoryStore(Arc::new(House::new(self.0)))
    }
}

impl Store for MemoryStore {
    fn name(&self) -> &'static str {
        "memory"
    }

    fn reach(&self) -> Reach {
        Reach::Process
    }

    fn survival(&self) -> Survival {
        let nothing = Survives::Nothing;
        Survival { identity: nothing, data: nothing, touch: nothing }
    }

    fn route(&self, _: Option<&UserId>) -> Route {
        Route::NONE
    }

    fn load(&self, keys: &[Key], now: Timestamp) -> Answer<Loads> {
        Answer::ready(self.0.load(keys, now))
    }

    fn create(
        &self,
        key: &Key,
        draft: Draft,
        limit: Option<Limit>,
        now: Timestamp,
    ) -> Answer<Create> {
        Answer::ready(self.0.create(key, draft, limit, now))
    }

    fn commit(
        &self,
        key: &Key,
        expect: Expect,
        ops: &Ops,
        touch: Option<Touch>,
        now: Timestamp,
    ) -> Answer<Commit> {
        Answer::ready(self.0.commit(key, Change { expect, ops, touch, now }))
    }

    fn rotate(&self, old: &Key, new: &Key, rotation: Rotation, now: Timestamp) -> Answer<Rotate> {
        Answer::ready(self.0.rotate(old, new, &rotation, now))
    }

    fn resume(&self, key: &Key, draft: Draft, keep: Keep, now: Timestamp) -> Answer<Resume> {
        Answer::ready(self.0.resume(key, &draft, &keep, now))
    }

    fn end(&self, target: Target, ending: Ending, now: Timestamp) -> Answer<End> {
        Answer::ready(Ok(self.0.end(target, ending, now)))
    }
}

impl Registry for MemoryStore {
    fn list(&self, user: &UserId, page: Page, now: Timestamp) -> Answer<Vec<Record>> {
        Answer::ready(Ok(self.0.list(user, page, now)))
    }

    fn end_all(
        &self,
        user: &UserId,
        except: Option<SessionId>,
        ending: Ending,
        now: Timestamp,
    ) -> Answer<EndedAll> {
        Answer::ready(Ok(self.0.end_all(user, except, ending, now)))
    }

    fn amend(&self, user: &UserId, ops: &Ops, now: Timestamp) -> Answer<u64> {
        Answer::ready(self.0.amend(user, ops, now))
    }

    fn scan(&self, page: Page, now: Timestamp) -> Answer<Vec<Record>> {
        Answer::ready(Ok(self.0.scan(page, now)))
    }

    fn count(&self, now: Timestamp) -> Answer<Count> {
        Answer::ready(Ok(self.0.count(now)))
    }

    fn sweep(&self, now: Timestamp, limit: u32) -> Answer<Swept> {
        Answer::ready(Ok(self.0.sweep(now, limit)))
    }

    fn watch(&self, from: Cursor, limit: u32, _: Timestamp) -> Answer<Bulletin> {
        Answer::ready(Ok(self.0.watch(from, limit)))
    }
}
