//! What handlers take as arguments.

use std::any::type_name;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use axum_core::body::Body;
use axum_core::extract::{FromRequestParts, OptionalFromRequestParts};
use axum_core::response::{IntoResponse, Response};
use http::request::Parts;

use crate::data::SessionData;
use crate::error::{Error, ErrorKind, Result};
use crate::roles::Role;
use crate::session::Session;
use crate::sessions::{Scope, no_layer};
use crate::sign_in;
use crate::store::UserId;
use crate::view::View;
use crate::visit::Visit;

/// Why a handler did not get what it asked for, as the response to send.
pub struct Rejection(Box<http::Response<String>>);

impl Rejection {
    fn of(response: http::Response<String>) -> Self {
        Self(Box::new(response))
    }
}

/// The handler did not run, so the request may be sent again.
impl From<Error> for Rejection {
    fn from(error: Error) -> Self {
        if matches!(error.kind(), ErrorKind::NoLayer) {
            tracing::error!(target: "cloakroom", event = "no_layer", "{error}");
        }
        Self::of(error.to_response(false))
    }
}

impl IntoResponse for Rejection {
    fn into_response(self) -> Response {
        (*self.0).map(Body::from)
    }
}

impl fmt::Debug for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Rejection({})", self.0.status())
    }
}

/// A handler gave up with this error. Whether the request may be sent again is decided by the
/// layer, which knows the method.
impl IntoResponse for Error {
    fn into_response(self) -> Response {
        if matches!(self.kind(), ErrorKind::Closed | ErrorKind::NoLayer) {
            tracing::error!(target: "cloakroom", event = "misuse", "{self}");
        }
        let mut response = self.to_response(true).map(Body::from);
        response.extensions_mut().insert(self);
        response
    }
}

impl<T: SessionData, S: Send + Sync> FromRequestParts<S> for Session<T> {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Rejection> {
        Ok(Self::load(visit::<T>(parts)?).await?)
    }
}

impl<T: SessionData, S: Send + Sync> FromRequestParts<S> for View<T> {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Rejection> {
        Ok(Self::load(visit::<T>(parts)?).await?)
    }
}

/// The session, loaded when the handler asks for it. A handler that does not, costs no store call.
pub struct LazySession<T> {
    visit: Arc<Visit>,
    data: PhantomData<fn() -> T>,
}

impl<T: SessionData> LazySession<T> {
    /// The session.
    ///
    /// # Errors
    ///
    /// The store is away or cannot read the session.
    pub async fn load(&self) -> Result<Session<T>> {
        Session::load(Arc::clone(&self.visit)).await
    }
}

impl<T: SessionData, S: Send + Sync> FromRequestParts<S> for LazySession<T> {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Rejection> {
        Ok(Self { visit: visit::<T>(parts)?, data: PhantomData })
    }
}

/// A signed-in user and their session. Anybody else gets what the policy's
/// [`SignIn`](crate::SignIn) says; `Option<SignedIn<T>>` lets everybody in.
pub struct SignedIn<T> {
    /// The user.
    pub user: UserId,
    /// Their session.
    pub session: Session<T>,
}

impl<T: SessionData, S: Send + Sync> FromRequestParts<S> for SignedIn<T> {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Rejection> {
        let visit = visit::<T>(parts)?;
        let session = Session::load(Arc::clone(&visit)).await?;
        match session.user() {
            Some(user) => Ok(Self { user, session }),
            None => {
                let policy = &visit.manager.policy;
                Err(Rejection::of(sign_in::please(&policy.sign_in, &parts.method, visit.uri())))
            }
        }
    }
}

impl<T: SessionData, S: Send + Sync> OptionalFromRequestParts<S> for SignedIn<T> {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Rejection> {
        let session = Session::load(visit::<T>(parts)?).await?;
        Ok(session.user().map(|user| Self { user, session }))
    }
}

/// A signed-in user who has the role `R`. Others get 403.
pub struct WithRole<R, T> {
    /// The user.
    pub user: UserId,
    /// Their session.
    pub session: Session<T>,
    role: PhantomData<fn() -> R>,
}

impl<R: Role, T: SessionData, S: Send + Sync> FromRequestParts<S> for WithRole<R, T> {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Rejection> {
        let signed_in = <SignedIn<T> as FromRequestParts<S>>::from_request_parts(parts, state);
        let SignedIn { user, session } = signed_in.await?;
        if session.roles().contains(R::NAME) {
            Ok(Self { user, session, role: PhantomData })
        } else {
            Err(Rejection::of(sign_in::forbidden()))
        }
    }
}

/// The visit that the layer put there.
fn visit<T: SessionData>(parts: &Parts) -> Result<Arc<Visit>> {
    match parts.extensions.get::<Scope<T>>() {
        Some(scope) => Ok(Arc::clone(scope.visit())),
        None => Err(no_layer(type_name::<T>())),
    }
}

impl<T> fmt::Debug for LazySession<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LazySession")
    }
}

impl<T> fmt::Debug for SignedIn<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignedIn").field("user", &self.user).finish_non_exhaustive()
    }
}

impl<R, T> fmt::Debug for WithRole<R, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WithRole").field("user", &self.user).finish_non_exhaustive()
    }
}
