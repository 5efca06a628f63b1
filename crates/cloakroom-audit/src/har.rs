//! Exchanges out of a HAR file, as browsers and proxies write it.

use crate::exchange::{Exchange, Headers};
use crate::tokens;
use serde_json::Value;
use std::error::Error;
use std::fmt;

/// The octets that a HAR file may have: 64 MiB, which several hundred pages with their bodies need.
pub const HAR_MAX: usize = 64 * 1024 * 1024;

/// What was read of a recording.
#[derive(Clone, Debug, Default)]
pub struct Recording {
    /// The exchanges, in their order.
    pub exchanges: Vec<Exchange>,
    /// How many of its entries hold no exchange: blocked requests, other schemes, missing parts.
    pub skipped: usize,
}

/// Why a text is no HAR file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HarError {
    /// It exceeds [`HAR_MAX`].
    TooLarge {
        /// Its length in octets.
        length: usize,
    },
    /// It is no JSON; the reader's reason, which quotes nothing of the text.
    NoJson(String),
    /// There is no list `log.entries`.
    NoEntries,
}

impl fmt::Display for HarError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge { length } => {
                write!(
                    f,
                    "the HAR file has {length} octets, and {HAR_MAX} are read: record fewer pages"
                )
            }
            Self::NoJson(why) => write!(f, "the HAR file is no JSON: {why}"),
            Self::NoEntries => f.write_str("no HAR file: it has no list `log.entries`"),
        }
    }
}

impl Error for HarError {}

/// Reads a HAR file (HAR 1.2). `now` counts where an entry has no time, in seconds since the Unix epoch.
///
/// An entry that holds no exchange is counted and left out, so that one broken entry hides no other.
///
/// ```
/// let text = r#"{"log": {"entries": [{
///     "startedDateTime": "2026-11-23T10:00:00.000Z",
///     "request": {"method": "GET", "url": "https://shop.example/", "headers": []},
///     "response": {"status": 200, "headers": [{"name": "set-cookie", "value": "a=1\nb=2"}]}
/// }]}}"#;
/// let recording = cloakroom_audit::read_har(text, 0)?;
/// assert_eq!(recording.exchanges[0].response.all("set-cookie").count(), 2);
/// assert_eq!(recording.exchanges[0].at(), 1_795_428_000);
/// # Ok::<(), cloakroom_audit::HarError>(())
/// ```
///
/// # Errors
///
/// [`HarError`] if the text is too large or no HAR file.
pub fn read_har(text: &str, now: u64) -> Result<Recording, HarError> {
    if text.len() > HAR_MAX {
        return Err(HarError::TooLarge { length: text.len() });
    }
    let file: Value =
        serde_json::from_str(text.trim_start_matches('\u{feff}')).map_err(|error| {
            HarError::NoJson(format!("line {}, column {}", error.line(), error.column()))
        })?;
    let entries =
        file.pointer("/log/entries").and_then(Value::as_array).ok_or(HarError::NoEntries)?;
    let exchanges: Vec<_> = entries.iter().filter_map(|entry| exchange(entry, now)).collect();
    Ok(Recording { skipped: entries.len() - exchanges.len(), exchanges })
}

fn exchange(entry: &Value, now: u64) -> Option<Exchange> {
    let text = |path: &str| entry.pointer(path).and_then(Value::as_str);
    let status = entry.pointer("/response/status").and_then(Value::as_u64)?;
    // Browsers write 0 for what was blocked or never answered.
    let status = u16::try_from(status).ok().filter(|status| *status >= 100)?;
    let at = text("/startedDateTime").and_then(seconds).unwrap_or(now);
    let mut read =
        Exchange::new(text("/request/method")?, text("/request/url")?, status, at).ok()?;
    fields(entry.pointer("/request/headers"), &mut read.request);
    fields(entry.pointer("/response/headers"), &mut read.response);
    let body = text("/response/content/text").unwrap_or_default();
    match text("/response/content/encoding") {
        Some("base64") => read.keep_body(&tokens::decoded(body).unwrap_or_default()),
        Some(_) | None => read.keep_body(body.as_bytes()),
    }
    Some(read)
}

/// Browsers write several fields of one name as one, a line for each.
fn fields(list: Option<&Value>, into: &mut Headers) {
    for field in list.and_then(Value::as_array).into_iter().flatten() {
        let text = |key: &str| field.get(key).and_then(Value::as_str);
        let (Some(name), Some(value)) = (text("name"), text("value")) else { continue };
        value.split('\n').for_each(|line| into.push(name, line.trim_end_matches('\r')));
    }
}

/// `2026-11-23T10:00:00.000Z`, or with `+01:00`, in seconds since the Unix epoch.
fn seconds(text: &str) -> Option<u64> {
    let number = |from: usize, to: usize| text.get(from..to)?.parse::<i64>().ok();
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    let zone = text.get(19..)?.trim_start_matches(|c: char| c == '.' || c.is_ascii_digit());
    let part = |from: usize, to: usize| zone.get(from..to)?.parse::<i64>().ok();
    let sign = if zone.starts_with('-') { -60 } else { 60 };
    let east = part(1, 3).unwrap_or(0) * 60 + part(4, 6).unwrap_or(0);
    let clock = hour * 3600 + minute * 60 + second;
    u64::try_from(days(year, month, day)? * 86_400 + clock - sign * east).ok()
}

/// Days since 1970, with years that begin in March, so that the leap day is their last.
fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    ((1970..10_000).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day))
        .then_some(())?;
    let (year, month) = if month < 3 { (year - 1, month + 9) } else { (year, month - 3) };
    let leaps = year / 4 - year / 100 + year / 400;
    Some(year * 365 + leaps + (month * 153 + 2) / 5 + day - 1 - 719_468)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_every_zone_are_read() {
        for (text, expected) in [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("1994-11-06T08:49:37Z", Some(784_111_777)),
            ("1994-11-06T09:49:37.123+01:00", Some(784_111_777)),
            ("1994-11-06T03:19:37.5-05:30", Some(784_111_777)),
            ("2024-02-29T00:00:00Z", Some(1_709_164_800)),
            ("yesterday", None),
            ("2024-13-01T00:00:00Z", None),
        ] {
            assert_eq!(seconds(text), expected, "{text}");
        }
    }

    #[test]
    fn broken_entries_are_counted_and_hide_no_other() {
        let text = r#"{"log": {"entries": [
            {"request": {"method": "GET", "url": "https://a.example/"}, "response": {"status": 0}},
            {"request": {"method": "GET", "url": "data:,x"}, "response": {"status": 200}},
            7,
            {"request": {"method": "GET", "url": "https://a.example/"}, "response":
                {"status": 200, "content": {"text": "aGVsbG8=", "encoding": "base64"}}}
        ]}}"#;

        let recording = read_har(text, 5).unwrap();

        assert_eq!((recording.exchanges.len(), recording.skipped), (1, 3));
        assert_eq!(recording.exchanges[0].body(), b"hello");
        assert_eq!(recording.exchanges[0].at(), 5);
    }

    #[test]
    fn what_is_no_har_file_is_refused_with_the_reason() {
        assert_eq!(read_har("{}", 0).unwrap_err(), HarError::NoEntries);
        assert!(matches!(read_har("secret", 0), Err(HarError::NoJson(_))));
        assert!(!read_har("secret", 0).unwrap_err().to_string().contains("secret"));
        let edge = " ".repeat(HAR_MAX);
        assert!(matches!(read_har(&edge, 0), Err(HarError::NoJson(_))));
        assert!(matches!(read_har(&format!("{edge} "), 0), Err(HarError::TooLarge { .. })));
    }
}
