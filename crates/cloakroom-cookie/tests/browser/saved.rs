use crate::start::{NOW, at, jar, top, typed};
use cloakroom_cookie::browser::{Browser, JAR_TEXT_MAX, Jar, Request};

const START: &str = "cloakroom-jar 1\nnow 1790000000\n";
const COOKIE: &str = "x=1 domain=a.test host-only path=/ created=1 used=2";

#[test]
fn a_saved_jar_comes_back_as_it_was() {
    let mut jar = jar(
        Browser::chromium(),
        &[
            ("https://a.test/", "x=a b%=\"c\"; Secure; HttpOnly; SameSite=Strict; Max-Age=60"),
            ("https://a.test/a/b", "x=1; Domain=a.test; Priority=High"),
            ("https://a.test/", "nameless"),
            ("https://a.test/", "#like=a remark"),
            ("http://127.0.0.1:8080/", "y=\u{e9}; Path=/\u{e9}"),
        ],
    );
    let frame = Request::embedded(at("https://b.test/"), &top("https://a.test/"));
    assert!(jar.receive(&frame, b"\xff=\xfe; Secure; SameSite=None; Partitioned").is_stored());

    let text = jar.save();

    assert!(text.is_ascii() && text.starts_with(START));
    assert_eq!(Jar::load(Browser::chromium(), &text).unwrap(), jar);
}

#[test]
fn every_broken_line_is_named_and_no_other_is_lost() {
    let rows = [
        ("x", "no name"),
        ("x=%4", "a value that cannot be read"),
        ("x=%zz", "a value that cannot be read"),
        ("x=%+1", "a value that cannot be read"),
        (
            "x=1 domain=a.test path=/ created=1 used=2 secure=no",
            "a value that its word does not take",
        ),
        ("x=1 domain=a.test path=/ created=1 used=2 secur", "a word that is not known"),
        ("x=1 domain=a.test path=/ path=/ created=1 used=2", "a word that stands there twice"),
        ("x=1 path=/ created=1 used=2", "no domain"),
        ("x=1 domain=A.test path=/ created=1 used=2", "no domain"),
        ("x=1 domain=a/b path=/ created=1 used=2", "no domain"),
        ("x=1 domain=a.test path=a created=1 used=2", "no path"),
        ("x=1 domain=a.test path=/ used=2", "no time of creation"),
        ("x=1 domain=a.test path=/ created=1 used=", "no time of use"),
        ("x=1 domain=a.test path=/ created=3 used=2", "a time after that of the jar"),
        ("x=1 domain=a.test path=/ created=1 used=1790000001", "a time after that of the jar"),
        ("x=1 domain=a.test path=/ created=1 used=2 expires=never", "an end that is no number"),
        ("x=1 domain=a.test path=/ created=1 used=2 same-site=Nope", "an unknown same-site"),
        ("x=1 domain=a.test path=/ created=1 used=2 partition=a", "a partition that is no site"),
        ("x=1 domain=a.test path=/ created=1 used=2 priority=1", "an unknown priority"),
        (COOKIE, "a cookie that is there already"),
    ];
    for (line, why) in rows {
        let text = format!("{START}{COOKIE}\n\n# a note\n{line}\ny{COOKIE}\n");

        let error = Jar::load(Browser::standard(), &text).unwrap_err();

        assert_eq!(error.lines().collect::<Vec<_>>(), [(6, why)], "{line}");
        assert_eq!(error.to_string(), format!("line 6: {why}"));
        assert_eq!(error.into_jar().unwrap().cookies().len(), 2);
    }
}

#[test]
fn a_name_and_value_that_no_browser_holds_are_refused() {
    let line = |length: usize| COOKIE.replace("x=1", &format!("x={}", "v".repeat(length - 1)));
    let load = |length| Jar::load(Browser::standard(), &format!("{START}{}\n", line(length)));

    assert!(load(4096).is_ok());
    assert_eq!(load(4097).unwrap_err().to_string(), "line 3: name and value are too long");
}

#[test]
fn another_text_is_no_jar() {
    for (text, why) in [
        ("", "line 1: no jar: it has to begin with `cloakroom-jar 1`"),
        ("cloakroom-jar 2\nnow 1\n", "line 1: no jar: it has to begin with `cloakroom-jar 1`"),
        ("cloakroom-jar 1\n", "line 2: no time: it has to be `now` and seconds"),
        ("cloakroom-jar 1\nnow x\n", "line 2: no time: it has to be `now` and seconds"),
    ] {
        let error = Jar::load(Browser::standard(), text).unwrap_err();
        assert_eq!(error.to_string(), why);
        assert!(error.into_jar().is_none());
    }
    let long = format!("{START}{}", "\n".repeat(JAR_TEXT_MAX));
    let error = Jar::load(Browser::standard(), &long).unwrap_err();
    assert_eq!(error.to_string(), "line 1: the text is too long for a jar");
}

#[test]
fn more_cookies_than_a_family_holds_are_named() {
    let line = |number: usize| format!("{}\n", COOKIE.replace("x=1", &format!("x{number}=1")));
    let text: String = (0..3001).map(line).collect();

    let error = Jar::load(Browser::standard(), &format!("{START}{text}")).unwrap_err();

    assert_eq!(error.to_string(), "line 3003: more cookies than fit");
    assert_eq!(error.into_jar().unwrap().cookies().len(), 3000);
}

#[test]
fn what_is_over_is_not_loaded() {
    for (end, count) in [(NOW, 0), (NOW + 1, 1)] {
        let text = format!("{START}{COOKIE} expires={end}\n");
        let mut jar = Jar::load(Browser::standard(), &text).unwrap();
        assert_eq!(jar.cookies().len(), count);
        assert_eq!(jar.header(&typed("https://a.test/")).len(), count * 3);
    }
}
