//! The memory store, with its calls counted, and away, slow or held back when a test says so.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cloakroom::MemoryStore;
use cloakroom::store::*;
use tokio::sync::{Semaphore, oneshot};

/// The store of the service under test.
#[derive(Clone, Default)]
pub struct TestStore {
    store: MemoryStore,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    calls: Mutex<Calls>,
    away: AtomicBool,
    remote: AtomicBool,
    cached: Mutex<Option<HashMap<Key, Load>>>,
    silent: AtomicBool,
    silent_writes: AtomicBool,
    late: AtomicBool,
    conflicts: AtomicU64,
    waiting: AtomicU64,
    slow: Mutex<Option<Duration>>,
    held: Mutex<Option<Arc<Semaphore>>>,
    keys: Mutex<Vec<Key>>,
    scheduled: Mutex<Option<Schedule>>,
}

/// How often each kind of verb was called.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Calls {
    pub load: u64,
    pub load_fresh: u64,
    pub create: u64,
    pub commit: u64,
    pub touch: u64,
    pub rotate: u64,
    pub resume: u64,
    pub end: u64,
    pub registry: u64,
}

impl TestStore {
    /// The calls since the last time this was asked.
    pub fn calls(&self) -> Calls {
        std::mem::take(&mut self.state.calls.lock().unwrap())
    }

    /// Every key that the store was asked for or given so far.
    pub fn keys(&self) -> Vec<Key> {
        self.state.keys.lock().unwrap().clone()
    }

    /// From now on every call fails at once.
    pub fn set_away(&self, away: bool) {
        self.state.away.store(away, Ordering::SeqCst);
    }

    /// From now on a cache answers loads as it was answered the first time, whatever happened since.
    pub fn set_cached(&self) {
        *self.state.cached.lock().unwrap() = Some(HashMap::new());
    }

    /// From now on every answer has to be waited for, if only for a moment.
    pub fn set_remote(&self) {
        self.state.remote.store(true, Ordering::SeqCst);
    }

    /// From now on no call is answered.
    pub fn set_silent(&self, silent: bool) {
        self.state.silent.store(silent, Ordering::SeqCst);
    }

    /// From now on reads are answered and no write is.
    pub fn set_silent_writes(&self, silent: bool) {
        self.state.silent_writes.store(silent, Ordering::SeqCst);
    }

    /// From now on every write takes this long.
    pub fn set_slow(&self, span: Duration) {
        *self.state.slow.lock().unwrap() = Some(span);
    }

    /// The next `count` commits find that another process was faster.
    pub fn contend(&self, count: u64) {
        self.state.conflicts.store(count, Ordering::SeqCst);
    }

    /// From now on writes are done at once, but their answers wait until they are let go.
    pub fn hold(&self) -> Hold {
        let gate = Arc::new(Semaphore::new(0));
        *self.state.held.lock().unwrap() = Some(Arc::clone(&gate));
        Hold { gate, state: Arc::clone(&self.state) }
    }

    /// From now on every call reaches the store when the schedule says so.
    pub fn schedule(&self) -> Schedule {
        let schedule = Schedule::default();
        *self.state.scheduled.lock().unwrap() = Some(schedule.clone());
        schedule
    }

    /// From now on calls reach the store at once again.
    pub fn unschedule(&self) {
        *self.state.scheduled.lock().unwrap() = None;
    }

    /// From now on commits reach the store only when they are let go, and other writes at once.
    pub fn hold_back_commits(&self) -> Hold {
        self.state.late.store(true, Ordering::SeqCst);
        self.hold()
    }

