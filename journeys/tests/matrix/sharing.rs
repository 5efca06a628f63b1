//! Which tabs, people, frames, ports and restarts see the same cookies.

use crate::sending::frame;
use crate::site::{Site, encoded};
use crate::told;
use crate::world::{Row, World};
use cloakroom_cookie::browser::{Jar, Request, ThirdParty};
use cloakroom_journeys::Failure;
use cloakroom_journeys::chrome::{Browser, Options, Page};
use cloakroom_journeys::folder::Folder;

const UNPARTITIONED: &str = "x=1; Path=/; Secure; SameSite=None";
const PARTITIONED: &str = "x=1; Path=/; Secure; SameSite=None; Partitioned";

pub(crate) fn jars(world: &World) -> Vec<Row> {
    let strict = Browser::launch(&Options::new().trust(world.front.key_hash())).unwrap();
    let row = |case: &str, expected: &str, header: Result<String, Failure>, told: String| {
        Row::new(case, shown(expected), header.map(|header| shown(&header))).told(shown(&told))
    };
    let mut rows = vec![
        row("two tabs of one person", "x=1", two_tabs(world), told_of(&[AT_A], "https://a.test")),
        row("two people", "", two_people(world), told_of(&[], "https://a.test")),
        row("two applications on two ports of localhost", "x=1", two_ports(world), {
            told_of(&[("http://localhost:1", "x=1; Path=/")], "http://localhost:2")
        }),
        row("the first of them, after the second set `x=2`", "x=2", overwritten(world), {
            let [first, second] = ["http://localhost:1", "http://localhost:2"];
            told_of(&[(first, "x=1; Path=/"), (second, "x=2; Path=/")], first)
        }),
        row("plain http, after https set `x=1` without `Secure`", "x=1", downgraded(world), {
            told_of(&[AT_A, ("https://a.test", "secret=1; Path=/; Secure")], "http://a.test")
        }),
        row(
            "a browser started anew, after `session=1` and `kept=1; Max-Age=86400`",
            "kept=1",
            restarted(world),
            told_after_restart(),
        ),
    ];
    for (how, browser, third_party, expected) in [
        ("allowed", &world.browser, ThirdParty::Allowed, ["x=1", "x=1", "x=1"]),
        ("blocked", &strict, ThirdParty::Blocked, ["", "", ""]),
    ] {
        let places = [Some("https://a.test"), Some("https://c.test"), None];
        for (place, expected) in places.into_iter().zip(expected) {
            let case = format!("{}: third-party cookies {how}, no `Partitioned`", told(place));
            let told = told_in_frame(third_party, UNPARTITIONED, place);
            let seen = sent_in_frame(world, browser, UNPARTITIONED, place);
            rows.push(row(&case, expected, seen, told));
        }
        for (place, expected) in places.into_iter().zip(["x=1", "", ""]) {
            let case = format!("{}: third-party cookies {how}, `Partitioned`", told(place));
            let told = told_in_frame(third_party, PARTITIONED, place);
            let seen = sent_in_frame(world, browser, PARTITIONED, place);
            rows.push(row(&case, expected, seen, told));
        }
    }
    let case = "b.test framed by https://a.test and https://c.test, `Partitioned` set in both";
    rows.push(Row::new(case, "`x=a` and `x=c`", two_jars(world)).told(told_two_jars()));
    for (middle, place, expected) in [
        (Some("https://b.test"), "the same place", "x=1"),
        (None, "a.test framed by https://a.test", ""),
    ] {
        let case = format!(
            "{place}: a frame of a.test in one of https://b.test on https://a.test, `Partitioned`"
        );
        rows.push(row(&case, expected, below_another(world, middle), told_below_another(middle)));
    }
    rows
}

const AT_A: (&str, &str) = ("https://a.test", "x=1; Path=/");

