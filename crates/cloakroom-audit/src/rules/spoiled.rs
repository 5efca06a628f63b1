//! The session's cookie among others, damaged, and growing: S04 to S07.

use crate::finding::{Answer, Severity};
use crate::flaw::{Flaw, not_decided};
use crate::observed::Observed;
use crate::remedies;
use crate::rule::{Needs, Rule};
use crate::scene::{Experiment, Recognised, Step};
use crate::staged::{finding, judged, session_sets, staged};

pub(super) const TWINS: Rule = Rule {
    id: "S04",
    title: "Second cookie of the name hides the session",
    severity: Severity::Low,
    needs: Needs::Login,
    what: "A second cookie of the session's name neither hides the session nor breaks the page.",
    why: "A sibling host or a page of another path sets one, and the user is signed out for as long as it lives.",
    how: "The session's cookie is sent with an invented one of the same name before it, and behind it. For names that begin with `__Host-` browsers keep others from setting them.",
    source: "RFC 6265bis section 8.6; CWE-565",
    remedies: remedies::PREFIX,
    judge: twins,
};

fn twins(observed: &Observed) -> Answer {
    let is_guarded = session_sets(observed)
        .first()
        .is_some_and(|set| set.iter().all(|name| name.to_ascii_lowercase().starts_with("__host-")));
    let severity = if is_guarded { Severity::Info } else { Severity::Low };
    spoiled(observed, Experiment::Twins, severity, "the user, as without it")
}

pub(super) const NEIGHBOUR: Rule = Rule {
    id: "S05",
    title: "Broken neighbour hides the session",
    severity: Severity::Medium,
    needs: Needs::Login,
    what: "The session's cookie is read whatever other cookies stand beside it.",
    why: "One broken cookie of another application on the host, or of a script, and the user is signed out everywhere until it is gone.",
    how: "The session's cookie is sent behind ones that have no value, no name, an open quote, strange octets, or several kilobytes.",
    source: "RFC 6265bis section 5.6; CWE-20",
    remedies: remedies::HOSTILE,
    judge: neighbour,
};

fn neighbour(observed: &Observed) -> Answer {
    spoiled(observed, Experiment::Neighbour, Severity::Medium, "the user, as without it")
}

pub(super) const DAMAGED: Rule = Rule {
    id: "S06",
    title: "Damaged session breaks the page",
    severity: Severity::Medium,
    needs: Needs::Login,
    what: "A session's cookie that is cut, changed or prolonged is like none: no error.",
    why: "An error tells what parses the cookie, and who can set a cookie can lock the user out.",
    how: "The session's cookie is sent cut, with changed characters, too long, with octets that are no text, and with broken percent signs. A status of 500 and more is a finding.",
    source: "OWASP Session Management Cheat Sheet, treat the session ID as user input; CWE-20",
    remedies: remedies::HOSTILE,
    judge: damaged,
};

fn damaged(observed: &Observed) -> Answer {
    judged(observed, Experiment::Damaged, |take| {
        let status = take.exchange.as_ref()?.status();
        (status >= 500).then(|| {
            Flaw::new(
                Severity::Medium,
                format!("{} gives status {status}", take.what),
                "the page as a stranger sees it",
            )
        })
    })
}

fn spoiled(
    observed: &Observed,
    experiment: Experiment,
    severity: Severity,
    expected: &str,
) -> Answer {
    judged(observed, experiment, |take| {
        let status = take.exchange.as_ref()?.status();
        let seen = if status >= 500 {
            format!("{} gives status {status}", take.what)
        } else if take.recognised == Recognised::SignedOut {
            format!("{} signs the user out", take.what)
        } else {
            return None;
        };
        Some(Flaw::new(severity, seen, expected))
    })
}

pub(super) const GROWTH: Rule = Rule {
    id: "S07",
    title: "Cookies grow with every request",
    severity: Severity::Low,
    needs: Needs::Login,
    what: "What a browser sends in cookies stays the same size when nothing is added to it.",
    why: "The header grows until a server refuses it, and the user is locked out until the cookies are deleted.",
    how: "The user's browser asks for the same page many times, and the length of its Cookie header is compared.",
    source: "RFC 6265bis section 6.1; ASVS 5.0 3.3.5",
    remedies: remedies::SIZE,
    judge: growth,
};

/// A signed value may change its length by a few octets; a name, a path or a list may not be added each time.
const GROWTH_LEAST: usize = 64;

fn growth(observed: &Observed) -> Answer {
    let scene = match staged(observed, Experiment::Growth) {
        Ok(scene) => scene,
        Err(answer) => return answer,
    };
    if let Some(why) = &scene.stopped {
        return not_decided(why.clone());
    }
    let asked: Vec<_> = scene.of(Step::Try).filter_map(|take| take.exchange.as_ref()).collect();
    let sizes: Vec<usize> =
        asked.iter().map(|asked| asked.request.all("cookie").map(<[u8]>::len).sum()).collect();
    let middle = sizes.get(sizes.len() / 2).copied().unwrap_or_default();
    let (Some(first), Some(last), Some(end)) = (sizes.first(), sizes.last(), asked.last()) else {
        return not_decided("nothing was asked");
    };
    // What is set once grows in the first half alone.
    if middle < first + GROWTH_LEAST / 2 || *last < middle + GROWTH_LEAST / 2 {
        return Answer::Holds {
            looked_at: format!("{} requests, {last} octets of cookies", sizes.len()),
        };
    }
    let seen = format!(
        "{} requests let the Cookie header grow from {first} to {last} octets",
        sizes.len()
    );
    let flaw = Flaw::new(Severity::Low, seen, "the same size");
    Answer::Broken(vec![finding(observed, flaw, end, format!("a Cookie header of {last} octets"))])
}
