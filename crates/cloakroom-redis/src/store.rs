use std::fmt;
use std::future::Future;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError, Weak};
use std::time::Duration;

use cloakroom_store::{
    Answer, Bulletin, Commit, Count, Create, Cursor, Draft, End, EndedAll, Ending, Expect, Keep,
    Key, Limit, Listener, Loads, Ops, Page, Reach, Record, Registry, Resume, Rotate, Rotation,
    Route, SessionId, Store, StoreError, Survival, Survives, Swept, Target, Timestamp, Told, Touch,
    UserId,
};
use tokio::runtime::Handle;

use crate::config::{Mode, RedisConfig};
use crate::dial::Dial;
use crate::ears::attend;
use crate::hub::Hub;
use crate::keys;
use crate::verbs;

/// How often it is looked which servers there are, where that can change: a primary that was put
/// aside in order goes on answering, and what it is told meanwhile is lost.
const LOOK: Duration = Duration::from_millis(250);

/// The same for sentinels. One that begins a failover says so two or three tenths of a second before
/// it promotes a replica; who hears of it in time writes nothing that is lost.
const LOOK_AT_SENTINELS: Duration = Duration::from_millis(100);

/// Sessions in Redis or Valkey.
///
/// A handle: clones share the connections. The work of a verb is done on the runtime on which the
/// store was connected, whoever waits for it.
///
/// # Errors
///
/// Verbs answer *unavailable* when no server answers within the time that is set for it; if a change
/// was on its way then, the message says that it may have happened or not. They connect again by
/// themselves, at most a few hundred milliseconds after the server is back. They answer *corrupt* if
/// what is stored cannot be read.
#[derive(Clone)]
pub struct RedisStore {
    hub: Arc<Hub>,
    runtime: Handle,
}

/// What failovers came to, since the store was connected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Failovers {
    /// Connections to another server or another run of one, after those of the start.
    pub connections: u64,
    /// Endings and rotations that had been lost and were repeated before anybody was served.
    pub repeated: u64,
    /// Endings and rotations that would have been repeated but were too many to remember: what they
    /// ended may have come back in a failover.
    pub forgotten: u64,
}

impl RedisStore {
    /// Connects, and checks that the servers can be trusted with sessions.
    ///
    /// # Errors
    ///
    /// Refused, with the remedy, if a server is older than Redis 7.0, evicts sessions at random, has
    /// a clock more than 30 seconds from this machine's, or cannot be spoken to as configured; also
    /// outside of a Tokio runtime. Unavailable if it cannot be reached. Corrupt if what stands there
    /// is no store of cloakroom.
    pub async fn connect(config: RedisConfig) -> Result<Self, StoreError> {
        let runtime = Handle::try_current().map_err(|_| {
            StoreError::refused("the Redis store is connected on a Tokio runtime: there is none")
        })?;
        let hub = Arc::new(Hub::new(Dial::new(config)?));
        hub.refresh(&hub.map()).await?;
        hub.started.store(true, Ordering::Release);
        if !hub.map().is_fixed() {
            let every = match hub.dial.config().mode {
                Mode::Sentinel { .. } => LOOK_AT_SENTINELS,
                Mode::Standalone(_) | Mode::Cluster(_) => LOOK,
            };
            runtime.spawn(look(Arc::downgrade(&hub), every));
        }
        Ok(Self { hub, runtime })
    }

    /// What failovers came to so far.
    #[must_use]
    pub fn failovers(&self) -> Failovers {
        Failovers {
            connections: self.hub.failovers.load(Ordering::Relaxed),
            repeated: self.hub.journal.repeated(),
            forgotten: self.hub.journal.dropped(),
        }
    }

    /// Work that goes on whether or not somebody waits for it.
    fn later<T, F>(&self, work: impl FnOnce(Arc<Hub>) -> F) -> Answer<T>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, StoreError>> + Send + 'static,
    {
        let here = match self.hub.enter() {
            Ok(here) => here,
            Err(error) => return Answer::ready(Err(error)),
        };
        let work = work(Arc::clone(&self.hub));
        let task = self.runtime.spawn(async move {
            let _here = here;
            work.await
        });
        Answer::later(async { task.await.unwrap_or_else(|error| Err(ended(error))) })
    }
}

fn ended(error: tokio::task::JoinError) -> StoreError {
    StoreError::unavailable("the runtime of the Redis store has ended").because(error)
}

/// Looks which servers there are, as long as there is a handle.
async fn look(hub: Weak<Hub>, every: Duration) {
    loop {
        let Some(pause) = hub.upgrade().map(|hub| every / 2 + hub.dice.share_of(every / 2)) else {
            return;
        };
        tokio::time::sleep(pause).await;
        let Some(hub) = hub.upgrade().filter(|hub| !hub.is_closed()) else { return };
        if let Err(error) = hub.refresh(&hub.map()).await {
            tracing::debug!(%error, "the servers of the store are not to be found");
        }
    }
}

impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RedisStore({:?})", self.hub.dial.config().mode)
    }
}

