//! Which pages of a site are to be visited, in which order, and which are not and why.

use crate::mask::{is_secret_name, shown_url};
use crate::robots::Robots;
use crate::tokens;
use std::collections::{BTreeMap, BTreeSet};
use url::Url;

/// Pages that a crawl visits unless it is told otherwise: 200, which show every template of most sites.
pub const PAGES: usize = 200;
/// Links from the start that a crawl follows unless it is told otherwise.
pub const DEPTH: usize = 6;
/// Of one path so many queries are visited: calendars and filters never end.
pub(crate) const QUERIES_MOST: usize = 5;
/// Longer addresses are made by pages that append to themselves.
pub(crate) const ADDRESS_LONGEST: usize = 2_000;
/// A path that has one segment more often than this leads in a circle.
pub(crate) const SEGMENT_REPEATS: usize = 2;
/// More addresses than this are counted and not kept.
pub(crate) const KNOWN_MOST: usize = 20_000;
/// Redirects in a row (Fetch standard, HTTP-redirect fetch step 7, allows 20).
pub(crate) const HOPS_MOST: usize = 10;
/// Addresses that are named for each reason; the others are counted.
pub(crate) const NAMED_MOST: usize = 10;

/// Words of addresses that end or destroy something.
const DESTRUCTIVE: [&str; 37] = [
    "abmelden",
    "ban",
    "cancel",
    "clear",
    "deactivate",
    "deconnexion",
    "del",
    "delete",
    "destroy",
    "disable",
    "disconnect",
    "drop",
    "empty",
    "erase",
    "flush",
    "kill",
    "logoff",
    "logout",
    "purge",
    "reboot",
    "remove",
    "reset",
    "restart",
    "revoke",
    "rm",
    "shutdown",
    "signoff",
    "signout",
    "stop",
    "terminate",
    "trash",
    "truncate",
    "uninstall",
    "unlink",
    "unregister",
    "unsubscribe",
    "wipe",
];
/// The same in two words.
const IN_TWO_WORDS: [(&str, &str); 6] = [
    ("log", "out"),
    ("log", "off"),
    ("sign", "out"),
    ("sign", "off"),
    ("shut", "down"),
    ("end", "session"),
];
/// A page to reset a password asks before it does.
const PASSWORDS: [&str; 4] = ["passwd", "password", "passwort", "pw"];

/// Endings of files that are no pages.
const FILES: [&str; 41] = [
    "7z", "apk", "avi", "avif", "bin", "bmp", "bz2", "css", "csv", "deb", "dmg", "doc", "docx",
    "eot", "exe", "gif", "gz", "ico", "iso", "jar", "jpeg", "jpg", "m4a", "mov", "mp3", "mp4",
    "ogg", "pdf", "png", "rar", "rpm", "svg", "tar", "tgz", "ttf", "wav", "webm", "webp", "woff",
    "woff2", "zip",
];

/// How far a crawl goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CrawlPlan {
    /// Pages at most.
    pub pages: usize,
    /// Links from the start at most.
    pub depth: usize,
    /// Paths that nobody is to visit, with everything below them.
    pub leave_out: Vec<String>,
    /// Whether `robots.txt` is asked for and heeded.
    pub heeds_robots: bool,
}

impl Default for CrawlPlan {
    fn default() -> Self {
        Self { pages: PAGES, depth: DEPTH, leave_out: Vec::new(), heeds_robots: true }
    }
}

/// Why a page was not visited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Unvisited {
    /// Its address speaks of signing out, or of an end of something.
    Destructive,
    /// The site asks robots to leave it alone.
    Robots,
    /// The person who asks named its path.
    LeftOut,
    /// Enough queries of its path were visited.
    Queries,
    /// Its path repeats itself, or is very long.
    Circle,
    /// Too many links lie between the start and it.
    Deep,
    /// Enough redirects led to it.
    Redirects,
    /// Enough pages were visited.
    Enough,
    /// It is posted to, and a visit only gets.
    Posted,
}

