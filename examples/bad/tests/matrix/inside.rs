//! A router in this process, asked like a site; its clock is moved by waiting.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::Request;
use cloakroom_audit::{Ask, Fetch, Headers, Heard, Silence};
use tower::ServiceExt as _;

/// When every audit begins.
pub(crate) const BEGIN: u64 = 1_790_000_000;

/// A router, and the clock that it goes by.
#[derive(Clone)]
pub(crate) struct Inside {
    router: Router,
    clock: Arc<AtomicU64>,
    asked: Rc<Cell<usize>>,
}

impl Inside {
    pub(crate) fn new(make: impl FnOnce(Arc<AtomicU64>) -> Router) -> Self {
        let clock = Arc::new(AtomicU64::new(BEGIN));
        Self { router: make(Arc::clone(&clock)), clock, asked: Rc::default() }
    }
}

impl Fetch for Inside {
    async fn fetch(&self, ask: &Ask) -> Result<Heard, Silence> {
        self.asked.set(self.asked.get() + 1);
        let broken = |error: &dyn std::fmt::Display| Silence::Broken(error.to_string());
        let mut request = Request::builder().method(ask.method.as_str()).uri(&ask.url);
        for (name, value) in ask.headers.iter() {
            request = request.header(name, value);
        }
        let request = request.body(Body::from(ask.body.clone())).map_err(|error| broken(&error))?;
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
        self.clock.fetch_add(time.as_secs(), Ordering::Relaxed);
        // Requests under way go on in real time.
        tokio::time::sleep(time.min(Duration::from_millis(200))).await;
    }

    fn now(&self) -> Duration {
        Duration::from_secs(self.clock.load(Ordering::Relaxed))
    }
}
