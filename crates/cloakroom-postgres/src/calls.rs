//! What each verb sends and what its answer means.

use std::sync::Arc;

use cloakroom_store::{
    Commit, Count, Create, Draft, End, EndedAll, Ending, Expect, Keep, Key, Limit, Loads, Ops,
    Page, Record, Resume, Rotate, Rotation, SessionId, StoreError, Swept, Target, Timestamp, Touch,
    UserId,
};
use tokio_postgres::Row;

use crate::fault;
use crate::lines::{Failure, Lines};
use crate::params::{
    after, bare, beginning, bound, bytes, expected, kept, params, renewing, replacing,
};
use crate::places::{self, Place};
use crate::rows::{self, millis};
use crate::touches::committed;
use crate::verbs::Verb;

/// How many rows one step of a sweep looks at, so that no step holds locks for long.
const LOOK: i64 = 500;

/// The verbs, each one statement.
#[derive(Clone)]
pub(crate) struct Calls(pub(crate) Arc<Lines>);

impl Calls {
    pub(crate) async fn load(self, keys: Vec<Key>, now: Timestamp) -> Result<Loads, StoreError> {
        let places = match keys.as_slice() {
            [key] => {
                let rows = self.0.ask(Verb::Load, params![bytes(key)]).await?;
                vec![place(rows.first(), now)?]
            }
            keys => {
                let all: Vec<_> = keys.iter().map(bytes).collect();
                let rows = self.0.ask(Verb::LoadAll, params![all]).await?;
                let of = |number| rows.iter().find(|row| numbered(row) == Some(number));
                (1..)
                    .zip(keys)
                    .map(|(number, _)| place(of(number), now))
                    .collect::<Result<_, _>>()?
            }
        };
        for (key, place) in keys.iter().zip(&places) {
            if matches!(place, Place::Live(_, true)) {
                self.confirm(key, now).await;
            }
        }
        Ok(places.into_iter().map(Place::load).collect())
    }

    /// Notes that a renewed token has been seen. If it cannot be noted, the older token works up to
    /// its cap at most, and a later load notes it.
    async fn confirm(&self, key: &Key, now: Timestamp) {
        let noted = self.0.ask(Verb::Confirm, params![bytes(key), millis(now)]).await;
        if let Err(failure) = noted {
            let error = StoreError::from(failure);
            tracing::warn!(%error, "the grace of a renewed ticket has not begun");
        }
    }

    pub(crate) async fn create(
        self,
        key: Key,
        record: Record,
        limit: Option<Limit>,
        now: Timestamp,
    ) -> Result<Create, StoreError> {
        let mut params = params![bytes(&key)];
        params.extend(beginning(&record));
        params.push(Box::new(rows::members(record.fields())));
        params.extend(bound(limit));
        params.push(Box::new(millis(now)));
        let rows = self.0.ask(Verb::Create, params).await?;
        let row = only(&rows)?;
        match rows::outcome(row)? {
            "done" => Ok(Create::Done { record, evicted: rows::ids(row, rows::AFTER_ALL)? }),
            "full" => Ok(Create::LimitReached(held(&rows)?)),
            _ => Ok(Create::KeyTaken),
        }
    }

    pub(crate) async fn commit(
        self,
        (key, expect): (Key, Expect),
        ops: Ops,
        touch: Option<Touch>,
        durably: bool,
        now: Timestamp,
    ) -> Result<Commit, StoreError> {
        let (names, members) = rows::changes(&ops);
        let params = params![
            bytes(&key),
            expected(expect),
            names,
            members,
            touch.map(|touch| millis(touch.seen)),
            touch.map(|touch| millis(touch.idle_deadline)),
            durably,
            millis(now),
        ];
        committed(&self.0.ask(Verb::Commit, params).await?, now)
    }

    pub(crate) async fn rotate(
        self,
        old: Key,
        new: Key,
        rotation: Rotation,
        now: Timestamp,
    ) -> Result<Rotate, StoreError> {
        let keys = (&old, &new);
        let (verb, params) = match rotation {
            Rotation::Privilege { draft, keep, limit, ending } => {
                (Verb::Replace, replacing(keys, draft, &keep, limit, ending, now)?)
            }
            Rotation::Renewal { identity, times, grace, cap } => {
                (Verb::Renew, renewing(keys, identity, times, (grace, now.plus(cap)), now))
            }
        };
        let rows = match self.0.ask(verb, params).await {
            Err(Failure::Engine(error)) if fault::is_taken(&error) => return Ok(Rotate::KeyTaken),
            asked => asked?,
        };
        let row = only(&rows)?;
        match rows::outcome(row)? {
            "done" => {
                // A renewal evicts nobody.
                let evicted = if verb == Verb::Replace {
                    rows::ids(row, rows::AFTER_ALL)?
                } else {
                    Vec::new()
                };
                Ok(Rotate::Done { record: rows::record_of(row)?, evicted })
            }
            "full" => Ok(Rotate::LimitReached(held(&rows)?)),
            "stale" => Ok(Rotate::Stale),
            "taken" => Ok(Rotate::KeyTaken),
            "user" => Err(StoreError::refused(
                "a renewal keeps the user; another one is a privilege change",
            )),
            _ => Ok(Rotate::Gone(places::ending(row, now)?)),
        }
    }

