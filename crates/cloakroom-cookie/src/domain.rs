//! The `Domain` attribute: a host name that a cookie may be shared under.

use crate::contradiction::Contradiction;
use std::net::Ipv6Addr;

/// The longest host name in octets (RFC 1035 section 2.3.4, without the root's dot).
const HOST_NAME_MAX: usize = 253;

/// Whether strangers can register names directly under this domain.
///
/// True for the suffixes of registries (`com`, `co.uk`), for those of companies that give names to
/// their customers (`github.io`), and for a top-level domain that the list does not know. Browsers
/// refuse a cookie `Domain` of this kind (RFC 6265bis section 5.7). Case and one dot at the end do not
/// matter. The list is compiled in: its age is that of the build.
///
/// Only with the feature `public-suffix`.
///
/// ```
/// use cloakroom_cookie::is_public_suffix;
///
/// assert!(is_public_suffix("co.uk"));
/// assert!(is_public_suffix("github.io"));
/// assert!(!is_public_suffix("example.co.uk"));
/// ```
#[cfg(feature = "public-suffix")]
pub fn is_public_suffix(domain: &str) -> bool {
    use psl::Psl;

    let domain = domain.strip_suffix('.').unwrap_or(domain).to_ascii_lowercase();
    psl::List.suffix(domain.as_bytes()).is_some_and(|suffix| suffix == domain.as_bytes())
}

#[cfg(not(feature = "public-suffix"))]
const fn is_public_suffix(_domain: &str) -> bool {
    false
}

pub(crate) fn checked(given: &str) -> Result<String, Contradiction> {
    let domain = given.to_ascii_lowercase();
    let as_given = || given.to_owned();
    if !domain.is_ascii() {
        return Err(Contradiction::DomainNotAscii { domain: as_given() });
    }
    if is_ip_address(&domain) {
        return Err(Contradiction::DomainIsIpAddress { domain: as_given() });
    }
    if domain.starts_with('.') {
        return Err(Contradiction::DomainLeadingDot { domain: as_given() });
    }
    if domain.len() > HOST_NAME_MAX || !domain.split('.').all(is_label) {
        return Err(Contradiction::DomainNotHostName { domain: as_given() });
    }
    if !domain.contains('.') {
        return Err(Contradiction::DomainSingleLabel { domain: as_given() });
    }
    if is_public_suffix(&domain) {
        return Err(Contradiction::DomainIsPublicSuffix { domain: as_given() });
    }
    Ok(domain)
}

/// A host whose last label is a number is an IPv4 address to a browser, or no host at all (URL
/// standard, "ends in a number").
fn is_ip_address(domain: &str) -> bool {
    let unbracketed = domain.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let last = domain.rsplit('.').next().unwrap_or(domain);
    unbracketed.unwrap_or(domain).parse::<Ipv6Addr>().is_ok() || is_number(last)
}

fn is_number(label: &str) -> bool {
    match label.strip_prefix("0x") {
        Some(digits) => digits.bytes().all(|octet| octet.is_ascii_hexdigit()),
        None => !label.is_empty() && label.bytes().all(|octet| octet.is_ascii_digit()),
    }
}

fn is_label(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label.bytes().all(|octet| octet.is_ascii_alphanumeric() || octet == b'-')
}
