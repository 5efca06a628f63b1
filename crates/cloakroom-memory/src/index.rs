//! Who is who: ids, users and forwarders, behind one lock.

use std::collections::{BTreeMap, HashMap};

use cloakroom_store::{Key, Record, SessionId, Timestamp, UserId};

use crate::feed::Feed;

/// The relations between keys, ids and users. Every verb that changes who is behind a key holds
/// its lock from beginning to end.
#[derive(Debug)]
pub(crate) struct Index {
    /// Ordered, so that a page of a list is a range.
    ids: BTreeMap<SessionId, Key>,
    /// The ids of each user, in order.
    users: HashMap<UserId, Vec<SessionId>>,
    /// The keys that forward to a session, oldest first.
    forwards: BTreeMap<SessionId, Vec<Key>>,
    /// What ended, in the order in which it did.
    pub(crate) feed: Feed,
    /// The shard at which the next search for room begins.
    pub(crate) hand: usize,
    /// No session at all can be swept before this instant.
    pub(crate) due: Timestamp,
}

impl Index {
    pub(crate) fn new() -> Self {
        Self {
            ids: BTreeMap::new(),
            users: HashMap::new(),
            forwards: BTreeMap::new(),
            feed: Feed::default(),
            hand: 0,
            due: Timestamp::MAX,
        }
    }

    pub(crate) fn insert(&mut self, record: &Record, key: Key) {
        let id = record.id();
        self.due = self.due.min(record.sweepable_at());
        self.ids.insert(id, key);
        let Some(user) = &record.identity().user else { return };
        match self.users.get_mut(user) {
            Some(ids) => {
                if let Err(place) = ids.binary_search(&id) {
                    ids.insert(place, id);
                }
            }
            None => drop(self.users.insert(user.clone(), vec![id])),
        }
    }

    /// Forgets a session, and says which keys forwarded to it.
    pub(crate) fn remove(&mut self, record: &Record) -> Vec<Key> {
        let id = record.id();
        self.ids.remove(&id);
        if let Some(user) = &record.identity().user
            && let Some(ids) = self.users.get_mut(user)
        {
            ids.retain(|other| *other != id);
            if ids.is_empty() {
                self.users.remove(user);
            }
        }
        self.forwards.remove(&id).unwrap_or_default()
    }

    /// The key at which the session of this id is.
    pub(crate) fn key(&self, id: &SessionId) -> Option<Key> {
        self.ids.get(id).copied()
    }

    /// The session moved to `new`, and `old` forwards to it.
    pub(crate) fn renew(&mut self, id: SessionId, old: Key, new: Key) {
        self.ids.insert(id, new);
        self.forwards.entry(id).or_default().push(old);
    }

    pub(crate) fn forwards(&self, id: &SessionId) -> &[Key] {
        self.forwards.get(id).map(Vec::as_slice).unwrap_or_default()
    }

    pub(crate) fn remove_forward(&mut self, id: &SessionId, key: &Key) {
        if let Some(keys) = self.forwards.get_mut(id) {
            keys.retain(|other| other != key);
            if keys.is_empty() {
                self.forwards.remove(id);
            }
        }
    }

    /// The ids of one user, in order.
    pub(crate) fn of_user(&self, user: Option<&UserId>) -> &[SessionId] {
        user.and_then(|user| self.users.get(user)).map(Vec::as_slice).unwrap_or_default()
    }

    /// All keys that lead to one of these sessions.
    pub(crate) fn keys_of(&self, ids: &[SessionId]) -> Vec<Key> {
        let keys = |id| self.key(id).into_iter().chain(self.forwards(id).iter().copied());
        ids.iter().flat_map(keys).collect()
    }

    /// Ids and keys from the one after `after`, in order.
    pub(crate) fn after(
        &self,
        after: Option<SessionId>,
    ) -> impl Iterator<Item = (&SessionId, &Key)> {
        use std::ops::Bound::{Excluded, Unbounded};
        self.ids.range((after.map_or(Unbounded, Excluded), Unbounded))
    }

    pub(crate) fn len(&self) -> usize {
        self.ids.len()
    }
}
