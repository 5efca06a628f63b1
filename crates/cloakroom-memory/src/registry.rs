//! The verbs of operators and device lists.

use cloakroom_store::{
    Bulletin, Count, Cursor, Ended, EndedAll, Ending, Ops, Page, Record, SessionId, StoreError,
    Timestamp, UserId,
};

use crate::bounds::{SHARDS, cost};
use crate::house::House;
use crate::identity::present;
use crate::index::Index;
use crate::room::{Need, Short, as_u64};
use crate::shard::{Status, is_anonymous};

impl House {
    pub(crate) fn list(&self, user: &UserId, page: Page, now: Timestamp) -> Vec<Record> {
        let index = self.index();
        let ids = index.of_user(Some(user));
        let start = page.after.map_or(0, |after| ids.partition_point(|id| *id <= after));
        let rest = ids.get(start..).unwrap_or_default();
        self.page(&index, rest.iter(), page.limit, now)
    }

    pub(crate) fn scan(&self, page: Page, now: Timestamp) -> Vec<Record> {
        let index = self.index();
        self.page(&index, index.after(page.after).map(|(id, _)| id), page.limit, now)
    }

    fn page<'a>(
        &self,
        index: &Index,
        ids: impl Iterator<Item = &'a SessionId>,
        limit: u32,
        now: Timestamp,
    ) -> Vec<Record> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let records = ids.filter_map(|id| self.record(index, id).map(|(_, record)| record));
        records.filter(|record| exists(record, now)).take(limit).collect()
    }

    pub(crate) fn end_all(
        &self,
        user: &UserId,
        except: Option<SessionId>,
        ending: Ending,
        now: Timestamp,
    ) -> EndedAll {
        let Ending { reason, by } = ending;
        let ended = {
            let mut index = self.index();
            let ids = index.of_user(Some(user)).to_vec();
            self.take_away(&mut index, &ids, now, |record| {
                let leaves = Some(record.id()) != except && exists(record, now);
                leaves.then_some(Ended { reason, by, at: now })
            })
        };
        EndedAll { ended: ended.iter().map(Record::id).collect() }
    }

    pub(crate) fn amend(
        &self,
        user: &UserId,
        ops: &Ops,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let mut index = self.index();
        self.with_room(&mut index, None, now, |index| {
            let ids = index.of_user(Some(user)).to_vec();
            let mut held = self.hold(index, index.keys_of(&ids));
            let mut changed = Vec::new();
            let (mut more, mut less) = (0, 0);
            for id in &ids {
                let Some(record) = present(index, &mut held, id, now) else { continue };
                let next = record.changed(ops, None)?;
                more += cost(&next);
                less += cost(&record);
                changed.push(next);
            }
            if !self.try_grow(more, less) {
                return Err(Short::Need(Need { sessions: 0, bytes: more - less }));
            }
            let count = changed.len();
            // The index is held: nobody sees the one without the other.
            index.feed.epoch(user.clone(), now);
            for next in changed {
                if let Some(key) = index.key(&next.id())
                    && let Some(slot) = held.of(&key).slot_mut(&key)
                {
                    slot.record = next;
                }
            }
            Ok(as_u64(count))
        })
    }

    pub(crate) fn watch(&self, from: Cursor, limit: u32) -> Bulletin {
        self.index().feed.watch(from, limit)
    }

    pub(crate) fn count(&self, now: Timestamp) -> Count {
        let _index = self.index();
        let (mut sessions, mut anonymous) = (0, 0);
        for place in 0..SHARDS {
            let shard = self.read(place);
            if !shard.may_be_due(now) {
                sessions += shard.len();
                anonymous += shard.anonymous();
                continue;
            }
            for slot in shard.slots().filter(|slot| exists(&slot.record, now)) {
                sessions += 1;
                anonymous += usize::from(is_anonymous(&slot.record));
            }
        }
        Count { sessions: as_u64(sessions), signed_in: as_u64(sessions - anonymous) }
    }
}

/// Whether the session is live or dormant.
fn exists(record: &Record, now: Timestamp) -> bool {
    match Status::of(record, now) {
        Status::Live | Status::Dormant(_) => true,
        Status::Over(_) => false,
    }
}
