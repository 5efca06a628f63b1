//! A small site in this process, which is right unless it is told where to be wrong.

use cloakroom_audit::{Ask, Fetch, Headers, Heard, Silence};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::time::Duration;
use tokio::time::{Instant, sleep};

pub(crate) const ORIGIN: &str = "https://shop.example";
const NAME: &str = "__Host-sid";
const PASSWORD: &str = "correct horse";

#[derive(Clone)]
struct Session {
    form_token: String,
    count: i64,
}

/// Where it is wrong, by the names of [`Fault`]s.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Signing out deletes the cookie alone.
    OutlivesSignOut,
    /// A login keeps the token that came.
    KeepsToken,
    /// A change comes from anywhere.
    TakesFromAnywhere,
    /// A number is read, and written a moment later.
    LosesUpdates,
    /// A slow request writes the session that it read, whatever became of it.
    BringsBack,
    /// The first cookie of the name counts.
    FirstTwinCounts,
    /// Everybody sees the same page.
    AlwaysOk,
    /// Every sixtieth request ends all sessions.
    SignsOutMidway,
    /// Whoever signs in more than three times is told to come back later.
    LimitsLogins,
    /// Every twentieth request ends all sessions.
    LosesSessions,
    /// Nobody can sign in.
    NoLogin,
    /// The session takes a second cookie, and ends when it comes without that.
    EndsWhenParted,
    /// Nobody can sign in while somebody else is signed in.
    LocksLogin,
    /// The cookie is the data: every change gives a new one, and the one before says what it said.
    KeepsDataInCookie,
    /// The third request is never answered, and every one after it.
    FallsSilent,
    /// Every answer of a user is an error after the login.
    Breaks,
}

pub(crate) struct Server {
    faults: Vec<Fault>,
    sessions: RefCell<HashMap<String, Session>>,
    made: Cell<u64>,
    pub(crate) asked: Cell<usize>,
    pub(crate) changes: Cell<usize>,
    logins: Cell<usize>,
    begin: Instant,
}

struct Answer {
    status: u16,
    headers: Headers,
    body: String,
}

impl Answer {
    fn new(status: u16, body: &str) -> Self {
        let mut headers = Headers::default();
        headers.push("Content-Type", "text/html");
        headers.push("Cache-Control", "no-store");
        headers.push("Content-Security-Policy", "frame-ancestors 'none'");
        Self { status, headers, body: body.to_owned() }
    }

    fn to(path: &str) -> Self {
        Self::new(303, "").with("Location", path)
    }

    fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push(name, value);
        self
    }

    fn setting(self, token: &str) -> Self {
        self.with("Set-Cookie", &format!("{NAME}={token}; Path=/; Secure; HttpOnly; SameSite=Lax"))
    }
}

impl Server {
    pub(crate) fn new(faults: &[Fault]) -> Self {
        Self {
            faults: faults.to_vec(),
            sessions: RefCell::default(),
            made: Cell::new(0),
            asked: Cell::new(0),
            changes: Cell::new(0),
            logins: Cell::new(0),
            begin: Instant::now(),
        }
    }

    fn has(&self, fault: Fault) -> bool {
        self.faults.contains(&fault)
    }

    /// 128 bits that look like chance and are the same in every run.
    fn token(&self) -> String {
        use sha2::Digest as _;
        self.made.set(self.made.get() + 1);
        let digest = sha2::Sha256::digest(self.made.get().to_be_bytes());
        digest.iter().take(16).map(|octet| format!("{octet:02x}")).collect()
    }

    /// The tokens of our name, and the one of them that is a session.
    fn found(&self, ask: &Ask) -> (Vec<String>, Option<(String, Session)>) {
        if self.has(Fault::LosesSessions) && self.asked.get().is_multiple_of(20) {
            self.sessions.borrow_mut().clear();
        }
        let field = ask.headers.text("cookie").unwrap_or_default().into_owned();
        let own =
            field.split(';').filter_map(|pair| pair.trim().strip_prefix(NAME)?.strip_prefix('='));
        let mut tokens: Vec<String> = own.map(str::to_owned).collect();
        if self.has(Fault::FirstTwinCounts) {
            tokens.truncate(1);
        }
        let sessions = self.sessions.borrow();
        let live =
            tokens.iter().find_map(|token| Some((token.clone(), sessions.get(token)?.clone())));
        (tokens, live)
    }

