//! A jar as text, and back.
//!
//! The first line names the format, the second one the time; every other line is a cookie. Octets that
//! would not survive an editor are written as `%` and two digits.

use super::address::{Address, Site};
use super::jar::Jar;
use super::judge::Browser;
use super::stored::{Partition, Priority, StoredCookie};
use crate::{NAME_AND_VALUE_MAX, SameSite};
use std::error::Error;
use std::fmt::{self, Write};

/// The first line of a saved jar.
const FORMAT: &str = "cloakroom-jar 1";

/// The octets of a saved jar that are read: 64 MiB.
///
/// Far more than a full jar has; it bounds what a wrong file can cost.
pub const JAR_TEXT_MAX: usize = 64 * 1024 * 1024;

impl Jar {
    /// The jar as text, values included: keep it like the tokens in it.
    ///
    /// ```
    /// use cloakroom_cookie::browser::{Address, Browser, Jar, Request};
    ///
    /// let mut jar = Jar::new(Browser::chromium(), 1_790_000_000);
    /// let shop = Request::typed(Address::parse("https://shop.example/")?);
    /// let _ = jar.receive(&shop, b"id=two words; Secure; SameSite=Lax; Max-Age=60");
    /// let text = jar.save();
    /// assert_eq!(
    ///     text,
    ///     "cloakroom-jar 1\n\
    ///      now 1790000000\n\
    ///      id=two%20words domain=shop.example host-only path=/ created=1790000000 \
    ///      used=1790000000 expires=1790000060 secure same-site=Lax\n",
    /// );
    /// assert_eq!(Jar::load(Browser::chromium(), &text)?, jar);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn save(&self) -> String {
        let mut text = format!("{FORMAT}\nnow {}\n", self.now());
        for cookie in self.cookies() {
            write_cookie(&mut text, cookie);
            text.push('\n');
        }
        text
    }

    /// The jar that was saved as this text.
    ///
    /// Empty lines and lines that begin with `#` are skipped; cookies whose time is over are gone.
    ///
    /// # Errors
    ///
    /// [`JarTextError`] if the text is of another format, or with each line that is no cookie. Nothing
    /// is dropped in silence, and nothing is lost by one bad line: the error
    /// [gives the jar](JarTextError::into_jar) of the others.
    ///
    /// ```
    /// use cloakroom_cookie::browser::{Browser, Jar};
    ///
    /// let text = "cloakroom-jar 1\nnow 5\nid=1 path=/ created=5 used=5\n";
    /// let error = Jar::load(Browser::chromium(), text).unwrap_err();
    /// assert_eq!(error.to_string(), "line 3: no domain");
    /// assert!(error.into_jar().is_some());
    /// ```
    pub fn load(browser: Browser, text: &str) -> Result<Self, JarTextError> {
        if text.len() > JAR_TEXT_MAX {
            return Err(JarTextError::of_line(1, "the text is too long for a jar"));
        }
        let mut lines = text.lines().enumerate().map(|(index, line)| (index + 1, line));
        if lines.next().is_none_or(|(_, line)| line != FORMAT) {
            return Err(JarTextError::of_line(1, "no jar: it has to begin with `cloakroom-jar 1`"));
        }
        let now = lines.next().and_then(|(_, line)| line.strip_prefix("now ")?.parse().ok());
        let Some(now) = now else {
            return Err(JarTextError::of_line(2, "no time: it has to be `now` and seconds"));
        };
        let (mut cookies, mut broken) = (Vec::<StoredCookie>::new(), Vec::new());
        let most = browser.traits().limits.most_in_all;
        for (number, line) in lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#')) {
            match read_cookie(line, now) {
                Ok(new) if cookies.iter().any(|old| old.is_twin_of(&new)) => {
                    broken.push((number, "a cookie that is there already"));
                }
                Ok(_) if cookies.len() == most => broken.push((number, "more cookies than fit")),
                Ok(cookie) => cookies.push(cookie),
                Err(why) => broken.push((number, why)),
            }
        }
        let jar = Self::with(browser, now, cookies);
        if broken.is_empty() { Ok(jar) } else { Err(JarTextError { broken, rest: Some(jar) }) }
    }
}

