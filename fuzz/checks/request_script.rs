//! Any sequence of requests of two browsers, with any of the tickets that were ever handed out, beside
//! a plain model of who stands where: nobody becomes somebody else, what ended stays ended, and a
//! ticket is handed out for a change alone.

use std::sync::LazyLock;
use std::time::Duration;

use cloakroom::store::{By, Factors, SessionId};
use cloakroom::{
    ABSOLUTE_TIMEOUT, ErrorKind, GRACE, GRACE_CAP, IDLE_TIMEOUT, ManualClock, MemoryStore, Result,
    Session, Sessions,
};
use http::header::{COOKIE, SET_COOKIE};
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use tokio::runtime::{Builder, Runtime};

static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| Builder::new_current_thread().enable_time().build().expect("a runtime"));

const NAME: &str = "__Host-Http-session";
const USERS: [&str; 2] = ["ada", "bea"];
/// How much activity may go unrecorded.
const TOUCH_EVERY: u64 = 60;
/// How long the clock may be advanced at once, in seconds: around every deadline.
const SPANS: [u64; 8] = [1, 19, 20, 61, 599, 600, 1_735, 1_800];
/// A longer script shows nothing new.
const STEPS_MAX: usize = 64;
/// How many older keys of one session the store keeps; with more, nothing is said of them.
const OLDER_MAX: usize = 8;

/// What one step does; the handler of a request, but for the last one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Do {
    Read,
    Set,
    /// Sets, and answers with status 500.
    Fail,
    Login(&'static str),
    Logout,
    Rotate,
    StepUp,
    EndOthers,
    /// An operator ends a session.
    Revoke(usize),
    /// An operator makes a user staff.
    Promote(&'static str),
    Clock(u64),
}

impl Do {
    fn read(octet: u8, with: u8) -> Self {
        let user = USERS[usize::from(with) % USERS.len()];
        match octet % 11 {
            0 => Self::Set,
            1 => Self::Fail,
            2 => Self::Login(user),
            3 => Self::Logout,
            4 => Self::Rotate,
            5 => Self::StepUp,
            6 => Self::EndOthers,
            7 => Self::Revoke(with.into()),
            8 => Self::Promote(user),
            9 => Self::Clock(SPANS[usize::from(with) % SPANS.len()]),
            _ => Self::Read,
        }
    }
}

/// Whether a session is there. The clocks leave a moment in which it may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Life {
    Lives,
    MayLive,
    Over,
}

/// A ticket of a session; an older one has an end.
#[derive(Debug)]
struct Held {
    ticket: String,
    until: Option<u64>,
    /// The newest ticket has not been seen since this one was renewed.
    waits: bool,
}

#[derive(Debug)]
struct Known {
    id: SessionId,
    user: Option<&'static str>,
    note: Option<u64>,
    is_staff: bool,
    is_over: bool,
    active: u64,
    proved: u64,
    held: Vec<Held>,
}

impl Known {
    fn life(&self, now: u64) -> Life {
        let absolute = self.proved + ABSOLUTE_TIMEOUT.as_secs();
        let idle = self.active + IDLE_TIMEOUT.as_secs();
        if self.is_over || now >= absolute || now >= idle {
            Life::Over
        } else if now + TOUCH_EVERY > idle {
            Life::MayLive
        } else {
            Life::Lives
        }
    }

    /// The same as the holder of one ticket finds it.
    fn through(&self, at: usize, now: u64) -> Life {
        match self.held[at].until {
            Some(until) if now >= until => Life::Over,
            Some(_) if at + OLDER_MAX < self.held.len() => Life::MayLive,
            Some(_) | None => self.life(now),
        }
    }

    fn renewed(&mut self, ticket: String, now: u64) {
        let newest = self.held.last_mut().expect("a session has a ticket");
        (newest.until, newest.waits) = (Some(now + GRACE_CAP.as_secs()), true);
        self.held.push(Held { ticket, until: None, waits: false });
    }

    /// The newest ticket was seen.
    fn seen(&mut self, now: u64) {
        for older in self.held.iter_mut().filter(|held| held.waits) {
            older.until = older.until.map(|until| until.min(now + GRACE.as_secs()));
            older.waits = false;
        }
    }
}

