//! Whether a store and the model say the same, and how it reads if they do not.

use std::fmt::Debug;

use cloakroom_store::{
    Answer, Commit, Count, Create, End, Load, Record, Resume, Rotate, SessionId,
};

use super::identity::Outcome;
use crate::executor::block_on;

/// What differs, if anything does.
pub(super) type Checked = Result<(), String>;

pub(super) fn answered<T>(answer: Answer<T>) -> Outcome<T> {
    block_on(answer).map_err(|error| error.kind())
}

#[allow(clippy::needless_pass_by_value, reason = "both were made to be compared")]
pub(super) fn same<T: PartialEq + Debug + Shown>(
    expected: Outcome<T>,
    said: Outcome<T>,
) -> Checked {
    if expected == said {
        return Ok(());
    }
    Err(format!("the store says {}\nthe model says {}", shown(&said), shown(&expected)))
}

pub(super) fn shown<T: Debug + Shown>(outcome: &Outcome<T>) -> String {
    let Ok(value) = outcome else { return format!("{outcome:?}") };
    let records = value.records();
    let fields: Vec<_> = records.iter().map(|record| record.fields().as_json()).collect();
    format!("{value:?} with {fields:?}")
}

/// An outcome with records, whose fields do not show by themselves.
pub(super) trait Shown {
    fn records(&self) -> Vec<&Record>;
}

macro_rules! shown {
    ($($outcome:ty: $($pattern:pat => $records:expr),*;)*) => {$(
        impl Shown for $outcome {
            fn records(&self) -> Vec<&Record> {
                match self { $($pattern => $records),* }
            }
        }
    )*};
}
shown! {
    Create: Create::Done { record, .. } => vec![record], Create::LimitReached(all) => all.iter().collect(),
        Create::KeyTaken => vec![];
    Rotate: Rotate::Done { record, .. } => vec![record], Rotate::LimitReached(all) => all.iter().collect(),
        Rotate::KeyTaken | Rotate::Stale | Rotate::Gone(_) => vec![];
    Resume: Resume::Done(record) | Resume::Live(record) => vec![record], Resume::Gone(_) => vec![];
    Commit: Commit::Done(record) | Commit::Conflict(record) => vec![record], Commit::Gone(_) => vec![];
    End: End::Ended(record) => vec![record], End::Stale | End::Gone(_) => vec![];
    Vec<Load>: loads => loads.iter().filter_map(|load| match load {
        Load::Live(record) | Load::Forwarded(record) | Load::Dormant(record) => Some(record),
        Load::Gone(_) => None,
    }).collect();
    Vec<Record>: all => all.iter().collect();
    Vec<SessionId>: _ => vec![];
    Count: _ => vec![];
    u64: _ => vec![];
}
