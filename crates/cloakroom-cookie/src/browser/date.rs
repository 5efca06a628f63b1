//! Cookie dates: what `Expires` says, in whatever form it says it.

/// The days before each month of a year that is no leap year.
const DAYS_BEFORE: [u16; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
const MONTHS: [&[u8; 3]; 12] = [
    b"jan", b"feb", b"mar", b"apr", b"may", b"jun", b"jul", b"aug", b"sep", b"oct", b"nov", b"dec",
];

/// The first second of the first year that the standard takes.
const YEAR_1601: i64 = -11_644_473_600;

/// Reads a date as the standard does (RFC 6265bis section 5.1.1): seconds since the Unix epoch.
///
/// The text is cut at everything that cannot stand in a time, and the first piece that looks like a
/// time, a day, a month and a year is each of them. `None` if one is missing or out of its range.
///
/// ```
/// use cloakroom_cookie::browser::cookie_date;
///
/// assert_eq!(cookie_date(b"Sun, 06 Nov 1994 08:49:37 GMT"), Some(784_111_777));
/// assert_eq!(cookie_date(b"06-Nov-94 08:49:37"), Some(784_111_777));
/// assert_eq!(cookie_date(b"Thu, 01 Jan 1970 00:00:00 GMT"), Some(0));
/// assert_eq!(cookie_date(b"tomorrow"), None);
/// ```
pub fn cookie_date(text: &[u8]) -> Option<i64> {
    let mut found = Found::default();
    tokens(text).for_each(|token| found.take(token));
    found.seconds().filter(|seconds| *seconds >= YEAR_1601)
}

/// The same as Chromium does it, observed: a number is digits and nothing else, a year has one to five
/// of them and may be any, and a part of the time may have zeros before it.
pub(super) fn chromium_date(text: &[u8]) -> Option<i64> {
    let mut found = Found::default();
    tokens(text).for_each(|token| found.take_whole(token));
    found.seconds()
}

fn tokens(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|&octet| is_delimiter(octet)).filter(|token| !token.is_empty())
}

const fn is_delimiter(octet: u8) -> bool {
    matches!(octet, 0x09 | 0x20..=0x2f | 0x3b..=0x40 | 0x5b..=0x60 | 0x7b..=0x7e)
}

#[derive(Default)]
struct Found {
    time: Option<[u32; 3]>,
    day: Option<u32>,
    month: Option<usize>,
    year: Option<u32>,
}

impl Found {
    /// A token is the first thing of these, in this order, that was not there yet.
    fn take(&mut self, token: &[u8]) {
        if self.time.is_none() {
            self.time = time(token);
            if self.time.is_some() {
                return;
            }
        }
        if self.day.is_none() {
            self.day = number(token, 1, 2);
            if self.day.is_some() {
                return;
            }
        }
        if self.month.is_none() {
            self.month = month(token);
            if self.month.is_some() {
                return;
            }
        }
        if self.year.is_none() {
            self.year = number(token, 2, 4);
        }
    }

    /// What a token is by its form alone; the first of a kind counts.
    fn take_whole(&mut self, token: &[u8]) {
        if !token.first().is_some_and(u8::is_ascii_digit) {
            self.month = self.month.or_else(|| month(token));
        } else if token.contains(&b':') {
            self.time = self.time.or_else(|| whole_time(token));
        } else if let Some(number) = whole(token) {
            if self.day.is_none() && token.len() <= 2 {
                self.day = Some(number);
            } else if token.len() <= 5 {
                self.year = self.year.or(Some(number));
            }
        }
    }

    fn seconds(self) -> Option<i64> {
        let ([hour, minute, second], day, month) = (self.time?, self.day?, self.month?);
        let year = match self.year? {
            late @ 70..=99 => late + 1900,
            early @ 0..=69 => early + 2000,
            whole => whole,
        };
        let fits = hour <= 23 && minute <= 59 && second <= 59;
        if !fits || !(1..=days_of(year, month)).contains(&day) {
            return None;
        }
        let days = days_until(year, month) + i64::from(day) - 1;
        Some(days * 86_400 + i64::from(hour * 3600 + minute * 60 + second))
    }
}

/// `8:9:7` and what follows it, if that does not begin with a digit.
fn time(token: &[u8]) -> Option<[u32; 3]> {
    let mut parts = token.splitn(3, |&octet| octet == b':');
    let [hour, minute, second] = [parts.next()?, parts.next()?, parts.next()?];
    let alone = |part: &[u8]| number(part, 1, 2).filter(|_| part.iter().all(u8::is_ascii_digit));
    Some([alone(hour)?, alone(minute)?, number(second, 1, 2)?])
}

/// `8:9:7` and nothing else.
fn whole_time(token: &[u8]) -> Option<[u32; 3]> {
    let mut parts = token.split(|&octet| octet == b':').map(whole);
    let time = [parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some(time)
}

/// A number of digits alone.
fn whole(token: &[u8]) -> Option<u32> {
    std::str::from_utf8(token).ok()?.parse().ok()
}

fn month(token: &[u8]) -> Option<usize> {
    let name = token.first_chunk::<3>()?.to_ascii_lowercase();
    MONTHS.iter().position(|month| month[..] == name[..])
}

/// The digits at the beginning, if they are so many.
fn number(token: &[u8], least: usize, most: usize) -> Option<u32> {
    let digits = token.iter().take_while(|octet| octet.is_ascii_digit());
    let (count, value) = digits
        .take(most + 1)
        .fold((0, 0), |(count, value), digit| (count + 1, value * 10 + u32::from(digit - b'0')));
    (least..=most).contains(&count).then_some(value)
}

const fn is_leap(year: u32) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

const fn days_of(year: u32, month: usize) -> u32 {
    match month {
        1 if is_leap(year) => 29,
        1 => 28,
        3 | 5 | 8 | 10 => 30,
        _ => 31,
    }
}

/// The days from the epoch to the first of a month (0 is January).
fn days_until(year: u32, month: usize) -> i64 {
    let before = i64::from(year) - 1;
    let leaps = before / 4 - before / 100 + before / 400;
    let in_year = DAYS_BEFORE.get(month).copied().map_or(0, i64::from);
    let leap_day = i64::from(month > 1 && is_leap(year));
    before * 365 + leaps - 719_162 + in_year + leap_day
}
