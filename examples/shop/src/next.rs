//! Where to go after signing in: a place in this shop and nowhere else.

use serde::Deserialize;

/// A path of this shop. Whatever else a form or an address says becomes the front page.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub(crate) struct Next(String);

impl Next {
    pub(crate) fn path(&self) -> &str {
        &self.0
    }
}

impl Default for Next {
    fn default() -> Self {
        Self("/".to_owned())
    }
}

impl From<String> for Next {
    fn from(text: String) -> Self {
        if is_own_path(&text) { Self(text) } else { Self::default() }
    }
}

/// Browsers read `//host` and `/\host` as another host, and skip tabs and line ends first.
fn is_own_path(text: &str) -> bool {
    let plain = text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    plain && text.starts_with('/') && !text.starts_with("//")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_of_this_shop_are_followed() {
        for path in ["/", "/account", "/checkout?x=1#y", "/a//b"] {
            assert_eq!(Next::from(path.to_owned()).path(), path);
        }
        let foreign = [
            "",
            "account",
            "//evil.example",
            "/\\evil.example",
            "/\t/evil.example",
            "\\/evil.example",
            "https://evil.example/",
            "javascript:alert(1)",
            "/a\r\nSet-Cookie: b=c",
            "/caf\u{e9}",
        ];
        for text in foreign {
            assert_eq!(Next::from(text.to_owned()), Next::default(), "{text:?}");
        }
    }
}
