//! Which requests carry a cookie, by who causes them.

use crate::site::encoded;
use crate::told;
use crate::world::{Row, World};
use cloakroom_cookie::browser::{Address, Page as ToldPage, Request};
use cloakroom_journeys::Failure;
use cloakroom_journeys::chrome::{Browser, Options, Page};
use cloakroom_journeys::deadline::poll;
use serde_json::Value;
use std::time::Duration;

/// Set by `https://a.test`; each cookie says in its name what it says about `SameSite`.
const LINES: [&str; 4] = [
    "strict=1; Path=/; Secure; SameSite=Strict",
    "lax=1; Path=/; Secure; SameSite=Lax",
    "none=1; Path=/; Secure; SameSite=None",
    "unset=1; Path=/; Secure",
];

const ALL: &str = "strict, lax, none, unset";
const LINKED: &str = "lax, none, unset";
const POSTED: &str = "none, unset";
const THIRD_PARTY: &str = "none";

/// A request to `https://a.test`, and what it carries when it comes from a page of
/// `https://sub.a.test`, `https://b.test` and `http://a.test`.
const WAYS: [(&str, Way, told::Way, [&str; 3]); 10] = [
    ("a typed address", typed, |to, _page| Request::typed(to), [ALL, ALL, ALL]),
    ("a link", link, Request::navigation, [ALL, LINKED, LINKED]),
    ("a script that goes there", assign, Request::navigation, [ALL, LINKED, LINKED]),
    ("a form with GET", get_form, Request::navigation, [ALL, LINKED, LINKED]),
    (
        "a form with POST, cookies less than two minutes old",
        post_form,
        posted,
        [ALL, POSTED, POSTED],
    ),
    ("`fetch` with GET", fetch_get, Request::embedded, [ALL, THIRD_PARTY, THIRD_PARTY]),
    ("`fetch` with POST", fetch_post, posted_inside, [ALL, THIRD_PARTY, THIRD_PARTY]),
    ("an image", image, Request::embedded, [ALL, THIRD_PARTY, THIRD_PARTY]),
    ("a frame", frame, Request::embedded, [ALL, THIRD_PARTY, THIRD_PARTY]),
    ("a form with POST into a frame", post_frame, posted_inside, [ALL, THIRD_PARTY, THIRD_PARTY]),
];

/// What a page of `https://b.test` causes, the answer of `https://a.test`, and what becomes of it.
const SETTING: [(&str, Way, told::Way, &str, &str); 6] = [
    ("a form with POST", post_form, posted, "x=1; Secure; SameSite=Strict", "kept"),
    ("a link", link, Request::navigation, "x=1; Secure", "kept"),
    ("`fetch` with GET", fetch_get, Request::embedded, "x=1; Secure; SameSite=Lax", "not kept"),
    ("a frame", frame, Request::embedded, "x=1; Secure", "not kept"),
    ("a frame", frame, Request::embedded, "x=1; Secure; SameSite=None", "kept"),
    ("a frame", frame, Request::embedded, "x=1; Secure; Partitioned", "not kept"),
];

type Way = fn(&Page, &str) -> Result<(), Failure>;

