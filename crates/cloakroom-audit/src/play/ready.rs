//! A request of the script, with what the page of its form adds.

use crate::ask::Ask;
use crate::exchange::{Exchange, Headers};
use crate::forms::{Form, forms, hidden_tokens, is_form_token, metas};
use crate::script::{Body, Call};
use cloakroom_cookie::browser::Jar;
use url::Url;

/// A request that could be sent, taken apart so that it can be sent otherwise.
#[derive(Clone)]
pub(super) struct Ready {
    pub(super) method: String,
    pub(super) url: Url,
    pub(super) fields: Vec<(String, String)>,
    json: Option<serde_json::Value>,
    headers: Vec<(String, String)>,
    tokens: Vec<Token>,
}

/// Where a token against forged requests goes.
#[derive(Clone, PartialEq, Eq)]
enum Token {
    Field(String),
    Header(String),
}

impl Ready {
    /// Puts a call, the page that was asked for it, and the cookies of the browser together. `address`
    /// is where the call goes if its page does not say otherwise.
    pub(super) fn new(call: &Call, page: Option<&Exchange>, jar: &Jar, address: Url) -> Self {
        let form = page.and_then(|page| form_of(call, page));
        let fields = fields(call, form.as_ref());
        let url = match (&call.path, page) {
            (None, Some(page)) => form
                .as_ref()
                .and_then(|form| page.parsed_url().join(form.action.as_deref()?).ok())
                .unwrap_or_else(|| page.parsed_url().clone()),
            (Some(_) | None, _) => address,
        };
        let method = match (&call.method, &form) {
            (Some(method), _) => method.clone(),
            (None, Some(form)) => form.method.clone(),
            (None, None) => call.own_method().to_owned(),
        };
        let json = match &call.body {
            Body::Json(json) => Some(json.clone()),
            Body::None | Body::Form(_) => None,
        };
        let mut ready =
            Self { method, url, fields, json, headers: call.headers.clone(), tokens: Vec::new() };
        ready.find_tokens(form.as_ref(), page, jar);
        ready
    }

    /// Fields of the form; else the page's and the cookies' tokens, as headers.
    fn find_tokens(&mut self, form: Option<&Form>, page: Option<&Exchange>, jar: &Jar) {
        let hidden = form.map(hidden_tokens).unwrap_or_default();
        let is_token = |name: &String| is_form_token(name) || hidden.contains(name);
        let named = self.fields.iter().filter(|(name, value)| is_token(name) && !value.is_empty());
        self.tokens = named.map(|(name, _)| Token::Field(name.clone())).collect();
        let own = self.headers.iter().filter(|(name, _)| is_form_token(name));
        self.tokens.extend(own.map(|(name, _)| Token::Header(name.clone())));
        if !self.tokens.is_empty() || matches!(self.method.as_str(), "GET" | "HEAD") {
            return;
        }
        let metas = page.map(|page| metas(page.body())).unwrap_or_default();
        let meta = |wanted: &str| {
            metas.iter().find(|(name, _)| name == wanted).map(|(_, content)| content.clone())
        };
        let told = meta("_csrf_header").unwrap_or_else(|| "X-CSRF-Token".to_owned());
        let of_page = metas.iter().find(|(name, _)| {
            is_form_token(name) && !name.ends_with("param") && !name.ends_with("header")
        });
        let of_cookie =
            jar.cookies().find(|cookie| is_form_token(&String::from_utf8_lossy(cookie.name())));
        let found = match (of_page, of_cookie) {
            (Some((_, content)), _) => Some((told, content.clone())),
            (None, Some(cookie)) => Some((header_of(cookie.name()), unescaped(cookie.value()))),
            (None, None) => None,
        };
        if let Some((name, value)) = found {
            self.tokens.push(Token::Header(name.clone()));
            self.headers.push((name, value));
        }
    }

    /// The token that goes along.
    pub(super) fn token(&self) -> Option<String> {
        let held = |token: &Token| match token {
            Token::Field(name) => self.fields.iter().find(|(known, _)| known == name),
            Token::Header(name) => self.headers.iter().find(|(known, _)| known == name),
        };
        self.tokens.iter().find_map(held).map(|(_, value)| value.clone())
    }

    /// The same without any token.
    pub(super) fn without_token(&self) -> Self {
        let mut other = self.clone();
        other.fields.retain(|(name, _)| !self.tokens.contains(&Token::Field(name.clone())));
        other.headers.retain(|(name, _)| !self.tokens.contains(&Token::Header(name.clone())));
        other.tokens.clear();
        other
    }

    /// The same with another value wherever the token goes.
    pub(super) fn with_token(&self, value: &str) -> Self {
        let mut other = self.clone();
        for (name, held) in &mut other.fields {
            if self.tokens.contains(&Token::Field(name.clone())) {
                value.clone_into(held);
            }
        }
        for (name, held) in &mut other.headers {
            if self.tokens.contains(&Token::Header(name.clone())) {
                value.clone_into(held);
            }
        }
        other
    }

