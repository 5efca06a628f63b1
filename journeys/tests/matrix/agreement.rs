//! The jar beside a real Chromium: the same lines into both, and the same cookies in both.

use crate::told;
use crate::world::{Person, World};
use cloakroom_cookie::SameSite;
use cloakroom_cookie::browser::{Browser, Jar, Request, StoredCookie};
use cloakroom_journeys::Failure;
use cloakroom_journeys::chrome::Cookie;
use serde_json::Value;
use std::fmt::Write as _;
use std::hash::{BuildHasher, RandomState};

const PUBLIC: [&str; 2] = ["http-state-cases-6265bis.jsonl", "wpt-cookie-cases.jsonl"];
/// How many of the public cases have a line that no server can send.
const UNSENDABLE: usize = 3;
const RANDOM: usize = 250;
const WORKERS: usize = 4;

/// Lines, each with the address of the page that sets it, and whether a script sets them.
#[derive(Debug)]
struct Script {
    steps: Vec<(String, String)>,
    by_script: bool,
}

#[test]
fn the_jar_holds_what_the_browser_holds() {
    let seed = std::env::var("CLOAKROOM_SEED").ok().and_then(|text| text.parse().ok());
    let seed = seed.unwrap_or_else(|| RandomState::new().hash_one(0));
    println!("CLOAKROOM_SEED={seed}");
    let world = World::new();
    let mut scripts = public();
    scripts.extend(PROBES.iter().map(|steps| Script {
        steps: steps.iter().map(|(at, line)| ((*at).into(), (*line).into())).collect(),
        by_script: false,
    }));
    scripts.extend(further());
    let mut random = Random(seed | 1);
    scripts.extend((0..RANDOM).map(|_| random.script()));

    let differing = std::thread::scope(|scope| {
        let chunks = scripts.chunks(scripts.len().div_ceil(WORKERS));
        let workers: Vec<_> =
            chunks.map(|chunk| scope.spawn(|| differing(&world, chunk))).collect();
        workers.into_iter().map(|worker| worker.join().unwrap()).collect::<String>()
    });

    println!("{} scripts", scripts.len());
    assert!(differing.is_empty(), "{differing}");
}

#[test]
fn the_jar_sends_cookies_in_the_order_of_the_browser() {
    let world = World::new();
    let person = world.person().unwrap();
    let address = "https://a.test/a/b/c";

    for lines in [
        ["a=1", "b=1", "a=2"],
        ["a=1", "b=1", "a=1"],
        ["a=1; Path=/a", "b=1; Path=/a/b", "c=1; Path=/"],
        ["a=1; Path=/a", "a=2; Path=/a/", "a=3; Path=/"],
        ["a=1; Path=/; Domain=a.test", "a=2; Path=/", "b"],
    ] {
        person.context.clear_cookies().unwrap();
        let mut jar = told::jar();
        for line in lines {
            person.page.goto(&world.setting(address, &[line])).unwrap();
            told::set(&mut jar, address, &[line]);
        }
        let seen = world.sent(&person.page, address).unwrap();
        assert_eq!(told::sent(&mut jar, address), seen, "{lines:?}");
    }
}

fn differing(world: &World, scripts: &[Script]) -> String {
    let person = world.person().unwrap();
    scripts.iter().fold(String::new(), |mut text, script| {
        match both(world, &person, script) {
            Ok([seen, told]) if seen == told => {}
            Ok([seen, told]) => {
                writeln!(text, "{script:?}\n  browser {seen:?}\n  the jar {told:?}").unwrap();
            }
            Err(failure) => writeln!(text, "{script:?}\n  {failure}").unwrap(),
        }
        text
    })
}

/// What Chromium holds after the script, and what the jar holds.
fn both(world: &World, person: &Person, script: &Script) -> Result<[Vec<String>; 2], Failure> {
    let (context, page) = (&person.context, &person.page);
    context.clear_cookies()?;
    let now = World::now(page)?;
    let mut jar = Jar::new(Browser::chromium(), now);
    for (address, line) in &script.steps {
        let own = world.url(address);
        if script.by_script {
            page.goto(&own)?;
            page.eval(&format!("document.cookie = {}", Value::from(line.as_str())))?;
            let _ = jar.set_by_script(&told::top(&own), line.as_bytes());
        } else {
            page.goto(&world.setting(address, &[line]))?;
            let _ = jar.receive(&Request::typed(told::at(&own)), line.as_bytes());
        }
    }
    let mut seen: Vec<_> = context.cookies()?.iter().map(|one| of_chromium(one, now)).collect();
    let mut told: Vec<_> = jar.cookies().map(|one| of_jar(one, now)).collect();
    seen.sort();
    told.sort();
    Ok([seen, told])
}

