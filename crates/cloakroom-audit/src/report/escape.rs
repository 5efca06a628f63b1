//! Text that a server chose, in formats that have marks of their own.

/// For HTML and XML, in text and in quoted attributes.
pub(super) fn markup(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            // No character of XML, not even escaped.
            '\u{fffe}' | '\u{ffff}' => escaped.push('.'),
            c => escaped.push(c),
        }
    }
    escaped
}

/// Marks of Markdown that a backslash takes the meaning from.
const MARKS: &str = "\\`*_{}[]#+|~!$^=";

/// For Markdown within a line: no mark, no link, no mention, no cell that ends.
///
/// Forges make links and mentions out of plain text too, mentions even out of escaped characters: a
/// comment keeps those apart.
pub(super) fn markdown(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    let mut before = ' ';
    while let Some(c) = rest.next() {
        match c {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '@' => escaped.push_str("@<!-- -->"),
            ':' if rest.peek() == Some(&'/') => escaped.push_str("&#58;"),
            '.' if ends_like_www(&escaped) => escaped.push_str("&#46;"),
            '-' if before == ' ' => escaped.push_str("\\-"),
            c if MARKS.contains(c) => escaped.extend(['\\', c]),
            c => escaped.push(c),
        }
        before = c;
    }
    escaped
}

fn ends_like_www(text: &str) -> bool {
    let end = text.len().checked_sub(3).and_then(|from| text.get(from..));
    end.is_some_and(|end| end.eq_ignore_ascii_case("www"))
}

/// Lines that stand in Markdown as they are, and cannot end the block that they stand in.
pub(super) fn fenced(lines: &[&str]) -> String {
    let longest = lines.iter().map(|line| longest_run(line)).max().unwrap_or_default();
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}text\n{}\n{fence}\n", lines.join("\n"))
}

fn longest_run(line: &str) -> usize {
    line.split(|c| c != '`').map(str::len).max().unwrap_or_default()
}

/// A sentence that begins with a capital letter.
pub(super) fn upper(sentence: &str) -> String {
    let mut letters = sentence.chars();
    let first = letters.next().map(|c| c.to_ascii_uppercase());
    first.map_or_else(String::new, |first| format!("{first}{}", letters.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_mark_of_a_format_is_left() {
        assert_eq!(markup("<a b='\"'>&\u{ffff}"), "&lt;a b=&#39;&quot;&#39;&gt;&amp;.");
        assert_eq!(markdown("a|b"), "a\\|b");
        assert_eq!(markdown("@ada"), "@<!-- -->ada");
        assert_eq!(markdown("https://a.example"), "https&#58;//a.example");
        assert_eq!(markdown("WWW.a.example"), "WWW&#46;a.example");
        assert_eq!(markdown("well-known: - x"), "well-known: \\- x");
        assert_eq!(markdown("[a](b) <i>"), "\\[a\\](b) &lt;i&gt;");
    }

    #[test]
    fn a_fence_is_longer_than_any_in_it() {
        assert!(fenced(&["a", "``` ````"]).starts_with("`````text\na\n"));
        assert!(fenced(&["a"]).starts_with("```text\n"));
    }
}
