//! Files that were damaged, and a file that every later version has to read.
//!
//! What SQLite promises, and so what is tested here:
//!
//! - Of a log that was cut or changed, the commits before the damage are served and all those after
//!   it are lost. That is damage to a file, not a crash: a session whose ending was lost lives again,
//!   and one that ended before the damage does not.
//! - Pages of the file itself carry no checksum. What still has the form of a page is believed, so
//!   that a flipped bit in a value may come back as another value; what has not is an error.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "what a test relies on fails the test"
)]

mod folder;
#[path = "torn/schema.rs"]
mod schema;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use cloakroom_conformance::executor::block_on;
use cloakroom_sqlite::SqliteStore;
use cloakroom_store::{
    ClientInfo, Commit, Create, Draft, End, Ending, Expect, Factors, Field, Identity, Key, Load,
    Ops, Page, Record, Registry as _, SessionId, Store as _, StoreError, StoreErrorKind, Target,
    Times, Timestamp, UserId,
};
use folder::{Folder, open};

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

/// Keys and ids as different as digests are, so that one flipped bit never makes one into another.
fn bytes<const N: usize>(number: u32) -> [u8; N] {
    let mut state = u64::from(number) + 1;
    std::array::from_fn(|_| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state.to_be_bytes()[0]
    })
}

fn key(number: u32) -> Key {
    Key::from_bytes(bytes(number))
}

fn ada() -> UserId {
    UserId::try_from("ada").unwrap()
}

fn draft(number: u32) -> Draft {
    Draft {
        id: SessionId::from_bytes(bytes(number)),
        identity: Identity::signed_in(ada(), Factors::PASSWORD, NOW),
        times: Times {
            created: NOW,
            seen: NOW,
            idle_deadline: Timestamp::MAX,
            absolute_deadline: Timestamp::MAX,
        },
        client: ClientInfo::with_user_agent("Browser/1.0"),
        ops: noted(0),
    }
}

/// A change that fills a good part of a page.
fn noted(count: u32) -> Ops {
    let mut ops = Ops::new();
    ops.set(Field::from_static("count"), &count).unwrap();
    ops.set(Field::from_static("note"), &"n".repeat(900)).unwrap();
    ops
}

fn counted(record: &Record) -> u32 {
    record.fields().get("count").unwrap().parse().unwrap()
}

fn load(store: &SqliteStore, number: u32) -> Result<Load, StoreError> {
    Ok(block_on(store.load(&[key(number)], NOW))?.into_iter().next().unwrap())
}

/// Live sessions and their counts.
type Held = BTreeMap<u32, u32>;

/// A session and its end or its next count.
const SCRIPT: [(u32, Option<u32>); 16] = [
    (0, Some(0)),
    (1, Some(0)),
    (0, Some(1)),
    (1, None),
    (2, Some(0)),
    (3, Some(0)),
    (4, Some(0)),
    (2, Some(1)),
    (0, None),
    (5, Some(0)),
    (5, Some(1)),
    (5, None),
    (6, Some(0)),
    (2, Some(2)),
    (3, None),
    (6, Some(1)),
];

fn carry_out(store: &SqliteStore, held: &mut Held, number: u32, count: Option<u32>) {
    match count {
        Some(count) if held.insert(number, count).is_none() => {
            let created = block_on(store.create(&key(number), draft(number), None, NOW)).unwrap();
            assert!(matches!(created, Create::Done { .. }));
        }
        Some(count) => {
            let ops = noted(count);
            let done = block_on(store.commit(&key(number), Expect::Any, &ops, None, NOW)).unwrap();
            assert!(matches!(done, Commit::Done(_)));
        }
        None => {
            held.remove(&number);
            let target = Target::Key(key(number));
            let ended = block_on(store.end(target, Ending::LOGOUT, NOW)).unwrap();
            assert!(matches!(ended, End::Ended(_)));
        }
    }
}

/// A file, its log, and what was acknowledged when the log had which length.
struct Torn {
    folder: Folder,
    file: Vec<u8>,
    log: Vec<u8>,
    acknowledged: Vec<(usize, Held)>,
}

/// The beginning of a log and of each of its frames, and a frame's page:
/// <https://sqlite.org/fileformat2.html#the_write_ahead_log>.
const LOG_HEADER: usize = 32;
const FRAME_HEADER: usize = 24;
const PAGE: usize = 4_096;
const FRAME: usize = FRAME_HEADER + PAGE;