/// The cases of `testdata/cookies`, at names that lead to this machine.
fn public() -> Vec<Script> {
    let mut unsendable = 0;
    let mut scripts = Vec::new();
    for file in PUBLIC {
        let path = format!("{}/../testdata/cookies/{file}", env!("CARGO_MANIFEST_DIR"));
        for case in std::fs::read_to_string(path).unwrap().lines() {
            let case: Value = serde_json::from_str(case).unwrap();
            let address = here(case["request_url"].as_str().unwrap().split('?').next().unwrap());
            let lines = case["set_cookies"].as_array().unwrap().iter();
            let line = |line: &Value| (address.clone(), here(line.as_str().unwrap()));
            let script =
                Script { steps: lines.map(line).collect(), by_script: case["kind"] == "dom" };
            if script.by_script || !script.steps.iter().any(|(_, line)| breaks_a_header(line)) {
                scripts.push(script);
            } else {
                unsendable += 1;
            }
        }
    }
    assert_eq!(unsendable, UNSENDABLE);
    scripts
}

/// The lines of `probes.jsonl`, which have no expectation but that both sides agree.
fn further() -> Vec<Script> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../testdata/cookies/probes.jsonl");
    let text = std::fs::read_to_string(path).unwrap();
    let scripts = text.lines().map(|line| {
        let probe: Value = serde_json::from_str(line).unwrap();
        let pair = |step: &Value| {
            let part = |index: usize| step[index].as_str().unwrap().to_owned();
            (part(0), part(1))
        };
        let steps = probe["steps"].as_array().unwrap().iter().map(pair).collect();
        Script { steps, by_script: false }
    });
    scripts.collect()
}

fn breaks_a_header(line: &str) -> bool {
    line.contains(['\r', '\n', '\0'])
}

/// The text with `.org`, which leads nowhere, as `.test`.
fn here(text: &str) -> String {
    text.replace("OrG", "TeSt").replace("org", "test")
}

/// A generator that gives the same scripts for the same seed (xorshift64).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as usize
    }

    fn of<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices[self.below(choices.len())]
    }

    fn script(&mut self) -> Script {
        let count = 1 + self.below(3);
        let step = |_| (self.of(&ADDRESSES).to_owned(), self.line());
        let steps = (0..count).map(step).collect();
        Script { steps, by_script: self.below(4) == 0 }
    }

    fn line(&mut self) -> String {
        let mut line =
            [self.of(&NAMES), self.of(&["=", "=", "=", " = ", ""]), self.of(&VALUES)].concat();
        for _ in 0..self.below(6) {
            line.push_str(self.of(&["; ", "; ", ";", " ;\t"]));
            line.push_str(self.of(&ATTRIBUTES));
        }
        line
    }
}

const ADDRESSES: [&str; 6] = [
    "https://a.test/",
    "https://a.test/a/b",
    "https://sub.a.test/a",
    "http://a.test/a/b",
    "http://localhost/a/b",
    "http://127.0.0.1/",
];
const NAMES: [&str; 14] = [
    "x",
    "x",
    "x",
    "x",
    "y",
    "",
    "__Host-x",
    "__host-x",
    "__Secure-x",
    "__Http-x",
    "__Host-Http-x",
    "__Host",
    "x y",
    "__HOST-HTTP-x",
];
const VALUES: [&str; 9] = ["1", "1", "2", "", "\"1\"", "a=b", "a b", "\u{fc}", "a\tb"];
const ATTRIBUTES: [&str; 46] = [
    "Secure",
    "Secure",
    "secure",
    "SECURE=no",
    "Secure",
    "HttpOnly",
    "httponly",
    "Path=/",
    "Path=/",
    "path=/a",
    "Path=/a/",
    "Path=a",
    "Path=",
    "Path",
    "Path=/ b",
    "Domain=a.test",
    "Domain=.a.test",
    "domain=A.Test",
    "Domain=sub.a.test",
    "Domain=test",
    "Domain=",
    "Domain=.",
    "Domain=localhost",
    "Domain=127.0.0.1",
    "Domain=\u{e9}.test",
    "Max-Age=600",
    "Max-Age=0",
    "Max-Age=-1",
    "Max-Age=+9000",
    "Max-Age=x",
    "Max-Age=99999999",
    "Expires=Fri, 01 Jan 2027 00:00:00 GMT",
    "Expires=Thu, 01 Jan 1970 00:00:00 GMT",
    "Expires=x",
    "SameSite=Lax",
    "SameSite=Strict",
    "SameSite=None",
    "samesite=none",
    "SameSite=x",
    "SameSite",
    "Partitioned",
    "Priority=Low",
    "unknown=1",
    "",
    "=",
    "a\tb",
];

