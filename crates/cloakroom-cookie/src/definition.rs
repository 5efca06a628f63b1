//! The checked description of a cookie that a server sets and deletes.

use crate::contradiction::Contradiction;
use crate::name::{CookieName, Prefix};
use crate::{Weakness, domain};
use std::time::Duration;

/// The longest lifetime of a cookie: 400 days.
///
/// Browsers cap what exceeds it (RFC 6265bis section 5.5), so a longer one is a promise that nobody
/// keeps.
pub const MAX_AGE: Duration = Duration::from_secs(400 * 24 * 60 * 60);

/// The octets that one attribute value may have: 1024.
///
/// Browsers ignore an attribute with a longer value (RFC 6265bis section 5.6), which silently widens
/// the cookie.
pub const ATTRIBUTE_VALUE_MAX: usize = 1024;

/// With which cross-site requests a browser sends the cookie.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum SameSite {
    /// With none: not even when somebody follows a link from another site.
    Strict,
    /// With links and other top-level navigations by a safe method. The default.
    #[default]
    Lax,
    /// With all. Browsers demand `Secure` for it.
    None,
}

impl SameSite {
    /// The value of the attribute.
    ///
    /// ```
    /// assert_eq!(cloakroom_cookie::SameSite::Lax.as_str(), "Lax");
    /// ```
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Strict => "Strict",
            Self::Lax => "Lax",
            Self::None => "None",
        }
    }
}

/// How long the browser keeps the cookie.
///
/// It bounds what the browser remembers, never what the server accepts: a stolen cookie does not
/// expire in the hands of the thief.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Lives {
    /// Until the browser session ends: neither `Max-Age` nor `Expires`. The default.
    #[default]
    Session,
    /// For this long after it was set: whole seconds (a fraction is dropped), at least one second and
    /// at most [`MAX_AGE`]. `Max-Age` and `Expires` are both written.
    For(Duration),
}

/// A checked, immutable description of one cookie, from which it is set and deleted.
///
/// Browsers recognise a cookie by name, domain and path; deleting one with other attributes than it
/// was set with leaves it in place. Here both come from one description and cannot differ.
///
/// ```
/// use cloakroom_cookie::{CookieDefinition, CookieName};
///
/// let csrf = CookieDefinition::builder(CookieName::host("csrf")?).readable_by_scripts().build()?;
/// assert!(csrf.is_secure() && !csrf.is_http_only());
/// assert_eq!(
///     csrf.set("ZWI3", 0)?.into_string(),
///     "__Host-csrf=ZWI3; Path=/; Secure; SameSite=Lax",
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CookieDefinition {
    name: CookieName,
    path: String,
    domain: Option<String>,
    lives: Lives,
    secure: bool,
    http_only: bool,
    same_site: SameSite,
    partitioned: bool,
}

impl CookieDefinition {
    /// Begins a definition with the defaults: `Path=/; Secure; HttpOnly; SameSite=Lax`, no `Domain`,
    /// until the browser session ends.
    pub const fn builder(name: CookieName) -> CookieDefinitionBuilder {
        CookieDefinitionBuilder {
            name,
            path: None,
            domain: None,
            lives: Lives::Session,
            secure: true,
            http_only: true,
            same_site: SameSite::Lax,
            partitioned: false,
        }
    }

    /// The name, with its prefix.
    pub const fn name(&self) -> &CookieName {
        &self.name
    }

    /// The `Path` attribute.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The `Domain` attribute in lower case; `None` for a cookie of one host.
    pub fn domain(&self) -> Option<&str> {
        self.domain.as_deref()
    }

    /// How long the browser keeps the cookie.
    pub const fn lives(&self) -> Lives {
        self.lives
    }

    /// Whether the cookie travels over secure connections only.
    pub const fn is_secure(&self) -> bool {
        self.secure
    }

    /// Whether the cookie is hidden from scripts.
    pub const fn is_http_only(&self) -> bool {
        self.http_only
    }

    /// With which cross-site requests the cookie is sent.
    pub const fn same_site(&self) -> SameSite {
        self.same_site
    }

    /// Whether the cookie has a jar of its own under every top-level site.
    pub const fn is_partitioned(&self) -> bool {
        self.partitioned
    }

    /// What is legal about this definition and yet weaker than it could be, for a report.
    ///
    /// ```
    /// use cloakroom_cookie::{CookieDefinition, CookieName, Weakness};
    ///
    /// let narrow = CookieDefinition::builder(CookieName::host_http("session")?).build()?;
    /// assert_eq!(narrow.weaknesses(), []);
    ///
    /// let shared = CookieName::secure("session")?;
    /// let shared = CookieDefinition::builder(shared).domain("example.com").build()?;
    /// assert_eq!(
    ///     shared.weaknesses(),
    ///     [Weakness::SentToSubdomains, Weakness::SettableFromSubdomains],
    /// );
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn weaknesses(&self) -> Vec<Weakness> {
        Weakness::of(self)
    }
}

