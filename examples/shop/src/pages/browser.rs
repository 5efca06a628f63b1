//! What a browser calls itself, in short. It may say anything, so nothing depends on it.

/// A sign in the user agent, and what it stands for. The first one that is found counts: most
/// browsers also name those that they want to be taken for.
type Signs = [(&'static str, &'static str)];

const BROWSERS: &Signs = &[
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("CriOS/", "Chrome"),
    ("Safari/", "Safari"),
    ("curl/", "curl"),
];

const SYSTEMS: &Signs = &[
    ("iPhone", "an iPhone"),
    ("iPad", "an iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "a Mac"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
];

pub(super) fn name(user_agent: Option<&str>) -> String {
    let text = user_agent.unwrap_or_default();
    match (find(BROWSERS, text), find(SYSTEMS, text)) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(browser), None) => browser.to_owned(),
        (None, Some(system)) => format!("A browser on {system}"),
        (None, None) => "A browser without a name".to_owned(),
    }
}

fn find(signs: &Signs, text: &str) -> Option<&'static str> {
    signs.iter().find(|(sign, _)| text.contains(sign)).map(|(_, name)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_are_told_apart_by_what_only_they_say() {
        let rows = [
            (
                "Mozilla/5.0 (X11; Linux x86_64; rv:148.0) Gecko/20100101 Firefox/148.0",
                "Firefox on Linux",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0) Chrome/156.0 Safari/537.36 Edg/156.0",
                "Edge on Windows",
            ),
            (
                "Mozilla/5.0 (Linux; Android 16) Chrome/156.0 Mobile Safari/537.36",
                "Chrome on Android",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU OS 26_0 like Mac OS X) Version/26.0 Safari/604.1",
                "Safari on an iPhone",
            ),
            ("curl/8.20.0", "curl"),
            ("", "A browser without a name"),
        ];
        for (user_agent, expected) in rows {
            assert_eq!(name(Some(user_agent)), expected);
        }
    }
}
