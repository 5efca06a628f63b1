//! Looking for octets in octets.

/// Whether `needle` stands in `text`; an empty one stands nowhere.
pub(crate) fn contains(text: &[u8], needle: &[u8]) -> bool {
    // Hundreds of tokens are looked for in hundreds of pages, and the search in text is a hundred times faster.
    match (std::str::from_utf8(text), std::str::from_utf8(needle)) {
        (Ok(text), Ok(needle)) => !needle.is_empty() && text.contains(needle),
        (_, _) => !needle.is_empty() && text.windows(needle.len()).any(|window| window == needle),
    }
}
