//! What another handle of the store changes is heard.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use cloakroom_store::{By, Change, Ending, Key, Listener, Registry, Store as _, Target, Told};

use crate::Shared;
use crate::desk::{Desk, IDLE, Success, at, login, renewal, set, times, touch};

/// How long a clause waits for what it should hear: long enough for the slowest machine, since
/// nothing waits for it to pass where all is well.
const PATIENCE: Duration = Duration::from_secs(20);

/// Writes down what it hears.
#[derive(Debug, Default)]
struct Ear {
    heard: Mutex<Vec<Change>>,
    news: Condvar,
}

impl Listener for Ear {
    fn hear(&self, change: Change) {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).push(change);
        self.news.notify_all();
    }
}

impl Ear {
    /// Waits until something was heard for which `is_it` holds.
    #[track_caller]
    fn waits_for(&self, what: &str, is_it: impl Fn(&Change) -> bool) {
        let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        let waited =
            self.news.wait_timeout_while(heard, PATIENCE, |heard| !heard.iter().any(&is_it));
        let (heard, waited) = waited.unwrap_or_else(PoisonError::into_inner);
        assert!(!waited.timed_out(), "{what} was not heard; heard was {heard:?}");
    }

    #[track_caller]
    fn waits_for_key(&self, key: &Key) {
        self.waits_for("a change of the key", |change| {
            *change == Change::Key(*key) || *change == Change::Everything
        });
    }

    fn forgets(&self) {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// Two desks on the same data; an ear listens to the first, and the second does what is heard.
struct Room<S> {
    told: Told,
    ear: Arc<Ear>,
    /// Nobody is told anything by a store that is gone.
    listened: Desk<S>,
    other: Desk<S>,
}

impl<S: Registry> Room<S> {
    #[track_caller]
    fn open(fixture: &impl Shared<Store = S>) -> Self {
        let listened = Desk::open(fixture);
        let other = Desk { store: fixture.another(&listened.store) };
        let ear = Arc::new(Ear::default());
        let listener: Arc<dyn Listener> = Arc::<Ear>::clone(&ear);
        let told = listened.store.listen(listener);
        ear.waits_for("that it hears", |change| *change == Change::Hearing);
        Self { told, ear, listened, other }
    }

    /// What is done now is heard of `key`, and was not before.
    #[track_caller]
    fn hears<T>(&self, key: &Key, does: impl FnOnce(&Desk<S>) -> T) {
        self.ear.forgets();
        does(&self.other);
        self.ear.waits_for_key(key);
    }
}

/// A store that tells nothing would pass all other clauses by saying so.
pub fn the_store_tells_something(fixture: &impl Shared) {
    assert!(Room::open(fixture).told >= Told::Endings);
}

/// A sign-out, a revocation, the end of all.
pub fn an_end_is_heard(fixture: &impl Shared) {
    let room = Room::open(fixture);
    let [first, second, third] = [1, 2, 3].map(|number| room.other.has_member("ada", number));
    let revoked = Ending::revoked(By::USER);

    room.hears(&first, |desk| desk.sign_out(&first, at(1)).done());
    let id = room.other.id_of("ada", 2);
    room.hears(&second, |desk| desk.end(Target::Id(id), revoked, at(2)).done());
    room.hears(&third, |desk| desk.end_all("ada", None, revoked, at(3)));
}

/// The key that a login or a renewal takes the session from.
pub fn a_rotation_is_heard(fixture: &impl Shared) {
    let room = Room::open(fixture);
    let guest = room.other.has_guest(1);
    let [member, newer] = [2, 3].map(|number| room.other.key_of("ada", number));

    room.hears(&guest, |desk| {
        desk.rotate(&guest, &member, login(desk.member("ada", 2), &[]), at(1)).done();
    });
    room.hears(&member, |desk| desk.rotate(&member, &newer, renewal(), at(2)).done());
}

/// The session that makes room for a login.
pub fn an_eviction_is_heard(fixture: &impl Shared) {
    let room = Room::open(fixture);
    let old = room.other.has_member("ada", 1);
    let limit = Some(cloakroom_store::Limit::keep_newest(1));

    room.hears(&old, |desk| {
        let new = desk.key_of("ada", 2);
        desk.create(&new, desk.member("ada", 2), limit, at(1)).done();
    });
}

/// Rights that change in every session of a user.
pub fn an_amendment_is_heard(fixture: &impl Shared) {
    let room = Room::open(fixture);
    let key = room.other.has_member("ada", 1);

    room.hears(&key, |desk| desk.amend("ada", &set("roles", "[]"), at(1)));
}

/// A remembered session that begins anew behind its key.
pub fn a_resumption_is_heard(fixture: &impl Shared) {
    let room = Room::open(fixture);
    let key = room.other.has_remembered("ada", 1);
    let later = IDLE + 1;

    room.hears(&key, |desk| {
        let draft = desk.remembered("ada", 2);
        let identity = draft.identity.resumed();
        let draft = cloakroom_store::Draft { identity, times: times(later), ..draft };
        desk.resume(&key, draft, cloakroom_store::Keep::All, at(later)).done();
    });
}

/// Changes of data and deadlines, in a store that says that it tells all.
pub fn every_change_is_heard_where_the_store_says_so(fixture: &impl Shared) {
    let room = Room::open(fixture);
    if room.told < Told::Changes {
        return;
    }
    let key = room.other.has_guest(1);

    room.hears(&key, |desk| desk.change(&key, &set("a", "1"), at(1)).done());
    room.hears(&key, |desk| desk.touch(&key, touch(50), at(50)).done());
}

/// A second listener takes nothing from the first.
pub fn every_listener_hears(fixture: &impl Shared) {
    let room = Room::open(fixture);
    let second = Arc::new(Ear::default());
    let listener: Arc<dyn Listener> = Arc::<Ear>::clone(&second);
    room.listened.store.listen(listener);
    second.waits_for("that it hears", |change| *change == Change::Hearing);
    let key = room.other.has_guest(1);

    room.hears(&key, |desk| desk.sign_out(&key, at(1)).done());

    second.waits_for_key(&key);
}
