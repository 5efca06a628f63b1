//! Cookies that go: the `Set-Cookie` header of a response.

use crate::definition::{CookieDefinition, Lives, MAX_AGE};
use crate::name::CookieName;
use crate::request::is_cookie_octet;
use httpdate::HttpDate;
use std::error::Error;
use std::fmt::{self, Write};
use std::ops::Range;
use std::time::{Duration, UNIX_EPOCH};

/// The octets that name and value may have together: 4096.
///
/// Browsers refuse a longer cookie (RFC 6265bis section 5.6; ASVS 5.0 3.3.5).
pub const NAME_AND_VALUE_MAX: usize = 4096;

/// The last second that an IMF-fixdate with its four digits of year can say.
const LAST_SECOND: u64 = 253_402_300_799;

/// Room for `; Max-Age=34560000; Expires=Thu, 01 Jan 1970 00:00:00 GMT` and all flags.
const ATTRIBUTES_ROOM: usize = 128;

impl CookieDefinition {
    /// The cookie with this value, to be sent in a response.
    ///
    /// `now` is in seconds since the Unix epoch; it is written, as `Expires`, for a cookie that
    /// [lives for a time](Lives::For).
    ///
    /// # Errors
    ///
    /// [`ValueError`] if the value holds other octets than [cookie octets](crate::is_cookie_octets)
    /// (encode arbitrary data, in base64url say), if name and value exceed [`NAME_AND_VALUE_MAX`], or
    /// if `now` is beyond what a date can say.
    ///
    /// ```
    /// use cloakroom_cookie::{CookieDefinition, CookieName, ValueError};
    ///
    /// let session = CookieDefinition::builder(CookieName::host_http("session")?).build()?;
    /// assert_eq!(
    ///     session.set("dGlja2V0", 1_790_000_000)?.into_string(),
    ///     "__Host-Http-session=dGlja2V0; Path=/; Secure; HttpOnly; SameSite=Lax",
    /// );
    /// let injected = session.set("x; Domain=evil.example", 1_790_000_000);
    /// assert_eq!(injected.unwrap_err(), ValueError::Octet { at: 1 });
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn set(&self, value: &str, now: u64) -> Result<SetCookie, ValueError> {
        if let Some(at) = value.bytes().position(|octet| !is_cookie_octet(octet)) {
            return Err(ValueError::Octet { at });
        }
        let length = self.name().as_str().len() + value.len();
        if length > NAME_AND_VALUE_MAX {
            return Err(ValueError::TooLong { length });
        }
        if now > LAST_SECOND - MAX_AGE.as_secs() {
            return Err(ValueError::TimeOutOfRange { now });
        }
        Ok(match self.lives() {
            Lives::Session => SetCookie::write(self, value, None),
            Lives::For(lifetime) => SetCookie::write(self, value, Some((lifetime.as_secs(), now))),
        })
    }

    /// The cookie that makes the browser forget the one that [`set`](Self::set) writes.
    ///
    /// It repeats every attribute, has an empty value, and ends at once and long ago.
    ///
    /// ```
    /// use cloakroom_cookie::{CookieDefinition, CookieName};
    ///
    /// let name = CookieName::secure("lang")?;
    /// let lang = CookieDefinition::builder(name).domain("example.com").path("/app").build()?;
    /// assert_eq!(
    ///     lang.delete().into_string(),
    ///     "__Secure-lang=; Path=/app; Domain=example.com; Max-Age=0; \
    ///      Expires=Thu, 01 Jan 1970 00:00:00 GMT; Secure; HttpOnly; SameSite=Lax",
    /// );
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn delete(&self) -> SetCookie {
        SetCookie::write(self, "", Some((0, 0)))
    }
}

/// A cookie as it goes out: the text of one `Set-Cookie` header.
///
/// Attributes come in a fixed order: `Path`, `Domain`, `Max-Age`, `Expires`, `Secure`, `HttpOnly`,
/// `SameSite`, `Partitioned`. The text is visible ASCII and single spaces, one header field of its own,
/// never joined with another by a comma (RFC 6265bis section 3).
///
/// The value may be a session token: there is no `Display`, and `Debug` leaves it out. Mark the header
/// as sensitive where the header map can.
///
/// ```
/// use cloakroom_cookie::{CookieDefinition, CookieName};
///
/// let session = CookieDefinition::builder(CookieName::host("id")?).build()?;
/// let cookie = session.set("c2VjcmV0", 0)?;
/// assert_eq!(
///     format!("{cookie:?}"),
///     "SetCookie(__Host-id=<redacted>; Path=/; Secure; HttpOnly; SameSite=Lax)",
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
#[must_use = "a cookie is set or deleted only once it is in a response"]
pub struct SetCookie {
    name: CookieName,
    text: String,
    value: Range<usize>,
}

