//! The store when things go wrong around it.

use std::fs;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{self, Sender};
use std::time::Duration;

use cloakroom_conformance::executor::block_on;
use cloakroom_store::{ClientInfo, Field, Identity, Load, StoreErrorKind, Times};

use super::*;

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

/// A store in a folder of its own.
struct Place {
    folder: PathBuf,
    store: SqliteStore,
}

impl Place {
    fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("cloakroom-sqlite-store-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir_all(&folder).unwrap();
        let store = block_on(SqliteStore::open(folder.join("sessions.db"))).unwrap();
        Self { folder, store }
    }

    fn path(&self) -> PathBuf {
        self.folder.join("sessions.db")
    }

    fn create(&self, number: u32) -> Result<Create, StoreError> {
        block_on(self.store.create(&key(number), draft(number), None, NOW))
    }

    fn load_at(&self, number: u32, now: Timestamp) -> Result<Load, StoreError> {
        block_on(self.store.load(&[key(number)], now))
            .map(|loads| loads.into_iter().next().unwrap())
    }

    fn is_live(&self, number: u32) -> bool {
        matches!(self.load_at(number, NOW).unwrap(), Load::Live(_))
    }

    /// Runs SQL on the writer's connection.
    fn on_writer(&self, sql: &'static str) {
        block_on(self.store.write(move |db| Ok(db.execute_batch(sql)?))).unwrap();
    }

