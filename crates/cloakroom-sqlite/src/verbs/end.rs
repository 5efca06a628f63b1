use cloakroom_store::{End, Ended, Ending, Target, Timestamp};
use rusqlite::Connection;

use crate::fault::Halt;
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
    let place = match target {
        Target::Key(key) => places::find(db, &key, now)?,
        Target::Id(id) => match rows::by_id(db, id)? {
            Some(stored) => places::judge(stored, now),
            None => Place::Gone(None),
        },
    };
    match place {
        Place::Live(stored) | Place::Dormant(stored, _) => {
            graves::bury(db, (stored.row, stored.record.id()), &stored.key, &ended(ending, now))?;
            Ok(End::Ended(stored.record))
        }
        Place::Forwarded(_) => Ok(End::Stale),
        Place::Gone(known) => Ok(End::Gone(known)),
    }
}

/// What is remembered of a session that was ended at `now`.
pub(super) const fn ended(ending: Ending, now: Timestamp) -> Ended {
    Ended { reason: ending.reason, by: ending.by, at: now }
}
