//! Which tabs, people, frames, ports and restarts see the same cookies.

use crate::sending::frame;
use crate::site::{Site, encoded};
use crate::world::{Row, World};
use cloakroom_journeys::Failure;
use cloakroom_journeys::chrome::{Browser, Options, Page};
use cloakroom_journeys::folder::Folder;

const UNPARTITIONED: &str = "x=1; Path=/; Secure; SameSite=None";
const PARTITIONED: &str = "x=1; Path=/; Secure; SameSite=None; Partitioned";

pub(crate) fn jars(world: &World) -> Vec<Row> {
    let strict = Browser::launch(&Options::new().trust(world.front.key_hash())).unwrap();
    let row = |case: &str, expected: &str, header: Result<String, Failure>| {
        Row::new(case, shown(expected), header.map(|header| shown(&header)))
    };
    let mut rows = vec![
        row("two tabs of one person", "x=1", two_tabs(world)),
        row("two people", "", two_people(world)),
        row("two applications on two ports of localhost", "x=1", two_ports(world)),
        row("the first of them, after the second set `x=2`", "x=2", overwritten(world)),
        row("plain http, after https set `x=1` without `Secure`", "x=1", downgraded(world)),
        row(
            "a browser started anew, after `session=1` and `kept=1; Max-Age=86400`",
            "kept=1",
            restarted(world),
        ),
    ];
    for (how, browser, expected) in
        [("allowed", &world.browser, ["x=1", "x=1", "x=1"]), ("blocked", &strict, ["", "", ""])]
    {
        let places = [Some("https://a.test"), Some("https://c.test"), None];
        for (place, expected) in places.into_iter().zip(expected) {
            let case = format!("{}: third-party cookies {how}, no `Partitioned`", told(place));
            rows.push(row(&case, expected, sent_in_frame(world, browser, UNPARTITIONED, place)));
        }
        for (place, expected) in places.into_iter().zip(["x=1", "", ""]) {
            let case = format!("{}: third-party cookies {how}, `Partitioned`", told(place));
            rows.push(row(&case, expected, sent_in_frame(world, browser, PARTITIONED, place)));
        }
    }
    let case = "b.test framed by https://a.test and https://c.test, `Partitioned` set in both";
    rows.push(Row::new(case, "`x=a` and `x=c`", two_jars(world)));
    rows
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
