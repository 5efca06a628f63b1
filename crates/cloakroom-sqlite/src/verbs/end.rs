use cloakroom_store::{End, Ended, Ending, Target, Timestamp};
use rusqlite::Connection;

use crate::fault::{self, Halt};
use crate::graves;
use crate::places::{self, Place};
use crate::rows;

/// Ends one session, live or dormant, and remembers why.
pub(crate) fn end(
    db: &Connection,
    target: Target,
    ending: Ending,
    now: Timestamp,
) -> Result<End, Halt> {
    match find(db, &target, now)? {
        Place::Live(stored) | Place::Dormant(stored, _) => {
            graves::bury(db, (stored.row, stored.record.id()), &stored.key, &ended(ending, now))?;
            Ok(End::Ended(stored.record))
        }
        Place::Forwarded(_) => Ok(End::Stale),
        Place::Gone(known) => Ok(End::Gone(known)),
    }
}

/// What is behind the target. Of a damaged session it is what can still be read.
fn find(db: &Connection, target: &Target, now: Timestamp) -> Result<Place, Halt> {
    let found = match target {
        Target::Key(key) => places::find(db, key, now),
        Target::Id(id) => rows::by_id(db, *id)
            .map(|stored| stored.map_or(Place::Gone(None), |stored| places::judge(stored, now))),
    };
    let halt = match found {
        Err(halt) if fault::is_damage(&halt) => halt,
        found => return found,
    };
    let Some(stored) = rows::remains(db, target)? else { return Err(halt) };
    tracing::warn!(?halt, "a session that is over could not be read whole");
    Ok(places::judge(stored, now))
}

/// What is remembered of a session that was ended at `now`.
pub(super) const fn ended(ending: Ending, now: Timestamp) -> Ended {
    Ended { reason: ending.reason, by: ending.by, at: now }
}
