use super::navigation::{Navigation, Outcome};
use super::wire::{BROWSER, Wire};
use super::{Cookie, LIMIT, RefusedCookie, Visit};
use crate::Failure;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// One tab. Drop closes it.
#[derive(Debug)]
pub struct Page {
    wire: Arc<Wire>,
    target: String,
    session: String,
}

/// A moment in the life of a page, for [`Page::wait_for_event`].
#[derive(Clone, Copy, Debug)]
pub struct Mark(usize);

impl Page {
    pub(super) fn new(wire: Arc<Wire>, target: String, session: String) -> Result<Self, Failure> {
        let page = Self { wire, target, session };
        for domain in ["Page", "Network", "Runtime", "Log"] {
            page.call(&format!("{domain}.enable"), &json!({}))?;
        }
        page.call("Page.setLifecycleEventsEnabled", &json!({ "enabled": true }))?;
        // Several pages at once would otherwise take the focus from each other.
        page.call("Emulation.setFocusEmulationEnabled", &json!({ "enabled": true }))?;
        Ok(page)
    }

    /// Goes to an address as if typed, and waits until the page has loaded.
    ///
    /// # Errors
    ///
    /// When nothing can be fetched there, or the page does not load within 20 s. A response that
    /// says 404 or 500 is a response: see [`Visit::status`].
    pub fn goto(&self, url: &str) -> Result<Visit, Failure> {
        let mark = self.mark();
        let answer = self.call("Page.navigate", &json!({ "url": url }))?;
        let text = |name| answer.get(name).and_then(Value::as_str).map(str::to_owned);
        match (text("loaderId"), text("errorText")) {
            (Some(loader), error) => self.arrive(mark, Some(loader), url).map_err(|cause| {
                error.map_or_else(
                    || cause.clone(),
                    |error| Failure::new(format!("{cause} ({error})")),
                )
            }),
            (None, Some(error)) => Err(Failure::new(format!("cannot go to {url}: {error}"))),
            // Only the fragment has changed.
            (None, None) => Ok(Visit { url: self.url()?, status: None, restored: false }),
        }
    }

    /// Goes one page back and waits for it.
    ///
    /// # Errors
    ///
    /// When there is nothing to go back to, or it does not load within 20 s.
    pub fn back(&self) -> Result<Visit, Failure> {
        let mark = self.mark();
        let history = self.call("Page.getNavigationHistory", &json!({}))?;
        let current = history.get("currentIndex").and_then(Value::as_u64).unwrap_or_default();
        let entry = current
            .checked_sub(1)
            .and_then(|index| history.pointer(&format!("/entries/{index}/id")))
            .ok_or_else(|| Failure::new("there is no page to go back to"))?;
        self.call("Page.navigateToHistoryEntry", &json!({ "entryId": entry }))?;
        self.arrive(mark, None, "the previous page")
    }

    /// Loads the page anew.
    ///
    /// # Errors
    ///
    /// When it does not load within 20 s.
    pub fn reload(&self) -> Result<Visit, Failure> {
        let mark = self.mark();
        self.call("Page.reload", &json!({}))?;
        self.arrive(mark, None, "the same page")
    }

    /// The address of the page.
    ///
    /// # Errors
    ///
    /// When the browser does not answer.
    pub fn url(&self) -> Result<String, Failure> {
        let url = self.eval("location.href")?;
        Ok(url.as_str().unwrap_or_default().to_owned())
    }

    /// Runs a script in the page and gives its value as JSON; a promise is awaited.
    ///
    /// # Errors
    ///
    /// When the script throws or its promise is rejected (the text is the exception's), or it
    /// takes more than 20 s.
    pub fn eval(&self, script: &str) -> Result<Value, Failure> {
        self.eval_within(script, LIMIT)
    }

    /// Waits until a condition, an expression in JavaScript, is true. It may become so on a later
    /// page.
    ///
    /// # Errors
    ///
    /// When it is not true within `limit`, or throws.
    pub fn wait_for(&self, condition: &str, limit: Duration) -> Result<(), Failure> {
        let what = format!("`{condition}` in the page");
        crate::deadline::poll(&what, limit, || match self.holds(condition, limit) {
            // The page has changed under the question: ask the new one.
            Err(cause) if is_navigation(&cause) => None,
            Ok(false) => None,
            Ok(true) => Some(Ok(())),
            Err(cause) => Some(Err(cause)),
        })?
    }

    /// The text of the first element that matches, as a reader sees it.
    ///
    /// # Errors
    ///
    /// When no element matches.
    pub fn text(&self, selector: &str) -> Result<String, Failure> {
        let text = self.on_element(selector, "return (element.innerText ?? '').trim()")?;
        Ok(text.as_str().unwrap_or_default().to_owned())
    }

    /// Whether an element matches.
    ///
    /// # Errors
    ///
    /// When the selector is not one.
    pub fn has(&self, selector: &str) -> Result<bool, Failure> {
        let found =
            self.eval(&format!("document.querySelector({}) !== null", Value::from(selector)))?;
        Ok(found == Value::Bool(true))
    }

    /// The cookies that the browser would send to this page's address.
    ///
    /// # Errors
    ///
    /// When the browser does not answer.
    pub fn cookies(&self) -> Result<Vec<Cookie>, Failure> {
        Ok(Cookie::list(&self.call("Network.getCookies", &json!({}))?))
    }

    /// Cookies in responses to this page that the browser refused to store, since the page was
    /// made.
    #[must_use]
    pub fn blocked_cookies(&self) -> Vec<RefusedCookie> {
        self.refused("Network.responseReceivedExtraInfo", RefusedCookie::not_stored)
    }

