//! A shop with a clock of its own, and the browsers that visit it.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::header::{CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE, USER_AGENT};
use axum::http::{HeaderMap, Request, StatusCode};
use cloakroom::ManualClock;
use shop::App;
use tower::ServiceExt as _;

pub(crate) const PASSWORD: &str = "correct horse battery";

/// A shop in a folder of its own, which goes away with it.
pub(crate) struct Place {
    pub(crate) clock: ManualClock,
    router: Router,
    folder: PathBuf,
}

impl Place {
    pub(crate) async fn open() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("shop-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let clock = ManualClock::at_secs(1_800_000_000);
        let store = format!("sqlite:{}", folder.join("shop.db").display()).parse().unwrap();
        let accounts = folder.join("shop.db.accounts");
        let app = App::open(&store, &accounts, clock.clone()).await.unwrap();
        Self { clock, router: app.router(), folder }
    }

    /// A browser without any cookies.
    pub(crate) fn browser(&self) -> Browser {
        Browser { router: self.router.clone(), cookie: None }
    }

    /// A browser whose user has just made an account.
    pub(crate) async fn sign_up(&self, name: &str) -> Browser {
        let mut browser = self.browser();
        let answer = browser.post("/sign-up", &credentials(name)).await;
        assert_eq!(answer.status, 303, "{}", answer.text);
        browser
    }

    /// A browser whose user has just signed in.
    pub(crate) async fn sign_in(&self, name: &str) -> Browser {
        let mut browser = self.browser();
        let answer = browser.post("/sign-in", &credentials(name)).await;
        assert_eq!(answer.status, 303, "{}", answer.text);
        browser
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.folder));
    }
}

pub(crate) fn credentials(name: &str) -> String {
    format!("name={name}&password={PASSWORD}").replace(' ', "+")
}

/// A browser that keeps the one cookie that the shop has. Clones are the same browser.
#[derive(Clone)]
pub(crate) struct Browser {
    router: Router,
    pub(crate) cookie: Option<String>,
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Browser {
    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        self.send(Request::get(path).body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn post(&mut self, path: &str, form: &str) -> Answer {
        let request = Request::post(path).header("sec-fetch-site", "same-origin");
        let request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.send(request.body(Body::from(form.to_owned())).unwrap()).await
    }

    /// An empty form that a page of another site sends.
    pub(crate) async fn forged(&mut self, path: &str) -> Answer {
        let request = Request::post(path).header("sec-fetch-site", "cross-site");
        self.send(request.body(Body::empty()).unwrap()).await
    }

    async fn send(&mut self, mut request: Request<Body>) -> Answer {
        let agent = "Mozilla/5.0 (X11; Linux x86_64; rv:148.0) Gecko/20100101 Firefox/148.0";
        request.headers_mut().insert(USER_AGENT, agent.parse().unwrap());
        if let Some(cookie) = &self.cookie {
            request.headers_mut().insert(COOKIE, cookie.parse().unwrap());
        }
        let (head, body) = self.router.clone().oneshot(request).await.unwrap().into_parts();
        for line in head.headers.get_all(SET_COOKIE) {
            self.keep(line.to_str().unwrap());
        }
        let text = String::from_utf8(to_bytes(body, usize::MAX).await.unwrap().to_vec()).unwrap();
        Answer { status: head.status, headers: head.headers, text }
    }

    fn keep(&mut self, line: &str) {
        let (pair, attributes) = line.split_once(';').unwrap();
        let kept = !attributes.contains("Max-Age=0");
        self.cookie = kept.then(|| pair.to_owned());
    }

    /// Whether the front page shows a user.
    pub(crate) async fn is_signed_in(&mut self) -> bool {
        self.get("/").await.shows("id=\"sign-out\"")
    }

    /// How many things the front page says are in the cart.
    pub(crate) async fn items(&mut self) -> u32 {
        let page = self.get("/").await.text;
        let badge = page.split_once("id=\"cart-count\"").unwrap().1;
        let number = badge.split_once('>').unwrap().1.split_once('<').unwrap().0;
        number.parse().unwrap()
    }
}

impl Answer {
    pub(crate) fn shows(&self, text: &str) -> bool {
        self.text.contains(text)
    }

    pub(crate) fn location(&self) -> &str {
        self.headers.get(LOCATION).map_or("", |value| value.to_str().unwrap())
    }

    /// The ids of the sessions on an account page: this browser's first.
    pub(crate) fn sessions(&self) -> Vec<String> {
        let parts = self.text.split("data-session=\"").skip(1);
        parts.map(|part| part.split_once('"').unwrap().0.to_owned()).collect()
    }
}
