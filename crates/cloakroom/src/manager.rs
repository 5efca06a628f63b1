//! What one service's sessions share: store, policy, clock, and what this process remembers.

use std::fmt;
use std::future::Future;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Once, Weak};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::circuit::{Circuit, Pass};
use crate::clock::Clock;
use crate::error::{Error, ErrorKind, Result};
use crate::event;
use crate::lines::Lines;
use crate::newest::Newest;
use crate::policy::Policy;
use crate::queue::Queues;
use crate::running::Running;
use crate::store::{Answer, Field, Key, Loads, Registry, Timestamp};
use crate::touches::Touches;

/// How often what has expired is removed from the store.
const SWEEP_EVERY: Duration = Duration::from_secs(60);
/// How much one store call of the sweeper removes: a pause that no request notices.
const SWEEP_BATCH: u32 = 1_000;
/// How long a write runs on after its request went on without it. A store that never answers must
/// not fill the memory with what waits for it.
const STRAY: Duration = Duration::from_secs(60);

pub(crate) struct Manager {
    pub(crate) store: Arc<dyn Registry>,
    pub(crate) policy: Policy,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) keep_on_login: &'static [Field],
    pub(crate) keep_on_logout: &'static [Field],
    pub(crate) queues: Queues,
    pub(crate) newest: Newest,
    pub(crate) lines: Lines,
    pub(crate) touches: Touches,
    /// Parallel requests renew a ticket once.
    pub(crate) renewals: Touches,
    pub(crate) running: Arc<Running>,
    pub(crate) circuit: Arc<Circuit>,
    pub(crate) returned: Returned,
    sweeper: Once,
    closing: AtomicBool,
}

impl Manager {
    pub(crate) fn new(
        store: Arc<dyn Registry>,
        policy: Policy,
        clock: Arc<dyn Clock>,
        keep_on_login: &'static [Field],
        keep_on_logout: &'static [Field],
    ) -> Self {
        Self {
            store,
            policy,
            clock,
            keep_on_login,
            keep_on_logout,
            queues: Queues::default(),
            newest: Newest::default(),
            lines: Lines::default(),
            touches: Touches::default(),
            renewals: Touches::default(),
            running: Arc::default(),
            circuit: Arc::new(Circuit::new()),
            returned: Returned::default(),
            sweeper: Once::new(),
            closing: AtomicBool::new(false),
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// What is behind these keys. Whoever wants to know what the store itself says goes past every
    /// cache in between, and so does a call that tries whether the store is back.
    pub(crate) async fn load(&self, keys: &[Key], is_fresh: bool) -> Result<Loads> {
        let now = self.now();
        let load = |store: &dyn Registry, pass: Pass| match is_fresh || pass.is_probe() {
            true => store.load_fresh(keys, now),
            false => store.load(keys, now),
        };
        self.ask("load", load).await
    }

    /// What the store reads, within the time it is given.
    pub(crate) async fn ask<T>(
        &self,
        verb: &str,
        call: impl FnOnce(&dyn Registry, Pass) -> Answer<T>,
    ) -> Result<T> {
        let pass = self.circuit.admit()?;
        let result = match call(&*self.store, pass).now() {
            Ok(result) => self.circuit.note_at_once(pass, result.map_err(Error::from)),
            Err(later) => self.counted(pass, async { later.await.map_err(Error::from) }).await,
        };
        told(verb, result)
    }

    /// What the store writes, within the time it is given. The call runs to its end even if the
    /// time is over or the caller has gone, and a shutdown waits for it.
    pub(crate) async fn order<T: Send + 'static>(
        &self,
        verb: &str,
        call: impl FnOnce(&dyn Registry) -> Answer<T>,
    ) -> Result<T> {
        let pass = self.circuit.admit()?;
        let later = match call(&*self.store).now() {
            Ok(result) => {
                let result = result.map_err(Error::from);
                return told(verb, self.circuit.note_at_once(pass, result));
            }
            Err(later) => later,
        };
        let running = self.running.enter();
        let mut call = tokio::spawn(async move {
            let result = later.await;
            drop(running);
            result
        });
        let answered = async {
            match (&mut call).await {
                Ok(result) => result.map_err(Error::from),
                Err(_) => Err(Error::unavailable("the runtime stopped during a store call")),
            }
        };
        let result = self.counted(pass, answered).await;
        if !call.is_finished() {
            forget_in_time(call);
        }
        told(verb, result)
    }

    /// What a store call gives, within the time it may take; the circuit learns of it.
    async fn counted<T>(&self, pass: Pass, call: impl Future<Output = Result<T>>) -> Result<T> {
        let result = self.within(call).await;
        self.circuit.note(pass, result)
    }

    /// What `work` gives, within the time that a store call may take.
    pub(crate) async fn within<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        match timeout(self.policy.store_wait, work).await {
            Ok(result) => result,
            Err(_) => Err(Error::unavailable(format!(
                "the {} store did not answer within {:?}",
                self.store.name(),
                self.policy.store_wait
            ))),
        }
    }

