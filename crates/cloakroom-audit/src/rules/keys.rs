//! Signatures made with keys that everybody knows: I07.

use crate::finding::{Answer, Severity};
use crate::flaw::{Flaw, each_line, sessions};
use crate::observed::Observed;
use crate::remedies;
use crate::rule::{Needs, Rule};
use crate::tokens;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;
use sha2::{Digest as _, Sha256, Sha384, Sha512};

/// Keys of examples, templates and default configurations, tried offline.
const KNOWN_KEYS: [&str; 28] = [
    "secret",
    "changeme",
    "change-me",
    "changeit",
    "password",
    "key",
    "dev",
    "development",
    "test",
    "keyboard cat",
    "your-256-bit-secret",
    "your-secret-key",
    "your_secret_key",
    "secret-key",
    "secret_key",
    "SECRET_KEY",
    "secretkey",
    "supersecret",
    "super-secret",
    "super secret key",
    "mysecret",
    "mysecretkey",
    "shhhhh",
    "s3cr3t",
    "1234567890",
    "thisisasecret",
    "CHANGE_ME_TO_A_COMPLEX_RANDOM_SECRET",
    "thisISaSECRET_1234",
];

pub(super) const KNOWN_KEY: Rule = Rule {
    id: "I07",
    title: "Signed with a key that everybody knows",
    severity: Severity::Critical,
    needs: Needs::Responses,
    what: "The key that signs a session is random and known to the server alone.",
    why: "With the key anybody writes themselves a session of any user.",
    how: "Web tokens and the signed cookies of Flask, Django and Express are checked, without asking the site, against the keys of examples and default configurations. Silence means that it is none of those.",
    source: "CWE-798; CWE-1394; CVE-2023-27524",
    remedies: remedies::KEY,
    judge: known_key,
};

fn known_key(observed: &Observed) -> Answer {
    let signed = |line: &crate::line::Line| {
        sessions(line)
            && tokens::unescaped(&line.value).is_some_and(|text| Signed::read(&text).is_some())
    };
    if observed.setting().next().is_some() && !observed.setting().any(signed) {
        return crate::flaw::not_decided("no session has a signature of a known form");
    }
    each_line(observed, signed, |line, _| {
        let text = tokens::unescaped(&line.value)?;
        let signed = Signed::read(&text)?;
        let key = KNOWN_KEYS.iter().position(|key| signed.is_by(key.as_bytes()))?;
        let seen =
            format!("{} is signed with number {} of the well-known keys", signed.form(), key + 1);
        Some(Flaw::new(Severity::Critical, seen, "a random key of 256 bits"))
    })
}

/// What is signed, and the signature.
enum Signed<'t> {
    Jwt {
        algorithm: String,
        text: &'t str,
        signature: Vec<u8>,
    },
    /// `payload.time.signature`, as Flask and Django write them.
    Timed {
        text: &'t str,
        signature: Vec<u8>,
    },
    /// `s:value.signature`.
    Express {
        text: &'t str,
        signature: &'t str,
    },
}

impl<'t> Signed<'t> {
    fn read(text: &'t str) -> Option<Self> {
        if let Some(rest) = text.strip_prefix("s:") {
            let (text, signature) = rest.rsplit_once('.')?;
            return (signature.len() == 43).then_some(Self::Express { text, signature });
        }
        let separator = if text.matches(':').count() == 2 { ':' } else { '.' };
        let (signed, signature) = text.rsplit_once(separator)?;
        let signature = tokens::decoded(signature)?;
        if separator == '.' && signed.matches('.').count() == 1 {
            let header = tokens::decoded(signed.split('.').next()?).unwrap_or_default();
            let header: Option<serde_json::Value> = serde_json::from_slice(&header).ok();
            let algorithm = header.and_then(|header| Some(header.get("alg")?.as_str()?.to_owned()));
            if let Some(algorithm) = algorithm {
                return Some(Self::Jwt { algorithm, text: signed, signature });
            }
        }
        let is_digest = matches!(signature.len(), 20 | 32);
        (is_digest && signed.contains(separator)).then_some(Self::Timed { text: signed, signature })
    }

    const fn form(&self) -> &'static str {
        match self {
            Self::Jwt { .. } => "the web token",
            Self::Timed { .. } => "the signed value",
            Self::Express { .. } => "the signed identifier",
        }
    }

    fn is_by(&self, key: &[u8]) -> bool {
        match self {
            Self::Jwt { algorithm, text, signature } => match algorithm.as_str() {
                "HS256" => mac256(key, text.as_bytes()) == *signature,
                "HS384" => mac384(key, text.as_bytes()) == *signature,
                "HS512" => mac512(key, text.as_bytes()) == *signature,
                _ => false,
            },
            Self::Timed { text, signature } => {
                let derived = mac1(key, b"cookie-session");
                let salt = b"django.contrib.sessions.backends.signed_cookiessigner";
                let django = Sha256::digest([salt.as_slice(), key].concat());
                mac1(&derived, text.as_bytes()) == *signature
                    || mac256(&django, text.as_bytes()) == *signature
            }
            Self::Express { text, signature } => {
                tokens::encoded_standard(&mac256(key, text.as_bytes())) == *signature
            }
        }
    }
}

macro_rules! mac {
    ($name:ident, $digest:ty) => {
        fn $name(key: &[u8], text: &[u8]) -> Vec<u8> {
            // An HMAC takes a key of any length.
            let Ok(mut mac) = <Hmac<$digest>>::new_from_slice(key) else { return Vec::new() };
            mac.update(text);
            mac.finalize().into_bytes().to_vec()
        }
    };
}
mac!(mac1, Sha1);
mac!(mac256, Sha256);
mac!(mac384, Sha384);
mac!(mac512, Sha512);

#[cfg(test)]
mod tests {
    use super::*;

    fn number_of_the_key(text: &str) -> Option<usize> {
        let signed = Signed::read(text)?;
        KNOWN_KEYS.iter().position(|key| signed.is_by(key.as_bytes()))
    }

    #[test]
    fn a_web_token_of_the_usual_example_is_recognised() {
        let token = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.\
            eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9lIiwiaWF0IjoxNTE2MjM5MDIyfQ.\
            SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c";

        assert_eq!(KNOWN_KEYS[number_of_the_key(token).unwrap()], "your-256-bit-secret");
    }

    #[test]
    fn an_identifier_of_express_is_recognised_by_its_key_alone() {
        let sign = |key: &[u8]| {
            let mac = tokens::encoded_standard(&mac256(key, b"kPZr31LkP0vTn5YxBm2Wgq8"));
            format!("s:kPZr31LkP0vTn5YxBm2Wgq8.{mac}")
        };

        assert_eq!(KNOWN_KEYS[number_of_the_key(&sign(b"keyboard cat")).unwrap()], "keyboard cat");
        assert_eq!(number_of_the_key(&sign(b"Zr31LkP0vTn5YxBm2Wgq8kPZr31")), None);
    }

    #[test]
    fn a_value_of_flask_is_recognised() {
        let text = "eyJ1c2VyIjo3fQ.ZzAbCd";
        let mac =
            tokens::encoded_standard(&mac1(&mac1(b"dev", b"cookie-session"), text.as_bytes()));

        assert_eq!(KNOWN_KEYS[number_of_the_key(&format!("{text}.{mac}")).unwrap()], "dev");
    }
}
