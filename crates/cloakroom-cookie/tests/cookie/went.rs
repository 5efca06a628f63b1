use cloakroom_cookie::{
    CookieDefinition, CookieName, Lives, NAME_AND_VALUE_MAX, SameSite, ValueError,
};
use std::time::Duration;

const NOW: u64 = 784_111_777;

fn everything() -> CookieDefinition {
    CookieDefinition::builder(CookieName::secure("id").unwrap())
        .path("/app")
        .domain("example.com")
        .lives(Lives::For(Duration::from_secs(60)))
        .same_site(SameSite::None)
        .partitioned()
        .build()
        .unwrap()
}

fn session() -> CookieDefinition {
    CookieDefinition::builder(CookieName::host_http("session").unwrap()).build().unwrap()
}

#[test]
fn attributes_come_in_their_fixed_order() {
    let text = everything().set("v", NOW).unwrap().into_string();

    assert_eq!(
        text,
        "__Secure-id=v; Path=/app; Domain=example.com; Max-Age=60; \
         Expires=Sun, 06 Nov 1994 08:50:37 GMT; Secure; HttpOnly; SameSite=None; Partitioned"
    );
}

#[test]
fn deletion_repeats_every_attribute_and_ends_long_ago() {
    let text = everything().delete().into_string();

    assert_eq!(
        text,
        "__Secure-id=; Path=/app; Domain=example.com; Max-Age=0; \
         Expires=Thu, 01 Jan 1970 00:00:00 GMT; Secure; HttpOnly; SameSite=None; Partitioned"
    );
}

#[test]
fn a_browser_session_cookie_has_no_end() {
    let text = session().set("v", NOW).unwrap().into_string();

    assert_eq!(text, "__Host-Http-session=v; Path=/; Secure; HttpOnly; SameSite=Lax");
}

#[test]
fn attributes_that_are_switched_off_are_not_written() {
    let definition = CookieDefinition::builder(CookieName::plain("theme").unwrap())
        .dangerous_insecure()
        .readable_by_scripts()
        .same_site(SameSite::Strict)
        .build()
        .unwrap();

    let text = definition.set("dark", NOW).unwrap().into_string();

    assert_eq!(text, "theme=dark; Path=/; SameSite=Strict");
}

#[test]
fn fractions_of_a_second_are_dropped() {
    let definition = CookieDefinition::builder(CookieName::host("id").unwrap())
        .lives(Lives::For(Duration::from_millis(1999)))
        .build()
        .unwrap();

    let text = definition.set("v", 0).unwrap().into_string();

    assert!(text.contains("; Max-Age=1; Expires=Thu, 01 Jan 1970 00:00:01 GMT;"), "{text}");
}

#[test]
fn dates_are_right_on_the_days_that_are_easily_wrong() {
    let table = [
        (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"),
        (1_709_251_199, "Thu, 29 Feb 2024 23:59:59 GMT"),
        (1_735_689_599, "Tue, 31 Dec 2024 23:59:59 GMT"),
        (2_147_483_648, "Tue, 19 Jan 2038 03:14:08 GMT"),
        (4_107_542_400, "Mon, 01 Mar 2100 00:00:00 GMT"),
    ];
    let definition = CookieDefinition::builder(CookieName::host("id").unwrap())
        .lives(Lives::For(Duration::from_secs(1)))
        .build()
        .unwrap();

    for (ends, date) in table {
        let text = definition.set("v", ends - 1).unwrap().into_string();

        assert!(text.contains(&format!("; Expires={date}; ")), "{text}");
    }
}

#[test]
fn name_and_value_fill_4096_octets_together() {
    let room = NAME_AND_VALUE_MAX - "__Host-Http-session".len();

    let fits = session().set(&"v".repeat(room), NOW);
    let exceeds = session().set(&"v".repeat(room + 1), NOW);

    assert!(fits.is_ok());
    assert_eq!(exceeds.unwrap_err(), ValueError::TooLong { length: 4097 });
}

#[test]
fn a_value_that_could_change_the_header_is_refused() {
    let table = [
        ("a;b", 1),
        ("a b", 1),
        ("\"quoted\"", 0),
        ("a,b", 1),
        ("a\\b", 1),
        ("ab\r\nSet-Cookie: x=y", 2),
        ("a\tb", 1),
        ("\0", 0),
        ("a\x7f", 1),
        ("caf\u{e9}", 3),
    ];

    for (value, at) in table {
        assert_eq!(session().set(value, NOW).unwrap_err(), ValueError::Octet { at }, "{value:?}");
    }
}

#[test]
fn an_empty_value_and_one_with_equals_signs_are_written() {
    assert!(session().set("", NOW).unwrap().into_string().contains("session=; "));
    assert!(session().set("YQ==", NOW).unwrap().into_string().contains("session=YQ==; "));
}

#[test]
fn a_time_in_milliseconds_is_refused_and_the_last_date_is_written() {
    let lives = Lives::For(cloakroom_cookie::MAX_AGE);
    let name = CookieName::host("id").unwrap();
    let definition = CookieDefinition::builder(name).lives(lives).build().unwrap();
    let last = 253_402_300_799 - cloakroom_cookie::MAX_AGE.as_secs();

    let text = definition.set("v", last).unwrap().into_string();

    assert!(text.contains("Expires=Fri, 31 Dec 9999 23:59:59 GMT"), "{text}");
    for now in [last + 1, 1_790_000_000_000, u64::MAX] {
        let expected = ValueError::TimeOutOfRange { now };
        assert_eq!(definition.set("v", now).unwrap_err(), expected);
        assert_eq!(session().set("v", now).unwrap_err(), expected);
    }
}

#[test]
fn the_three_ways_to_the_text_agree() {
    let cookie = session().set("v", NOW).unwrap();
    let mut appended = "set-cookie: ".to_owned();

    cookie.write_into(&mut appended);

    assert_eq!(appended, format!("set-cookie: {}", cookie.to_header_string()));
    assert_eq!(cookie.to_header_string(), cookie.clone().into_string());
    assert_eq!(cookie.name().as_str(), "__Host-Http-session");
}

#[test]
fn debug_shows_attributes_and_no_value() {
    let set = everything().set("s3cret", NOW).unwrap();
    let deleted = session().delete();

    let (set, deleted) = (format!("{set:?} {set:#?}"), format!("{deleted:?}"));

    assert!(!set.contains("s3cret"), "{set}");
    assert!(set.contains("__Secure-id=<redacted>; Path=/app; Domain=example.com;"), "{set}");
    assert!(deleted.starts_with("SetCookie(__Host-Http-session=; Path=/; Max-Age=0;"), "{deleted}");
}

#[test]
fn no_refusal_of_a_value_repeats_it() {
    let refusals = [
        session().set("s3cret;", NOW).unwrap_err(),
        session().set(&"s3cret".repeat(1000), NOW).unwrap_err(),
        session().set("s3cret", u64::MAX).unwrap_err(),
    ];

    for refusal in refusals {
        let text = format!("{refusal} {refusal:?}");
        assert!(!text.contains("s3cret") && text.contains(": "), "{text}");
    }
}
