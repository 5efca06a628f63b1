use super::wire::Event;
use serde_json::Value;
use std::collections::HashMap;

/// Where a navigation ended, after all redirects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visit {
    /// The address of the document, without its fragment.
    pub url: String,
    /// The status of the main document; `None` if none was fetched, as for `about:blank` or a
    /// page restored from memory.
    pub status: Option<u16>,
    /// The page came back from memory as it was left (back/forward cache).
    pub restored: bool,
}

/// Follows the events of a page from the start of a navigation to the load of its last document.
#[derive(Debug, Default)]
pub(super) struct Navigation {
    /// Documents before this one belong to an earlier navigation.
    awaited: Option<String>,
    statuses: HashMap<String, u16>,
    current: Option<Document>,
}

#[derive(Debug)]
struct Document {
    loader: String,
    url: String,
    failed: bool,
}

/// How a navigation ended.
#[derive(Debug)]
pub(super) enum Outcome {
    Arrived(Visit),
    /// The browser shows its own error page instead of this address.
    Unreachable(String),
}

impl Navigation {
    /// A navigation that starts with the document of this loader, or with any.
    pub(super) fn to(loader: Option<String>) -> Self {
        Self { awaited: loader, ..Self::default() }
    }

    /// Takes the next event in; gives the outcome with the last one.
    pub(super) fn see(&mut self, event: &Event) -> Option<Outcome> {
        let params = &event.params;
        match event.method.as_str() {
            "Network.responseReceived" => self.response(params),
            "Page.frameNavigated" => return self.committed(params),
            "Page.lifecycleEvent" if text(params, "/name") == "load" => {
                return self.loaded(text(params, "/loaderId"));
            }
            _ => {}
        }
        None
    }

    fn response(&mut self, params: &Value) {
        let status = params.pointer("/response/status").and_then(Value::as_u64);
        let status = status.and_then(|status| u16::try_from(status).ok());
        if text(params, "/type") == "Document"
            && let Some(status) = status
        {
            self.statuses.insert(text(params, "/requestId").to_owned(), status);
        }
    }

    fn committed(&mut self, params: &Value) -> Option<Outcome> {
        let loader = text(params, "/frame/loaderId");
        let other = self.awaited.as_ref().is_some_and(|awaited| awaited != loader);
        if other || params.pointer("/frame/parentId").is_some() {
            return None;
        }
        self.awaited = None;
        let unreachable = text(params, "/frame/unreachableUrl");
        let failed = !unreachable.is_empty();
        let url = if failed { unreachable } else { text(params, "/frame/url") }.to_owned();
        if text(params, "/type") == "BackForwardCacheRestore" {
            return Some(Outcome::Arrived(Visit { url, status: None, restored: true }));
        }
        self.current = Some(Document { loader: loader.to_owned(), url, failed });
        None
    }

    // A document that a script replaces at once never loads: only the latest one counts.
    fn loaded(&mut self, loader: &str) -> Option<Outcome> {
        let document = self.current.take_if(|document| document.loader == loader)?;
        let status = self.statuses.get(loader).copied();
        // The browser's own page also stands in for an error response without a body.
        if document.failed && status.is_none() {
            return Some(Outcome::Unreachable(document.url));
        }
        Some(Outcome::Arrived(Visit { url: document.url, status, restored: false }))
    }
}

fn text<'a>(from: &'a Value, pointer: &str) -> &'a str {
    from.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}