/// Collects what a [`CookieDefinition`] says; [`build`](Self::build) checks it.
///
/// Each method that is called twice keeps what it was given last.
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct CookieDefinitionBuilder {
    name: CookieName,
    path: Option<String>,
    domain: Option<String>,
    lives: Lives,
    secure: bool,
    http_only: bool,
    same_site: SameSite,
    partitioned: bool,
}

impl CookieDefinitionBuilder {
    /// Sends the cookie to this path and below it only. The default is `/`.
    ///
    /// It begins with `/` and holds visible ASCII without `;`, percent-encoded like the path of a URL,
    /// at most [`ATTRIBUTE_VALUE_MAX`] octets.
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.path = Some(path.into());
        self
    }

    /// Sends the cookie to every host under this domain too. The default is the setting host alone.
    ///
    /// It is an ASCII host name of at least two labels (`xn--` for others) without a leading dot, not
    /// an IP address, and, with the feature `public-suffix`, no public suffix. It is lower-cased.
    pub fn domain(mut self, domain: impl Into<String>) -> Self {
        self.domain = Some(domain.into());
        self
    }

    /// How long the browser keeps the cookie. The default is [`Lives::Session`].
    pub const fn lives(mut self, lives: Lives) -> Self {
        self.lives = lives;
        self
    }

    /// With which cross-site requests the cookie is sent. The default is [`SameSite::Lax`].
    pub const fn same_site(mut self, same_site: SameSite) -> Self {
        self.same_site = same_site;
        self
    }

    /// Gives the cookie a jar of its own under every top-level site (`Partitioned`, CHIPS).
    ///
    /// It is meant for content embedded in other sites, and of use there only with
    /// [`SameSite::None`].
    pub const fn partitioned(mut self) -> Self {
        self.partitioned = true;
        self
    }

    /// Leaves `HttpOnly` out, so that scripts in the page can read and write the cookie.
    pub const fn readable_by_scripts(mut self) -> Self {
        self.http_only = false;
        self
    }

    /// Leaves `Secure` out: the cookie travels in the clear, readable and replaceable by everybody on
    /// the way.
    pub const fn dangerous_insecure(mut self) -> Self {
        self.secure = false;
        self
    }

    /// Checks the definition.
    ///
    /// # Errors
    ///
    /// The first [`Contradiction`] found, each with its reason and remedy: those of the prefix before
    /// those between attributes, then those of single attributes.
    pub fn build(self) -> Result<CookieDefinition, Contradiction> {
        if let Some(prefix) = self.name.prefix() {
            self.check_prefix(prefix)?;
        }
        self.check_secure()?;
        check_lifetime(self.lives)?;
        Ok(CookieDefinition {
            domain: self.domain.as_deref().map(domain::checked).transpose()?,
            path: self.path.map_or_else(|| Ok("/".to_owned()), checked_path)?,
            name: self.name,
            lives: self.lives,
            secure: self.secure,
            http_only: self.http_only,
            same_site: self.same_site,
            partitioned: self.partitioned,
        })
    }

    fn check_prefix(&self, prefix: Prefix) -> Result<(), Contradiction> {
        if !self.secure {
            return Err(Contradiction::PrefixWithoutSecure { prefix });
        }
        if prefix.hides_from_scripts() && !self.http_only {
            return Err(Contradiction::PrefixReadableByScripts { prefix });
        }
        if prefix.binds_to_host() && self.domain.is_some() {
            return Err(Contradiction::PrefixWithDomain { prefix });
        }
        if prefix.binds_to_host() && self.path.as_deref().is_some_and(|path| path != "/") {
            return Err(Contradiction::PrefixWithPath { prefix });
        }
        Ok(())
    }

    fn check_secure(&self) -> Result<(), Contradiction> {
        match (self.secure, self.same_site, self.partitioned) {
            (false, SameSite::None, _) => Err(Contradiction::SameSiteNoneWithoutSecure),
            (false, _, true) => Err(Contradiction::PartitionedWithoutSecure),
            (true, _, _) | (false, _, false) => Ok(()),
        }
    }
}

fn check_lifetime(lives: Lives) -> Result<(), Contradiction> {
    match lives {
        Lives::For(lifetime) if lifetime > MAX_AGE => Err(Contradiction::LivesTooLong { lifetime }),
        Lives::For(lifetime) if lifetime.as_secs() == 0 => Err(Contradiction::LivesTooShort),
        Lives::For(_) | Lives::Session => Ok(()),
    }
}

fn checked_path(path: String) -> Result<String, Contradiction> {
    if !path.starts_with('/') {
        return Err(Contradiction::PathNotAbsolute { path });
    }
    if path.len() > ATTRIBUTE_VALUE_MAX {
        return Err(Contradiction::PathTooLong { length: path.len() });
    }
    match path.bytes().position(|octet| !octet.is_ascii_graphic() || octet == b';') {
        Some(at) => Err(Contradiction::PathOctet { at }),
        None => Ok(path),
    }
}