/// What is wrong with a saved jar, line by line.
#[derive(Debug)]
pub struct JarTextError {
    broken: Vec<(usize, &'static str)>,
    rest: Option<Jar>,
}

impl JarTextError {
    fn of_line(number: usize, why: &'static str) -> Self {
        Self { broken: vec![(number, why)], rest: None }
    }

    /// Each broken line: its number, counted from 1, and what is wrong.
    pub fn lines(&self) -> impl Iterator<Item = (usize, &'static str)> {
        self.broken.iter().copied()
    }

    /// The jar without the broken lines; `None` if the text is no jar at all.
    pub fn into_jar(self) -> Option<Jar> {
        self.rest
    }
}

impl fmt::Display for JarTextError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (number, why)) in self.broken.iter().enumerate() {
            let before = if index == 0 { "" } else { "; " };
            write!(f, "{before}line {number}: {why}")?;
        }
        Ok(())
    }
}

impl Error for JarTextError {}

fn write_cookie(text: &mut String, cookie: &StoredCookie) {
    let mut push = |word: String| {
        if !text.ends_with('\n') {
            text.push(' ');
        }
        text.push_str(&word);
    };
    push(format!("{}={}", escaped(&cookie.name), escaped(&cookie.value)));
    push(format!("domain={}", cookie.domain));
    let flag = |on: bool, word: &str| on.then(|| word.to_owned());
    let partition = cookie.partition.as_ref();
    let words = [
        flag(cookie.host_only, "host-only"),
        Some(format!("path={}", escaped(&cookie.path))),
        Some(format!("created={}", cookie.created)),
        Some(format!("used={}", cookie.used)),
        cookie.expires.map(|end| format!("expires={end}")),
        flag(cookie.secure, "secure"),
        flag(cookie.http_only, "http-only"),
        cookie.same_site.map(|same_site| format!("same-site={}", same_site.as_str())),
        partition.map(|partition| format!("partition={}", partition.site())),
        flag(partition.is_some_and(Partition::has_cross_site_ancestor), "cross-site-ancestor"),
        flag(cookie.asked_partition, "partitioned"),
        (cookie.priority != Priority::Medium)
            .then(|| format!("priority={}", cookie.priority.as_str())),
    ];
    words.into_iter().flatten().for_each(push);
}

/// Visible ASCII stands for itself, but for `%` and for `#`, with which a remark begins.
fn escaped(octets: &[u8]) -> String {
    octets.iter().fold(String::with_capacity(octets.len()), |mut text, &octet| {
        if octet.is_ascii_graphic() && !matches!(octet, b'%' | b'#') {
            text.push(char::from(octet));
        } else {
            let written = write!(text, "%{octet:02X}");
            debug_assert!(written.is_ok(), "writing to a string does not fail");
        }
        text
    })
}

fn unescaped(text: &str) -> Option<Vec<u8>> {
    let mut pieces = text.split('%');
    let mut octets = pieces.next()?.as_bytes().to_vec();
    for piece in pieces {
        let (digits, rest) = piece.split_at_checked(2)?;
        // A sign is no digit, though a number may begin with one.
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        octets.push(u8::from_str_radix(digits, 16).ok()?);
        octets.extend(rest.bytes());
    }
    Some(octets)
}

/// The words of one line, each at most once.
#[derive(Default)]
struct Words<'a> {
    pairs: Vec<(&'a str, Option<&'a str>)>,
}

impl<'a> Words<'a> {
    const KNOWN: [&'static str; 13] = [
        "domain",
        "host-only",
        "path",
        "created",
        "used",
        "expires",
        "secure",
        "http-only",
        "same-site",
        "partition",
        "cross-site-ancestor",
        "partitioned",
        "priority",
    ];

