//! A real browser that signs in where a login page needs scripts: Chromium, driven by chromedriver.
//!
//! The protocol is WebDriver (W3C) over HTTP on the loopback interface. The browser sees the hosts of the
//! login script and no other, has a profile of its own, and is gone when the login is done.

mod cookies;
mod process;

use crate::client::Client;
use cloakroom_audit::{Ask, Drive, Driven, Exchange, Fetch as _, Silence};
use cloakroom_cookie::browser::{Address, Browser, Jar, Request};
use process::Chromedriver;
use serde_json::{Value, json};
use std::time::Duration;

/// What a page may take to show its form: 10 s, as long as people wait for scripts.
const FIELD_LIMIT: Duration = Duration::from_secs(10);
/// What a login may take until the site knows its user: 20 s, as any answer.
const LOGIN_LIMIT: Duration = Duration::from_secs(20);
/// Between two looks whether the user is signed in.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// The key of an element in an answer (WebDriver section 12.1).
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";
/// The key that sends a form, where it has no button.
const ENTER: &str = "\u{e007}";
/// The button that sends the form of a field.
const BUTTON: &str = "const form = arguments[0].form; return form && form.querySelector(\
    'button:not([type=button]):not([type=reset]), input[type=submit], input[type=image]');";

/// Signs in as the script says, and gives the cookies that the browser holds then.
///
/// # Errors
///
/// [`Silence`] if there is no chromedriver, if the page has no such field, or if the user is not
/// recognised in time.
pub(crate) async fn sign_in(client: &Client, drive: &Drive) -> Result<Vec<Driven>, Silence> {
    let session = Session::open(client, drive).await?;
    let result = session.log_in(drive).await;
    session.close().await;
    result
}

struct Session<'c> {
    client: &'c Client,
    base: String,
    /// Ends with the session.
    _process: Chromedriver,
}

impl<'c> Session<'c> {
    async fn open(client: &'c Client, drive: &Drive) -> Result<Self, Silence> {
        let process = Chromedriver::start().map_err(Silence::Unreachable)?;
        let root = format!("http://127.0.0.1:{}", process.port());
        let capabilities = json!({"capabilities": {"alwaysMatch": {
            "browserName": "chrome",
            "timeouts": {"implicit": millis(FIELD_LIMIT), "pageLoad": millis(LOGIN_LIMIT), "script": millis(FIELD_LIMIT)},
            "goog:chromeOptions": {"args": arguments(&drive.hosts)},
        }}});
        let answer = call(client, "POST", &format!("{root}/session"), &capabilities).await?;
        let id = answer.get("sessionId").and_then(Value::as_str).ok_or_else(strange)?;
        Ok(Self { client, base: format!("{root}/session/{id}"), _process: process })
    }

    async fn close(&self) {
        // What cannot be closed ends with its process.
        let _ = call(self.client, "DELETE", &self.base, &Value::Null).await;
    }

    async fn log_in(&self, drive: &Drive) -> Result<Vec<Driven>, Silence> {
        for planted in &drive.cookies {
            let parameters = cookies::planted(planted);
            self.tools("Network.setCookie", &parameters).await?;
        }
        self.post("url", &json!({"url": drive.page})).await?;
        let mut last = None;
        for (name, value) in &drive.fields {
            let field = self.field(name).await?;
            self.post(&format!("element/{field}/clear"), &json!({})).await?;
            self.post(&format!("element/{field}/value"), &json!({"text": value})).await?;
            last = Some(field);
        }
        if let Some(field) = last {
            self.send(&field).await?;
        }
        self.recognised(drive).await
    }

    async fn field(&self, name: &str) -> Result<String, Silence> {
        let quoted = name.replace('\\', "\\\\").replace('"', "\\\"");
        let selector = format!("[name=\"{quoted}\"], [id=\"{quoted}\"]");
        let wanted = json!({"using": "css selector", "value": selector});
        let missing = |_| Silence::Broken(format!("the login page shows no field {name:?}"));
        let found = self.post("element", &wanted).await.map_err(missing)?;
        element(&found).ok_or_else(strange)
    }

    /// With the form's button, or else with the key.
    async fn send(&self, field: &str) -> Result<(), Silence> {
        let script = json!({"script": BUTTON, "args": [{ELEMENT: field}]});
        let button = self.post("execute/sync", &script).await?;
        match element(&button) {
            Some(button) => self.post(&format!("element/{button}/click"), &json!({})).await?,
            None => self.post(&format!("element/{field}/value"), &json!({"text": ENTER})).await?,
        };
        Ok(())
    }

