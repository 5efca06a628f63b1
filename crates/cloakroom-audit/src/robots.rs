//! Which pages a site asks robots to leave alone (RFC 9309).

/// What is read of the file: 512 KiB, a little more than the 500 KiB of RFC 9309 section 2.5.
pub const ROBOTS_MAX: usize = 512 * 1024;

/// The word that a site names the auditor by.
const PRODUCT: &str = "cloakroom";

/// The rules of a `robots.txt` that are meant for the auditor: its own group's, or else everybody's.
///
/// ```
/// use cloakroom_audit::Robots;
///
/// let robots = Robots::read(b"User-agent: *\nDisallow: /admin\nAllow: /admin/help\n");
/// assert!(!robots.allows("/admin/users"));
/// assert!(robots.allows("/admin/help") && robots.allows("/"));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Robots(Vec<Row>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Row {
    pattern: String,
    allows: bool,
}

/// A group while the file is read.
#[derive(Default)]
struct Groups {
    own: Vec<Row>,
    everybody: Vec<Row>,
    is_own_named: bool,
    /// Whether the lines that follow are for the auditor, and for everybody.
    for_own: bool,
    for_everybody: bool,
    /// Names in a row share one group; a name after rules begins another.
    has_rules: bool,
}

impl Robots {
    /// Reads a file. A line that is none is passed over, as the standard wants it.
    pub fn read(file: &[u8]) -> Self {
        let file = file.get(..ROBOTS_MAX).map_or(file, whole_lines);
        let file = file.strip_prefix(b"\xef\xbb\xbf").unwrap_or(file);
        let text = String::from_utf8_lossy(file);
        let mut groups = Groups::default();
        text.split(['\n', '\r']).for_each(|line| groups.take(line));
        Self(if groups.is_own_named { groups.own } else { groups.everybody })
    }

    /// Nothing may be asked: what counts while the file cannot be had (RFC 9309 section 2.3.1.4).
    pub fn closed() -> Self {
        Self(vec![Row { pattern: "/".to_owned(), allows: false }])
    }

    /// Whether a path with its query may be asked. The longest rule counts, and of two equals the one
    /// that allows.
    pub fn allows(&self, path: &str) -> bool {
        let path = normal(path);
        let fitting = self.0.iter().filter(|row| fits(&row.pattern, &path));
        fitting.max_by_key(|row| (row.pattern.len(), row.allows)).is_none_or(|row| row.allows)
    }
}

impl Groups {
    fn take(&mut self, line: &str) {
        let line = line.split('#').next().unwrap_or_default();
        let Some((key, value)) = line.split_once(':') else { return };
        let value = value.trim();
        match key.trim().to_ascii_lowercase().as_str() {
            "user-agent" => self.name(value),
            "disallow" => self.rule(value, false),
            "allow" => self.rule(value, true),
            _ => {}
        }
    }

    fn name(&mut self, name: &str) {
        if self.has_rules {
            (self.for_own, self.for_everybody, self.has_rules) = (false, false, false);
        }
        let letter = |c: &char| c.is_ascii_alphabetic() || matches!(c, '-' | '_');
        let product: String = name.chars().take_while(letter).collect();
        self.for_everybody |= name.starts_with('*');
        if product.eq_ignore_ascii_case(PRODUCT) {
            self.for_own = true;
            self.is_own_named = true;
        }
    }

    fn rule(&mut self, pattern: &str, allows: bool) {
        self.has_rules = true;
        if pattern.is_empty() {
            return;
        }
        let row = Row { pattern: normal(pattern), allows };
        if self.for_own {
            self.own.push(row.clone());
        }
        if self.for_everybody {
            self.everybody.push(row);
        }
    }
}

/// Without a line that was cut: half of `Disallow: /a` forbids everything.
fn whole_lines(cut: &[u8]) -> &[u8] {
    let end = cut.iter().rposition(|octet| matches!(octet, b'\n' | b'\r'));
    end.and_then(|end| cut.get(..end)).unwrap_or_default()
}

/// `*` stands for anything, `$` at the end for the end.
fn fits(pattern: &str, path: &str) -> bool {
    let (pattern, to_the_end) = match pattern.strip_suffix('$') {
        Some(pattern) => (pattern, true),
        None => (pattern, false),
    };
    let mut parts = pattern.split('*');
    let Some(mut rest) = path.strip_prefix(parts.next().unwrap_or_default()) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, between)) = parts.split_last() else { return !to_the_end || rest.is_empty() };
    for part in between {
        let Some((_, behind)) = rest.split_once(*part) else { return false };
        rest = behind;
    }
    if to_the_end { rest.ends_with(last) } else { rest.contains(last) }
}

