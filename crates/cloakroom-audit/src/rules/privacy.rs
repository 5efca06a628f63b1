//! What is kept in a browser before anybody asked for it: G01 to G03.

use crate::exchange::Exchange;
use crate::finding::{Answer, Confidence, Evidence, Severity};
use crate::flaw::{Findings, Flaw, each_line, every, not_decided};
use crate::line::Line;
use crate::observed::Observed;
use crate::remedies;
use crate::role::Role;
use crate::rule::{Needs, Rule};
use crate::tokens::is_token_like;

pub(super) const BEFORE_CONSENT: Rule = Rule {
    id: "G01",
    title: "Cookie before anybody agreed",
    severity: Severity::Medium,
    needs: Needs::Responses,
    what: "The first page sets no cookie that the site can do without.",
    why: "What is not strictly necessary needs the visitor's consent first.",
    how: "Cookies of the first visit, asked without any cookie, that are neither session nor form token and were not declared as necessary. Names of well-known trackers are certain, others are to be looked at.",
    source: "Directive 2002/58/EC article 5(3); WP29 opinion 04/2012",
    remedies: remedies::PRIVACY,
    judge: before_consent,
};

fn before_consent(observed: &Observed) -> Answer {
    on_first_visit(observed, |line| {
        let expected =
            "no cookie before consent, or a declaration of what the site cannot do without";
        match line.role {
            Role::Tracking => Some(Flaw::new(
                Severity::Medium,
                "a tracker's cookie is set on the first visit",
                expected,
            )),
            Role::Preference | Role::Other
                if !observed.declared().necessary.contains(&line.name_text()) =>
            {
                let seen = "a cookie that may be unnecessary is set on the first visit";
                Some(Flaw::new(Severity::Low, seen, expected).sure(Confidence::Possible))
            }
            Role::Preference | Role::Other | Role::Session | Role::FormToken => None,
        }
    })
}

pub(super) const UNEXPLAINED: Rule = Rule {
    id: "G02",
    title: "Cookie of unknown purpose",
    severity: Severity::Info,
    needs: Needs::Responses,
    what: "Every cookie is listed for visitors, with its purpose and how long it stays.",
    why: "Visitors have a right to know; and who cannot say what a cookie is for cannot say that it is harmless.",
    how: "Cookies whose purpose does not follow from their names are findings.",
    source: "Regulation (EU) 2016/679 article 13",
    remedies: remedies::PRIVACY,
    judge: unexplained,
};

fn unexplained(observed: &Observed) -> Answer {
    each_line(observed, every, |line, _| {
        let known = observed.declared().necessary.contains(&line.name_text());
        let flaw = Flaw::new(
            Severity::Info,
            "its purpose does not follow from its name",
            "a line in the privacy notice",
        );
        (line.role == Role::Other && !known).then_some(flaw)
    })
}

pub(super) const EAGER: Rule = Rule {
    id: "G03",
    title: "Session for anybody",
    severity: Severity::Info,
    needs: Needs::Responses,
    what: "A page that only shows something creates no session.",
    why: "It identifies every visitor without need, keeps pages out of caches, and lets robots fill the store.",
    how: "Session cookies in the answer to a first GET without any cookie are findings.",
    source: "Regulation (EU) 2016/679 article 5(1)(c)",
    remedies: remedies::EAGER,
    judge: eager,
};

fn eager(observed: &Observed) -> Answer {
    let answer = on_first_visit(observed, |line| {
        let seen = "a session is set on the first visit";
        let flaw = Flaw::new(Severity::Info, seen, "a session when there is something to keep");
        (line.role == Role::Session).then_some(flaw)
    });
    match (&answer, unknown_token(observed)) {
        (Answer::Holds { .. }, Some(name)) => {
            not_decided(format!("it cannot be told whether `{name}` is a session: declare it"))
        }
        (Answer::Holds { .. } | Answer::Broken(_) | Answer::NotDecided { .. }, _) => answer,
    }
}

/// A cookie of a first visit that may be the session, where nobody has said which cookie is.
fn unknown_token(observed: &Observed) -> Option<String> {
    let is_first = |line: &&Line| {
        let exchange = observed.exchange_of(line);
        exchange.is_some_and(|exchange| exchange.is_first_visit() && exchange.method() == "GET")
    };
    let may_be = |line: &&Line| line.role == Role::Other && is_token_like(&line.value);
    let found = observed.setting().filter(is_first).find(may_be)?;
    observed.declared().sessions.is_empty().then(|| found.shown_name())
}

/// Asks the cookies of first visits that only look.
fn on_first_visit(observed: &Observed, judge: impl Fn(&Line) -> Option<Flaw>) -> Answer {
    let is_first = |exchange: &Exchange| exchange.is_first_visit() && exchange.method() == "GET";
    let first = observed.exchanges().iter().filter(|exchange| is_first(exchange)).count();
    if first == 0 {
        return not_decided("no page was asked without cookies: the visitor had been there before");
    }
    let mut findings = Findings::default();
    for line in observed.setting() {
        let Some(exchange) = observed.exchange_of(line).filter(|exchange| is_first(exchange))
        else {
            continue;
        };
        if let Some(flaw) = judge(line) {
            findings.add(flaw.about(line.shown_name(), Evidence::of_line(exchange, &line.raw)));
        }
    }
    findings.answer(format!("{first} first visits"))
}
