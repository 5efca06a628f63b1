//! A visitor who does one thing after the other, and remembers exactly what was promised.

use crate::random::Random;
use cloakroom_journeys::deadline::Stopwatch;
use cloakroom_journeys::http::{Connection, Response, set_cookie_value};
use serde_json::Value;
use std::net::SocketAddr;
use std::time::Duration;

const COOKIE: &str = "__Host-Http-session";

/// How many tickets of ended sessions a visitor keeps and tries again.
const DEAD_KEPT: usize = 20;

/// What one visitor saw that should not be, and how much it did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) requests: u64,
    /// Answers 503, and requests without an answer because the process was gone.
    pub(crate) unavailable: u64,
    /// Sessions that were gone although nobody had ended them.
    pub(crate) lost_sessions: u64,
    /// Counts that had been acknowledged and were missing.
    pub(crate) lost_writes: u64,
    /// Counts that nobody had asked for.
    pub(crate) doubled: u64,
    /// Answers to the ticket of a session that was over, as if it were not.
    pub(crate) revived: u64,
    /// How long the slowest answer took.
    pub(crate) slowest: Duration,
    /// Any other answer, and the first of them in words.
    pub(crate) unexpected: u64,
    pub(crate) words: Vec<String>,
}

pub(crate) struct Client {
    processes: Vec<SocketAddr>,
    open: Vec<Option<Connection>>,
    random: Random,
    name: String,
    session: Option<Kept>,
    dead: Vec<String>,
    pub(crate) seen: Seen,
}

/// What is known of the session that the visitor has.
struct Kept {
    ticket: String,
    signed_in: bool,
    /// An identity call got no answer: the session may be over.
    maybe_over: bool,
    /// The count lies between these: the lower was acknowledged, the upper asked for.
    low: u64,
    high: u64,
}

/// What the service says of a session.
struct Told {
    user: bool,
    count: u64,
}

impl Client {
    pub(crate) fn new(processes: &[SocketAddr], number: u64, seed: u64) -> Self {
        Self {
            processes: processes.to_vec(),
            open: processes.iter().map(|_| None).collect(),
            random: Random::new(seed.wrapping_add(number.wrapping_mul(0x9E37_79B9_7F4A_7C15))),
            name: format!("visitor-{number}"),
            session: None,
            dead: Vec::new(),
            seen: Seen::default(),
        }
    }

    /// One thing that a visitor does.
    pub(crate) fn step(&mut self) {
        let known = self.session.as_ref().map(|kept| (kept.signed_in, kept.maybe_over));
        match (self.random.below(20), known) {
            // What got no answer is asked again before anything else.
            (_, Some((true, true))) => self.sign_out(),
            (_, Some((false, true))) => self.sign_in(),
            (0, _) => self.try_a_dead_ticket(),
            (1 | 2, Some((true, _))) => self.sign_out(),
            (1 | 2, Some((false, _)) | None) => self.sign_in(),
            (3..=8, _) => self.look(),
            (_, _) => self.count(),
        }
    }

    /// Whether everything that was promised is so, now that all is well again.
    pub(crate) fn settle(&mut self) {
        self.look();
        while let Some(ticket) = self.dead.pop() {
            self.knock(&ticket);
        }
    }

    fn count(&mut self) {
        let ticket = self.ticket();
        match self.ask("POST", "/count", &ticket, "") {
            Some(response) if Told::read(&response).is_some() => {
                if let Some(ticket) = set_cookie_value(&response, COOKIE) {
                    // A count through a session that is over begins a new one.
                    self.gone();
                    self.session = Some(Kept::new(ticket, false, 0, 0));
                }
                if let Some(told) = Told::read(&response) {
                    self.counted(&told, true);
                }
            }
            // The session ended before the write.
            Some(response) if response.status == 409 => self.gone(),
            Some(response) => self.unexpected("count", &response),
            None => {
                if let Some(kept) = &mut self.session {
                    kept.high += 1;
                }
            }
        }
    }

    fn look(&mut self) {
        let Some(kept) = &self.session else { return };
        let ticket = kept.ticket.clone();
        let Some(response) = self.ask("GET", "/", &ticket, "") else { return };
        match Told::read(&response) {
            Some(told) => self.counted(&told, false),
            None => self.unexpected("look", &response),
        }
    }

    fn sign_in(&mut self) {
        let ticket = self.ticket();
        let body = format!("{{\"name\":\"{}\"}}", self.name);
        match self.ask("POST", "/sign-in", &ticket, &body) {
            Some(response) if response.status == 204 => {
                let fresh = set_cookie_value(&response, COOKIE);
                let Some(fresh) = fresh else { return self.unexpected("sign-in", &response) };
                let (low, high) =
                    self.session.as_ref().map_or((0, 0), |kept| (kept.low, kept.high));
                // A session that may have been over before the sign-in took nothing along.
                let low =
                    if self.session.as_ref().is_some_and(|kept| kept.maybe_over) { 0 } else { low };
                self.bury();
                self.session = Some(Kept::new(fresh, true, low, high));
            }
            Some(response) => self.unexpected("sign-in", &response),
            None => self.doubt(),
        }
    }

