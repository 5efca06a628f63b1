//! Which hosts and paths a cookie is sent to.

use crate::sharing::shown;
use crate::told;
use crate::world::{Row, World, listed};
use cloakroom_journeys::Failure;

const HOSTS: [&str; 4] = ["a.test", "sub.a.test", "deep.sub.a.test", "b.test"];
const PATHS: [&str; 7] = ["/", "/a", "/a/", "/a/b", "/ax", "/A", "/other"];

/// The host that sets, what it says, and the hosts that get the cookie.
const DOMAINS: [(&str, &str, &str); 8] = [
    ("a.test", "x=1", "a.test"),
    ("a.test", "x=1; Domain=", "a.test"),
    ("a.test", "x=1; Domain=a.test", "a.test, sub.a.test, deep.sub.a.test"),
    ("a.test", "x=1; Domain=.a.test", "a.test, sub.a.test, deep.sub.a.test"),
    ("a.test", "x=1; Domain=A.TEST", "a.test, sub.a.test, deep.sub.a.test"),
    ("sub.a.test", "x=1", "sub.a.test"),
    ("sub.a.test", "x=1; Domain=sub.a.test", "sub.a.test, deep.sub.a.test"),
    ("sub.a.test", "x=1; Domain=a.test", "a.test, sub.a.test, deep.sub.a.test"),
];

/// The address that sets, what it says, and the browser's verdict.
const FOREIGN: [(&str, &str, &str); 11] = [
    ("https://a.test", "x=1; Domain=sub.a.test", "refused: InvalidDomain"),
    ("https://sub.a.test", "x=1; Domain=other.a.test", "refused: InvalidDomain"),
    ("https://a.test", "x=1; Domain=b.test", "refused: InvalidDomain"),
    ("https://a.test", "x=1; Domain=test", "refused: InvalidDomain"),
    ("http://shop.co.uk", "x=1; Domain=co.uk", "refused: InvalidDomain"),
    ("http://shop.co.uk", "x=1; Domain=shop.co.uk", "kept"),
    ("http://shop.github.io", "x=1; Domain=github.io", "refused: InvalidDomain"),
    ("http://github.io", "x=1; Domain=github.io", "kept"),
    ("http://localhost", "x=1; Domain=localhost", "kept"),
    ("http://127.0.0.1", "x=1; Domain=127.0.0.1", "kept"),
    ("http://127.0.0.1", "x=1; Domain=0.0.1", "refused: InvalidDomain"),
];

/// The path that sets, what it says, and the paths that get the cookie.
const SCOPES: [(&str, &str, &str); 8] = [
    ("/set", "x=1", "/, /a, /a/, /a/b, /ax, /A, /other"),
    ("/a/set", "x=1; Path=/", "/, /a, /a/, /a/b, /ax, /A, /other"),
    ("/a/set", "x=1", "/a, /a/, /a/b"),
    ("/a/set", "x=1; Path=", "/a, /a/, /a/b"),
    ("/a/set", "x=1; Path=other", "/a, /a/, /a/b"),
    ("/set", "x=1; Path=/a", "/a, /a/, /a/b"),
    ("/set", "x=1; Path=/a/", "/a/, /a/b"),
    ("/a/set", "x=1; Path=/other", "/other"),
];

/// An address and the cookie that a response there sets.
type SetAt = (&'static str, &'static str);

/// Cookies of one name, each from an address of its own, and what `https://a.test/a/b` gets.
const TWINS: [(&str, &[SetAt], &str); 5] = [
    (
        "host-only and `Domain`",
        &[
            ("https://a.test", "x=host; Path=/"),
            ("https://a.test", "x=domain; Domain=a.test; Path=/"),
        ],
        "x=host; x=domain",
    ),
    (
        "two paths, the shorter set first",
        &[("https://a.test", "x=short; Path=/"), ("https://a.test", "x=long; Path=/a")],
        "x=long; x=short",
    ),
    (
        "planted by a sibling under a longer path",
        &[
            ("https://a.test", "x=own; Path=/; Secure; HttpOnly"),
            ("https://sub.a.test", "x=planted; Domain=a.test; Path=/a"),
        ],
        "x=planted; x=own",
    ),
    (
        "planted over plain http, after a `Secure` one",
        &[
            ("https://a.test", "x=own; Path=/; Secure"),
            ("http://a.test", "x=planted; Path=/"),
            ("http://a.test", "x=planted; Path=/a"),
            ("http://sub.a.test", "x=planted; Domain=a.test; Path=/a"),
        ],
        "x=own",
    ),
    (
        "a `__Host-` name, planted by a sibling and by a path",
        &[
            ("https://a.test", "__Host-x=own; Path=/; Secure"),
            ("https://sub.a.test", "__Host-x=planted; Domain=a.test; Path=/; Secure"),
            ("https://a.test", "__Host-x=planted; Path=/a; Secure"),
        ],
        "__Host-x=own",
    ),
];