/// Where a request stands: which session, and whether by an older ticket.
type Stands = Option<(usize, bool)>;

struct World {
    sessions: Sessions<()>,
    clock: ManualClock,
    now: u64,
    known: Vec<Known>,
    issued: Vec<String>,
    browsers: [Option<String>; 2],
    value: u64,
}

impl World {
    fn new() -> Self {
        let clock = ManualClock::at_secs(1_790_000_000);
        let sessions = Sessions::builder(MemoryStore::new())
            .dangerous_sessions_end_with_the_process()
            .clock(clock.clone())
            .build()
            .expect("a policy without contradictions");
        let (known, issued, browsers) = (Vec::new(), Vec::new(), [None, None]);
        Self { sessions, clock, now: 0, known, issued, browsers, value: 0 }
    }

    /// The tickets that a request carries: the browser's own or none, another that was handed out
    /// once, both, or one that nobody made.
    fn tickets(&self, browser: usize, how: u8, with: u8) -> Vec<String> {
        let own = self.browsers[browser].clone();
        let other = self.issued.get(usize::from(with) % self.issued.len().max(1)).cloned();
        let forged = || {
            let mut forged = own.clone().unwrap_or_else(|| "AAAAAAAAAAAAAAAAAAAAAA".to_owned());
            let at = usize::from(with) % forged.len();
            let letter = if forged.as_bytes()[at] == b'A' { "B" } else { "A" };
            forged.replace_range(at..=at, letter);
            forged
        };
        let mut tickets: Vec<_> = match how % 8 {
            0 => Vec::new(),
            1 => other.into_iter().collect(),
            2 => own.into_iter().chain(other).collect(),
            3 => vec![forged()],
            4 => std::iter::once(forged()).chain(own.clone()).collect(),
            _ => own.into_iter().collect(),
        };
        tickets.dedup();
        tickets
    }

    /// The sessions that these tickets are for, each with its life and whether the ticket is older.
    fn meant(&self, tickets: &[String]) -> Vec<(usize, Life, bool)> {
        let mut meant: Vec<(usize, Life, bool)> = Vec::new();
        for (number, known) in self.known.iter().enumerate() {
            let held = known.held.iter().enumerate();
            let sent = held.filter(|(_, held)| tickets.contains(&held.ticket));
            let mut found =
                sent.map(|(at, held)| (known.through(at, self.now), held.until.is_some()));
            // The newest one counts, and stands last.
            let found = found.rfind(|(life, _)| *life != Life::Over);
            meant.extend(found.map(|(life, is_older)| (number, life, is_older)));
        }
        meant
    }

    /// What the service found is what the model says, which learns from it what the clocks leave open.
    fn settle(&mut self, tickets: &[String], found: Option<SessionId>) -> Stands {
        let meant = self.meant(tickets);
        let sure: Vec<_> = meant.iter().filter(|(_, life, _)| *life == Life::Lives).collect();
        let stands = meant.iter().find(|(number, ..)| Some(self.known[*number].id) == found);
        let stands = stands.map(|(number, _, is_older)| (*number, *is_older));
        match stands {
            Some((number, _)) => {
                assert!(sure.iter().all(|(other, ..)| *other == number), "two live sessions");
                let others = meant.iter().filter(|(other, ..)| *other != number);
                others.for_each(|(other, _, is_older)| {
                    self.known[*other].is_over |= !is_older;
                });
                self.known[number].active = self.now;
            }
            None => {
                assert!(found.is_none(), "a session that no ticket of the request leads to");
                assert!(sure.len() != 1 || meant.len() > 1, "a live session was not found");
                if let [(number, Life::MayLive, false)] = meant.as_slice() {
                    self.known[*number].is_over = true;
                }
            }
        }
        for (number, _, is_older) in meant {
            if !is_older {
                self.known[number].seen(self.now);
            }
        }
        stands
    }

