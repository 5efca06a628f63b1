//! How routes, digests and users are written in the names of keys.

use cloakroom_store::{Key, Route, SessionId, UserId};
use sha2::{Digest as _, Sha256};

/// The slots of a cluster.
pub(crate) const SLOTS: u16 = 16_384;

/// What the names of all keys of one store begin with.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    prefix: Box<str>,
}

impl Names {
    pub(crate) fn new(prefix: &str) -> Self {
        Self { prefix: prefix.into() }
    }

    /// The index of a route; its session keys begin with the same tag, so that they share a slot.
    pub(crate) fn ids(&self, route: Route) -> String {
        format!("{}ids", self.base(route))
    }

    /// The key of a session, a forwarder or an ending.
    pub(crate) fn session(&self, key: &Key) -> String {
        let mut name = self.base(key.route());
        push_digest(&mut name, key);
        name
    }

    /// The same, from its digest.
    pub(crate) fn session_of(&self, route: Route, digest: &str) -> String {
        let mut name = self.base(route);
        name.push_str(digest);
        name
    }

    /// What every name begins with that belongs to a session.
    pub(crate) fn all(&self) -> String {
        format!("{}:{{", self.prefix)
    }

    /// The key whose session, forwarder or ending has this name.
    pub(crate) fn session_named(&self, name: &[u8]) -> Option<Key> {
        let rest = name.strip_prefix(self.prefix.as_bytes())?.strip_prefix(b":{")?;
        let (tag, rest) = rest.split_at_checked(4)?;
        let digest = rest.strip_prefix(b"}:")?;
        let number = u16::from_str_radix(std::str::from_utf8(tag).ok()?, 16).ok()?;
        let mut bytes = Vec::with_capacity(32);
        bytes.extend_from_slice(&number.to_be_bytes());
        for group in digest.chunks(4) {
            let bits = group.iter().try_fold(0, |bits, byte| Some(bits << 6 | value_of(*byte)?))?;
            bytes.extend(u32::to_be_bytes(bits).into_iter().skip(1));
        }
        (digest.len() == DIGEST).then_some(())?;
        Some(Key::from_bytes(bytes.try_into().ok()?))
    }

    /// The secret that leads from users to routes.
    pub(crate) fn secret(&self) -> String {
        format!("{}:{{{META}}}:secret", self.prefix)
    }

    /// The stream of what ended.
    pub(crate) fn feed(&self) -> String {
        format!("{}:{{{META}}}:feed", self.prefix)
    }

    /// One bit for each route that may have something in it.
    pub(crate) fn routes(&self) -> String {
        format!("{}:{{{META}}}:routes", self.prefix)
    }

    fn base(&self, route: Route) -> String {
        let mut base = String::with_capacity(self.prefix.len() + 48);
        base.push_str(&self.prefix);
        base.push_str(":{");
        base.push_str(&tag(route));
        base.push_str("}:");
        base
    }
}

/// What the keys that belong to no session share.
const META: &str = "meta";

/// The slot of the keys that belong to no session.
pub(crate) fn meta_slot() -> u16 {
    slot_of(META.as_bytes())
}

/// The slot of a route in a cluster.
pub(crate) fn slot(route: Route) -> u16 {
    slot_of(tag(route).as_bytes())
}

/// How many characters a digest has.
const DIGEST: usize = 40;

/// The digest of a key as it stands in names and values: 40 characters of base64url.
pub(crate) fn digest(key: &Key) -> String {
    let mut text = String::with_capacity(DIGEST);
    push_digest(&mut text, key);
    text
}

/// How a session that is parted with names the key that takes over: enough to tell it from the
/// three others that one load can ask for.
pub(crate) fn mark(key: &Key) -> String {
    let mut text = digest(key);
    text.truncate(5);
    text.insert(0, '>');
    text
}

/// Where a user's sessions live, and four characters that tell the users of one route apart.
///
/// Both come from a secret hash: whoever reads the names of keys learns only which sessions share
/// one of 65,536 routes.
pub(crate) fn home(secret: &[u8; 32], user: &UserId) -> (Route, String) {
    let hash = Sha256::new().chain_update(secret).chain_update(user.as_str()).finalize();
    let mut bytes = hash.iter().copied();
    let mut next = || bytes.next().unwrap_or_default();
    let route = Route::from_bytes([next(), next()]);
    let mut tag = String::with_capacity(4);
    push_base64(&mut tag, &[next(), next(), next()]);
    (route, tag)
}