    /// Keeps the writer busy until the sender is dropped, so that what is asked meanwhile becomes
    /// one batch.
    fn hold(&self) -> Sender<()> {
        let (held, release) = mpsc::channel();
        let (begun, begins) = mpsc::channel();
        drop(self.store.write(move |_| {
            begun.send(()).unwrap();
            while release.recv().is_ok() {}
            Ok(())
        }));
        begins.recv().unwrap();
        held
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn key(number: u32) -> Key {
    let mut bytes = [7; 32];
    bytes[..4].copy_from_slice(&number.to_be_bytes());
    Key::from_bytes(bytes)
}

fn draft(number: u32) -> Draft {
    let mut id = [7; 18];
    id[..4].copy_from_slice(&number.to_be_bytes());
    Draft {
        id: SessionId::from_bytes(id),
        identity: Identity::anonymous(),
        times: Times {
            created: NOW,
            seen: NOW,
            idle_deadline: later(600),
            absolute_deadline: later(6_000),
        },
        client: ClientInfo::default(),
        ops: set(&"x".repeat(1_000)),
    }
}

fn set(text: &str) -> Ops {
    let mut ops = Ops::new();
    ops.set(Field::from_static("text"), &text).unwrap();
    ops
}

fn later(seconds: u64) -> Timestamp {
    NOW.plus(Duration::from_secs(seconds))
}

fn touch(seconds: u64) -> Option<Touch> {
    Some(Touch { seen: later(seconds), idle_deadline: later(seconds + 600) })
}

#[track_caller]
fn is_unavailable<T: fmt::Debug>(result: Result<T, StoreError>, says: &str) {
    let error = result.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{error}");
    assert!(error.to_string().contains(says), "{error}");
}

#[test]
fn a_full_disk_loses_nothing_and_service_resumes_when_there_is_room() {
    let place = Place::new();
    place.create(0).unwrap();
    place.on_writer("PRAGMA max_page_count = 40");

    let created = (1..1_000).take_while(|number| place.create(*number).is_ok()).count() as u32;
    let full = place.create(5_000);

    assert!(created > 3);
    is_unavailable(full, "sessions.db` is full");
    assert!((0..=created).all(|number| place.is_live(number)));
    assert!(!place.is_live(created + 1) && !place.is_live(5_000));

    place.on_writer("PRAGMA max_page_count = 4000");
    place.create(5_000).unwrap();
    assert!(place.is_live(5_000));
}

#[test]
fn a_file_that_cannot_be_written_is_unavailable_until_it_can() {
    let place = Place::new();
    place.create(1).unwrap();
    place.on_writer("PRAGMA query_only = ON");

    is_unavailable(place.create(2), "cannot be written");

    assert!(place.is_live(1) && !place.is_live(2));
    place.create(2).unwrap();
    assert!(place.is_live(2));
}

#[test]
fn a_lock_of_another_process_stops_writes_and_not_loads() {
    let place = Place::new();
    place.create(1).unwrap();
    place.on_writer("PRAGMA busy_timeout = 20");
    let other = Connection::open(place.path()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();

    is_unavailable(place.create(2), "locked by another process");

    assert!(place.is_live(1));
    other.execute_batch("ROLLBACK").unwrap();
    place.create(2).unwrap();
}

#[test]
fn a_file_that_was_moved_away_is_unavailable_until_it_is_back() {
    let place = Place::new();
    place.create(1).unwrap();
    let away = place.folder.join("away.db");
    fs::rename(place.path(), &away).unwrap();

    is_unavailable(place.create(2), "was removed while in use");
    is_unavailable(place.load_at(1, later(2)), "was removed while in use");

    fs::write(place.path(), "something else").unwrap();
    is_unavailable(place.create(2), "was replaced while in use");
    is_unavailable(place.load_at(1, later(2)), "was replaced while in use");

    fs::rename(&away, place.path()).unwrap();
    place.create(2).unwrap();
    assert!(place.is_live(1) && place.is_live(2));
}

#[test]
fn one_bad_job_does_not_spoil_its_batch() {
    let place = Place::new();
    let held = place.hold();
    let first = place.store.create(&key(1), draft(1), None, NOW);
    let bad = place.store.write(|db| Ok(db.execute_batch("DELETE FROM sessions; DELETE FROM no")?));
    let second = place.store.create(&key(2), draft(2), None, NOW);

    drop(held);

    assert!(matches!(block_on(first), Ok(Create::Done { .. })));
    assert_eq!(block_on(bad).unwrap_err().kind(), StoreErrorKind::Corrupt);
    assert!(matches!(block_on(second), Ok(Create::Done { .. })));
    assert!(place.is_live(1) && place.is_live(2));
}

#[test]
fn a_refusal_after_a_write_leaves_nothing_behind() {
    let place = Place::new();
    place.create(1).unwrap();
    let held = place.hold();
    let second = place.store.create(&key(2), draft(2), None, NOW);
    let refused = place.store.write(|db| -> Result<(), Halt> {
        db.execute_batch("DELETE FROM sessions")?;
        Err(StoreError::refused("too late").into())
    });

    drop(held);

    assert_eq!(block_on(refused).unwrap_err().kind(), StoreErrorKind::Refused);
    assert!(matches!(block_on(second), Ok(Create::Done { .. })));
    assert!(place.is_live(1) && place.is_live(2));
}

#[test]
fn a_change_beyond_the_limits_is_refused_and_spoils_nothing() {
    let place = Place::new();
    place.create(1).unwrap();
    let too_much = set(&"x".repeat(cloakroom_store::FIELD_MAX));
    let held = place.hold();
    let fits = place.store.commit(&key(1), Expect::Any, &set("a"), None, NOW);
    let refused = place.store.commit(&key(1), Expect::Any, &too_much, None, NOW);

    drop(held);

    assert!(matches!(block_on(fits), Ok(Commit::Done(_))));
    assert_eq!(block_on(refused).unwrap_err().kind(), StoreErrorKind::Refused);
}

#[test]
fn more_than_the_queue_holds_is_unavailable_at_once() {
    let place = Place::new();
    let held = place.hold();
    let waiting: Vec<_> = (0..QUEUE_MAX).map(|_| place.store.write(|_| Ok(()))).collect();

    let refused = place.store.create(&key(1), draft(1), None, NOW).now();

    is_unavailable(refused.expect("an answer at once"), "writes are waiting");
    drop(held);
    assert!(waiting.into_iter().all(|answer| block_on(answer).is_ok()));
    place.create(1).unwrap();
}

#[test]
fn touches_of_one_batch_are_answered_each_in_its_order() {
    let place = Place::new();
    place.create(1).unwrap();
    let touched = |seconds| {
        place.store.commit(&key(1), Expect::Any, &Ops::new(), touch(seconds), later(seconds))
    };
    let held = place.hold();
    // The third comes too late for the second, but in time for the first.
    let touches = [touched(500), touched(400), touched(1_050), touched(2_000)];
    let end = place.store.end(Target::Key(key(1)), Ending::LOGOUT, later(1_100));
    let late = touched(1_110);

    drop(held);

    let seen = touches.map(|touch| match block_on(touch).unwrap() {
        Commit::Done(record) => Some(record.times().seen),
        Commit::Conflict(_) | Commit::Gone(_) => None,
    });
    assert_eq!(seen, [Some(later(500)), Some(later(500)), Some(later(1_050)), None]);
    let End::Ended(record) = block_on(end).unwrap() else { panic!("the session was live") };
    assert_eq!(record.times().idle_deadline, later(1_650));
    assert!(matches!(block_on(late), Ok(Commit::Gone(Some(_)))));
}

#[test]
fn a_closed_store_has_done_what_was_asked_and_does_no_more() {
    let place = Place::new();
    let other = place.store.clone();
    let held = place.hold();
    drop(place.store.create(&key(1), draft(1), None, NOW));
    drop(held);

    let shared: Arc<dyn Registry> = Arc::new(other);
    block_on(shared.close()).unwrap();

    is_unavailable(place.create(2), "closed");
    is_unavailable(place.load_at(1, NOW), "closed");
    let again = block_on(SqliteStore::open(place.path())).unwrap();
    let loads = block_on(again.load(&[key(1), key(2)], NOW)).unwrap();
    let live = |load: &Load| matches!(load, Load::Live(_));
    assert_eq!(loads.iter().map(live).collect::<Vec<_>>(), [true, false]);
}

#[test]
fn a_sweep_of_many_lets_other_writes_between_its_steps() {
    let place = Place::new();
    let creates: Vec<_> = (0..1_300)
        .map(|number| place.store.create(&key(number), draft(number), None, NOW))
        .collect();
    creates.into_iter().for_each(|create| assert!(block_on(create).is_ok()));

    let first = block_on(place.store.sweep(later(600), 700)).unwrap();
    let second = block_on(place.store.sweep(later(600), 600)).unwrap();

    assert_eq!(first, Swept { removed: 700, more: true });
    assert_eq!(second, Swept { removed: 600, more: false });
    assert_eq!(block_on(place.store.sweep(later(600), 10)).unwrap(), Swept::default());
}

#[test]
fn touches_that_become_one_batch_all_land() {
    let place = Place::new();
    let (grace, cap) = (Duration::from_secs(20), Duration::from_secs(600));
    for number in 0..20 {
        assert!(place.create(number).is_ok());
        let rotation = Rotation::Renewal { identity: None, times: None, grace, cap };
        let renewed = place.store.rotate(&key(number), &key(100 + number), rotation, NOW);
        assert!(matches!(block_on(renewed).unwrap(), Rotate::Done { .. }));
    }

    let held = place.hold();
    // Each session through its new key and its old one, now this one later and now that.
    let touches: Vec<_> = (0..20)
        .flat_map(|number| {
            let seconds = if number % 2 == 0 { [10, 100] } else { [100, 10] };
            [(100 + number, seconds[0]), (number, seconds[1])]
        })
        .map(|(number, seconds)| {
            place.store.commit(&key(number), Expect::Any, &Ops::new(), touch(seconds), NOW)
        })
        .collect();
    drop(held);
    touches.into_iter().for_each(|touch| assert!(block_on(touch).is_ok()));

    for number in 100..120 {
        let Load::Live(record) = place.load_at(number, NOW).unwrap() else { panic!("{number}") };
        assert_eq!(record.times().idle_deadline, later(700), "{number}");
    }
}

/// The second touch of a key finds in memory what the first one found in the file.
#[test]
fn a_key_that_stops_forwarding_within_a_batch_is_gone_from_then_on() {
    let place = Place::new();
    place.create(1).unwrap();
    let (grace, cap) = (Duration::from_secs(20), Duration::from_secs(60));
    let rotation = Rotation::Renewal { identity: None, times: None, grace, cap };
    block_on(place.store.rotate(&key(1), &key(2), rotation, NOW)).unwrap();
    let touched = |seconds| {
        place.store.commit(&key(1), Expect::Any, &Ops::new(), touch(seconds), later(seconds))
    };

    let held = place.hold();
    let touches = [touched(58), touched(59), touched(60), touched(61)];
    drop(held);
    let [first, second, third, fourth] = touches.map(|touch| block_on(touch).unwrap());

    let gone = Commit::Gone(Some(cloakroom_store::Ended::timeout(
        cloakroom_store::Reason::Replaced,
        later(60),
    )));
    assert!(matches!((first, second), (Commit::Done(_), Commit::Done(_))));
    assert_eq!((third, fourth), (gone.clone(), gone));
    let Load::Live(record) = place.load_at(2, later(61)).unwrap() else { panic!("it lives") };
    assert_eq!(record.times().seen, later(59));
}

/// The index of a sweep knows of no touch, so it looks at all of them first.
#[test]
fn a_sweep_comes_to_an_end_among_many_that_were_touched() {
    let place = Place::new();
    let creates: Vec<_> =
        (0..600).map(|number| place.store.create(&key(number), draft(number), None, NOW)).collect();
    creates.into_iter().for_each(|create| assert!(block_on(create).is_ok()));
    for number in 0..600 {
        let touched = place.store.commit(&key(number), Expect::Any, &Ops::new(), touch(100), NOW);
        assert!(block_on(touched).is_ok());
    }

    let swept = block_on(place.store.sweep(later(600), 10)).unwrap();

    assert_eq!(swept, Swept::default());
}

#[test]
fn the_relaxed_mode_declares_what_it_risks() {
    let place = Place::new();
    let builder = SqliteStore::builder(place.folder.join("relaxed.db"));

    let relaxed = block_on(builder.dangerous_lose_recent_changes_on_power_loss().open()).unwrap();

    assert_eq!(place.store.survival().identity, Survives::PowerLoss);
    assert_eq!(relaxed.survival().identity, Survives::ProcessCrash);
}