    async fn answer(&self, ask: &Ask) -> Answer {
        let url = url::Url::parse(&ask.url).unwrap();
        let (tokens, live) = self.found(ask);
        if self.has(Fault::SignsOutMidway) && self.asked.get().is_multiple_of(60) {
            self.sessions.borrow_mut().clear();
        }
        let field = ask.headers.text("cookie").unwrap_or_default().into_owned();
        let is_parted = self.has(Fault::EndsWhenParted) && !field.contains("__Host-key=1");
        if let Some((token, _)) = live.as_ref().filter(|_| is_parted) {
            self.sessions.borrow_mut().remove(token);
            return Answer::to("/login");
        }
        if self.has(Fault::AlwaysOk) {
            return Answer::new(200, "Welcome");
        }
        if live.is_some() && self.has(Fault::Breaks) {
            return Answer::new(500, "Sorry");
        }
        if ask.method != "GET" && !self.is_own(ask) {
            return Answer::new(403, "This came from elsewhere");
        }
        let body: HashMap<String, String> =
            url::form_urlencoded::parse(&ask.body).into_owned().collect();
        match (ask.method.as_str(), url.path(), live) {
            ("GET", "/login", live) => self.login_page(live.is_none()),
            ("POST", "/login", _) => self.login(&body, tokens.first()),
            ("GET", "/account", Some((_, session))) => account(&session),
            ("GET", "/count", Some((_, session))) => {
                Answer::new(200, &format!("{{\"count\":{}}}", session.count))
            }
            ("POST", path, Some((token, session))) => {
                let is_right = body.get("form_token") == Some(&session.form_token);
                if !is_right && !self.has(Fault::TakesFromAnywhere) {
                    return Answer::new(403, "The form is not from here");
                }
                self.change(path, token, session).await
            }
            (_, "/account" | "/count", None) => Answer::to("/login"),
            (_, _, _) => Answer::new(404, "There is no such page"),
        }
    }

    fn is_own(&self, ask: &Ask) -> bool {
        let origin = ask.headers.text("origin");
        let fetched = ask.headers.text("sec-fetch-site");
        let is_same = fetched.as_deref() == Some("same-origin")
            && origin.is_none_or(|origin| origin == ORIGIN);
        is_same || (self.has(Fault::TakesFromAnywhere) && !ask.url.ends_with("/login"))
    }

    fn login_page(&self, is_stranger: bool) -> Answer {
        let page = Answer::new(
            200,
            "<form method=post action=/login><input name=user><input name=password type=password></form>",
        );
        if !(is_stranger && self.has(Fault::KeepsToken)) {
            return page;
        }
        page.setting(&self.token())
    }

    fn login(&self, body: &HashMap<String, String>, brought: Option<&String>) -> Answer {
        self.logins.set(self.logins.get() + 1);
        if self.has(Fault::LimitsLogins) && self.logins.get() > 3 {
            return Answer::new(429, "Come back later");
        }
        let is_right = body.get("password").is_some_and(|password| password == PASSWORD);
        let is_locked = self.has(Fault::LocksLogin) && !self.sessions.borrow().is_empty();
        if !is_right || is_locked || self.has(Fault::NoLogin) {
            return Answer::new(422, "Wrong");
        }
        let kept = brought.filter(|_| self.has(Fault::KeepsToken)).cloned();
        let token = kept.unwrap_or_else(|| self.token());
        let session = Session { form_token: self.token(), count: 0 };
        self.sessions.borrow_mut().insert(token.clone(), session);
        let answer = Answer::to("/account").setting(&token);
        if !self.has(Fault::EndsWhenParted) {
            return answer;
        }
        answer.with("Set-Cookie", "__Host-key=1; Path=/; Secure; HttpOnly; SameSite=Lax")
    }

    async fn change(&self, path: &str, token: String, read: Session) -> Answer {
        let mut answer = Answer::to("/account");
        match path {
            "/logout" => {
                if !self.has(Fault::OutlivesSignOut) {
                    self.sessions.borrow_mut().remove(&token);
                }
                answer = Answer::to("/login").setting("; Max-Age=0");
                answer.headers.remove("set-cookie");
                answer = answer.with("Set-Cookie", &format!("{NAME}=; Path=/; Secure; Max-Age=0"));
            }
            "/count" => {
                self.changes.set(self.changes.get() + 1);
                if self.has(Fault::KeepsDataInCookie) {
                    let token = self.token();
                    let changed = Session { count: read.count + 1, ..read };
                    self.sessions.borrow_mut().insert(token.clone(), changed);
                    answer = answer.setting(&token);
                } else if self.has(Fault::LosesUpdates) {
                    sleep(Duration::from_millis(5)).await;
                    self.sessions
                        .borrow_mut()
                        .entry(token)
                        .and_modify(|now| now.count = read.count + 1);
                } else {
                    self.sessions.borrow_mut().entry(token).and_modify(|now| now.count += 1);
                }
            }
            "/report" => {
                sleep(Duration::from_secs(2)).await;
                if self.has(Fault::BringsBack) {
                    self.sessions.borrow_mut().insert(token, read);
                }
            }
            _ => return Answer::new(404, "There is no such page"),
        }
        answer
    }
}

fn account(session: &Session) -> Answer {
    let token = format!("<input type=hidden name=form_token value={}>", session.form_token);
    let form = |action: &str| {
        format!("<form method=post action={action}>{token}<button>Go</button></form>")
    };
    let forms: String = ["/logout", "/count", "/report"].map(form).concat();
    Answer::new(200, &format!("Your account. <a href=/help>Sign out</a>{forms}"))
}

impl Fetch for Server {
    async fn fetch(&self, ask: &Ask) -> Result<Heard, Silence> {
        self.asked.set(self.asked.get() + 1);
        if self.has(Fault::FallsSilent) && self.asked.get() > 2 {
            return Err(Silence::TooLate("20 s".to_owned()));
        }
        let Answer { status, headers, body } = self.answer(ask).await;
        Ok(Heard { status, headers, body: body.into_bytes(), is_cut: false })
    }

    async fn pause(&self, time: Duration) {
        sleep(time).await;
    }

    fn now(&self) -> Duration {
        Duration::from_secs(1_790_000_000) + self.begin.elapsed()
    }
}
