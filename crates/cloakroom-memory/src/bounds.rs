//! How much a store holds at most.

use cloakroom_store::Record;

/// Sessions that a store holds unless told otherwise: one million, which with data of 300 bytes
/// each is about 700 MB, what one server can spare.
pub const SESSIONS_MAX: usize = 1_000_000;

/// Bytes that a store holds unless told otherwise: 1 GiB, so that sessions that are all as large as
/// they may be do not take sixty times the memory that [`SESSIONS_MAX`] of the usual size do.
pub const BYTES_MAX: usize = 1 << 30;

/// Reasons of endings that a store remembers: a sign-out every second of a day is 86,400. At 64
/// bytes and a half-full table that is about 10 MB. Beyond it the oldest are dropped, shard by
/// shard; nothing but the answer to "why was I signed out?" depends on them.
pub const TOMBSTONES_MAX: usize = 100_000;

/// Keys from before a renewal that forward to one session at a time. With an hourly renewal there
/// is one; more come from steps up in quick succession, and the oldest is forgotten first.
pub(crate) const FORWARDS_MAX: usize = 8;

/// Parts of the table. A sweep looks through one at a time: of a million sessions about a thousand.
/// Where orders of steps are tried there are few, so that keys meet in them.
pub(crate) const SHARDS: usize = if cfg!(all(test, shuttle)) { 4 } else { 1024 };

/// What a session takes beside its data: its slot at a usual filling of the table, the block of its
/// record and its place in the index.
const SESSION_BYTES: usize = 400;

/// What a user takes beside the id, with its place in the index.
const USER_BYTES: usize = 120;

/// What a key that forwards takes, with its place in the index.
pub(crate) const FORWARD_BYTES: usize = 300;

/// What one field takes beside its text.
const FIELD_BYTES: usize = 16;

/// The limits of one store.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    pub(crate) sessions: usize,
    pub(crate) bytes: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { sessions: SESSIONS_MAX, bytes: BYTES_MAX }
    }
}

/// About how many bytes a session takes.
pub(crate) fn cost(record: &Record) -> usize {
    let user = record.identity().user.as_ref().map_or(0, |user| USER_BYTES + user.as_str().len());
    let client = record.client().user_agent.as_ref().map_or(0, |agent| agent.len());
    let fields = record.fields();
    SESSION_BYTES + user + client + fields.as_json().len() + fields.len() * FIELD_BYTES
}
