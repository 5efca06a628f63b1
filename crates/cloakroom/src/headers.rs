//! The headers room: caching follows from what the response knows of the visitor.

use http::header::{CACHE_CONTROL, VARY};
use http::{HeaderMap, HeaderValue};

/// What a response may tell of its visitor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    /// The handler did not ask.
    Nothing,
    /// There is no user.
    Anonymous,
    /// There is a user.
    SignedIn,
}

/// Keeps what belongs to one visitor out of shared caches (ASVS 5.0 14.3.2): a `Set-Cookie` does not
/// by itself stop a cache.
pub(crate) fn put_caching(headers: &mut HeaderMap, sets_cookie: bool, seen: Seen) {
    let own = headers.contains_key(CACHE_CONTROL);
    match (sets_cookie, seen, own) {
        (true, _, _) | (false, Seen::SignedIn, false) => {
            headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        }
        (false, Seen::Anonymous, own) => {
            if !own {
                headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
            }
            vary_by_cookie(headers);
        }
        (false, Seen::SignedIn, true) | (false, Seen::Nothing, _) => {}
    }
}

/// A header value that debug output leaves out.
pub(crate) fn sensitive(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

fn vary_by_cookie(headers: &mut HeaderMap) {
    let mut names = headers.get_all(VARY).iter().filter_map(|value| value.to_str().ok());
    let varies = names.any(|names| {
        names
            .split(',')
            .any(|name| matches!(name.trim(), "*") || name.trim().eq_ignore_ascii_case("cookie"))
    });
    if !varies {
        headers.append(VARY, HeaderValue::from_static("Cookie"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caching(own: Option<&'static str>, sets_cookie: bool, seen: Seen) -> (String, bool) {
        let mut headers = HeaderMap::new();
        if let Some(own) = own {
            headers.insert(CACHE_CONTROL, HeaderValue::from_static(own));
        }
        put_caching(&mut headers, sets_cookie, seen);
        let text = |name| headers.get(name).map_or("", |value| value.to_str().unwrap()).to_owned();
        (text(CACHE_CONTROL), headers.contains_key(VARY))
    }

    #[test]
    fn caching_follows_the_table() {
        let own = "public, max-age=60";
        let public = Some(own);
        let no_store = ("no-store".to_owned(), false);
        for seen in [Seen::Nothing, Seen::Anonymous, Seen::SignedIn] {
            assert_eq!(caching(public, true, seen), no_store);
            assert_eq!(caching(None, true, seen), no_store);
        }
        assert_eq!(caching(None, false, Seen::SignedIn), no_store);
        assert_eq!(caching(public, false, Seen::SignedIn), (own.to_owned(), false));
        assert_eq!(caching(None, false, Seen::Anonymous), ("private, no-cache".to_owned(), true));
        assert_eq!(caching(public, false, Seen::Anonymous), (own.to_owned(), true));
        assert_eq!(caching(None, false, Seen::Nothing), (String::new(), false));
    }

    #[test]
    fn vary_is_said_once() {
        let mut headers = HeaderMap::new();
        headers.insert(VARY, HeaderValue::from_static("Accept, cookie"));

        put_caching(&mut headers, false, Seen::Anonymous);

        assert_eq!(headers.get_all(VARY).iter().count(), 1);
    }
}
