use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::sync::Arc;

/// What the caller can do about a [`StoreError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreErrorKind {
    /// The store did not answer or could not write. Retrying may help; answer 503, never "signed
    /// out".
    Unavailable,
    /// What is stored is not what this version can read. Retrying will not help.
    Corrupt,
    /// The caller asked for something the contract does not allow; the message says what.
    Refused,
}

/// Why a store could not do what it was asked.
///
/// The message never holds a key, a token or a field's value. "Not found" is not an error.
#[derive(Clone)]
pub struct StoreError {
    kind: StoreErrorKind,
    message: Cow<'static, str>,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

impl StoreError {
    /// The store did not answer or could not write.
    #[must_use]
    pub fn unavailable(message: impl Into<Cow<'static, str>>) -> Self {
        Self { kind: StoreErrorKind::Unavailable, message: message.into(), source: None }
    }

    /// What is stored cannot be read.
    #[must_use]
    pub fn corrupt(message: impl Into<Cow<'static, str>>) -> Self {
        Self { kind: StoreErrorKind::Corrupt, message: message.into(), source: None }
    }

    /// The caller's fault; the message says what to do instead.
    #[must_use]
    pub fn refused(message: impl Into<Cow<'static, str>>) -> Self {
        Self { kind: StoreErrorKind::Refused, message: message.into(), source: None }
    }

    /// The same error with the one that caused it.
    #[must_use]
    pub fn because(mut self, source: impl Error + Send + Sync + 'static) -> Self {
        self.source = Some(Arc::new(source));
        self
    }

    /// What the caller can do.
    #[must_use]
    pub const fn kind(&self) -> StoreErrorKind {
        self.kind
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match &self.source {
            Some(source) => write!(f, ": {source}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}({self})", self.kind)
    }
}

impl Error for StoreError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_ref().map(|source| source.as_ref() as &(dyn Error + 'static))
    }
}

/// So that an integer, which always is a user id, can be given where text that may be refused is.
impl From<std::convert::Infallible> for StoreError {
    fn from(never: std::convert::Infallible) -> Self {
        match never {}
    }
}
