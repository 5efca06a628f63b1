//! Days and times of day, in UTC and as numbers.

use std::fmt;
use std::str::FromStr;

const DAY: u64 = 24 * 60 * 60;

/// A day of the calendar.
///
/// ```
/// use cloakroom_audit::Day;
///
/// let day: Day = "2027-01-31".parse()?;
/// assert_eq!(day.to_string(), "2027-01-31");
/// assert_eq!(Day::at(1_790_000_000).to_string(), "2026-09-21");
/// # Ok::<(), cloakroom_audit::NoDay>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day {
    year: u16,
    month: u8,
    day: u8,
}

/// A text that is no day: it has to be written as 2027-01-31.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoDay;

impl fmt::Display for NoDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("this is no day of the calendar: write it as 2027-01-31")
    }
}

impl std::error::Error for NoDay {}

impl Day {
    /// The day of this instant, in seconds since the Unix epoch.
    pub fn at(seconds: u64) -> Self {
        let mut left = seconds / DAY;
        let mut year = 1970_u16;
        while left >= days_of_year(year) && year < 9999 {
            left -= days_of_year(year);
            year += 1;
        }
        let mut month = 1_u8;
        while left >= days_of_month(year, month) && month < 12 {
            left -= days_of_month(year, month);
            month += 1;
        }
        let day = u8::try_from(left.min(30) + 1).unwrap_or(31);
        Self { year, month, day }
    }

    /// Whether this day is over at an instant, in seconds since the Unix epoch.
    pub fn is_over(self, now: u64) -> bool {
        Self::at(now) > self
    }
}

impl FromStr for Day {
    type Err = NoDay;

    fn from_str(text: &str) -> Result<Self, NoDay> {
        let parts: Vec<&str> = text.split('-').collect();
        let [year, month, day] = parts.as_slice() else { return Err(NoDay) };
        let digits = |part: &str| part.bytes().all(|octet| octet.is_ascii_digit());
        if (year.len(), month.len(), day.len()) != (4, 2, 2)
            || !parts.iter().all(|part| digits(part))
        {
            return Err(NoDay);
        }
        let year: u16 = year.parse().map_err(|_| NoDay)?;
        let month: u8 = month.parse().map_err(|_| NoDay)?;
        let day: u8 = day.parse().map_err(|_| NoDay)?;
        let exists = (1..=12).contains(&month)
            && year >= 1970
            && day >= 1
            && u64::from(day) <= days_of_month(year, month);
        exists.then_some(Self { year, month, day }).ok_or(NoDay)
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

const fn is_leap(year: u16) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

const fn days_of_year(year: u16) -> u64 {
    if is_leap(year) { 366 } else { 365 }
}

const fn days_of_month(year: u16, month: u8) -> u64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// As RFC 3339 writes it: `2026-09-21T14:13:20Z`.
pub(super) fn timestamp(seconds: u64) -> String {
    format!("{}T{}Z", Day::at(seconds), clock(seconds))
}

/// For readers: `2026-09-21 14:13 UTC`.
pub(super) fn readable(seconds: u64) -> String {
    let clock = clock(seconds);
    format!("{} {} UTC", Day::at(seconds), clock.get(..5).unwrap_or(&clock))
}

/// The same for an instant that is written as RFC 3339 does; any other text as it is.
pub(super) fn readable_of(written: &str) -> String {
    let parts = written.split_once('T').and_then(|(day, clock)| Some((day, clock.get(..5)?)));
    parts.map_or_else(|| written.to_owned(), |(day, clock)| format!("{day} {clock} UTC"))
}

fn clock(seconds: u64) -> String {
    let (hours, minutes) = (seconds % DAY / 3600, seconds % 3600 / 60);
    format!("{hours:02}:{minutes:02}:{:02}", seconds % 60)
}

/// How long something took, for readers.
pub(super) fn span(seconds: u64) -> String {
    match seconds {
        0 => "under a second".to_owned(),
        1..=119 => format!("{seconds} s"),
        120..=7199 => format!("{} min", seconds / 60),
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_written_as_the_calendar_has_them() {
        for (seconds, written) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_790_000_000, "2026-09-21T14:13:20Z"),
            (4_107_542_399, "2100-02-28T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
        ] {
            assert_eq!(timestamp(seconds), written, "{seconds}");
        }
    }

    #[test]
    fn an_instant_beyond_every_calendar_is_still_written() {
        assert!(timestamp(u64::MAX).starts_with("9999-12-31T"), "{}", timestamp(u64::MAX));
    }

    #[test]
    fn an_instant_is_read_by_people_without_its_seconds() {
        assert_eq!(readable(1_790_000_000), "2026-09-21 14:13 UTC");
        assert_eq!(readable_of(&timestamp(1_790_000_000)), "2026-09-21 14:13 UTC");
        assert_eq!(readable_of("some time"), "some time");
    }

    #[test]
    fn a_day_that_no_calendar_has_is_refused() {
        for text in [
            "",
            "2027",
            "2027-2-01",
            "2027-02-29",
            "2027-13-01",
            "2027-00-01",
            "2027-01-00",
            "27-01-01",
            "2027-01-1x",
            "2027-01-01 ",
            "+027-01-01",
            "1969-12-31",
        ] {
            assert_eq!(text.parse::<Day>(), Err(NoDay), "{text}");
        }
        assert!("2028-02-29".parse::<Day>().is_ok());
    }

    #[test]
    fn a_day_is_over_with_its_last_second() {
        let day: Day = "2026-09-21".parse().unwrap();
        let midnight = 1_790_000_000 / DAY * DAY + DAY;

        assert!(!day.is_over(midnight - 1));
        assert!(day.is_over(midnight));
    }
}
