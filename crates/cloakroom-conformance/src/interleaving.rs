//! Every order in which the calls of several clients can reach a store.
//!
//! [`Paced`] is a store whose calls wait until they are let go, one at a time. [`Orders`] walks
//! through all schedules depth first: a test runs its clients once per schedule and asks it which
//! of the waiting calls goes on.
//!
//! ```
//! use cloakroom_conformance::interleaving::{Answers, Fate, Orders, Paced};
//! use cloakroom_memory::MemoryStore;
//! use cloakroom_store::{By, Ending, Key, Store, Target, Timestamp};
//!
//! let (key, now) = (Key::from_bytes([7; 32]), Timestamp::from_millis(0));
//! let mut orders = Orders::new();
//! while orders.begin() {
//!     let store = Paced::new(MemoryStore::new(), Answers::Late);
//!     let calls = [1, 2].map(|_| store.end(Target::Key(key), Ending::revoked(By::USER), now));
//!     while store.waiting() > 0 {
//!         store.go_on(orders.choose(store.waiting()), Fate::Done);
//!     }
//!     assert!(calls.into_iter().all(|call| call.now().is_err()), "they come later");
//! }
//! assert_eq!(orders.tried(), 6, "two calls and two answers");
//! ```

mod orders;

pub use orders::Orders;

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

use cloakroom_store::{
    Answer, Bulletin, Commit, Count, Create, Cursor, Draft, End, EndedAll, Ending, Expect, Keep,
    Key, Limit, Loads, Ops, Page, Record, Registry, Resume, Rotate, Rotation, SessionId, Store,
    StoreError, Swept, Target, Timestamp, Touch, UserId,
};

use crate::executor::block_on;

/// When the answer of a call reaches its caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answers {
    /// At once when the call takes effect.
    AtOnce,
    /// Whenever it is let go: other calls may take effect in between.
    Late,
}

/// What becomes of a call that goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It takes effect and is answered.
    Done,
    /// The store is away before it takes effect.
    LostBefore,
    /// It takes effect, and the caller is told that the store is away.
    LostAfter,
}

/// A store whose calls wait. Sweeps, scans, counts and the feed do not: they belong to no client.
///
/// What passes is answered before the call returns, so that a runtime whose clock stands still does
/// not run ahead while a server works. The store's own work must therefore be done on other threads.
#[derive(Clone)]
pub struct Paced<S> {
    store: Arc<S>,
    answers: Answers,
    desk: Arc<Mutex<Desk>>,
}

#[derive(Default)]
struct Desk {
    waiting: VecDeque<Step>,
    passing: bool,
    done: Vec<String>,
}

struct Step {
    name: String,
    work: Box<dyn FnOnce(Fate) -> (String, Option<Reply>) + Send>,
}

/// Hands an answer to the caller.
type Reply = Box<dyn FnOnce() + Send>;

impl<S: Registry> Paced<S> {
    /// `store`, with its calls waiting from now on.
    pub fn new(store: S, answers: Answers) -> Self {
        Self { store: Arc::new(store), answers, desk: Arc::default() }
    }

    /// The store itself, where nothing waits.
    #[must_use]
    pub fn store(&self) -> &S {
        &self.store
    }

    /// Lets every call pass at once, or makes them wait again.
    pub fn set_passing(&self, passing: bool) {
        self.desk().passing = passing;
    }

    /// How many calls and answers wait.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.desk().waiting.len()
    }

    /// Lets the one at `index` go on.
    pub fn go_on(&self, index: usize, fate: Fate) {
        let step = self.desk().waiting.remove(index);
        let Some(Step { name, work }) = step else { return };
        let (outcome, reply) = work(fate);
        self.desk().done.push(format!("{name}: {outcome}"));
        let Some(reply) = reply else { return };
        match self.answers {
            Answers::AtOnce => reply(),
            Answers::Late => {
                let work = Box::new(|_| {
                    reply();
                    ("answered".to_owned(), None)
                });
                self.desk().waiting.push_back(Step { name, work });
            }
        }
    }

    /// What went on so far, in order, each with the first word of its outcome.
    #[must_use]
    pub fn story(&self) -> Vec<String> {
        self.desk().done.clone()
    }

    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The call takes effect when it goes on, whether or not anybody waits for its answer.
    fn wait<T: fmt::Debug + Send + 'static>(
        &self,
        name: String,
        call: impl FnOnce(&S) -> Answer<T> + Send + 'static,
    ) -> Answer<T> {
        let mut desk = self.desk();
        if desk.passing {
            drop(desk);
            return at_once(call(&self.store));
        }
        let (store, place) = (Arc::clone(&self.store), Arc::new(Mutex::new(Place::default())));
        let told = Arc::clone(&place);
        let work = Box::new(move |fate| {
            let away = || Err(StoreError::unavailable("the test took the store away"));
            let (outcome, result) = match fate {
                Fate::LostBefore => ("lost".to_owned(), away()),
                Fate::Done | Fate::LostAfter => {
                    let result = block_on(call(&store));
                    let outcome = first_word(&result);
                    match fate {
                        Fate::LostAfter => (format!("{outcome} and lost"), away()),
                        Fate::Done | Fate::LostBefore => (outcome, result),
                    }
                }
            };
            (outcome, Some(Box::new(move || Place::put(&told, result)) as Reply))
        });
        desk.waiting.push_back(Step { name, work });
        Answer::later(std::future::poll_fn(move |cx| Place::take(&place, cx.waker())))
    }
}

