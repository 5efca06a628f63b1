//! How large a cookie may be, how long it lives, and what really ends it.

use crate::told;
use crate::world::{Row, World};
use cloakroom_cookie::{CookieDefinition, CookieDefinitionBuilder, CookieName, Lives, SameSite};
use cloakroom_journeys::Failure;
use std::time::Duration;

const DAY: f64 = 86_400.0;

/// What a response says and how long the cookie lives.
const LIFETIMES: [(&str, &str); 9] = [
    ("x=1", "until the browser ends"),
    ("x=1; Max-Age=abc", "until the browser ends"),
    ("x=1; Max-Age=86400", "1.00 days"),
    ("x=1; Max-Age=34560000", "400.00 days"),
    ("x=1; Max-Age=34646400", "400.00 days"),
    ("x=1; Expires=Thu, 31 Dec 2099 23:59:59 GMT", "400.00 days"),
    ("x=1; Max-Age=86400; Expires=Thu, 31 Dec 2099 23:59:59 GMT", "1.00 days"),
    ("x=1; Max-Age=86400; Expires=Thu, 01 Jan 1970 00:00:00 GMT", "1.00 days"),
    ("x=1; Max-Age=0; Expires=Thu, 31 Dec 2099 23:59:59 GMT", "gone"),
];

/// A cookie of `https://a.test`, then what another response says, and what is left.
const DELETIONS: [(&str, &str, &str, &str); 17] = [
    ("x=1; Path=/", "https://a.test", "x=; Path=/; Max-Age=0", GONE),
    ("x=1; Path=/", "https://a.test", "x=; Path=/; Max-Age=-1", GONE),
    ("x=1; Path=/", "https://a.test", "x=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT", GONE),
    ("x=1; Path=/", "https://a.test", "x=; Path=/", "another value"),
    ("x=1; Path=/a", "https://a.test", "x=; Path=/; Max-Age=0", STAYS),
    ("x=1; Path=/a", "https://a.test", "x=; Path=/a; Max-Age=0", GONE),
    ("x=1; Path=/", "https://a.test/a/b", "x=; Max-Age=0", STAYS),
    ("x=1; Path=/; Domain=a.test", "https://a.test", "x=; Path=/; Max-Age=0", STAYS),
    ("x=1; Path=/; Domain=a.test", "https://a.test", "x=; Path=/; Domain=a.test; Max-Age=0", GONE),
    ("x=1; Path=/", "https://a.test", "x=; Path=/; Domain=a.test; Max-Age=0", STAYS),
    ("x=1; Path=/", "https://sub.a.test", "x=; Path=/; Domain=a.test; Max-Age=0", STAYS),
    (
        "x=1; Path=/; Domain=a.test",
        "https://sub.a.test",
        "x=; Path=/; Domain=a.test; Max-Age=0",
        GONE,
    ),
    (
        "x=1; Path=/; Secure; HttpOnly; SameSite=Strict",
        "https://a.test",
        "x=; Path=/; Max-Age=0",
        GONE,
    ),
    ("x=1; Path=/; Secure", "http://a.test", "x=; Path=/; Max-Age=0", STAYS),
    ("__Host-x=1; Path=/; Secure", "https://a.test", "__Host-x=; Path=/; Max-Age=0", STAYS),
    ("__Host-x=1; Path=/; Secure", "https://a.test", "__Host-x=; Secure; Max-Age=0", STAYS),
    ("__Host-x=1; Path=/; Secure", "https://a.test", "__Host-x=; Path=/; Secure; Max-Age=0", GONE),
];

const GONE: &str = "gone";
const STAYS: &str = "stays";

