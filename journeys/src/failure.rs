use std::fmt;

/// Why a step of a journey did not succeed, as one readable text.
///
/// `Debug` prints the same text as `Display`, so that a plain `unwrap` in a test tells the story
/// together with its line.
///
/// ```
/// use cloakroom_journeys::Failure;
/// assert_eq!(format!("{:?}", Failure::new("the shop did not open")), "the shop did not open");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Failure(String);

impl Failure {
    /// A failure told by this sentence.
    pub fn new(sentence: impl Into<String>) -> Self {
        Self(sentence.into())
    }

    /// A function for `map_err`: says what was attempted and then the cause.
    pub(crate) fn when<E: fmt::Display>(attempt: impl fmt::Display) -> impl FnOnce(E) -> Self {
        move |cause| Self(format!("{attempt}: {cause}"))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Failure {}
