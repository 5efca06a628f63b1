//! What a session's value tells by itself: I01, I04.

use crate::finding::{Answer, Confidence, Severity};
use crate::flaw::{Flaw, each_line, not_decided, nothing_to_look_at, sessions};
use crate::observed::Observed;
use crate::remedies;
use crate::rule::{Needs, Rule};
use crate::staged::session_sets;
use crate::tokens::{self, Alphabet, Bound};
use std::collections::{BTreeMap, BTreeSet};

/// What a token must hold (ASVS 5.0 7.2.3).
pub(super) const BITS_WANTED: f64 = 128.0;
/// What it must hold to be called one at all (NIST SP 800-63B-4 section 5.1).
pub(super) const BITS_LEAST: f64 = 64.0;
/// Rounding of logarithms: 32 characters of hexadecimal are 128 bits.
const ROUNDING: f64 = 0.01;

pub(super) const BITS: Rule = Rule {
    id: "I01",
    title: "Token too short",
    severity: Severity::High,
    needs: Needs::Responses,
    what: "A session token has room for at least 128 random bits.",
    why: "What is short can be guessed: with 32 bits and a million users every four thousandth guess is a session.",
    how: "Length times the bits of a character of the smallest usual alphabet that fits: a bound that no token of this form exceeds. A UUID has 122 bits at most.",
    source: "ASVS 5.0 7.2.3; NIST SP 800-63B-4 section 5.1; CWE-331",
    remedies: remedies::TOKEN,
    judge: bits,
};

fn bits(observed: &Observed) -> Answer {
    let alphabets = alphabets(observed);
    let opaque = |line: &crate::line::Line| {
        sessions(line) && !line.value.is_empty() && tokens::readable(&line.value).is_none()
    };
    if observed.setting().any(sessions) && !observed.setting().any(opaque) {
        return not_decided("the session is data and no token: see I04");
    }
    let excused = excused(observed, &alphabets);
    each_line(observed, opaque, |line, _| {
        if excused.contains(&line.name_text()) {
            return None;
        }
        let alphabet = alphabets.get(&line.name_text())?;
        let bound = tokens::bound_of(&line.value, *alphabet);
        let severity = severity_of(bound.bits)?;
        let Bound { bits, form } = bound;
        let seen = format!("{form} hold {bits:.0} bits at most");
        Some(Flaw::new(severity, seen, "at least 128 random bits").sure(Confidence::Likely))
    })
}

/// Cookies that say something beside the token: none of them is a session without another cookie that is
/// long enough.
fn excused(observed: &Observed, alphabets: &BTreeMap<String, Alphabet>) -> BTreeSet<String> {
    let is_long = |(name, value): &(String, &[u8])| {
        alphabets
            .get(name)
            .is_some_and(|alphabet| severity_of(tokens::bound_of(value, *alphabet).bits).is_none())
    };
    let values = observed.session_values();
    let long: BTreeSet<String> =
        values.iter().filter(|value| is_long(value)).map(|(name, _)| name.clone()).collect();
    let sets = session_sets(observed);
    let beside = |name: &String| {
        let mut own = sets.iter().filter(|set| set.contains(name)).peekable();
        own.peek().is_some()
            && own.all(|set| set.iter().any(|other| other != name && long.contains(other)))
    };
    sets.iter().flatten().filter(|name| beside(name)).cloned().collect()
}

/// The alphabet of each session cookie, over all of its values.
pub(super) fn alphabets(observed: &Observed) -> BTreeMap<String, Alphabet> {
    let mut values: BTreeMap<String, Vec<&[u8]>> = BTreeMap::new();
    for (name, value) in observed.session_values() {
        values.entry(name).or_default().push(value);
    }
    values.into_iter().map(|(name, values)| (name, tokens::alphabet_of(values))).collect()
}

pub(super) fn severity_of(bits: f64) -> Option<Severity> {
    if bits + ROUNDING < BITS_LEAST {
        Some(Severity::High)
    } else if bits + ROUNDING < BITS_WANTED {
        Some(Severity::Medium)
    } else {
        None
    }
}

pub(super) const READABLE: Rule = Rule {
    id: "I04",
    title: "Session that can be read",
    severity: Severity::Medium,
    needs: Needs::Responses,
    what: "The value of a session cookie is opaque: a random token, or encrypted.",
    why: "Whoever sees the cookie reads who the user is and what the site keeps about them; what is not signed can be changed.",
    how: "The value is taken out of percent signs and base64 and looked at for JSON, web tokens, serialised objects and addresses of mail. Names of fields are shown, values are not.",
    source: "NIST SP 800-63B-4 section 5.1.1; RFC 6265bis section 8.3; CWE-315",
    remedies: remedies::OPAQUE,
    judge: readable,
};

fn readable(observed: &Observed) -> Answer {
    if observed.setting().next().is_none() {
        return not_decided(nothing_to_look_at(observed));
    }
    each_line(observed, sessions, |line, _| {
        let found = tokens::readable(&line.value)?;
        let names = match found.names.as_slice() {
            [] => String::new(),
            names => format!(" with the fields {}", names.join(", ")),
        };
        let seen = format!("the value is {}{names}", found.form);
        Some(Flaw::new(Severity::Medium, seen, "a random token, or an encrypted value"))
    })
}