impl Torn {
    fn new() -> Self {
        let folder = Folder::new();
        let path = folder.path("whole.db");
        let store = open(&path).unwrap();
        let mut held = Held::new();
        let mut acknowledged = vec![(0, held.clone())];
        for (number, count) in SCRIPT {
            carry_out(&store, &mut held, number, count);
            let length = fs::read(beside(&path)).unwrap().len();
            acknowledged.push((length, held.clone()));
        }
        let (file, log) = (fs::read(&path).unwrap(), fs::read(beside(&path)).unwrap());
        block_on(store.close());
        Self { folder, file, log, acknowledged }
    }

    /// What a log that is whole up to `length` says.
    fn until(&self, length: usize) -> &Held {
        &self.acknowledged.iter().rev().find(|(end, _)| *end <= length).unwrap().1
    }

    /// The file with this log is a store that holds exactly `wanted`, and takes new sessions.
    fn holds(&self, log: &[u8], wanted: &Held, when: &str) {
        let path = self.folder.path("torn.db");
        remove(&path);
        fs::write(&path, &self.file).unwrap();
        fs::write(beside(&path), log).unwrap();

        let store = open(&path).unwrap();

        assert_eq!(live(&store), *wanted, "{when}");
        let listed = block_on(store.list(&ada(), Page::first(99), NOW)).unwrap();
        assert_eq!(listed.len(), wanted.len(), "{when}");
        let created = block_on(store.create(&key(77), draft(77), None, NOW)).unwrap();
        assert!(matches!(created, Create::Done { .. }), "{when}");
        block_on(store.close());
    }
}

fn live(store: &SqliteStore) -> Held {
    let loads = (0..8).map(|number| (number, load(store, number).unwrap()));
    let counts = loads.filter_map(|(number, load)| match load {
        Load::Live(record) => Some((number, counted(&record))),
        Load::Forwarded(_) | Load::Dormant(_) | Load::Gone(_) => None,
    });
    counts.collect()
}

/// The log of the file at `path`.
fn beside(path: &Path) -> PathBuf {
    PathBuf::from(format!("{}-wal", path.display()))
}

fn remove(path: &Path) {
    for end in ["", "-wal", "-shm"] {
        let _ = fs::remove_file(format!("{}{end}", path.display()));
    }
}

#[test]
fn a_log_that_was_cut_loses_what_came_after_and_nothing_else() {
    let torn = Torn::new();
    let frames = (torn.log.len() - LOG_HEADER) / FRAME;
    let borders = (0..=frames).map(|frame| LOG_HEADER + frame * FRAME);
    let cuts = borders.flat_map(|at| [at.saturating_sub(1), at, at + 1, at + 12, at + 2_000]);
    let cuts: Vec<usize> =
        [0, 1, 16].into_iter().chain(cuts).filter(|cut| *cut <= torn.log.len()).collect();

    for cut in &cuts {
        torn.holds(&torn.log[..*cut], torn.until(*cut), &format!("cut at {cut}"));
    }

    let (endings, whole) = (SCRIPT.iter().filter(|step| step.1.is_none()).count(), &torn.log);
    println!("{} cuts of a log of {} bytes, {endings} endings", cuts.len(), whole.len());
    assert_eq!(torn.until(whole.len()), &torn.acknowledged.last().unwrap().1);
}

#[test]
fn a_log_with_a_flipped_bit_loses_what_came_after_and_nothing_else() {
    let torn = Torn::new();
    let frames = (torn.log.len() - LOG_HEADER) / FRAME;
    let in_frames = (0..frames).flat_map(|frame| {
        let start = LOG_HEADER + frame * FRAME;
        // The page's number, the size after a commit, the salt, the checksum, the page.
        [0, 5, 9, 17, FRAME_HEADER, FRAME_HEADER + 1_000, FRAME - 1].map(|at| (start, start + at))
    });
    let flips: Vec<_> = (0..LOG_HEADER).map(|at| (0, at)).chain(in_frames).collect();

    for (start, at) in &flips {
        let mut log = torn.log.clone();
        log[*at] ^= 1 << (at % 8);

        torn.holds(&log, torn.until(*start), &format!("flip at {at}"));
    }

    println!("{} flips", flips.len());
}

/// How many sessions the damaged file held, and of which every third was ended.
const SESSIONS: u32 = 40;

fn whole_file(folder: &Folder) -> Vec<u8> {
    let path = folder.path("whole.db");
    let store = open(&path).unwrap();
    let mut held = Held::new();
    (0..SESSIONS).for_each(|number| carry_out(&store, &mut held, number, Some(0)));
    (0..SESSIONS).step_by(3).for_each(|number| carry_out(&store, &mut held, number, None));
    block_on(store.close());
    fs::read(path).unwrap()
}

