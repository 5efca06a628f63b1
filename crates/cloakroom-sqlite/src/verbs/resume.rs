use cloakroom_store::{By, Draft, Ended, Keep, Key, Reason, Record, Resume, StoreError, Timestamp};
use rusqlite::Connection;

use crate::fault::Halt;
use crate::graves;
use crate::places::{self, Place};
use crate::rows;

/// Begins a new session of the same user behind the key of a dormant one.
pub(crate) fn resume(
    db: &Connection,
    key: &Key,
    draft: &Draft,
    keep: &Keep,
    now: Timestamp,
) -> Result<Resume, Halt> {
    let stored = match places::find(db, key, now)? {
        Place::Live(stored) => return Ok(Resume::Live(stored.record)),
        Place::Forwarded(forwarded) => return Ok(Resume::Live(forwarded.view())),
        Place::Dormant(stored, _) => stored,
        Place::Gone(ended) => return Ok(Resume::Gone(ended)),
    };
    if draft.identity.user != stored.record.identity().user {
        return Err(StoreError::refused("a resumed session belongs to the same user").into());
    }
    if rows::has_id(db, draft.id)? {
        return Err(StoreError::refused("the id of a resumed session is in use").into());
    }
    let kept = stored.record.fields().retain(|name| keep.keeps(name));
    let record = Record::new(draft.clone(), &kept)?;
    graves::remove(db, stored.row, &Ended { reason: Reason::Replaced, by: By::HOLDER, at: now })?;
    rows::insert(db, key, &record)?;
    Ok(Resume::Done(record))
}
