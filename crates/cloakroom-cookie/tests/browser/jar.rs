use crate::start::{NOW, at, jar, sent, top, typed};
use cloakroom_cookie::browser::{Browser, Jar, Outcome, Request, ThirdParty};
use std::time::Duration;

const SHOP: &str = "https://a.test/";

#[test]
fn a_cookie_is_there_until_its_second_comes() {
    let mut jar = jar(Browser::standard(), &[(SHOP, "x=1; Max-Age=60")]);

    jar.advance(Duration::from_secs(59));
    assert_eq!(sent(&mut jar, &typed(SHOP)), "x=1");
    jar.advance(Duration::from_secs(1));
    assert_eq!(sent(&mut jar, &typed(SHOP)), "");
    assert_eq!(jar.cookies().len(), 0);
}

#[test]
fn a_line_that_is_over_deletes_its_twin_alone() {
    let lines =
        [(SHOP, "x=1; Path=/"), (SHOP, "x=2; Path=/a"), (SHOP, "x=3; Domain=a.test; Path=/")];
    let mut jar = jar(Browser::standard(), &lines);

    let verdict = jar.receive(&typed(SHOP), b"x=; Path=/; Max-Age=0");

    assert_eq!(verdict.outcome(), Outcome::Deleted);
    assert_eq!(sent(&mut jar, &typed("https://a.test/a")), "x=2; x=3");
}

#[test]
fn the_longest_path_comes_first_and_then_the_oldest() {
    let lines = [(SHOP, "a=1; Path=/"), (SHOP, "b=1; Path=/a"), (SHOP, "c=1; Path=/")];
    let mut jar = jar(Browser::standard(), &lines);

    assert_eq!(sent(&mut jar, &typed("https://a.test/a")), "b=1; a=1; c=1");
}

#[test]
fn a_cookie_that_is_set_again_keeps_its_age_unless_the_family_sees_a_new_one() {
    for (browser, expected) in
        [(Browser::standard(), "a=2; b=1"), (Browser::chromium(), "b=1; a=2")]
    {
        let mut jar = jar(browser, &[(SHOP, "a=1"), (SHOP, "b=1")]);
        jar.advance(Duration::from_secs(5));
        assert!(jar.receive(&typed(SHOP), b"a=2").is_stored());

        assert_eq!(sent(&mut jar, &typed(SHOP)), expected);
    }
}

#[test]
fn names_values_and_paths_are_octets() {
    let mut jar = Jar::new(Browser::standard(), NOW);
    let line = b"\xffn=\xfev; Path=/\xfd";
    assert!(jar.receive(&typed(SHOP), line).is_stored());
    assert_eq!(jar.cookies().next().map(|cookie| cookie.path()), Some(&b"/\xfd"[..]));

    assert!(jar.receive(&typed(SHOP), b"\xff=\xfe").is_stored());
    assert_eq!(jar.header(&typed(SHOP)), b"\xff=\xfe");
}

#[test]
fn a_cookie_without_a_name_is_sent_as_its_value() {
    let mut jar = jar(Browser::standard(), &[(SHOP, "first"), (SHOP, "a="), (SHOP, "second")]);

    assert_eq!(sent(&mut jar, &typed(SHOP)), "second; a=");
}

#[test]
fn the_two_minutes_of_a_cookie_without_same_site_end_after_the_second_minute() {
    let form = Request::navigation(at(SHOP), &top("https://b.test/")).method("POST");
    let mut chromium =
        jar(Browser::chromium(), &[(SHOP, "unset=1"), (SHOP, "lax=1; SameSite=Lax")]);
    let mut standard = jar(Browser::standard(), &[(SHOP, "unset=1")]);

    chromium.advance(Duration::from_secs(120));
    assert_eq!(sent(&mut chromium, &form), "unset=1");
    assert_eq!(sent(&mut standard, &form), "");
    chromium.advance(Duration::from_secs(1));
    assert_eq!(sent(&mut chromium, &form), "");
}

