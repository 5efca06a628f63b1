use crate::start::{NOW, at, sent, top, typed};
use cloakroom_cookie::browser::{Browser, Jar, Request};
use std::time::Duration;

const SHOP: &str = "https://a.test/";

fn filled(browser: Browser, count: usize, line: impl Fn(usize) -> String) -> Jar {
    let mut jar = Jar::new(browser, NOW);
    for number in 0..count {
        jar.advance(Duration::from_secs(1));
        let _ = jar.receive(&typed(SHOP), line(number).as_bytes());
    }
    jar
}

fn has(jar: &Jar, name: &str) -> bool {
    jar.cookies().any(|cookie| cookie.name() == name.as_bytes())
}

#[test]
fn the_first_cookie_too_many_crowds_out_those_used_longest_ago() {
    for (browser, most, rest) in [
        (Browser::standard(), 50, 50),
        (Browser::chromium(), 180, 150),
        (Browser::firefox(), 180, 150),
    ] {
        let mut jar = filled(browser, most, |number| format!("x{number}=1"));
        assert_eq!(jar.cookies().len(), most);

        let verdict = jar.receive(&typed(SHOP), b"last=1");

        assert_eq!(jar.cookies().len(), rest);
        assert_eq!(verdict.crowded_out().len(), most + 1 - rest);
        assert_eq!(verdict.crowded_out()[0].name(), b"x0");
        assert!(has(&jar, "last"));
    }
}

#[test]
fn what_is_used_stays_and_what_is_not_secure_goes_first() {
    let line = |number: usize| match number {
        0 => "used=1; Path=/used".to_owned(),
        1..=9 => format!("s{number}=1; Secure; Path=/z"),
        _ => format!("x{number}=1; Path=/z"),
    };
    let mut jar = filled(Browser::standard(), 50, line);
    assert_eq!(sent(&mut jar, &typed("https://a.test/used")), "used=1");

    for name in ["a", "b"] {
        jar.advance(Duration::from_secs(1));
        assert!(jar.receive(&typed(SHOP), format!("{name}=1").as_bytes()).is_stored());
    }

    assert!(has(&jar, "used") && has(&jar, "s1") && has(&jar, "a") && has(&jar, "b"));
    assert!(!has(&jar, "x10") && !has(&jar, "x11") && has(&jar, "x12"));
}

#[test]
fn a_priority_decides_in_chromium_alone() {
    let line = |number: usize| {
        let priority = if number < 100 { "High" } else { "Medium" };
        format!("x{number}=1; Priority={priority}")
    };

    // As observed in Chromium: the medium ones go first, down to their quota.
    let chromium = filled(Browser::chromium(), 200, line);
    let high = (0..100).filter(|number| has(&chromium, &format!("x{number}"))).count();
    assert_eq!((chromium.cookies().len(), high), (169, 100));

    let firefox = filled(Browser::firefox(), 200, line);
    let high = (0..100).filter(|number| has(&firefox, &format!("x{number}"))).count();
    assert_eq!((firefox.cookies().len(), high), (169, 69));
}

#[test]
fn hosts_of_one_site_count_together_where_a_family_counts_sites() {
    let fill = |browser: Browser| {
        let mut jar = Jar::new(browser, NOW);
        for number in 0..60 {
            jar.advance(Duration::from_secs(1));
            let _ = jar.receive(&typed("https://sub.a.test/"), format!("s{number}=1").as_bytes());
        }
        for number in 0..150 {
            jar.advance(Duration::from_secs(1));
            let line = format!("x{number}=1; Domain=a.test");
            let _ = jar.receive(&typed("https://sub.a.test/"), line.as_bytes());
        }
        let of_host = jar.cookies().filter(|cookie| cookie.is_host_only()).count();
        (of_host, jar.cookies().len() - of_host)
    };

    assert_eq!(fill(Browser::chromium()), (29, 150));
    assert_eq!(fill(Browser::standard()), (50, 50));
}

#[test]
fn a_partition_of_chromium_holds_ten_kibibytes() {
    let frame = Request::embedded(at("https://b.test/"), &top(SHOP));
    let line = |number: usize, length: usize| {
        let value = "v".repeat(length - 2);
        format!("x{number}={value}; Secure; SameSite=None; Partitioned")
    };
    let mut jar = Jar::new(Browser::chromium(), NOW);
    for (number, length) in [(0, 4096), (1, 4096), (2, 2048)] {
        jar.advance(Duration::from_secs(1));
        let verdict = jar.receive(&frame, line(number, length).as_bytes());
        assert!(verdict.is_stored() && verdict.crowded_out().is_empty());
    }

    jar.advance(Duration::from_secs(1));
    let verdict = jar.receive(&frame, line(3, 3).as_bytes());

    assert_eq!(verdict.crowded_out().len(), 1);
    assert!(!has(&jar, "x0") && has(&jar, "x1") && has(&jar, "x2") && has(&jar, "x3"));
}

#[test]
fn a_partition_of_chromium_holds_180_cookies_and_the_one_used_longest_ago_goes() {
    let frame = Request::embedded(at("https://b.test/"), &top(SHOP));
    let mut jar = Jar::new(Browser::chromium(), NOW);
    for number in 0..181 {
        jar.advance(Duration::from_secs(1));
        let priority = if number == 0 { "High" } else { "Low" };
        let line = format!("x{number}=1; Secure; SameSite=None; Partitioned; Priority={priority}");
        assert!(jar.receive(&frame, line.as_bytes()).is_stored());
    }

    assert_eq!(jar.cookies().len(), 180);
    assert!(!has(&jar, "x0") && has(&jar, "x1"));
}

#[test]
fn a_jar_never_holds_more_than_its_family() {
    for (browser, most, rest) in
        [(Browser::standard(), 3000, 3000), (Browser::chromium(), 3300, 3000)]
    {
        let mut jar = Jar::new(browser, NOW);
        for number in 0..most {
            let request = typed(&format!("https://h{}.test/", number / 50));
            let _ = jar.receive(&request, format!("x{}=1", number % 50).as_bytes());
        }
        assert_eq!(jar.cookies().len(), most);

        let verdict = jar.receive(&typed(SHOP), b"last=1");

        assert_eq!(jar.cookies().len(), rest);
        assert_eq!(verdict.crowded_out().len(), most + 1 - rest);
        assert!(has(&jar, "last"));
    }
}
