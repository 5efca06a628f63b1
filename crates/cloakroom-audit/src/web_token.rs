//! A JSON web token in a cookie, as far as it is read and rewritten here (RFC 7519).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

/// A token in its parts.
#[derive(Clone)]
pub(crate) struct WebToken {
    claims: Map<String, Value>,
}

impl WebToken {
    /// The token, if the value is one: two JSON objects and a signature, in base64url with dots.
    pub(crate) fn read(value: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(value).ok()?;
        let mut parts = text.split('.');
        let (head, payload, _) = (parts.next()?, parts.next()?, parts.next()?);
        let object =
            |part: &str| match serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()? {
                Value::Object(object) => Some(object),
                Value::Null
                | Value::Bool(_)
                | Value::Number(_)
                | Value::String(_)
                | Value::Array(_) => None,
            };
        let is_head = object(head).is_some_and(|head| head.contains_key("alg"));
        let claims = object(payload)?;
        (is_head && parts.next().is_none()).then_some(Self { claims })
    }

    /// `exp`, in seconds since the Unix epoch.
    pub(crate) fn end(&self) -> Option<u64> {
        let end = self.claims.get("exp")?;
        end.as_u64().or_else(|| end.as_f64().map(|end| end.max(0.0) as u64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_and_nothing_else_is() {
        let token = b"eyJhbGciOiJIUzI1NiJ9.eyJleHAiOjE3MDAwMDAwMDB9.AAAA";

        let read = WebToken::read(token).unwrap();

        assert_eq!(read.end(), Some(1_700_000_000));
        for other in
            ["", "a.b.c", "eyJhbGciOiJIUzI1NiJ9.eyJleHAiOjE3MDAwMDAwMDB9", "q8Zr31LkP0vTn5YxBm2Wgk"]
        {
            assert!(WebToken::read(other.as_bytes()).is_none(), "{other}");
        }
    }
}