impl Store for RedisStore {
    fn name(&self) -> &'static str {
        "redis"
    }

    fn reach(&self) -> Reach {
        Reach::Network
    }

    /// As the servers are set up: with `appendonly yes` and `appendfsync always` a loss of power,
    /// with any other append-only file a crash, and without one nothing. What is
    /// [`confirmed_on_disk`](RedisConfig::confirmed_on_disk) outlives a loss of power.
    fn survival(&self) -> Survival {
        let all: Survives = *self.hub.survival.read().unwrap_or_else(PoisonError::into_inner);
        let on_disk = self.hub.dial.config().on_disk;
        let identity = if on_disk { all.max(Survives::PowerLoss) } else { all };
        Survival { identity, data: all, touch: all }
    }

    fn route(&self, user: Option<&UserId>) -> Route {
        let (route, _) = keys::home_of(self.hub.house.secret(), user);
        route.unwrap_or(Route::NONE)
    }

    /// Guests are spread over all slots.
    fn guest_route(&self, random: [u8; 2]) -> Route {
        Route::from_bytes(random)
    }

    fn load(&self, keys: &[Key], now: Timestamp) -> Answer<Loads> {
        let keys = keys.to_vec();
        self.later(move |hub| async move { verbs::load(&hub, &keys, now).await })
    }

    fn create(
        &self,
        key: &Key,
        draft: Draft,
        limit: Option<Limit>,
        now: Timestamp,
    ) -> Answer<Create> {
        let key = *key;
        self.later(move |hub| async move { verbs::create(&hub, &key, draft, limit, now).await })
    }

    fn commit(
        &self,
        key: &Key,
        expect: Expect,
        ops: &Ops,
        touch: Option<Touch>,
        now: Timestamp,
    ) -> Answer<Commit> {
        let (key, ops) = (*key, ops.clone());
        self.later(
            move |hub| async move { verbs::commit(&hub, &key, expect, &ops, touch, now).await },
        )
    }

    fn rotate(&self, old: &Key, new: &Key, rotation: Rotation, now: Timestamp) -> Answer<Rotate> {
        let (old, new) = (*old, *new);
        self.later(move |hub| async move { verbs::rotate(&hub, &old, &new, rotation, now).await })
    }

    fn resume(&self, key: &Key, draft: Draft, keep: Keep, now: Timestamp) -> Answer<Resume> {
        let key = *key;
        self.later(move |hub| async move { verbs::resume(&hub, &key, &draft, &keep, now).await })
    }

    fn end(&self, target: Target, ending: Ending, now: Timestamp) -> Answer<End> {
        self.later(move |hub| async move { verbs::end(&hub, target, ending, now).await })
    }

    /// Every change of a session is told, also what went through the same handle, and what the server
    /// freed. While a server is away, another one takes over or slots move to a new one, the listener
    /// is deaf; a server that says nothing for a second counts as away.
    fn listen(&self, listener: Arc<dyn Listener>) -> Told {
        if self.hub.ears.add(&listener) {
            let (hub, ears) = (Arc::downgrade(&self.hub), Arc::clone(&self.hub.ears));
            self.runtime.spawn(attend(hub, ears));
        }
        Told::Changes
    }

    fn close(&self) -> Answer<()> {
        let hub = Arc::clone(&self.hub);
        let task = self.runtime.spawn(async move { hub.close().await });
        Answer::later(async { task.await.map_err(ended) })
    }
}

impl Registry for RedisStore {
    fn list(&self, user: &UserId, page: Page, now: Timestamp) -> Answer<Vec<Record>> {
        let user = user.clone();
        self.later(move |hub| async move { verbs::list(&hub, &user, page, now).await })
    }

    fn end_all(
        &self,
        user: &UserId,
        except: Option<SessionId>,
        ending: Ending,
        now: Timestamp,
    ) -> Answer<EndedAll> {
        let user = user.clone();
        self.later(move |hub| async move { verbs::end_all(&hub, &user, except, ending, now).await })
    }

    fn amend(&self, user: &UserId, ops: &Ops, now: Timestamp) -> Answer<u64> {
        let (user, ops) = (user.clone(), ops.clone());
        self.later(move |hub| async move { verbs::amend(&hub, &user, &ops, now).await })
    }

    fn scan(&self, page: Page, now: Timestamp) -> Answer<Vec<Record>> {
        self.later(move |hub| async move { verbs::scan(&hub, page, now).await })
    }

    fn count(&self, now: Timestamp) -> Answer<Count> {
        self.later(move |hub| async move { verbs::count(&hub, now).await })
    }

    fn sweep(&self, now: Timestamp, limit: u32) -> Answer<Swept> {
        self.later(move |hub| async move { verbs::sweep(&hub, now, limit).await })
    }

    /// A stream on the server that has the secret of the routes. On one server the script that ends a
    /// session writes it too; in a cluster the entry goes first. A place is the id of an entry.
    fn watch(&self, from: Cursor, limit: u32, now: Timestamp) -> Answer<Bulletin> {
        self.later(move |hub| async move { verbs::watch(&hub, from, limit, now).await })
    }
}
