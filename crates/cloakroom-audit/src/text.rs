//! Looking for octets in octets.

/// Whether `needle` stands in `text`; an empty one stands nowhere.
pub(crate) fn contains(text: &[u8], needle: &[u8]) -> bool {
    !needle.is_empty() && text.windows(needle.len()).any(|window| window == needle)
}
