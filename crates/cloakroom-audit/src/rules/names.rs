//! What a cookie is called, and who else is: C06 to C09, I06.

use crate::exchange::Exchange;
use crate::finding::{Answer, Confidence, Evidence, Severity};
use crate::flaw::{Findings, Flaw, each_line, every, not_decided, nothing_to_look_at, sessions};
use crate::line::Line;
use crate::observed::Observed;
use crate::remedies;
use crate::role::{self, Role};
use crate::rule::{Needs, Rule};
use cloakroom_cookie::browser::Reason;
use std::collections::BTreeMap;

pub(super) const ONE_SCOPE: Rule = Rule {
    id: "C06",
    title: "One name for several cookies",
    severity: Severity::Low,
    needs: Needs::Responses,
    what: "A name is set for one domain and one path.",
    why: "Cookies of one name arrive side by side without saying where they come from: one hides the other, and a deletion leaves one behind.",
    how: "Domain and path of all Set-Cookie lines of a name are compared; a missing Path is the folder of the page.",
    source: "RFC 6265bis sections 4.2.2 and 8.6; OWASP Session Management Cheat Sheet",
    remedies: remedies::ONE_SCOPE,
    judge: one_scope,
};

fn one_scope(observed: &Observed) -> Answer {
    let mut scopes: BTreeMap<String, Vec<(String, &Line, &Exchange)>> = BTreeMap::new();
    for line in observed.setting() {
        let Some(exchange) = observed.exchange_of(line) else { continue };
        let scope = scope(line, exchange);
        let known = scopes.entry(line.shown_name()).or_default();
        if !known.iter().any(|(text, _, _)| *text == scope) {
            known.push((scope, line, exchange));
        }
    }
    if scopes.is_empty() {
        return not_decided(nothing_to_look_at(observed));
    }
    let mut findings = Findings::default();
    for (name, known) in scopes.iter().filter(|(_, known)| known.len() > 1) {
        let texts: Vec<&str> = known.iter().map(|(text, _, _)| text.as_str()).collect();
        for (_, line, exchange) in known {
            let seen = format!("it is set for {}", texts.join(" and for "));
            let flaw = Flaw::new(Severity::Low, seen, "one Path, and a Domain or none");
            findings.add(flaw.about(name.clone(), Evidence::of_line(exchange, &line.raw)));
        }
    }
    findings.answer(format!("{} names", scopes.len()))
}

fn scope(line: &Line, exchange: &Exchange) -> String {
    let domain = line.text_of("domain").filter(|domain| !domain.is_empty());
    let domain = domain.map(|domain| domain.trim_start_matches('.').to_ascii_lowercase());
    let host = domain.unwrap_or_else(|| exchange.address().host().to_owned());
    let path = line.text_of("path").filter(|path| path.starts_with('/'));
    let path = path.unwrap_or_else(|| exchange.address().default_path().to_owned());
    crate::mask::printable_line(format!("{host}{path}").as_bytes(), 120)
}

pub(super) const PREFIX_RULES: Rule = Rule {
    id: "C07",
    title: "Prefix rule violated",
    severity: Severity::High,
    needs: Needs::Responses,
    what: "A name with a prefix has the attributes that the prefix promises, and the prefix is spelt exactly.",
    why: "Browsers refuse the cookie, or older ones take a misspelt prefix for part of the name and protect nothing.",
    how: "The line is judged as the standard's browser would if it came over TLS, and the prefix is compared letter by letter.",
    source: "RFC 6265bis section 5.7 steps 20 to 22; layered cookies section 4.1.3",
    remedies: remedies::PREFIX,
    judge: prefix_rules,
};

