//! A process that is killed under load, again and again, on one file.
//!
//! A kill takes the process and leaves the machine: it shows what outlives a crash of the process,
//! not what outlives a loss of power.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "what a test relies on fails the test"
)]

#[path = "crash/change.rs"]
mod change;
mod folder;
#[path = "crash/world.rs"]
mod world;

use std::collections::BTreeMap;
use std::hash::{BuildHasher as _, RandomState};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use change::{Change, THREADS};
use cloakroom_conformance::executor::block_on;
use cloakroom_sqlite::SqliteStore;
use folder::{Folder, open};
use rusqlite::Connection;
use world::World;

/// Tells the process that is to die what it is, and where its file is.
const ROLE: &str = "CLOAKROOM_SQLITE_CRASHES_ON";
const ROUND: &str = "CLOAKROOM_SQLITE_ROUND";
const SEED: &str = "CLOAKROOM_SEED";

/// The numbers that one round can give to sessions and keys, and one thread of it.
const OF_A_ROUND: u32 = 1_000_000;
const OF_A_THREAD: u32 = OF_A_ROUND / THREADS;

/// Random numbers that come again with the same seed (SplitMix64).
#[derive(Debug)]
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u32) -> u32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        u32::try_from((mixed ^ (mixed >> 31)) % u64::from(bound)).unwrap()
    }
}

/// The process that dies. Each thread says what it is about to do, does it, and says that it was
/// acknowledged; checkpoints are made all the while, so that the kill meets them too.
#[test]
fn process_that_crashes() {
    let Some(path) = std::env::var_os(ROLE) else { return };
    let number = |name: &str| std::env::var(name).unwrap().parse::<u64>().unwrap();
    let (seed, round) = (number(SEED), u32::try_from(number(ROUND)).unwrap());
    let store = open(Path::new(&path)).unwrap();
    let is_over = AtomicBool::new(false);

    thread::scope(|scope| {
        scope.spawn(|| make_checkpoints(Path::new(&path), &is_over));
        for thread in 0..THREADS {
            let (store, is_over) = (&store, &is_over);
            let dice = Dice(seed ^ u64::from(round * THREADS + thread + 1));
            let first = round * OF_A_ROUND + thread * OF_A_THREAD;
            scope.spawn(move || {
                work(store, thread, first, dice);
                is_over.store(true, Ordering::Relaxed);
            });
        }
    });
}

fn work(store: &SqliteStore, thread: u32, first: u32, mut dice: Dice) {
    let mut world = World::default();
    // Far more than the parent waits for.
    for number in first..first + OF_A_THREAD {
        let change = change::draw(&world, thread, number, |bound| dice.below(bound));
        say(&format!("{thread} tries {change}"));
        change.carry_out(store);
        say(&format!("{thread} did {change}"));
        world.apply(change);
    }
}

/// One write for one line: what was torn by the kill does not end with the full stop.
fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    // A parent that died on a failed check reads no more.
    if out.write_all(format!("\n{line} .\n").as_bytes()).and_then(|()| out.flush()).is_err() {
        std::process::exit(1);
    }
}

fn make_checkpoints(path: &Path, is_over: &AtomicBool) {
    let db = Connection::open(path).unwrap();
    db.busy_timeout(Duration::from_secs(5)).unwrap();
    while !is_over.load(Ordering::Relaxed) {
        for how in ["PASSIVE", "RESTART"] {
            let made = db.query_row(&format!("PRAGMA wal_checkpoint({how})"), [], |_| Ok(()));
            // Whoever is busy may stay so.
            drop(made);
            thread::sleep(Duration::from_millis(2));
        }
    }
}

#[test]
fn no_crash_loses_what_was_acknowledged_or_brings_back_what_ended() {
    let seed = std::env::var(SEED).ok().and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or_else(|| RandomState::new().hash_one("crash"));
    println!("{SEED}={seed}");
    let rounds = if std::env::var_os("CLOAKROOM_LONG").is_some() { 200 } else { 20 };
    let folder = Folder::new();
    let path = folder.path("sessions.db");
    let (mut world, mut dice) = (World::default(), Dice(seed));
    let mut beside: Option<SqliteStore> = None;
    let (mut acknowledged, mut open_ended) = (0, 0);

    for round in 0..rounds {
        let lines = dice.below(800);
        let said = killed_after(&path, round, seed, lines, dice.below(3_000));
        acknowledged += said.acknowledged;
        open_ended += said.under_way.len();

        let store = open(&path).unwrap();
        said.done.into_iter().for_each(|change| world.apply(change));
        for change in said.under_way.into_values() {
            if change.landed(&store, &world) {
                world.apply(change);
            }
        }
        let from = if round + 1 == rounds { 0 } else { round * OF_A_ROUND };
        world.compare(&store, from, &format!("round {round} of {SEED}={seed}"));

        // Every other round the next process shares the file with one that lives.
        if let Some(store) = beside.take() {
            block_on(store.close());
        }
        if round % 2 == 0 {
            beside = Some(store);
        } else {
            block_on(store.close());
        }
    }

    println!("{rounds} rounds, {acknowledged} acknowledged, {open_ended} under way when killed");
    assert!(acknowledged >= 50 * u64::from(rounds), "the processes did not work");
}

/// What a process said before it was killed.
struct Said {
    acknowledged: u64,
    /// In the order of each thread.
    done: Vec<Change>,
    /// At most one per thread: done or not, but nothing in between.
    under_way: BTreeMap<u32, Change>,
}

/// Kills a process once it said so many lines, and a moment later.
fn killed_after(path: &Path, round: u32, seed: u64, lines: u32, micros: u32) -> Said {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["process_that_crashes", "--exact", "--nocapture", "--test-threads=1"])
        .env(ROLE, path)
        .env(ROUND, round.to_string())
        .env(SEED, seed.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let heard = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let mut heard = heard.filter_map(|line| line.strip_suffix(" .").map(str::to_owned));
    let mut text: Vec<String> = heard.by_ref().take(lines as usize).collect();
    thread::sleep(Duration::from_micros(micros.into()));
    child.kill().unwrap();
    text.extend(heard);
    let status = child.wait().unwrap();
    assert!(status.code().is_none(), "the process ended by itself: {status}");
    understood(&text)
}

fn understood(lines: &[String]) -> Said {
    let mut said = Said { acknowledged: 0, done: Vec::new(), under_way: BTreeMap::new() };
    for line in lines {
        let (thread, rest) = line.split_once(' ').unwrap();
        let thread: u32 = thread.parse().unwrap();
        let (what, change) = rest.split_once(' ').unwrap();
        let change: Change = change.parse().unwrap();
        if what == "tries" {
            assert_eq!(said.under_way.insert(thread, change), None, "one thing at a time");
        } else {
            assert_eq!(said.under_way.remove(&thread), Some(change), "{line}");
            said.done.push(change);
            said.acknowledged += 1;
        }
    }
    said
}