#[test]
fn a_new_value_begins_the_two_minutes_anew_in_chromium_and_the_same_value_does_not() {
    let form = Request::navigation(at(SHOP), &top("https://b.test/")).method("POST");
    for (line, expected) in [("x=1", ""), ("x=2", "x=2")] {
        let mut jar = jar(Browser::chromium(), &[(SHOP, "x=1")]);
        jar.advance(Duration::from_secs(121));
        assert!(jar.receive(&typed(SHOP), line.as_bytes()).is_stored());

        assert_eq!(sent(&mut jar, &form), expected);
    }
}

const FOUR: [(&str, &str); 4] = [
    (SHOP, "strict=1; SameSite=Strict; Secure"),
    (SHOP, "lax=1; SameSite=Lax; Secure"),
    (SHOP, "none=1; SameSite=None; Secure"),
    (SHOP, "unset=1; Secure"),
];
const ALL: &str = "strict=1; lax=1; none=1; unset=1";

#[test]
fn a_frame_is_of_the_site_only_if_everything_around_it_is() {
    let outer = top("https://a.test/");
    let foreign = outer.frame(at("https://b.test/"));
    let sibling = outer.frame(at("https://sub.a.test/"));
    let mut jar = jar(Browser::chromium().third_party(ThirdParty::Allowed), &FOUR);

    assert_eq!(sent(&mut jar, &Request::embedded(at(SHOP), &outer)), ALL);
    assert_eq!(sent(&mut jar, &Request::embedded(at(SHOP), &sibling)), ALL);
    assert_eq!(sent(&mut jar, &Request::embedded(at(SHOP), &foreign)), "none=1");
    let own_inside = foreign.frame(at(SHOP));
    assert_eq!(sent(&mut jar, &Request::embedded(at(SHOP), &own_inside)), "none=1");
    assert_eq!(jar.read_by_script(&own_inside), b"none=1");
    assert_eq!(jar.read_by_script(&sibling.frame(at(SHOP))), ALL.as_bytes());
}

#[test]
fn who_started_a_navigation_decides_what_it_carries() {
    let own = top("https://sub.a.test/");
    let foreign = top("https://b.test/");
    let detour = [at("https://b.test/")];
    let rows = [
        (typed(SHOP), ALL, ALL),
        (Request::navigation(at(SHOP), &own), ALL, ALL),
        (Request::navigation(at(SHOP), &own).method("POST"), ALL, ALL),
        (
            Request::navigation(at(SHOP), &foreign),
            "lax=1; none=1; unset=1",
            "lax=1; none=1; unset=1",
        ),
        (Request::navigation(at(SHOP), &foreign).method("HEAD"), "lax=1; none=1; unset=1", {
            "lax=1; none=1; unset=1"
        }),
        (Request::navigation(at(SHOP), &foreign).method("POST"), "none=1; unset=1", {
            "none=1; unset=1"
        }),
        (Request::navigation(at(SHOP), &own).from_nowhere(), "lax=1; none=1; unset=1", {
            "lax=1; none=1; unset=1"
        }),
        (Request::navigation(at(SHOP), &own).redirected_by(detour), ALL, "lax=1; none=1; unset=1"),
        (Request::navigation(at(SHOP), &top("http://a.test/")), "lax=1; none=1; unset=1", ALL),
    ];
    for (request, chromium, firefox) in rows {
        assert_eq!(sent(&mut jar(Browser::chromium(), &FOUR), &request), chromium, "{request:?}");
        assert_eq!(sent(&mut jar(Browser::firefox(), &FOUR), &request), firefox, "{request:?}");
    }
}

#[test]
fn what_a_page_of_no_site_embeds_is_of_another_site() {
    let own = top(SHOP);
    let sandboxed = Request::embedded(at(SHOP), &own).from_nowhere();
    for browser in [Browser::standard(), Browser::chromium()] {
        let mut jar = jar(browser, &FOUR);
        assert_eq!(sent(&mut jar, &sandboxed), "none=1");
        assert_eq!(sent(&mut jar, &sandboxed.clone().method("POST")), "none=1");
        assert!(!jar.receive(&sandboxed, b"x=1; Secure; SameSite=Lax").is_stored());
        assert!(jar.receive(&sandboxed, b"x=1; Secure; SameSite=None").is_stored());
    }
}

