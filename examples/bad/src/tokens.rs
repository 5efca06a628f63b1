//! What the browser holds: a token, or where that is broken a web token with it inside.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::site::Site;
use crate::switches::Bad;
use crate::table::{ABSOLUTE, Session};
use crate::{entropy, keys};

/// Stands before a token that is counted up: letters enough to look like any other.
const COUNTED: &str = "c0ffee5eed0fab1ecafe";
const KNOWN_KEY: &str = "secret";

/// Who a token is for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum For<'u> {
    Stranger,
    SignIn(&'u str),
    Renewal,
}

/// A token that nobody has.
pub(crate) fn mint(site: &Site, whom: For<'_>) -> String {
    let switches = &site.switches;
    let shared = match whom {
        For::Stranger => switches.has(Bad::I03).then_some(""),
        For::SignIn(user) => switches.has(Bad::M02).then_some(user),
        For::Renewal => None,
    };
    if let Some(name) = shared {
        let mut table = site.table();
        return table.shared.entry(name.to_owned()).or_insert_with(|| entropy::hex(16)).clone();
    }
    if switches.has(Bad::I01) {
        return entropy::hex(6);
    }
    if switches.has(Bad::I02) {
        return format!("{COUNTED}{:012x}", site.table().count());
    }
    entropy::hex(16)
}

/// The value of the session's cookie.
pub(crate) fn write(site: &Site, token: &str, session: &Session) -> String {
    if site.switches.has(Bad::I04) {
        return web_token(site, token, session);
    }
    if site.switches.has(Bad::C13) {
        let (one, other) = token.split_at(token.len() / 2);
        return format!("{one},{other}");
    }
    token.to_owned()
}

/// The token in a cookie's value, if it may be one.
pub(crate) async fn read(site: &Site, value: &str) -> Option<String> {
    if site.switches.has(Bad::I04) {
        return read_web_token(site, value).await;
    }
    if site.switches.has(Bad::C13) {
        return Some(value.replace(',', ""));
    }
    Some(value.to_owned())
}

fn web_token(site: &Site, token: &str, session: &Session) -> String {
    let mut claims = json!({ "sub": session.user, "sid": token });
    if let Some(claims) = claims.as_object_mut().filter(|_| !site.switches.has(Bad::J03)) {
        claims.insert("exp".to_owned(), json!(session.began + ABSOLUTE));
    }
    let header = json!({ "alg": "HS256", "typ": "JWT" });
    let text = format!("{}.{}", packed(&header), packed(&claims));
    let signature = BASE64.encode(signature(key(site), text.as_bytes()));
    format!("{text}.{signature}")
}

async fn read_web_token(site: &Site, value: &str) -> Option<String> {
    let (text, signed) = value.rsplit_once('.')?;
    let (header, claims) = text.split_once('.')?;
    let (header, claims) = (unpacked(header)?, unpacked(claims)?);
    let algorithm = header.get("alg")?.as_str()?;
    let signed = BASE64.decode(signed).ok()?;
    let is_unsigned =
        site.switches.has(Bad::J01) && algorithm.eq_ignore_ascii_case("none") && signed.is_empty();
    if !is_unsigned && !is_signed(site, &header, algorithm, text, &signed).await {
        return None;
    }
    let end = claims.get("exp").and_then(Value::as_u64);
    let is_over = end.is_some_and(|end| end <= site.now());
    let token = claims.get("sid")?.as_str()?;
    (!is_over || site.switches.has(Bad::J03)).then(|| token.to_owned())
}

async fn is_signed(
    site: &Site,
    header: &Value,
    algorithm: &str,
    text: &str,
    signed: &[u8],
) -> bool {
    if algorithm == "HS256" && signature(key(site), text.as_bytes()) == signed {
        return true;
    }
    // Whatever is behind the address: to ask there at all is the defect.
    let from = header.get("jku").or_else(|| header.get("x5u")).and_then(Value::as_str);
    let Some(from) = from.filter(|_| site.switches.has(Bad::J02)) else { return false };
    let found = keys::fetch(from).await.unwrap_or_default();
    found.iter().any(|key| signature(key, text.as_bytes()) == signed)
}

fn key(site: &Site) -> &[u8] {
    if site.switches.has(Bad::I07) { KNOWN_KEY.as_bytes() } else { site.key.as_bytes() }
}

fn signature(key: &[u8], text: &[u8]) -> Vec<u8> {
    // An HMAC takes a key of any length.
    let Ok(mut mac) = <Hmac<Sha256>>::new_from_slice(key) else { return Vec::new() };
    mac.update(text);
    mac.finalize().into_bytes().to_vec()
}

fn packed(value: &Value) -> String {
    BASE64.encode(value.to_string())
}

fn unpacked(text: &str) -> Option<Value> {
    serde_json::from_slice(&BASE64.decode(text).ok()?).ok()
}