impl Unvisited {
    /// A sentence for reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Destructive => "the address speaks of signing out or of removing something",
            Self::Robots => "robots.txt asks to leave it alone",
            Self::LeftOut => "it was named as left out",
            Self::Queries => "enough queries of the same path were visited",
            Self::Circle => "the address repeats itself or is very long",
            Self::Deep => "too many links lie between the start and it",
            Self::Redirects => "enough redirects led to it",
            Self::Enough => "enough pages were visited",
            Self::Posted => "it is a form that is posted, and a visit only gets",
        }
    }
}

/// What was not visited for one reason.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Skipped {
    /// How many addresses.
    pub count: usize,
    /// The first of them, masked.
    pub named: Vec<String>,
}

/// A page that is to be visited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) url: Url,
    /// Links from the start.
    pub(crate) depth: usize,
    /// Redirects in a row that led here.
    pub(crate) hops: usize,
}

/// The pages that are known and not visited.
#[derive(Debug)]
pub(crate) struct Frontier {
    plan: CrawlPlan,
    robots: Robots,
    waiting: Vec<(String, Target)>,
    known: BTreeSet<String>,
    queries: BTreeMap<String, usize>,
    /// Visits to each folder.
    visits: BTreeMap<String, usize>,
    skipped: BTreeMap<Unvisited, Skipped>,
}

impl Frontier {
    pub(crate) fn new(plan: CrawlPlan, robots: Robots) -> Self {
        Self {
            plan,
            robots,
            waiting: Vec::new(),
            known: BTreeSet::new(),
            queries: BTreeMap::new(),
            visits: BTreeMap::new(),
            skipped: BTreeMap::new(),
        }
    }

    /// Adds the page that a person named: nothing speaks against it.
    pub(crate) fn begin(&mut self, url: &Url) {
        self.known.insert(identity(url));
        self.waiting.push((folder(url), Target { url: url.clone(), depth: 0, hops: 0 }));
    }

    /// Adds a page that was found, unless something speaks against it.
    pub(crate) fn offer(&mut self, target: Target) {
        let identity = identity(&target.url);
        if is_file(target.url.path()) || self.known.contains(&identity) {
            return;
        }
        let known = self.known.len();
        let unvisited =
            if known >= KNOWN_MOST { Some(Unvisited::Enough) } else { self.objection(&target) };
        if known < KNOWN_MOST {
            self.known.insert(identity);
        }
        match unvisited {
            Some(why) => self.skip(why, &target.url),
            None => self.waiting.push((folder(&target.url), target)),
        }
    }

    /// Notes a page that is not visited, unless its address is known.
    pub(crate) fn skip_once(&mut self, why: Unvisited, url: &Url) {
        // A page may be visited at the address that a form is posted to.
        if self.known.len() < KNOWN_MOST && self.known.insert(format!("{why:?} {}", identity(url)))
        {
            self.skip(why, url);
        }
    }

    /// Whether nobody asks to leave the address alone.
    pub(crate) fn may(&self, url: &Url) -> bool {
        let is_left = self.plan.leave_out.iter().any(|folder| is_below(url.path(), folder));
        !is_left && (!self.plan.heeds_robots || self.robots.allows(&path_and_query(url)))
    }

    /// Notes a page that is not visited.
    fn skip(&mut self, why: Unvisited, url: &Url) {
        let skipped = self.skipped.entry(why).or_default();
        skipped.count += 1;
        if skipped.named.len() < NAMED_MOST {
            skipped.named.push(shown_url(url.as_str()));
        }
    }

    /// The next page: the first one of the folder that was visited least, so that a thousand articles
    /// do not keep the one page to sign in from being seen.
    pub(crate) fn next(&mut self) -> Option<Target> {
        let visits = |folder: &str| self.visits.get(folder).copied().unwrap_or_default();
        let order = self.waiting.iter().enumerate();
        let (at, _) =
            order.min_by_key(|(at, (folder, target))| (visits(folder), target.depth, *at))?;
        let (folder, target) = self.waiting.remove(at);
        *self.visits.entry(folder).or_default() += 1;
        Some(target)
    }

