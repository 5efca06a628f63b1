//! A shared store is a store.

use std::sync::Arc;

use crate::{
    Answer, Bulletin, Commit, Count, Create, Cursor, Draft, End, EndedAll, Ending, Expect, Keep,
    Key, Limit, Listener, Loads, Ops, Page, Reach, Record, Registry, Resume, Rotate, Rotation,
    Route, SessionId, Store, Survival, Swept, Target, Timestamp, Told, Touch, UserId,
};

impl<S: Store + ?Sized> Store for Arc<S> {
    fn name(&self) -> &'static str {
        (**self).name()
    }

    fn reach(&self) -> Reach {
        (**self).reach()
    }

    fn survival(&self) -> Survival {
        (**self).survival()
    }

    fn route(&self, user: Option<&UserId>) -> Route {
        (**self).route(user)
    }

    fn guest_route(&self, random: [u8; 2]) -> Route {
        (**self).guest_route(random)
    }

    fn load(&self, keys: &[Key], now: Timestamp) -> Answer<Loads> {
        (**self).load(keys, now)
    }

    fn load_fresh(&self, keys: &[Key], now: Timestamp) -> Answer<Loads> {
        (**self).load_fresh(keys, now)
    }

    fn create(
        &self,
        key: &Key,
        draft: Draft,
        limit: Option<Limit>,
        now: Timestamp,
    ) -> Answer<Create> {
        (**self).create(key, draft, limit, now)
    }

    fn commit(
        &self,
        key: &Key,
        expect: Expect,
        ops: &Ops,
        touch: Option<Touch>,
        now: Timestamp,
    ) -> Answer<Commit> {
        (**self).commit(key, expect, ops, touch, now)
    }

    fn rotate(&self, old: &Key, new: &Key, rotation: Rotation, now: Timestamp) -> Answer<Rotate> {
        (**self).rotate(old, new, rotation, now)
    }

    fn resume(&self, key: &Key, draft: Draft, keep: Keep, now: Timestamp) -> Answer<Resume> {
        (**self).resume(key, draft, keep, now)
    }

    fn end(&self, target: Target, ending: Ending, now: Timestamp) -> Answer<End> {
        (**self).end(target, ending, now)
    }

    fn listen(&self, listener: Arc<dyn Listener>) -> Told {
        (**self).listen(listener)
    }

    fn close(&self) -> Answer<()> {
        (**self).close()
    }
}

impl<S: Registry + ?Sized> Registry for Arc<S> {
    fn list(&self, user: &UserId, page: Page, now: Timestamp) -> Answer<Vec<Record>> {
        (**self).list(user, page, now)
    }

    fn end_all(
        &self,
        user: &UserId,
        except: Option<SessionId>,
        ending: Ending,
        now: Timestamp,
    ) -> Answer<EndedAll> {
        (**self).end_all(user, except, ending, now)
    }

    fn amend(&self, user: &UserId, ops: &Ops, now: Timestamp) -> Answer<u64> {
        (**self).amend(user, ops, now)
    }

    fn scan(&self, page: Page, now: Timestamp) -> Answer<Vec<Record>> {
        (**self).scan(page, now)
    }

    fn count(&self, now: Timestamp) -> Answer<Count> {
        (**self).count(now)
    }

    fn sweep(&self, now: Timestamp, limit: u32) -> Answer<Swept> {
        (**self).sweep(now, limit)
    }

    fn watch(&self, from: Cursor, limit: u32, now: Timestamp) -> Answer<Bulletin> {
        (**self).watch(from, limit, now)
    }
}