    /// Sends what no request waits for, and lets a shutdown wait for it too.
    pub(crate) fn follow<T: Send + 'static>(
        self: &Arc<Self>,
        verb: &'static str,
        call: impl FnOnce(&dyn Registry) -> Answer<T>,
        then: impl FnOnce(Result<T>) + Send + 'static,
    ) {
        let pass = match self.circuit.admit() {
            Ok(pass) => pass,
            Err(away) => return then(Err(away)),
        };
        match call(&*self.store).now() {
            Ok(result) => {
                let result = result.map_err(Error::from);
                then(told(verb, self.circuit.note_at_once(pass, result)));
            }
            Err(later) => {
                let manager = Arc::clone(self);
                let running = self.running.enter();
                drop(tokio::spawn(async move {
                    let answered = async { later.await.map_err(Error::from) };
                    then(told(verb, manager.counted(pass, answered).await));
                    drop(running);
                }));
            }
        }
    }

    pub(crate) fn is_closing(&self) -> bool {
        self.closing.load(Ordering::Relaxed)
    }

    /// Takes no more requests and waits for what is under way, at most `deadline`.
    pub(crate) async fn shutdown(&self, deadline: Duration) -> bool {
        self.closing.store(true, Ordering::SeqCst);
        timeout(deadline, self.running.idle()).await.is_ok()
    }

    /// Starts removing what has expired, once, when the first request shows that a runtime is
    /// there. It ends with the last handle of the service's sessions.
    pub(crate) fn start_sweeper(self: &Arc<Self>) {
        self.sweeper.call_once(|| {
            if let Ok(runtime) = Handle::try_current() {
                drop(runtime.spawn(sweep_for_ever(Arc::downgrade(self))));
            }
        });
    }

    /// Removes what has expired, in small batches.
    pub(crate) async fn sweep(&self) -> Result<u64> {
        let mut removed = 0;
        loop {
            let now = self.now();
            let swept = self.order("sweep", |store| store.sweep(now, SWEEP_BATCH)).await?;
            removed += swept.removed;
            if !swept.more {
                return Ok(removed);
            }
            tokio::task::yield_now().await;
        }
    }
}

/// The operator learns of every failure of the store, once, whatever becomes of the error.
pub(crate) fn told<T>(verb: &str, result: Result<T>) -> Result<T> {
    if let Err(error) = &result
        && !error.is_told()
        && matches!(error.kind(), ErrorKind::Unavailable | ErrorKind::Corrupt)
    {
        event::store_failed(verb, error);
    }
    result
}

/// Lets a call run on whose request has gone on without it, but not for ever.
fn forget_in_time<T: Send + 'static>(mut call: JoinHandle<T>) {
    drop(tokio::spawn(async move {
        if timeout(STRAY, &mut call).await.is_err() {
            call.abort();
        }
    }));
}

async fn sweep_for_ever(manager: Weak<Manager>) {
    loop {
        tokio::time::sleep(SWEEP_EVERY).await;
        let Some(manager) = manager.upgrade() else { return };
        if manager.is_closing() {
            return;
        }
        match manager.sweep().await {
            // A failure was told where it happened.
            Ok(0) | Err(_) => {}
            Ok(removed) => event::swept(removed),
        }
    }
}

/// Notices that tickets are given out but never come back.
#[derive(Debug, Default)]
pub(crate) struct Returned {
    given: AtomicU32,
    seen: AtomicBool,
    warned: AtomicBool,
}

impl Returned {
    /// A ticket came back with a request.
    pub(crate) fn seen(&self) {
        if !self.seen.load(Ordering::Relaxed) {
            self.seen.store(true, Ordering::Relaxed);
        }
    }

    /// A user signed in without a ticket, though one was given out before and none ever came back.
    pub(crate) fn given_to_a_stranger(&self) {
        let before = self.given.fetch_add(1, Ordering::Relaxed);
        let lost = before > 0 && !self.seen.load(Ordering::Relaxed);
        if lost && !self.warned.swap(true, Ordering::Relaxed) {
            event::ticket_never_returned();
        }
    }
}

impl fmt::Debug for Manager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sessions")
            .field("store", &self.store.name())
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}
