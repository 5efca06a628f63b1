//! The gate room: may this request change something, seen from where it comes from?
//!
//! A browser sends our cookie along with requests that other sites caused. Before anything else
//! runs, an unsafe request has to show that our own pages, or an origin that was declared trusted,
//! sent it (ASVS 5.0 3.5; Fetch Metadata). The rules, in order:
//!
//! 1. GET, HEAD, OPTIONS and TRACE pass, unless they open a WebSocket.
//! 2. An exempted path passes; each exemption has a reason.
//! 3. `Sec-Fetch-Site` says `same-origin` or `none`: passes. `same-site` or `cross-site`: refused,
//!    unless `Origin` is trusted. Anything else counts as not sent.
//! 4. `Origin` is ours or trusted: passes, else refused. `null` is nobody's.
//! 5. `Referer`: likewise.
//! 6. None of them: refused if the request carries a ticket. Without one it has no rights that a
//!    foreign page could use.
//!
//! Pure: no I/O, no clock.

use http::header::{HOST, ORIGIN, REFERER, UPGRADE};
use http::{HeaderMap, Method, Uri};

const SEC_FETCH_SITE: &str = "sec-fetch-site";

/// What the gate was told about the service.
#[derive(Clone, Debug, Default)]
pub(crate) struct Gate {
    /// The service's own origins, where they are known; else the `Host` header decides.
    pub(crate) own: Vec<String>,
    /// Foreign origins that may send unsafe requests.
    pub(crate) trusted: Vec<String>,
    /// Paths where the service checks the sender itself: a path and all below it.
    pub(crate) exempt: Vec<String>,
}

/// Why a request was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// The browser says that another site caused it.
    CrossSite,
    /// Its origin is neither ours nor trusted.
    ForeignOrigin,
    /// It says nothing about where it comes from, and carries a ticket.
    NoOrigin,
    /// The policy allows cookies over plain HTTP on loopback only, and this is another host.
    PlainHttp,
}

impl Refusal {
    /// The stable word for logs and answers.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::CrossSite => "cross-site",
            Self::ForeignOrigin => "foreign-origin",
            Self::NoOrigin => "no-origin",
            Self::PlainHttp => "plain-http",
        }
    }
}

impl Gate {
    /// Whether the request may pass. `has_ticket` is asked only if it matters.
    pub(crate) fn check(
        &self,
        method: &Method,
        uri: &Uri,
        headers: &HeaderMap,
        has_ticket: impl FnOnce() -> bool,
    ) -> Result<(), Refusal> {
        if is_safe(method) && !opens_websocket(headers) || self.is_exempt(uri.path()) {
            return Ok(());
        }
        match only(headers, SEC_FETCH_SITE) {
            Some("same-origin" | "none") => return Ok(()),
            Some("same-site" | "cross-site") => return self.trusts(headers),
            Some(_) | None => {}
        }
        if headers.contains_key(ORIGIN) {
            return self.knows(only(headers, ORIGIN.as_str()), uri, headers);
        }
        if headers.contains_key(REFERER) {
            let referer = only(headers, REFERER.as_str()).and_then(origin_of);
            return self.knows(referer, uri, headers);
        }
        if has_ticket() { Err(Refusal::NoOrigin) } else { Ok(()) }
    }

    fn is_exempt(&self, path: &str) -> bool {
        self.exempt.iter().any(|exempt| {
            path.strip_prefix(exempt.as_str()).is_some_and(|rest| {
                rest.is_empty() || exempt.ends_with('/') || rest.starts_with('/')
            })
        })
    }

    fn trusts(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        match only(headers, ORIGIN.as_str()) {
            Some(origin) if contains(&self.trusted, origin) => Ok(()),
            Some(_) | None => Err(Refusal::CrossSite),
        }
    }

    fn knows(&self, origin: Option<&str>, uri: &Uri, headers: &HeaderMap) -> Result<(), Refusal> {
        let known = origin.is_some_and(|origin| {
            contains(&self.trusted, origin) || self.is_own(origin, uri, headers)
        });
        if known { Ok(()) } else { Err(Refusal::ForeignOrigin) }
    }

    /// Without declared origins, the host that was asked for is ours, over https or on loopback;
    /// an http page of the same host may have been written by anybody on the way.
    fn is_own(&self, origin: &str, uri: &Uri, headers: &HeaderMap) -> bool {
        if !self.own.is_empty() {
            return contains(&self.own, origin);
        }
        let Some(host) = host_of(uri, headers) else { return false };
        match origin.split_once("://") {
            Some(("https", authority)) => same_authority(authority, host, "443"),
            Some(("http", authority)) => {
                is_loopback(authority) && same_authority(authority, host, "80")
            }
            Some(_) | None => false,
        }
    }
}

/// Whether the authority names this machine: `localhost`, a name below it, or a loopback address.
pub(crate) fn is_loopback(authority: &str) -> bool {
    let host = match authority.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    host == "localhost"
        || host.ends_with(".localhost")
        || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// The host and port that were asked for.
pub(crate) fn host_of<'a>(uri: &'a Uri, headers: &'a HeaderMap) -> Option<&'a str> {
    match uri.authority() {
        Some(authority) => Some(authority.as_str()),
        None => only(headers, HOST.as_str()),
    }
}

fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS | Method::TRACE)
}

