//! The ticket room: what stands in the cookie, and the key it leads to.
//!
//! A ticket is base64url without padding: 22 characters for 128 random bits, or 24 where the store
//! has routes. Nothing in it is a reference to anything the client could choose: a value of another
//! shape is not ours, and one of this shape that no store knows is an anonymous visitor.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroize as _;

use crate::entropy;
use crate::store::{Key, Route, StoreError};

/// The random part of a token in bytes: 128 bits (ASVS 5.0 7.2.3).
const SECRET: usize = 16;
/// A secret and two route bytes.
const ROUTED: usize = SECRET + 2;

/// The secret that the browser holds. Whoever holds it is the session.
pub(crate) struct Token {
    bytes: [u8; ROUTED],
    routed: bool,
}

impl Token {
    /// A new token for a session on `route`.
    pub(crate) fn mint(route: Route) -> Result<Self, StoreError> {
        let mut secret = entropy::bytes::<SECRET>()?;
        let mut bytes = [0; ROUTED];
        for (place, byte) in bytes.iter_mut().zip(secret.iter().chain(&route.to_bytes())) {
            *place = *byte;
        }
        secret.zeroize();
        Ok(Self { bytes, routed: route != Route::NONE })
    }

    /// The token of a ticket, if the value has the shape of one.
    pub(crate) fn parse(ticket: &[u8]) -> Option<Self> {
        let routed = match ticket.len() {
            22 => false,
            24 => true,
            _ => return None,
        };
        let mut token = Self { bytes: [0; ROUTED], routed };
        let place = if routed { ROUTED } else { SECRET };
        let read = URL_SAFE_NO_PAD.decode_slice(ticket, token.bytes.get_mut(..place)?).ok()?;
        (read == place).then_some(token)
    }

    /// What a store looks the session up by.
    pub(crate) fn key(&self) -> Key {
        let mut digest: [u8; 32] = Sha256::digest(self.significant()).into();
        let [.., first, second] = self.bytes;
        let route = if self.routed { Route::from_bytes([first, second]) } else { Route::NONE };
        let key = Key::from_digest(route, &digest);
        digest.zeroize();
        key
    }

    /// The text for the cookie.
    pub(crate) fn ticket(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.significant())
    }

    fn significant(&self) -> &[u8] {
        let len = if self.routed { ROUTED } else { SECRET };
        self.bytes.get(..len).unwrap_or_default()
    }
}

impl Drop for Token {
    fn drop(&mut self) {
        self.bytes.zeroize();
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_leads_back_to_its_key() {
        for route in [Route::NONE, Route::from_bytes([3, 4])] {
            let token = Token::mint(route).unwrap();
            let ticket = token.ticket();

            let parsed = Token::parse(ticket.as_bytes()).unwrap();

            assert_eq!(parsed.key(), token.key());
            assert_eq!(token.key().route(), route);
            assert_eq!(ticket.len(), if route == Route::NONE { 22 } else { 24 });
        }
    }

    #[test]
    fn values_of_another_shape_are_not_ours() {
        let last_bits_set = b"AAAAAAAAAAAAAAAAAAAAAB";
        let standard_alphabet = b"AAAAAAAAAAAAAAAAAAAA+/";
        let padded = b"AAAAAAAAAAAAAAAAAAAAAA==";
        for bad in [&b""[..], b"AAAA", last_bits_set, standard_alphabet, padded, &[0xff; 22]] {
            assert!(Token::parse(bad).is_none());
        }
        assert!(Token::parse(&[b'A'; 8192]).is_none());
    }

    #[test]
    fn every_token_is_another_one() {
        let keys: std::collections::BTreeSet<_> =
            (0..1_000).map(|_| Token::mint(Route::NONE).unwrap().key()).collect();

        assert_eq!(keys.len(), 1_000);
    }

    #[test]
    fn every_bit_of_a_token_is_random() {
        let mint = || Token::mint(Route::NONE).unwrap().bytes;
        let tokens: Vec<[u8; ROUTED]> = (0..200).map(|_| mint()).collect();

        // The mean is 100 and the deviation 7: chance fails this once in 10^10 runs.
        for bit in 0..8 * SECRET {
            let ones = tokens.iter().filter(|bytes| bytes[bit / 8] >> (bit % 8) & 1 == 1).count();
            assert!((50..=150).contains(&ones), "bit {bit} is set in {ones} of 200 tokens");
        }
    }

    #[test]
    fn a_token_does_not_print() {
        let token = Token::mint(Route::NONE).unwrap();

        assert_eq!(format!("{token:?}"), "Token(..)");
    }
}
