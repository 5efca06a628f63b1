//! Findings that somebody put off, with a reason and a last day.

use super::cleaning::Cleaning;
use super::moment::Day;
use super::{Report, Reported, Standing};
use std::fmt;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The octets that a file of suppressions may have: 1 MiB, which are some thousand of them.
pub const SUPPRESSIONS_MAX: usize = 1024 * 1024;

const KEYS: [&str; 5] = ["rule", "subject", "fingerprint", "reason", "until"];

/// One finding that is put off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suppression {
    /// The id of the rule.
    pub rule: String,
    /// What the finding is about, as the report shows it.
    pub subject: Option<String>,
    /// The fingerprint of the finding.
    pub fingerprint: Option<String>,
    /// Why it may be for now.
    pub reason: String,
    /// The last day on which it is put off.
    pub until: Day,
    /// The line of the file, from 1 on.
    pub line: usize,
}

/// A file of suppressions.
///
/// ```
/// use cloakroom_audit::Suppressions;
///
/// let text = r#"
/// [[suppress]]
/// rule = "C08"
/// subject = "theme"
/// reason = "the old shop reads it under this name until it is gone"
/// until = 2027-01-31
/// "#;
/// let suppressions = Suppressions::read(text)?;
/// assert_eq!(suppressions.rows()[0].until.to_string(), "2027-01-31");
///
/// let hasty = Suppressions::read(&text.replace("the old shop reads it under this name until it is gone", ""));
/// assert_eq!(
///     hasty.unwrap_err().to_string(),
///     "line 5: the reason is empty: say why this may be for now",
/// );
/// # Ok::<(), cloakroom_audit::SuppressionError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Suppressions(Vec<Suppression>);

/// What is wrong with a file of suppressions, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SuppressionError {
    line: usize,
    what: String,
}

impl SuppressionError {
    /// The line, from 1 on.
    pub const fn line(&self) -> usize {
        self.line
    }
}

impl fmt::Display for SuppressionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.what)
    }
}

impl std::error::Error for SuppressionError {}

impl Suppressions {
    /// Reads a TOML file whose tables `[[suppress]]` have `rule`, `subject` or `fingerprint`, `reason`
    /// and `until`, a day.
    ///
    /// # Errors
    ///
    /// [`SuppressionError`] with the line: a key that does not exist, a rule that does not exist, no
    /// reason, no day.
    pub fn read(text: &str) -> Result<Self, SuppressionError> {
        if text.len() > SUPPRESSIONS_MAX {
            let what = format!(
                "the file has {} octets, and {SUPPRESSIONS_MAX} are read at most",
                text.len()
            );
            return Err(SuppressionError { line: 1, what });
        }
        let file = File { text };
        let parsed = DeTable::parse(text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            file.error(at, format!("this is no TOML: {}", error.message()))
        })?;
        let mut rows = Vec::new();
        for (key, value) in parsed.get_ref() {
            if key.get_ref() != "suppress" {
                let what = format!("`{}` is not known: write [[suppress]]", key.get_ref());
                return Err(file.error(key.span().start, what));
            }
            let Some(tables) = value.get_ref().as_array() else {
                return Err(file.error(key.span().start, "write [[suppress]] with two brackets"));
            };
            for table in tables.iter() {
                rows.push(file.row(table)?);
            }
        }
        Ok(Self(rows))
    }

    /// Every row, in the order of the file.
    pub fn rows(&self) -> &[Suppression] {
        &self.0
    }
}

/// The text, for line numbers.
struct File<'t> {
    text: &'t str,
}

impl<'t> File<'t> {
    fn error(&self, at: usize, what: impl Into<String>) -> SuppressionError {
        SuppressionError { line: self.line(at), what: what.into() }
    }

    fn line(&self, at: usize) -> usize {
        let before = self.text.as_bytes().get(..at).unwrap_or(self.text.as_bytes());
        before.iter().filter(|octet| **octet == b'\n').count() + 1
    }

    fn row(&self, value: &Spanned<DeValue<'t>>) -> Result<Suppression, SuppressionError> {
        let at = value.span().start;
        let Some(table) = value.get_ref().as_table() else {
            return Err(
                self.error(at, "write [[suppress]], and below it rule, subject, reason and until")
            );
        };
        if let Some(key) = table.keys().find(|key| !KEYS.contains(&key.get_ref().as_ref())) {
            let what = format!("`{}` is not known: there are {}", key.get_ref(), KEYS.join(", "));
            return Err(self.error(key.span().start, what));
        }
        let (subject, fingerprint) =
            (self.text(table, "subject")?, self.text(table, "fingerprint")?);
        if subject.is_none() && fingerprint.is_none() {
            return Err(self
                .error(at, "there is neither a subject nor a fingerprint: the report shows both"));
        }
        Ok(Suppression {
            rule: self.rule(table, at)?,
            subject,
            fingerprint,
            reason: self.reason(table, at)?,
            until: self.until(table, at)?,
            line: self.line(at),
        })
    }

