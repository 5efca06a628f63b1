//! The browser's side of a cookie, through the public API only.

#[cfg(test)]
mod corpus;
#[cfg(test)]
mod dates;
#[cfg(test)]
mod drafts;
#[cfg(test)]
mod families;
#[cfg(test)]
mod guide;
#[cfg(test)]
mod jar;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod reasons;
#[cfg(test)]
mod saved;
#[cfg(test)]
mod sites;

#[cfg(test)]
mod start {
    use cloakroom_cookie::browser::{Address, Browser, Jar, Page, Request};

    pub(crate) const NOW: u64 = 1_790_000_000;

    pub(crate) fn at(address: &str) -> Address {
        Address::parse(address).unwrap()
    }

    pub(crate) fn top(address: &str) -> Page {
        Page::top(at(address))
    }

    pub(crate) fn typed(address: &str) -> Request {
        Request::typed(at(address))
    }

    /// A jar after pages at these addresses have set these lines.
    pub(crate) fn jar(browser: Browser, lines: &[(&str, &str)]) -> Jar {
        let mut jar = Jar::new(browser, NOW);
        for (address, line) in lines {
            let verdict = jar.receive(&typed(address), line.as_bytes());
            assert!(verdict.is_stored(), "{line}: {verdict}");
        }
        jar
    }

    pub(crate) fn sent(jar: &mut Jar, request: &Request) -> String {
        String::from_utf8(jar.header(request)).unwrap()
    }
}
