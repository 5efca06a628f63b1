//! Names that begin with a promise, and who can make it.

use crate::told;
use crate::world::{Row, World, listed};
use cloakroom_cookie::browser::Jar;
use cloakroom_journeys::Failure;
use cloakroom_journeys::chrome::Page;
use serde_json::Value;

const ORIGINS: [&str; 3] = ["https://a.test", "http://localhost", "http://a.test"];
const SECURE: &str = "https://a.test, http://localhost";
const EVERYWHERE: &str = "https://a.test, http://localhost, http://a.test";
const NOWHERE: &str = "nowhere";

/// Cookies of responses and where they are kept.
const IN_RESPONSES: [(&str, &str); 43] = [
    ("x=1", EVERYWHERE),
    ("x=1; Secure", SECURE),
    ("__Secure-x=1; Path=/; Secure; HttpOnly", SECURE),
    ("__Secure-x=1; Secure", SECURE),
    ("__Secure-x=1; Path=/x; Secure", SECURE),
    ("__Secure-x=1; Path=/; Secure; Domain=a.test", "https://a.test"),
    ("__Secure-x=1; Path=/; HttpOnly", NOWHERE),
    ("__SECURE-x=1; Path=/; Secure", SECURE),
    ("__SECURE-x=1; Path=/", NOWHERE),
    ("=__Secure-x=1; Path=/; Secure", NOWHERE),
    ("=__Secure-x; Path=/; Secure", NOWHERE),
    ("__Host-x=1; Path=/; Secure; HttpOnly", SECURE),
    ("__Host-x=1; Path=/; Secure", SECURE),
    ("__Host-x=1; Path=/x; Path=/; Secure", SECURE),
    ("__Host-x=1; Path=/; Secure; Domain=", SECURE),
    ("__Host-x=1; Path=/; Secure; Domain=a.test", NOWHERE),
    ("__Host-x=1; Path=/x; Secure", NOWHERE),
    ("__Host-x=1; Secure", NOWHERE),
    ("__Host-x=1; Path=/", NOWHERE),
    ("__hOsT-x=1; Path=/; Secure", SECURE),
    ("__hOsT-x=1; Secure", NOWHERE),
    ("__hOsT-x=1; Path=/", NOWHERE),
    ("=__Host-x=1; Path=/; Secure", NOWHERE),
    ("__Http-x=1; Path=/; Secure; HttpOnly", SECURE),
    ("__Http-x=1; Secure; HttpOnly", SECURE),
    ("__Http-x=1; Path=/x; Secure; HttpOnly", SECURE),
    ("__Http-x=1; Path=/; Secure; HttpOnly; Domain=a.test", "https://a.test"),
    ("__Http-x=1; Path=/; Secure", NOWHERE),
    ("__Http-x=1; Path=/; HttpOnly", NOWHERE),
    ("__http-x=1; Path=/; Secure; HttpOnly", SECURE),
    ("__http-x=1; Path=/; Secure", NOWHERE),
    ("__Host-Http-x=1; Path=/; Secure; HttpOnly", SECURE),
    ("__Host-Http-x=1; Path=/; Secure; HttpOnly; Domain=a.test", NOWHERE),
    ("__Host-Http-x=1; Path=/x; Secure; HttpOnly", NOWHERE),
    ("__Host-Http-x=1; Secure; HttpOnly", NOWHERE),
    ("__Host-Http-x=1; Path=/; Secure", NOWHERE),
    ("__Host-Http-x=1; Path=/; HttpOnly", NOWHERE),
    ("__HOST-HTTP-x=1; Path=/; Secure; HttpOnly", SECURE),
    ("__HOST-HTTP-x=1; Path=/; Secure", NOWHERE),
    ("x=1; SameSite=None; Secure", SECURE),
    ("x=1; SameSite=None", NOWHERE),
    ("x=1; Path=/; SameSite=None; Secure; Partitioned", SECURE),
    ("x=1; Path=/; Partitioned", NOWHERE),
];

/// Why a cookie is refused, in Chromium's words.
const REASONS: [(&str, &str, &str); 5] = [
    ("https://a.test", "__Host-x=1; Path=/", "refused: InvalidPrefix"),
    ("https://a.test", "__Http-x=1; Path=/; Secure", "refused: InvalidPrefix"),
    ("https://a.test", "x=1; SameSite=None", "refused: SameSiteNoneInsecure"),
    ("http://a.test", "x=1; Secure", "refused: SecureOnly"),
    ("http://a.test", "__Host-x=1; Path=/; Secure", "refused: InvalidPrefix"),
];