/// Other upgrades, such as `h2c`, are offers that any request may carry.
fn opens_websocket(headers: &HeaderMap) -> bool {
    headers.get_all(UPGRADE).iter().any(|value| {
        let mut offers = value.as_bytes().split(|byte| *byte == b',');
        offers.any(|offer| offer.trim_ascii().eq_ignore_ascii_case(b"websocket"))
    })
}

/// The value of a header that was sent once; sent twice it says nothing.
fn only<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}

fn contains(origins: &[String], origin: &str) -> bool {
    origins.iter().any(|known| known.eq_ignore_ascii_case(origin))
}

/// Scheme and authority of a URL.
fn origin_of(url: &str) -> Option<&str> {
    let (scheme, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    url.get(..scheme.len() + 3 + authority.len())
}

fn same_authority(origin: &str, host: &str, default_port: &str) -> bool {
    let bare = |authority: &str| {
        let authority = authority.to_ascii_lowercase();
        match authority.strip_suffix(default_port).and_then(|rest| rest.strip_suffix(':')) {
            Some(bare) => bare.to_owned(),
            None => authority,
        }
    };
    bare(origin) == bare(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(gate: &Gate, method: &str, headers: &[(&'static str, &str)]) -> Result<(), Refusal> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        let method: Method = method.parse().unwrap();
        gate.check(&method, &Uri::from_static("/cart"), &map, || map.contains_key("cookie"))
    }

    #[test]
    fn the_verdict_follows_the_rules_in_order() {
        const H: (&str, &str) = ("host", "shop.example");
        const T: (&str, &str) = ("cookie", "a ticket");
        let site = |value| ("sec-fetch-site", value);
        let origin = |value| ("origin", value);
        let gate = Gate { trusted: vec!["https://pay.example".into()], ..Gate::default() };
        type Row<'a> = (&'a str, &'a [(&'static str, &'a str)], Result<(), Refusal>);
        let rows: [Row<'_>; 20] = [
            ("GET", &[H, T, site("cross-site")], Ok(())),
            ("OPTIONS", &[H, T, origin("https://evil.example")], Ok(())),
            ("GET", &[H, T, site("cross-site"), ("upgrade", "websocket")], Err(Refusal::CrossSite)),
            ("POST", &[H, T, site("same-origin")], Ok(())),
            ("POST", &[H, T, site("none")], Ok(())),
            ("POST", &[H, T, site("same-site")], Err(Refusal::CrossSite)),
            ("POST", &[H, site("cross-site")], Err(Refusal::CrossSite)),
            ("POST", &[H, T, site("cross-site"), origin("https://pay.example")], Ok(())),
            (
                "POST",
                &[H, T, site("cross-site"), origin("https://shop.example")],
                Err(Refusal::CrossSite),
            ),
            (
                "POST",
                &[H, T, site("nonsense"), origin("https://evil.example")],
                Err(Refusal::ForeignOrigin),
            ),
            (
                "POST",
                &[H, T, site("none"), site("none"), origin("null")],
                Err(Refusal::ForeignOrigin),
            ),
            ("POST", &[H, T, origin("https://shop.example")], Ok(())),
            ("POST", &[H, T, origin("https://shop.example:443")], Ok(())),
            ("POST", &[H, T, origin("https://SHOP.example")], Ok(())),
            ("POST", &[H, T, origin("http://shop.example")], Err(Refusal::ForeignOrigin)),
            ("POST", &[H, T, origin("https://shop.example:8443")], Err(Refusal::ForeignOrigin)),
            ("DELETE", &[H, T, ("referer", "https://shop.example/cart?x=1")], Ok(())),
            (
                "PUT",
                &[H, T, ("referer", "https://shop.example.evil.example/")],
                Err(Refusal::ForeignOrigin),
            ),
            ("POST", &[H, T], Err(Refusal::NoOrigin)),
            ("POST", &[H], Ok(())),
        ];
        for (method, headers, expected) in rows {
            assert_eq!(verdict(&gate, method, headers), expected, "{method} {headers:?}");
        }
    }

    #[test]
    fn declared_origins_are_compared_in_full() {
        let gate = Gate { own: vec!["https://shop.example".into()], ..Gate::default() };
        let host = ("host", "backend:8080");

        assert_eq!(verdict(&gate, "POST", &[host, ("origin", "https://shop.example")]), Ok(()));
        assert!(verdict(&gate, "POST", &[host, ("origin", "https://backend:8080")]).is_err());
    }

    #[test]
    fn plain_http_is_ours_on_loopback_only() {
        for host in ["localhost:8080", "127.0.0.1:8080", "[::1]:8080", "a.localhost:8080"] {
            let origin = format!("http://{host}");
            let headers = [("host", host), ("origin", origin.as_str())];
            assert_eq!(verdict(&Gate::default(), "POST", &headers), Ok(()), "{host}");
        }
        assert!(!is_loopback("localhost.evil.example"));
    }

    #[test]
    fn an_exemption_covers_a_path_and_what_is_below() {
        let gate = Gate { exempt: vec!["/cart".into()], ..Gate::default() };
        let exempt = |path: &str| gate.is_exempt(path);

        assert!(exempt("/cart") && exempt("/cart/add"));
        assert!(!exempt("/carton"));
    }
}
