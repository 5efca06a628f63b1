//! Where the layered cookies draft, followed to the letter, would be wrong.

use crate::start::{NOW, at, jar, sent, typed};
use cloakroom_cookie::browser::Browser;

const FAMILIES: [fn() -> Browser; 4] =
    [Browser::standard, Browser::chromium, Browser::firefox, Browser::safari];

#[test]
fn a_right_http_prefixed_cookie_is_kept() {
    for browser in FAMILIES {
        let line = b"__Http-x=1; Secure; HttpOnly";
        assert!(browser().judge(line, &at("https://a.test/"), NOW).is_stored());
    }
}

#[test]
fn a_path_covers_itself_and_what_is_below_it_alone() {
    for browser in FAMILIES {
        let mut jar = jar(browser(), &[("https://a.test/", "x=1; Path=/foo")]);
        for (path, expected) in
            [("/foo", "x=1"), ("/foo/", "x=1"), ("/foo/bar", "x=1"), ("/foobar", ""), ("/fo", "")]
        {
            let request = typed(&format!("https://a.test{path}"));
            assert_eq!(sent(&mut jar, &request), expected, "{path}");
        }
    }
}

#[test]
fn max_age_wins_wherever_it_stands() {
    for browser in FAMILIES {
        for line in [
            "x=1; Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
            "x=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=60",
            "x=1; Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Secure; Path=/",
        ] {
            let verdict = browser().judge(line.as_bytes(), &at("https://a.test/"), NOW);
            assert_eq!(verdict.cookie().unwrap().expires(), Some(NOW + 60), "{line}");
        }
    }
}

#[test]
fn a_new_value_replaces_the_old_one_though_nothing_else_changes() {
    for browser in FAMILIES {
        let lines = [("https://a.test/", "x=1; Path=/"), ("https://a.test/", "x=2; Path=/")];
        let mut jar = jar(browser(), &lines);

        assert_eq!(sent(&mut jar, &typed("https://a.test/")), "x=2");
    }
}

#[test]
fn what_cannot_be_read_hides_what_could_where_the_last_one_counts() {
    for (browser, ends) in
        [(Browser::standard(), true), (Browser::chromium(), false), (Browser::firefox(), false)]
    {
        for line in ["x=1; Max-Age=60; Max-Age=x", "x=1; Expires=1 Jan 2027 0:0:0; Expires=x"] {
            let verdict = browser.judge(line.as_bytes(), &at("https://a.test/"), NOW);
            assert_eq!(verdict.cookie().unwrap().expires().is_some(), ends, "{line}");
        }
    }
}

#[test]
fn a_path_beyond_ascii_is_kept_and_covers_no_address() {
    for browser in FAMILIES {
        let mut jar = jar(browser(), &[("https://a.test/", "x=1; Path=/\u{e9}")]);

        assert_eq!(jar.cookies().next().map(|cookie| cookie.path()), Some("/\u{e9}".as_bytes()));
        assert_eq!(sent(&mut jar, &typed("https://a.test/\u{e9}")), "");
    }
}
