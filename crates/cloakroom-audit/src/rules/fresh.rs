//! What the tokens of many strangers have in common: I02, I03.

use super::values::{alphabets, severity_of};
use crate::exchange::{Exchange, Probe};
use crate::finding::{Answer, Confidence, Evidence, Severity};
use crate::flaw::{Findings, Flaw, not_decided};
use crate::line::Line;
use crate::observed::Observed;
use crate::remedies;
use crate::role::Role;
use crate::rule::{Needs, Rule};
use crate::tokens;
use std::collections::{BTreeMap, BTreeSet};

/// Fewer tokens than this show no structure.
pub const SAMPLES_LEAST: usize = 20;
/// 99 % of all samples lie within this many deviations (SP 800-90B section 6.3.1).
const DEVIATIONS: f64 = 2.576;
/// What a structure must take away to be one: less is noise of small samples.
const BITS_LOST: f64 = 16.0;

pub(super) const STRUCTURE: Rule = Rule {
    id: "I02",
    title: "Tokens with a structure",
    severity: Severity::High,
    needs: Needs::Requests,
    what: "Nothing about a token can be foretold from other tokens.",
    why: "A counter, a clock or fixed parts leave few bits to guess, however long the token looks.",
    how: "Strangers are given tokens, which are compared: whether they rise with time, which UUID version they are, and how often the most common character stands at each place (SP 800-90B section 6.3.1, taken as an upper bound of what is left). Silence proves nothing about randomness.",
    source: "ASVS 5.0 7.2.3 and 11.5.1; NIST SP 800-90B section 6.3.1; CWE-330, CWE-340",
    remedies: remedies::TOKEN,
    judge: structure,
};

fn structure(observed: &Observed) -> Answer {
    let groups = strangers(observed);
    let mut findings = Findings::default();
    let mut enough = Vec::new();
    for (name, given) in &groups {
        let values = each_once(given);
        if values.len() < SAMPLES_LEAST
            || values.iter().any(|value| tokens::readable(value).is_some())
        {
            continue;
        }
        enough.push(format!("{} tokens called {name}", values.len()));
        let form = alphabets(observed).get(name).map(|alphabet| {
            values.iter().map(|value| tokens::bound_of(value, *alphabet).bits).fold(0.0, f64::max)
        });
        if let Some(flaw) = foretold(&values, form.unwrap_or_default())
            && let Some((line, exchange)) = given.first()
        {
            findings.add(flaw.about(name.clone(), Evidence::of_line(exchange, &line.raw)));
        }
    }
    if enough.is_empty() {
        return not_decided(format!(
            "it takes {SAMPLES_LEAST} different opaque tokens given to strangers, and there are {}",
            groups.values().map(|given| each_once(given).len()).max().unwrap_or_default()
        ));
    }
    findings.answer(enough.join(", "))
}

/// The values in the order in which they were given. A token that comes twice is another matter (I03), and
/// says nothing about how tokens are made: caches repeat them too.
fn each_once<'o>(given: &[(&'o Line, &Exchange)]) -> Vec<&'o [u8]> {
    let mut known = BTreeSet::new();
    let values = given.iter().map(|(line, _)| line.value.as_slice());
    values.filter(|value| known.insert(*value)).collect()
}

/// What can be foretold of these values, in the order in which they were given.
fn foretold(values: &[&[u8]], bits_of_form: f64) -> Option<Flaw> {
    let expected = "128 bits of a random generator for cryptography";
    let version = values.first().and_then(|value| tokens::uuid_version(value));
    if let Some(version @ ('1' | '2' | '6' | '7')) = version {
        let seen = format!("the tokens are UUIDs of version {version}, which hold the time");
        return Some(Flaw::new(Severity::High, seen, expected));
    }
    let numbers: Vec<Vec<u8>> = values.iter().map(|value| number_of(value)).collect();
    if rises(&numbers) {
        let left = bits_behind_prefix(&numbers);
        let severity = if left < 64 { Severity::High } else { Severity::Medium };
        let seen = "each token is larger than the one before: they hold a counter or the time";
        return Some(Flaw::new(severity, seen, expected));
    }
    let bits = bits_left(values);
    if bits + BITS_LOST > bits_of_form {
        return None;
    }
    let seen = format!(
        "of {bits_of_form:.0} bits by their length at most {bits:.0} differ between {} tokens",
        values.len()
    );
    Some(Flaw::new(severity_of(bits)?, seen, expected).sure(Confidence::Likely))
}

