//! The one thread that writes.
//!
//! It takes what is waiting as one transaction: the sync to disk in progress is the time in which
//! the next batch gathers, so that a lone write waits for nobody and many share one sync.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use cloakroom_store::StoreError;
use rusqlite::Connection;

use crate::checkpoint::Checkpoints;
use crate::database::{Database, WRITER_PATIENCE};
use crate::ears::{Door, Ears};
use crate::fault::{Halt, is_busy, spoils_connection};
use crate::jobs::Job;
use crate::queue::Intake;
use crate::reader::Readers;

/// How long it waits for the writer of another process before it looks around: changes of that one
/// are told meanwhile.
const SLICE: Duration = Duration::from_millis(100);

/// How often it does so before a batch fails.
const SLICES: u128 = WRITER_PATIENCE.as_millis() / SLICE.as_millis();

/// Changes the file, and listens whether others do.
pub(crate) struct Writer {
    database: Arc<Database>,
    /// None after an error that a new connection may not have.
    db: Option<Connection>,
    ears: Ears,
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
    /// A writer with a connection of its own.
    pub(crate) fn open(
        database: Arc<Database>,
        door: Arc<Door>,
        relaxed: bool,
    ) -> Result<Self, StoreError> {
        let mut writer = Self { database, db: None, ears: Ears::new(door), relaxed, synced: true };
        writer.connect()?;
        Ok(writer)
    }

    /// Lets it work. It ends when the store is closed or its last handle is dropped, after it has
    /// done what is waiting.
    pub(crate) fn start(self, readers: Arc<Readers>, intake: Intake) -> Result<(), StoreError> {
        let checkpoints = Checkpoints::start(Arc::clone(&self.database))?;
        thread::Builder::new()
            .name("cloakroom-sqlite".to_owned())
            .spawn(move || self.run(&readers, checkpoints, intake))
            .map(drop)
            .map_err(|error| StoreError::unavailable("no thread for the writer").because(error))
    }

    fn run(mut self, readers: &Readers, checkpoints: Checkpoints, mut intake: Intake) {
        while let Some(jobs) = intake.next_batch(self.ears.patience()) {
            if !jobs.is_empty() {
                for job in self.settle_batch(jobs) {
                    intake.push_again(job);
                }
                if let Some(db) = &self.db {
                    checkpoints.look(db);
                }
            }
            self.look_around();
        }
        drop(self.ears);
        readers.close();
        if let Some(db) = self.db.take() {
            // A shorter wait than it could be leaves a log behind, which loses nothing.
            let _ = db.busy_timeout(WRITER_PATIENCE);
            checkpoints.finish(&db);
        }
        intake.finish();
    }

    /// Tells those who listen what others changed, or that it cannot be known. After a failure each
    /// look tries a new connection.
    fn look_around(&mut self) {
        if !self.ears.are_used() {
            return;
        }
        let there = self.database.still_there().and_then(|()| self.connect());
        match &self.db {
            Some(db) if there.is_ok() => {
                if self.ears.look(db).is_err() {
                    self.db = None;
                }
            }
            Some(_) | None => self.ears.miss(),
        }
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
        self.connect().and_then(|()| self.synchronise(durable)).map_err(Failure::All)?;
        let done = self.attempt(jobs);
        done.map_err(|(halt, is_one)| {
            self.recover(&halt);
            let error = self.database.explain(halt);
            if is_one { Failure::One(error) } else { Failure::All(error) }
        })
    }

    /// What stopped the transaction, and whether it is one job's own.
    fn attempt(&mut self, jobs: &mut [Box<dyn Job>]) -> Result<(), (Halt, bool)> {
        self.begin().map_err(|halt| (halt, false))?;
        let db = self.connection().map_err(|halt| (halt, false))?;
        let file = self.database.shown();
        jobs.iter_mut().try_for_each(|job| job.run(db, file)).map_err(|halt| (halt, true))?;
        self.execute("COMMIT").map_err(|halt| (halt, false))
    }

    /// Begins when no other process writes, and looks around while one does.
    fn begin(&mut self) -> Result<(), Halt> {
        for _ in 1..SLICES {
            match self.execute("BEGIN IMMEDIATE") {
                Err(halt) if is_busy(&halt) => self.look_around(),
                begun => return begun,
            }
        }
        self.execute("BEGIN IMMEDIATE")
    }

    fn execute(&self, sql: &str) -> Result<(), Halt> {
        self.connection()?.prepare_cached(sql)?.execute([])?;
        Ok(())
    }

    fn connection(&self) -> Result<&Connection, Halt> {
        let lost = || Halt::Told(StoreError::unavailable("the connection to the file was lost"));
        self.db.as_ref().ok_or_else(lost)
    }

    /// Sees to it that there is a connection.
    fn connect(&mut self) -> Result<(), StoreError> {
        if self.db.is_none() {
            let db = self.database.writer()?;
            db.busy_timeout(SLICE).map_err(|error| self.database.explain(error.into()))?;
            self.synced = true;
            self.db = Some(db);
        }
        Ok(())
    }

    /// Lets the connection wait for the disk, or not.
    fn synchronise(&mut self, durable: bool) -> Result<(), StoreError> {
        if self.synced != durable {
            let level =
                if durable { "PRAGMA synchronous = FULL" } else { "PRAGMA synchronous = NORMAL" };
            let done = self.execute(level);
            done.map_err(|halt| self.database.explain(halt))?;
            self.synced = durable;
        }
        Ok(())
    }

    /// Leaves the transaction, and the connection too if it may be the cause.
    fn recover(&mut self, halt: &Halt) {
        tracing::warn!(file = self.database.shown(), ?halt, "a write failed");
        let Some(db) = &self.db else { return };
        let rolled_back = db.is_autocommit() || db.execute_batch("ROLLBACK").is_ok();
        if spoils_connection(halt) || !rolled_back {
            self.db = None;
            self.ears.miss();
        }
    }
}

fn settle(
    jobs: impl IntoIterator<Item = Box<dyn Job>>,
    fate: &Result<(), StoreError>,
) -> Vec<Box<dyn Job>> {
    jobs.into_iter().filter_map(|job| job.settle(fate.clone())).collect()
}

#[cfg(test)]
mod tests;
