//! The one door to randomness.

use std::fmt::Write as _;

/// As many random octets, in hexadecimal.
#[allow(
    clippy::disallowed_methods,
    reason = "this application does without cloakroom: its door is here"
)]
pub(crate) fn hex(octets: usize) -> String {
    let mut random = vec![0; octets];
    // Without randomness nobody may be given a token.
    assert!(getrandom::fill(&mut random).is_ok(), "the operating system gives no random octets");
    random.iter().fold(String::new(), |mut text, octet| {
        let _ = write!(text, "{octet:02x}");
        text
    })
}
