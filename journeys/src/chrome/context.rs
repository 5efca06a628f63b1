use super::wire::{BROWSER, Wire};
use super::{Cookie, LIMIT, Page};
use crate::Failure;
use serde_json::{Value, json};
use std::sync::Arc;

/// One person's browser: a cookie jar, storage and cache that no other context sees. Drop closes
/// its pages and forgets everything.
#[derive(Debug)]
pub struct Context {
    wire: Arc<Wire>,
    id: String,
}

impl Context {
    pub(super) fn new(wire: Arc<Wire>) -> Result<Self, Failure> {
        let answer = wire.call(BROWSER, "Target.createBrowserContext", &json!({}), LIMIT)?;
        let id = text_of(&answer, "browserContextId");
        Ok(Self { wire, id })
    }

    /// A new, empty page.
    ///
    /// # Errors
    ///
    /// When the browser does not answer.
    pub fn page(&self) -> Result<Page, Failure> {
        let params = json!({ "url": "about:blank", "browserContextId": self.id });
        let target = text_of(&self.call("Target.createTarget", &params)?, "targetId");
        let params = json!({ "targetId": target, "flatten": true });
        let session = text_of(&self.call("Target.attachToTarget", &params)?, "sessionId");
        Page::new(Arc::clone(&self.wire), target, session)
    }

    /// Every cookie in the jar, `HttpOnly` ones included.
    ///
    /// # Errors
    ///
    /// When the browser does not answer.
    pub fn cookies(&self) -> Result<Vec<Cookie>, Failure> {
        let params = json!({ "browserContextId": self.id });
        Ok(Cookie::list(&self.call("Storage.getCookies", &params)?))
    }

    /// The cookie of this name; `None` if the jar holds none, the first if it holds several.
    ///
    /// # Errors
    ///
    /// When the browser does not answer.
    pub fn cookie(&self, name: &str) -> Result<Option<Cookie>, Failure> {
        Ok(self.cookies()?.into_iter().find(|cookie| cookie.name == name))
    }

    /// Puts a cookie into the jar, as malware or a debugger would. `cookie` is a `CookieParam` of
    /// the protocol: `name`, `value`, `url` and what else it shall have.
    ///
    /// # Errors
    ///
    /// When the browser refuses the cookie.
    pub fn set_cookie(&self, cookie: &Value) -> Result<(), Failure> {
        let params = json!({ "cookies": [cookie], "browserContextId": self.id });
        self.call("Storage.setCookies", &params).map(drop)
    }

    /// Empties the jar.
    ///
    /// # Errors
    ///
    /// When the browser does not answer.
    pub fn clear_cookies(&self) -> Result<(), Failure> {
        let params = json!({ "browserContextId": self.id });
        self.call("Storage.clearCookies", &params).map(drop)
    }

    fn call(&self, method: &str, params: &Value) -> Result<Value, Failure> {
        self.wire.call(BROWSER, method, params, LIMIT)
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        let params = json!({ "browserContextId": self.id });
        self.wire.notify(BROWSER, "Target.disposeBrowserContext", &params);
    }
}

fn text_of(answer: &Value, name: &str) -> String {
    answer.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}
