//! Which key a session is kept behind, for what is told by id.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use cloakroom_store::{Key, SessionId};

/// The key of each session that is kept. Its lock is a leaf: who has it asks for no
/// other, so that no order of it with others has to be tried.
#[derive(Debug, Default)]
pub(crate) struct Ids(Mutex<HashMap<SessionId, Key>>);

impl Ids {
    pub(crate) fn get(&self, id: &SessionId) -> Option<Key> {
        self.lock().get(id).copied()
    }

    pub(crate) fn put(&self, id: SessionId, key: Key) {
        self.lock().insert(id, key);
    }

    pub(crate) fn remove(&self, id: &SessionId, key: &Key) {
        let mut ids = self.lock();
        if ids.get(id) == Some(key) {
            ids.remove(id);
        }
    }

    pub(crate) fn clear(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<SessionId, Key>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