/// The octets that a value counts with: its number, or what base64 hides.
fn number_of(value: &[u8]) -> Vec<u8> {
    let width = 40;
    if value.iter().all(u8::is_ascii_hexdigit) {
        let mut padded = vec![b'0'; width_left(width, value.len())];
        padded.extend(value.to_ascii_lowercase());
        return padded;
    }
    let text = std::str::from_utf8(value).unwrap_or_default();
    tokens::decoded(text).unwrap_or_else(|| value.to_vec())
}

const fn width_left(width: usize, length: usize) -> usize {
    width.saturating_sub(length)
}

fn rises(numbers: &[Vec<u8>]) -> bool {
    numbers.windows(2).all(|pair| matches!(pair, [one, other] if one < other))
}

/// How many bits follow what all numbers begin with.
fn bits_behind_prefix(numbers: &[Vec<u8>]) -> usize {
    let Some((first, rest)) = numbers.split_first() else { return 0 };
    let same = |at: &usize| rest.iter().all(|number| number.get(*at) == first.get(*at));
    let prefix = (0..first.len()).take_while(same).count();
    let bits = if first.iter().all(u8::is_ascii_hexdigit) { 4 } else { 8 };
    (first.len() - prefix) * bits
}

/// An upper bound of the bits that an attacker has to guess who knows these values.
fn bits_left(values: &[&[u8]]) -> f64 {
    let longest = values.iter().map(|value| value.len()).max().unwrap_or_default();
    let alphabet = f64::from(tokens::alphabet_of(values.iter().copied()).size);
    (0..longest).map(|at| bits_at(values, at, alphabet)).sum()
}

/// The bits at one place: what the most common octet there leaves, at its rarest.
fn bits_at(values: &[&[u8]], at: usize, alphabet: f64) -> f64 {
    let mut counts: BTreeMap<Option<u8>, u32> = BTreeMap::new();
    for value in values {
        *counts.entry(value.get(at).copied()).or_default() += 1;
    }
    let samples = f64::from(u32::try_from(values.len()).unwrap_or(u32::MAX));
    let most = f64::from(counts.values().copied().max().unwrap_or_default()) / samples;
    if most >= 1.0 {
        return 0.0;
    }
    let margin = DEVIATIONS * (most * (1.0 - most) / (samples - 1.0).max(1.0)).sqrt();
    -(most - margin).max(1.0 / alphabet).log2()
}

pub(super) const REPEATED: Rule = Rule {
    id: "I03",
    title: "One token for several strangers",
    severity: Severity::Critical,
    needs: Needs::Requests,
    what: "No two clients are given the same token.",
    why: "Whoever shares a token shares the session: the next visitor is signed in as the last one. A cache that keeps Set-Cookie does this too.",
    how: "Strangers are given tokens, which are compared for equality.",
    source: "ASVS 5.0 7.2.3; CWE-334",
    remedies: remedies::TOKEN,
    judge: repeated,
};

fn repeated(observed: &Observed) -> Answer {
    let groups = strangers(observed);
    let most = groups.values().map(Vec::len).max().unwrap_or_default();
    if most < 2 {
        return not_decided("it takes two strangers who were given a session, and there are less");
    }
    let mut findings = Findings::default();
    for (name, given) in &groups {
        let mut known: Vec<&[u8]> = Vec::new();
        for (line, exchange) in given {
            if known.contains(&line.value.as_slice()) {
                let flaw = Flaw::new(
                    Severity::Critical,
                    "two strangers were given the same token",
                    "a token of its own for every client",
                );
                findings.add(flaw.about(name.clone(), Evidence::of_line(exchange, &line.raw)));
            }
            known.push(&line.value);
        }
    }
    findings.answer(format!("{most} strangers"))
}

/// What strangers were given as their session, by name and in the order of asking.
fn strangers(observed: &Observed) -> BTreeMap<String, Vec<(&Line, &Exchange)>> {
    let mut groups: BTreeMap<String, Vec<(&Line, &Exchange)>> = BTreeMap::new();
    for line in observed.setting_role(Role::Session).filter(|line| !line.value.is_empty()) {
        let Some(exchange) = observed.exchange_of(line) else { continue };
        if exchange.probe == Probe::Stranger {
            groups.entry(line.name_text()).or_default().push((line, exchange));
        }
    }
    groups
}

#[cfg(test)]
#[path = "fresh/tests.rs"]
mod tests;
