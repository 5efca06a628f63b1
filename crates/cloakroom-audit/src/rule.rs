//! The form of a rule: one row of the list.

use crate::finding::{Answer, Severity};
use crate::observed::Observed;

/// What a rule needs to see before it can decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Needs {
    /// Any responses: a crawl, a HAR file, the output of a program.
    Responses,
    /// Requests of its own, which nobody has to sign in for.
    Requests,
    /// A user who signs in, and what is tried then.
    Login,
    /// The same, and time to wait.
    Time,
}

impl Needs {
    /// A sentence for the documentation.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Responses => "any responses: a site, a HAR file, the output of curl",
            Self::Requests => "a site that may be asked; nobody signs in",
            Self::Login => "a login script",
            Self::Time => "a login script, and `--wait` with the time to wait",
        }
    }
}

/// How to mend it, one sentence for each framework.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Remedies {
    /// axum, with cloakroom or without.
    pub axum: &'static str,
    /// actix-web.
    pub actix: &'static str,
    /// Django.
    pub django: &'static str,
    /// Express.
    pub express: &'static str,
    /// Spring.
    pub spring: &'static str,
    /// Ruby on Rails.
    pub rails: &'static str,
    /// Laravel.
    pub laravel: &'static str,
}

impl Remedies {
    /// The name of each framework with its remedy.
    pub const fn all(&self) -> [(&'static str, &'static str); 7] {
        [
            ("axum", self.axum),
            ("actix", self.actix),
            ("Django", self.django),
            ("Express", self.express),
            ("Spring", self.spring),
            ("Rails", self.rails),
            ("Laravel", self.laravel),
        ]
    }
}

/// One rule: its words, and the function that decides.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// A letter and a number, never used for another rule.
    pub id: &'static str,
    /// What is wrong when it is broken, in a few words.
    pub title: &'static str,
    /// How much it matters for a session cookie; others may be a step lower.
    pub severity: Severity,
    /// What it needs to see.
    pub needs: Needs,
    /// What must hold.
    pub what: &'static str,
    /// What somebody could do otherwise.
    pub why: &'static str,
    /// How it is tested.
    pub how: &'static str,
    /// Where the rule stands.
    pub source: &'static str,
    /// How to mend it.
    pub remedies: Remedies,
    pub(crate) judge: fn(&Observed) -> Answer,
}

impl Rule {
    /// What the rule comes to on what was seen. The same observations give the same answer.
    pub fn judge(&self, observed: &Observed) -> Answer {
        (self.judge)(observed)
    }
}
