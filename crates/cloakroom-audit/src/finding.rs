//! What a rule comes to, and what it shows for it.

use crate::exchange::Exchange;
use crate::mask::{hex, masked_line, printable_line, shown_url};
use sha2::{Digest as _, Sha256};
use std::fmt;

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// Good to know.
    Info,
    /// A layer of defence is missing.
    Low,
    /// It helps an attacker who has something else too.
    Medium,
    /// A session can be taken over under circumstances that do occur.
    High,
    /// A session can be taken over.
    Critical,
}

impl Severity {
    /// Every severity, the worst first.
    pub const ALL: [Self; 5] = [Self::Critical, Self::High, Self::Medium, Self::Low, Self::Info];

    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    /// The severity of this name.
    ///
    /// ```
    /// use cloakroom_audit::Severity;
    ///
    /// assert_eq!(Severity::from_name("high"), Some(Severity::High));
    /// ```
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|severity| severity.as_str() == name)
    }

    /// One step down: the same about a cookie that is no session.
    #[must_use]
    pub const fn lower(self) -> Self {
        match self {
            Self::Info | Self::Low => Self::Info,
            Self::Medium => Self::Low,
            Self::High => Self::Medium,
            Self::Critical => Self::High,
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// How sure a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Confidence {
    /// Somebody has to look.
    Possible,
    /// It rests on a guess, such as what a cookie is for.
    Likely,
    /// It was seen.
    Certain,
}

impl Confidence {
    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Possible => "possible",
            Self::Likely => "likely",
            Self::Certain => "certain",
        }
    }
}

/// One exchange as proof, with every secret masked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// Method and address.
    pub request: String,
    /// The response's status.
    pub status: u16,
    /// The field of the response that shows it, or where else it was seen.
    pub seen: String,
    /// A command that asks the same again.
    pub replay: String,
}

impl Evidence {
    /// The exchange, and a `Set-Cookie` line in it.
    pub(crate) fn of_line(exchange: &Exchange, raw: &[u8]) -> Self {
        Self::new(exchange, format!("Set-Cookie: {}", masked_line(raw)))
    }

    pub(crate) fn new(exchange: &Exchange, seen: String) -> Self {
        let url = shown_url(exchange.url());
        Self {
            request: format!("{} {url}", printable_line(exchange.method().as_bytes(), 20)),
            status: exchange.status(),
            seen,
            replay: replay(exchange, &url),
        }
    }
}

/// Cookies of a request are named in a replay, and not given away.
fn replay(exchange: &Exchange, url: &str) -> String {
    let mut command = String::from("curl -si");
    if exchange.method() != "GET" {
        command.push_str(" -X ");
        command.push_str(&quoted(&printable_line(exchange.method().as_bytes(), 20)));
    }
    let cookies = exchange.request.all("cookie").flat_map(cloakroom_cookie::pairs);
    let mut names: Vec<_> = cookies.map(|pair| printable_line(pair.name(), 80)).collect();
    names.dedup();
    if !names.is_empty() {
        let pairs: Vec<_> = names.iter().map(|name| format!("{name}=VALUE")).collect();
        command.push_str(&format!(" -b {}", quoted(&pairs.join("; "))));
    }
    for (name, value) in exchange.request.iter() {
        if let Some(shown) = shown_field(name, value) {
            command.push_str(&format!(" -H {}", quoted(&format!("{name}: {shown}"))));
        }
    }
    format!("{command} {}", quoted(url))
}

/// What a field of a request adds to a replay: where the request says that it comes from, and where else
/// than in its cookie a token was put, without the token.
fn shown_field(name: &str, value: &[u8]) -> Option<String> {
    match name {
        "origin" | "sec-fetch-site" => Some(printable_line(value, 120)),
        "referer" => Some(shown_url(&String::from_utf8_lossy(value))),
        "authorization" | "x-auth-token" | "x-session-id" => Some("VALUE".to_owned()),
        _ => None,
    }
}

/// A word for a shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// Something that a rule found broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How much it matters here.
    pub severity: Severity,
    /// How sure it is.
    pub confidence: Confidence,
    /// What it is about: a cookie's name, an address.
    pub subject: String,
    /// What was seen, in a sentence without a full stop.
    pub seen: String,
    /// What should have been seen.
    pub expected: String,
    /// Proof: the first places where it was seen.
    pub evidence: Vec<Evidence>,
    /// In how many places it was seen.
    pub places: usize,
}

/// How many places a finding shows.
pub(crate) const EVIDENCE_SHOWN: usize = 3;

impl Finding {
    /// Names the finding for baselines: the same rule about the same thing at the same host, at any time.
    pub fn fingerprint(&self, rule: &str, host: &str) -> String {
        let mut digest = Sha256::new();
        for part in [rule, host, &self.subject] {
            digest.update(part.as_bytes());
            digest.update([0]);
        }
        hex(digest.finalize().get(..8).unwrap_or_default())
    }
}

/// What a rule came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It was looked at, and nothing is wrong.
    Holds {
        /// What was looked at.
        looked_at: String,
    },
    /// Something is wrong.
    Broken(Vec<Finding>),
    /// It cannot be said.
    NotDecided {
        /// Why, and what would decide it.
        why: String,
    },
}

impl Answer {
    /// Its name.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Holds { .. } => "holds",
            Self::Broken(_) => "broken",
            Self::NotDecided { .. } => "not decided",
        }
    }

    /// What it found.
    pub fn findings(&self) -> &[Finding] {
        match self {
            Self::Broken(findings) => findings,
            Self::Holds { .. } | Self::NotDecided { .. } => &[],
        }
    }
}
