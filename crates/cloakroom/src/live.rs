//! A handle for what outlives a response.

use std::fmt;
use std::marker::PhantomData;
use std::sync::{Arc, Mutex, PoisonError};

use crate::data::SessionData;
use crate::error::{Error, Result};
use crate::lines::Line;
use crate::manager::{Manager, told};
use crate::queue::{Caller, Change};
use crate::store::{Fields, Key, Load, Ops, Record};

/// A session as streams, sockets and background work hold it: every change commits by itself, and
/// nothing here can set a cookie.
///
/// It is no activity: what a socket or a background job does, does not keep an abandoned browser
/// signed in. It follows the session through renewals in this process, and through those in others for their
/// grace; it ends with the session.
pub struct Live<T> {
    manager: Arc<Manager>,
    line: Line,
    record: Mutex<Record>,
    data: PhantomData<fn() -> T>,
}

impl<T: SessionData> Live<T> {
    pub(crate) fn new(manager: Arc<Manager>, key: Key, record: Record, forwarded: bool) -> Self {
        let line = manager.lines.follow(record.id(), key, forwarded);
        Self { manager, line, record: Mutex::new(record), data: PhantomData }
    }

    /// The newest data, with one store call, which goes past caches.
    ///
    /// # Errors
    ///
    /// The session is over, or the store is away.
    pub async fn data(&self) -> Result<T> {
        let (manager, now) = (&self.manager, self.manager.now());
        let key = self.line.key();
        let loads = manager.load(&[key], true).await?;
        match loads.into_iter().next() {
            Some(Load::Live(record) | Load::Forwarded(record)) => {
                let data = T::decode(record.fields(), &mut |_| {});
                self.remember(record);
                Ok(data)
            }
            Some(Load::Dormant(record)) => Err(Error::gone(record.ended(now))),
            Some(Load::Gone(ended)) => Err(Error::gone(ended)),
            None => Err(Error::gone(None)),
        }
    }

    /// Changes the data and gives what the run that landed gave, like
    /// [`Session::update`](crate::Session::update).
    ///
    /// # Errors
    ///
    /// The session is over, the data would not fit, or the store is away.
    pub async fn update<R: Send>(&self, mut change: impl FnMut(&mut T) -> R + Send) -> Result<R> {
        let mut result = None;
        let mut compute = |fields: &Fields| {
            let mut data = T::decode(fields, &mut |_| {});
            result = Some(change(&mut data));
            let mut ops = Ops::new();
            data.diff(fields, &mut ops)?;
            Ok(Change { ops, versioned: true })
        };
        let (manager, record) = (&self.manager, self.known());
        let store: &dyn crate::store::Store = &*manager.store;
        let (now, running, circuit) = (manager.now(), &manager.running, &manager.circuit);
        let wait = manager.policy.store_wait;
        let (key, record) = (self.line.key(), &record);
        let caller = Caller { store, key, record, touch: None, now, running, circuit, wait };
        let landed = manager.within(manager.queues.change(&caller, &mut compute)).await;
        if let Some(landed) = told("commit", landed)? {
            self.remember(landed);
        }
        result.ok_or_else(|| Error::unavailable("the change did not run"))
    }

    fn known(&self) -> Record {
        self.record.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn remember(&self, record: Record) {
        *self.record.lock().unwrap_or_else(PoisonError::into_inner) = record;
    }
}

impl<T> fmt::Debug for Live<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Live").field("line", &self.line).finish_non_exhaustive()
    }
}
