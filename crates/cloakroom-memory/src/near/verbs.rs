//! The verbs of the request path: reads look here first, and writes say beforehand what they touch.

use std::sync::Arc;

use cloakroom_store::{
    Answer, Commit, Create, Draft, End, Ending, Expect, Keep, Key, Limit, Listener, Load, Loads,
    Ops, Reach, Resume, Rotate, Rotation, Route, Store, Survival, Target, Timestamp, Told, Touch,
    UserId,
};

use crate::near::NearCache;
use crate::near::writing::{Outcome, WideWrite};
use crate::sync::Ordering;

impl<S: Store> Store for NearCache<S> {
    fn name(&self) -> &'static str {
        self.near.store.name()
    }

    fn reach(&self) -> Reach {
        self.near.store.reach()
    }

    fn survival(&self) -> Survival {
        self.near.store.survival()
    }

    fn route(&self, user: Option<&UserId>) -> Route {
        self.near.store.route(user)
    }

    fn guest_route(&self, random: [u8; 2]) -> Route {
        self.near.store.guest_route(random)
    }

    /// Several keys come from a browser that is being played with: they go to the store, in one
    /// call.
    fn load(&self, keys: &[Key], now: Timestamp) -> Answer<Loads> {
        let [key] = keys else { return self.load_fresh(keys, now) };
        match self.near.table.get(key, now) {
            Some(record) => {
                self.near.hits.fetch_add(1, Ordering::Relaxed);
                Answer::ready(Ok(Loads::from_iter([Load::Live(record)])))
            }
            None => Arc::clone(&self.near).read(*key, now),
        }
    }

    fn load_fresh(&self, keys: &[Key], now: Timestamp) -> Answer<Loads> {
        self.near.loads.fetch_add(1, Ordering::Relaxed);
        self.near.store.load_fresh(keys, now)
    }

    fn create(
        &self,
        key: &Key,
        draft: Draft,
        limit: Option<Limit>,
        now: Timestamp,
    ) -> Answer<Create> {
        let write = self.near.write(&[*key], now);
        write.until(self.near.store.create(key, draft, limit, now), |_, create| match create {
            Create::Done { record, evicted } => {
                Outcome { keep: Some(record), ids: evicted.clone() }
            }
            Create::KeyTaken | Create::LimitReached(_) => Outcome::default(),
        })
    }

    fn commit(
        &self,
        key: &Key,
        expect: Expect,
        ops: &Ops,
        touch: Option<Touch>,
        now: Timestamp,
    ) -> Answer<Commit> {
        let write = self.near.write(&[*key], now);
        write.until(self.near.store.commit(key, expect, ops, touch, now), |write, commit| {
            match commit {
                Commit::Done(record) if write.had() => {
                    Outcome { keep: Some(record), ids: Vec::new() }
                }
                // It may be kept behind the key that this one forwards to.
                Commit::Done(record) | Commit::Conflict(record) => {
                    Outcome { keep: None, ids: vec![record.id()] }
                }
                Commit::Gone(_) => Outcome::default(),
            }
        })
    }

    fn rotate(&self, old: &Key, new: &Key, rotation: Rotation, now: Timestamp) -> Answer<Rotate> {
        let write = self.near.write(&[*old, *new], now);
        write.until(self.near.store.rotate(old, new, rotation, now), |_, rotate| match rotate {
            Rotate::Done { evicted, .. } => Outcome { keep: None, ids: evicted.clone() },
            Rotate::KeyTaken | Rotate::LimitReached(_) | Rotate::Stale | Rotate::Gone(_) => {
                Outcome::default()
            }
        })
    }

    fn resume(&self, key: &Key, draft: Draft, keep: Keep, now: Timestamp) -> Answer<Resume> {
        let write = self.near.write(&[*key], now);
        let answer = self.near.store.resume(key, draft, keep, now);
        write.until(answer, |_, _| Outcome::default())
    }

    fn end(&self, target: Target, ending: Ending, now: Timestamp) -> Answer<End> {
        let id = match target {
            Target::Key(key) => {
                let write = self.near.write(&[key], now);
                return write.until(self.near.store.end(target, ending, now), |_, end| match end {
                    End::Ended(record) => Outcome { keep: None, ids: vec![record.id()] },
                    End::Stale | End::Gone(_) => Outcome::default(),
                });
            }
            Target::Id(id) => id,
        };
        let write = WideWrite::begin(&self.near.table, now);
        self.near.table.forget_ids([id]);
        write.until(self.near.store.end(target, ending, now), move |table, _| {
            table.forget_ids([id]);
        })
    }

    fn listen(&self, listener: Arc<dyn Listener>) -> Told {
        self.near.store.listen(listener)
    }

    fn close(&self) -> Answer<()> {
        self.near.table.deafen();
        self.near.store.close()
    }
}