    fn answer<T: Send + 'static>(
        &self,
        count: impl FnOnce(&mut Calls),
        keys: &[Key],
        work: impl FnOnce(&MemoryStore) -> Answer<T> + Send + 'static,
    ) -> Answer<T> {
        let state = &self.state;
        count(&mut state.calls.lock().unwrap());
        state.keys.lock().unwrap().extend(keys);
        let is_remote = state.remote.load(Ordering::SeqCst);
        if state.away.load(Ordering::SeqCst) {
            let away = Answer::ready(Err(StoreError::unavailable("the test took the store away")));
            return if is_remote { from_afar(away) } else { away };
        }
        if state.silent.load(Ordering::SeqCst) {
            return Answer::later(std::future::pending());
        }
        match state.scheduled.lock().unwrap().clone() {
            None if is_remote => from_afar(work(&self.store)),
            None => work(&self.store),
            Some(schedule) => {
                let (store, turn) = (self.store.clone(), schedule.turn());
                Answer::later(async move {
                    turn.await.unwrap();
                    work(&store).await
                })
            }
        }
    }

    fn write<T: Send + 'static>(
        &self,
        count: impl FnOnce(&mut Calls),
        keys: &[Key],
        work: impl FnOnce(&MemoryStore) -> Answer<T> + Send + 'static,
    ) -> Answer<T> {
        let answer = self.answer(count, keys, work);
        if self.state.silent_writes.load(Ordering::SeqCst) {
            return Answer::later(std::future::pending());
        }
        let held = self.state.held.lock().unwrap().clone();
        let slow = *self.state.slow.lock().unwrap();
        match (held, slow) {
            (Some(gate), _) if !self.state.late.load(Ordering::SeqCst) => {
                let state = Arc::clone(&self.state);
                Answer::later(async move {
                    passed(&gate, &state).await;
                    answer.await
                })
            }
            (_, Some(span)) => Answer::later(async move {
                tokio::time::sleep(span).await;
                answer.await
            }),
            (_, None) => answer,
        }
    }

    fn commit_now(&self, commit: &Asked) -> Answer<Commit> {
        let Asked { key, expect, ops, touch, now } = commit;
        let left = &self.state.conflicts;
        let faster = left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1));
        if faster.is_ok() {
            let mut other = Ops::new();
            other.set(Field::from_static("other"), &now.as_millis()).unwrap();
            drop(self.store.commit(key, Expect::Any, &other, None, *now));
        }
        self.store.commit(key, *expect, ops, *touch, *now)
    }
}

/// Calls that wait for their turn, in the order in which they were made.
#[derive(Clone, Default)]
pub struct Schedule(Arc<Mutex<Vec<oneshot::Sender<()>>>>);

impl Schedule {
    fn turn(&self) -> oneshot::Receiver<()> {
        let (sender, receiver) = oneshot::channel();
        self.0.lock().unwrap().push(sender);
        receiver
    }

    /// How many calls wait once everything else has come to rest.
    pub async fn waiting(&self) -> usize {
        for _ in 0..40 {
            tokio::task::yield_now().await;
        }
        self.0.lock().unwrap().len()
    }

    /// Lets one of them go.
    pub fn go(&self, at: usize) {
        self.0.lock().unwrap().remove(at).send(()).unwrap();
    }
}

/// A commit that was asked for.
struct Asked {
    key: Key,
    expect: Expect,
    ops: Ops,
    touch: Option<Touch>,
    now: Timestamp,
}

fn from_afar<T: Send + 'static>(answer: Answer<T>) -> Answer<T> {
    Answer::later(async move {
        tokio::task::yield_now().await;
        answer.await
    })
}

async fn passed(gate: &Semaphore, state: &State) {
    state.waiting.fetch_add(1, Ordering::SeqCst);
    if let Ok(permit) = gate.acquire().await {
        permit.forget();
    }
    state.waiting.fetch_sub(1, Ordering::SeqCst);
}

/// Answers that wait.
pub struct Hold {
    gate: Arc<Semaphore>,
    state: Arc<State>,
}

impl Hold {
    /// Returns when this many answers wait.
    pub async fn until(&self, count: u64) {
        for _ in 0..1_000_000 {
            if self.state.waiting.load(Ordering::SeqCst) >= count {
                return;
            }
            tokio::task::yield_now().await;
        }
        panic!("{count} answers never waited");
    }

    /// Lets one answer go.
    pub fn one(&self) {
        self.gate.add_permits(1);
    }

    /// Lets all go, and holds nothing any more.
    pub fn release(self) {
        *self.state.held.lock().unwrap() = None;
        self.state.late.store(false, Ordering::SeqCst);
        self.gate.add_permits(Semaphore::MAX_PERMITS / 2);
    }
}

impl Store for TestStore {
    cloakroom_conformance::hand_on!(self => self.store; reach survival route);

