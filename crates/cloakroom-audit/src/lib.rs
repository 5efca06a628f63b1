//! What is wrong with a site's cookies and sessions: rules over observed responses, for any server.
//!
//! Observations go in, answers come out. An [`Exchange`] is one request and its response, wherever it
//! was seen; [`Observed`] reads the cookies in many of them; a [`Rule`] is one row of [`RULES`] and comes
//! to one of three [`Answer`]s: it holds, it is broken (with evidence), or it cannot be decided (and why).
//! Rules are pure: no I/O, no clock. Requests are made through a [`Fetch`], which the crate is given:
//! a [`Site`] holds what may be asked and how fast, a [`Visitor`] is a browser there. A [`Probe`] says why
//! each request was made, and a rule that lacks the requests it [needs](Needs) is not decided.
//!
//! ```
//! use cloakroom_audit::{Answer, Declared, Exchange, Observed, rule};
//!
//! let mut login = Exchange::new("POST", "https://shop.example/login", 303, 1_790_000_000)?;
//! login.response.push("Set-Cookie", "session=q8Zr31LkP0vTn5YxBm2Wgk; Path=/; HttpOnly");
//! let observed = Observed::new(vec![login], Declared::default());
//!
//! let answer = rule("C01").map(|rule| rule.judge(&observed));
//! let Some(Answer::Broken(findings)) = answer else { panic!("{answer:?}") };
//! assert_eq!(findings[0].subject, "session");
//! assert_eq!(
//!     findings[0].evidence[0].seen,
//!     "Set-Cookie: session=q8Zr*** (22 octets, sha256 568c7f9b); Path=/; HttpOnly",
//! );
//! # Ok::<(), cloakroom_cookie::browser::AddressError>(())
//! ```
//!
//! # Secrets
//!
//! Whatever a finding or a report shows is masked: see [`masked`]. Exchanges themselves hold what was
//! seen, and print nothing.

mod ask;
mod crawl;
mod curl;
mod drive;
mod exchange;
mod finding;
mod flaw;
mod forms;
mod frontier;
mod har;
mod line;
mod markup;
mod mask;
mod observed;
mod page;
mod planted;
mod play;
mod probes;
mod remedies;
mod report;
mod robots;
mod role;
#[cfg(feature = "tower")]
mod router;
mod rule;
mod rules;
mod scene;
mod script;
mod site;
mod sketch;
mod staged;
mod text;
mod timing;
mod tokens;
mod visitor;
mod web_token;

pub use ask::{Ask, Fetch, Heard, Silence};
pub use crawl::{Crawled, Doing, Watch, crawl};
pub use curl::{CURL_MAX, CURL_RESPONSES_MAX, CurlError, read_curl};
pub use drive::{Drive, Driven};
pub use exchange::{BODY_KEPT, Exchange, Headers, Probe};
pub use finding::{Answer, Confidence, Evidence, Finding, Severity};
pub use forms::{Field, Form, forms};
pub use frontier::{CrawlPlan, DEPTH, PAGES, Skipped, Unvisited};
pub use har::{HAR_MAX, HarError, Recording, read_har};
pub use mask::{SHOWN_FROM, masked, masked_line, shown_url};
pub use observed::{Declared, Observed};
pub use page::rules_page;
pub use play::{CallBack, Playing, open_sessions, play, visit_sessions, why_nobody_signed_in};
pub use probes::{ProbePlan, plain_address, probe};
pub use report::{
    Coverage, Day, Detail, FAIL_ON, Facts, Format, Judged, Look, NoDay, Report, Reported,
    Requirement, SAVED_MAX, SCHEMA, SUPPRESSIONS_MAX, Saved, SavedError, SavedFinding, Since,
    Standard, Standing, Suppression, SuppressionError, Suppressions, Tally, Tested, Trend,
    coverage,
};
pub use robots::{ROBOTS_MAX, Robots};
pub use role::Role;
#[cfg(feature = "tower")]
pub use router::{RouterAudit, audit};
pub use rule::{Needs, Remedies, Rule};
pub use rules::{MARK, RULES, SAMPLES_LEAST, rule};
pub use scene::{Experiment, Recognised, Scene, Step, Take};
pub use script::{
    Body, Call, Change, Counter, PasswordChange, Policy, SCRIPT_MAX, Script, ScriptError, Sign,
    Where, Whoami,
};
pub use site::{Pace, Site};
pub use sketch::{SKETCH_PAGES, Sketch, SketchError, sketch};
pub use timing::{Appointment, Purpose, Schedule, TIMELINE_MAX, Timeline, TimelineError};
pub use visitor::{REDIRECTS_MOST, Visitor, origin};
