//! What the time of an answer tells about a guessed ticket.
//!
//! ```text
//! cargo run --release --bin ticket-timing -- [rounds] [seed]
//! ```
//!
//! A service with 10,000 live and 1,000 ended sessions is asked who the visitor is, without a
//! socket: each round asks once for each class of guess, in another order. Nothing is asserted,
//! since the machine decides how much noise there is; the two equal classes show how much.

mod guesses;
mod statistics;

use std::time::Instant;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use axum::routing::{get, post};
use cloakroom::store::Registry;
use cloakroom::{ManualClock, MemoryStore, Session, SessionData, Sessions, SqliteStore};
use tower::ServiceExt as _;

use guesses::{ALIKE, CLASSES, Dice, Minted};
use statistics::{median, quantile, welch};

const LIVE: usize = 10_000;
const ENDED: usize = 1_000;
/// So many rounds are not counted.
const WARM_UP: usize = 500;
const COOKIE: &str = "__Host-Http-session";
const START: u64 = 1_800_000_000;

#[derive(Default, SessionData)]
struct Data {
    visits: u32,
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let rounds = arguments.next().and_then(|text| text.parse().ok()).unwrap_or(100_000);
    let seed = arguments.next().and_then(|text| text.parse().ok()).unwrap_or_else(random_seed);
    println!("seed {seed}, {rounds} rounds of {} classes", CLASSES.len());

    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(async {
        report("MemoryStore", &measure(MemoryStore::new(), rounds, seed).await);
        let path = std::env::temp_dir().join(format!("cloakroom-timing-{seed}.db"));
        let store = SqliteStore::open(&path).await.expect("a file");
        report("SqliteStore", &measure(store.clone(), rounds, seed).await);
        store.close().await;
        std::fs::remove_file(path).expect("the file is there");
    });
}

/// Nanoseconds of each class.
type Times = Vec<Vec<f64>>;

async fn measure(store: impl Registry, rounds: usize, seed: u64) -> Times {
    let sessions = Sessions::<Data>::builder(store)
        .dangerous_sessions_end_with_the_process()
        .clock(ManualClock::at_secs(START))
        .build()
        .expect("a policy");
    let service = Router::new()
        .route("/", get(who))
        .route("/login", post(login))
        .route("/logout", post(async |session: Session<Data>| session.logout().await))
        .layer(sessions.layer());
    let minted = mint(&service).await;

    let mut dice = Dice(seed);
    let mut order: Vec<usize> = (0..CLASSES.len()).collect();
    let mut times = vec![Vec::with_capacity(rounds); CLASSES.len()];
    for round in 0..rounds + WARM_UP {
        // All of them first, in any order: what a guess is made from must not be in the caches for
        // that guess alone.
        let mut guesses = CLASSES.map(|_| None);
        dice.shuffle(&mut order);
        for class in &order {
            guesses[*class] = Some(guess(&(CLASSES[*class].make)(&minted, &mut dice)));
        }
        dice.shuffle(&mut order);
        for class in &order {
            let nanos = time(&service, guesses[*class].take().expect("once")).await;
            if round >= WARM_UP {
                times[*class].push(nanos);
            }
        }
    }
    times
}

async fn who(session: Session<Data>) -> String {
    let visits = session.data().visits;
    session.user().map_or_else(|| "nobody".to_owned(), |user| format!("{user} {visits}"))
}

async fn login(mut session: Session<Data>) -> cloakroom::Result<Vec<u8>> {
    session.login("ada").await?;
    Ok(session.id().map(|id| id.as_bytes().to_vec()).unwrap_or_default())
}

fn guess(tickets: &[String]) -> Request<Body> {
    request("GET", "/", tickets)
}

async fn time(service: &Router, request: Request<Body>) -> f64 {
    let service = service.clone();
    #[allow(clippy::disallowed_methods, reason = "this is what measures")]
    let begun = Instant::now();
    let answer = service.oneshot(request).await;
    let nanos = begun.elapsed().as_nanos() as f64;
    assert!(answer.is_ok_and(|answer| answer.status() == StatusCode::OK));
    nanos
}

fn request(method: &str, path: &str, tickets: &[String]) -> Request<Body> {
    let cookies: Vec<String> = tickets.iter().map(|ticket| format!("{COOKIE}={ticket}")).collect();
    let mut request = Request::builder().method(method).uri(path).header("host", "shop.example");
    request = request.header("sec-fetch-site", "same-origin");
    if !cookies.is_empty() {
        request = request.header("cookie", cookies.join("; "));
    }
    request.body(Body::empty()).expect("a request")
}

async fn mint(service: &Router) -> Minted {
    let mut minted = Minted { live: Vec::new(), ids: Vec::new(), ended: Vec::new() };
    for number in 0..LIVE + ENDED {
        let answer = service.clone().oneshot(request("POST", "/login", &[])).await;
        let (head, body) = answer.expect("an answer").into_parts();
        let line = head.headers["set-cookie"].to_str().expect("text");
        let value = line.split(['=', ';']).nth(1).expect("a value").to_owned();
        let id = axum::body::to_bytes(body, 18).await.expect("an id");
        if number < LIVE {
            minted.live.push(value);
            minted.ids.push(id.as_ref().try_into().expect("18 bytes"));
        } else {
            let request = request("POST", "/logout", std::slice::from_ref(&value));
            service.clone().oneshot(request).await.expect("an answer");
            minted.ended.push(value);
        }
    }
    minted
}

fn report(store: &str, times: &Times) {
    println!("\n{store}: ns of one answer, and how it differs from the first row");
    println!("{:<16}{:>9}{:>9}{:>12}{:>9}", "", "median", "p90", "difference", "Welch t");
    for (class, own) in CLASSES.iter().zip(times) {
        let (middle, p90) = (median(own), quantile(own, 0.9));
        let (difference, t) = (middle - median(&times[0]), welch(own, &times[0]));
        println!("{:<16}{middle:>9.0}{p90:>9.0}{difference:>12.0}{t:>9.1}", class.name);
    }
    let (difference, t) = noise(times);
    println!("noise: halves of one class differ by up to {difference:.0} ns, t up to {t:.1}");
    println!("difference of medians in ns above the diagonal, Welch t below");
    print!("{:<16}", "");
    (1..=ALIKE).for_each(|column| print!("{column:>7}"));
    println!();
    for (row, class) in CLASSES.iter().enumerate().take(ALIKE) {
        print!("{} {:<14}", row + 1, class.name);
        for column in 0..ALIKE {
            let (own, other) = (&times[row], &times[column]);
            match row.cmp(&column) {
                std::cmp::Ordering::Less => print!("{:>7.0}", median(own) - median(other)),
                std::cmp::Ordering::Equal => print!("{:>7}", "-"),
                std::cmp::Ordering::Greater => print!("{:>7.1}", welch(own, other)),
            }
        }
        println!();
    }
}

/// How much the even rounds of a class seem to differ from its odd ones.
fn noise(times: &Times) -> (f64, f64) {
    let halves = times.iter().map(|own| {
        let half = |first: usize| own.iter().skip(first).step_by(2).copied().collect::<Vec<_>>();
        let (even, odd) = (half(0), half(1));
        ((median(&even) - median(&odd)).abs(), welch(&even, &odd).abs())
    });
    halves.fold((0.0, 0.0), |(ns, t): (f64, f64), half| (ns.max(half.0), t.max(half.1)))
}

fn random_seed() -> u64 {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).expect("the system's generator");
    u64::from_le_bytes(bytes)
}
