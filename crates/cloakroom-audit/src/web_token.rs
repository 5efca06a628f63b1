//! A JSON web token in a cookie, as far as it is read and rewritten here (RFC 7519).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

/// A token in its three parts.
#[derive(Clone)]
pub(crate) struct WebToken {
    head: Map<String, Value>,
    claims: Map<String, Value>,
    payload: String,
    signature: String,
}

impl WebToken {
    /// The token, if the value is one: two JSON objects and a signature, in base64url with dots.
    pub(crate) fn read(value: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(value).ok()?;
        let mut parts = text.split('.');
        let (head, payload, signature) = (parts.next()?, parts.next()?, parts.next()?);
        let object =
            |part: &str| match serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()? {
                Value::Object(object) => Some(object),
                Value::Null
                | Value::Bool(_)
                | Value::Number(_)
                | Value::String(_)
                | Value::Array(_) => None,
            };
        let token = Self {
            head: object(head).filter(|head| head.contains_key("alg"))?,
            claims: object(payload)?,
            payload: payload.to_owned(),
            signature: signature.to_owned(),
        };
        parts.next().is_none().then_some(token)
    }

    /// `exp`, in seconds since the Unix epoch.
    pub(crate) fn end(&self) -> Option<u64> {
        let end = self.claims.get("exp")?;
        end.as_u64().or_else(|| end.as_f64().map(|end| end.max(0.0) as u64))
    }

    /// The same claims under another head, with this signature.
    pub(crate) fn with(&self, changes: &[(&str, Value)], signature: &str) -> String {
        let mut head = self.head.clone();
        for (name, value) in changes {
            head.insert((*name).to_owned(), value.clone());
        }
        let head = URL_SAFE_NO_PAD.encode(Value::Object(head).to_string());
        format!("{head}.{}.{signature}", self.payload)
    }

    /// The signature with its first octet turned over: no longer that of any key in use.
    pub(crate) fn wrong_signature(&self) -> String {
        let mut octets = URL_SAFE_NO_PAD.decode(&self.signature).unwrap_or_default();
        match octets.first_mut() {
            Some(first) => *first ^= 0xff,
            None => octets.push(0),
        }
        URL_SAFE_NO_PAD.encode(octets)
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
        assert_eq!(read.with(&[], "AAAA").as_bytes(), token);
        assert_eq!(
            read.with(&[("alg", "none".into())], ""),
            "eyJhbGciOiJub25lIn0.eyJleHAiOjE3MDAwMDAwMDB9."
        );
        assert_eq!(read.wrong_signature(), "_wAA");
        for other in
            ["", "a.b.c", "eyJhbGciOiJIUzI1NiJ9.eyJleHAiOjE3MDAwMDAwMDB9", "q8Zr31LkP0vTn5YxBm2Wgk"]
        {
            assert!(WebToken::read(other.as_bytes()).is_none(), "{other}");
        }
    }
}
