//! Cookie names and the prefixes that browsers enforce.

use crate::NAME_AND_VALUE_MAX;
use std::error::Error;
use std::fmt;
use std::sync::Arc;

/// A cookie name with what its prefix promises: a non-empty HTTP token.
///
/// The prefix is part of the name on the wire. The constructors add it; [`CookieName::parse`]
/// recognises it. Cloning is a reference count.
///
/// ```
/// use cloakroom_cookie::{CookieName, Prefix};
///
/// let name = CookieName::host_http("session")?;
/// assert_eq!(name.as_str(), "__Host-Http-session");
/// assert_eq!(name.prefix(), Some(Prefix::HostHttp));
/// assert_eq!(CookieName::parse("__Host-Http-session")?, name);
/// # Ok::<(), cloakroom_cookie::NameError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CookieName {
    text: Arc<str>,
    prefix: Option<Prefix>,
}

impl CookieName {
    /// A name without a prefix: the browser enforces nothing about it.
    ///
    /// # Errors
    ///
    /// [`NameError`] if the name is not a token, is too long, or begins with a prefix in any case.
    pub fn plain(bare: &str) -> Result<Self, NameError> {
        Self::with_prefix(None, bare)
    }

    /// `__Secure-` and the given name: implies `Secure`.
    ///
    /// # Errors
    ///
    /// [`NameError`] if the name is not a token, is too long, or begins with a prefix in any case.
    pub fn secure(bare: &str) -> Result<Self, NameError> {
        Self::with_prefix(Some(Prefix::Secure), bare)
    }

    /// `__Host-` and the given name: implies `Secure`, `Path=/` and no `Domain`.
    ///
    /// # Errors
    ///
    /// [`NameError`] if the name is not a token, is too long, begins with a prefix in any case, or
    /// with `Http-`, which would make another prefix of it.
    pub fn host(bare: &str) -> Result<Self, NameError> {
        Self::with_prefix(Some(Prefix::Host), bare)
    }

    /// `__Http-` and the given name: implies `Secure` and `HttpOnly`.
    ///
    /// Browsers that do not know this prefix enforce nothing; prefer [`CookieName::host_http`], which
    /// they still treat as `__Host-`.
    ///
    /// # Errors
    ///
    /// [`NameError`] if the name is not a token, is too long, or begins with a prefix in any case.
    pub fn http(bare: &str) -> Result<Self, NameError> {
        Self::with_prefix(Some(Prefix::Http), bare)
    }

    /// `__Host-Http-` and the given name: implies `Secure`, `HttpOnly`, `Path=/` and no `Domain`.
    ///
    /// # Errors
    ///
    /// [`NameError`] if the name is not a token, is too long, or begins with a prefix in any case.
    pub fn host_http(bare: &str) -> Result<Self, NameError> {
        Self::with_prefix(Some(Prefix::HostHttp), bare)
    }

    /// A whole name as it stands on the wire, with or without a prefix.
    ///
    /// # Errors
    ///
    /// [`NameError`] if the name is not a token, is too long, or its prefix is in the wrong case.
    ///
    /// ```
    /// use cloakroom_cookie::{CookieName, NameError, Prefix};
    ///
    /// let refused = CookieName::parse("__host-session");
    /// assert_eq!(refused, Err(NameError::Miscapitalised { prefix: Prefix::Host }));
    /// ```
    pub fn parse(text: &str) -> Result<Self, NameError> {
        check_token(text)?;
        let prefix = match Prefix::of_any_case(text) {
            None => None,
            Some((prefix, _)) if !text.starts_with(prefix.as_str()) => {
                return Err(NameError::Miscapitalised { prefix });
            }
            Some((prefix, "")) => return Err(NameError::OnlyPrefix { prefix }),
            Some((prefix, _)) => Some(prefix),
        };
        Ok(Self { text: text.into(), prefix })
    }

    /// The whole name, with its prefix, as it stands on the wire.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The prefix, if the name has one.
    pub const fn prefix(&self) -> Option<Prefix> {
        self.prefix
    }

    fn with_prefix(prefix: Option<Prefix>, bare: &str) -> Result<Self, NameError> {
        if let Some((prefix, _)) = Prefix::of_any_case(bare) {
            return Err(NameError::AlreadyPrefixed { prefix });
        }
        let name = Self::parse(&format!("{}{bare}", prefix.map_or("", Prefix::as_str)))?;
        match name.prefix {
            Some(other) if name.prefix != prefix => {
                Err(NameError::AlreadyPrefixed { prefix: other })
            }
            Some(_) | None => Ok(name),
        }
    }
}

impl AsRef<str> for CookieName {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Display for CookieName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A name prefix that makes browsers refuse the cookie unless its attributes keep what it promises.
///
/// Sources: RFC 6265bis section 4.1.3 and the Layered Cookies draft section 4.1.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Prefix {
    /// `__Secure-`: only with `Secure`.
    Secure,
    /// `__Host-`: only with `Secure`, `Path=/` and no `Domain`.
    Host,
    /// `__Http-`: only with `Secure` and `HttpOnly`, and only from a response.
    Http,
    /// `__Host-Http-`: what `__Host-` and `__Http-` demand together.
    HostHttp,
}

