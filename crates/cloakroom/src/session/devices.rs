//! The signed-in user's sessions, as a list of devices shows them.

use std::cmp::Reverse;

use super::Session;
use crate::data::SessionData;
use crate::error::{Error, Result};
use crate::store::{By, Ending, Reason, Record, SessionId};
use crate::visit::Standing;

/// The signed-in user's other sessions.
impl<T: SessionData> Session<T> {
    /// The user's sessions: this one first, then those seen most recently. None for an anonymous
    /// visitor.
    ///
    /// # Errors
    ///
    /// The store is away.
    pub async fn devices(&self) -> Result<Vec<Device>> {
        let Some(user) = self.user() else { return Ok(Vec::new()) };
        let here = self.id();
        let records = self.visit.manager.list(&user).await?;
        let device = |record: Record| Device { here: Some(record.id()) == here, record };
        let mut devices: Vec<_> = records.into_iter().map(device).collect();
        devices.sort_by_key(|device| (!device.here, Reverse(device.record.times().seen)));
        Ok(devices)
    }

    /// Ends one of the user's sessions. `false` if it is not theirs or over already. After ending the
    /// one of this request, an edit in the same request is answered with 409: sign out instead.
    ///
    /// # Errors
    ///
    /// This ticket was renewed by another request, or the store is away.
    pub async fn end(&self, session: SessionId) -> Result<bool> {
        self.refuse_stale().await?;
        let Some(user) = self.user() else { return Ok(false) };
        let theirs = self.visit.manager.list(&user).await?;
        if !theirs.iter().any(|record| record.id() == session) {
            return Ok(false);
        }
        self.visit.manager.end(session, Ending::revoked(By::USER)).await
    }

    /// Ends all of the user's sessions but this one, and says how many they were.
    ///
    /// # Errors
    ///
    /// This ticket was renewed by another request, or the store is away.
    pub async fn end_others(&self) -> Result<usize> {
        self.end_others_because(Reason::Revoked).await
    }

    /// [`end_others`](Self::end_others) with another reason, such as
    /// [`Reason::CredentialsChanged`] after a new password (ASVS 5.0 7.4.3).
    ///
    /// It ends the sessions that exist. A sign-in that checked the old password before the change and
    /// lands after it stays: store the new password first, and keep sign-ins out meanwhile.
    ///
    /// # Errors
    ///
    /// This ticket was renewed by another request, or the store is away.
    pub async fn end_others_because(&self, reason: Reason) -> Result<usize> {
        self.refuse_stale().await?;
        let (Some(user), Some(here)) = (self.user(), self.id()) else { return Ok(0) };
        let ending = Ending { reason, by: By::USER };
        self.visit.manager.end_all(&user, Some(here), ending).await
    }

    /// The store does not look at this session when it ends others, so it is asked itself: a session
    /// that was revoked elsewhere a moment ago must not end those of its user.
    async fn refuse_stale(&self) -> Result<()> {
        self.visit.require_fresh();
        match self.visit.standing().await? {
            Standing::Present { forwarded: true, .. } => Err(Error::stale()),
            Standing::Lost { ended } => Err(Error::gone(ended)),
            Standing::Present { forwarded: false, .. }
            | Standing::Anonymous { .. }
            | Standing::Dormant { .. } => Ok(()),
        }
    }
}

/// One of a user's sessions, for a list of devices.
#[derive(Clone, Debug)]
pub struct Device {
    /// Whether it is the session of this request.
    pub here: bool,
    /// The session.
    pub record: Record,
}