#[test]
fn a_detour_makes_what_a_page_embeds_foreign_where_detours_count() {
    let image = Request::embedded(at(SHOP), &top(SHOP)).redirected_by([at("https://b.test/")]);

    assert_eq!(sent(&mut jar(Browser::chromium(), &FOUR), &image), ALL);
    assert_eq!(sent(&mut jar(Browser::firefox(), &FOUR), &image), "none=1; unset=1");
}

#[test]
fn each_top_level_site_has_its_own_partition() {
    let line = b"x=1; Secure; SameSite=None; Partitioned";
    let on = |site: &str| Request::embedded(at("https://b.test/"), &top(site));
    let mut jar = Jar::new(Browser::chromium(), NOW);
    assert!(jar.receive(&on("https://a.test/"), line).is_stored());

    assert_eq!(sent(&mut jar, &on("https://a.test/")), "x=1");
    assert_eq!(sent(&mut jar, &on("https://sub.a.test/")), "x=1");
    assert_eq!(sent(&mut jar, &on("https://c.test/")), "");
    assert_eq!(sent(&mut jar, &typed("https://b.test/")), "");
}

#[test]
fn a_frame_of_the_own_site_below_a_foreign_one_has_another_partition() {
    let line = b"x=1; Secure; SameSite=None; Partitioned";
    let outer = top("https://a.test/");
    let inner = Request::embedded(at(SHOP), &outer.frame(at("https://b.test/")));
    let mut jar = Jar::new(Browser::chromium(), NOW);
    assert!(jar.receive(&inner, line).is_stored());

    let partition = jar.cookies().next().and_then(|cookie| cookie.partition()).unwrap();
    assert_eq!(partition.site().to_string(), "https://a.test");
    assert!(partition.has_cross_site_ancestor());
    assert_eq!(sent(&mut jar, &inner), "x=1");
    assert_eq!(sent(&mut jar, &typed(SHOP)), "");
    assert_eq!(sent(&mut jar, &Request::embedded(at(SHOP), &outer)), "");
}

#[test]
fn a_browser_that_separates_keeps_frames_apart_without_being_asked() {
    let line = b"x=1; Secure; SameSite=None";
    let on = |site: &str| Request::embedded(at("https://b.test/"), &top(site));
    let mut jar = Jar::new(Browser::firefox(), NOW);
    assert!(jar.receive(&on("https://a.test/"), line).is_stored());
    assert!(jar.receive(&typed("https://b.test/"), b"x=own; Secure; SameSite=None").is_stored());

    assert_eq!(sent(&mut jar, &on("https://a.test/")), "x=1");
    assert_eq!(sent(&mut jar, &on("https://c.test/")), "");
    assert_eq!(sent(&mut jar, &typed("https://b.test/")), "x=own");
}

#[test]
fn clearing_site_data_takes_the_whole_site_and_needs_a_secure_connection() {
    let lines = [
        ("https://a.test/", "a=1; HttpOnly"),
        ("https://sub.a.test/", "b=1"),
        ("https://b.test/", "c=1"),
    ];
    let mut jar = jar(Browser::chromium(), &lines);

    jar.clear_site_data(&at("http://sub.a.test/"));
    assert_eq!(jar.cookies().len(), 3);
    jar.clear_site_data(&at("https://sub.a.test/"));
    assert_eq!(jar.cookies().map(|cookie| cookie.name()).collect::<Vec<_>>(), [b"c"]);
}

#[test]
fn what_is_printed_for_debugging_has_no_values() {
    let jar = jar(Browser::chromium(), &[(SHOP, "id=c2VjcmV0; Secure")]);
    let verdict = Browser::chromium().judge(b"id=c2VjcmV0; Max-Age=1", &at(SHOP), NOW);

    for text in [
        format!("{jar:?}"),
        format!("{:?}", jar.explain(&typed(SHOP))),
        format!("{verdict:?} {verdict}"),
    ] {
        assert!(text.contains("id") || text.contains("stored"), "{text}");
        assert!(!text.contains("c2VjcmV0"), "{text}");
    }
}