    /// Cookies that the browser held back from requests of this page, since the page was made.
    #[must_use]
    pub fn withheld_cookies(&self) -> Vec<RefusedCookie> {
        self.refused("Network.requestWillBeSentExtraInfo", RefusedCookie::not_sent)
    }

    /// Uncaught exceptions and what the browser itself complained about (a violated content
    /// policy, a resource that did not load), since the page was made.
    #[must_use]
    pub fn complaints(&self) -> Vec<String> {
        self.wire.seen(&self.session, 0, |event| {
            let pointers = match event.method.as_str() {
                "Runtime.exceptionThrown" => {
                    ["/exceptionDetails/exception/description", "/exceptionDetails/text"]
                }
                "Log.entryAdded" => ["/entry/text", "/entry/url"],
                _ => return None,
            };
            pointers
                .iter()
                .find_map(|pointer| event.params.pointer(pointer)?.as_str())
                .map(str::to_owned)
        })
    }

    /// Runs no more scripts of pages. [`Page::eval`] still works, without promises and timers;
    /// [`Page::wait_for`] does not.
    ///
    /// # Errors
    ///
    /// When the browser does not answer.
    pub fn disable_javascript(&self) -> Result<(), Failure> {
        self.call("Emulation.setScriptExecutionDisabled", &json!({ "value": true })).map(drop)
    }

    /// Calls any method of the `DevTools` protocol on this page.
    ///
    /// # Errors
    ///
    /// When the browser answers with an error or not within 20 s.
    pub fn call(&self, method: &str, params: &Value) -> Result<Value, Failure> {
        self.wire.call(&self.session, method, params, LIMIT)
    }

    /// This moment: events count from here.
    #[must_use]
    pub fn mark(&self) -> Mark {
        Mark(self.wire.count(&self.session))
    }

    /// Waits for an event of the `DevTools` protocol since `mark` for whose parameters `pick`
    /// gives a value.
    ///
    /// # Errors
    ///
    /// When there is none within 20 s.
    pub fn wait_for_event<T>(
        &self,
        mark: Mark,
        method: &str,
        mut pick: impl FnMut(&Value) -> Option<T>,
    ) -> Result<T, Failure> {
        self.wire.wait(&self.session, mark.0, LIMIT, method, |event| {
            if event.method == method { pick(&event.params) } else { None }
        })
    }

    /// Waits for the end of the navigation that began after `mark`.
    pub(super) fn arrive(
        &self,
        mark: Mark,
        loader: Option<String>,
        what: &str,
    ) -> Result<Visit, Failure> {
        let mut navigation = Navigation::to(loader);
        let what = format!("the load of {what}");
        let see = |event: &_| navigation.see(event);
        match self.wire.wait(&self.session, mark.0, LIMIT, &what, see)? {
            Outcome::Arrived(visit) => Ok(visit),
            Outcome::Unreachable(url) => Err(Failure::new(format!("cannot reach {url}"))),
        }
    }

    /// Runs the body of a function in which `element` is the first match and `fail` tells what is
    /// wrong with it.
    pub(super) fn on_element(&self, selector: &str, body: &str) -> Result<Value, Failure> {
        let selector = Value::from(selector);
        self.eval(&format!(
            "(() => {{
               const element = document.querySelector({selector});
               if (!element) throw 'no element matches ' + {selector} + ' on ' + location.href;
               const fail = (how) => {{ throw {selector} + ' ' + how + ' on ' + location.href; }};
               {body}
             }})()"
        ))
    }

    fn eval_within(&self, script: &str, limit: Duration) -> Result<Value, Failure> {
        let params = json!({ "expression": script, "awaitPromise": true, "returnByValue": true });
        let mut answer = self.wire.call(&self.session, "Runtime.evaluate", &params, limit)?;
        let thrown = [
            "/exceptionDetails/exception/description",
            "/exceptionDetails/exception/value",
            "/exceptionDetails/text",
        ];
        match thrown.iter().find_map(|pointer| answer.pointer(pointer)) {
            Some(Value::String(text)) => Err(Failure::new(text.clone())),
            Some(other) => Err(Failure::new(other.to_string())),
            None => Ok(answer.pointer_mut("/result/value").map(Value::take).unwrap_or_default()),
        }
    }

    // The page itself looks again and again, for at most `limit`.
    fn holds(&self, condition: &str, limit: Duration) -> Result<bool, Failure> {
        let script = format!(
            "new Promise((resolve, reject) => {{
               const end = performance.now() + {};
               const look = () => {{
                 try {{
                   if ({condition}) resolve(true);
                   else if (performance.now() >= end) resolve(false);
                   else setTimeout(look, 10);
                 }} catch (cause) {{ reject(cause); }}
               }};
               look();
             }})",
            limit.as_millis()
        );
        let held = self.eval_within(&script, limit + Duration::from_secs(2))?;
        Ok(held == Value::Bool(true))
    }

    fn refused(&self, method: &str, read: fn(&Value) -> Vec<RefusedCookie>) -> Vec<RefusedCookie> {
        let of = |event: &super::wire::Event| (event.method == method).then(|| read(&event.params));
        self.wire.seen(&self.session, 0, of).into_iter().flatten().collect()
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        self.wire.notify(BROWSER, "Target.closeTarget", &json!({ "targetId": self.target }));
        self.wire.forget(&self.session);
    }
}

fn is_navigation(cause: &Failure) -> bool {
    let text = cause.to_string();
    [
        "context was destroyed",
        "navigated or closed",
        "Cannot find context",
        "context with specified",
    ]
    .iter()
    .any(|sign| text.contains(sign))
}
