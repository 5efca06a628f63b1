//! The session room: what a handler holds.

mod devices;
mod identity;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::data::SessionData;
use crate::error::{Error, ErrorKind, Result};
use crate::event;
use crate::queue::Change;
use crate::roles::Roles;
use crate::store::{Ended, Field, Fields, Identity, Ops, Record, SessionId, UserId};
use crate::visit::{Edit, Standing, Visit};

pub use devices::Device;
pub use identity::LoginCall;

/// The session of the visitor who sent this request.
///
/// It is loaded once, and reading is plain access. Changes come in three forms:
///
/// | call | when it lands | what it sees |
/// |---|---|---|
/// | [`update`](Self::update) | before it returns | the newest data, again after a conflict |
/// | [`edit`](Self::edit) | after the handler, before the response | the newest data; until then what the handler reads is provisional |
/// | [`set`](Self::set) | after the handler, before the response | nothing: it replaces one field whatever others do |
///
/// Edits are dropped if the handler answers with a status of 500 or above. Identity calls
/// ([`login`](Self::login), [`logout`](Self::logout), [`step_up`](Self::step_up),
/// [`rotate`](Self::rotate), [`end_others`](Self::end_others)) are done when they are awaited.
pub struct Session<T> {
    visit: Arc<Visit>,
    fields: Fields,
    data: T,
}

impl<T: SessionData> Session<T> {
    pub(crate) async fn load(visit: Arc<Visit>) -> Result<Self> {
        let standing = visit.standing().await?;
        Ok(Self::of(visit, &standing))
    }

    pub(crate) fn of(visit: Arc<Visit>, standing: &Standing) -> Self {
        let fields = standing.record().map(|record| record.fields().clone()).unwrap_or_default();
        let session = standing.session_id();
        let data = T::decode(&fields, &mut |field| event::misfit(session, field));
        Self { visit, fields, data }
    }

    /// The data, as it was loaded or as the last change of this handle made it.
    #[must_use]
    pub const fn data(&self) -> &T {
        &self.data
    }

    /// Changes the data and gives what the run that landed gave.
    ///
    /// `change` runs on the newest data, which may be newer than what [`data`](Self::data) shows,
    /// and again whenever somebody else was faster. It must not do anything but change the data.
    /// Edits that were asked for before land with it. A visitor without a session gets one, if there
    /// is anything to keep.
    ///
    /// # Errors
    ///
    /// The session ended meanwhile, the data would not fit, or the store is away: then nothing was
    /// written, but see [`ErrorKind::Unavailable`] for a store that did not answer in time.
    pub async fn update<R: Send>(
        &mut self,
        mut change: impl FnMut(&mut T) -> R + Send,
    ) -> Result<R> {
        let mut result = None;
        let fields = self
            .visit
            .change(Some(&mut |fields: &Fields| {
                let mut data = T::decode(fields, &mut |_| {});
                result = Some(change(&mut data));
                let mut ops = Ops::new();
                data.diff(fields, &mut ops)?;
                Ok(Change { ops, versioned: true })
            }))
            .await?;
        self.show(fields);
        result.ok_or_else(|| Error::unavailable("the change did not run"))
    }

    /// Changes the data after the handler, in one commit with other edits.
    ///
    /// `change` runs here too, so that the handler reads what it did; what it reads then is
    /// provisional until the commit.
    ///
    /// # Errors
    ///
    /// The data would not fit, or the response has left: then nothing is kept.
    pub fn edit(&mut self, change: impl Fn(&mut T) + Send + 'static) -> Result<()> {
        let run = move |fields: &Fields, ops: &mut Ops| {
            let mut data = T::decode(fields, &mut |_| {});
            change(&mut data);
            data.diff(fields, ops)
        };
        let mut ops = Ops::new();
        run(&self.fields, &mut ops)?;
        self.keep(Edit::Edit(Box::new(run)), &ops)
    }

