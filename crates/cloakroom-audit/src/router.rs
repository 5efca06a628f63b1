//! An audit of a router in the same process: for the tests of a service, without a network.

use crate::ask::{Ask, Fetch, Heard, Silence};
use crate::crawl::crawl;
use crate::exchange::{BODY_KEPT, Headers};
use crate::frontier::CrawlPlan;
use crate::observed::{Declared, Observed};
use crate::probes::{ProbePlan, probe};
use crate::report::{Facts, Report};
use crate::site::{Pace, Site};
use bytes::{Buf as _, Bytes};
use http::{HeaderMap, Request, Response};
use http_body::Body;
use http_body_util::{BodyExt as _, Full};
use std::fmt;
use std::future::poll_fn;
use std::marker::PhantomData;
use std::pin::Pin;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::time::timeout;
use tower_service::Service;
use url::{Position, Url};

/// Where a router seems to be asked unless somebody says otherwise: over TLS, as a service runs in the end.
const START: &str = "https://localhost/";
/// A handler in the same process that needs longer than 10 s does not answer.
const ANSWER_LIMIT: Duration = Duration::from_secs(10);
/// What streams goes on for ever: after 1 s its body is cut.
const BODY_LIMIT: Duration = Duration::from_secs(1);
/// Requests of one audit: a crawl of 200 pages and all probes are fewer than 500.
const REQUESTS_MOST: usize = 5_000;
/// Rules about what stands in front of a router.
const IN_FRONT: [(&str, &str); 1] =
    [("H04", "a router has no transport: ask the site as its visitors reach it")];

/// Audits a router, or any service of requests and responses, in this process.
///
/// It visits the pages that links lead to from the start, as a stranger too and with planted cookies;
/// nobody signs in, and nothing is posted. Every clone of the service must answer like the service.
///
/// ```
/// use axum::{Router, routing::get};
/// use cloakroom_audit::audit;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let router = Router::new().route("/", get(|| async { "hello" }));
///
/// audit(router).await.assert_clean();
///
/// let forgetful = get(|| async { ([("Set-Cookie", "session=q8Zr31LkP0vTn5YxBm2Wgk")], "hello") });
/// let report = audit(Router::new().route("/", forgetful)).await;
/// assert!(report.of_rule("C01").count() == 1 && !report.is_clean(cloakroom_audit::FAIL_ON));
/// # }
/// ```
///
/// A service that takes one kind of body alone is audited with [`RouterAudit::with_body`]. What looks for
/// the address of the client finds none: give the router one, with axum's `MockConnectInfo` for example.
pub fn audit<S>(service: S) -> RouterAudit<S> {
    RouterAudit {
        service,
        start: START.to_owned(),
        declared: Declared::default(),
        crawl: CrawlPlan::default(),
        probes: ProbePlan::default(),
        body: PhantomData,
    }
}

/// An audit of a router that begins when it is awaited, and gives a [`Report`].
///
/// It needs a runtime of tokio around it, with time.
pub struct RouterAudit<S, B = Full<Bytes>> {
    service: S,
    start: String,
    declared: Declared,
    crawl: CrawlPlan,
    probes: ProbePlan,
    body: PhantomData<fn(B)>,
}

impl<S, B> RouterAudit<S, B> {
    /// Where it begins: an absolute address, whose host the requests name; `https://localhost/` if nobody
    /// says otherwise.
    #[must_use]
    pub fn at(self, start: &str) -> Self {
        Self { start: start.to_owned(), ..self }
    }

    /// Says that the cookie of this name is a session, where its name does not tell.
    #[must_use]
    pub fn session_cookie(mut self, name: &str) -> Self {
        self.declared.sessions.push(name.to_owned());
        self
    }

    /// Says that the site cannot do without the cookie of this name.
    #[must_use]
    pub fn necessary(mut self, name: &str) -> Self {
        self.declared.necessary.push(name.to_owned());
        self
    }

    /// How far it visits.
    #[must_use]
    pub fn crawl(self, crawl: CrawlPlan) -> Self {
        Self { crawl, ..self }
    }

    /// What it asks beside the visit.
    #[must_use]
    pub fn probes(self, probes: ProbePlan) -> Self {
        Self { probes, ..self }
    }

    /// With another kind of body in its requests: `axum::body::Body`, for example.
    pub fn with_body<C>(self) -> RouterAudit<S, C> {
        let Self { service, start, declared, crawl, probes, body: _ } = self;
        RouterAudit { service, start, declared, crawl, probes, body: PhantomData }
    }
}