pub(crate) fn same_site(world: &World) -> Vec<Row> {
    let mut rows = Vec::new();
    for (name, way, told_way, expected) in WAYS {
        let sources = ["https://sub.a.test", "https://b.test", "http://a.test"];
        for (source, expected) in sources.into_iter().zip(expected) {
            let case = format!("{name}, from {source} to https://a.test");
            let request = told_way(told::at("https://a.test"), &told::top(source));
            let row = Row::new(case, expected, carried(world, source, way));
            rows.push(row.told(told_names(&request)));
        }
    }
    let case = "a link from https://a.test that https://b.test redirects to https://a.test";
    let own = told::top("https://a.test");
    let request = Request::navigation(told::at("https://a.test"), &own)
        .redirected_by([told::at("https://b.test")]);
    rows.push(Row::new(case, ALL, redirected(world)).told(told_names(&request)));
    let case = "a form with POST, cookies more than two minutes old, from https://b.test to https://a.test";
    let form = posted(told::at("https://a.test"), &told::top("https://b.test"));
    let mut jar = told::jar();
    told::set(&mut jar, "https://a.test", &LINES);
    jar.advance(Duration::from_secs(121));
    let told = names(&told::carried(&mut jar, &form));
    rows.push(Row::new(case, THIRD_PARTY, posted_late(world)).told(told));
    for (middle, expected) in [("https://sub.a.test", ALL), ("https://b.test", THIRD_PARTY)] {
        let case = format!("a frame in a frame of {middle} on a page of https://a.test");
        let inner = told::top("https://a.test").frame(told::at(middle));
        let request = Request::embedded(told::at("https://a.test"), &inner);
        rows.push(Row::new(case, expected, in_frames(world, middle)).told(told_names(&request)));
    }
    rows.extend(SETTING.map(|(name, way, told_way, line, expected)| {
        let case = format!("{name} of https://b.test, answered with `{line}`");
        let mut jar = told::jar();
        let request = told_way(told::at("https://a.test"), &told::top("https://b.test"));
        let _ = jar.receive(&request, line.as_bytes());
        let told = if jar.cookies().len() > 0 { "kept" } else { "not kept" };
        Row::new(case, expected, set_by(world, way, line)).told(told)
    }));
    rows
}

fn posted(to: Address, page: &ToldPage) -> Request {
    Request::navigation(to, page).method("POST")
}

fn posted_inside(to: Address, page: &ToldPage) -> Request {
    Request::embedded(to, page).method("POST")
}

fn told_names(request: &Request) -> String {
    let mut jar = told::jar();
    told::set(&mut jar, "https://a.test", &LINES);
    names(&told::carried(&mut jar, request))
}

/// The two minutes are ten seconds under a switch made for tests; nothing tells when they are over.
fn posted_late(world: &World) -> Result<String, Failure> {
    let options = Options::new().trust(world.front.key_hash()).allow_third_party_cookies();
    let browser = Browser::launch(&options.feature("ShortLaxAllowUnsafeThreshold"))?;
    let context = browser.context()?;
    let page = context.page()?;
    page.goto(&world.setting("https://a.test", &LINES))?;
    let mut first = None;
    let late = || {
        let sent = posted_now(world, &page);
        let changed = first.get_or_insert_with(|| sent.clone()) != &sent;
        (changed || sent.is_err()).then_some(sent)
    };
    poll("the end of the window", Duration::from_secs(60), late)?
}

fn posted_now(world: &World, page: &Page) -> Result<String, Failure> {
    let tag = world.site.tag();
    let target = format!("{}?tag={tag}", world.url("https://a.test"));
    page.goto(&format!("{}?to={}", world.url("https://b.test"), encoded(&target)))?;
    post_form(page, &target)?;
    world.site.cookies_of(&tag).map(|header| names(&header))
}

/// What a frame of `https://a.test` carries in a frame of `middle` on a page of `https://a.test`.
fn in_frames(world: &World, middle: &str) -> Result<String, Failure> {
    let person = world.person()?;
    let page = &person.page;
    page.goto(&world.setting("https://a.test", &LINES))?;
    let tag = world.site.tag();
    let inner = format!("{}?tag={tag}", world.url("https://a.test"));
    let middle = format!("{}?frame={}", world.url(middle), encoded(&inner));
    page.goto(&format!("{}?frame={}", world.url("https://a.test"), encoded(&middle)))?;
    world.site.cookies_of(&tag).map(|header| names(&header))
}

/// Whether a cookie of `https://a.test` is kept that comes with what a page of `https://b.test` asks
/// for.
fn set_by(world: &World, way: Way, line: &str) -> Result<String, Failure> {
    let person = world.person()?;
    let (context, page) = (&person.context, &person.page);
    let target = world.setting("https://a.test", &[line]);
    let tag = world.site.tag();
    let target = format!("{target}&tag={tag}");
    page.goto(&format!("{}?to={}", world.url("https://b.test"), encoded(&target)))?;
    way(page, &target)?;
    world.site.cookies_of(&tag)?;
    // The answer comes after the request: a second one behind it shows that the first is there.
    page.goto(&world.url("https://a.test"))?;
    Ok(if context.cookies()?.is_empty() { "not kept" } else { "kept" }.to_owned())
}

