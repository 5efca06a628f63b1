//! The commit room: what a request's end asks of the store, and what the answer makes of the
//! response. When something is written is decided here and nowhere else.
//!
//! Pure: no I/O, no clock. `visit` carries the decisions out.

use http::StatusCode;

/// What the handler left behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Left {
    /// Edits are waiting.
    pub(crate) edits: bool,
    /// The activity is due to be recorded.
    pub(crate) touch: bool,
    /// The token is due to be renewed.
    pub(crate) renewal: bool,
}

/// What is done with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    pub(crate) edits: Edits,
    pub(crate) then: Then,
}

/// What is done with the edits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Edits {
    /// There are none.
    None,
    /// They are committed, with the activity if it is due.
    Commit,
    /// They are dropped.
    Drop,
}

/// What comes after the edits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Then {
    /// Nothing.
    Nothing,
    /// The activity is recorded, unless the edits carried it; nobody waits for it.
    Touch,
    /// The token is renewed, which is activity too.
    Renew,
}

/// The outcome table for the handler's side: a handler that failed leaves no edits, and is
/// activity all the same.
pub(crate) const fn plan(status: StatusCode, keep_on_error: bool, left: Left) -> Plan {
    let failed = status.as_u16() >= 500 && !keep_on_error;
    let edits = match (left.edits, failed) {
        (false, true | false) => Edits::None,
        (true, false) => Edits::Commit,
        (true, true) => Edits::Drop,
    };
    let then = match (left.renewal, left.touch) {
        (true, true | false) => Then::Renew,
        (false, true) => Then::Touch,
        (false, false) => Then::Nothing,
    };
    Plan { edits, then }
}

/// What became of the edits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Landing {
    /// They are in the store, or there were none.
    Landed,
    /// Their session is over, or they do not fit into it: nothing was written.
    Lost,
    /// The store is away or the replays are exhausted.
    Unknown,
}

/// What the client gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reply {
    /// The handler's response.
    Handlers,
    /// The error, and why.
    Error,
    /// The error, without an invitation to send the request again: its handler ran, and what else
    /// it did may have happened.
    ErrorOutcomeUnknown,
}

/// The outcome table for the client's side.
pub(crate) const fn reply(landing: Landing, safe_method: bool) -> Reply {
    match (landing, safe_method) {
        (Landing::Landed, true | false) => Reply::Handlers,
        (Landing::Lost, true | false) | (Landing::Unknown, true) => Reply::Error,
        (Landing::Unknown, false) => Reply::ErrorOutcomeUnknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OK: StatusCode = StatusCode::OK;
    const NOTHING: Left = Left { edits: false, touch: false, renewal: false };

    #[test]
    fn edits_are_committed_below_500_and_dropped_from_there_on() {
        let left = Left { edits: true, ..NOTHING };
        for status in [200, 303, 404, 499] {
            let status = StatusCode::from_u16(status).unwrap();
            assert_eq!(plan(status, false, left).edits, Edits::Commit);
        }
        for status in [500, 503] {
            let status = StatusCode::from_u16(status).unwrap();
            assert_eq!(plan(status, false, left).edits, Edits::Drop);
            assert_eq!(plan(status, true, left).edits, Edits::Commit);
        }
        assert_eq!(plan(OK, false, NOTHING).edits, Edits::None);
    }

    #[test]
    fn activity_is_recorded_whatever_the_handler_answered() {
        for (status, edits) in [(OK, true), (OK, false), (StatusCode::BAD_GATEWAY, true)] {
            let then = |touch, renewal| plan(status, false, Left { edits, touch, renewal }).then;
            assert_eq!(then(false, false), Then::Nothing);
            assert_eq!(then(true, false), Then::Touch);
            assert_eq!((then(false, true), then(true, true)), (Then::Renew, Then::Renew));
        }
    }

    #[test]
    fn only_an_unsafe_request_that_ran_leaves_its_outcome_open() {
        assert_eq!(reply(Landing::Landed, false), Reply::Handlers);
        assert_eq!(reply(Landing::Lost, false), Reply::Error);
        assert_eq!(reply(Landing::Unknown, true), Reply::Error);
        assert_eq!(reply(Landing::Unknown, false), Reply::ErrorOutcomeUnknown);
    }
}
