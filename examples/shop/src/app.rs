//! What the shop is made of: its sessions, its accounts and its routes.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::HeaderValue;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::middleware::{from_fn, map_response};
use axum::response::Response;
use axum::routing::{get, post};
use cloakroom::store::{Limit, Reach, Registry, Store as _, Timestamp};
use cloakroom::{Clock, PolicyError, Sessions, SignIn, StoreUrl};
use tokio::sync::RwLock;

use crate::accounts::Accounts;
use crate::data::Shop;
use crate::{account, cart, checkout, log, pages, preferences, sign_in, staff};

/// The idle timeout, which the sign-in page names.
pub(crate) const IDLE: Duration = Duration::from_secs(30 * 60);
/// The absolute timeout, likewise.
pub(crate) const ABSOLUTE: Duration = Duration::from_secs(12 * 60 * 60);
/// How many sessions a user may have.
pub(crate) const SESSIONS: u32 = 5;

/// Nothing but the shop's own style, script and forms.
const CONTENT_POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; \
                              connect-src 'self'; img-src 'self' data:; form-action 'self'; \
                              frame-ancestors 'none'; base-uri 'none'";

/// The shop. Cheap to clone.
#[derive(Clone)]
pub struct App {
    pub(crate) sessions: Sessions<Shop>,
    pub(crate) accounts: Arc<Accounts>,
    /// Read by a sign-in from the look at the account until the session exists, written by whoever
    /// changes a role or a password: no session begins with rights that were just withdrawn.
    pub(crate) rights: Arc<RwLock<()>>,
    clock: Arc<dyn Clock>,
    store: Arc<dyn Registry>,
}

impl App {
    /// Opens the shop whose sessions are in `store` and whose accounts are in the file `accounts`.
    /// Files that are missing are made.
    ///
    /// # Errors
    ///
    /// The store or the file cannot be opened.
    pub async fn open(
        store: &StoreUrl,
        accounts: &Path,
        clock: impl Clock + Clone,
    ) -> Result<Self, OpenError> {
        let store = store.open().await.map_err(|error| OpenError(error.to_string()))?;
        let sessions = sessions(Arc::clone(&store), clock.clone())?;
        let accounts = Accounts::open(accounts).await?;
        Ok(Self {
            sessions,
            accounts: Arc::new(accounts),
            rights: Arc::default(),
            clock: Arc::new(clock),
            store,
        })
    }

    /// The shop's routes, for any server.
    pub fn router(&self) -> Router {
        // Money and other people's sessions: whatever a cache in front of the store may know.
        let fresh = Router::new()
            .route("/checkout", get(checkout::show).post(checkout::place))
            .route("/staff", get(staff::show))
            .route("/staff/role", post(staff::change_role))
            .route("/staff/end", post(staff::end_sessions))
            .route_layer(self.sessions.require_fresh());
        let router = Router::new()
            .route("/", get(pages::home::show))
            .route("/sign-in", get(sign_in::show).post(sign_in::sign_in))
            .route("/sign-up", get(sign_in::show_sign_up).post(sign_in::sign_up))
            .route("/sign-out", post(sign_in::sign_out))
            .route("/cart", get(cart::show))
            .route("/cart/add", post(cart::add))
            .route("/cart/change", post(cart::change))
            .route("/cart/clear", post(cart::clear))
            .route("/order", get(checkout::show_order))
            .route("/preferences", get(preferences::show).post(preferences::choose))
            .route("/account", get(account::show))
            .route("/account/end", post(account::end))
            .route("/account/end-others", post(account::end_others))
            .route("/account/password", post(account::change_password))
            .merge(fresh)
            .fallback(pages::error::not_found)
            .layer(from_fn(pages::error::dress))
            .layer(self.sessions.layer())
            // Behind no layer: these are the same for everybody.
            .route("/style.css", get(style))
            .route("/shop.js", get(script))
            .layer(map_response(harden))
            .with_state(self.clone());
        log::around(router)
    }

    /// Ends the shop after its server: waits at most `deadline` for what is still being written.
    /// `false` if that was not long enough.
    pub async fn close(self, deadline: Duration) -> bool {
        let done = self.sessions.shutdown(deadline).await;
        let closed = tokio::time::timeout(deadline, self.store.close()).await;
        matches!(closed, Ok(Ok(()))) && done
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

/// The rules of the shop's sessions. What is not said here has a safe default.
fn sessions(store: Arc<dyn Registry>, clock: impl Clock) -> Result<Sessions<Shop>, PolicyError> {
    let reach = store.reach();
    let builder = Sessions::builder(store)
        .clock(clock)
        .idle_timeout(IDLE)
        .absolute_timeout(ABSOLUTE)
        .per_user(Limit::keep_newest(SESSIONS))
        .sign_in(SignIn::Redirect("/sign-in".into()));
    match reach {
        // Whoever says `--store memory:` knows that a restart forgets everybody.
        Reach::Process => builder.dangerous_sessions_end_with_the_process().build(),
        Reach::Host => builder.several_processes().build(),
        Reach::Network => builder.several_machines().build(),
    }
}

async fn harden(mut response: Response) -> Response {
    let rows: [(HeaderName, &'static str); 3] = [
        (CONTENT_SECURITY_POLICY, CONTENT_POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "same-origin"),
    ];
    for (name, value) in rows {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

type Asset = ([(HeaderName, &'static str); 2], &'static str);

async fn style() -> Asset {
    asset("text/css; charset=utf-8", include_str!("../static/style.css"))
}

async fn script() -> Asset {
    asset("text/javascript; charset=utf-8", include_str!("../static/shop.js"))
}

const fn asset(kind: &'static str, text: &'static str) -> Asset {
    ([(CONTENT_TYPE, kind), (CACHE_CONTROL, "public, max-age=3600")], text)
}

/// Why the shop could not be opened.
#[derive(Debug)]
pub struct OpenError(pub(crate) String);

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for OpenError {}

impl From<PolicyError> for OpenError {
    fn from(error: PolicyError) -> Self {
        Self(error.to_string())
    }
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App").field("sessions", &self.sessions).finish_non_exhaustive()
    }
}