fn prefix_rules(observed: &Observed) -> Answer {
    each_line(observed, every, |line, exchange| {
        let broken = line.reasons_over_tls(exchange).into_iter().find(is_about_prefix);
        if let Some(reason) = broken {
            let seen = format!("browsers refuse the cookie: {reason}");
            return Some(Flaw::new(Severity::High, seen, reason.remedy()));
        }
        let name = line.name_text();
        let prefix = name.get(..name.len() - role::bare(&name).len()).unwrap_or_default();
        let exact = ["", "__Secure-", "__Host-", "__Http-", "__Host-Http-"];
        let flaw = Flaw::new(
            Severity::Medium,
            "the prefix is misspelt: browsers that compare letters protect nothing",
            "the prefix spelt `__Host-Http-`, `__Host-`, `__Http-` or `__Secure-`",
        );
        (!exact.contains(&prefix)).then_some(flaw)
    })
}

fn is_about_prefix(reason: &Reason) -> bool {
    [
        Reason::PrefixWithoutSecure,
        Reason::HostPrefixWithDomain,
        Reason::HostPrefixWithoutRootPath,
        Reason::HttpPrefixWithoutHttpOnly,
        Reason::NamelessWithPrefix,
    ]
    .contains(reason)
}

pub(super) const PREFIX: Rule = Rule {
    id: "C08",
    title: "Name without a prefix",
    severity: Severity::Low,
    needs: Needs::Responses,
    what: "Session and form token cookies are called `__Host-...`, or at least `__Secure-...`.",
    why: "Without a prefix a sibling host, or plain http, can plant a cookie of the same name beside yours.",
    how: "The names of all cookies that are set are read. Others than sessions and form tokens are reported as information.",
    source: "ASVS 5.0 3.3.1 and 3.3.3; RFC 6265bis section 4.1.3",
    remedies: remedies::PREFIX,
    judge: prefix,
};

fn prefix(observed: &Observed) -> Answer {
    each_line(observed, every, |line, _| {
        let name = line.name_text();
        if role::bare(&name).len() < name.len() {
            return None;
        }
        let severity = match line.role {
            Role::Session | Role::FormToken => Severity::Low,
            Role::Tracking | Role::Preference | Role::Other => Severity::Info,
        };
        let seen = "a sibling host or plain http can set a cookie of this name";
        Some(Flaw::new(
            severity,
            seen,
            "the prefix `__Host-Http-`, or `__Host-` for what scripts read",
        ))
    })
}

pub(super) const PARTITIONED: Rule = Rule {
    id: "C09",
    title: "Partitioned without sense",
    severity: Severity::Low,
    needs: Needs::Responses,
    what: "Partitioned comes with Secure, and not on a session cookie.",
    why: "Without Secure browsers refuse the cookie; a partitioned session is another one under every site that embeds the page.",
    how: "Each Set-Cookie line with Partitioned is read.",
    source: "CHIPS section 2.1; Device Bound Session Credentials section 8.9",
    remedies: remedies::PARTITIONED,
    judge: partitioned,
};

fn partitioned(observed: &Observed) -> Answer {
    each_line(observed, every, |line, _| {
        if !line.has("partitioned") {
            None
        } else if !line.has("secure") {
            let seen = "browsers refuse Partitioned without Secure";
            Some(Flaw::new(Severity::Low, seen, "Partitioned; Secure, or neither"))
        } else {
            let seen = "the session is another one under every site that embeds the page";
            let flaw = Flaw::new(Severity::Low, seen, "no Partitioned on a session");
            (line.role == Role::Session).then_some(flaw.sure(Confidence::Likely))
        }
    })
}

pub(super) const DEFAULT_NAME: Rule = Rule {
    id: "I06",
    title: "Name that tells the framework",
    severity: Severity::Info,
    needs: Needs::Responses,
    what: "The session cookie has a name of its own.",
    why: "The default name tells an attacker which framework runs, and with it which defects to try first.",
    how: "The names of session cookies are compared with the defaults of frameworks.",
    source: "OWASP Session Management Cheat Sheet, session ID name fingerprinting",
    remedies: remedies::NAME,
    judge: default_name,
};

fn default_name(observed: &Observed) -> Answer {
    each_line(observed, sessions, |line, _| {
        let name = line.name_text();
        let framework = role::default_of(role::bare(&name))?;
        let seen = format!("it is the default name of {framework}");
        Some(Flaw::new(
            Severity::Info,
            seen,
            "a name that says nothing, such as `__Host-Http-session`",
        ))
    })
}
