//! Layers for some of the routes, inside of the one with the sessions.

use std::fmt;
use std::marker::PhantomData;
use std::task::{Context, Poll};

use axum_core::extract::Request;
use tower_layer::Layer;
use tower_service::Service;

use crate::data::SessionData;
use crate::sessions::{Scope, Sessions};

impl<T: SessionData> Sessions<T> {
    /// A layer for routes that are not activity, such as a page's polling: they read the session
    /// without keeping it from its idle deadline.
    #[must_use]
    pub fn passive(&self) -> PassiveLayer<T> {
        PassiveLayer { data: PhantomData }
    }

    /// A layer for routes that must not act on what a cache knows: the session is loaded past every
    /// cache in front of the store, so that what has ended anywhere is over here, and rights that
    /// were withdrawn are gone.
    ///
    /// Changes and identity calls need it not: the store itself decides on each. It is for routes
    /// that do something else on the strength of who the visitor is, such as a payment.
    ///
    /// ```
    /// # use cloakroom::{MemoryStore, Session, Sessions};
    /// # use axum::{Router, routing::{get, post}};
    /// # let sessions = Sessions::<()>::builder(MemoryStore::new())
    /// #     .dangerous_sessions_end_with_the_process().build().unwrap();
    /// async fn pay(session: Session<()>) -> String {
    ///     format!("{:?} pays", session.user())
    /// }
    ///
    /// let app: Router = Router::new()
    ///     .route("/pay", post(pay))
    ///     .route_layer(sessions.require_fresh())
    ///     .route("/", get(async |_: Session<()>| "a cache may answer"))
    ///     .layer(sessions.layer());
    /// # drop(app);
    /// ```
    #[must_use]
    pub fn require_fresh(&self) -> FreshLayer<T> {
        FreshLayer { data: PhantomData }
    }
}

macro_rules! marks {
    ($($(#[$layer_doc:meta])* $layer:ident, $(#[$service_doc:meta])* $service:ident, $mark:ident;)*) => {$(
        $(#[$layer_doc])*
        pub struct $layer<T> {
            data: PhantomData<fn() -> T>,
        }

        $(#[$service_doc])*
        pub struct $service<T, S> {
            data: PhantomData<fn() -> T>,
            inner: S,
        }

        impl<T, S> Layer<S> for $layer<T> {
            type Service = $service<T, S>;

            fn layer(&self, inner: S) -> Self::Service {
                $service { data: PhantomData, inner }
            }
        }

        impl<T: SessionData, S: Service<Request>> Service<Request> for $service<T, S> {
            type Response = S::Response;
            type Error = S::Error;
            type Future = S::Future;

            fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
                self.inner.poll_ready(cx)
            }

            fn call(&mut self, request: Request) -> S::Future {
                if let Some(scope) = request.extensions().get::<Scope<T>>() {
                    scope.$mark();
                }
                self.inner.call(request)
            }
        }

        impl<T> Clone for $layer<T> {
            fn clone(&self) -> Self {
                Self { data: PhantomData }
            }
        }

        impl<T, S: Clone> Clone for $service<T, S> {
            fn clone(&self) -> Self {
                Self { data: PhantomData, inner: self.inner.clone() }
            }
        }

        impl<T> fmt::Debug for $layer<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(stringify!($layer))
            }
        }

        impl<T, S> fmt::Debug for $service<T, S> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(stringify!($service))
            }
        }
    )*};
}

marks! {
    /// Marks routes as no activity.
    PassiveLayer,
    /// A service whose requests are no activity.
    Passive, make_passive;

    /// Marks routes whose sessions no cache may answer for.
    FreshLayer,
    /// A service whose requests load their session past every cache.
    Fresh, require_fresh;
}