    fn text(&self, table: &DeTable<'t>, name: &str) -> Result<Option<String>, SuppressionError> {
        let Some(value) = table.get(name) else { return Ok(None) };
        match value.get_ref().as_str() {
            Some(text) if !text.is_empty() => Ok(Some(Cleaning::default().clean(text))),
            Some(_) | None => Err(self
                .error(value.span().start, format!("{name} has to be a text that is not empty"))),
        }
    }

    fn rule(&self, table: &DeTable<'t>, at: usize) -> Result<String, SuppressionError> {
        let Some(id) = self.text(table, "rule")? else {
            return Err(self.error(at, "there is no rule: write the id of one, such as \"C08\""));
        };
        match crate::rules::rule(&id) {
            Some(rule) => Ok(rule.id.to_owned()),
            None => {
                let at = table.get("rule").map_or(at, |value| value.span().start);
                Err(self.error(
                    at,
                    format!("there is no rule {id:?}: docs/audit-rules.md has all of them"),
                ))
            }
        }
    }

    fn reason(&self, table: &DeTable<'t>, at: usize) -> Result<String, SuppressionError> {
        let Some(value) = table.get("reason") else {
            return Err(self.error(at, "there is no reason: say why this may be for now"));
        };
        match value.get_ref().as_str().map(str::trim) {
            Some(reason) if !reason.is_empty() => Ok(Cleaning::default().clean(reason)),
            Some(_) => {
                Err(self
                    .error(value.span().start, "the reason is empty: say why this may be for now"))
            }
            None => Err(self.error(value.span().start, "the reason has to be a text")),
        }
    }

    fn until(&self, table: &DeTable<'t>, at: usize) -> Result<Day, SuppressionError> {
        let Some(value) = table.get("until") else {
            return Err(self.error(at, "there is no last day: write until = 2027-01-31"));
        };
        let written = match value.get_ref().as_str() {
            Some(text) => Some(text.to_owned()),
            None => value.get_ref().as_datetime().map(ToString::to_string),
        };
        written.and_then(|text| text.parse().ok()).ok_or_else(|| {
            self.error(
                value.span().start,
                "until is no day of the calendar: write it as 2027-01-31",
            )
        })
    }
}

impl Suppression {
    fn fits(&self, found: &Reported) -> bool {
        let same = |wanted: &Option<String>, text: &str| {
            wanted.as_deref().is_none_or(|wanted| wanted == text)
        };
        self.rule == found.rule.id
            && same(&self.subject, &found.finding.subject)
            && same(&self.fingerprint, &found.fingerprint)
    }

    fn about(&self) -> String {
        let about = self.subject.as_ref().or(self.fingerprint.as_ref());
        let (rule, about) = (&self.rule, about.map(String::as_str).unwrap_or_default());
        format!("the suppression of {rule} for {about} (line {})", self.line)
    }
}

impl Report {
    /// Puts off the findings that somebody said so about, up to and including the last day. `now` is in
    /// seconds since the Unix epoch.
    ///
    /// What is expired counts again, whatever a baseline says, and the notes tell of it; they also tell
    /// of rows that fit nothing although their rule decides.
    #[must_use]
    pub fn with_suppressions(mut self, suppressions: &Suppressions, now: u64) -> Self {
        for row in suppressions.rows() {
            let mut fits = 0_usize;
            for found in self.findings.iter_mut().filter(|found| row.fits(found)) {
                fits += 1;
                found.standing = put_off(&found.standing, row, now);
            }
            if row.until.is_over(now) {
                self.notes.push(format!("{} expired with {}", row.about(), row.until));
            } else if fits == 0 && self.decides(&row.rule) {
                self.notes.push(format!("{} fits no finding: it can be taken out", row.about()));
            }
        }
        self
    }
}

/// A valid suppression holds whatever else is said; an expired one says so whatever is not put off.
fn put_off(standing: &Standing, row: &Suppression, now: u64) -> Standing {
    let (reason, until) = (row.reason.clone(), row.until);
    match (row.until.is_over(now), standing) {
        (false, _) => Standing::Suppressed { reason, until },
        (true, Standing::Suppressed { .. }) => standing.clone(),
        (
            true,
            Standing::Open | Standing::Known | Standing::Worse { .. } | Standing::Expired { .. },
        ) => Standing::Expired { reason, until },
    }
}
