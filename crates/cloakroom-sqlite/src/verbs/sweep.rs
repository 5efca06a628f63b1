use cloakroom_store::Timestamp;
use rusqlite::{Connection, params};

use crate::fault::Halt;
use crate::feed;
use crate::graves;
use crate::rows::{self, Outline, millis, select_outlines};

/// How many rows one step looks at, so that a sweep never keeps other writers waiting for long.
const LOOK: u32 = 500;

/// What one step of a sweep came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    /// How many entries it freed.
    pub(crate) removed: u32,
    pub(crate) then: Then,
}

/// How a sweep goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Then {
    /// Another step is needed.
    Continue,
    /// The limit is reached, and there is more.
    More,
    /// There is no more.
    Clean,
}

/// Frees at most `limit` entries. With a limit of 0 it only finds out whether there are any.
pub(crate) fn sweep(db: &Connection, now: Timestamp, limit: u32) -> Result<Step, Halt> {
    let old_news = feed::forget(db, now)?;
    let due = due(db, now)?;
    let mut removed = 0;
    for outline in &due {
        if now < outline.sweepable_at {
            file_again(db, outline)?;
        } else if removed == limit {
            return Ok(Step { removed, then: Then::More });
        } else {
            free(db, outline, now)?;
            removed += 1;
        }
    }
    if due.len() == LOOK as usize {
        return Ok(Step { removed, then: Then::Continue });
    }
    removed += graves::bury_expired_forwarders(db, now, (limit - removed).min(LOOK))?;
    removed += graves::forget(db, now, (limit - removed).min(LOOK))?;
    let then = match graves::has_more(db, now)? {
        false if old_news => Then::Continue,
        false => Then::Clean,
        true if removed < limit => Then::Continue,
        true => Then::More,
    };
    Ok(Step { removed, then })
}

/// Sessions that would be over if they had not been touched, most overdue first.
fn due(db: &Connection, now: Timestamp) -> Result<Vec<Outline>, Halt> {
    let statement =
        db.prepare_cached(select_outlines!("WHERE sweep_at <= ?1 ORDER BY sweep_at LIMIT ?2"))?;
    rows::all(statement, params![millis(now), LOOK], Outline::read)
}

/// The lazy index learns the true deadline.
fn file_again(db: &Connection, outline: &Outline) -> Result<(), Halt> {
    db.prepare_cached("UPDATE sessions SET sweep_at = ?2 WHERE row = ?1")?
        .execute(params![outline.row, millis(outline.sweepable_at)])?;
    Ok(())
}

fn free(db: &Connection, outline: &Outline, now: Timestamp) -> Result<(), Halt> {
    match outline.times.expired(now) {
        Some(ended) if ended.is_kept(now) => {
            graves::bury(db, (outline.row, outline.id), &outline.key, &ended)
        }
        Some(ended) => graves::remove(db, outline.row, &ended),
        None => Ok(()),
    }
}
