//! What happened, told once, with the reason and without secrets.
//!
//! Every event has the target `cloakroom` and a field `event`. Sessions are named by their public
//! id, which opens nothing.

use std::time::Duration;

use tracing::{debug, error, info, warn};

use crate::store::{Ended, Record, SessionId, UserId};

const TARGET: &str = "cloakroom";

fn user(record: &Record) -> &str {
    record.identity().user.as_ref().map_or("-", UserId::as_str)
}

pub(crate) fn created(record: &Record) {
    info!(target: TARGET, event = "created", session = %record.id(), user = user(record));
}

pub(crate) fn signed_in(record: &Record, evicted: &[SessionId]) {
    let factors = record.identity().factors;
    info!(target: TARGET, event = "signed_in", session = %record.id(), user = user(record), %factors);
    for session in evicted {
        info!(target: TARGET, event = "ended", %session, reason = "evicted", by = "system");
    }
}

pub(crate) fn renewed(record: &Record) {
    info!(target: TARGET, event = "renewed", session = %record.id(), user = user(record));
}

/// Another request may have been faster, which is no fault.
pub(crate) fn renewal_failed(code: &str) {
    debug!(target: TARGET, event = "renewal_failed", code);
}

pub(crate) fn resumed(record: &Record) {
    info!(target: TARGET, event = "resumed", session = %record.id(), user = user(record));
}

pub(crate) fn ended(session: SessionId, reason: &str, by: &str) {
    info!(target: TARGET, event = "ended", %session, reason, by);
}

/// A ticket came back whose session is over.
pub(crate) fn came_back(ended: Ended) {
    debug!(target: TARGET, event = "came_back", reason = %ended.reason, by = %ended.by);
}

pub(crate) fn ambiguous(live: usize) {
    warn!(target: TARGET, event = "ambiguous_tickets", live, "two sessions in one request: either may be planted");
}

pub(crate) fn too_many_tickets() {
    warn!(target: TARGET, event = "too_many_tickets", "more tickets than any browser of ours holds");
}

pub(crate) fn refused(code: &str, method: &http::Method, path: &str) {
    warn!(target: TARGET, event = "gate_refused", code, %method, path);
}

pub(crate) fn misfit(session: Option<SessionId>, field: &str) {
    let session = session.map_or_else(|| "-".to_owned(), |id| id.to_string());
    warn!(target: TARGET, event = "field_misfit", session, field, "no longer decodes: its default is used, what is stored stays");
}

pub(crate) fn edits_dropped(session: Option<SessionId>, edits: usize, why: &str) {
    let session = session.map_or_else(|| "-".to_owned(), |id| id.to_string());
    warn!(target: TARGET, event = "edits_dropped", session, edits, why);
}

pub(crate) fn store_failed(verb: &str, message: &dyn std::fmt::Display) {
    error!(target: TARGET, event = "store_failed", verb, error = %message);
}

/// From here on calls are held back, and their failures are told no more, until the store is back.
pub(crate) fn store_away(message: &dyn std::fmt::Display) {
    error!(target: TARGET, event = "store_away", error = %message, "requests are answered 503 at once until the store is back");
}

/// With how long nothing was answered, and how many calls were held back.
pub(crate) fn store_back(after: Duration, refused: u64) {
    warn!(target: TARGET, event = "store_back", ?after, refused);
}

/// The store is still away.
pub(crate) fn probe_failed(message: &dyn std::fmt::Display) {
    debug!(target: TARGET, event = "probe_failed", error = %message);
}

pub(crate) fn swept(removed: u64) {
    debug!(target: TARGET, event = "swept", removed);
}

/// A sign-in whose ticket never came back: the browser dropped the cookie.
pub(crate) fn ticket_never_returned() {
    warn!(
        target: TARGET,
        event = "ticket_never_returned",
        "a browser that was just signed in came back without its ticket: over plain http on a host \
         other than localhost, browsers drop Secure cookies; serve the site over https"
    );
}