const FROM_SUFFIX: &str = "x=1; Domain=github.io";

/// A suffix under which anybody may have a name: its own cookie, and what its neighbours get of it.
const SUFFIX: [(&str, &str); 2] = [("http://github.io", "x=1"), ("http://shop.github.io", "")];

pub(crate) fn domains(world: &World) -> Vec<Row> {
    let sent = DOMAINS.into_iter().map(|(host, line, expected)| {
        let case = format!("`{line}` of {host} is sent to");
        let mut jar = told::jar();
        told::set(&mut jar, &format!("https://{host}/"), &[line]);
        let told = told::sent_to(&mut jar, &HOSTS, |host| format!("https://{host}/"));
        Row::new(case, expected, sent_to_hosts(world, host, line)).told(told)
    });
    let verdicts = FOREIGN.into_iter().map(|(address, line, expected)| {
        Row::new(format!("`{line}` of {address} is"), expected, world.verdict(address, line))
            .told(told::verdict(address, line))
    });
    let suffix = SUFFIX.into_iter().map(|(address, expected)| {
        let case = format!("`{FROM_SUFFIX}` of http://github.io at {address}");
        let mut jar = told::jar();
        told::set(&mut jar, "http://github.io", &[FROM_SUFFIX]);
        let told = shown(&told::sent(&mut jar, address));
        let observed = sent_from_suffix(world, address).map(|sent| shown(&sent));
        Row::new(case, shown(expected), observed).told(told)
    });
    sent.chain(verdicts).chain(suffix).collect()
}

pub(crate) fn paths(world: &World) -> Vec<Row> {
    let row = |(path, line, expected)| {
        let case = format!("`{line}` of {path} is sent to");
        let mut jar = told::jar();
        told::set(&mut jar, &format!("https://a.test{path}"), &[line]);
        let told = told::sent_to(&mut jar, &PATHS, |path| format!("https://a.test{path}"));
        Row::new(case, expected, sent_to_paths(world, path, line)).told(told)
    };
    SCOPES.into_iter().map(row).collect()
}

pub(crate) fn twins(world: &World) -> Vec<Row> {
    let row = |(case, cookies, expected): (_, &[SetAt], _)| {
        let mut jar = told::jar();
        cookies.iter().for_each(|(address, line)| told::set(&mut jar, address, &[line]));
        let told = format!("`{}`", told::sent(&mut jar, "https://a.test/a/b"));
        Row::new(case, format!("`{expected}`"), twins_sent(world, cookies)).told(told)
    };
    TWINS.into_iter().map(row).collect()
}

fn sent_to_hosts(world: &World, host: &str, line: &str) -> Result<String, Failure> {
    let person = world.person()?;
    let page = &person.page;
    page.goto(&world.setting(&format!("https://{host}/"), &[line]))?;
    let mut hosts = Vec::new();
    for host in HOSTS {
        if world.sent(page, &format!("https://{host}/"))? == "x=1" {
            hosts.push(host);
        }
    }
    Ok(listed(&hosts))
}

fn sent_from_suffix(world: &World, address: &str) -> Result<String, Failure> {
    let person = world.person()?;
    let page = &person.page;
    page.goto(&world.setting("http://github.io", &[FROM_SUFFIX]))?;
    world.sent(page, address)
}

fn sent_to_paths(world: &World, path: &str, line: &str) -> Result<String, Failure> {
    let person = world.person()?;
    let page = &person.page;
    page.goto(&world.setting(&format!("https://a.test{path}"), &[line]))?;
    let mut paths = Vec::new();
    for path in PATHS {
        let tag = world.site.tag();
        page.eval(&format!("fetch('{path}?tag={tag}').then(() => 0)"))?;
        if world.site.cookies_of(&tag)? == "x=1" {
            paths.push(path);
        }
    }
    Ok(listed(&paths))
}

fn twins_sent(world: &World, cookies: &[SetAt]) -> Result<String, Failure> {
    let person = world.person()?;
    let page = &person.page;
    for (address, line) in cookies {
        page.goto(&world.setting(address, &[line]))?;
    }
    Ok(format!("`{}`", world.sent(page, "https://a.test/a/b")?))
}