    /// The same by another method.
    pub(super) fn by(&self, method: &str) -> Self {
        Self { method: method.to_owned(), ..self.clone() }
    }

    /// The same as a `GET` with everything in the query.
    pub(super) fn by_get(&self) -> Self {
        let mut other = Self { method: "GET".to_owned(), json: None, ..self.without_token() };
        if let Some(serde_json::Value::Object(map)) = &self.json {
            let text = |value: &serde_json::Value| {
                value.as_str().map_or_else(|| value.to_string(), str::to_owned)
            };
            other.fields.extend(map.iter().map(|(name, value)| (name.clone(), text(value))));
        }
        other
    }

    /// The request.
    pub(super) fn ask(&self) -> Ask {
        let is_get = matches!(self.method.as_str(), "GET" | "HEAD");
        let mut url = self.url.clone();
        let mut body = Vec::new();
        let mut headers = Headers::default();
        if let Some(json) = &self.json {
            headers.push("content-type", "application/json");
            body = json.to_string().into_bytes();
        } else if !self.fields.is_empty() && is_get {
            url.query_pairs_mut().clear().extend_pairs(&self.fields);
        } else if !is_get {
            headers.push("content-type", "application/x-www-form-urlencoded");
            let mut written = url::form_urlencoded::Serializer::new(String::new());
            body = written.extend_pairs(&self.fields).finish().into_bytes();
        }
        for (name, value) in &self.headers {
            headers.push(name, value.as_bytes());
        }
        Ask { method: self.method.clone(), url: url.into(), headers, body }
    }
}

/// The form that is meant: the one that goes where the script says, or else has most of its fields.
fn form_of(call: &Call, page: &Exchange) -> Option<Form> {
    let names: Vec<&String> = match &call.body {
        Body::Form(fields) => fields.iter().map(|(name, _)| name).collect(),
        Body::None => Vec::new(),
        Body::Json(_) => return None,
    };
    let goal = call.path.as_deref().and_then(|path| page.parsed_url().join(path).ok());
    let worth = |form: &Form| {
        let action = page.parsed_url().join(form.action.as_deref().unwrap_or_default()).ok();
        let leads =
            goal.is_some() && action.as_ref().map(Url::path) == goal.as_ref().map(Url::path);
        let held = names.iter().filter(|name| form.has(name)).count();
        let has_token = !hidden_tokens(form).is_empty();
        (leads, held, form.method == "POST", has_token)
    };
    // Of equals the first one.
    forms(page.body()).into_iter().rev().max_by_key(worth)
}

/// What the form sends as it stands, the script's values in place, and then what only the script has.
fn fields(call: &Call, form: Option<&Form>) -> Vec<(String, String)> {
    let own: &[(String, String)] = match &call.body {
        Body::Form(fields) => fields,
        Body::None => &[],
        Body::Json(_) => return Vec::new(),
    };
    let Some(form) = form else { return own.to_vec() };
    let is_own = |name: &str| own.iter().any(|(known, _)| known == name);
    // The first button is the one that the return key presses.
    let button = form.fields.iter().find(|field| field.kind == "submit").map(|field| &field.name);
    let sent = form.fields.iter().filter(|field| field.is_sent || Some(&field.name) == button);
    let mut fields: Vec<(String, String)> = sent
        .filter(|field| !is_own(&field.name))
        .map(|field| (field.name.clone(), field.value.clone()))
        .collect();
    fields.extend(own.iter().cloned());
    fields
}

/// The header that scripts of usual frameworks put the value of this cookie into.
fn header_of(cookie: &[u8]) -> String {
    match cookie {
        b"csrftoken" => "X-CSRFToken",
        b"XSRF-TOKEN" => "X-XSRF-TOKEN",
        b"_xsrf" => "X-XSRFToken",
        _ => "X-CSRF-Token",
    }
    .to_owned()
}

fn unescaped(value: &[u8]) -> String {
    crate::tokens::unescaped(value).unwrap_or_else(|| String::from_utf8_lossy(value).into_owned())
}

/// A value of the same form that nobody made: every letter and digit is another one of its kind.
pub(super) fn invented(value: &[u8]) -> Vec<u8> {
    let is_hex = value.iter().all(u8::is_ascii_hexdigit);
    let turned = |octet: u8| match octet {
        b'0'..=b'9' => b'0' + (octet - b'0' + 7) % 10,
        b'a'..=b'f' if is_hex => b'a' + (octet - b'a' + 3) % 6,
        b'A'..=b'F' if is_hex => b'A' + (octet - b'A' + 3) % 6,
        b'a'..=b'z' => b'a' + (octet - b'a' + 11) % 26,
        b'A'..=b'Z' => b'A' + (octet - b'A' + 11) % 26,
        other => other,
    };
    value.iter().copied().map(turned).collect()
}
