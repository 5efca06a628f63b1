//! Tokens where none belongs: U01, U02, H05.

use crate::exchange::Exchange;
use crate::finding::{Answer, Confidence, Evidence, Severity};
use crate::flaw::{Findings, Flaw, not_decided};
use crate::markup;
use crate::mask::{looks_secret, shown_url};
use crate::observed::Observed;
use crate::remedies;
use crate::rule::{Needs, Rule};
use crate::text::contains;
use url::Url;

/// A shorter value is found by chance.
const VALUE_SHORTEST: usize = 16;
const TOKEN_PARAMETERS: [&str; 12] = [
    "jsessionid",
    "phpsessid",
    "sessionid",
    "session_id",
    "session",
    "sid",
    "token",
    "access_token",
    "id_token",
    "auth_token",
    "jwt",
    "auth",
];

pub(super) const URL: Rule = Rule {
    id: "U01",
    title: "Token in an address",
    severity: Severity::High,
    needs: Needs::Responses,
    what: "No address holds a session token: none that is asked, redirected to, linked or posted to.",
    why: "Addresses go into logs, histories, bookmarks, and to other sites in the Referer header.",
    how: "The addresses of requests, Location headers, links and forms are read for the values of session cookies, and for parameters named like tokens whose values look like ones.",
    source: "ASVS 5.0 14.2.1; CWE-598",
    remedies: remedies::URL,
    judge: url,
};

fn url(observed: &Observed) -> Answer {
    if observed.exchanges().is_empty() {
        return not_decided("no response was seen");
    }
    let values = long_values(observed);
    let mut findings = Findings::default();
    let mut read = 0_usize;
    for exchange in observed.exchanges() {
        for (place, url) in addresses(exchange) {
            read += 1;
            let Some((seen, confidence)) = token_in(&url, &values) else { continue };
            let flaw = Flaw::new(Severity::High, seen, "a cookie").sure(confidence);
            let shown = format!("{place} {}", shown_url(url.as_str()));
            let mut subject = url.clone();
            subject.set_query(None);
            let subject = shown_url(subject.as_str());
            findings.add(flaw.about(subject, Evidence::new(exchange, shown)));
        }
    }
    findings.answer(format!("{read} addresses"))
}

/// Every address that an exchange shows, and where.
fn addresses(exchange: &Exchange) -> Vec<(&'static str, Url)> {
    let base = exchange.parsed_url();
    let mut found = vec![("request", base.clone())];
    let location = exchange.response.text("location");
    found.extend(location.and_then(|text| Some(("Location", base.join(&text).ok()?))));
    if exchange.is_html() {
        let links = markup::links(exchange.body());
        found.extend(
            links.into_iter().filter_map(|link| Some((link.place, base.join(&link.to).ok()?))),
        );
    }
    found
}

fn token_in(url: &Url, values: &[(String, &[u8])]) -> Option<(String, Confidence)> {
    let holds = |(_, value): &&(String, &[u8])| contains(url.as_str().as_bytes(), value);
    if let Some((name, _)) = values.iter().find(holds) {
        return Some((format!("the value of the cookie {name} stands in it"), Confidence::Certain));
    }
    let in_path = url.path().split(';').skip(1).filter_map(|part| part.split_once('='));
    let in_path = in_path.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let in_query = url.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned()));
    let mut all = in_path.chain(in_query);
    let (name, _) = all.find(|(name, value)| {
        let name = name.to_ascii_lowercase();
        TOKEN_PARAMETERS.contains(&name.as_str()) && looks_secret(value)
    })?;
    Some((format!("the parameter {name} looks like a token"), Confidence::Possible))
}

fn long_values(observed: &Observed) -> Vec<(String, &[u8])> {
    let mut values = observed.session_values();
    values.retain(|(_, value)| value.len() >= VALUE_SHORTEST);
    values
}