    fn sign_out(&mut self) {
        let ticket = self.ticket();
        match self.ask("POST", "/sign-out", &ticket, "") {
            Some(response) if response.status == 204 => self.bury(),
            Some(response) if response.status == 409 => self.gone(),
            Some(response) => self.unexpected("sign-out", &response),
            None => self.doubt(),
        }
    }

    fn try_a_dead_ticket(&mut self) {
        if let Some(ticket) = self.dead.last().cloned() {
            self.knock(&ticket);
        }
    }

    fn knock(&mut self, ticket: &str) {
        let Some(response) = self.ask("GET", "/", ticket, "") else { return };
        match Told::read(&response) {
            Some(told) if told.user || told.count > 0 => {
                self.seen.revived += 1;
                self.tell(&format!("a dead ticket opened {}", response.text()));
            }
            Some(_) => {}
            None => self.unexpected("a dead ticket", &response),
        }
    }

    /// Compares what the service says of our session with what it promised.
    fn counted(&mut self, told: &Told, one_more: bool) {
        let Some(kept) = &mut self.session else { return };
        if told.user != kept.signed_in || (!told.user && told.count == 0) {
            return self.gone();
        }
        let more = u64::from(one_more);
        let (least, most) = (kept.low + more, kept.high + more);
        let (low, high) = (told.count, most.max(told.count));
        let (lost, doubled) = (least.saturating_sub(told.count), told.count.saturating_sub(most));
        (kept.low, kept.high) = (low, high);
        self.seen.lost_writes += lost;
        self.seen.doubled += doubled;
        if lost + doubled > 0 {
            self.tell(&format!("{} where {least} to {most} had been promised", told.count));
        }
    }

    /// The session is over although we did not end it, or may have.
    fn gone(&mut self) {
        if self.session.as_ref().is_some_and(|kept| !kept.maybe_over) {
            self.seen.lost_sessions += 1;
            self.tell("a session was gone");
        }
        self.bury();
    }

    /// The session is over: its ticket must open nothing ever again.
    fn bury(&mut self) {
        let Some(kept) = self.session.take() else { return };
        if self.dead.len() == DEAD_KEPT {
            self.dead.remove(0);
        }
        self.dead.push(kept.ticket);
    }

    fn doubt(&mut self) {
        if let Some(kept) = &mut self.session {
            kept.maybe_over = true;
        }
    }

    fn ticket(&self) -> String {
        self.session.as_ref().map(|kept| kept.ticket.clone()).unwrap_or_default()
    }

    /// `None` for 503, and for no answer: what was asked may or may not have happened.
    fn ask(&mut self, method: &str, path: &str, ticket: &str, body: &str) -> Option<Response> {
        self.seen.requests += 1;
        let number = self.random.below(self.processes.len());
        let cookie = format!("{COOKIE}={ticket}");
        let mut headers: Vec<(&str, &[u8])> =
            vec![("Sec-Fetch-Site", b"same-origin"), ("Content-Type", b"application/json")];
        if !ticket.is_empty() {
            headers.push(("Cookie", cookie.as_bytes()));
        }
        let watch = Stopwatch::start();
        let taken = self.open[number].take();
        let connection = taken.map_or_else(|| Connection::open(self.processes[number]), Ok);
        let answered = connection.and_then(|mut connection| {
            let response = connection.request(method, path, &headers, body.as_bytes())?;
            self.open[number] = Some(connection);
            Ok(response)
        });
        self.seen.slowest = self.seen.slowest.max(watch.elapsed());
        match answered {
            Ok(response) if response.status != 503 => Some(response),
            Ok(_) | Err(_) => {
                self.seen.unavailable += 1;
                None
            }
        }
    }

    fn unexpected(&mut self, what: &str, response: &Response) {
        self.seen.unexpected += 1;
        self.tell(&format!("{what}: {} {}", response.status, response.text()));
    }

    fn tell(&mut self, words: &str) {
        if self.seen.words.len() < 3 {
            self.seen.words.push(format!("{}: {words}", self.name));
        }
    }
}

impl Kept {
    fn new(ticket: String, signed_in: bool, low: u64, high: u64) -> Self {
        Self { ticket, signed_in, maybe_over: false, low, high }
    }
}

impl Told {
    fn read(response: &Response) -> Option<Self> {
        let told: Value = serde_json::from_slice(&response.body).ok()?;
        let user = !told.get("user")?.is_null();
        Some(Self { user, count: told.get("count")?.as_u64()? })
    }
}

impl Seen {
    pub(crate) fn add(&mut self, other: Self) {
        self.requests += other.requests;
        self.unavailable += other.unavailable;
        self.lost_sessions += other.lost_sessions;
        self.lost_writes += other.lost_writes;
        self.doubled += other.doubled;
        self.revived += other.revived;
        self.unexpected += other.unexpected;
        self.slowest = self.slowest.max(other.slowest);
        self.words.extend(other.words);
    }
}
