//! Where a request goes, and the site that this place belongs to.

use psl::Psl;
use std::error::Error;
use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::str::FromStr;
use url::{Host, Url};

/// The octets that an [`Address`] may have: 8192.
///
/// A cookie without a `Path` takes its path from the address, so that this bounds what a
/// [`Jar`](super::Jar) keeps for one cookie. Few servers read a longer request line.
pub const ADDRESS_MAX: usize = 8192;

/// A web address as far as cookies see it: scheme, host, port and path.
///
/// It is read as browsers read it (URL standard): the host in lower case, with A-labels for a name
/// beyond ASCII, IPv4 addresses in their usual form, `.` and `..` resolved in the path. The query and
/// the fragment are dropped.
///
/// ```
/// use cloakroom_cookie::browser::Address;
///
/// let address = Address::parse("https://Shop.Example.co.uk:8443/a/../b?q=1")?;
/// assert_eq!(address.to_string(), "https://shop.example.co.uk:8443/b");
/// assert_eq!(address.host(), "shop.example.co.uk");
/// assert_eq!(address.site().to_string(), "https://example.co.uk");
/// # Ok::<(), cloakroom_cookie::browser::AddressError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Address {
    scheme: Scheme,
    host: String,
    kind: HostKind,
    port: u16,
    path: String,
    site: Site,
}

impl Address {
    /// Reads an absolute address with the scheme `http`, `https`, `ws` or `wss`.
    ///
    /// # Errors
    ///
    /// [`AddressError`] if the text is no such address or exceeds [`ADDRESS_MAX`].
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        Self::read(None, text)
    }

    /// The address that a link, a form or a `Location` header at this one leads to.
    ///
    /// ```
    /// use cloakroom_cookie::browser::Address;
    ///
    /// let login = Address::parse("https://shop.example/account/login")?;
    /// assert_eq!(login.join("/cart?new=1")?.to_string(), "https://shop.example/cart");
    /// assert_eq!(login.join("done")?.to_string(), "https://shop.example/account/done");
    /// assert_eq!(login.join("//id.example")?.to_string(), "https://id.example/");
    /// # Ok::<(), cloakroom_cookie::browser::AddressError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`AddressError`] if the text leads to no such address or exceeds [`ADDRESS_MAX`].
    pub fn join(&self, text: &str) -> Result<Self, AddressError> {
        let base = Url::parse(&self.to_string()).map_err(no_address)?;
        Self::read(Some(&base), text)
    }

    fn read(base: Option<&Url>, text: &str) -> Result<Self, AddressError> {
        let too_long = |length| Err(AddressError::TooLong { length });
        if text.len() > ADDRESS_MAX {
            return too_long(text.len());
        }
        let url = Url::options().base_url(base).parse(text).map_err(no_address)?;
        // The URL standard escapes this octet in a path, and the crate leaves it.
        let path = url.path().replace('^', "%5E");
        // Reading escapes octets, so that an address may grow.
        let length = url.as_str().len() - url.path().len() + path.len();
        if length > ADDRESS_MAX {
            return too_long(length);
        }
        let scheme = Scheme::of(url.scheme())?;
        let (Some(host), Some(name)) = (url.host(), url.host_str()) else {
            return Err(AddressError::NoAddress("no host".to_owned()));
        };
        let kind = HostKind::of(&host);
        let site = Site { secure: scheme.is_secure(), domain: kind.registrable(name) };
        let port = url.port_or_known_default().unwrap_or_default();
        Ok(Self { scheme, host: name.to_owned(), kind, port, path, site })
    }

    /// The host in lower case: a name, an IPv4 address, or an IPv6 address in brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port, also where the scheme implies it. Cookies do not see it.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The path, which begins with `/`.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The site: scheme and registrable domain.
    pub const fn site(&self) -> &Site {
        &self.site
    }

    /// Whether the scheme encrypts: `https` or `wss`.
    pub const fn is_encrypted(&self) -> bool {
        self.scheme.is_secure()
    }

    /// Whether the host is this machine: `localhost`, a name under it, or a loopback address.
    ///
    /// ```
    /// use cloakroom_cookie::browser::Address;
    ///
    /// assert!(Address::parse("http://shop.localhost:3000/")?.is_loopback());
    /// assert!(Address::parse("http://127.8.8.8/")?.is_loopback());
    /// assert!(!Address::parse("http://localhost.example/")?.is_loopback());
    /// # Ok::<(), cloakroom_cookie::browser::AddressError>(())
    /// ```
    pub fn is_loopback(&self) -> bool {
        match self.kind {
            HostKind::Name => {
                let name = self.host.strip_suffix('.').unwrap_or(&self.host);
                name == "localhost" || name.ends_with(".localhost")
            }
            HostKind::V4(address) => address.is_loopback(),
            HostKind::V6(address) => address.is_loopback(),
        }
    }

    /// The path of a cookie that this address sets without a `Path` (RFC 6265bis section 5.1.4).
    ///
    /// ```
    /// use cloakroom_cookie::browser::Address;
    ///
    /// assert_eq!(Address::parse("https://a.example/shop/cart")?.default_path(), "/shop");
    /// assert_eq!(Address::parse("https://a.example/shop/")?.default_path(), "/shop");
    /// assert_eq!(Address::parse("https://a.example/shop")?.default_path(), "/");
    /// # Ok::<(), cloakroom_cookie::browser::AddressError>(())
    /// ```
    pub fn default_path(&self) -> &str {
        match self.path.rsplit_once('/') {
            None | Some(("", _)) => "/",
            Some((before, _)) => before,
        }
    }

    /// Whether scheme, host and port are the same.
    pub fn is_same_origin(&self, other: &Self) -> bool {
        (self.scheme, &self.host, self.port) == (other.scheme, &other.host, other.port)
    }

    pub(super) const fn is_ip(&self) -> bool {
        match self.kind {
            HostKind::Name => false,
            HostKind::V4(_) | HostKind::V6(_) => true,
        }
    }

    /// "Domain matching" (RFC 6265bis section 5.1.3); `domain` is in lower case.
    pub(super) fn domain_matches(&self, domain: &str) -> bool {
        domain_matches(&self.host, self.is_ip(), domain)
    }
}