    /// What was not visited. Whatever still waits is among it.
    pub(crate) fn finish(mut self) -> BTreeMap<Unvisited, Skipped> {
        for (_, target) in std::mem::take(&mut self.waiting) {
            self.skip(Unvisited::Enough, &target.url);
        }
        self.skipped
    }

    fn objection(&mut self, target: &Target) -> Option<Unvisited> {
        let url = &target.url;
        let path = path_and_query(url);
        if is_destructive(url) {
            return Some(Unvisited::Destructive);
        }
        if self.plan.leave_out.iter().any(|folder| is_below(url.path(), folder)) {
            return Some(Unvisited::LeftOut);
        }
        if self.plan.heeds_robots && !self.robots.allows(&path) {
            return Some(Unvisited::Robots);
        }
        if url.as_str().len() > ADDRESS_LONGEST || is_circle(url.path()) {
            return Some(Unvisited::Circle);
        }
        if target.hops > HOPS_MOST {
            return Some(Unvisited::Redirects);
        }
        if target.depth > self.plan.depth {
            return Some(Unvisited::Deep);
        }
        url.query()?;
        let queries = self.queries.entry(url.path().to_owned()).or_default();
        *queries += 1;
        (*queries > QUERIES_MOST).then_some(Unvisited::Queries)
    }
}

/// As `robots.txt` speaks of pages.
pub(crate) fn path_and_query(url: &Url) -> String {
    match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    }
}

/// Whether an address speaks of signing out, or of an end of something.
pub(crate) fn is_destructive(url: &Url) -> bool {
    let query = url.query_pairs().map(|(name, value)| format!("{name} {value}"));
    let path = url.path().replace('&', " ");
    let path = tokens::unescaped(path.as_bytes()).unwrap_or(path);
    let text = format!("{path} {}", query.collect::<Vec<_>>().join(" "));
    let words = words(&text);
    let has = |wanted: &str| words.iter().any(|word| word == wanted);
    let asks_first = PASSWORDS.iter().any(|word| has(word));
    let one = DESTRUCTIVE.iter().any(|word| has(word) && !(*word == "reset" && asks_first));
    let mut pairs = words.iter().zip(words.iter().skip(1));
    one || pairs.any(|(one, two)| IN_TWO_WORDS.contains(&(one.as_str(), two.as_str())))
}

/// `/user/logOut-now%20` is user, log, out, now.
fn words(text: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut was_lower = false;
    for c in text.chars() {
        if !c.is_alphanumeric() || (c.is_uppercase() && was_lower) {
            words.push(String::new());
        }
        was_lower = c.is_lowercase();
        if let Some(word) = words.last_mut().filter(|_| c.is_alphanumeric()) {
            word.extend(c.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

fn is_below(path: &str, folder: &str) -> bool {
    let folder = folder.trim_end_matches('/');
    path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn is_circle(path: &str) -> bool {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for segment in path.split('/').filter(|segment| !segment.is_empty()) {
        *counts.entry(segment).or_default() += 1;
    }
    counts.values().any(|count| *count > SEGMENT_REPEATS)
}

fn is_file(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
    ending.is_some_and(|ending| FILES.contains(&ending.as_str()))
}

/// Two addresses of one identity are one page: the order of parameters, tokens in the address and what
/// stands behind `#` make no other.
fn identity(url: &Url) -> String {
    let path: Vec<&str> =
        url.path().split('/').filter_map(|segment| segment.split(';').next()).collect();
    let mut query: Vec<String> = url
        .query_pairs()
        .filter(|(name, _)| !is_secret_name(name))
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    query.sort();
    let origin = url.origin().ascii_serialization();
    format!("{origin}{}?{}", path.join("/"), query.join("&"))
}

/// The folder that a page stands in, with numbers as one.
fn folder(url: &Url) -> String {
    let (folder, _) = url.path().rsplit_once('/').unwrap_or_default();
    let mut shape = String::new();
    for c in folder.chars() {
        let c = if c.is_ascii_digit() { '0' } else { c };
        if c != '0' || !shape.ends_with('0') {
            shape.push(c);
        }
    }
    shape
}

#[cfg(test)]
#[path = "frontier/tests.rs"]
mod tests;