fn of_chromium(cookie: &Cookie, now: u64) -> String {
    let left = cookie.expires.map(|end| rounded(end - now as f64));
    format!(
        "{:?}={:?} at {} under {:?}, secure {}, http-only {}, {:?}, for {left:?}, {:?}",
        cookie.name,
        cookie.value,
        cookie.domain,
        cookie.path,
        cookie.secure,
        cookie.http_only,
        cookie.same_site,
        cookie.partition,
    )
}

fn of_jar(cookie: &StoredCookie, now: u64) -> String {
    let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
    let dot = if cookie.is_host_only() { "" } else { "." };
    let left = cookie.expires().map(|end| rounded(end as f64 - now as f64));
    let same_site = cookie.same_site().map(SameSite::as_str).map(str::to_owned);
    let partition = cookie.partition().map(|partition| partition.site().to_string());
    format!(
        "{:?}={:?} at {dot}{} under {:?}, secure {}, http-only {}, {same_site:?}, for {left:?}, {partition:?}",
        text(cookie.name()),
        text(cookie.value()),
        cookie.domain(),
        text(cookie.path()),
        cookie.is_secure(),
        cookie.is_http_only(),
    )
}

/// Seconds, so coarsely that the time between two clocks does not show.
fn rounded(seconds: f64) -> u64 {
    ((seconds / 60.0).round() * 60.0) as u64
}

