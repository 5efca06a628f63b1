//! A visitor of the shop, who counts what it was promised and what it was told instead.

use cloakroom_journeys::Failure;
use cloakroom_journeys::http::{self, Response, set_cookie_value};
use std::collections::BTreeMap;
use std::net::SocketAddr;

const SESSION: &str = "__Host-Http-session";
const FORM: (&str, &[u8]) = ("Content-Type", b"application/x-www-form-urlencoded");

/// What became of the requests of one visitor, or of several.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    /// How often each status answered each method; 0 is a connection that broke.
    pub(crate) answers: BTreeMap<(&'static str, u16), u32>,
    /// Pages that did not know their visitor.
    pub(crate) signed_out: u32,
    /// How often each server answered, as the proxy says.
    pub(crate) servers: BTreeMap<String, u32>,
}

impl Seen {
    pub(crate) fn add(&mut self, other: Self) {
        for (answer, count) in other.answers {
            *self.answers.entry(answer).or_default() += count;
        }
        for (server, count) in other.servers {
            *self.servers.entry(server).or_default() += count;
        }
        self.signed_out += other.signed_out;
    }

    /// Everything but the answers that the shop gives when all is well.
    pub(crate) fn troubles(&self) -> Vec<(&'static str, u16, u32)> {
        let is_well = |answer: &(&str, u16)| matches!(answer, ("GET", 200) | ("POST", 303));
        let troubles = self.answers.iter().filter(|(answer, _)| !is_well(answer));
        troubles.map(|((method, status), count)| (*method, *status, *count)).collect()
    }
}

/// A browser with its cookies, in front of one address.
#[derive(Clone, Debug)]
pub(crate) struct Visitor {
    front: SocketAddr,
    cookies: BTreeMap<&'static str, String>,
    /// The cookie of the proxy's own, if it has one.
    affinity: Option<&'static str>,
    /// Things in the cart that were acknowledged, and those that were asked for.
    pub(crate) acknowledged: u32,
    pub(crate) asked: u32,
    pub(crate) seen: Seen,
}

impl Visitor {
    pub(crate) fn new(front: SocketAddr, affinity: Option<&'static str>) -> Self {
        let (cookies, seen) = Default::default();
        Self { front, cookies, affinity, acknowledged: 0, asked: 0, seen }
    }

    /// Makes an account, which signs in too.
    pub(crate) fn sign_up(&mut self, name: &str) {
        let form = format!("name={name}&password=correct+horse+battery");
        let answer = self.ask("POST", "/sign-up", &form).unwrap();
        assert_eq!(answer.status, 303, "{}", answer.text());
    }

    pub(crate) fn sign_in(&mut self, name: &str) {
        let form = format!("name={name}&password=correct+horse+battery");
        let answer = self.ask("POST", "/sign-in", &form).unwrap();
        assert_eq!(answer.status, 303, "{}", answer.text());
    }

    pub(crate) fn sign_out(&mut self) {
        assert_eq!(self.ask("POST", "/sign-out", "").unwrap().status, 303);
    }

    /// Puts a coat into the cart.
    pub(crate) fn add(&mut self) {
        self.asked += 1;
        if self.ask("POST", "/cart/add", "product=coat").is_ok_and(|answer| answer.status == 303) {
            self.acknowledged += 1;
        }
    }

    /// Looks at the front page and counts if it does not know its visitor; whether it does.
    pub(crate) fn look(&mut self) -> bool {
        let page = self.ask("GET", "/account", "");
        // A visitor who is not signed in is sent to do so.
        let is_signed_out = page.is_ok_and(|page| page.status == 303);
        self.seen.signed_out += u32::from(is_signed_out);
        !is_signed_out
    }

    /// How many things are in the cart.
    pub(crate) fn cart(&mut self) -> u32 {
        let page = self.ask("GET", "/", "").unwrap().text();
        let badge = page.split_once("id=\"cart-count\"").unwrap().1;
        badge.split_once('>').unwrap().1.split_once('<').unwrap().0.parse().unwrap()
    }

    /// The server that answered last.
    pub(crate) fn server(&mut self) -> String {
        let page = self.ask("GET", "/style.css", "").unwrap();
        page.header("X-Answered-By").unwrap()
    }

    /// What the browser keeps of the proxy.
    pub(crate) fn affinity(&self) -> Option<&String> {
        self.affinity.and_then(|name| self.cookies.get(name))
    }

    pub(crate) fn ticket(&self) -> Option<&String> {
        self.cookies.get(SESSION)
    }

    /// Sends one request on a connection of its own, and keeps the cookies of the answer.
    pub(crate) fn ask(
        &mut self,
        method: &'static str,
        path: &str,
        form: &str,
    ) -> Result<Response, Failure> {
        let cookies: Vec<_> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let cookies = cookies.join("; ");
        let mut headers = vec![("Sec-Fetch-Site", b"same-origin".as_slice())];
        if method == "POST" {
            headers.push(FORM);
        }
        if !cookies.is_empty() {
            headers.push(("Cookie", cookies.as_bytes()));
        }
        let answered = http::request(self.front, method, path, &headers, form.as_bytes());
        let status = answered.as_ref().map_or(0, |answer| answer.status);
        *self.seen.answers.entry((method, status)).or_default() += 1;
        if let Ok(answer) = &answered {
            self.keep(answer);
        }
        answered
    }

    fn keep(&mut self, answer: &Response) {
        for name in [Some(SESSION), self.affinity].into_iter().flatten() {
            match set_cookie_value(answer, name) {
                Some(value) if value.is_empty() => drop(self.cookies.remove(name)),
                Some(value) => drop(self.cookies.insert(name, value)),
                None => {}
            }
        }
        if let Some(server) = answer.header("X-Answered-By") {
            *self.seen.servers.entry(server).or_default() += 1;
        }
    }
}