pub(crate) fn limits(world: &World) -> Vec<Row> {
    let mut rows = sizes(world);
    rows.extend(LIFETIMES.map(|(line, expected)| {
        Row::new(format!("`{line}` lives"), expected, lifetime(world, line))
            .told(told::lifetime(line))
    }));
    let many: Vec<_> = (0..181).map(|number| format!("x{number}=1")).collect();
    for (count, expected) in [(180, "180"), (181, "150")] {
        let case = format!("of {count} cookies of one site are left");
        let mut jar = told::jar();
        many[..count].iter().for_each(|line| told::set(&mut jar, "http://localhost", &[line]));
        let told = jar.cookies().len().to_string();
        rows.push(Row::new(case, expected, left(world, &many[..count])).told(told));
    }
    let own = |(number, length): (usize, usize)| {
        format!("x{number}={}; Secure; SameSite=None; Partitioned", "v".repeat(length - 2))
    };
    let heavy = [(0, 4096), (1, 4096), (2, 2048), (3, 3)].map(own).to_vec();
    for (count, bytes, expected) in [(3, 10_240, "3"), (4, 10_243, "3")] {
        let case = format!("of {count} `Partitioned` cookies with {bytes} bytes are left");
        let mut jar = told::jar();
        heavy[..count].iter().for_each(|line| told::set(&mut jar, "http://localhost", &[line]));
        let told = jar.cookies().len().to_string();
        rows.push(Row::new(case, expected, left(world, &heavy[..count])).told(told));
    }
    let own: Vec<_> = many.iter().map(|line| format!("{line}; Secure; Partitioned")).collect();
    let mut jar = told::jar();
    told::set(&mut jar, "http://localhost", &own);
    let case = "of 181 `Partitioned` cookies of one site are left";
    rows.push(Row::new(case, "180", left(world, &own)).told(jar.cookies().len().to_string()));
    rows
}

pub(crate) fn deletions(world: &World) -> Vec<Row> {
    let mut rows: Vec<_> = DELETIONS
        .into_iter()
        .map(|(line, address, deletion, expected)| {
            let case = format!("`{line}` of https://a.test, then `{deletion}` of {address}");
            let outcome = after(world, "https://a.test", line, address, deletion);
            let told = told::after("https://a.test", line, address, deletion);
            Row::new(case, expected, outcome).told(told)
        })
        .collect();
    for (case, address, builder) in definitions() {
        let case = format!("{case} of {address}, set and deleted by one `CookieDefinition`");
        let definition = builder.build().unwrap();
        let [line, deletion] = [definition.set("1", 0).unwrap(), definition.delete()];
        let [line, deletion] = [line.into_string(), deletion.into_string()];
        let told = told::after(address, &line, address, &deletion);
        rows.push(Row::new(case, GONE, set_and_deleted(world, address, &definition)).told(told));
    }
    rows
}

fn sizes(world: &World) -> Vec<Row> {
    let at = "http://localhost";
    let pair = |length: usize| format!("x={}; Path=/", "v".repeat(length - 1));
    let refused = "refused: NameValuePairExceedsMaxSize";
    let path = |length: usize| format!("x=1; Path=/{}", "p".repeat(length - 1));
    vec![
        Row::new("name and value of 4096 bytes", "kept", world.verdict(at, &pair(4096)))
            .told(told::verdict(at, &pair(4096))),
        Row::new("name and value of 4097 bytes", refused, world.verdict(at, &pair(4097)))
            .told(told::verdict(at, &pair(4097))),
        Row::new("a TAB in the value", "refused: DisallowedCharacter", world.verdict(at, "x=a\tb"))
            .told(told::verdict(at, "x=a\tb")),
        Row::new("`Path` of 1024 bytes", "path of 1024 bytes", path_kept(world, &path(1024)))
            .told(path_told(&path(1024))),
        Row::new("`Path` of 1025 bytes", "path of 1 bytes", path_kept(world, &path(1025)))
            .told(path_told(&path(1025))),
    ]
}

fn path_told(line: &str) -> String {
    let mut jar = told::jar();
    told::set(&mut jar, "http://localhost", &[line]);
    format!("path of {} bytes", told::cookie(&jar, "x").unwrap().path().len())
}