impl Prefix {
    /// The prefix as it stands in a name.
    ///
    /// ```
    /// assert_eq!(cloakroom_cookie::Prefix::HostHttp.as_str(), "__Host-Http-");
    /// ```
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Secure => "__Secure-",
            Self::Host => "__Host-",
            Self::Http => "__Http-",
            Self::HostHttp => "__Host-Http-",
        }
    }

    pub(crate) const fn binds_to_host(self) -> bool {
        match self {
            Self::Host | Self::HostHttp => true,
            Self::Secure | Self::Http => false,
        }
    }

    pub(crate) const fn hides_from_scripts(self) -> bool {
        match self {
            Self::Http | Self::HostHttp => true,
            Self::Secure | Self::Host => false,
        }
    }

    /// The prefix of a name as octets, compared as browsers do: without regard to case.
    #[cfg(feature = "browser")]
    pub(crate) fn of_octets(name: &[u8]) -> Option<Self> {
        // A prefix is ASCII: what follows it may be anything.
        let ascii = name.split(|octet| !octet.is_ascii()).next()?;
        Self::of_any_case(std::str::from_utf8(ascii).ok()?).map(|(prefix, _)| prefix)
    }

    /// The prefix that browsers see, who compare without regard to case, and what follows it.
    ///
    /// `__Host-Http-` must come before `__Host-`, which begins it.
    fn of_any_case(name: &str) -> Option<(Self, &str)> {
        [Self::HostHttp, Self::Host, Self::Http, Self::Secure].into_iter().find_map(|prefix| {
            let (head, rest) = name.split_at_checked(prefix.as_str().len())?;
            head.eq_ignore_ascii_case(prefix.as_str()).then_some((prefix, rest))
        })
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Why a cookie name was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NameError {
    /// The name is empty.
    Empty,
    /// An octet that cannot stand in an HTTP token.
    NotToken {
        /// Where it stands, in octets from the start of the whole name.
        at: usize,
    },
    /// The name alone is longer than name and value together may be.
    TooLong {
        /// The length of the whole name in octets.
        length: usize,
    },
    /// The name is a prefix with nothing after it.
    OnlyPrefix {
        /// That prefix.
        prefix: Prefix,
    },
    /// The name begins with a prefix in another case, as in `__host-id`.
    Miscapitalised {
        /// The prefix that browsers see.
        prefix: Prefix,
    },
    /// A name given to a constructor that adds a prefix, or means none, brings one along.
    AlreadyPrefixed {
        /// The prefix that browsers would see.
        prefix: Prefix,
    },
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str(
                "the cookie name is empty, and browsers confuse nameless cookies with others: \
                 give it a name",
            ),
            Self::NotToken { at } => write!(
                f,
                "octet {at} of the cookie name cannot stand in an HTTP token: use letters, digits, \
                 `-` and `_`",
            ),
            Self::TooLong { length } => write!(
                f,
                "the cookie name has {length} octets, but browsers drop a cookie whose name and \
                 value exceed {NAME_AND_VALUE_MAX}: choose a short name",
            ),
            Self::OnlyPrefix { prefix } => {
                write!(f, "nothing follows `{prefix}` in the cookie name: add a name after it")
            }
            Self::Miscapitalised { prefix } => write!(
                f,
                "the cookie name begins like `{prefix}` in another case, and browsers that match \
                 prefixes in any case would enforce it where others do not: write `{prefix}`, or \
                 begin the name differently",
            ),
            Self::AlreadyPrefixed { prefix } => write!(
                f,
                "browsers would read the prefix `{prefix}` in this cookie name, which is not the one \
                 that was asked for: leave it out, or give the whole name to `CookieName::parse`",
            ),
        }
    }
}

impl Error for NameError {}

fn check_token(text: &str) -> Result<(), NameError> {
    if text.is_empty() {
        return Err(NameError::Empty);
    }
    if text.len() > NAME_AND_VALUE_MAX {
        return Err(NameError::TooLong { length: text.len() });
    }
    match text.bytes().position(|octet| !is_token_octet(octet)) {
        Some(at) => Err(NameError::NotToken { at }),
        None => Ok(()),
    }
}

/// `tchar` of RFC 9110 section 5.6.2.
const fn is_token_octet(octet: u8) -> bool {
    octet.is_ascii_alphanumeric()
        || matches!(
            octet,
            b'!' | b'#'
                | b'$'
                | b'%'
                | b'&'
                | b'\''
                | b'*'
                | b'+'
                | b'-'
                | b'.'
                | b'^'
                | b'_'
                | b'`'
                | b'|'
                | b'~'
        )
}