    /// Waits until the probe knows the browser's cookies.
    async fn recognised(&self, drive: &Drive) -> Result<Vec<Driven>, Silence> {
        let until = self.client.now() + LOGIN_LIMIT;
        loop {
            let held = self.cookies().await?;
            if is_signed_in(self.client, drive, &held).await? {
                return Ok(held);
            }
            if self.client.now() >= until {
                let limit = LOGIN_LIMIT.as_secs();
                return Err(Silence::TooLate(format!(
                    "{limit} s after the browser sent the form [whoami] does not look signed in"
                )));
            }
            self.client.pause(LOOK_EVERY).await;
        }
    }

    async fn cookies(&self) -> Result<Vec<Driven>, Silence> {
        let answer = self.tools("Storage.getCookies", &json!({})).await?;
        let list = answer.get("cookies").and_then(Value::as_array).ok_or_else(strange)?;
        let now = self.client.now().as_secs();
        Ok(list.iter().filter_map(|cookie| cookies::driven(cookie, now)).collect())
    }

    /// What WebDriver cannot do: cookies of every host, and before a page is open.
    async fn tools(&self, command: &str, parameters: &Value) -> Result<Value, Silence> {
        self.post("goog/cdp/execute", &json!({"cmd": command, "params": parameters})).await
    }

    async fn post(&self, path: &str, body: &Value) -> Result<Value, Silence> {
        call(self.client, "POST", &format!("{}/{path}", self.base), body).await
    }
}

async fn is_signed_in(client: &Client, drive: &Drive, held: &[Driven]) -> Result<bool, Silence> {
    let address = Address::parse(&drive.whoami.url).map_err(|_| strange())?;
    let mut jar = Jar::new(Browser::chromium(), client.now().as_secs());
    for driven in held {
        driven.put_into(&mut jar);
    }
    let mut ask = drive.whoami.clone();
    let cookies = jar.header(&Request::typed(address));
    if !cookies.is_empty() {
        ask.headers.push("cookie", cookies);
    }
    let heard = client.fetch(&ask).await?;
    let exchange = Exchange::new(&ask.method, &ask.url, heard.status, jar.now());
    let mut exchange = exchange.map_err(|_| strange())?;
    exchange.response = heard.headers;
    exchange.keep_body(&heard.body);
    Ok(drive.signed_in.fits(&exchange))
}

/// One command. The message of an error names what went wrong, and no value that was filled in.
async fn call(client: &Client, method: &str, url: &str, body: &Value) -> Result<Value, Silence> {
    let mut ask = Ask::new(method, url);
    if !body.is_null() {
        ask = ask.header("Content-Type", "application/json; charset=utf-8");
        ask.body = body.to_string().into_bytes();
    }
    let heard = client.fetch(&ask).await?;
    let mut answer: Value = serde_json::from_slice(&heard.body).map_err(|_| strange())?;
    let value = answer.get_mut("value").map(Value::take).unwrap_or_default();
    if heard.status == 200 {
        return Ok(value);
    }
    let what = value.get("error").and_then(Value::as_str).unwrap_or("an error");
    let message = value.get("message").and_then(Value::as_str).unwrap_or_default();
    let message = message.lines().next().unwrap_or_default();
    Err(Silence::Broken(format!("the browser says {what}: {message}")))
}

fn element(answer: &Value) -> Option<String> {
    answer.get(ELEMENT)?.as_str().map(str::to_owned)
}

fn strange() -> Silence {
    Silence::Broken("chromedriver gave an answer that is none".to_owned())
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// Nothing but the hosts of the script; no display, no services of the browser's maker.
fn arguments(hosts: &[String]) -> Vec<String> {
    let excluded: String = hosts.iter().map(|host| format!(", EXCLUDE {host}")).collect();
    let mut arguments: Vec<String> = [
        "--headless=new",
        "--disable-gpu",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--disable-dev-shm-usage",
    ]
    .map(str::to_owned)
    .into();
    arguments.push(format!("--host-resolver-rules=MAP * ~NOTFOUND{excluded}"));
    if process::is_root() {
        // The sandbox does not start for root.
        arguments.push("--no-sandbox".to_owned());
    }
    arguments
}

#[cfg(test)]
mod tests;