    pub(crate) async fn resume(
        self,
        key: Key,
        draft: Draft,
        keep: Keep,
        now: Timestamp,
    ) -> Result<Resume, StoreError> {
        let (names, members) = rows::changes(&draft.ops);
        let record = bare(draft)?;
        let mut params = params![bytes(&key), kept(&keep), names, members];
        params.extend(beginning(&record));
        params.push(Box::new(millis(now)));
        let id_taken = || StoreError::refused("the id of a resumed session is in use");
        let rows = match self.0.ask(Verb::Resume, params).await {
            Err(Failure::Engine(error)) if fault::is_taken(&error) => return Err(id_taken()),
            asked => asked?,
        };
        let row = only(&rows)?;
        match rows::outcome(row)? {
            "done" => Ok(Resume::Done(rows::record_of(row)?)),
            "live" => Ok(Resume::Live(places::view(row)?)),
            "user" => Err(StoreError::refused("a resumed session belongs to the same user")),
            "id" => Err(id_taken()),
            _ => Ok(Resume::Gone(places::ending(row, now)?)),
        }
    }

    pub(crate) async fn end(
        self,
        target: Target,
        ending: Ending,
        now: Timestamp,
    ) -> Result<End, StoreError> {
        let (key, id) = match target {
            Target::Key(key) => (Some(bytes(&key)), None),
            Target::Id(id) => (None, Some(id.as_bytes().to_vec())),
        };
        let params = params![key, id, ending.reason.code(), ending.by.to_string(), millis(now)];
        let rows = self.0.ask(Verb::End, params).await?;
        let row = only(&rows)?;
        match rows::outcome(row)? {
            "ended" => Ok(End::Ended(remains(row)?)),
            "stale" => Ok(End::Stale),
            _ => Ok(End::Gone(places::ending(row, now)?)),
        }
    }

    pub(crate) async fn end_all(
        self,
        user: UserId,
        except: Option<SessionId>,
        ending: Ending,
        now: Timestamp,
    ) -> Result<EndedAll, StoreError> {
        let except = except.map(|id| id.as_bytes().to_vec());
        let (reason, by) = (ending.reason.code(), ending.by.to_string());
        let params = params![user.as_str().to_owned(), except, reason, by, millis(now)];
        let rows = self.0.ask(Verb::EndAll, params).await?;
        Ok(EndedAll { ended: rows::ids(only(&rows)?, 0)? })
    }

    pub(crate) async fn amend(
        self,
        user: UserId,
        ops: Ops,
        durably: bool,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let (names, members) = rows::changes(&ops);
        let params = params![user.as_str().to_owned(), names, members, durably, millis(now)];
        let rows = self.0.ask(Verb::Amend, params).await?;
        count_in(only(&rows)?, 0)
    }

    pub(crate) async fn list(
        self,
        user: UserId,
        page: Page,
        now: Timestamp,
    ) -> Result<Vec<Record>, StoreError> {
        let params =
            params![user.as_str().to_owned(), after(&page), millis(now), i64::from(page.limit)];
        self.0.ask(Verb::List, params).await?.iter().map(rows::record_of).collect()
    }

    pub(crate) async fn scan(self, page: Page, now: Timestamp) -> Result<Vec<Record>, StoreError> {
        let params = params![after(&page), millis(now), i64::from(page.limit)];
        self.0.ask(Verb::Scan, params).await?.iter().map(rows::record_of).collect()
    }

    pub(crate) async fn count(self, now: Timestamp) -> Result<Count, StoreError> {
        let rows = self.0.ask(Verb::Count, params![millis(now)]).await?;
        let row = only(&rows)?;
        Ok(Count { sessions: count_in(row, 0)?, signed_in: count_in(row, 1)? })
    }

    pub(crate) async fn sweep(self, now: Timestamp, limit: u32) -> Result<Swept, StoreError> {
        let mut removed = 0;
        loop {
            let left = i64::from(limit).saturating_sub(removed);
            let rows = self.0.ask(Verb::Sweep, params![millis(now), left, LOOK]).await?;
            let row = only(&rows)?;
            removed += rows::column::<i64>(row, 0)?;
            let outcome: &str = rows::column(row, 1)?;
            if outcome != "continue" {
                let removed = u64::try_from(removed).unwrap_or_default();
                return Ok(Swept { removed, more: outcome == "more" });
            }
        }
    }
}

/// The sessions that follow the outcome *full*: whoever has to end one can be shown each.
fn held(rows: &[Row]) -> Result<Vec<Record>, StoreError> {
    rows.iter().skip(1).map(remains).collect()
}

fn remains(row: &Row) -> Result<Record, StoreError> {
    rows::remains_of(row)?.ok_or_else(|| StoreError::corrupt("a stored session is missing"))
}

fn place(row: Option<&Row>, now: Timestamp) -> Result<Place, StoreError> {
    row.map_or(Ok(Place::Gone(None)), |row| Place::read(row, now))
}

/// For which of several keys a row is, counted from 1.
fn numbered(row: &Row) -> Option<i64> {
    rows::column(row, rows::AFTER_ALL).ok()
}

fn count_in(row: &Row, at: usize) -> Result<u64, StoreError> {
    let count = rows::column::<i64>(row, at)?;
    u64::try_from(count).map_err(|_| StoreError::corrupt("a count is below nothing"))
}

fn only(rows: &[Row]) -> Result<&Row, StoreError> {
    rows.first().ok_or_else(|| StoreError::corrupt("a call has no outcome"))
}
