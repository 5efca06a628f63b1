//! A read-only view, for pages that are worth serving while the store is away.

use std::fmt;
use std::sync::Arc;

use crate::data::SessionData;
use crate::error::{ErrorKind, Result};
use crate::roles::Roles;
use crate::session::Session;
use crate::store::{Ended, SessionId, UserId};
use crate::visit::{Standing, Visit};

/// The session, to look at. While the store is away it is that of an anonymous visitor, and says so;
/// the cookie stays, and the next request finds the session again.
pub struct View<T> {
    session: Session<T>,
    outage: bool,
}

impl<T: SessionData> View<T> {
    pub(crate) async fn load(visit: Arc<Visit>) -> Result<Self> {
        match Session::load(Arc::clone(&visit)).await {
            Ok(session) => Ok(Self { session, outage: false }),
            Err(error) if *error.kind() == ErrorKind::Unavailable => {
                let nobody = Standing::Anonymous { ended: None };
                Ok(Self { session: Session::of(visit, &nobody), outage: true })
            }
            Err(error) => Err(error),
        }
    }

    /// The data; the default's while the store is away.
    #[must_use]
    pub const fn data(&self) -> &T {
        self.session.data()
    }

    /// The signed-in user; nobody while the store is away.
    #[must_use]
    pub fn user(&self) -> Option<UserId> {
        self.session.user()
    }

    /// The names of the user's roles.
    #[must_use]
    pub fn roles(&self) -> Roles {
        self.session.roles()
    }

    /// The public id of the session, if there is one.
    #[must_use]
    pub fn id(&self) -> Option<SessionId> {
        self.session.id()
    }

    /// Why the session is over that the visitor's ticket was for.
    #[must_use]
    pub fn ended(&self) -> Option<Ended> {
        self.session.ended()
    }

    /// Whether the store is away, so that this view shows nobody although somebody may be there.
    #[must_use]
    pub const fn is_outage(&self) -> bool {
        self.outage
    }
}

impl<T> fmt::Debug for View<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("View")
            .field("session", &self.session)
            .field("outage", &self.outage)
            .finish_non_exhaustive()
    }
}