    /// Replaces one field after the handler, whatever others do to it.
    ///
    /// ```
    /// # use cloakroom::{Session, SessionData, Result};
    /// # #[derive(Default, SessionData)] struct Shop { theme: Option<String> }
    /// fn choose(session: &mut Session<Shop>) -> Result<()> {
    ///     session.set("theme", &"dark")?;
    ///     assert_eq!(session.data().theme.as_deref(), Some("dark"));
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// The name is no field name, the value has no JSON form or would not fit, or the response has
    /// left: then nothing is kept.
    pub fn set(&mut self, field: &str, value: &impl Serialize) -> Result<()> {
        let mut ops = Ops::new();
        ops.set(own_field(field)?, value)?;
        self.keep(Edit::Set(ops.clone()), &ops)
    }

    /// Removes one field after the handler, whatever others do to it.
    ///
    /// # Errors
    ///
    /// The name is no field name, or the response has left.
    pub fn unset(&mut self, field: &str) -> Result<()> {
        let mut ops = Ops::new();
        ops.unset(own_field(field)?);
        self.keep(Edit::Set(ops.clone()), &ops)
    }

    /// One field, whether the data knows it or not; only this field is decoded. `None` if it is
    /// missing or not a `V`.
    #[must_use]
    pub fn field<V: DeserializeOwned>(&self, name: &str) -> Option<V> {
        self.fields.get(name).and_then(|json| serde_json::from_str(json).ok())
    }

    fn keep(&mut self, edit: Edit, ops: &Ops) -> Result<()> {
        let provisional = self.fields.apply(ops)?;
        self.visit.keep(edit)?;
        self.show(provisional);
        Ok(())
    }

    fn show(&mut self, fields: Fields) {
        self.data = T::decode(&fields, &mut |_| {});
        self.fields = fields;
    }

    async fn reload(&mut self) -> Result<()> {
        let standing = self.visit.standing().await?;
        self.show(standing.record().map(|record| record.fields().clone()).unwrap_or_default());
        Ok(())
    }
}

/// Who the visitor is.
impl<T> Session<T> {
    fn standing(&self) -> Standing {
        self.visit.known().unwrap_or(Standing::Anonymous { ended: None })
    }

    /// The session's record, if there is a session.
    #[must_use]
    pub fn record(&self) -> Option<Record> {
        self.standing().record().cloned()
    }

    /// The public id of the session, if there is one.
    #[must_use]
    pub fn id(&self) -> Option<SessionId> {
        self.standing().session_id()
    }

    /// Whose session it is and how they proved it.
    #[must_use]
    pub fn identity(&self) -> Identity {
        self.record().map(|record| record.identity().clone()).unwrap_or_default()
    }

    /// The signed-in user.
    #[must_use]
    pub fn user(&self) -> Option<UserId> {
        self.identity().user
    }

    /// The names of the user's roles.
    #[must_use]
    pub fn roles(&self) -> Roles {
        self.record().map(|record| Roles::of(&record)).unwrap_or_default()
    }

    /// Whether the user proved who they are within the last `span`; what is sensitive asks for it
    /// and calls [`step_up`](Self::step_up) after a new proof (ASVS 5.0 7.5.3).
    #[must_use]
    pub fn is_fresh(&self, span: Duration) -> bool {
        let now = self.visit.manager.now();
        self.identity().authenticated_at.is_some_and(|at| now.since(at) <= span)
    }

    /// Why the session is over that the visitor's ticket was for: the answer to "why was I signed
    /// out?". It is known for a day, and only to who holds the ticket.
    #[must_use]
    pub fn ended(&self) -> Option<Ended> {
        self.standing().ended()
    }
}

/// A field that the application may name.
fn own_field(name: &str) -> Result<Field> {
    if name.starts_with('@') {
        return Err(Error::new(
            ErrorKind::Refused,
            "field names that begin with @ are the session system's own",
        ));
    }
    Ok(Field::new(name.to_owned())?)
}

impl<T> fmt::Debug for Session<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("id", &self.id()).finish_non_exhaustive()
    }
}
