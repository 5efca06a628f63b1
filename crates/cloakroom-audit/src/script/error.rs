//! What is wrong with a script.

use std::fmt;

/// Where a login script is wrong, what is wrong there, and how to mend it. It holds no secret.
///
/// ```
/// use cloakroom_audit::Script;
///
/// let error = Script::read("origin = 'https://a.example'\n[logn]\npath = '/in'", |_| None).unwrap_err();
/// assert_eq!(error.line(), 2);
/// assert_eq!(error.to_string(), "line 2: `logn` is no key here; did you mean `login`?");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScriptError {
    line: usize,
    what: String,
    remedy: String,
}

impl ScriptError {
    pub(super) fn new(line: usize, what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { line, what: what.into(), remedy: remedy.into() }
    }

    /// The parser's message names no value; its display would show the line.
    pub(super) fn syntax(text: &str, error: &toml::de::Error) -> Self {
        let at = error.span().map_or(0, |span| span.start);
        let what = format!("this is no TOML: {}", error.message().lines().next().unwrap_or("?"));
        Self::new(line_of(text, at), what, "values of text stand in quotes, tables in brackets")
    }

    /// The line, from 1.
    pub const fn line(&self) -> usize {
        self.line
    }

    /// What is wrong.
    pub fn what(&self) -> &str {
        &self.what
    }

    /// How to mend it.
    pub fn remedy(&self) -> &str {
        &self.remedy
    }
}

impl fmt::Display for ScriptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}; {}", self.line, self.what, self.remedy)
    }
}

impl std::error::Error for ScriptError {}

/// The line of an offset, from 1.
pub(super) fn line_of(text: &str, at: usize) -> usize {
    let before = text.as_bytes().get(..at).unwrap_or_default();
    1 + before.iter().filter(|octet| **octet == b'\n').count()
}

/// The known name that is nearest to a mistyped one, if it is near at all.
pub(super) fn nearest<'k>(name: &str, known: &[&'k str]) -> Option<&'k str> {
    let most = (name.len() / 2).max(2);
    let distances = known.iter().map(|known| (distance(name, known), *known));
    distances.min().filter(|(far, _)| *far <= most).map(|(_, known)| known)
}

/// How many characters have to be put in, taken out or replaced.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.chars().enumerate() {
        let mut corner = i;
        let mut left = i + 1;
        let mut next = vec![left];
        for (b, above) in other.iter().zip(row.iter().skip(1)) {
            left = (corner + usize::from(a != *b)).min(left + 1).min(above + 1);
            corner = *above;
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_found_and_a_far_one_is_not() {
        let known = ["login", "logout", "whoami"];

        assert_eq!(nearest("logon", &known), Some("login"));
        assert_eq!(nearest("who_am_i", &known), Some("whoami"));
        assert_eq!(nearest("x", &known), None);
        assert_eq!(
            (distance("", "abc"), distance("abc", "abc"), distance("kitten", "sitting")),
            (3, 0, 3)
        );
    }
}