    async fn step(&mut self, browser: usize, step: Do, tickets: &[String]) {
        if let Do::Clock(seconds) = step {
            self.clock.advance(Duration::from_secs(seconds));
            self.now += seconds;
            return;
        }
        let mut headers = HeaderMap::new();
        headers.insert("sec-fetch-site", HeaderValue::from_static("same-origin"));
        for ticket in tickets {
            headers.append(COOKIE, format!("{NAME}={ticket}").parse().expect("a header"));
        }
        let scope = self.sessions.open(&Method::POST, &Uri::from_static("/"), &mut headers);
        let scope = scope.expect("a request of our own page");
        let mut s = scope.session().await.expect("the store is there");
        let stands = self.settle(tickets, s.id());
        self.looks_right(&s, stands);
        self.value += 1;
        let done = self.handle(&mut s, step, stands).await;
        let done = if step == Do::Logout { s.logout().await } else { done };
        let status = match (&done, step) {
            (Err(error), _) => error.status(),
            (Ok(()), Do::Fail) => StatusCode::INTERNAL_SERVER_ERROR,
            (Ok(()), _) => StatusCode::OK,
        };
        let mut headers = HeaderMap::new();
        let instead = scope.close(status, &mut headers).await;
        let refused = instead.as_ref().map(http::Response::status);
        let headers = instead.as_ref().map_or(&headers, |response| response.headers());
        let cookie = self.cookie(headers);
        self.judge(step, stands, tickets, &done, (refused, cookie.clone())).await;
        if let Some(cookie) = cookie {
            self.browsers[browser] = cookie;
        }
    }

    /// The session shows what was done in it, and nothing of any other.
    fn looks_right(&self, s: &Session<()>, stands: Stands) {
        let known = stands.map(|(number, _)| &self.known[number]);
        let user = s.user();
        let user = user.as_ref().map(|user| user.as_str());
        assert_eq!(user, known.and_then(|known| known.user), "somebody else");
        assert_eq!(s.field::<u64>("note"), known.and_then(|known| known.note), "other data");
        assert_eq!(s.roles().contains("staff"), known.is_some_and(|known| known.is_staff));
    }

    /// What a handler does that keeps its session.
    async fn handle(&mut self, s: &mut Session<()>, step: Do, stands: Stands) -> Result<()> {
        match step {
            Do::Read | Do::Logout | Do::Clock(_) => Ok(()),
            Do::Set | Do::Fail => s.set("note", &self.value),
            Do::Login(user) => s.login(user).await,
            Do::Rotate => s.rotate().await,
            Do::StepUp => s.step_up(Factors::TOTP).await,
            Do::EndOthers => {
                let ended = s.end_others().await?;
                let user = stands.and_then(|(number, _)| self.known[number].user);
                let here = stands.map(|(number, _)| number);
                let others: Vec<_> = (0..self.known.len())
                    .filter(|at| {
                        user.is_some() && Some(*at) != here && self.known[*at].user == user
                    })
                    .collect();
                self.counts(&others, ended);
                others.into_iter().for_each(|at| self.known[at].is_over = true);
                Ok(())
            }
            Do::Revoke(number) if !self.known.is_empty() => {
                let at = number % self.known.len();
                let ended = self.sessions.revoke(self.known[at].id, By::SYSTEM).await?;
                self.counts(&[at], ended.into());
                self.known[at].is_over = true;
                Ok(())
            }
            Do::Revoke(_) => Ok(()),
            Do::Promote(user) => {
                let reached = self.sessions.set_roles(user, &["staff"]).await?;
                let theirs: Vec<_> =
                    (0..self.known.len()).filter(|at| self.known[*at].user == Some(user)).collect();
                self.counts(&theirs, usize::try_from(reached).expect("a small number"));
                theirs.into_iter().for_each(|at| self.known[at].is_staff = true);
                Ok(())
            }
        }
    }

    /// A verb that reaches sessions reaches all that live and none that is over.
    fn counts(&self, sessions: &[usize], reached: usize) {
        let are = |life: Life| {
            sessions.iter().filter(|at| self.known[**at].life(self.now) == life).count()
        };
        let least = are(Life::Lives);
        assert!((least..=least + are(Life::MayLive)).contains(&reached), "{reached} of {least}");
    }

