use crate::Failure;
use crate::program::{self, not_installed};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// Nothing that asks the outside, updates itself or needs a display. `--no-sandbox` because tests
/// run as root in containers, where the sandbox does not start.
const ARGUMENTS: [&str; 10] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--remote-debugging-pipe",
];

/// Names under `.test`, and under two public suffixes of other kinds, lead to this machine; no
/// other name leads anywhere.
const NAMES: &str = "--host-resolver-rules=MAP *.test 127.0.0.1, MAP *.co.uk 127.0.0.1, \
                     MAP github.io 127.0.0.1, MAP *.github.io 127.0.0.1, \
                     MAP *.kawasaki.jp 127.0.0.1, MAP kawasaki.jp 127.0.0.1, MAP * ~NOTFOUND, \
                     EXCLUDE 127.0.0.1, EXCLUDE localhost, EXCLUDE *.localhost";

/// The browser's protocol speaks on descriptors 3 and 4.
const ON_THREE_AND_FOUR: &str = r#"exec "$@" 3<&0 4>&1 0</dev/null 1>&2"#;

/// How a browser is launched.
#[derive(Clone, Debug, Default)]
pub struct Options {
    binary: Option<PathBuf>,
    trusted_keys: Vec<String>,
    features: Vec<String>,
    arguments: Vec<String>,
    third_party_cookies: bool,
}

impl Options {
    /// The installed Chromium as it comes, headless.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Trusts certificates with this key: see
    /// [`Certificate::key_hash`](crate::certificate::Certificate::key_hash).
    ///
    /// The certificate then counts as one without any error, which device-bound sessions need.
    #[must_use]
    pub fn trust(mut self, key_hash: &str) -> Self {
        self.trusted_keys.push(key_hash.to_owned());
        self
    }

    /// Switches a feature of Chromium on, as in `ShortLaxAllowUnsafeThreshold`.
    #[must_use]
    pub fn feature(mut self, name: &str) -> Self {
        self.features.push(name.to_owned());
        self
    }

    /// Adds an argument to the command line; `--enable-features` belongs to [`Options::feature`].
    #[must_use]
    pub fn argument(mut self, argument: &str) -> Self {
        self.arguments.push(argument.to_owned());
        self
    }

    /// Lets third-party cookies through, which this build of Chromium blocks by default.
    #[must_use]
    pub fn allow_third_party_cookies(mut self) -> Self {
        self.third_party_cookies = true;
        self
    }

    /// Uses this program instead of the `chromium` that is installed.
    #[must_use]
    pub fn binary(mut self, path: impl Into<PathBuf>) -> Self {
        self.binary = Some(path.into());
        self
    }

    pub(super) fn spawn(&self, profile: &Path) -> Result<Child, Failure> {
        let browser = match &self.binary {
            Some(path) if !path.is_file() => return Err(not_installed("chromium")),
            Some(path) => path.clone(),
            None => program::find("chromium")?,
        };
        self.write_preferences(profile).map_err(Failure::when("preferences"))?;
        Command::new("sh")
            .args(["-c", ON_THREE_AND_FOUR, "sh"])
            .arg(browser)
            .args(ARGUMENTS)
            .arg(NAMES)
            .arg(format!("--user-data-dir={}", profile.display()))
            .args(list("--ignore-certificate-errors-spki-list", &self.trusted_keys))
            // Given twice, the last `--enable-features` would win.
            .args(list("--enable-features", &self.features))
            .args(&self.arguments)
            .arg("about:blank")
            .env("HOME", profile)
            .env("TMPDIR", profile)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(Failure::when("cannot run chromium"))
    }

    fn write_preferences(&self, profile: &Path) -> std::io::Result<()> {
        if !self.third_party_cookies {
            return Ok(());
        }
        let folder = profile.join("Default");
        std::fs::create_dir_all(&folder)?;
        let text = r#"{"profile":{"cookie_controls_mode":0,"block_third_party_cookies":false}}"#;
        std::fs::write(folder.join("Preferences"), text)
    }
}

fn list(name: &str, values: &[String]) -> Option<String> {
    (!values.is_empty()).then(|| format!("{name}={}", values.join(",")))
}
