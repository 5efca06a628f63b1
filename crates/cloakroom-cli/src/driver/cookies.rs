//! Cookies as the developer tools write them, and as `Set-Cookie` lines.

use cloakroom_audit::Driven;
use serde_json::{Value, json};

/// A cookie of the browser: where it would have been set, and the line.
pub(super) fn driven(cookie: &Value, now: u64) -> Option<Driven> {
    let text = |key: &str| cookie.get(key).and_then(Value::as_str);
    let flag = |key: &str| cookie.get(key).and_then(Value::as_bool).unwrap_or_default();
    let (name, value, domain, path) =
        (text("name")?, text("value")?, text("domain")?, text("path")?);
    let host = domain.trim_start_matches('.');
    let scheme =
        if flag("secure") || text("sourceScheme") == Some("Secure") { "https" } else { "http" };
    let mut line = format!("{name}={value}; Path={path}");
    if domain.starts_with('.') {
        line.push_str(&format!("; Domain={host}"));
    }
    // It is -1 for a cookie that ends with the browser.
    if let Some(expires) =
        cookie.get("expires").and_then(Value::as_f64).filter(|expires| *expires > 0.0)
    {
        line.push_str(&format!("; Max-Age={}", (expires - now as f64).ceil() as i64));
    }
    for (key, attribute) in [("secure", "; Secure"), ("httpOnly", "; HttpOnly")] {
        if flag(key) {
            line.push_str(attribute);
        }
    }
    if let Some(same_site) = text("sameSite") {
        line.push_str(&format!("; SameSite={same_site}"));
    }
    Some(Driven { url: format!("{scheme}://{host}{path}"), line: line.into_bytes() })
}

/// What plants a cookie in the browser.
pub(super) fn planted(cookie: &Driven) -> Value {
    let line = String::from_utf8_lossy(&cookie.line);
    let mut parts = line.split("; ");
    let (name, value) = parts.next().and_then(|pair| pair.split_once('=')).unwrap_or_default();
    let mut parameters = json!({"url": cookie.url, "name": name, "value": value});
    for part in parts {
        let (key, value) = match part.split_once('=') {
            Some(("Path", path)) => ("path", json!(path)),
            Some(("Domain", domain)) => ("domain", json!(format!(".{domain}"))),
            Some(("SameSite", same_site)) => ("sameSite", json!(same_site)),
            None if part == "Secure" => ("secure", json!(true)),
            None if part == "HttpOnly" => ("httpOnly", json!(true)),
            Some(_) | None => continue,
        };
        if let Some(parameters) = parameters.as_object_mut() {
            parameters.insert(key.to_owned(), value);
        }
    }
    parameters
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(cookie: &Value) -> (String, String) {
        let driven = driven(cookie, 1_000).unwrap();
        (driven.url, String::from_utf8(driven.line).unwrap())
    }

    #[test]
    fn a_cookie_of_the_browser_keeps_all_its_attributes() {
        let session = json!({"name": "id", "value": "7", "domain": "shop.example", "path": "/", "expires": -1,
            "httpOnly": true, "secure": true, "session": true, "sameSite": "Lax"});
        let kept = json!({"name": "seen", "value": "", "domain": ".shop.example", "path": "/a", "expires": 1059.5,
            "httpOnly": false, "secure": false, "session": false});

        assert_eq!(
            line(&session),
            (
                "https://shop.example/".to_owned(),
                "id=7; Path=/; Secure; HttpOnly; SameSite=Lax".to_owned()
            )
        );
        assert_eq!(
            line(&kept),
            (
                "http://shop.example/a".to_owned(),
                "seen=; Path=/a; Domain=shop.example; Max-Age=60".to_owned()
            )
        );
    }

    #[test]
    fn a_cookie_that_is_planted_says_the_same_to_the_browser() {
        let line =
            b"id=a=b; Path=/x; Domain=shop.example; Max-Age=60; Secure; HttpOnly; SameSite=None"
                .to_vec();
        let cookie = Driven { url: "https://shop.example/".to_owned(), line };

        let expected = json!({"url": "https://shop.example/", "name": "id", "value": "a=b", "path": "/x",
            "domain": ".shop.example", "secure": true, "httpOnly": true, "sameSite": "None"});
        assert_eq!(planted(&cookie), expected);
    }
}
