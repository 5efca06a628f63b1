//! A real headless Chromium, driven through the Chrome `DevTools` Protocol.
//!
//! One [`Browser`] holds any number of [`Context`]s, each with a cookie jar of its own, and each
//! context any number of [`Page`]s. Waits end with the event they wait for and fail after 20 s.
//! What has no method here is one [`Page::call`] away.

mod context;
mod cookie;
mod gesture;
mod launch;
mod navigation;
mod page;
mod picture;
mod wire;

pub use context::Context;
pub use cookie::{Cookie, RefusedCookie};
pub use launch::Options;
pub use navigation::Visit;
pub use page::{Mark, Page};

use crate::Failure;
use crate::folder::Folder;
use crate::output::Output;
use crate::process::reap;
use serde_json::{Value, json};
use std::process::Child;
use std::sync::Arc;
use std::time::Duration;
use wire::{BROWSER, Wire};

/// How long a page, an answer or an event may take.
const LIMIT: Duration = Duration::from_secs(20);

/// A running browser; drop closes it and removes its profile.
///
/// It also ends when the test process does, however that ends, because the pipe to it breaks.
#[derive(Debug)]
pub struct Browser {
    wire: Arc<Wire>,
    child: Child,
    output: Output,
    // Last: the browser has ended when its profile goes.
    _profile: Folder,
}

impl Browser {
    /// Starts a browser with a fresh profile.
    ///
    /// # Errors
    ///
    /// When Chromium is not installed, or does not answer within 20 s (the text holds what it
    /// printed).
    pub fn launch(options: &Options) -> Result<Self, Failure> {
        let profile = Folder::new("browser")?;
        let mut child = options.spawn(profile.path())?;
        let output = Output::default();
        output.collect(child.stderr.take());
        let wire = Arc::new(Wire::new(child.stdin.take(), child.stdout.take()));
        let browser = Self { wire, child, output, _profile: profile };
        browser.version().map_err(|cause| {
            Failure::new(format!("{cause}; Chromium printed:\n{}", browser.output.text()))
        })?;
        Ok(browser)
    }

    /// Product and version, as in `Chrome/156.0.8078.79`.
    ///
    /// # Errors
    ///
    /// When the browser does not answer.
    pub fn version(&self) -> Result<String, Failure> {
        let answer = self.wire.call(BROWSER, "Browser.getVersion", &json!({}), LIMIT)?;
        Ok(answer.get("product").and_then(Value::as_str).unwrap_or_default().to_owned())
    }

    /// A new context: like another person's browser, without any cookies.
    ///
    /// # Errors
    ///
    /// When the browser does not answer.
    pub fn context(&self) -> Result<Context, Failure> {
        Context::new(Arc::clone(&self.wire))
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        self.wire.notify(BROWSER, "Browser.close", &json!({}));
        self.wire.hang_up();
        reap(&mut self.child, Duration::from_secs(5));
        // Its helper processes write to the profile until they have gone too.
        self.output.ended(Duration::from_secs(5));
    }
}
