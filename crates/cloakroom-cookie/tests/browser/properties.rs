use crate::start::{NOW, at, top};
use cloakroom_cookie::browser::{
    Browser, Family, Jar, Page, Request, ThirdParty, Verdict, cookie_date,
};
use proptest::collection::vec;
use proptest::prelude::*;
use std::fs;
use std::path::Path;
use std::time::Duration;

#[path = "../../../../fuzz/checks/browser_line.rs"]
mod check;

const ADDRESSES: [&str; 7] = [
    "https://a.test/",
    "https://sub.a.test/a/b;c/d",
    "http://a.test/a",
    "https://b.test/",
    "http://localhost/",
    "http://127.0.0.1/a/b",
    "https://[::1]/",
];

const PIECES: [&str; 40] = [
    "x=1",
    "x=2",
    "y",
    "=z",
    "__Host-x=1",
    "__http-x=1",
    "__Secure-x=1",
    "Secure",
    "Secure",
    "HttpOnly",
    "Path=/",
    "Path=/a",
    "Path=a",
    "Path",
    "Domain=a.test",
    "Domain=.A.test",
    "Domain=",
    "Domain=test",
    "Domain=127.0.0.1",
    "Max-Age=60",
    "Max-Age=0",
    "Max-Age=-1",
    "Max-Age=99999999999999999999",
    "Max-Age=x",
    "Expires=Fri, 01 Jan 2027 00:00:00 GMT",
    "Expires=x",
    "SameSite=None",
    "SameSite=Lax",
    "SameSite=Strict",
    "SameSite=x",
    "Partitioned",
    "Priority=High",
    "Priority=Low",
    "\t",
    " ",
    "=",
    "",
    "unknown",
    "a\tb=c",
    "\u{e9}=\u{e9}",
];

fn line() -> impl Strategy<Value = Vec<u8>> {
    let pieces = vec(prop::sample::select(PIECES.to_vec()), 0..7).prop_map(|all| all.join("; "));
    let noise = (vec(any::<u8>(), 0..60), vec(prop::sample::select(PIECES.to_vec()), 0..4));
    let noise =
        noise.prop_map(|(octets, all)| [&octets[..], b";", all.join(";").as_bytes()].concat());
    prop_oneof![3 => pieces.prop_map(String::into_bytes), 1 => noise]
}

fn address() -> impl Strategy<Value = &'static str> {
    prop::sample::select(ADDRESSES.to_vec())
}

fn browser() -> impl Strategy<Value = Browser> {
    let third_party = [ThirdParty::Allowed, ThirdParty::Blocked, ThirdParty::Separated];
    (prop::sample::select(Family::ALL.to_vec()), prop::sample::select(third_party.to_vec()))
        .prop_map(|(family, third_party)| Browser::of(family).third_party(third_party))
}

/// A page at the first address, or framed by the second.
fn page() -> impl Strategy<Value = Page> {
    (address(), prop::option::of(address())).prop_map(|(own, outer)| match outer {
        Some(outer) => top(outer).frame(at(own)),
        None => top(own),
    })
}

/// What must hold for whatever was judged: see the test of the same name.
fn says_itself_again(browser: Browser, page: &Page, verdict: &Verdict) {
    let Some(cookie) = verdict.cookie() else {
        assert!(!verdict.reasons().is_empty(), "a refusal has a reason");
        return;
    };
    if cookie.expires() == Some(0) {
        return;
    }
    let request = Request::embedded(page.address().clone(), page);
    let again = browser.judge_response(&request, &cookie.to_line(NOW), NOW);
    assert_eq!(again.cookie(), Some(cookie), "{}", cookie.to_line(NOW).escape_ascii());
}

proptest! {
    #[test]
    fn an_accepted_cookie_written_and_read_again_is_the_same(
        browser in browser(), page in page(), line in line(),
    ) {
        let request = Request::embedded(page.address().clone(), &page);

        let verdict = browser.judge_response(&request, &line, NOW);

        says_itself_again(browser, &page, &verdict);
    }

    #[test]
    fn any_lines_leave_a_jar_that_can_be_saved_and_loaded(
        browser in browser(),
        steps in vec((page(), line(), any::<bool>(), 0..100_u64), 0..30),
    ) {
        let mut jar = Jar::new(browser, NOW);
        for (page, line, by_script, wait) in steps {
            let _ = if by_script {
                jar.set_by_script(&page, &line)
            } else {
                jar.receive(&Request::embedded(page.address().clone(), &page), &line)
            };
            jar.advance(Duration::from_secs(wait));
        }

        let loaded = Jar::load(browser, &jar.save()).unwrap();

        prop_assert_eq!(&loaded, &jar);
        prop_assert_eq!(loaded.save(), jar.save());
    }

    #[test]
    fn what_is_explained_is_what_is_sent(
        browser in browser(), lines in vec((page(), line()), 0..12), page in page(), safe in any::<bool>(),
    ) {
        let mut jar = Jar::new(browser, NOW);
        for (page, line) in lines {
            let _ = jar.receive(&Request::embedded(page.address().clone(), &page), &line);
        }
        let method = if safe { "GET" } else { "POST" };
        let request = Request::embedded(at("https://a.test/a"), &page).method(method);

        let explained = jar.explain(&request);
        let free: usize = explained.iter().filter(|one| one.withheld.is_empty()).count();
        let any = !jar.clone().header(&request).is_empty();

        prop_assert_eq!(any, free > 0);
    }

    #[test]
    fn any_octets_as_a_date_are_a_date_within_its_years_or_none(
        text in prop_oneof![vec(any::<u8>(), 0..60), "[0-9:A-Za-z ,-]{0,40}".prop_map(String::into_bytes)],
    ) {
        if let Some(seconds) = cookie_date(&text) {
            prop_assert!((-11_644_473_600..=253_402_300_799).contains(&seconds));
        }
    }

    #[test]
    fn any_text_is_a_jar_or_says_why_not(text in prop_oneof![any::<String>(), "[a-z=%/.0-9 ]{0,80}"]) {
        let text = format!("cloakroom-jar 1\nnow 1790000000\n{text}\n");

        if let Err(error) = Jar::load(Browser::standard(), &text) {
            prop_assert!(error.lines().count() > 0 && !error.to_string().is_empty());
        }
    }
}

#[test]
fn hostile_lines_are_judged_and_say_themselves_again() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/fuzz/browser_line");
    let files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(files.len() >= 24, "the first inputs of the fuzz target");

    for file in files {
        let line = fs::read(&file).unwrap();
        check::holds(&line);
        for family in Family::ALL {
            for address in ADDRESSES {
                let (browser, page) = (Browser::of(family), top(address));
                let request = Request::embedded(at(address), &page);
                let verdict = browser.judge_response(&request, &line, NOW);
                says_itself_again(browser, &page, &verdict);
            }
        }
    }
}
