//! Two handles of one store that look like one.

use std::sync::atomic::{AtomicU64, Ordering};

use cloakroom_store::{
    Answer, Bulletin, Commit, Count, Create, Cursor, Draft, End, EndedAll, Ending, Expect, Keep,
    Key, Limit, Loads, Ops, Page, Reach, Record, Registry, Resume, Rotate, Rotation, Route,
    SessionId, Store, Survival, Swept, Target, Timestamp, Touch, UserId,
};

/// Two handles on the same data, as two processes have them: each verb goes to one of them, drawn from
/// a seed, so that a script comes out the same each time it is shrunk.
///
/// ```
/// use cloakroom_conformance::model::Handles;
/// use cloakroom_memory::MemoryStore;
/// use cloakroom_store::Store as _;
/// use std::sync::Arc;
///
/// let store = Arc::new(MemoryStore::new());
/// let both = Handles::new([Arc::clone(&store), store], 7);
/// assert_eq!(both.name(), "memory");
/// ```
#[derive(Debug)]
pub struct Handles<S> {
    stores: [S; 2],
    random: AtomicU64,
}

impl<S> Handles<S> {
    /// Two handles, and what their turns are drawn from.
    pub const fn new(stores: [S; 2], seed: u64) -> Self {
        Self { stores, random: AtomicU64::new(seed) }
    }

    /// The handle that answers next (splitmix64).
    fn either(&self) -> &S {
        let state = self.random.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let [one, other] = &self.stores;
        if mixed >> 63 == 0 { one } else { other }
    }
}

impl<S: Registry> Store for Handles<S> {
    fn name(&self) -> &'static str {
        self.either().name()
    }

    fn reach(&self) -> Reach {
        self.either().reach()
    }

    fn survival(&self) -> Survival {
        self.either().survival()
    }

    fn route(&self, user: Option<&UserId>) -> Route {
        self.either().route(user)
    }

    fn guest_route(&self, random: [u8; 2]) -> Route {
        self.either().guest_route(random)
    }

    fn load(&self, keys: &[Key], now: Timestamp) -> Answer<Loads> {
        self.either().load(keys, now)
    }

    fn create(
        &self,
        key: &Key,
        draft: Draft,
        limit: Option<Limit>,
        now: Timestamp,
    ) -> Answer<Create> {
        self.either().create(key, draft, limit, now)
    }

    fn commit(
        &self,
        key: &Key,
        expect: Expect,
        ops: &Ops,
        touch: Option<Touch>,
        now: Timestamp,
    ) -> Answer<Commit> {
        self.either().commit(key, expect, ops, touch, now)
    }

    fn rotate(&self, old: &Key, new: &Key, rotation: Rotation, now: Timestamp) -> Answer<Rotate> {
        self.either().rotate(old, new, rotation, now)
    }

    fn resume(&self, key: &Key, draft: Draft, keep: Keep, now: Timestamp) -> Answer<Resume> {
        self.either().resume(key, draft, keep, now)
    }

    fn end(&self, target: Target, ending: Ending, now: Timestamp) -> Answer<End> {
        self.either().end(target, ending, now)
    }
}

impl<S: Registry> Registry for Handles<S> {
    fn list(&self, user: &UserId, page: Page, now: Timestamp) -> Answer<Vec<Record>> {
        self.either().list(user, page, now)
    }

    fn end_all(
        &self,
        user: &UserId,
        except: Option<SessionId>,
        ending: Ending,
        now: Timestamp,
    ) -> Answer<EndedAll> {
        self.either().end_all(user, except, ending, now)
    }

    fn amend(&self, user: &UserId, ops: &Ops, now: Timestamp) -> Answer<u64> {
        self.either().amend(user, ops, now)
    }

    fn scan(&self, page: Page, now: Timestamp) -> Answer<Vec<Record>> {
        self.either().scan(page, now)
    }

    fn count(&self, now: Timestamp) -> Answer<Count> {
        self.either().count(now)
    }

    fn sweep(&self, now: Timestamp, limit: u32) -> Answer<Swept> {
        self.either().sweep(now, limit)
    }

    fn watch(&self, from: Cursor, limit: u32, now: Timestamp) -> Answer<Bulletin> {
        self.either().watch(from, limit, now)
    }
}
