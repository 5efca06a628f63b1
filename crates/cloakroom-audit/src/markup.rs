//! Where a page leads: the addresses in its tags. No tree is built, so that broken pages are read too.

/// An address in a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Link {
    /// What kind of tag it stands in.
    pub(crate) place: &'static str,
    /// As it stands there, with the usual entities undone.
    pub(crate) to: String,
    /// Whether it is a form that is posted.
    pub(crate) is_posted: bool,
}

/// More links of one page are not read.
pub(crate) const LINKS_MOST: usize = 2_000;

const PLACES: [(&str, &str, &str); 7] = [
    ("base", "href", BASE),
    ("a", "href", "link"),
    ("area", "href", "link"),
    ("form", "action", "form"),
    ("iframe", "src", "frame"),
    ("frame", "src", "frame"),
    ("script", "src", SCRIPT),
];

/// What all other addresses of the page start from.
pub(crate) const BASE: &str = "base";
/// A script of the page.
pub(crate) const SCRIPT: &str = "script";

/// The addresses in links, forms, frames and scripts of a page.
pub(crate) fn links(page: &[u8]) -> Vec<Link> {
    let text = String::from_utf8_lossy(page);
    let mut rest: &str = &text;
    let mut found = Vec::new();
    while let Some((_, behind)) = rest.split_once('<')
        && found.len() < LINKS_MOST
    {
        rest = behind;
        if let Some(comment) = behind.strip_prefix("!--") {
            rest = comment.split_once("-->").map_or("", |(_, behind)| behind);
            continue;
        }
        let tag = tag_of(behind);
        let known = PLACES.iter().filter(|(name, _, _)| is_tag(tag, name));
        found.extend(known.filter_map(|(_, attribute, place)| {
            let method = attribute_of(tag, "method").unwrap_or_default();
            let is_posted = *place == "form" && method.eq_ignore_ascii_case("post");
            Some(Link { place, to: attribute_of(tag, attribute)?, is_posted })
        }));
    }
    found
}

fn is_tag(tag: &str, name: &str) -> bool {
    let begins = tag.get(..name.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(name));
    begins
        && tag
            .get(name.len()..)
            .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_whitespace()))
}

/// What a person can press on a page, in lower case: the tags of links, buttons and forms with their
/// attributes, and the text in links and buttons.
pub(crate) fn pressed(page: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(page).to_lowercase();
    let mut found = Vec::new();
    let mut is_within = false;
    for piece in text.split('<').skip(1) {
        let (tag, behind) = piece.split_once('>').unwrap_or((piece, ""));
        let name: String = tag.chars().take_while(|c| !c.is_ascii_whitespace()).collect();
        match name.as_str() {
            "a" | "button" => is_within = true,
            "/a" | "/button" => is_within = false,
            _ => {}
        }
        if is_within || matches!(name.as_str(), "input" | "form") {
            found.push(format!("{tag} {behind}"));
        }
    }
    found
}

/// Every tag of a page, without its angle brackets; comments are left out.
pub(crate) fn tags(page: &str) -> impl Iterator<Item = &str> {
    let mut rest = page;
    std::iter::from_fn(move || {
        loop {
            let (_, behind) = rest.split_once('<')?;
            if let Some(comment) = behind.strip_prefix("!--") {
                rest = comment.split_once("-->").map_or("", |(_, behind)| behind);
                continue;
            }
            rest = behind;
            return Some(tag_of(behind));
        }
    })
}

/// Up to the `>` that is not within quotes.
fn tag_of(text: &str) -> &str {
    let mut quote = None;
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (None, '>') => return text.get(..at).unwrap_or_default(),
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), c) if c == open => quote = None,
            (None | Some(_), _) => {}
        }
    }
    text
}

pub(crate) fn attribute_of(tag: &str, wanted: &str) -> Option<String> {
    let mut rest = tag;
    while let Some((before, behind)) = rest.split_once('=') {
        let name =
            before.trim_end().rsplit(|c: char| c.is_ascii_whitespace() || c == '"' || c == '\'');
        let name = name.into_iter().next().unwrap_or_default();
        let behind = behind.trim_start();
        let (value, after) = match behind.chars().next() {
            Some(quote @ ('"' | '\'')) => {
                let inner = behind.get(1..).unwrap_or_default();
                inner.split_once(quote).unwrap_or((inner, ""))
            }
            Some(_) | None => {
                let end = behind.find(|c: char| c.is_ascii_whitespace()).unwrap_or(behind.len());
                behind.split_at(end)
            }
        };
        if name.eq_ignore_ascii_case(wanted) {
            return Some(value.trim().replace("&amp;", "&").replace("&#38;", "&"));
        }
        rest = after;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_found_however_the_tag_is_written() {
        let page =
            b"<base href=/sub/ ><a href=\"/one\">1</a><A class='x>y' HREF = '/two?a=1&amp;b=2'>\
            <form method=post action=/three ><script async src=\"/four.js\"></script>\
            <!-- <a href=/hidden> --><article href=/none><a data-href=/none>";

        let found: Vec<_> = links(page).into_iter().map(|link| (link.place, link.to)).collect();

        let told: Vec<_> = found.iter().map(|(place, to)| (*place, to.as_str())).collect();
        assert_eq!(
            told,
            [
                ("base", "/sub/"),
                ("link", "/one"),
                ("link", "/two?a=1&b=2"),
                ("form", "/three"),
                ("script", "/four.js")
            ]
        );
    }

    #[test]
    fn a_form_says_whether_it_is_posted() {
        let page =
            b"<form action=/get><form method=POST action=/post><form action=/x method=dialog>";

        let posted: Vec<bool> = links(page).iter().map(|link| link.is_posted).collect();

        assert_eq!(posted, [false, true, false]);
    }

    #[test]
    fn broken_pages_end() {
        for page in ["<a href=\"/x", "<", "<!--", "<a href", "<a =", "<a href='"] {
            let found = links(page.as_bytes());

            assert!(found.len() <= 1, "{page}: {found:?}");
        }
    }
}
