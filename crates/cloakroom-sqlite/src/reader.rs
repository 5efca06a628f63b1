//! Loads run on the thread that asks, each on a connection of its own.

use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};

use cloakroom_store::StoreError;
use rusqlite::Connection;

use crate::database::Database;
use crate::fault::{Halt, spoils_connection};

/// How many loads can run at once; more wait, each for microseconds.
const CONNECTIONS: usize = 4;

/// Connections that only read.
#[derive(Debug, Default)]
pub(crate) struct Readers {
    slots: [Mutex<Option<Connection>>; CONNECTIONS],
}

impl Readers {
    /// Runs `work` on a connection, which is opened if it is not there.
    pub(crate) fn read<T>(
        &self,
        database: &Database,
        work: impl FnOnce(&Connection) -> Result<T, Halt>,
    ) -> Result<T, StoreError> {
        let mut slot = self.free_slot();
        let db = match &mut *slot {
            Some(db) => db,
            empty @ None => empty.insert(database.reader()?),
        };
        work(db).map_err(|halt| {
            if spoils_connection(&halt) {
                *slot = None;
            }
            database.explain(halt)
        })
    }

    /// Closes every connection.
    pub(crate) fn close(&self) {
        for slot in &self.slots {
            slot.lock().unwrap_or_else(PoisonError::into_inner).take();
        }
    }

    /// The first that is free: few connections with warm caches are better than many cold ones.
    fn free_slot(&self) -> MutexGuard<'_, Option<Connection>> {
        let free = self.slots.iter().find_map(|slot| match slot.try_lock() {
            Ok(guard) => Some(guard),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        });
        let [first, ..] = &self.slots;
        free.unwrap_or_else(|| first.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