pub(super) const ECHO: Rule = Rule {
    id: "U02",
    title: "Token repeated in a response",
    severity: Severity::Medium,
    needs: Needs::Responses,
    what: "The value of a session cookie stands in its Set-Cookie line and nowhere else.",
    why: "HttpOnly hides a cookie from scripts, and a page that repeats it shows it to them; caches and logs keep it.",
    how: "Bodies and header fields other than Set-Cookie are searched for the values of session cookies of 16 octets and more.",
    source: "ASVS 5.0 3.3.4 and 16.2.5",
    remedies: remedies::URL,
    judge: echo,
};

fn echo(observed: &Observed) -> Answer {
    let values = long_values(observed);
    if values.is_empty() {
        return not_decided("no session cookie of 16 octets or more was set");
    }
    let mut findings = Findings::default();
    for exchange in observed.exchanges() {
        for (name, value) in &values {
            let Some(place) = place_of(exchange, value) else { continue };
            let seen = format!("the value of the cookie {name} stands in {place}");
            let flaw = Flaw::new(Severity::Medium, seen, "the value in Set-Cookie alone");
            let subject = shown_url(exchange.url());
            findings.add(flaw.about(subject, Evidence::new(exchange, place)));
        }
    }
    findings.answer(format!("{} responses", observed.exchanges().len()))
}

fn place_of(exchange: &Exchange, value: &[u8]) -> Option<String> {
    // `Location` is an address: U01.
    let other = |name: &str| !matches!(name, "set-cookie" | "location");
    let mut fields = exchange.response.iter().filter(|(name, _)| other(name));
    let field = fields.find(|(_, text)| contains(text, value));
    let in_field = field.map(|(name, _)| format!("the header {name}"));
    in_field.or_else(|| contains(exchange.body(), value).then(|| "the body".to_owned()))
}

pub(super) const STORAGE: Rule = Rule {
    id: "H05",
    title: "Token kept by a script",
    severity: Severity::Info,
    needs: Needs::Responses,
    what: "Scripts keep no tokens in localStorage or sessionStorage.",
    why: "Every script of the origin reads them, and they stay until a script takes them away.",
    how: "Pages and scripts are searched for what writes into storage under a name like that of a token. Nothing is run, so silence proves little.",
    source: "OWASP Session Management Cheat Sheet; NIST SP 800-63B-4 section 5.1; CWE-922",
    remedies: remedies::STORAGE,
    judge: storage,
};

fn storage(observed: &Observed) -> Answer {
    let mut findings = Findings::default();
    let mut read = 0_usize;
    for exchange in observed.exchanges() {
        let kind = exchange.response.words("content-type");
        if !exchange.is_html() && !kind.contains("javascript") {
            continue;
        }
        read += 1;
        if let Some(name) = stored_name(&String::from_utf8_lossy(exchange.body())) {
            let seen = format!("a script keeps `{name}` in web storage");
            let flaw =
                Flaw::new(Severity::Info, seen, "an HttpOnly cookie").sure(Confidence::Possible);
            let subject = shown_url(exchange.url());
            findings.add(flaw.about(subject, Evidence::new(exchange, "a script".to_owned())));
        }
    }
    if read == 0 {
        return not_decided("no page and no script was seen");
    }
    findings.answer(format!("{read} pages and scripts"))
}

/// The name under which a script keeps what is called like a token.
fn stored_name(script: &str) -> Option<String> {
    let mut rest = script;
    while let Some((_, behind)) = rest.split_once("Storage") {
        rest = behind;
        let name = match behind.strip_prefix(".setItem(") {
            Some(call) => call.trim_start().trim_start_matches(['"', '\'', '`']),
            None => behind.strip_prefix('.').or_else(|| behind.strip_prefix("[\"")).unwrap_or(""),
        };
        let end = name.find(|c: char| !c.is_ascii_alphanumeric() && !"_-.:".contains(c));
        let name = end.and_then(|end| name.get(..end)).unwrap_or_default();
        let lower = name.to_ascii_lowercase();
        let words = ["token", "jwt", "session", "auth"];
        if name.len() <= 60 && words.iter().any(|word| lower.contains(word)) {
            return Some(name.to_owned());
        }
    }
    None
}
