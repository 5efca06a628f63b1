//! What each family of browsers does with each line.

use super::case::{Case, Kind, Problem};
use super::situation::{Act, Situation, situations};
use cloakroom_cookie::browser::{
    Browser, Delivery, Family, Jar, Outcome, Page, Reason, StoredCookie, Verdict,
};
use std::collections::BTreeSet;
use std::time::Duration;

/// Distinct lines of a recording that are looked at: 500, more than a person reads.
pub(super) const LINES_MOST: usize = 500;

/// What was found out about every line.
pub(super) struct Findings {
    pub(super) cookies: Vec<Diagnosis>,
    /// Lines that say the same as one before, in the same place.
    pub(super) repeated: usize,
    /// Lines beyond [`LINES_MOST`].
    pub(super) left_out: usize,
}

/// What becomes of one line.
pub(super) struct Diagnosis {
    pub(super) case: Case,
    pub(super) situations: Vec<Situation>,
    /// One for each family, in their order.
    pub(super) families: Vec<Fate>,
}

/// What one family does.
pub(super) struct Fate {
    pub(super) family: Family,
    pub(super) verdict: Verdict,
    /// When it came.
    pub(super) at: u64,
    /// For each situation why it is not sent, empty if it is; nothing at all if it is not there.
    pub(super) sent: Vec<Vec<Why>>,
}

/// Why a cookie is not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Why {
    /// A reason that browsers have.
    Browser(Reason),
    /// It was for the time until the browser is closed.
    Closed,
}

impl Why {
    pub(super) const fn code(self) -> &'static str {
        match self {
            Self::Browser(reason) => reason.code(),
            Self::Closed => "ends-with-browser",
        }
    }

    pub(super) const fn sentence(self) -> &'static str {
        match self {
            Self::Browser(reason) => reason.sentence(),
            Self::Closed => {
                "without Max-Age or Expires it ends when the browser is closed, unless the browser \
                 reopens its tabs"
            }
        }
    }

    pub(super) const fn remedy(self) -> &'static str {
        match self {
            Self::Browser(reason) => reason.remedy(),
            Self::Closed => "nothing for a session; add Max-Age to what has to stay",
        }
    }

    pub(super) const fn source(self) -> &'static str {
        match self {
            Self::Browser(reason) => reason.source(),
            Self::Closed => "RFC 6265bis section 5.7 step 6",
        }
    }

    pub(super) const fn devtools(self) -> Option<&'static str> {
        match self {
            Self::Browser(reason) => reason.devtools(),
            Self::Closed => None,
        }
    }
}

impl Diagnosis {
    /// Whether every family keeps it as it is written, or deletes it as it says.
    pub(super) fn is_well(&self) -> bool {
        self.families.iter().all(|fate| match fate.verdict.outcome() {
            Outcome::Stored | Outcome::Deleted => true,
            Outcome::Changed | Outcome::Refused => false,
            _ => false,
        })
    }
}

/// Gives every line to every family, in their order.
pub(super) fn diagnose(problem: &Problem) -> Findings {
    let begin = problem.cases.first().map_or(0, |case| case.at);
    let mut jars = Family::ALL.map(|family| Jar::new(Browser::of(family), begin));
    let mut findings = Findings { cookies: Vec::new(), repeated: 0, left_out: 0 };
    let mut known = BTreeSet::new();
    for case in &problem.cases {
        let is_new = known.insert((case.line.clone(), format!("{:?}", case.origin)));
        let is_looked_at = is_new && findings.cookies.len() < LINES_MOST;
        let situations = if is_looked_at { situations(&case.origin) } else { Vec::new() };
        let one = |jar: &mut Jar| receive(jar, case, &situations);
        let families = jars.iter_mut().map(one).collect();
        match (is_looked_at, is_new) {
            (true, _) => {
                findings.cookies.push(Diagnosis { case: case.clone(), situations, families })
            }
            (false, true) => findings.left_out += 1,
            (false, false) => findings.repeated += 1,
        }
    }
    findings
}

fn receive(jar: &mut Jar, case: &Case, situations: &[Situation]) -> Fate {
    jar.advance(Duration::from_secs(case.at.saturating_sub(jar.now())));
    let verdict = match case.origin.kind {
        Kind::Script => jar.set_by_script(&case.origin.page(), &case.line),
        Kind::Navigation | Kind::Embedded | Kind::Fetch | Kind::FetchInclude => {
            jar.receive(&case.origin.request(), &case.line)
        }
    };
    let sent = match verdict.cookie().filter(|_| verdict.is_stored()) {
        Some(cookie) => situations.iter().map(|one| withheld(jar, cookie, &one.act)).collect(),
        None => Vec::new(),
    };
    Fate { family: jar.browser().family(), verdict, at: jar.now(), sent }
}

/// Why the cookie is not sent then; empty if it is.
fn withheld(jar: &Jar, cookie: &StoredCookie, act: &Act) -> Vec<Why> {
    match act {
        Act::Ask(request) => among(jar.explain(request), cookie, Why::Browser(Reason::Expired)),
        Act::AskAfter(time, request) => {
            let mut jar = jar.clone();
            jar.advance(*time);
            among(jar.explain(request), cookie, Why::Browser(Reason::Expired))
        }
        Act::Reopen(request) => {
            let mut jar = jar.clone();
            jar.restart();
            among(jar.explain(request), cookie, Why::Closed)
        }
        Act::Read(page) => read(jar, page, cookie),
    }
}

fn read(jar: &Jar, page: &Page, cookie: &StoredCookie) -> Vec<Why> {
    among(jar.explain_script(page), cookie, Why::Browser(Reason::OtherHost))
}

fn among(deliveries: Vec<Delivery<'_>>, cookie: &StoredCookie, absent: Why) -> Vec<Why> {
    let is_it = |delivery: &Delivery<'_>| {
        let other = delivery.cookie;
        (other.name(), other.domain(), other.is_host_only(), other.path(), other.partition())
            == (
                cookie.name(),
                cookie.domain(),
                cookie.is_host_only(),
                cookie.path(),
                cookie.partition(),
            )
    };
    match deliveries.into_iter().find(is_it) {
        Some(delivery) => delivery.withheld.into_iter().map(Why::Browser).collect(),
        None => vec![absent],
    }
}