fn told_of(lines: &[(&str, &str)], address: &str) -> String {
    let mut jar = told::jar();
    lines.iter().for_each(|(address, line)| told::set(&mut jar, address, &[line]));
    told::sent(&mut jar, address)
}

fn told_after_restart() -> String {
    let mut jar = told::jar();
    let lines = ["session=1; Path=/", "kept=1; Path=/; Max-Age=86400"];
    told::set(&mut jar, "http://localhost", &lines);
    jar.restart();
    told::sent(&mut jar, "http://localhost")
}

/// A frame of `https://b.test` on a page of this site.
fn told_frame(embedder: &str) -> Request {
    Request::embedded(told::at("https://b.test"), &told::top(embedder))
}

fn told_in_frame(third_party: ThirdParty, line: &str, place: Option<&str>) -> String {
    let mut jar: Jar = told::jar_with(third_party);
    let _ = jar.receive(&told_frame("https://a.test"), line.as_bytes());
    match place {
        None => told::sent(&mut jar, "https://b.test"),
        Some(embedder) => told::carried(&mut jar, &told_frame(embedder)),
    }
}

/// A page of `https://a.test` with a frame of `https://a.test` in it, directly or in another frame.
fn nested(world: &World, middle: Option<&str>, inner: &str) -> String {
    let framed = match middle {
        Some(middle) => format!("{}?frame={}", world.url(middle), encoded(inner)),
        None => inner.to_owned(),
    };
    format!("{}?frame={}", world.url("https://a.test"), encoded(&framed))
}

/// What a frame gets after one below another site has set a cookie.
fn below_another(world: &World, middle: Option<&str>) -> Result<String, Failure> {
    let person = world.person()?;
    let page = &person.page;
    let [setting, getting] = [(); 2].map(|()| world.site.tag());
    let setter = format!("{}&tag={setting}", world.setting("https://a.test", &[PARTITIONED]));
    page.goto(&nested(world, Some("https://b.test"), &setter))?;
    world.site.cookies_of(&setting)?;
    let getter = format!("{}?tag={getting}", world.url("https://a.test"));
    page.goto(&nested(world, middle, &getter))?;
    world.site.cookies_of(&getting)
}

fn told_below_another(middle: Option<&str>) -> String {
    let top = told::top("https://a.test");
    let frame = |middle: Option<&str>| {
        let page = middle.map_or_else(|| top.clone(), |middle| top.frame(told::at(middle)));
        Request::embedded(told::at("https://a.test"), &page)
    };
    let mut jar = told::jar();
    let _ = jar.receive(&frame(Some("https://b.test")), PARTITIONED.as_bytes());
    told::carried(&mut jar, &frame(middle))
}

fn told_two_jars() -> String {
    let mut jar = told::jar();
    let places = [("https://a.test", "a"), ("https://c.test", "c")];
    for (embedder, value) in places {
        let line = PARTITIONED.replace("x=1", &format!("x={value}"));
        let _ = jar.receive(&told_frame(embedder), line.as_bytes());
    }
    let [a, c] = places.map(|(embedder, _)| told::carried(&mut jar, &told_frame(embedder)));
    format!("{} and {}", shown(&a), shown(&c))
}

pub(crate) fn shown(header: &str) -> String {
    if header.is_empty() { "nothing".to_owned() } else { format!("`{header}`") }
}

fn told(place: Option<&str>) -> String {
    place.map_or_else(|| "b.test opened itself".into(), |site| format!("b.test framed by {site}"))
}

fn two_tabs(world: &World) -> Result<String, Failure> {
    let person = world.person()?;
    let (context, page) = (&person.context, &person.page);
    page.goto(&world.setting("https://a.test", &["x=1; Path=/"]))?;
    world.sent(&context.page()?, "https://a.test")
}

fn two_people(world: &World) -> Result<String, Failure> {
    let [alice, bob] = [world.person()?, world.person()?];
    alice.page.goto(&world.setting("https://a.test", &["x=1; Path=/; Max-Age=86400"]))?;
    world.sent(&bob.page, "https://a.test")
}