    /// The cookie that a response sets, which nobody ever had; `Some(None)` deletes it.
    fn cookie(&mut self, headers: &HeaderMap) -> Option<Option<String>> {
        let mut lines = headers.get_all(SET_COOKIE).iter();
        let line = lines.next()?.to_str().expect("text");
        assert!(lines.next().is_none(), "one Set-Cookie of ours at most");
        let pair = line.split(';').next().and_then(|pair| pair.strip_prefix(NAME));
        let ticket = pair.and_then(|rest| rest.strip_prefix('=')).expect("our cookie").to_owned();
        if ticket.is_empty() {
            return Some(None);
        }
        assert!(!self.issued.contains(&ticket), "a ticket is handed out once");
        self.issued.push(ticket.clone());
        Some(Some(ticket))
    }

    /// The answer says what was done and nothing else, and the model does the same.
    async fn judge(
        &mut self,
        step: Do,
        stands: Stands,
        tickets: &[String],
        done: &Result<()>,
        (refused, cookie): (Option<StatusCode>, Option<Option<String>>),
    ) {
        let failed = done.as_ref().err().map(cloakroom::Error::kind);
        let user = stands.and_then(|(number, _)| self.known[number].user);
        let (here, is_older) = (stands.map(|(number, _)| number), stands.is_some_and(|(_, o)| o));
        let is_identity = matches!(step, Do::Login(_) | Do::Logout | Do::Rotate | Do::StepUp)
            || step == Do::EndOthers;
        let wanted = if is_older && is_identity {
            Some(ErrorKind::Stale)
        } else if step == Do::StepUp && user.is_none() {
            Some(ErrorKind::NotSignedIn)
        } else {
            None
        };
        assert_eq!(failed, wanted.as_ref(), "{step:?}");
        match (step, here, wanted) {
            (Do::Set, Some(here), _) => {
                assert_eq!((refused, cookie), (None, None));
                self.known[here].note = Some(self.value);
            }
            (Do::Set, None, _) => match cookie {
                Some(Some(ticket)) => self.begins(ticket, None, Some(self.value)).await,
                // The browser may hold a newer ticket than one that was sent.
                cookie => {
                    assert_eq!((refused, cookie), (Some(StatusCode::CONFLICT), None));
                    assert!(tickets.iter().any(|ticket| self.issued.contains(ticket)));
                }
            },
            (Do::Login(user), here, None) => {
                here.into_iter().for_each(|here| self.known[here].is_over = true);
                let ticket = cookie.flatten().expect("the ticket of a login");
                self.begins(ticket, Some(user), None).await;
            }
            (Do::Logout, Some(here), None) => {
                assert_eq!((refused, cookie), (None, Some(None)));
                self.known[here].is_over = true;
            }
            (Do::Rotate | Do::StepUp, Some(here), None) => {
                let ticket = cookie.flatten().expect("the ticket of a renewal");
                let now = self.now;
                let known = &mut self.known[here];
                known.renewed(ticket, now);
                known.proved = if step == Do::StepUp { now } else { known.proved };
            }
            (_, _, _) => assert_eq!((refused, cookie), (None, None), "{step:?} changes no ticket"),
        }
    }

    /// A ticket that was handed out leads to a session that is no other.
    async fn begins(&mut self, ticket: String, user: Option<&'static str>, note: Option<u64>) {
        let mut headers = HeaderMap::new();
        headers.append(COOKIE, format!("{NAME}={ticket}").parse().expect("a header"));
        let scope = self.sessions.open(&Method::GET, &Uri::from_static("/"), &mut headers);
        let s = scope.expect("a page may be read").session().await.expect("the store is there");
        let id = s.id().expect("the ticket opens a session");
        assert!(self.known.iter().all(|known| known.id != id), "a session of its own");
        let held = vec![Held { ticket, until: None, waits: false }];
        let (active, proved) = (self.now, self.now);
        let (is_staff, is_over) = (false, false);
        self.known.push(Known { id, user, note, is_staff, is_over, active, proved, held });
        self.looks_right(&s, Some((self.known.len() - 1, false)));
    }
}

pub(crate) fn holds(input: &[u8]) {
    let mut world = World::new();
    for octets in input.chunks_exact(3).take(STEPS_MAX) {
        let [what, whom, with] = *octets else { return };
        let browser = usize::from(whom % 2);
        let tickets = world.tickets(browser, whom / 2, with);
        RUNTIME.block_on(world.step(browser, Do::read(what, with), &tickets));
    }
}
