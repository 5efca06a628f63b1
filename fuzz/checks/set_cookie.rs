//! Any name and value that are accepted make one `Set-Cookie` line that says just that.

use cloakroom_cookie::{CookieDefinition, CookieName, NAME_AND_VALUE_MAX, pairs};

pub(crate) fn holds(input: (&str, &str, &str, &str, u64)) {
    let (name, value, path, domain, now) = input;
    let Ok(name) = CookieName::parse(name) else { return };
    let wanted = name.as_str().to_owned();
    let mut builder = CookieDefinition::builder(name);
    if !path.is_empty() {
        builder = builder.path(path);
    }
    if !domain.is_empty() {
        builder = builder.domain(domain);
    }
    let Ok(definition) = builder.build() else { return };

    for line in definition.set(value, now).ok().into_iter().chain([definition.delete()]) {
        let line = line.into_string();
        assert!(line.bytes().all(|octet| octet == b' ' || octet.is_ascii_graphic()), "{line}");
        let pair = pairs(line.as_bytes()).next().expect("a name and a value");
        assert_eq!(pair.name(), wanted.as_bytes());
        assert!(pair.name().len() + pair.value().len() <= NAME_AND_VALUE_MAX);
        assert!(pair.value().is_empty() || pair.value() == value.as_bytes(), "{line}");
        let attributes = line.split("; ").skip(1);
        for attribute in attributes {
            let (key, _) = attribute.split_once('=').unwrap_or((attribute, ""));
            let known = ["Path", "Domain", "Max-Age", "Expires", "Secure", "HttpOnly", "SameSite"];
            assert!(known.contains(&key) || key == "Partitioned", "{line}");
        }
    }
}
