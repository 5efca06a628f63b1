//! Contradictions do not start: what is refused at build, with the reason and the remedy.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use cloakroom_cookie::{CookieDefinition, CookieDefinitionBuilder, CookieName, MAX_AGE, SameSite};

use super::{Assurance, Policy, REMEMBER, SignIn, Wishes};
use crate::gate::Gate;
use crate::store::{Reach, Store, Survives};

/// The finest idle timeout: below this the touch throttle could end sessions that are in use.
const SHORTEST_IDLE: Duration = Duration::from_secs(10);
/// "Last seen" is recorded at most this often when nothing else is said.
const TOUCH_EVERY: Duration = Duration::from_secs(60);
/// The shortest time between two renewals, which each cost a store call and a `Set-Cookie`.
const SHORTEST_RENEWAL: Duration = Duration::from_secs(60);
/// The longest grace after a renewal.
const LONGEST_GRACE: Duration = Duration::from_secs(10 * 60);

/// On how many processes and machines the service runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Nodes {
    OneProcess,
    OneHost,
    ManyHosts,
}

/// Why a service's rules were refused when it started: the reason and the remedy.
///
/// ```
/// use cloakroom::{MemoryStore, Sessions};
/// use std::time::Duration;
///
/// let refused = Sessions::<()>::builder(MemoryStore::new())
///     .dangerous_sessions_end_with_the_process()
///     .idle_timeout(Duration::from_secs(3_600))
///     .absolute_timeout(Duration::from_secs(60))
///     .build()
///     .unwrap_err();
/// assert!(refused.to_string().contains("idle timeout"));
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct PolicyError {
    message: String,
}

impl PolicyError {
    fn new(message: impl Into<String>) -> Self {
        Self { message: message.into() }
    }
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// As readable as the message: it is what `main` shows when it returns the error.
impl fmt::Debug for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for PolicyError {}

impl Wishes {
    /// The policy, or the first contradiction.
    pub(crate) fn check(self, store: &dyn Store) -> Result<Policy, PolicyError> {
        let remember = self.remember.unwrap_or_else(|| REMEMBER.max(self.absolute));
        let default_touch = TOUCH_EVERY.min(self.idle / 20);
        let touch_every = self.touch_every.unwrap_or(default_touch);
        check_clocks(&self, touch_every, remember)?;
        check_limit(&self)?;
        check_cookie(&self)?;
        check_sign_in(&self)?;
        check_store(&self, store)?;
        let gate = gate(&self)?;
        let cookie_of_session = built(cookie(&self)?)?;
        Ok(Policy {
            weaknesses: weaknesses(&self, &cookie_of_session),
            cookie: cookie_of_session,
            remembered_cookie: cookie(&self)?,
            plain_http: self.plain_http,
            idle: self.idle,
            absolute: self.absolute,
            touch_every,
            remember,
            renew_every: self.renew_every,
            grace: self.grace,
            grace_cap: self.grace_cap,
            limit: self.limit,
            keep_on_error: self.keep_on_error,
            store_wait: self.store_wait,
            sign_in: self.sign_in,
            gate,
        })
    }