fn carried(world: &World, source: &str, way: Way) -> Result<String, Failure> {
    let person = world.person()?;
    let page = &person.page;
    page.goto(&world.setting("https://a.test", &LINES))?;
    let tag = world.site.tag();
    let target = format!("{}?tag={tag}", world.url("https://a.test"));
    page.goto(&format!("{}?to={}", world.url(source), encoded(&target)))?;
    way(page, &target)?;
    world.site.cookies_of(&tag).map(|header| names(&header))
}

fn redirected(world: &World) -> Result<String, Failure> {
    let person = world.person()?;
    let page = &person.page;
    let tag = world.site.tag();
    let target = format!("{}?tag={tag}", world.url("https://a.test"));
    let through = format!("{}?redirect={}", world.url("https://b.test"), encoded(&target));
    page.goto(&world.setting("https://a.test", &LINES))?;
    page.goto(&format!("{}?to={}", world.url("https://a.test"), encoded(&through)))?;
    page.click("a")?;
    world.site.cookies_of(&tag).map(|header| names(&header))
}

/// The names in a `Cookie` header, in the order of [`LINES`].
fn names(header: &str) -> String {
    let sent = |name: &&str| header.split("; ").any(|pair| pair.starts_with(*name));
    let sent: Vec<_> = ["strict", "lax", "none", "unset"].into_iter().filter(sent).collect();
    // Not "none", which is one of the cookies.
    if sent.is_empty() { "nothing".to_owned() } else { sent.join(", ") }
}

fn typed(page: &Page, target: &str) -> Result<(), Failure> {
    page.goto(target).map(drop)
}

fn link(page: &Page, _target: &str) -> Result<(), Failure> {
    page.click("a").map(drop)
}

fn assign(page: &Page, target: &str) -> Result<(), Failure> {
    page.eval(&format!("setTimeout(() => location.assign({}), 0), 0", Value::from(target)))
        .map(drop)
}

fn get_form(page: &Page, target: &str) -> Result<(), Failure> {
    // A form with GET writes the query itself.
    let (_, tag) = target.rsplit_once('=').unwrap();
    page.eval(&format!(
        "const form = document.forms[0]; form.method = 'get';
         form.append(Object.assign(document.createElement('input'),
           {{ type: 'hidden', name: 'tag', value: '{tag}' }})); 0"
    ))?;
    page.submit("form").map(drop)
}

fn post_form(page: &Page, _target: &str) -> Result<(), Failure> {
    page.submit("form").map(drop)
}

fn fetch_get(page: &Page, target: &str) -> Result<(), Failure> {
    fetch(page, target, "GET")
}

fn fetch_post(page: &Page, target: &str) -> Result<(), Failure> {
    fetch(page, target, "POST")
}

fn fetch(page: &Page, target: &str, method: &str) -> Result<(), Failure> {
    let how = format!("{{ method: '{method}', mode: 'no-cors', credentials: 'include' }}");
    page.eval(&format!("fetch({}, {how}).then(() => 0)", Value::from(target))).map(drop)
}

fn image(page: &Page, target: &str) -> Result<(), Failure> {
    page.eval(&format!("new Image().src = {}, 0", Value::from(target))).map(drop)
}

/// Puts a frame with this address into the page and waits until it has loaded.
pub(crate) fn frame(page: &Page, target: &str) -> Result<(), Failure> {
    page.eval(&format!(
        "new Promise((done) => {{
           const frame = document.createElement('iframe');
           frame.onload = () => done(0);
           frame.src = {};
           document.body.append(frame);
         }})",
        Value::from(target)
    ))
    .map(drop)
}

fn post_frame(page: &Page, _target: &str) -> Result<(), Failure> {
    page.eval(
        "const frame = document.createElement('iframe'); frame.name = 'inner';
         document.body.append(frame);
         document.forms[0].target = 'inner'; document.forms[0].submit(); 0",
    )
    .map(drop)
}
