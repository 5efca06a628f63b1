//! A router in this process, asked like a site. Nobody waits: while all sleep, the clock of the
//! runtime jumps to whoever wakes up first, and everybody reads that clock.

use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::Request;
use cloakroom_audit::{Ask, Fetch, Headers, Heard, Silence};
use tokio::time::Instant;
use tower::ServiceExt as _;

/// When every audit begins, in seconds since the Unix epoch.
const BEGIN: u64 = 1_790_000_000;

/// How long a request is on its way: two of them are not at the same time.
const WAY: Duration = Duration::from_millis(5);

/// The runtime's clock, from [`BEGIN`] on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Flowing(Instant);

impl Flowing {
    pub(crate) fn begin() -> Self {
        Self(Instant::now())
    }

    pub(crate) fn since_1970(self) -> Duration {
        Duration::from_secs(BEGIN) + self.0.elapsed()
    }
}

/// A router, and the clock that it goes by.
#[derive(Clone)]
pub(crate) struct Inside {
    pub(crate) router: Router,
    pub(crate) clock: Flowing,
}

impl Fetch for Inside {
    async fn fetch(&self, ask: &Ask) -> Result<Heard, Silence> {
        let broken = |error: &dyn std::fmt::Display| Silence::Broken(error.to_string());
        let mut request = Request::builder().method(ask.method.as_str()).uri(&ask.url);
        for (name, value) in ask.headers.iter() {
            request = request.header(name, value);
        }
        let request = request.body(Body::from(ask.body.clone())).map_err(|error| broken(&error))?;
        tokio::time::sleep(WAY).await;
        let response = self.router.clone().oneshot(request).await;
        let (head, body) = response.map_err(|error| broken(&error))?.into_parts();
        let mut headers = Headers::default();
        for (name, value) in &head.headers {
            headers.push(name.as_str(), value.as_bytes());
        }
        let body = to_bytes(body, usize::MAX).await.map_err(|error| broken(&error))?.to_vec();
        Ok(Heard { status: head.status.as_u16(), headers, body, is_cut: false })
    }

    async fn pause(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }

    fn now(&self) -> Duration {
        self.clock.since_1970()
    }
}
