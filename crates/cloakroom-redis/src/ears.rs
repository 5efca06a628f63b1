//! Who is told at once what others change, and how that is known to be all of it.
//!
//! A server tells a connection of every key that changes (`CLIENT TRACKING ON BCAST`), and does so on
//! the connection that loads go through: that a session changed arrives before any answer that the
//! server gave later. It also tells of what our own scripts change (`NOLOOP` spares plain commands
//! only), and that is left so: of a key that two wrote in one turn of the server it speaks once.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, Weak};
use std::time::Duration;

use cloakroom_store::{Change, Listener, StoreError};
use redis::aio::{AsyncPushSender, SendError};
use redis::{PushInfo, PushKind, Value};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::fault::Fault;
use crate::hub::Hub;
use crate::keys::Names;
use crate::link::{Link, Open};

/// How often every server is asked whether it is still there, while somebody listens, and how long
/// it may take to say so: a connection on which nothing arrives looks like one on which nothing
/// happens.
const ATTEND: Duration = Duration::from_secs(1);

/// How soon it is tried again to hear of every server while one is away.
const AGAIN: Duration = Duration::from_millis(100);

/// The listeners of one store, and whether they miss anything.
#[derive(Debug)]
pub(crate) struct Ears {
    names: Names,
    listeners: RwLock<Listeners>,
    hearing: Mutex<Hearing>,
    attended: AtomicBool,
    /// Something that has to be looked at has happened.
    called: Notify,
}

#[derive(Default)]
struct Listeners(Vec<Arc<dyn Listener>>);

impl std::fmt::Debug for Listeners {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} listeners", self.0.len())
    }
}

#[derive(Debug, Default)]
struct Hearing {
    hears_all: bool,
    /// How often something may have been missed so far.
    gaps: u64,
}

impl Ears {
    pub(crate) fn new(names: Names) -> Self {
        Self {
            names,
            listeners: RwLock::default(),
            hearing: Mutex::default(),
            attended: AtomicBool::new(false),
            called: Notify::new(),
        }
    }

    /// Whether anybody listens.
    pub(crate) fn are_used(&self) -> bool {
        self.attended.load(Ordering::Acquire)
    }

    /// Takes a listener in. `true` for the first one, since nobody looks after them yet.
    pub(crate) fn add(&self, listener: &Arc<dyn Listener>) -> bool {
        let hearing = self.hearing.lock().unwrap_or_else(PoisonError::into_inner);
        let new = Arc::clone(listener);
        self.listeners.write().unwrap_or_else(PoisonError::into_inner).0.push(new);
        // Not before: a change in between would be missed.
        if hearing.hears_all {
            listener.hear(Change::Hearing);
        }
        drop(hearing);
        !self.attended.swap(true, Ordering::AcqRel)
    }

    /// From now on something may be missed.
    pub(crate) fn gap(&self) {
        if !self.are_used() {
            return;
        }
        let mut hearing = self.hearing.lock().unwrap_or_else(PoisonError::into_inner);
        hearing.gaps += 1;
        if std::mem::take(&mut hearing.hears_all) {
            self.tell(Change::Deaf);
        }
        drop(hearing);
        self.called.notify_one();
    }

    fn gaps(&self) -> u64 {
        self.hearing.lock().unwrap_or_else(PoisonError::into_inner).gaps
    }

    /// Every server is heard, unless there was a gap meanwhile.
    fn hears_all_since(&self, gaps: u64) {
        let mut hearing = self.hearing.lock().unwrap_or_else(PoisonError::into_inner);
        if hearing.gaps == gaps && !std::mem::replace(&mut hearing.hears_all, true) {
            self.tell(Change::Hearing);
        }
    }

    fn tell(&self, change: Change) {
        let listeners = self.listeners.read().unwrap_or_else(PoisonError::into_inner);
        listeners.0.iter().for_each(|listener| listener.hear(change));
    }

    fn changed(&self, name: &Value) {
        if let Value::BulkString(name) = name
            && let Some(key) = self.names.session_named(name)
        {
            self.tell(Change::Key(key));
        }
    }
}

/// What arrives on one connection beside answers. It is heard before the answers that come after it.
#[derive(Debug)]
pub(crate) struct Ear(pub(crate) Arc<Ears>);

impl AsyncPushSender for Ear {
    #[allow(clippy::wildcard_enum_match_arm, reason = "the enum is foreign and grows")]
    fn send(&self, info: PushInfo) -> Result<(), SendError> {
        match (info.kind, info.data.as_slice()) {
            (PushKind::Invalidate, [Value::Array(names)]) => {
                names.iter().for_each(|name| self.0.changed(name));
            }
            // The whole database was emptied.
            (PushKind::Invalidate, _) => self.0.tell(Change::Everything),
            (PushKind::Disconnection, _) => self.0.gap(),
            _ => {}
        }
        Ok(())
    }
}

impl Open {
    /// Has the server tell of every change of a key of this store.
    pub(crate) async fn track(&self, names: &Names) -> Result<(), StoreError> {
        if self.is_tracked.load(Ordering::Acquire) {
            return Ok(());
        }
        let mut track = redis::cmd("CLIENT");
        track.arg("TRACKING").arg("ON").arg("BCAST").arg("PREFIX").arg(names.all());
        self.send(&track).await.map_err(Fault::told)?;
        self.is_tracked.store(true, Ordering::Release);
        Ok(())
    }
}

/// Looks after the listeners, as long as there is a handle of the store.
pub(crate) async fn attend(hub: Weak<Hub>, ears: Arc<Ears>) {
    let mut is_told = false;
    loop {
        let Some(here) = hub.upgrade().filter(|hub| !hub.is_closed()) else {
            return ears.gap();
        };
        let gaps = ears.gaps();
        let pause = match hark(&here).await {
            Ok(()) => {
                ears.hears_all_since(gaps);
                is_told = false;
                ATTEND
            }
            Err(error) => {
                if !std::mem::replace(&mut is_told, true) {
                    tracing::warn!(%error, "changes of sessions may be missed");
                }
                ears.gap();
                AGAIN
            }
        };
        drop(here);
        // A gap of our own making has called, too.
        tokio::time::sleep(AGAIN.min(pause) / 10).await;
        let _ = timeout(pause, ears.called.notified()).await;
    }
}

/// Has every server tell of changes, and asks it whether it is there.
async fn hark(hub: &Arc<Hub>) -> Result<(), StoreError> {
    let map = hub.map();
    if hub.is_changing() {
        return Err(StoreError::unavailable("another server of Redis takes over"));
    }
    let mut asked = JoinSet::new();
    for link in map.links() {
        let (hub, link) = (Arc::clone(hub), Arc::clone(link));
        asked.spawn(async move { hark_at(&hub, &link).await });
    }
    while let Some(answer) = asked.join_next().await {
        answer.map_err(|error| StoreError::unavailable("the runtime ends").because(error))??;
    }
    match Arc::ptr_eq(&map, &hub.map()) {
        true => Ok(()),
        false => Err(StoreError::unavailable("the servers of Redis changed")),
    }
}

async fn hark_at(hub: &Hub, link: &Link) -> Result<(), StoreError> {
    let open = link.open(hub).await?;
    let asked = async {
        open.track(&hub.names).await?;
        open.send(&redis::cmd("PING")).await.map_err(Fault::told)
    };
    let silent = || StoreError::unavailable(format!("Redis at {} is silent", link.address));
    let answered = timeout(ATTEND, asked).await.unwrap_or_else(|_| Err(silent()));
    if answered.is_err() {
        link.close(&open);
    }
    answered.map(drop)
}