fn path_kept(world: &World, line: &str) -> Result<String, Failure> {
    let person = world.person()?;
    let (context, page) = (&person.context, &person.page);
    page.goto(&world.setting("http://localhost", &[line]))?;
    let cookie = context.cookie("x")?;
    Ok(cookie.map_or_else(|| GONE.into(), |cookie| format!("path of {} bytes", cookie.path.len())))
}

fn lifetime(world: &World, line: &str) -> Result<String, Failure> {
    let person = world.person()?;
    let (context, page) = (&person.context, &person.page);
    page.goto(&world.setting("https://a.test", &[line]))?;
    let now = World::now(page)? as f64;
    Ok(match context.cookie("x")?.map(|cookie| cookie.expires) {
        None => GONE.to_owned(),
        Some(None) => "until the browser ends".to_owned(),
        Some(Some(end)) => format!("{:.2} days", (end - now) / DAY),
    })
}

fn left(world: &World, lines: &[String]) -> Result<String, Failure> {
    let person = world.person()?;
    let (context, page) = (&person.context, &person.page);
    // Several responses: a proxy would not let through that many headers in one.
    for some in lines.chunks(30) {
        let some: Vec<_> = some.iter().map(String::as_str).collect();
        page.goto(&world.setting("http://localhost", &some))?;
    }
    Ok(context.cookies()?.len().to_string())
}

/// What is left of a cookie after a second response.
fn after(
    world: &World,
    address: &str,
    line: &str,
    second: &str,
    deletion: &str,
) -> Result<String, Failure> {
    let person = world.person()?;
    let (context, page) = (&person.context, &person.page);
    page.goto(&world.setting(address, &[line]))?;
    let Some(before) = context.cookies()?.pop() else {
        return Ok("never kept".to_owned());
    };
    page.goto(&world.setting(second, &[deletion]))?;
    let rest = context.cookies()?;
    Ok(match rest.iter().find(|cookie| cookie.name == before.name) {
        None => GONE,
        Some(cookie) if cookie.value == before.value => STAYS,
        Some(_) => "another value",
    }
    .to_owned())
}

fn definitions() -> Vec<(&'static str, &'static str, CookieDefinitionBuilder)> {
    let month = Lives::For(Duration::from_secs(30 * 86_400));
    let [plain, secure, host, http, host_http] = [
        CookieName::plain,
        CookieName::secure,
        CookieName::host,
        CookieName::http,
        CookieName::host_http,
    ]
    .map(|make| CookieDefinition::builder(make("x").unwrap()));
    let (tls, localhost, plain_http) = ("https://a.test", "http://localhost", "http://a.test");
    vec![
        ("a plain name", tls, plain.clone()),
        ("a plain name for 30 days", tls, plain.clone().lives(month)),
        ("`Path=/a`", tls, plain.clone().path("/a")),
        ("`Domain=a.test`", tls, plain.clone().domain("a.test")),
        ("`SameSite=None`", tls, plain.clone().same_site(SameSite::None)),
        ("without `Secure`", plain_http, plain.dangerous_insecure()),
        ("`__Secure-` with `Domain` and `Path`", tls, secure.domain("a.test").path("/a")),
        ("`__Host-` for scripts", tls, host.readable_by_scripts().lives(month)),
        ("`__Http-`", tls, http),
        ("`__Host-Http-`", tls, host_http.clone()),
        ("`__Host-Http-`", localhost, host_http.clone()),
        ("`__Host-Http-` for 30 days, `Strict`", tls, {
            host_http.clone().lives(month).same_site(SameSite::Strict)
        }),
        ("`__Host-Http-`, `Partitioned`", tls, {
            host_http.same_site(SameSite::None).partitioned()
        }),
    ]
}

fn set_and_deleted(
    world: &World,
    address: &str,
    definition: &CookieDefinition,
) -> Result<String, Failure> {
    let person = world.person()?;
    let page = &person.page;
    let line = definition.set("1", World::now(page)?).unwrap().into_string();
    after(world, address, &line, address, &definition.delete().into_string())
}
