//! A store that goes and comes back, again and again, under load: nobody waits longer than said,
//! nobody is signed out, and service is back within a second.
//!
//! `CLOAKROOM_LONG` makes twenty absences of three.

use crate::client::Seen;
use crate::engines::{self, Engine};
use crate::load::{Load, Service, wait_until_served};
use crate::random;
use cloakroom_journeys::deadline::Stopwatch;
use cloakroom_journeys::http::{self, set_cookie_value};
use cloakroom_journeys::{Failure, program};
use std::net::SocketAddr;
use std::time::Duration;

/// How long visitors are served between two absences.
const CALM: Duration = Duration::from_millis(1_500);

/// What a store call may take, and what the machine may add to it.
const WAIT: Duration = Duration::from_millis(2_000 + 500);

/// Within this after the store's return every process serves.
const BACK: Duration = Duration::from_secs(1);

/// What "at once" is on a machine that has other work too.
const AT_ONCE: Duration = Duration::from_millis(200);

/// One way of being away.
pub(crate) struct Absence {
    pub(crate) name: &'static str,
    pub(crate) lasts: Duration,
    /// Long enough that requests are answered at once before it ends.
    pub(crate) is_noticed: bool,
    pub(crate) go: fn(&mut dyn Engine) -> Result<(), Failure>,
    pub(crate) come_back: fn(&mut dyn Engine) -> Result<(), Failure>,
}

#[test]
fn redis_comes_back_again_and_again_and_is_noticed_within_a_second() {
    come_and_go("Redis", &mut *engines::redis().unwrap(), engines::REDIS_AWAY);
}

#[test]
fn postgres_comes_back_again_and_again_and_is_noticed_within_a_second() {
    come_and_go("PostgreSQL", &mut *engines::postgres().unwrap(), engines::POSTGRES_AWAY);
}

fn come_and_go(name: &str, engine: &mut dyn Engine, absences: &[Absence]) {
    let seed = random::seed();
    println!("seed {seed}");
    let program = program::build("tally").unwrap();
    let service = Service::start(&program, &engine.url()).unwrap();
    wait_until_served(&service).unwrap();
    let load = Load::start(&service, seed);
    let rounds = if std::env::var_os("CLOAKROOM_LONG").is_some() { 20 } else { 3 };
    let mut late = Vec::new();
    for (round, absence) in (1..=rounds).zip(absences.iter().cycle()) {
        std::thread::sleep(CALM);
        let back = one_absence(&service, engine, absence);
        println!("{name}, {}, {round}: back after {:.2} s", absence.name, back.as_secs_f64());
        if back > BACK {
            late.push((round, absence.name, back));
        }
    }
    std::thread::sleep(CALM);
    let seen = load.finish();
    println!("{seen:?}");
    assert!(late.is_empty(), "{late:?}\n{}", service.log());
    assert_eq!((seen.lost_sessions, seen.lost_writes), (0, 0), "{:?}", seen.words);
    assert_eq!((seen.doubled, seen.revived, seen.unexpected), (0, 0, 0), "{:?}", seen.words);
    let Seen { requests, unavailable, slowest, .. } = seen;
    assert!(unavailable > 0 && requests - unavailable > 400, "nothing was tried");
    assert!(slowest <= WAIT, "somebody waited for {slowest:?}");
}

/// How long after the store's return every process served.
fn one_absence(service: &Service, engine: &mut dyn Engine, absence: &Absence) -> Duration {
    let ticket = ticket(service.addresses()[0]);
    (absence.go)(engine).unwrap();
    std::thread::sleep(absence.lasts);
    if absence.is_noticed {
        service.addresses().into_iter().for_each(|address| answers_at_once(address, &ticket));
    }
    (absence.come_back)(engine).unwrap();
    let back = Stopwatch::start();
    wait_until_served(service).unwrap();
    back.elapsed()
}

fn ticket(address: SocketAddr) -> String {
    let headers: [(&str, &[u8]); 1] = [("Sec-Fetch-Site", b"same-origin")];
    let response = http::request(address, "POST", "/count", &headers, b"").unwrap();
    set_cookie_value(&response, "__Host-Http-session").unwrap()
}

/// Requests of somebody with a session are 503 at once, but for one that may be a try, and none of
/// them takes the ticket away.
fn answers_at_once(address: SocketAddr, ticket: &str) {
    let cookie = format!("__Host-Http-session={ticket}");
    let waited = || {
        let watch = Stopwatch::start();
        let headers = [("Cookie", cookie.as_bytes())];
        let response = http::request(address, "GET", "/", &headers, b"").unwrap();
        assert_eq!(response.status, 503, "{}", response.text());
        assert_eq!(response.header("Retry-After").as_deref(), Some("1"));
        assert_eq!(response.header("Set-Cookie"), None);
        watch.elapsed() > AT_ONCE
    };
    let slow = (0..5).filter(|_| waited()).count();
    assert!(slow <= 1, "{slow} of 5 waited for a store that was known to be away");
}