/// What the public cases leave open.
const PROBES: &[&[(&str, &str)]] = &[
    &[("https://a.test/a/b", "x=1; Max-Age=+600")],
    &[("https://a.test/a/b", "x=1; Max-Age=600; Max-Age=abc")],
    &[("https://a.test/a/b", "x=1; Max-Age=abc; Max-Age=600")],
    &[("https://a.test/a/b", "x=1; Max-Age=600; Max-Age=")],
    &[("https://a.test/a/b", "x=1; Expires=Fri, 01 Jan 2027 00:00:00 GMT; Expires=foo")],
    &[("https://a.test/a/b", "x=1; Expires=Fri, 01 Jan 2027 00:00:00 GMT; Expires=")],
    &[("https://a.test/a/b", "x=1; Expires=Fri, 01 Jan 2027 00:00:00 GMT; Max-Age=abc")],
    &[("https://a.test/a/b", "x=1; Max-Age=99999999999999999999999")],
    &[("https://a.test/a/b", "x=1; Max-Age=-99999999999999999999999")],
    &[("https://a.test/a/b", "x=1; Max-Age=-")],
    &[("https://a.test/a/b", "x=1; Max-Age=+")],
    &[("https://a.test/a/b", "x=1; Max-Age=-0")],
    &[("https://a.test/a/b", "x=1; Max-Age=+-5")],
    &[("https://a.test/a/b", "x=1; Max-Age=-+5")],
    &[("https://a.test/a/b", "x=1; Max-Age=600.5")],
    &[("https://a.test/a/b", "x=1; Max-Age=\"600\"")],
    &[("https://a.test/a/b", "=__Http-x=1; Secure")],
    &[("https://a.test/a/b", "=__Host-Http-x=1; Secure")],
    &[("https://a.test/a/b", "__Http-x; Secure")],
    &[("https://a.test/a/b", "__Host-x; Secure; Path=/")],
    &[("https://a.test/", "__Host-x=1; Secure; Path=")],
    &[("https://a.test/", "__Host-x=1; Secure; Path=a")],
    &[("http://127.0.0.1/", "__Host-x=1; Secure; Path=/; Domain=127.0.0.1")],
    &[("http://localhost/", "__Host-x=1; Secure; Path=/; Domain=localhost")],
    &[("https://a.test/", "__Host-x=1; Secure; Path=/; Domain=.")],
    &[("https://a.test/", "__Host-x=1; Secure; Path=/; Domain=a.test; Domain=")],
    &[("https://a.test/a/b", "x=1; Domain=.")],
    &[("https://a.test/a/b", "x=1; Domain=..a.test")],
    &[("https://a.test/a/b", "x=1; Domain=a.test.")],
    &[("https://a.test/a/b", "x=1; Domain=a.test:443")],
    &[("https://a.test/a/b", "x=1; Domain=a%2Etest")],
    &[("https://a.test/a/b", "x=1; Domain=\"a.test\"")],
    &[("https://a.test/a/b", "x=1; Domain=a.t\u{e9}st")],
    &[("https://a.test/a/b", "x=1; Domain=a.test; Domain=")],
    &[("https://a.test/a/b", "x=1; Domain=; Domain=a.test")],
    &[("https://a.test/a/b", "x=1; Domain=b.test; Domain=a.test")],
    &[("https://a.test/a/b", "x=1; Domain=a.test; Domain=b.test")],
    &[("https://a.test/a/b", "x=1; Domain")],
    &[("https://a.test/a/b", "x=1; Domain = a.test")],
    &[("https://a.test/a/b", "x=1; Domain=a.test /foo")],
    &[("https://sub.a.test/a/b", "x=1; Domain=.sub.a.test")],
    &[("https://a.test/a/b", "x\t=1")],
    &[("https://a.test/a/b", "x=\t1\t; Secure")],
    &[("https://a.test/a/b", "x=1; Path=/a\tb")],
    &[("https://a.test/a/b", "x=1; foo\tbar=1; Secure")],
    &[("https://a.test/a/b", "x=1; SameSite")],
    &[("https://a.test/a/b", "x=1; SameSite=")],
    &[("https://a.test/a/b", "x=1; SameSite=foo")],
    &[("https://a.test/a/b", "x=1; SameSite=Strict; SameSite=foo")],
    &[("https://a.test/a/b", "x=1; SameSite=foo; SameSite=Strict")],
    &[("https://a.test/a/b", "x=1; SameSite=lAx")],
    &[("https://a.test/a/b", "x=1; SameSite=None; SameSite=Lax")],
    &[("https://a.test/a/b", "x=1; Path=/\u{e9}")],
    &[("https://a.test/a/b", "x=1; Path=/a b")],
    &[("https://a.test/a/b", "x=1; Path=/a%20b")],
    &[("https://a.test/a/b", "x=1; Path=\"/a\"")],
    &[("https://a.test/a/b", "x=1; Path=/a?b#c")],
    &[("https://a.test/a/b", "x=1; Path=/a/../b")],
    &[("https://a.test/a/b", "x=1; Path=/c; Path=")],
    &[("https://a.test/a/b", "x=1; Path=; Path=/c")],
    &[("https://a.test/a/b", "x=1; Path=/c; Path=d")],
    &[("https://a.test/a;b/c", "x=1")],
    &[("https://a.test/a%3Bb/c", "x=1")],
    &[("https://a.test/a/\u{e9}/c", "x=1")],
    &[("https://a.test//a/b", "x=1")],
    &[("https://a.test/a/b", "x=1; Secure=false; HttpOnly=no")],
    &[("https://a.test/a/b", "x=1; Partitioned; Secure")],
    &[("https://a.test/a/b", "x=1; Partitioned=1; Secure")],
    &[("http://localhost/a/b", "x=1; Partitioned; Secure; SameSite=None")],
    &[("https://a.test/a/b", "x=1;;; ;Secure")],
    &[("https://a.test/a/b", "x=1; =Secure")],
    &[("https://a.test/a/b", "x=1; Secure ; \tHttpOnly\t")],
    &[("https://a.test/a/b", " x = 1 2 ")],
    &[("https://a.test/a/b", "x")],
    &[("https://a.test/a/b", "=x")],
    &[("https://a.test/a/b", "==x")],
    &[("https://a.test/a/b", "x=")],
    &[("https://a.test/a/b", "=")],
    &[("https://a.test/a/b", ";")],
    &[("https://a.test/a/b", "; x=1")],
    &[("https://a.test/a/b", "x=1, y=2")],
    &[("https://a.test/a/b", "x=\"a;b\"")],
    &[("https://a.test/a/b", "\u{e9}=\u{fc}")],
    &[("https://a.test/a/b", "x=1; Priority=High")],
    &[("https://a.test/a/b", "x=1"), ("https://a.test/a/b", "x")],
    &[("https://a.test/", "x=1; Secure; Path=/a"), ("http://a.test/", "x=2; Path=/")],
    &[("https://a.test/", "x=1; Secure; Path=/a"), ("http://a.test/", "x=2; Path=/a/b")],
    &[("https://a.test/", "x=1; Secure; Path=/a"), ("http://a.test/", "x=2; Path=/ab")],
    &[("https://sub.a.test/", "x=1; Secure"), ("http://a.test/", "x=2; Domain=a.test")],
    &[("https://sub.a.test/", "x=1; Secure"), ("http://a.test/", "x=2")],
    &[("https://a.test/", "x=1; Secure"), ("http://sub.a.test/", "x=2")],
    &[("https://a.test/", "x=1; Secure; Domain=a.test"), ("http://sub.a.test/", "x=2")],
    &[("http://localhost/", "x=1; Secure"), ("http://localhost/", "x=2")],
];