    fn name(&self) -> &'static str {
        "test"
    }

    fn load(&self, keys: &[Key], now: Timestamp) -> Answer<Loads> {
        let all = keys.to_vec();
        if let Some(cached) = &mut *self.state.cached.lock().unwrap() {
            self.state.calls.lock().unwrap().load += 1;
            let mut load = |key| {
                let newest = || self.store.load(&[key], now).now().unwrap().unwrap();
                cached.entry(key).or_insert_with(|| newest().into_iter().next().unwrap()).clone()
            };
            return Answer::ready(Ok(all.into_iter().map(&mut load).collect()));
        }
        self.answer(|calls| calls.load += 1, keys, move |store| store.load(&all, now))
    }

    fn load_fresh(&self, keys: &[Key], now: Timestamp) -> Answer<Loads> {
        let all = keys.to_vec();
        self.answer(|calls| calls.load_fresh += 1, keys, move |store| store.load(&all, now))
    }

    fn create(
        &self,
        key: &Key,
        draft: Draft,
        limit: Option<Limit>,
        now: Timestamp,
    ) -> Answer<Create> {
        let key = *key;
        let create = move |store: &MemoryStore| store.create(&key, draft, limit, now);
        self.write(|calls| calls.create += 1, &[key], create)
    }

    fn commit(
        &self,
        key: &Key,
        expect: Expect,
        ops: &Ops,
        touch: Option<Touch>,
        now: Timestamp,
    ) -> Answer<Commit> {
        let count = |calls: &mut Calls| {
            if ops.is_empty() { calls.touch += 1 } else { calls.commit += 1 }
        };
        let asked = Asked { key: *key, expect, ops: ops.clone(), touch, now };
        let gate = self.state.held.lock().unwrap().clone();
        match gate.filter(|_| self.state.late.load(Ordering::SeqCst)) {
            None => {
                let store = self.clone();
                self.write(count, &[*key], move |_| store.commit_now(&asked))
            }
            Some(gate) => {
                count(&mut self.state.calls.lock().unwrap());
                let store = self.clone();
                let running = tokio::spawn(async move {
                    passed(&gate, &store.state).await;
                    store.commit_now(&asked).await
                });
                Answer::later(async move { running.await.unwrap() })
            }
        }
    }

    fn rotate(&self, old: &Key, new: &Key, rotation: Rotation, now: Timestamp) -> Answer<Rotate> {
        let (old, new) = (*old, *new);
        let rotate = move |store: &MemoryStore| store.rotate(&old, &new, rotation, now);
        self.write(|calls| calls.rotate += 1, &[old, new], rotate)
    }

    fn resume(&self, key: &Key, draft: Draft, keep: Keep, now: Timestamp) -> Answer<Resume> {
        let key = *key;
        let resume = move |store: &MemoryStore| store.resume(&key, draft, keep, now);
        self.write(|calls| calls.resume += 1, &[key], resume)
    }

    fn end(&self, target: Target, ending: Ending, now: Timestamp) -> Answer<End> {
        self.write(|calls| calls.end += 1, &[], move |store| store.end(target, ending, now))
    }
}

impl Registry for TestStore {
    fn list(&self, user: &UserId, page: Page, now: Timestamp) -> Answer<Vec<Record>> {
        let user = user.clone();
        self.answer(|calls| calls.registry += 1, &[], move |store| store.list(&user, page, now))
    }

    fn end_all(
        &self,
        user: &UserId,
        except: Option<SessionId>,
        ending: Ending,
        now: Timestamp,
    ) -> Answer<EndedAll> {
        let user = user.clone();
        let count = |calls: &mut Calls| calls.registry += 1;
        self.answer(count, &[], move |store| store.end_all(&user, except, ending, now))
    }

    fn amend(&self, user: &UserId, ops: &Ops, now: Timestamp) -> Answer<u64> {
        let (user, ops) = (user.clone(), ops.clone());
        self.answer(|calls| calls.registry += 1, &[], move |store| store.amend(&user, &ops, now))
    }

    fn scan(&self, page: Page, now: Timestamp) -> Answer<Vec<Record>> {
        self.answer(|calls| calls.registry += 1, &[], move |store| store.scan(page, now))
    }

    fn count(&self, now: Timestamp) -> Answer<Count> {
        self.answer(|calls| calls.registry += 1, &[], move |store| store.count(now))
    }

    fn sweep(&self, now: Timestamp, limit: u32) -> Answer<Swept> {
        self.answer(|calls| calls.registry += 1, &[], move |store| store.sweep(now, limit))
    }
}
