//! The names of things: what a store looks up, what people see, and whose session it is.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::error::StoreError;

/// Two bytes that decide where a record lives in a store that is split into slots.
///
/// A session and its user's index share a route, so that both change in one atomic step.
/// Stores without slots use [`Route::NONE`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Route([u8; 2]);

impl Route {
    /// No route: every record lives in one place.
    pub const NONE: Self = Self([0, 0]);

    /// The route of these two bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 2]) -> Self {
        Self(bytes)
    }

    /// The two bytes.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; 2] {
        self.0
    }
}

/// What a store looks a session up by: two route bytes and 30 bytes of a digest of the token.
///
/// Whoever reads a key cannot compute the token from it, so a leaked store opens nothing.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key([u8; 32]);

impl Key {
    /// Length in bytes.
    pub const LEN: usize = 32;

    /// The key with these bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The key of a token digest on a route; the last two bytes of the digest are left out.
    #[must_use]
    pub fn from_digest(route: Route, digest: &[u8; 32]) -> Self {
        let mut bytes = [0; 32];
        let places = bytes.iter_mut();
        let values = route.0.iter().chain(digest.iter());
        for (place, value) in places.zip(values) {
            *place = *value;
        }
        Self(bytes)
    }

    /// All 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The first two bytes.
    #[must_use]
    pub const fn route(&self) -> Route {
        let [first, second, ..] = self.0;
        Route([first, second])
    }
}

/// Shows the first four digest bytes: enough to tell keys apart, too little to look one up.
impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [_, _, a, b, c, d, ..] = self.0;
        write!(f, "Key({a:02x}{b:02x}{c:02x}{d:02x}..)")
    }
}

/// The public name of a session, for logs, device lists and operators. It opens nothing.
///
/// Two route bytes and 128 random bits; new at every change of user, stable under renewal.
/// Its text form is 36 hexadecimal digits.
///
/// ```
/// use cloakroom_store::SessionId;
///
/// let id = SessionId::from_bytes([7; 18]);
/// assert_eq!(id.to_string().parse::<SessionId>().unwrap(), id);
/// assert!("not an id".parse::<SessionId>().is_err());
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId([u8; 18]);

impl SessionId {
    /// Length in bytes.
    pub const LEN: usize = 18;

    /// The session id with these bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 18]) -> Self {
        Self(bytes)
    }

    /// All 18 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 18] {
        &self.0
    }

    /// The first two bytes.
    #[must_use]
    pub const fn route(&self) -> Route {
        let [first, second, ..] = self.0;
        Route([first, second])
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SessionId({self})")
    }
}

impl FromStr for SessionId {
    type Err = StoreError;

    fn from_str(text: &str) -> Result<Self, StoreError> {
        let refused = || StoreError::refused("a session id is 36 hexadecimal digits");
        if text.len() != 2 * Self::LEN || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(refused());
        }
        let mut bytes = [0; Self::LEN];
        for (byte, digits) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
            let digits = std::str::from_utf8(digits).map_err(|_| refused())?;
            *byte = u8::from_str_radix(digits, 16).map_err(|_| refused())?;
        }
        Ok(Self(bytes))
    }
}

/// The longest [`UserId`] in bytes: fits every engine's index and every identifier in use.
pub const USER_ID_MAX: usize = 255;

/// The opaque id of the person or service account that a session belongs to.
///
/// One to [`USER_ID_MAX`] bytes of text without control characters. Cheap to clone.
///
/// ```
/// use cloakroom_store::UserId;
///
/// assert_eq!(UserId::try_from("ada").unwrap().as_str(), "ada");
/// assert_eq!(UserId::from(42u64).as_str(), "42");
/// assert!(UserId::try_from("").is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UserId(Arc<str>);

impl UserId {
    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<&str> for UserId {
    type Error = StoreError;

    fn try_from(text: &str) -> Result<Self, StoreError> {
        if text.is_empty() || text.len() > USER_ID_MAX || text.chars().any(char::is_control) {
            return Err(StoreError::refused(
                "a user id is 1 to 255 bytes of text without control characters",
            ));
        }
        Ok(Self(text.into()))
    }
}

impl TryFrom<String> for UserId {
    type Error = StoreError;

    fn try_from(text: String) -> Result<Self, StoreError> {
        Self::try_from(text.as_str())
    }
}

impl TryFrom<&String> for UserId {
    type Error = StoreError;

    fn try_from(text: &String) -> Result<Self, StoreError> {
        Self::try_from(text.as_str())
    }
}

impl From<&Self> for UserId {
    fn from(id: &Self) -> Self {
        id.clone()
    }
}

macro_rules! user_id_from_integer {
    ($($integer:ty),*) => {$(
        impl From<$integer> for UserId {
            fn from(number: $integer) -> Self {
                Self(number.to_string().into())
            }
        }
    )*};
}
user_id_from_integer!(i32, i64, i128, u32, u64, u128);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_keeps_the_route_and_thirty_digest_bytes() {
        let key = Key::from_digest(Route::from_bytes([1, 2]), &[9; 32]);

        assert_eq!(key.route().to_bytes(), [1, 2]);
        assert_eq!(key.as_bytes()[2..], [9; 30]);
    }

    #[test]
    fn a_key_does_not_print_whole() {
        let text = format!("{:?}", Key::from_bytes([0xab; 32]));

        assert_eq!(text, "Key(abababab..)");
    }

    #[test]
    fn a_user_id_is_refused_beyond_its_limit_and_with_control_characters() {
        assert!(UserId::try_from("u".repeat(USER_ID_MAX)).is_ok());
        assert!(UserId::try_from("u".repeat(USER_ID_MAX + 1)).is_err());
        assert!(UserId::try_from("a\nb").is_err());
    }
}
