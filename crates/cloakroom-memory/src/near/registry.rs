//! The verbs of operators: reads go to the store, and what changes sessions is forgotten here.

use cloakroom_store::{
    Answer, Bulletin, Count, Cursor, EndedAll, Ending, Ops, Page, Record, Registry, SessionId,
    Swept, Timestamp, UserId,
};

use crate::near::NearCache;
use crate::near::writing::{Sweep, WideWrite};

impl<S: Registry> Registry for NearCache<S> {
    fn list(&self, user: &UserId, page: Page, now: Timestamp) -> Answer<Vec<Record>> {
        self.store().list(user, page, now)
    }

    fn end_all(
        &self,
        user: &UserId,
        except: Option<SessionId>,
        ending: Ending,
        now: Timestamp,
    ) -> Answer<EndedAll> {
        let write = WideWrite::begin(&self.near.table, now);
        self.near.table.forget_user(user);
        let user_too = user.clone();
        write.until(self.store().end_all(user, except, ending, now), move |table, done| {
            table.forget_ids(done.ended.iter().copied());
            table.forget_user(&user_too);
        })
    }

    fn amend(&self, user: &UserId, ops: &Ops, now: Timestamp) -> Answer<u64> {
        let write = WideWrite::begin(&self.near.table, now);
        self.near.table.forget_user(user);
        let user_too = user.clone();
        write.until(self.store().amend(user, ops, now), move |table, _| {
            table.forget_user(&user_too);
        })
    }

    fn scan(&self, page: Page, now: Timestamp) -> Answer<Vec<Record>> {
        self.store().scan(page, now)
    }

    fn count(&self, now: Timestamp) -> Answer<Count> {
        self.store().count(now)
    }

    fn sweep(&self, now: Timestamp, limit: u32) -> Answer<Swept> {
        Sweep::of(&self.near.table, now).until(self.store().sweep(now, limit))
    }

    fn watch(&self, from: Cursor, limit: u32, now: Timestamp) -> Answer<Bulletin> {
        self.store().watch(from, limit, now)
    }
}