fn at_once<T: Send + 'static>(answer: Answer<T>) -> Answer<T> {
    Answer::ready(block_on(answer))
}

fn first_word<T: fmt::Debug>(result: &Result<T, StoreError>) -> String {
    let whole = match result {
        Ok(outcome) => format!("{outcome:?}"),
        Err(error) => format!("{:?}", error.kind()),
    };
    whole.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default().to_owned()
}

fn named(user: Option<&UserId>) -> &str {
    user.map_or("nobody", UserId::as_str)
}

/// Where a caller finds its answer.
struct Place<T> {
    result: Option<Result<T, StoreError>>,
    waker: Option<Waker>,
}

impl<T> Default for Place<T> {
    fn default() -> Self {
        Self { result: None, waker: None }
    }
}

impl<T> Place<T> {
    fn put(place: &Mutex<Self>, result: Result<T, StoreError>) {
        let waker = {
            let mut place = place.lock().unwrap_or_else(PoisonError::into_inner);
            place.result = Some(result);
            place.waker.take()
        };
        waker.into_iter().for_each(Waker::wake);
    }

    fn take(place: &Mutex<Self>, waker: &Waker) -> Poll<Result<T, StoreError>> {
        let mut place = place.lock().unwrap_or_else(PoisonError::into_inner);
        match place.result.take() {
            Some(result) => Poll::Ready(result),
            None => {
                place.waker = Some(waker.clone());
                Poll::Pending
            }
        }
    }
}

impl<S: Registry> Store for Paced<S> {
    crate::hand_on!(self => self.store; name reach survival route guest_route listen);

    fn load(&self, keys: &[Key], now: Timestamp) -> Answer<Loads> {
        let keys = keys.to_vec();
        self.wait(format!("load {keys:?}"), move |store| store.load(&keys, now))
    }

    fn create(
        &self,
        key: &Key,
        draft: Draft,
        limit: Option<Limit>,
        now: Timestamp,
    ) -> Answer<Create> {
        let key = *key;
        let name = format!("create {key:?} for {}", named(draft.identity.user.as_ref()));
        self.wait(name, move |store| store.create(&key, draft, limit, now))
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
        let name = if ops.is_empty() { "touch" } else { "commit" };
        self.wait(format!("{name} {key:?} {expect:?}"), move |store| {
            store.commit(&key, expect, &ops, touch, now)
        })
    }

    fn rotate(&self, old: &Key, new: &Key, rotation: Rotation, now: Timestamp) -> Answer<Rotate> {
        let (old, new) = (*old, *new);
        let name = match &rotation {
            Rotation::Privilege { draft, .. } => {
                format!("replace {old:?} by {new:?} for {}", named(draft.identity.user.as_ref()))
            }
            Rotation::Renewal { .. } => format!("renew {old:?} as {new:?}"),
        };
        self.wait(name, move |store| store.rotate(&old, &new, rotation, now))
    }

    fn resume(&self, key: &Key, draft: Draft, keep: Keep, now: Timestamp) -> Answer<Resume> {
        let key = *key;
        self.wait(format!("resume {key:?}"), move |store| store.resume(&key, draft, keep, now))
    }

    fn end(&self, target: Target, ending: Ending, now: Timestamp) -> Answer<End> {
        self.wait(format!("end {target:?}"), move |store| store.end(target, ending, now))
    }
}

impl<S: Registry> Registry for Paced<S> {
    fn list(&self, user: &UserId, page: Page, now: Timestamp) -> Answer<Vec<Record>> {
        let user = user.clone();
        self.wait(format!("list {user}"), move |store| store.list(&user, page, now))
    }

    fn end_all(
        &self,
        user: &UserId,
        except: Option<SessionId>,
        ending: Ending,
        now: Timestamp,
    ) -> Answer<EndedAll> {
        let user = user.clone();
        self.wait(format!("end all of {user}"), move |store| {
            store.end_all(&user, except, ending, now)
        })
    }

    fn amend(&self, user: &UserId, ops: &Ops, now: Timestamp) -> Answer<u64> {
        let (user, ops) = (user.clone(), ops.clone());
        self.wait(format!("amend {user}"), move |store| store.amend(&user, &ops, now))
    }

    fn scan(&self, page: Page, now: Timestamp) -> Answer<Vec<Record>> {
        at_once(self.store.scan(page, now))
    }

    fn count(&self, now: Timestamp) -> Answer<Count> {
        at_once(self.store.count(now))
    }

    fn sweep(&self, now: Timestamp, limit: u32) -> Answer<Swept> {
        at_once(self.store.sweep(now, limit))
    }

    fn watch(&self, from: Cursor, limit: u32, now: Timestamp) -> Answer<Bulletin> {
        at_once(self.store.watch(from, limit, now))
    }
}

impl<S> fmt::Debug for Paced<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Paced").field("answers", &self.answers).finish_non_exhaustive()
    }
}