/// Octets in one spelling: `%7E` is `~`, and what is not ASCII is in percent signs (section 2.2.2).
fn normal(path: &str) -> String {
    let mut spelled = String::new();
    let mut rest = path.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        rest = behind;
        let escaped = (*first == b'%').then(|| behind.split_at_checked(2)).flatten();
        match escaped.and_then(|(digits, behind)| Some((octet(digits)?, behind))) {
            Some((octet, behind)) => {
                rest = behind;
                push(&mut spelled, octet, is_unreserved(octet));
            }
            None => push(&mut spelled, *first, first.is_ascii()),
        }
    }
    spelled
}

fn push(spelled: &mut String, octet: u8, plain: bool) {
    if plain {
        spelled.push(char::from(octet));
    } else {
        spelled.push_str(&format!("%{octet:02X}"));
    }
}

const fn is_unreserved(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'.' | b'_' | b'~')
}

fn octet(digits: &[u8]) -> Option<u8> {
    let all = digits.iter().all(u8::is_ascii_hexdigit);
    all.then(|| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Robots {
        Robots::read(text.as_bytes())
    }

    #[test]
    fn the_auditors_own_group_counts_alone_where_there_is_one() {
        let robots = read(
            "User-agent: *\nDisallow: /\n\nUser-agent: other\nUser-agent: Cloakroom/1.0\n\
             Disallow: /private # not for us\n\nUser-agent: third\nDisallow: /shop\n",
        );

        assert!(robots.allows("/") && robots.allows("/shop"));
        assert!(!robots.allows("/private/x"));
    }

    #[test]
    fn rules_of_one_name_are_put_together() {
        let robots = read(
            "User-agent: *\nDisallow: /a\nUser-agent: x\nDisallow: /b\nUser-agent: *\nDisallow: /c",
        );

        let asked = ["/a", "/b", "/c"].map(|path| robots.allows(path));

        assert_eq!(asked, [false, true, false]);
    }

    #[test]
    fn the_longest_rule_counts_and_allowing_breaks_a_tie() {
        let robots = read(
            "user-agent:*\nallow:/page\ndisallow:/page\ndisallow:/page/of\nallow:/page/of/all",
        );

        let asked =
            ["/page", "/page/of/me", "/page/of/all/x", "/other"].map(|path| robots.allows(path));

        assert_eq!(asked, [true, false, true, true]);
    }

    #[test]
    fn stars_and_dollars_mean_what_the_standard_says() {
        for (pattern, path, fit) in [
            ("/fish", "/fish.html", true),
            ("/fish", "/Fish", false),
            ("/fish$", "/fish", true),
            ("/fish$", "/fishes", false),
            ("/*.php", "/a/b.php?c=1", true),
            ("/*.php$", "/a/b.php", true),
            ("/*.php$", "/a.php/b.php", true),
            ("/*.php$", "/a/b.php?c=1", false),
            ("/a*b*c", "/a-b-b-c-d", true),
            ("/a*b*c", "/a-c-b", false),
            ("*", "/", true),
            ("/%7Eme", "/~me", true),
            ("/~me", "/%7eme", true),
            ("/a%2Fb", "/a/b", false),
            ("/\u{e9}", "/%C3%A9t", true),
            ("/%zz", "/%zz", true),
        ] {
            assert_eq!(fits(&normal(pattern), &normal(path)), fit, "{pattern} {path}");
        }
    }

    #[test]
    fn what_is_no_rule_hides_no_other() {
        let robots = read(
            "\u{feff}garbage\nDisallow: /early\nUser-agent: *\r\nSitemap: x\rDisallow:\nDisallow: /a\n",
        );

        assert!(robots.allows("/early") && robots.allows("/"));
        assert!(!robots.allows("/a"));
    }

    #[test]
    fn a_file_is_read_up_to_its_limit_and_no_line_in_half() {
        let head = "User-agent: *\nDisallow: /a\nDisallow: /b";
        let padding = "#".repeat(ROBOTS_MAX - head.len() - 1);

        let within = read(&format!("{padding}\n{}", head.replace("/b", "/")));
        let beyond = read(&format!("{padding}\n{head}bb"));

        assert!(!within.allows("/c"), "the file ends an octet before its limit");
        assert!(!beyond.allows("/a") && beyond.allows("/b") && beyond.allows("/bbb"));
    }

    #[test]
    fn a_closed_site_allows_nothing() {
        assert!(!Robots::closed().allows("/"));
        assert!(read("").allows("/"));
    }
}
