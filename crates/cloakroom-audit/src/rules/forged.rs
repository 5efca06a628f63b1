//! Sessions that are web tokens: J01 to J03.

use crate::finding::{Answer, Severity};
use crate::flaw::{Flaw, not_decided};
use crate::observed::Observed;
use crate::remedies;
use crate::rule::{Needs, Rule};
use crate::scene::{Experiment, Recognised, Step, sent};
use crate::staged::{finding, judged, session_sets, staged, tried};
use crate::web_token::WebToken;

pub(super) const FORGED: Rule = Rule {
    id: "J01",
    title: "Forged web token is accepted",
    severity: Severity::Critical,
    needs: Needs::Login,
    what: "A web token is believed with the one signature that was agreed on, and with no other and none.",
    why: "Whoever writes the token writes who they are.",
    how: "A session's web token is sent with the algorithm `none` in several spellings, with its signature cut off, and with a signature by another key.",
    source: "ASVS 5.0 9.1.1 and 9.1.2; RFC 8725 section 3.1; WSTG-SESS-10; CWE-347",
    remedies: remedies::WEB_TOKEN,
    judge: forged,
};

fn forged(observed: &Observed) -> Answer {
    tried(observed, Experiment::Forged, &Recognised::SignedIn, |take| {
        Flaw::new(Severity::Critical, format!("{} is signed in", take.what), "a refusal")
    })
}

pub(super) const NAMED_KEY: Rule = Rule {
    id: "J02",
    title: "Web token chooses its own key",
    severity: Severity::Critical,
    needs: Needs::Login,
    what: "The key that a web token is checked with is the server's, whatever the token says.",
    why: "A token that names where its key is found, or brings it along, checks itself; and the server asks addresses of an attacker's choice.",
    how: "A session's web token is sent with `jku`, `x5u` and `jwk` in its head. Whether it is accepted, and whether the address is asked for, is looked at; the address is one of the auditor's own.",
    source: "ASVS 5.0 9.1.3; RFC 8725 section 3.10; CWE-347, CWE-918",
    remedies: remedies::WEB_TOKEN,
    judge: named_key,
};

fn named_key(observed: &Observed) -> Answer {
    judged(observed, Experiment::NamedKey, |take| {
        let seen = match take.recognised {
            Recognised::SignedIn => format!("{} is signed in", take.what),
            Recognised::Landed => format!("{} makes the server ask for the key", take.what),
            Recognised::NotAsked
            | Recognised::SignedOut
            | Recognised::Refused
            | Recognised::Unclear(_) => return None,
        };
        Some(Flaw::new(Severity::Critical, seen, "a refusal, and no request"))
    })
}

pub(super) const NO_END: Rule = Rule {
    id: "J03",
    title: "Web token without an end",
    severity: Severity::High,
    needs: Needs::Login,
    what: "A web token that is a session says when it ends, and ends then.",
    why: "It cannot be taken back: until its end, and for ever without one, it opens the session.",
    how: "`exp` of the web tokens among the session's cookies is read, and compared with the time at which the token was accepted.",
    source: "ASVS 5.0 9.2.1; RFC 8725 section 3.8; CWE-613",
    remedies: remedies::WEB_TOKEN,
    judge: no_end,
};

/// A clock that is a minute off is no finding.
const LEEWAY: u64 = 60;

fn no_end(observed: &Observed) -> Answer {
    let scene = match staged(observed, Experiment::SignIn) {
        Ok(scene) => scene,
        Err(answer) => return answer,
    };
    let accepted = scene.of(Step::Control).last().and_then(|take| take.exchange.as_ref());
    let Some(accepted) = accepted else { return not_decided("nobody signed in") };
    let names: Vec<String> = session_sets(observed).into_iter().flatten().collect();
    let tokens: Vec<(String, WebToken)> = names
        .into_iter()
        .filter_map(|name| Some((name.clone(), WebToken::read(&sent(accepted, &name)?)?)))
        .collect();
    if tokens.is_empty() {
        return not_decided("no cookie of the session is a web token");
    }
    let found = tokens.iter().filter_map(|(name, token)| {
        let seen = match token.end() {
            None => format!("{name} is a web token without an end"),
            Some(end) if end + LEEWAY < accepted.at() => {
                format!("{name} ended {} s ago and is accepted", accepted.at() - end)
            }
            Some(_) => return None,
        };
        let flaw = Flaw::new(Severity::High, seen.clone(), "`exp`, and a refusal after it");
        Some(finding(observed, flaw, accepted, seen))
    });
    let found: Vec<_> = found.collect();
    if found.is_empty() {
        Answer::Holds { looked_at: format!("{} web tokens", tokens.len()) }
    } else {
        Answer::Broken(found)
    }
}
