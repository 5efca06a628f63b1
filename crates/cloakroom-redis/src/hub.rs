//! Which server answers for a slot, and how a call gets its answer from it.

use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use cloakroom_store::{StoreError, Survives};
use redis::Value;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep, timeout};

use crate::call::Call;
use crate::config::Address;
use crate::confirm::Wanted;
use crate::dial::Dial;
use crate::dice::Dice;
use crate::ears::Ears;
use crate::fault::Fault;
use crate::house::House;
use crate::journal::Journal;
use crate::keys::Names;
use crate::link::{Link, Open};
use crate::map::Map;
use crate::scripts::Loaded;
use crate::sentinels::Sentinels;

/// How long to wait before a call that was turned away is sent again.
const TURN: Duration = Duration::from_millis(20);

/// How long everybody waits for a failover that sentinels have begun. One takes about a second; one
/// that comes to no end must not take the sessions with it.
const HOLD_MAX: Duration = Duration::from_secs(5);

/// Everything that the handles of one store share.
#[derive(Debug)]
pub(crate) struct Hub {
    pub(crate) dial: Arc<Dial>,
    pub(crate) sentinels: Sentinels,
    pub(crate) dice: Dice,
    pub(crate) names: Names,
    pub(crate) loaded: Loaded,
    pub(crate) journal: Journal,
    pub(crate) house: House,
    pub(crate) ears: Arc<Ears>,
    pub(crate) survival: RwLock<Survives>,
    /// From the first connection on, what a server says of itself is a warning and no refusal.
    pub(crate) started: AtomicBool,
    /// How often another server, or another run of one, took over.
    pub(crate) failovers: AtomicU64,
    map: RwLock<Arc<Map>>,
    /// When somebody began to look last; held by who looks.
    looking: tokio::sync::Mutex<Option<Instant>>,
    /// Since when another server is about to take over.
    changing: Mutex<Option<Instant>>,
    /// Each verb holds one permit; who closes waits until it has them all.
    door: Arc<Semaphore>,
    closed: AtomicBool,
}

/// How many verbs may wait for answers at once. Beyond it the servers are overloaded, and another
/// one would wait in vain.
const VERBS_MAX: u32 = 10_000;

impl Hub {
    pub(crate) fn new(dial: Dial) -> Self {
        let names = Names::new(&dial.config().prefix);
        Self {
            dial: Arc::new(dial),
            sentinels: Sentinels::default(),
            dice: Dice::default(),
            ears: Arc::new(Ears::new(names.clone())),
            names,
            loaded: Loaded::default(),
            journal: Journal::default(),
            house: House::default(),
            survival: RwLock::new(Survives::NodeLoss),
            started: AtomicBool::new(false),
            failovers: AtomicU64::new(0),
            map: RwLock::default(),
            looking: tokio::sync::Mutex::default(),
            changing: Mutex::default(),
            closed: AtomicBool::new(false),
            door: Arc::new(Semaphore::new(VERBS_MAX as usize)),
        }
    }

    /// Lets a verb in until what it gives is dropped.
    pub(crate) fn enter(&self) -> Result<OwnedSemaphorePermit, StoreError> {
        if self.closed.load(Ordering::Acquire) {
            return Err(StoreError::unavailable("the Redis store is closed"));
        }
        Arc::clone(&self.door).try_acquire_owned().map_err(|_| {
            StoreError::unavailable(format!("{VERBS_MAX} calls are waiting for Redis already"))
        })
    }

    /// Lets nobody in any more, waits for those who are inside, and lets go of the connections.
    pub(crate) async fn close(&self) {
        self.closed.store(true, Ordering::Release);
        // Nobody closes a semaphore here, so there is always a permit in the end.
        let _all = self.door.acquire_many(VERBS_MAX).await;
        *self.map.write().unwrap_or_else(PoisonError::into_inner) = Arc::default();
    }

