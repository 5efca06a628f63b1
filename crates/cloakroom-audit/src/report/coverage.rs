//! Which demands of the standards the rules test, and which they do not.

mod list;

pub use list::coverage;

use super::Report;
use crate::finding::Answer;

/// A standard whose demands are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Standard {
    /// OWASP Application Security Verification Standard 5.0.
    Asvs5,
    /// NIST Special Publication 800-63B, revision 4.
    Nist63b4,
}

impl Standard {
    /// Every standard.
    pub const ALL: [Self; 2] = [Self::Asvs5, Self::Nist63b4];

    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Asvs5 => "OWASP ASVS 5.0",
            Self::Nist63b4 => "NIST SP 800-63B-4",
        }
    }
}

/// What the rules have to say about a demand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tested {
    /// These rules test it.
    By(&'static [&'static str]),
    /// These rules test a part of it; the sentence says which part is left.
    Partly(&'static [&'static str], &'static str),
    /// No rule tests it; the sentence says why.
    Not(&'static str),
}

impl Tested {
    /// The rules that test it.
    pub const fn rules(self) -> &'static [&'static str] {
        match self {
            Self::By(rules) | Self::Partly(rules, _) => rules,
            Self::Not(_) => &[],
        }
    }

    /// What is not tested, and why.
    pub const fn left(self) -> Option<&'static str> {
        match self {
            Self::By(_) => None,
            Self::Partly(_, why) | Self::Not(why) => Some(why),
        }
    }
}

/// One demand of a standard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Requirement {
    /// The standard.
    pub standard: Standard,
    /// Its number there: `7.2.3`, or the section and the position in its list.
    pub id: &'static str,
    /// From which level on it is demanded: 1 to 3 in ASVS, `None` where there are none.
    pub level: Option<u8>,
    /// What is demanded, in our words.
    pub text: &'static str,
    /// What tests it.
    pub tested: Tested,
}

/// What an audit says about a demand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Coverage {
    /// A rule that tests it is broken.
    Broken,
    /// Every rule that tests it holds, and nothing is left out.
    Holds,
    /// What was decided holds; some of it was not decided or is not tested.
    Partly,
    /// No rule that tests it could decide.
    NotDecided,
    /// No rule tests it.
    NotTested,
}

impl Coverage {
    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Broken => "broken",
            Self::Holds => "holds",
            Self::Partly => "holds in part",
            Self::NotDecided => "not decided",
            Self::NotTested => "not tested",
        }
    }
}

impl Report {
    /// What the audit says about a demand.
    pub fn covers(&self, requirement: &Requirement) -> Coverage {
        let (mut holds, mut open) = (0_usize, requirement.tested.left().is_some());
        for id in requirement.tested.rules() {
            match self
                .judged()
                .iter()
                .find(|judged| judged.rule.id == *id)
                .map(|found| &found.answer)
            {
                Some(Answer::Broken(_)) => return Coverage::Broken,
                Some(Answer::Holds { .. }) => holds += 1,
                Some(Answer::NotDecided { .. }) | None => open = true,
            }
        }
        match (holds, open) {
            (0, _) if requirement.tested.rules().is_empty() => Coverage::NotTested,
            (0, _) => Coverage::NotDecided,
            (_, true) => Coverage::Partly,
            (_, false) => Coverage::Holds,
        }
    }
}
