use cloakroom_store::{Key, Load, Loads, Timestamp};
use rusqlite::{Connection, Transaction, TransactionBehavior};

use crate::fault::Halt;
use crate::places::{self, Place};
use crate::rows;

/// What a load found.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) loads: Loads,
    /// The renewed keys that this load is the first one through.
    pub(crate) unseen: Vec<Key>,
}

/// What is behind each of `keys`.
///
/// One key that a session has is one statement. Everything else is looked up in one snapshot:
/// between two statements a rotation might move the session from one key to another.
pub(crate) fn load(db: &Connection, keys: &[Key], now: Timestamp) -> Result<Found, Halt> {
    if let [key] = keys
        && let Some(stored) = rows::by_key(db, key)?
    {
        return Ok(found([(*key, places::judge(stored, now))]));
    }
    let snapshot = Transaction::new_unchecked(db, TransactionBehavior::Deferred)?;
    let find = |key: &Key| Ok((*key, places::find(&snapshot, key, now)?));
    let places = keys.iter().map(find).collect::<Result<Vec<_>, Halt>>()?;
    snapshot.finish()?;
    Ok(found(places))
}

fn found(places: impl IntoIterator<Item = (Key, Place)>) -> Found {
    let mut unseen = Vec::new();
    let mut loaded = |(key, place)| match place {
        Place::Live(stored) => {
            if stored.unseen {
                unseen.push(key);
            }
            Load::Live(stored.record)
        }
        Place::Forwarded(forwarded) => Load::Forwarded(forwarded.view()),
        Place::Dormant(stored, _) => Load::Dormant(stored.record),
        Place::Gone(ended) => Load::Gone(ended),
    };
    let loads = places.into_iter().map(&mut loaded).collect();
    Found { loads, unseen }
}
