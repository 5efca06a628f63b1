//! The layer: opens the visit, lets the handlers find it, and closes it with the response's head.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum_core::body::Body;
use axum_core::extract::Request;
use axum_core::response::{IntoResponse as _, Response};
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use crate::data::SessionData;
use crate::error::Error;
use crate::sessions::{Scope, Sessions};

impl<T: SessionData> Sessions<T> {
    /// The layer that goes around the routes.
    #[must_use]
    pub fn layer(&self) -> SessionLayer<T> {
        SessionLayer { sessions: self.clone() }
    }
}

/// Brings sessions to the routes it is put around.
pub struct SessionLayer<T> {
    sessions: Sessions<T>,
}

impl<T: SessionData, S> Layer<S> for SessionLayer<T> {
    type Service = SessionService<T, S>;

    fn layer(&self, inner: S) -> Self::Service {
        SessionService { sessions: self.sessions.clone(), inner }
    }
}

/// A service with sessions.
pub struct SessionService<T, S> {
    sessions: Sessions<T>,
    inner: S,
}

impl<T, S> Service<Request> for SessionService<T, S>
where
    T: SessionData,
    S: Service<Request, Response = Response>,
{
    type Response = Response;
    type Error = S::Error;
    type Future = ResponseFuture<T, S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let (mut parts, body) = request.into_parts();
        match self.sessions.open(&parts.method, &parts.uri, &mut parts.headers) {
            Ok(scope) => {
                parts.extensions.insert(scope.clone());
                let future = self.inner.call(Request::from_parts(parts, body));
                ResponseFuture::Handling { future, scope }
            }
            Err(error) => {
                ResponseFuture::Refused { response: Some(error.to_response(false).map(Body::from)) }
            }
        }
    }
}

type Closing = Pin<Box<dyn Future<Output = Response> + Send>>;

pin_project! {
    /// The response of a service with sessions.
    #[project = Projected]
    #[allow(missing_docs, reason = "the variants are the steps of one request, not an interface")]
    pub enum ResponseFuture<T, F> {
        #[doc(hidden)]
        Handling { #[pin] future: F, scope: Scope<T> },
        #[doc(hidden)]
        Closing { closing: Closing },
        #[doc(hidden)]
        Refused { response: Option<Response> },
    }
}

impl<T, F, E> Future for ResponseFuture<T, F>
where
    T: SessionData,
    F: Future<Output = Result<Response, E>>,
{
    type Output = Result<Response, E>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        loop {
            let closing = match self.as_mut().project() {
                Projected::Handling { future, scope } => {
                    let response = ready!(future.poll(cx))?;
                    if scope.visit().close_untouched() {
                        return Poll::Ready(Ok(response));
                    }
                    Box::pin(close(scope.clone(), response))
                }
                Projected::Closing { closing } => return closing.as_mut().poll(cx).map(Ok),
                Projected::Refused { response } => {
                    return response
                        .take()
                        .map_or(Poll::Pending, |response| Poll::Ready(Ok(response)));
                }
            };
            self.set(Self::Closing { closing });
        }
    }
}

async fn close<T: SessionData>(scope: Scope<T>, response: Response) -> Response {
    let (mut parts, mut body) = response.into_parts();
    if let Some(error) = parts.extensions.remove::<Error>()
        && scope.visit().is_safe()
    {
        (parts, body) = error.to_response(false).map(Body::from).into_parts();
    }
    match scope.close(parts.status, &mut parts.headers).await {
        None => Response::from_parts(parts, body),
        Some(instead) => instead.map(Body::from).into_response(),
    }
}

impl<T> Clone for SessionLayer<T> {
    fn clone(&self) -> Self {
        Self { sessions: self.sessions.clone() }
    }
}

impl<T, S: Clone> Clone for SessionService<T, S> {
    fn clone(&self) -> Self {
        Self { sessions: self.sessions.clone(), inner: self.inner.clone() }
    }
}

macro_rules! named_debug {
    ($($name:ident<$($parameter:ident),*>)*) => {$(
        impl<$($parameter),*> fmt::Debug for $name<$($parameter),*> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(stringify!($name))
            }
        }
    )*};
}
named_debug!(SessionLayer<T> SessionService<T, S> ResponseFuture<T, F>);
