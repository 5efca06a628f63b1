//! Any octets as a `Set-Cookie` line in every family: an accepted cookie says itself again, and a jar
//! comes back from its text.

use cloakroom_cookie::browser::{Address, Browser, Family, Jar, Request};

const NOW: u64 = 1_790_000_000;
const ADDRESSES: [&str; 4] =
    ["https://sub.a.test/a;b/c", "http://a.test/", "http://localhost/a", "https://127.0.0.1/"];

pub(crate) fn holds(line: &[u8]) {
    for family in Family::ALL {
        for address in ADDRESSES {
            let address = Address::parse(address).expect("an address");
            let (browser, request) = (Browser::of(family), Request::typed(address));
            let mut jar = Jar::new(browser, NOW);
            let verdict = jar.receive(&request, line);
            let Some(cookie) = verdict.cookie() else {
                assert!(!verdict.reasons().is_empty() && jar.cookies().len() == 0);
                continue;
            };
            if verdict.is_stored() {
                let again = browser.judge_response(&request, &cookie.to_line(NOW), NOW);
                assert_eq!(again.cookie(), Some(cookie));
            }
            assert_eq!(Jar::load(browser, &jar.save()).expect("our own text"), jar);
        }
    }
}
