//! Sign-in, sign-out, and new tokens for the same session.

use std::fmt;
use std::future::IntoFuture;
use std::pin::Pin;
use std::sync::Arc;

use super::Session;
use crate::data::SessionData;
use crate::error::{Error, Result};
use crate::live::Live;
use crate::store::{Factors, StoreError, UserId};
use crate::visit::{Login, Standing};

/// Identity calls.
impl<T: SessionData> Session<T> {
    /// Signs a user in: a new session with a new token and id, in one store call.
    ///
    /// Fields that are declared `on_login = keep` go along from an anonymous session or one of the
    /// same user; everything else starts anew.
    ///
    /// ```no_run
    /// # async fn handler(mut session: cloakroom::Session<()>) -> cloakroom::Result<()> {
    /// use cloakroom::store::Factors;
    ///
    /// session.login(42).factors(Factors::PASSWORD).remember(true).role("staff").await?;
    /// assert_eq!(session.user().unwrap().as_str(), "42");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// When awaited: the text is no user id, the user's limit is reached, the ticket was renewed by
    /// another request, or the store is away. Then nothing was changed.
    pub fn login<U>(&mut self, user: U) -> LoginCall<'_, T>
    where
        U: TryInto<UserId>,
        U::Error: Into<StoreError>,
    {
        let user = user.try_into().map_err(Into::into);
        let login = user.map(|user| Login {
            user,
            factors: Factors::PASSWORD,
            remember: false,
            roles: Vec::new(),
        });
        LoginCall { session: self, login }
    }

    /// Signs the user out. The session is over for every request, those under way included.
    ///
    /// Fields that are declared `on_logout = keep` begin an anonymous session. The handle is used
    /// up, so that a later write does not compile.
    ///
    /// # Errors
    ///
    /// The ticket was renewed by another request, or the store is away. A session that is over
    /// already is no error.
    pub async fn logout(self) -> Result<()> {
        self.visit.logout().await
    }

    /// Gives the session, if there is one, a new token. The old one is recognised for a short grace, so that parallel
    /// requests are not lost.
    ///
    /// # Errors
    ///
    /// Another request was faster, the session ended meanwhile, or the store is away.
    pub async fn rotate(&mut self) -> Result<()> {
        self.visit.renew(None).await
    }

    /// Records that the user has just proved `factors` too: a new token, and both clocks start anew
    /// (ASVS 5.0 7.2.4).
    ///
    /// # Errors
    ///
    /// Nobody is signed in, another request was faster, or the store is away.
    pub async fn step_up(&mut self, factors: Factors) -> Result<()> {
        self.visit.renew(Some(factors)).await
    }

    /// Makes sure that there is a session, so that the parallel first writes of the page that is
    /// about to be sent share it.
    ///
    /// # Errors
    ///
    /// The store is away.
    pub async fn ensure(&mut self) -> Result<()> {
        self.visit.ensure().await
    }

    /// A handle that outlives the response, for streams, sockets and background work. A visitor
    /// without a session gets one.
    ///
    /// # Errors
    ///
    /// The store is away.
    pub async fn live(&mut self) -> Result<Live<T>> {
        self.visit.ensure().await?;
        match self.visit.standing().await? {
            Standing::Present { key, record, forwarded } => {
                Ok(Live::new(Arc::clone(&self.visit.manager), key, record, forwarded))
            }
            nobody @ (Standing::Anonymous { .. }
            | Standing::Dormant { .. }
            | Standing::Lost { .. }) => Err(Error::gone(nobody.ended())),
        }
    }
}

/// A sign-in that is done when it is awaited.
#[must_use = "nobody is signed in until this is awaited"]
pub struct LoginCall<'a, T> {
    session: &'a mut Session<T>,
    login: Result<Login, StoreError>,
}

impl<T> LoginCall<'_, T> {
    fn with(mut self, change: impl FnOnce(&mut Login)) -> Self {
        if let Ok(login) = &mut self.login {
            change(login);
        }
        self
    }

    /// What the user proved; a password if nothing is said.
    pub fn factors(self, factors: Factors) -> Self {
        self.with(|login| login.factors = factors)
    }

    /// Whether the ticket may open a new session of the user when this one's clocks have run out.
    pub fn remember(self, remember: bool) -> Self {
        self.with(|login| login.remember = remember)
    }

    /// Adds a role.
    pub fn role(self, name: impl Into<String>) -> Self {
        self.with(|login| login.roles.push(name.into()))
    }

    /// Adds roles.
    pub fn roles<R: Into<String>>(self, names: impl IntoIterator<Item = R>) -> Self {
        self.with(|login| login.roles.extend(names.into_iter().map(Into::into)))
    }
}

impl<'a, T: SessionData> IntoFuture for LoginCall<'a, T> {
    type Output = Result<()>;
    type IntoFuture = Pin<Box<dyn Future<Output = Result<()>> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            self.session.visit.login(self.login?).await?;
            self.session.reload().await
        })
    }
}

impl<T> fmt::Debug for LoginCall<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoginCall").field("login", &self.login).finish_non_exhaustive()
    }
}