impl<S, B, R> IntoFuture for RouterAudit<S, B>
where
    S: Service<Request<B>, Response = Response<R>> + Clone + 'static,
    S::Error: fmt::Display,
    B: From<Vec<u8>> + 'static,
    R: Body,
{
    type Output = Report;
    type IntoFuture = Pin<Box<dyn Future<Output = Report>>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let in_process = InProcess { service: self.service, body: PhantomData };
            let begun = in_process.now();
            let pace = Pace { gap: Duration::ZERO, most: REQUESTS_MOST };
            let mut facts =
                Facts { target: self.start.clone(), begun: begun.as_secs(), ..Facts::default() };
            let site = match Site::new(in_process, &self.start, pace) {
                Ok(site) => site,
                Err(error) => {
                    facts.stopped = Some(error.to_string());
                    return Report::new(&Observed::new(Vec::new(), self.declared), facts);
                }
            };
            let stopped = talk(&site, self.crawl, &self.probes, &self.declared).await.err();
            facts.stopped = stopped.map(|silence| silence.to_string());
            facts.requests = site.asked();
            facts.ended = site.fetch().now().as_secs();
            let observed = Observed::new(site.exchanges(), self.declared);
            Report::leaving_out(&observed, facts, &IN_FRONT)
        })
    }
}

async fn talk<F: Fetch>(
    site: &Site<F>,
    plan: CrawlPlan,
    probes: &ProbePlan,
    declared: &Declared,
) -> Result<(), Silence> {
    let crawled = crawl(site, plan, &|_| {}).await?;
    crawled.stopped.map_or(Ok(()), Err)?;
    probe(site, probes, declared, &|_| {}).await
}

impl<S, B> fmt::Debug for RouterAudit<S, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RouterAudit")
            .field("start", &crate::mask::shown_url(&self.start))
            .field("crawl", &self.crawl)
            .field("probes", &self.probes)
            .finish_non_exhaustive()
    }
}

/// A service as a way to ask.
struct InProcess<S, B> {
    service: S,
    body: PhantomData<fn(B)>,
}

impl<S, B, R> Fetch for InProcess<S, B>
where
    S: Service<Request<B>, Response = Response<R>> + Clone,
    S::Error: fmt::Display,
    B: From<Vec<u8>>,
    R: Body,
{
    async fn fetch(&self, ask: &Ask) -> Result<Heard, Silence> {
        let request = request(ask)?;
        let mut service = self.service.clone();
        let answering = async {
            poll_fn(|context| service.poll_ready(context)).await?;
            service.call(request).await
        };
        let late = |_| Silence::TooLate(format!("{} s", ANSWER_LIMIT.as_secs()));
        let response = timeout(ANSWER_LIMIT, answering).await.map_err(late)?;
        let response = response.map_err(|error: S::Error| Silence::Broken(error.to_string()))?;
        let (head, body) = response.into_parts();
        let (body, is_cut) = read(body).await;
        Ok(Heard { status: head.status.as_u16(), headers: fields(&head.headers), body, is_cut })
    }

    /// A router in the own process need not be spared.
    async fn pause(&self, _: Duration) {}

    #[allow(
        clippy::disallowed_methods,
        reason = "the clock of an audit in a test, where no caller has one"
    )]
    fn now(&self) -> Duration {
        SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
    }
}

/// As a server of HTTP/1.1 hands it on: the path alone, and the host as a field.
fn request<B: From<Vec<u8>>>(ask: &Ask) -> Result<Request<B>, Silence> {
    let url = Url::parse(&ask.url).map_err(|error| Silence::OutOfScope(error.to_string()))?;
    let path = &url[Position::BeforePath..Position::AfterQuery];
    let mut building = Request::builder().method(ask.method.as_str()).uri(path);
    if ask.headers.all("host").next().is_none() {
        building = building.header("host", &url[Position::BeforeHost..Position::AfterPort]);
    }
    for (name, value) in ask.headers.iter() {
        building = building.header(name, value);
    }
    let request = building.body(B::from(ask.body.clone()));
    request.map_err(|error| Silence::OutOfScope(format!("it cannot be sent: {error}")))
}

/// The body up to the limits of octets and of time; what came until then is an answer too.
async fn read<R: Body>(body: R) -> (Vec<u8>, bool) {
    let mut body = std::pin::pin!(body);
    let mut read = Vec::new();
    let reading = async {
        while let Some(frame) = body.frame().await {
            let Ok(frame) = frame else { return true };
            let Ok(mut data) = frame.into_data() else { continue };
            while data.has_remaining() {
                let chunk = data.chunk();
                let length = chunk.len();
                read.extend_from_slice(chunk);
                data.advance(length);
            }
            if read.len() > BODY_KEPT {
                return true;
            }
        }
        false
    };
    let is_cut = timeout(BODY_LIMIT, reading).await.unwrap_or(true);
    (read, is_cut)
}

fn fields(of: &HeaderMap) -> Headers {
    let mut headers = Headers::default();
    of.iter().for_each(|(name, value)| headers.push(name.as_str(), value.as_bytes()));
    headers
}