/// Lines given to `document.cookie` and where they are kept.
const BY_SCRIPTS: [(&str, &str); 9] = [
    ("x=1", EVERYWHERE),
    ("x=1; HttpOnly", NOWHERE),
    ("__Secure-x=1; Path=/; Secure", SECURE),
    ("__Host-x=1; Path=/; Secure", SECURE),
    ("__Http-x=1; Path=/; Secure", NOWHERE),
    ("__Http-x=1; Path=/; Secure; HttpOnly", NOWHERE),
    ("__Host-Http-x=1; Path=/; Secure", NOWHERE),
    ("__Host-Http-x=1; Path=/; Secure; HttpOnly", NOWHERE),
    ("__host-http-x=1; Path=/; Secure", NOWHERE),
];

/// A cookie that is there, a script that wants another value, and the value afterwards.
const OVERWRITTEN: [(&str, &str, &str); 3] = [
    ("x=old; Path=/", "document.cookie = 'x=new; Path=/'", "new"),
    ("x=old; Path=/; HttpOnly", "document.cookie = 'x=new; Path=/'", "old"),
    ("x=old; Path=/; HttpOnly", "document.cookie = 'x=; Path=/; Max-Age=0'", "old"),
];

pub(crate) fn in_responses(world: &World) -> Vec<Row> {
    let row = |(line, expected)| {
        let set = |page: &Page, origin: &str| page.goto(&world.setting(origin, &[line])).map(drop);
        let told = told::kept_at(&ORIGINS, |jar, origin| told::set(jar, origin, &[line]));
        Row::new(format!("`{line}` is kept at"), expected, kept_at(world, set)).told(told)
    };
    let reasons = REASONS.into_iter().map(|(address, line, expected)| {
        Row::new(format!("`{line}` of {address} is"), expected, world.verdict(address, line))
            .told(told::verdict(address, line))
    });
    IN_RESPONSES.into_iter().map(row).chain(reasons).collect()
}

pub(crate) fn by_scripts(world: &World) -> Vec<Row> {
    let planted = BY_SCRIPTS.into_iter().map(|(line, expected)| {
        let script = format!("document.cookie = {}", Value::from(line));
        Row::new(format!("`{script}` is kept at"), expected, planted_at(world, &script))
            .told(told::kept_at(&ORIGINS, |jar, origin| told_by_script(jar, origin, line)))
    });
    let stored = ["__Host-x", "__Http-x", "__Host-Http-x"].into_iter().map(|name| {
        let script = format!("cookieStore.set({{ name: '{name}', value: '1' }})");
        let expected = if name == "__Host-x" { SECURE } else { NOWHERE };
        let quiet = format!("globalThis.cookieStore && {script}.catch(() => 0)");
        // The cookie store is there in secure contexts, and writes these attributes.
        let line = format!("{name}=1; Path=/; Secure; SameSite=Strict");
        let told = told::kept_at(&ORIGINS, |jar, origin| told_by_script(jar, origin, &line));
        Row::new(format!("`{script}` is kept at"), expected, planted_at(world, &quiet)).told(told)
    });
    let overwritten = OVERWRITTEN.into_iter().map(|(line, script, expected)| {
        let case = format!("`{line}`, then `{script}`: value");
        Row::new(case, expected, value_after(world, line, script))
            .told(told_after_script(line, script))
    });
    planted.chain(stored).chain(overwritten).collect()
}

fn told_by_script(jar: &mut Jar, origin: &str, line: &str) {
    let _ = jar.set_by_script(&told::top(origin), line.as_bytes());
}

fn told_after_script(line: &str, script: &str) -> String {
    let mut jar = told::jar();
    told::set(&mut jar, "https://a.test", &[line]);
    let second = script.split('\'').nth(1).unwrap_or_default();
    told_by_script(&mut jar, "https://a.test", second);
    let cookie = told::cookie(&jar, "x").map(|cookie| cookie.value().to_vec());
    cookie.map_or_else(|| "gone".to_owned(), |value| String::from_utf8(value).unwrap())
}

fn planted_at(world: &World, script: &str) -> Result<String, Failure> {
    kept_at(world, |page, origin| {
        page.goto(&world.url(origin))?;
        page.eval(script).map(drop)
    })
}

/// The origins at which the jar holds a cookie after `act`.
fn kept_at(
    world: &World,
    act: impl Fn(&Page, &str) -> Result<(), Failure>,
) -> Result<String, Failure> {
    let person = world.person()?;
    let (context, page) = (&person.context, &person.page);
    let mut kept = Vec::new();
    for origin in ORIGINS {
        act(page, origin)?;
        if !context.cookies()?.is_empty() {
            kept.push(origin);
        }
        context.clear_cookies()?;
    }
    Ok(listed(&kept))
}

fn value_after(world: &World, line: &str, script: &str) -> Result<String, Failure> {
    let person = world.person()?;
    let (context, page) = (&person.context, &person.page);
    page.goto(&world.setting("https://a.test", &[line]))?;
    page.eval(script)?;
    Ok(context.cookie("x")?.map_or_else(|| "gone".to_owned(), |cookie| cookie.value))
}
