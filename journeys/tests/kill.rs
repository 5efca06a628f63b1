//! The shop killed under load, again and again: what it acknowledged is there afterwards.
#![allow(
    clippy::unwrap_used,
    reason = "clippy.toml lets tests panic, and means test functions only, not what they share"
)]

use cloakroom_journeys::deadline::poll;
use cloakroom_journeys::folder::Folder;
use cloakroom_journeys::http::{self, Connection, Response, set_cookie_value};
use cloakroom_journeys::process::{Ready, Server};
use cloakroom_journeys::program;
use std::hash::{BuildHasher as _, RandomState};
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

const ROUNDS: u32 = 20;
const CONNECTIONS: u32 = 4;
const COOKIE: &str = "__Host-Http-session";

#[test]
fn every_acknowledged_change_outlives_a_kill() {
    let seed = seed();
    println!("seed {seed}");
    let mut random = Random(seed);
    let (program, folder) = (program::build("shop").unwrap(), Folder::new("kill").unwrap());
    let db = folder.join("shop.db");
    let mut server = start(&program, &db);
    let ticket = sign_up(server.address());

    for round in 1..=ROUNDS {
        let cleared =
            send(&mut Connection::open(server.address()).unwrap(), &ticket, "/cart/clear", "")
                .unwrap();
        assert_eq!(cleared.status, 303);
        let kill_after = random.below(100);

        let (load, address) = (Load::default(), server.address());
        thread::scope(|scope| {
            for _ in 0..CONNECTIONS {
                scope.spawn(|| load.add_until_it_breaks(address, &ticket));
            }
            load.wait_for(kill_after);
            server.kill_hard().unwrap();
        });
        server = start(&program, &db);

        let count = items(server.address(), &ticket);
        let (least, most) = (load.acknowledged(), load.attempted());
        println!("round {round}: {least} acknowledged, {count} there, {most} attempted");
        assert!(least <= count && count <= most, "round {round} with seed {seed}");
    }
}

/// What the clients of one round have sent and heard.
#[derive(Default)]
struct Load {
    attempted: AtomicU32,
    acknowledged: AtomicU32,
}

impl Load {
    fn add_until_it_breaks(&self, shop: SocketAddr, ticket: &str) {
        let Ok(mut connection) = Connection::open(shop) else { return };
        loop {
            self.attempted.fetch_add(1, Ordering::SeqCst);
            match send(&mut connection, ticket, "/cart/add", "product=coat") {
                Ok(answer) if answer.status == 303 => {
                    self.acknowledged.fetch_add(1, Ordering::SeqCst);
                }
                Ok(answer) => panic!("{}: {}", answer.status, answer.text()),
                Err(_) => return,
            }
        }
    }

    fn wait_for(&self, acknowledged: u32) {
        let enough = || (self.acknowledged() >= acknowledged).then_some(());
        poll("enough changes", Duration::from_secs(20), enough).unwrap();
    }

    fn acknowledged(&self) -> u32 {
        self.acknowledged.load(Ordering::SeqCst)
    }

    fn attempted(&self) -> u32 {
        self.attempted.load(Ordering::SeqCst)
    }
}

fn start(program: &Path, db: &Path) -> Server {
    let mut command = Command::new(program);
    command.args(["--addr", "127.0.0.1:0", "--store"]).arg(format!("sqlite:{}", db.display()));
    Server::spawn(command, Ready::printed_address()).unwrap()
}

fn sign_up(shop: SocketAddr) -> String {
    let form = b"name=ada&password=correct+horse+battery";
    let answer = http::request(shop, "POST", "/sign-up", &[FORM], form).unwrap();
    set_cookie_value(&answer, COOKIE).unwrap()
}

const FORM: (&str, &[u8]) = ("Content-Type", b"application/x-www-form-urlencoded");

fn send(
    connection: &mut Connection,
    ticket: &str,
    path: &str,
    form: &str,
) -> Result<Response, cloakroom_journeys::Failure> {
    let cookie = format!("{COOKIE}={ticket}");
    let own: (&str, &[u8]) = ("Sec-Fetch-Site", b"same-origin");
    let headers = [FORM, own, ("Cookie", cookie.as_bytes())];
    connection.request("POST", path, &headers, form.as_bytes())
}

/// How many things the front page shows in the cart, to somebody who is still signed in.
fn items(shop: SocketAddr, ticket: &str) -> u32 {
    let cookie = format!("{COOKIE}={ticket}");
    let page = http::request(shop, "GET", "/", &[("Cookie", cookie.as_bytes())], b"").unwrap();
    let page = page.text();
    assert!(page.contains("id=\"sign-out\""), "signed out: {page}");
    let badge = page.split_once("id=\"cart-count\"").unwrap().1;
    let number = badge.split_once('>').unwrap().1.split_once('<').unwrap().0;
    number.parse().unwrap()
}

/// Another one each time, unless `CLOAKROOM_SEED` names one.
fn seed() -> u64 {
    let given = std::env::var("CLOAKROOM_SEED").ok().and_then(|seed| seed.parse().ok());
    given.unwrap_or_else(|| RandomState::new().hash_one(0) | 1)
}

/// Small numbers from a seed (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u32) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        u32::try_from(self.0 % u64::from(limit)).unwrap()
    }
}
