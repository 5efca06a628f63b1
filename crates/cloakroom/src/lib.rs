//! Cookies and sessions for Rust web services: the browser keeps a ticket, your store keeps the coat.
//!
//! ```
//! use axum::{Router, routing::{get, post}};
//! use cloakroom::{MemoryStore, Result, Session, SessionData, Sessions};
//!
//! #[derive(Default, SessionData)]
//! struct Shop {
//!     #[data(on_login = keep)]
//!     cart: Vec<String>,
//! }
//!
//! async fn show(session: Session<Shop>) -> String {
//!     format!("{:?}", session.data().cart)
//! }
//!
//! async fn add(mut session: Session<Shop>) -> Result<String> {
//!     Ok(session.update(|shop| { shop.cart.push("hat".into()); shop.cart.len() }).await?.to_string())
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
//! let sessions = Sessions::<Shop>::builder(MemoryStore::new())
//!     .dangerous_sessions_end_with_the_process()
//!     .build()?;
//! let app: Router = Router::new()
//!     .route("/", get(show))
//!     .route("/add", post(add))
//!     .layer(sessions.layer());
//! # use tower::ServiceExt as _;
//! # let visit = http::Request::post("/add").body(axum::body::Body::empty())?;
//! # assert!(app.oneshot(visit).await?.headers().contains_key("set-cookie"));
//! # Ok(())
//! # }
//! ```
//!
//! # One request, room by room
//!
//! ```text
//! gate --> cookie --> ticket --> store --> session --> commit --> headers
//! ```
//!
//! | room | takes | gives | fails as |
//! |---|---|---|---|
//! | gate | method, URI, headers | pass | 403: another site caused the request |
//! | cookie | `Cookie` headers | values of our name | never: a broken pair is skipped alone |
//! | ticket | a value | a token, and its key | never: what is not ours is an anonymous visitor |
//! | [`store`] | keys and the time | a record, or its ending | 503, never "signed out" |
//! | [`Session`] | a record | typed data; edits and identity calls | the handler's errors |
//! | commit | what the handler left | one store call | 409 if the session ended meanwhile, 503 |
//! | headers | what was committed | `Set-Cookie`, `Cache-Control` | never |
//!
//! # What it promises
//!
//! Only the server mints tokens. A leaked store opens nothing. Signing in changes the token, and the old
//! one is dead in that instant. What has ended stays ended. No acknowledged write is lost. Reading is
//! free. Both clocks run on the server. An outage signs nobody out. The newest answer owns the cookie.
//! Every ending has a reason. Secrets do not print. Contradictions do not start.
//!
//! # What it does not do
//!
//! It keeps sessions; it does not check passwords, speak OAuth or decide what a role may do. It gives
//! no second chance to a write whose session ended, and no way to read a session by its public id.
//!
//! # Features
//!
//! | feature | brings |
//! |---|---|
//! | `axum` | the layer and the extractors, in [`axum`](mod@axum) |
//! | `sqlite` | `SqliteStore`: one durable file, which several processes of a machine may share |
//! | `redis`, `redis-tls` | `RedisStore`: Redis or Valkey, one server, sentinels or a cluster |
//! | `postgres` | `PostgresStore`: a PostgreSQL database, which services of several machines may share |
//! | `memory` (default) | `MemoryStore`, for tests and small tools; `NearCache` in front of a shared store |
//! | `derive` (default) | `#[derive(SessionData)]` |

pub use cloakroom_cookie as cookie;
pub use cloakroom_store as store;
extern crate self as cloakroom;

#[cfg(feature = "axum")]
pub mod axum;
mod builder;
mod circuit;
mod clock;
mod commit;
pub mod data;
mod entropy;
mod error;
mod event;
mod gate;
mod headers;
mod lines;
mod live;
mod manager;
mod newest;
mod policy;
mod queue;
mod roles;
mod running;
mod session;
mod sessions;
mod sign_in;
mod store_url;
mod ticket;
mod touches;
mod view;
mod visit;

pub use builder::Builder;
#[cfg(feature = "derive")]
pub use cloakroom_derive::SessionData;
#[cfg(feature = "memory")]
pub use cloakroom_memory::{MemoryStore, NearBuilder, NearCache, NearFigures};
#[cfg(feature = "postgres")]
pub use cloakroom_postgres::{PostgresConfig, PostgresStore};
#[cfg(feature = "redis")]
pub use cloakroom_redis::{RedisConfig, RedisStore};
#[cfg(feature = "sqlite")]
pub use cloakroom_sqlite::SqliteStore;
pub use clock::{Clock, ManualClock, SystemClock};
pub use data::SessionData;
pub use error::{Error, ErrorKind, Result};
pub use gate::Refusal;
pub use live::Live;
pub use policy::{
    ABSOLUTE_TIMEOUT, Assurance, GRACE, GRACE_CAP, IDLE_TIMEOUT, PolicyError, REMEMBER, STORE_WAIT,
    SignIn,
};
pub use roles::{Role, Roles};
pub use session::{Device, LoginCall, Session};
pub use sessions::{Scope, Sessions};
pub use store_url::{StoreUrl, StoreUrlError};
pub use view::View;

/// The pages for people, compiled and run.
#[cfg(all(doctest, feature = "axum", feature = "sqlite"))]
mod pages {
    macro_rules! pages {
        ($($name:ident = $path:literal)*) => {$(
            #[doc = include_str!(concat!("../../../", $path))]
            mod $name {}
        )*};
    }
    pages! {
        readme = "README.md"
        cookies_and_sessions = "docs/guide/cookies-and-sessions.md"
        life_of_a_session = "docs/guide/life-of-a-session.md"
        cookie_attributes = "docs/guide/cookie-attributes.md"
        data_that_evolves = "docs/guide/data-that-evolves.md"
    }
}