    /// Whether there is anything left to do.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// Which servers there are.
    pub(crate) fn map(&self) -> Arc<Map> {
        Arc::clone(&self.map.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Looks which servers there are now, unless somebody did since `seen` or begins to only now. The
    /// servers that answer for more than before are connected to, and told what they may have missed,
    /// before anybody is sent to them.
    pub(crate) async fn refresh(&self, seen: &Arc<Map>) -> Result<(), StoreError> {
        let wanted = Instant::now();
        let mut looked = self.looking.lock().await;
        let before = self.map();
        if !Arc::ptr_eq(&before, seen) || self.is_closed() || looked.is_some_and(|at| at > wanted) {
            return Ok(());
        }
        *looked = Some(Instant::now());
        let view = Map::look(self, &before).await?;
        let is_other = view.map.is_some();
        if is_other || view.is_changing == Some(true) {
            self.hold();
        }
        if let Some(map) = view.map {
            for link in map.links() {
                self.prepare(link, &before).await?;
            }
            // Others may have been told of the new servers before us.
            self.ears.gap();
            *self.map.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(map);
        }
        if view.is_changing == Some(false) || (is_other && view.is_changing.is_none()) {
            *self.changing.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
        Ok(())
    }

    fn hold(&self) {
        let mut since = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        *since = since.or_else(|| Some(Instant::now()));
        drop(since);
        self.ears.gap();
    }

    /// Whether another server is about to take over. What is written to the one of before may be lost
    /// then, and what is read there may have been ended at its successor by a process that heard of it
    /// a moment earlier.
    pub(crate) fn is_changing(&self) -> bool {
        let since = *self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        since.is_some_and(|since| since.elapsed() < HOLD_MAX)
    }

    /// The answer to a call, from whichever server has it, within the time that a verb may take.
    ///
    /// # Errors
    ///
    /// Unavailable if there is none; if the call writes and may have arrived, the message says so.
    pub(crate) async fn ask(&self, call: &Call) -> Result<Value, StoreError> {
        self.ask_whom(call).await.map(|(value, _)| value)
    }

    /// The same, and which run of which server it was.
    pub(crate) async fn ask_whom(&self, call: &Call) -> Result<(Value, Arc<str>), StoreError> {
        let sent = Sent::default();
        match timeout(self.dial.patience(), self.ask_patiently(call, &sent)).await {
            Ok(answer) => answer,
            Err(_) => {
                // A server that is there and silent is as good as gone.
                sent.close();
                Err(sent.unanswered(call))
            }
        }
    }

    async fn ask_patiently(
        &self,
        call: &Call,
        sent: &Sent,
    ) -> Result<(Value, Arc<str>), StoreError> {
        let mut aside: Option<Address> = None;
        let mut call = Cow::Borrowed(call);
        loop {
            let map = self.map();
            if self.is_changing() {
                self.turn(&map).await;
                continue;
            }
            let link = match &aside {
                Some(address) => Arc::new(Link::new(address.clone(), Vec::new(), &self.ears)),
                None => map.link(call.slot)?,
            };
            let open = match link.open(self).await {
                Ok(open) => open,
                Err(error) if map.is_fixed() => return Err(error),
                Err(_) => {
                    self.turn(&map).await;
                    continue;
                }
            };
            sent.to(&link, &open);
            let fault = match self.send(&open, &call, aside.take().is_some()).await {
                Ok(value) => return Ok((value, open.run)),
                Err(fault) => fault,
            };
            sent.back();
            match fault {
                Fault::NoScript => self.load_scripts(&open).await.map_err(Fault::told)?,
                Fault::Ask(address) => {
                    // Nobody hears of changes there, if it has no slot yet.
                    if map.links().all(|link| link.address != address) {
                        self.ears.gap();
                    }
                    aside = Some(address);
                }
                Fault::Moving if open.moves(call.slot).await? => self.turn(&map).await,
                Fault::Moving => call = Cow::Owned(call.settled()),
                Fault::Deserted(error) if map.is_fixed() => return Err(error),
                Fault::Moved | Fault::Later(_) | Fault::Deserted(_) => self.turn(&map).await,
                Fault::Broken(error) => {
                    link.close(&open);
                    if call.writes {
                        return Err(unknown(&error));
                    }
                    if !map.is_fixed() {
                        self.turn(&map).await;
                    }
                }
                Fault::Final(error) => return Err(error),
            }
        }
    }

    async fn send(&self, open: &Open, call: &Call, aside: bool) -> Result<Value, Fault> {
        let command = call.command(&self.loaded).ok_or(Fault::NoScript)?;
        let wanted = Wanted::by(self.dial.config()).filter(|_| call.confirmed);
        match (aside, wanted) {
            (false, None) => open.send(&command).await,
            (false, Some(_)) => open.send_confirmed(command).await,
            // Two commands that nothing may come between, on a connection of their own.
            (true, wanted) => {
                let wait = wanted.map(Wanted::command);
                let commands = [redis::cmd("ASKING"), command].into_iter().chain(wait);
                let mut answers = open.send_all(commands).await?.into_iter().skip(1);
                let value = answers.next().unwrap_or(Err(Fault::Moved))?;
                if let Some(wanted) = wanted {
                    wanted.judge(answers.next().unwrap_or(Err(Fault::Moved)))?;
                }
                Ok(value)
            }
        }
    }

    /// Waits a moment, and looks which servers there are.
    async fn turn(&self, seen: &Arc<Map>) {
        sleep(TURN).await;
        if let Err(error) = self.refresh(seen).await {
            tracing::debug!(%error, "the servers of the store are not to be found");
        }
    }

    async fn prepare(&self, link: &Arc<Link>, before: &Map) -> Result<(), StoreError> {
        let was_there = before.has(link);
        let known = link.current();
        let open = link.open(self).await?;
        // A connection that was open already has not been told of the slots that it gained.
        if was_there && known.is_some() {
            self.repeat(&open, &link.duty()).await?;
        }
        Ok(())
    }

    pub(crate) fn is_started(&self) -> bool {
        self.started.load(Ordering::Acquire)
    }
}

/// Where a call is on its way to, if it is.
#[derive(Debug, Default)]
struct Sent(Mutex<Option<(Arc<Link>, Open)>>);

impl Sent {
    fn to(&self, link: &Arc<Link>, open: &Open) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) =
            Some((Arc::clone(link), open.clone()));
    }

    fn back(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn close(&self) {
        if let Some((link, open)) = &*self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            link.close(open);
        }
    }

    fn unanswered(&self, call: &Call) -> StoreError {
        let is_out = self.0.lock().unwrap_or_else(PoisonError::into_inner).is_some();
        let late = StoreError::unavailable("Redis did not answer in time");
        if is_out && call.writes { unknown(&late) } else { late }
    }
}

fn unknown(error: &StoreError) -> StoreError {
    StoreError::unavailable(format!("{error}; the change may have happened or not"))
}
