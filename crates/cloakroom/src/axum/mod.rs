//! Sessions for axum, and for every tower service that speaks its bodies.
//!
//! One layer around the routes, in any order with other layers; handlers take what they need as
//! arguments:
//!
//! | extractor | store calls | if there is no user |
//! |---|---|---|
//! | [`Session<T>`](crate::Session) | 1 | anonymous |
//! | [`LazySession<T>`] | 0 until asked | anonymous |
//! | [`View<T>`](crate::View) | 1, and no error while the store is away | anonymous |
//! | [`SignedIn<T>`] | 1 | 401 or a redirect, as the policy says |
//! | [`WithRole<R, T>`] | 1 | the same; 403 for a user without the role |
//!
//! All extractors of one request share one load.
//!
//! Two layers say more of some routes: [`Sessions::passive`](crate::Sessions::passive) that they are
//! no activity, and [`Sessions::require_fresh`](crate::Sessions::require_fresh) that no cache may
//! answer for the store.

mod extract;
mod layer;
mod routes;

pub use extract::{LazySession, Rejection, SignedIn, WithRole};
pub use layer::{ResponseFuture, SessionLayer, SessionService};
pub use routes::{Fresh, FreshLayer, Passive, PassiveLayer};
