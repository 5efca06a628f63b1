use serde_json::Value;

/// A cookie as the browser keeps it.
#[derive(Clone, Debug, PartialEq)]
pub struct Cookie {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
    /// The host it belongs to; with a leading dot if subdomains see it too.
    pub domain: String,
    /// The path it is sent for.
    pub path: String,
    /// Sent only over secure connections.
    pub secure: bool,
    /// Hidden from scripts.
    pub http_only: bool,
    /// `Strict`, `Lax` or `None`; no value if the server said nothing.
    pub same_site: Option<String>,
    /// When it expires, in seconds since 1970; no value for one that ends with the browser.
    pub expires: Option<f64>,
    /// It ends with the browser.
    pub session: bool,
    /// Bytes of name and value.
    pub size: u64,
    /// The top-level site that a partitioned cookie belongs to.
    pub partition: Option<String>,
}

impl Cookie {
    /// The cookies of a `getCookies` answer.
    pub(super) fn list(answer: &Value) -> Vec<Self> {
        array(answer, "cookies").map(Self::read).collect()
    }

    fn read(from: &Value) -> Self {
        let flag = |name| from.get(name).and_then(Value::as_bool).unwrap_or_default();
        let partition = from.pointer("/partitionKey/topLevelSite").and_then(Value::as_str);
        Self {
            name: text(from, "name").unwrap_or_default(),
            value: text(from, "value").unwrap_or_default(),
            domain: text(from, "domain").unwrap_or_default(),
            path: text(from, "path").unwrap_or_default(),
            secure: flag("secure"),
            http_only: flag("httpOnly"),
            same_site: text(from, "sameSite"),
            expires: from.get("expires").and_then(Value::as_f64).filter(|at| *at >= 0.0),
            session: flag("session"),
            size: from.get("size").and_then(Value::as_u64).unwrap_or_default(),
            partition: partition.map(str::to_owned),
        }
    }
}

/// A cookie that the browser did not store, or did not send, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedCookie {
    /// The `Set-Cookie` line of one that was not stored; the name of one that was not sent.
    pub cookie: String,
    /// Chromium's names for the reasons, as in `SecureOnly` or `SameSiteLax`.
    pub reasons: Vec<String>,
}

impl RefusedCookie {
    /// The refusals in the parameters of `Network.responseReceivedExtraInfo`.
    pub(super) fn not_stored(params: &Value) -> Vec<Self> {
        let line = |entry| text(entry, "cookieLine").unwrap_or_default();
        array(params, "blockedCookies").filter_map(|entry| Self::read(entry, line(entry))).collect()
    }

    /// The refusals in the parameters of `Network.requestWillBeSentExtraInfo`.
    pub(super) fn not_sent(params: &Value) -> Vec<Self> {
        let name = |entry: &Value| {
            entry.pointer("/cookie/name").and_then(Value::as_str).unwrap_or_default().to_owned()
        };
        array(params, "associatedCookies")
            .filter_map(|entry| Self::read(entry, name(entry)))
            .collect()
    }

    fn read(entry: &Value, cookie: String) -> Option<Self> {
        let reasons: Vec<_> = array(entry, "blockedReasons")
            .filter_map(|reason| reason.as_str().map(str::to_owned))
            .collect();
        (!reasons.is_empty()).then_some(Self { cookie, reasons })
    }
}

fn array<'a>(from: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    from.get(name).and_then(Value::as_array).into_iter().flatten()
}

fn text(from: &Value, name: &str) -> Option<String> {
    from.get(name).and_then(Value::as_str).map(str::to_owned)
}