/// The same for a session that may have no user: then any route will do.
pub(crate) fn home_of(secret: &[u8; 32], user: Option<&UserId>) -> (Option<Route>, String) {
    match user {
        Some(user) => {
            let (route, tag) = home(secret, user);
            (Some(route), tag)
        }
        None => (None, NOBODY.to_owned()),
    }
}

/// The tag of a session without a user; no user has it, for it is shorter.
const NOBODY: &str = "-";

/// Every route of a number, for walks over all of them.
pub(crate) const fn route_at(number: u16) -> Route {
    Route::from_bytes(number.to_be_bytes())
}

/// The number of a route.
pub(crate) const fn number_of(route: Route) -> u16 {
    u16::from_be_bytes(route.to_bytes())
}

/// The id as it stands in names and values.
pub(crate) fn id(id: SessionId) -> String {
    id.to_string()
}

fn tag(route: Route) -> String {
    format!("{:04x}", number_of(route))
}

fn push_digest(text: &mut String, key: &Key) {
    let (_, digest) = key.as_bytes().split_at(2);
    push_base64(text, digest);
}

/// Base64url of a whole number of groups of three (RFC 4648 section 5).
fn push_base64(text: &mut String, bytes: &[u8]) {
    for group in bytes.chunks(3) {
        let bits = group.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte));
        for shift in [18, 12, 6, 0] {
            text.push(letter(bits >> shift & 63));
        }
    }
}

fn value_of(letter: u8) -> Option<u32> {
    let value = match letter {
        b'A'..=b'Z' => letter - b'A',
        b'a'..=b'z' => letter - b'a' + 26,
        b'0'..=b'9' => letter - b'0' + 52,
        b'-' => 62,
        b'_' => 63,
        _ => return None,
    };
    Some(u32::from(value))
}

fn letter(value: u32) -> char {
    let byte = match u8::try_from(value).unwrap_or(63) {
        value @ 0..26 => b'A' + value,
        value @ 26..52 => b'a' + (value - 26),
        value @ 52..62 => b'0' + (value - 52),
        62 => b'-',
        _ => b'_',
    };
    char::from(byte)
}

/// CRC16 (XMODEM), as the cluster specification has it.
fn slot_of(tag: &[u8]) -> u16 {
    let mut crc: u16 = 0;
    for byte in tag {
        crc ^= u16::from(*byte) << 8;
        for _ in 0..8 {
            crc = if crc & 0x8000 == 0 { crc << 1 } else { crc << 1 ^ 0x1021 };
        }
    }
    crc % SLOTS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slot_is_the_one_of_the_cluster_specification() {
        assert_eq!(slot_of(b"123456789"), 0x31c3);
        assert_eq!(slot_of(b"foo"), 12_182);
    }

    #[test]
    fn a_digest_is_base64url() {
        let mut bytes = [0xff; 32];
        bytes[2..5].copy_from_slice(b"Man");

        let text = digest(&Key::from_bytes(bytes));

        assert_eq!(text.len(), 40);
        assert!(text.starts_with("TWFu____"), "{text}");
    }

    #[test]
    fn every_key_of_a_route_has_its_tag() {
        let names = Names::new("shop");
        let key = Key::from_bytes([0x1f; 32]);

        assert_eq!(names.ids(key.route()), "shop:{1f1f}:ids");
        assert!(names.session(&key).starts_with("shop:{1f1f}:Hx8fHx"));
    }

    #[test]
    fn a_name_leads_back_to_its_key_and_other_names_to_none() {
        let names = Names::new("shop");
        let key = Key::from_bytes(std::array::from_fn(|at| u8::try_from(at * 8).unwrap()));
        let name = names.session(&key);

        assert_eq!(names.session_named(name.as_bytes()), Some(key));
        assert!(name.starts_with(&names.all()));
        let others = ["shop:{1f1f}:ids", "shop:{meta}:secret", "", "shop:{1f", "shop:{1f1f}:"];
        for other in
            others.map(str::to_owned).into_iter().chain([format!("{name}A"), format!("x{name}")])
        {
            assert_eq!(names.session_named(other.as_bytes()), None, "{other}");
        }
    }

    #[test]
    fn a_user_keeps_their_home_and_another_secret_leads_elsewhere() {
        let ada = UserId::try_from("ada").unwrap();

        assert_eq!(home(&[1; 32], &ada), home(&[1; 32], &ada));
        assert_ne!(home(&[1; 32], &ada), home(&[2; 32], &ada));
        assert_ne!(home(&[1; 32], &ada), home(&[1; 32], &UserId::from(1)));
    }
}