/// What came of a damaged file.
#[derive(Debug, Default)]
struct Tally {
    files: u32,
    refused: u32,
    answered: u32,
    errors: u32,
}

impl Tally {
    /// Opens the bytes as a store and asks it for everything: each answer is one or a clear error.
    fn try_file(&mut self, path: &Path, bytes: &[u8], when: &str) {
        remove(path);
        fs::write(path, bytes).unwrap();
        self.files += 1;
        let store = match open(path) {
            Ok(store) => store,
            Err(error) => {
                is_clear(&error, path, when);
                self.refused += 1;
                return;
            }
        };
        for number in 0..SESSIONS {
            let loaded = self.noted(load(&store, number), path, when);
            let is_live = matches!(loaded, Some(Load::Live(_) | Load::Forwarded(_)));
            assert!(number % 3 != 0 || !is_live, "{when}: {number} had ended and is back");
        }
        let (page, last) = (Page::first(99), SESSIONS - 1);
        self.noted(block_on(store.scan(page, NOW)), path, when);
        self.noted(block_on(store.list(&ada(), page, NOW)), path, when);
        self.noted(block_on(store.count(NOW)), path, when);
        let (ops, late) = (noted(1), Expect::Any);
        self.noted(block_on(store.commit(&key(last), late, &ops, None, NOW)), path, when);
        self.noted(block_on(store.create(&key(99), draft(99), None, NOW)), path, when);
        self.noted(block_on(store.end(Target::Key(key(1)), Ending::LOGOUT, NOW)), path, when);
        self.noted(block_on(store.sweep(NOW, 99)), path, when);
        self.noted(block_on(store.end_all(&ada(), None, Ending::LOGOUT, NOW)), path, when);
        block_on(store.close());
    }

    fn noted<T>(&mut self, answer: Result<T, StoreError>, path: &Path, when: &str) -> Option<T> {
        match answer {
            Ok(answer) => {
                self.answered += 1;
                Some(answer)
            }
            Err(error) => {
                is_clear(&error, path, when);
                assert_ne!(error.kind(), StoreErrorKind::Refused, "{when}: {error}");
                self.errors += 1;
                None
            }
        }
    }
}

/// The error names the file, and is not what is left of a thread that panicked.
fn is_clear(error: &StoreError, path: &Path, when: &str) {
    let text = error.to_string();
    assert!(text.contains(path.to_str().unwrap()), "{when}: {text}");
    assert!(!text.contains("the writer ended"), "{when}: {text}");
}

#[test]
fn a_file_that_was_cut_anywhere_is_a_clear_error() {
    let folder = Folder::new();
    let (whole, path) = (whole_file(&folder), folder.path("torn.db"));
    let pages = (1..whole.len() / PAGE).map(|page| page * PAGE);
    let cuts = pages.flat_map(|at| [at - 1, at, at + 1, at + PAGE / 2]);
    let cuts: Vec<usize> =
        [1, 15, 16, 50, 99, 100, 107, 108, 512].into_iter().chain(cuts).collect();
    let mut tally = Tally::default();

    for cut in &cuts {
        tally.try_file(&path, &whole[..*cut], &format!("cut at {cut}"));
    }

    println!("{tally:?}");
    assert!(tally.refused > 0);
}

#[test]
fn a_file_with_a_damaged_octet_never_panics_and_revives_nobody() {
    let folder = Folder::new();
    let (whole, path) = (whole_file(&folder), folder.path("torn.db"));
    let pages = (0..whole.len() / PAGE).map(|page| page * PAGE);
    // The page's kind, first free block, cells, content, and pointers; then its middle and its end.
    let in_pages = pages.flat_map(|page| {
        let header = if page == 0 { 100 } else { 0 };
        let parts = [0, 1, 3, 4, 5, 6, 8, 9, 11, 13].map(|at| header + at);
        parts
            .into_iter()
            .chain([PAGE / 2, PAGE / 2 + 700, PAGE - 40, PAGE - 1])
            .map(move |at| page + at)
    });
    let places: Vec<usize> = (0..100).chain(in_pages).collect();
    let mut tally = Tally::default();

    for at in &places {
        for damage in [1 << (at % 8), 0xff] {
            let mut bytes = whole.clone();
            bytes[*at] ^= damage;
            tally.try_file(&path, &bytes, &format!("{damage:#x} at {at}"));
        }
    }

    println!("{tally:?} of a file of {} bytes", whole.len());
    assert!(tally.refused > 0 && tally.errors > 0 && tally.answered > tally.errors);
}