    /// Those that say yes by being there.
    const ALONE: [&'static str; 5] =
        ["host-only", "secure", "http-only", "cross-site-ancestor", "partitioned"];

    fn read(words: impl Iterator<Item = &'a str>) -> Result<Self, &'static str> {
        let mut read = Self::default();
        for word in words {
            let (name, value) = match word.split_once('=') {
                Some((name, value)) => (name, Some(value)),
                None => (word, None),
            };
            if !Self::KNOWN.contains(&name) {
                return Err("a word that is not known");
            }
            if value.is_some() && Self::ALONE.contains(&name) {
                return Err("a value that its word does not take");
            }
            if read.pairs.iter().any(|(other, _)| *other == name) {
                return Err("a word that stands there twice");
            }
            read.pairs.push((name, value));
        }
        Ok(read)
    }

    fn has(&self, name: &str) -> bool {
        self.pairs.iter().any(|(found, _)| *found == name)
    }

    fn value(&self, name: &str) -> Option<&'a str> {
        self.pairs.iter().find(|(found, _)| *found == name).and_then(|(_, value)| *value)
    }

    /// The value read, `None` without the word, or `why` if it cannot be read.
    fn read_value<T>(
        &self,
        name: &str,
        read: impl Fn(&str) -> Option<T>,
        why: &'static str,
    ) -> Result<Option<T>, &'static str> {
        if !self.has(name) {
            return Ok(None);
        }
        self.value(name).and_then(read).map(Some).ok_or(why)
    }

    fn seconds(&self, name: &str, why: &'static str) -> Result<Option<u64>, &'static str> {
        self.read_value(name, |text| text.parse().ok(), why)
    }
}

fn read_cookie(line: &str, now: u64) -> Result<StoredCookie, &'static str> {
    let mut words = line.split(' ');
    let (name, value) = words.next().and_then(|pair| pair.split_once('=')).ok_or("no name")?;
    let name = unescaped(name).ok_or("no name")?;
    let value = unescaped(value).ok_or("a value that cannot be read")?;
    if name.len() + value.len() > NAME_AND_VALUE_MAX {
        return Err("name and value are too long");
    }
    let words = Words::read(words)?;
    let domain = words.value("domain").filter(|domain| is_host(domain)).ok_or("no domain")?;
    let path = words.value("path").and_then(unescaped).filter(|path| path.starts_with(b"/"));
    let created = words.seconds("created", "no time of creation")?.ok_or("no time of creation")?;
    let used = words.seconds("used", "no time of use")?.ok_or("no time of use")?;
    if created > used || used > now {
        return Err("a time after that of the jar");
    }
    Ok(StoredCookie {
        name,
        value,
        domain: domain.to_owned(),
        host_only: words.has("host-only"),
        path: path.ok_or("no path")?,
        created,
        used,
        expires: words.seconds("expires", "an end that is no number")?,
        secure: words.has("secure"),
        http_only: words.has("http-only"),
        same_site: words.read_value("same-site", same_site, "an unknown same-site")?,
        partition: partition(&words)?,
        asked_partition: words.has("partitioned"),
        priority: words
            .read_value("priority", priority, "an unknown priority")?
            .unwrap_or_default(),
    })
}

fn is_host(text: &str) -> bool {
    Address::parse(&format!("http://{text}/")).is_ok_and(|address| address.host() == text)
}

fn same_site(text: &str) -> Option<SameSite> {
    let all = [SameSite::Strict, SameSite::Lax, SameSite::None];
    all.into_iter().find(|known| known.as_str() == text)
}

fn priority(text: &str) -> Option<Priority> {
    Priority::ALL.into_iter().find(|known| known.as_str() == text)
}

fn partition(words: &Words<'_>) -> Result<Option<Partition>, &'static str> {
    let site = words.read_value("partition", site, "a partition that is no site")?;
    Ok(site.map(|site| Partition::new(site, words.has("cross-site-ancestor"))))
}

fn site(text: &str) -> Option<Site> {
    let address = Address::parse(text).ok()?;
    (address.site().to_string() == text).then(|| address.site().clone())
}
