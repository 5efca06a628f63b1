//! Changes of the session's data: edits that wait for the end of the request, and updates that land
//! at once.

use super::{Standing, Visit};
use crate::error::{Error, ErrorKind, Result};
use crate::event;
use crate::manager::told;
use crate::queue::{Caller, Change, Compute};
use crate::store::{Fields, Ops, Record, SessionId, StoreError};

/// What was asked for, to be computed on the newest fields.
pub(crate) enum Edit {
    /// Depends on what was there.
    Edit(Box<Run>),
    /// Replaces whole fields.
    Set(Ops),
}

/// Adds what an edit changes in these fields.
type Run = dyn Fn(&Fields, &mut Ops) -> Result<(), StoreError> + Send;

impl Edit {
    fn run(&self, fields: &Fields, ops: &mut Ops) -> Result<(), StoreError> {
        match self {
            Self::Edit(edit) => edit(fields, ops),
            Self::Set(set) => {
                ops.append(set);
                Ok(())
            }
        }
    }

    const fn depends(&self) -> bool {
        match self {
            Self::Edit(_) => true,
            Self::Set(_) => false,
        }
    }
}

impl Visit {
    /// Keeps an edit for the end of the request.
    pub(crate) fn keep(&self, edit: Edit) -> Result<()> {
        self.open_state()?.edits.push(edit);
        Ok(())
    }

    /// Lands the edits that wait and then `compute`, in one commit. Gives the fields as they are
    /// in the store, or as they would be for a visitor who still has no session.
    pub(crate) async fn change(&self, compute: Option<&mut Compute<'_>>) -> Result<Fields> {
        let _turn = self.turn().await?;
        drop(self.open_state()?);
        self.change_in_turn(compute).await
    }

    /// [`Visit::change`] for a caller who has the turn.
    pub(super) async fn change_in_turn(&self, compute: Option<&mut Compute<'_>>) -> Result<Fields> {
        let standing = self.standing_for_change().await?;
        let updates = compute.is_some();
        let mut taken = Taken::take(self);
        let landed = self.land(&standing, &mut taken, compute).await;
        match &landed {
            // The edits are fine by themselves: it was the update that did not fit.
            Err(error) if updates && *error.kind() == ErrorKind::Refused => taken.has_run = false,
            Err(error) => taken.fail(error, standing.session_id()),
            Ok(_) => taken.is_settled = true,
        }
        landed
    }

    async fn land(
        &self,
        standing: &Standing,
        taken: &mut Taken<'_>,
        mut compute: Option<&mut Compute<'_>>,
    ) -> Result<Fields> {
        let mut all = |fields: &Fields| {
            taken.has_run = true;
            all_of(&mut taken.edits, compute.as_deref_mut(), fields)
        };
        match standing {
            Standing::Present { record, .. } => {
                let landed = self.land_in_session(standing, &mut all).await?;
                Ok(landed.unwrap_or_else(|| record.clone()).fields().clone())
            }
            Standing::Lost { ended } => Err(Error::gone(*ended)),
            Standing::Anonymous { .. } | Standing::Dormant { .. } => {
                let empty = Fields::default();
                let Change { ops, .. } = all(&empty)?;
                if ops.is_empty() {
                    return Ok(empty);
                }
                Ok(self.create_in_turn(ops).await?.fields().clone())
            }
        }
    }

    async fn land_in_session(
        &self,
        standing: &Standing,
        all: &mut Compute<'_>,
    ) -> Result<Option<Record>> {
        let Standing::Present { key, record, forwarded } = standing else { return Ok(None) };
        let manager = &self.manager;
        let touch = self.state().touch;
        let store: &dyn crate::store::Store = &*manager.store;
        let (now, running, circuit) = (manager.now(), &manager.running, &manager.circuit);
        let wait = manager.policy.store_wait;
        let caller = Caller { store, key: *key, record, touch, now, running, circuit, wait };
        let changed = manager.within(manager.queues.change(&caller, all)).await;
        let landed = match told("commit", changed) {
            Ok(landed) => landed,
            Err(error) => return Err(self.note_gone(error)),
        };
        if let Some(landed) = &landed {
            // Another member of the batch may have come with another ticket of this session.
            let mine = landed.seen_as(record.identity().clone());
            let mut state = self.state();
            state.touch = None;
            state.standing =
                Some(Standing::Present { key: *key, record: mine, forwarded: *forwarded });
        }
        Ok(landed)
    }

    /// Remembers that the session is over, so that nothing more is tried with it.
    pub(super) fn note_gone(&self, error: Error) -> Error {
        if let ErrorKind::Gone(ended) = error.kind() {
            let mut state = self.state();
            state.touch = None;
            state.standing = Some(Standing::Lost { ended: *ended });
        }
        error
    }
}

/// The edits that waited, while they are landing. A handler may give up a change that it awaits:
/// then they wait again, or, if they may be in a commit already, the end of the request says that
/// their outcome is not known.
struct Taken<'a> {
    visit: &'a Visit,
    edits: Vec<Edit>,
    has_run: bool,
    is_settled: bool,
}

impl<'a> Taken<'a> {
    fn take(visit: &'a Visit) -> Self {
        let edits = std::mem::take(&mut visit.state().edits);
        Self { visit, edits, has_run: false, is_settled: false }
    }
}

impl Taken<'_> {
    /// The edits did not land. The end of the request says so, whatever the handler answers.
    fn fail(&mut self, error: &Error, session: Option<SessionId>) {
        self.is_settled = true;
        if !self.edits.is_empty() {
            event::edits_dropped(session, self.edits.len(), error.code());
            self.visit.state().lost = Some(error.clone());
        }
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        if self.is_settled || self.edits.is_empty() {
            return;
        }
        let mut state = self.visit.state();
        if self.has_run {
            let unknown = "the handler gave up a change that was landing";
            state.lost = Some(Error::unavailable(unknown));
        } else {
            let newer = std::mem::replace(&mut state.edits, std::mem::take(&mut self.edits));
            state.edits.extend(newer);
        }
    }
}

fn all_of(
    edits: &mut [Edit],
    compute: Option<&mut Compute<'_>>,
    fields: &Fields,
) -> Result<Change> {
    let mut ops = Ops::new();
    let mut working = fields.clone();
    let mut versioned = false;
    for edit in edits {
        versioned |= edit.depends();
        let mut step = Ops::new();
        edit.run(&working, &mut step)?;
        working = working.apply(&step)?;
        ops.append(&step);
    }
    if let Some(compute) = compute {
        let last = compute(&working)?;
        ops.append(&last.ops);
        versioned |= last.versioned;
    }
    Ok(Change { ops, versioned })
}