impl SetCookie {
    /// The name of the cookie. A response sets each name at most once.
    pub const fn name(&self) -> &CookieName {
        &self.name
    }

    /// A copy of the header's text, secret value included.
    pub fn to_header_string(&self) -> String {
        self.text.clone()
    }

    /// The header's text, secret value included, without a copy.
    pub fn into_string(self) -> String {
        self.text
    }

    /// Appends the header's text, secret value included.
    pub fn write_into(&self, out: &mut String) {
        out.push_str(&self.text);
    }

    /// `ends` is `Max-Age` and the second from which it counts.
    fn write(definition: &CookieDefinition, value: &str, ends: Option<(u64, u64)>) -> Self {
        let name = definition.name();
        let variable =
            value.len() + definition.path().len() + definition.domain().map_or(0, str::len);
        let mut text = String::with_capacity(name.as_str().len() + variable + ATTRIBUTES_ROOM);
        text.push_str(name.as_str());
        text.push('=');
        let start = text.len();
        text.push_str(value);
        let value = start..text.len();
        push_scope(&mut text, definition);
        if let Some((max_age, from)) = ends {
            push_end(&mut text, max_age, from);
        }
        push_flags(&mut text, definition);
        Self { name: name.clone(), text, value }
    }
}

impl fmt::Debug for SetCookie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let before = self.text.get(..self.value.start).unwrap_or_default();
        let after = self.text.get(self.value.end..).unwrap_or_default();
        let value = if self.value.is_empty() { "" } else { "<redacted>" };
        write!(f, "SetCookie({before}{value}{after})")
    }
}

/// Why a cookie could not be set. The value itself is in none of the variants.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ValueError {
    /// An octet that cannot stand in a cookie value.
    Octet {
        /// Where it stands, in octets from the start of the value.
        at: usize,
    },
    /// Name and value exceed [`NAME_AND_VALUE_MAX`] together.
    TooLong {
        /// Their length in octets.
        length: usize,
    },
    /// The time is beyond the years that a date in a header can say.
    TimeOutOfRange {
        /// The seconds since the Unix epoch that were given.
        now: u64,
    },
}

impl fmt::Display for ValueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Octet { at } => write!(
                f,
                "octet {at} of the cookie value is not a visible ASCII character other than \
                 `\"`, `,`, `;` and `\\`: encode the value, in base64url say",
            ),
            Self::TooLong { length } => write!(
                f,
                "name and value of the cookie have {length} octets together, and browsers refuse \
                 more than {NAME_AND_VALUE_MAX}: keep the data on the server and send its key",
            ),
            Self::TimeOutOfRange { now } => write!(
                f,
                "{now} seconds since the Unix epoch are beyond the year 9999: give seconds, not \
                 milliseconds",
            ),
        }
    }
}

impl Error for ValueError {}

fn push_scope(text: &mut String, definition: &CookieDefinition) {
    text.push_str("; Path=");
    text.push_str(definition.path());
    if let Some(domain) = definition.domain() {
        text.push_str("; Domain=");
        text.push_str(domain);
    }
}

/// `Max-Age` wins wherever both are known; `Expires` serves clients that know only that.
fn push_end(text: &mut String, max_age: u64, from: u64) {
    let expires = HttpDate::from(UNIX_EPOCH + Duration::from_secs(from + max_age));
    let written = write!(text, "; Max-Age={max_age}; Expires={expires}");
    debug_assert!(written.is_ok(), "writing to a string does not fail");
}

fn push_flags(text: &mut String, definition: &CookieDefinition) {
    if definition.is_secure() {
        text.push_str("; Secure");
    }
    if definition.is_http_only() {
        text.push_str("; HttpOnly");
    }
    text.push_str("; SameSite=");
    text.push_str(definition.same_site().as_str());
    if definition.is_partitioned() {
        text.push_str("; Partitioned");
    }
}