fn two_ports(world: &World) -> Result<String, Failure> {
    let (other, person) = (Site::open(), world.person()?);
    let page = &person.page;
    page.goto(&world.setting("http://localhost", &["x=1; Path=/"]))?;
    sent_to(&other, page)
}

fn overwritten(world: &World) -> Result<String, Failure> {
    let (other, person) = (Site::open(), world.person()?);
    let page = &person.page;
    page.goto(&world.setting("http://localhost", &["x=1; Path=/"]))?;
    page.goto(&format!("http://localhost:{}/?c={}", other.port(), encoded("x=2; Path=/")))?;
    world.sent(page, "http://localhost")
}

fn downgraded(world: &World) -> Result<String, Failure> {
    let person = world.person()?;
    let page = &person.page;
    page.goto(&world.setting("https://a.test", &["x=1; Path=/", "secret=1; Path=/; Secure"]))?;
    world.sent(page, "http://a.test")
}

fn sent_to(site: &Site, page: &Page) -> Result<String, Failure> {
    let tag = site.tag();
    page.goto(&format!("http://localhost:{}/?tag={tag}", site.port()))?;
    site.cookies_of(&tag)
}

/// What b.test gets after one of its frames on `https://a.test` has set a cookie.
fn sent_in_frame(
    world: &World,
    browser: &Browser,
    line: &str,
    place: Option<&str>,
) -> Result<String, Failure> {
    let context = browser.context()?;
    let page = &context.page()?;
    page.goto(&world.url("https://a.test"))?;
    frame(page, &world.setting("https://b.test", &[line]))?;
    let Some(embedder) = place else {
        return world.sent(page, "https://b.test");
    };
    page.goto(&world.url(embedder))?;
    sent_by_frame(world, page)
}

fn sent_by_frame(world: &World, page: &Page) -> Result<String, Failure> {
    let tag = world.site.tag();
    frame(page, &format!("{}?tag={tag}", world.url("https://b.test")))?;
    world.site.cookies_of(&tag)
}

fn two_jars(world: &World) -> Result<String, Failure> {
    let person = world.person()?;
    let page = &person.page;
    for (embedder, value) in [("https://a.test", "a"), ("https://c.test", "c")] {
        page.goto(&world.url(embedder))?;
        let line = PARTITIONED.replace("x=1", &format!("x={value}"));
        frame(page, &world.setting("https://b.test", &[&line]))?;
    }
    let [a, c] = ["https://a.test", "https://c.test"].map(|embedder| {
        page.goto(&world.url(embedder))?;
        sent_by_frame(world, page)
    });
    Ok(format!("{} and {}", shown(&a?), shown(&c?)))
}

/// What the second of two browsers sends that have one profile, one after the other.
fn restarted(world: &World) -> Result<String, Failure> {
    let profile = Folder::new("profile")?;
    let folder = format!("--user-data-dir={}", profile.path().display());
    // A context's jar ends with the browser: only the window it opens with is the profile's own.
    let open = |address: &str| {
        let window = format!("--app={address}");
        Browser::launch(&Options::new().argument(&folder).argument(&window))
    };
    let [stored, kept] = [(); 2].map(|()| world.site.tag());
    let seen = |tag: &str| format!("{}?tag={tag}", world.url("http://localhost"));
    let lines = ["session=1; Path=/", "kept=1; Path=/; Max-Age=86400"];
    let first = world.setting("http://localhost", &lines);

    let browser = open(&format!("{first}&redirect={}", encoded(seen(&stored))))?;
    let before = world.site.cookies_of(&stored)?;
    drop(browser);
    let _browser = open(&seen(&kept))?;
    let after = world.site.cookies_of(&kept)?;

    if before == "session=1; kept=1" { Ok(after) } else { Ok(format!("at first {before}")) }
}
