//! The one thread that writes.
//!
//! It takes what is waiting as one transaction: the sync to disk in progress is the time in which
//! the next batch gathers, so that a lone write waits for nobody and many share one sync.

use std::sync::Arc;
use std::thread;

use cloakroom_store::StoreError;
use rusqlite::Connection;

use crate::checkpoint::Checkpoints;
use crate::database::Database;
use crate::fault::{Halt, spoils_connection};
use crate::jobs::Job;
use crate::queue::Intake;
use crate::reader::Readers;

/// Starts the writer of a store. It ends when the store is closed or its last handle is dropped,
/// after it has done what is waiting.
pub(crate) fn start(
    database: Arc<Database>,
    readers: Arc<Readers>,
    intake: Intake,
    relaxed: bool,
) -> Result<(), StoreError> {
    let db = database.writer()?;
    let checkpoints = Checkpoints::start(Arc::clone(&database))?;
    let mut writer = Writer { database, db: Some(db), relaxed, synced: true };
    thread::Builder::new()
        .name("cloakroom-sqlite".to_owned())
        .spawn(move || writer.run(&readers, checkpoints, intake))
        .map(drop)
        .map_err(|error| StoreError::unavailable("no thread for the writer").because(error))
}

struct Writer {
    database: Arc<Database>,
    /// None after an error that a new connection may not have.
    db: Option<Connection>,
    /// No transaction waits for the disk.
    relaxed: bool,
    /// What the connection is set to.
    synced: bool,
}

/// Why a transaction came to nothing.
enum Failure {
    /// All its jobs fail alike.
    All(StoreError),
    /// One of its jobs failed; the others may succeed without it.
    One(StoreError),
}

impl Writer {
    fn run(&mut self, readers: &Readers, checkpoints: Checkpoints, mut intake: Intake) {
        while let Some(jobs) = intake.next_batch() {
            for job in self.settle_batch(jobs) {
                intake.push_again(job);
            }
            if let Some(db) = &self.db {
                checkpoints.look(db);
            }
        }
        readers.close();
        if let Some(db) = self.db.take() {
            checkpoints.finish(&db);
        }
        intake.finish();
    }

    /// Does the jobs and tells their outcomes. Gives back those that have more to do.
    fn settle_batch(&mut self, mut jobs: Vec<Box<dyn Job>>) -> Vec<Box<dyn Job>> {
        match self.transact(&mut jobs) {
            Ok(()) => settle(jobs, &Ok(())),
            Err(Failure::One(error)) if jobs.len() == 1 => settle(jobs, &Err(error)),
            Err(Failure::One(_)) => self.settle_each(jobs),
            Err(Failure::All(error)) => settle(jobs, &Err(error)),
        }
    }

    /// Does each job in a transaction of its own, so that only the bad one fails. Once there can be
    /// no transaction at all, the rest fail without a try of their own.
    fn settle_each(&mut self, jobs: Vec<Box<dyn Job>>) -> Vec<Box<dyn Job>> {
        let mut again = Vec::new();
        let mut stopped = None;
        for job in jobs {
            let mut alone = [job];
            let fate = match &stopped {
                Some(error) => Err(StoreError::clone(error)),
                None => self.transact(&mut alone).map_err(|failure| match failure {
                    Failure::One(error) => error,
                    Failure::All(error) => stopped.insert(error).clone(),
                }),
            };
            again.extend(settle(alone, &fate));
        }
        again
    }

    /// One transaction. Nothing of it stays if it fails.
    fn transact(&mut self, jobs: &mut [Box<dyn Job>]) -> Result<(), Failure> {
        if jobs.is_empty() {
            return Ok(());
        }
        self.database.still_there().map_err(Failure::All)?;
        let durable = !self.relaxed && jobs.iter().any(|job| job.is_durable());
        let database = Arc::clone(&self.database);
        let db = self.connection(durable).map_err(Failure::All)?;
        let done = attempt(db, database.shown(), jobs);
        done.map_err(|(halt, is_one)| {
            self.recover(&halt);
            let error = database.explain(halt);
            if is_one { Failure::One(error) } else { Failure::All(error) }
        })
    }

    /// The connection, set to wait for the disk or not.
    fn connection(&mut self, durable: bool) -> Result<&Connection, StoreError> {
        let db = match self.db.take() {
            Some(db) => db,
            None => {
                self.synced = true;
                self.database.writer()?
            }
        };
        let db = self.db.insert(db);
        if self.synced != durable {
            let level =
                if durable { "PRAGMA synchronous = FULL" } else { "PRAGMA synchronous = NORMAL" };
            db.execute_batch(level).map_err(|error| self.database.explain(error.into()))?;
            self.synced = durable;
        }
        Ok(db)
    }

    /// Leaves the transaction, and the connection too if it may be the cause.
    fn recover(&mut self, halt: &Halt) {
        tracing::warn!(file = self.database.shown(), ?halt, "a write failed");
        let Some(db) = &self.db else { return };
        let rolled_back = db.is_autocommit() || db.execute_batch("ROLLBACK").is_ok();
        if spoils_connection(halt) || !rolled_back {
            self.db = None;
        }
    }
}

/// What stopped the transaction, and whether it is one job's own.
fn attempt(db: &Connection, file: &str, jobs: &mut [Box<dyn Job>]) -> Result<(), (Halt, bool)> {
    let execute = |sql| -> Result<(), Halt> {
        db.prepare_cached(sql)?.execute([])?;
        Ok(())
    };
    execute("BEGIN IMMEDIATE").map_err(|halt| (halt, false))?;
    jobs.iter_mut().try_for_each(|job| job.run(db, file)).map_err(|halt| (halt, true))?;
    execute("COMMIT").map_err(|halt| (halt, false))
}

fn settle(
    jobs: impl IntoIterator<Item = Box<dyn Job>>,
    fate: &Result<(), StoreError>,
) -> Vec<Box<dyn Job>> {
    jobs.into_iter().filter_map(|job| job.settle(fate.clone())).collect()
}