    /// Takes the timeouts of an assurance level over.
    pub(crate) fn assure(&mut self, level: Assurance) {
        (self.idle, self.absolute) = level.timeouts();
    }
}

fn check_clocks(
    wishes: &Wishes,
    touch_every: Duration,
    remember: Duration,
) -> Result<(), PolicyError> {
    let Wishes { idle, absolute, grace, grace_cap, renew_every, .. } = wishes;
    refuse(*idle < SHORTEST_IDLE, || {
        format!(
            "the idle timeout is {idle:?}: at least {SHORTEST_IDLE:?}, so that activity can be recorded in time"
        )
    })?;
    refuse(idle > absolute, || {
        format!(
            "the idle timeout ({idle:?}) is longer than the absolute one ({absolute:?}), so it would never end a session: shorten the idle timeout"
        )
    })?;
    refuse(touch_every > *idle / 10, || {
        format!(
            "activity is recorded every {touch_every:?}, coarser than a tenth of the idle timeout ({idle:?}), which would end sessions in use: lower touch_every"
        )
    })?;
    refuse(*absolute > MAX_AGE, || {
        format!(
            "the absolute timeout is {absolute:?}, longer than the 400 days that browsers keep a cookie: shorten it"
        )
    })?;
    refuse(remember < *absolute, || {
        format!(
            "a user is remembered for {remember:?}, shorter than the absolute timeout ({absolute:?}): lengthen remember_for"
        )
    })?;
    refuse(remember > MAX_AGE, || {
        format!(
            "a user is remembered for {remember:?}, but browsers keep no cookie longer than 400 days: shorten remember_for"
        )
    })?;
    refuse(grace > grace_cap || *grace_cap > LONGEST_GRACE, || {
        format!(
            "an old token is recognised for {grace:?}, at most {grace_cap:?}: the first may not be longer than the second, nor that than {LONGEST_GRACE:?}"
        )
    })?;
    let shortest = SHORTEST_RENEWAL.max(*grace_cap);
    refuse(renew_every.is_some_and(|every| every < shortest), || {
        format!(
            "tokens are renewed more often than every {shortest:?}, while an old one may be in use: lengthen renew_every"
        )
    })?;
    refuse(wishes.store_wait.is_zero(), || {
        "the store is given no time to answer: lengthen store_wait".to_owned()
    })
}

fn check_limit(wishes: &Wishes) -> Result<(), PolicyError> {
    let nothing = wishes.limit.is_some_and(|limit| limit.max == 0);
    refuse(nothing, || "a limit of no session per user lets nobody in: allow at least 1".to_owned())
}

fn check_store(wishes: &Wishes, store: &dyn Store) -> Result<(), PolicyError> {
    let (name, reach) = (store.name(), store.reach());
    let needed = match wishes.nodes {
        Nodes::OneProcess => Reach::Process,
        Nodes::OneHost => Reach::Host,
        Nodes::ManyHosts => Reach::Network,
    };
    refuse(reach < needed, || {
        format!(
            "the {name} store serves one {}, but the service is declared to run on more: use a store that all of its processes can reach",
            if reach == Reach::Process { "process" } else { "machine" }
        )
    })?;
    let identity = store.survival().identity;
    refuse(identity < Survives::ProcessCrash && !wishes.accept_loss, || {
        format!(
            "sign-ins and sign-outs in the {name} store survive {identity}: use a durable store, or say dangerous_sessions_end_with_the_process()"
        )
    })
}

fn check_sign_in(wishes: &Wishes) -> Result<(), PolicyError> {
    let SignIn::Redirect(path) = &wishes.sign_in else { return Ok(()) };
    let is_path = path.starts_with('/') && !path.starts_with("//");
    refuse(!is_path || !path.bytes().all(|byte| byte.is_ascii_graphic()), || {
        format!(
            "visitors are sent to `{path}` to sign in: write a path of this service that begins with one / and is percent-encoded"
        )
    })
}

fn check_cookie(wishes: &Wishes) -> Result<(), PolicyError> {
    refuse(wishes.embedded && wishes.same_site == SameSite::Strict, || {
        "an embedded service needs SameSite=None, which same_site_strict() contradicts: leave one of them out".to_owned()
    })?;
    refuse(wishes.plain_http && wishes.domain.is_some(), || {
        "a cookie over plain HTTP stays on this machine, so it cannot be shared with a domain: leave shared_domain() or dangerous_plain_http_cookie() out".to_owned()
    })
}

fn cookie(wishes: &Wishes) -> Result<CookieDefinitionBuilder, PolicyError> {
    let name = match (wishes.plain_http, &wishes.domain) {
        (true, _) => CookieName::plain(&wishes.name),
        (false, Some(_)) => CookieName::secure(&wishes.name),
        (false, None) => CookieName::host_http(&wishes.name),
    };
    let mut builder = CookieDefinition::builder(name.map_err(|error| refused_cookie(&error))?);
    if let Some(domain) = &wishes.domain {
        builder = builder.domain(domain.clone());
    }
    builder = match (wishes.embedded, wishes.plain_http) {
        (true, _) => builder.same_site(SameSite::None).partitioned(),
        (false, _) => builder.same_site(wishes.same_site),
    };
    if wishes.plain_http {
        builder = builder.dangerous_insecure();
    }
    Ok(builder)
}

fn built(builder: CookieDefinitionBuilder) -> Result<CookieDefinition, PolicyError> {
    builder.build().map_err(|error| refused_cookie(&error))
}

fn refused_cookie(error: &dyn fmt::Display) -> PolicyError {
    PolicyError::new(format!("session cookie: {error}"))
}

fn gate(wishes: &Wishes) -> Result<Gate, PolicyError> {
    for origin in wishes.own_origins.iter().chain(&wishes.trusted_origins) {
        refuse(!is_origin(origin), || {
            format!(
                "`{origin}` is not an origin: write it as https://host or https://host:port, without a path"
            )
        })?;
    }
    for (path, reason) in &wishes.exemptions {
        refuse(!path.starts_with('/') || reason.trim().is_empty(), || {
            format!(
                "the exemption of `{path}` needs a path that begins with / and the reason why the service can do without the cross-origin check there"
            )
        })?;
    }
    Ok(Gate {
        own: wishes.own_origins.iter().map(|origin| as_sent(origin)).collect(),
        trusted: wishes.trusted_origins.iter().map(|origin| as_sent(origin)).collect(),
        exempt: wishes.exemptions.iter().map(|(path, _)| path.clone()).collect(),
    })
}

/// What was chosen knowingly, for whoever looks after the service later.
fn weaknesses(wishes: &Wishes, cookie: &CookieDefinition) -> Vec<String> {
    let of_cookie = cookie.weaknesses().into_iter().map(|weakness| weakness.to_string());
    let trusted = wishes
        .trusted_origins
        .iter()
        .map(|origin| format!("pages of {origin} may send requests that change something"));
    let exempt = wishes.exemptions.iter().map(|(path, reason)| {
        format!("{path} and what is below it has no cross-origin check, because {reason}")
    });
    let loss = wishes.accept_loss.then(|| "all sessions end with the process".to_owned());
    of_cookie.chain(trusted).chain(exempt).chain(loss).collect()
}

/// The origin as browsers send it: in lower case, without the usual port.
fn as_sent(origin: &str) -> String {
    let origin = origin.to_ascii_lowercase();
    let usual = if origin.starts_with("https:") { ":443" } else { ":80" };
    origin.strip_suffix(usual).unwrap_or(&origin).to_owned()
}

fn is_origin(text: &str) -> bool {
    let uri: Result<http::Uri, _> = text.parse();
    uri.is_ok_and(|uri| {
        let scheme = matches!(uri.scheme_str(), Some("https" | "http"));
        let authority = uri.authority().is_some_and(|authority| !authority.as_str().contains('@'));
        scheme && authority && !text.ends_with('/') && uri.path() == "/" && uri.query().is_none()
    })
}

fn refuse(wrong: bool, message: impl FnOnce() -> String) -> Result<(), PolicyError> {
    if wrong { Err(PolicyError::new(message())) } else { Ok(()) }
}