fn no_address(error: url::ParseError) -> AddressError {
    AddressError::NoAddress(error.to_string())
}

pub(super) fn domain_matches(host: &str, is_ip: bool, domain: &str) -> bool {
    let below = || host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'));
    host == domain || (!is_ip && !domain.is_empty() && below())
}

/// "Path matching" (RFC 6265bis section 5.1.4): `/foo` covers `/foo` and `/foo/bar`, not `/foobar`.
pub(super) fn path_matches(request: &[u8], cookie: &[u8]) -> bool {
    request.strip_prefix(cookie).is_some_and(|rest| {
        rest.is_empty() || cookie.ends_with(b"/") || rest.first() == Some(&b'/')
    })
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        Self::parse(text)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme.as_str(), self.host)?;
        if self.port != self.scheme.default_port() {
            write!(f, ":{}", self.port)?;
        }
        f.write_str(&self.path)
    }
}

/// A site: what browsers take for one owner. Scheme and registrable domain, without a port.
///
/// The registrable domain is the public suffix and one label (`example.co.uk`); a host that is an IP
/// address or a public suffix itself stands for itself. `ws` and `wss` count as `http` and `https`.
///
/// ```
/// use cloakroom_cookie::browser::Address;
///
/// let [one, other] = ["https://a.github.io/", "https://b.github.io/"];
/// assert_ne!(Address::parse(one)?.site(), Address::parse(other)?.site());
/// # Ok::<(), cloakroom_cookie::browser::AddressError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Site {
    secure: bool,
    domain: String,
}

impl Site {
    /// The registrable domain, or the whole host where there is none.
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// Same site with the scheme (`schemeful`), or by the domain alone.
    pub(super) fn is_same(&self, other: &Self, schemeful: bool) -> bool {
        self.domain == other.domain && (!schemeful || self.secure == other.secure)
    }
}

impl fmt::Display for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", if self.secure { "https" } else { "http" }, self.domain)
    }
}

/// The registrable domain of a host name or an IP address.
pub(super) fn registrable(host: &str) -> String {
    let is_ip = host.starts_with('[') || host.parse::<Ipv4Addr>().is_ok();
    // A label may be empty at the end alone; the list would take an empty one for a name.
    let is_odd = host.contains("..") || host.starts_with('.');
    let found = if is_ip || is_odd { None } else { psl::List.domain(host.as_bytes()) };
    let domain = found.and_then(|domain| std::str::from_utf8(domain.as_bytes()).ok());
    domain.unwrap_or(host).to_owned()
}

/// Why a text is no [`Address`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AddressError {
    /// It exceeds [`ADDRESS_MAX`].
    TooLong {
        /// Its length in octets.
        length: usize,
    },
    /// It is no absolute web address; the URL standard's reason.
    NoAddress(String),
    /// Cookies do not travel with this scheme.
    Scheme(String),
}

impl fmt::Display for AddressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { length } => {
                write!(f, "the address has {length} octets, and {ADDRESS_MAX} are read")
            }
            Self::NoAddress(why) => {
                write!(f, "no web address ({why}): write it whole, as in `https://example.com/`")
            }
            Self::Scheme(scheme) => {
                write!(f, "cookies travel with http, https, ws and wss, not with `{scheme}`")
            }
        }
    }
}

impl Error for AddressError {}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Scheme {
    Http,
    Https,
    Ws,
    Wss,
}

impl Scheme {
    fn of(text: &str) -> Result<Self, AddressError> {
        match text {
            "http" => Ok(Self::Http),
            "https" => Ok(Self::Https),
            "ws" => Ok(Self::Ws),
            "wss" => Ok(Self::Wss),
            other => Err(AddressError::Scheme(other.to_owned())),
        }
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
            Self::Ws => "ws",
            Self::Wss => "wss",
        }
    }

    const fn is_secure(self) -> bool {
        match self {
            Self::Https | Self::Wss => true,
            Self::Http | Self::Ws => false,
        }
    }

    const fn default_port(self) -> u16 {
        if self.is_secure() { 443 } else { 80 }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum HostKind {
    Name,
    V4(Ipv4Addr),
    V6(Ipv6Addr),
}

impl HostKind {
    const fn of(host: &Host<&str>) -> Self {
        match host {
            Host::Domain(_) => Self::Name,
            Host::Ipv4(address) => Self::V4(*address),
            Host::Ipv6(address) => Self::V6(*address),
        }
    }

    fn registrable(self, name: &str) -> String {
        match self {
            Self::Name => registrable(name),
            Self::V4(_) | Self::V6(_) => name.to_owned(),
        }
    }
}
