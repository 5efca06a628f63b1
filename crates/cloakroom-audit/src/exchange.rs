//! One request and its response, as they were seen.

use crate::mask::shown_url;
use cloakroom_cookie::browser::{Address, AddressError};
use std::borrow::Cow;
use std::fmt;
use url::Url;

/// How much of a body is kept: 256 KiB. Forms and scripts of a page stand before that.
pub const BODY_KEPT: usize = 256 * 1024;

/// Header fields in the order in which they came. Values are octets, since servers send any.
///
/// `Debug` shows their names alone.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Headers(Vec<(String, Vec<u8>)>);

impl Headers {
    /// Adds a field. Its name is kept in lower case.
    pub fn push(&mut self, name: &str, value: impl Into<Vec<u8>>) {
        self.0.push((name.to_ascii_lowercase(), value.into()));
    }

    /// The values of a field, in their order; the name in lower case.
    ///
    /// ```
    /// use cloakroom_audit::Headers;
    ///
    /// let mut headers = Headers::default();
    /// headers.push("Set-Cookie", "a=1");
    /// headers.push("set-cookie", "b=2");
    /// assert_eq!(headers.all("set-cookie").count(), 2);
    /// ```
    pub fn all<'h>(&'h self, name: &'h str) -> impl Iterator<Item = &'h [u8]> {
        self.iter().filter(move |(found, _)| *found == name).map(|(_, value)| value)
    }

    /// The first value of a field as text; octets that are none are replaced.
    pub fn text(&self, name: &str) -> Option<Cow<'_, str>> {
        self.iter()
            .find(|(found, _)| *found == name)
            .map(|(_, value)| String::from_utf8_lossy(value))
    }

    /// All values of a field in one line, in lower case: for headers that are lists of words.
    pub fn words(&self, name: &str) -> String {
        let values: Vec<_> = self.all(name).map(String::from_utf8_lossy).collect();
        values.join(", ").to_ascii_lowercase()
    }

    /// Every field.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_slice()))
    }

    /// Takes every field of this name out, the name in lower case.
    pub fn remove(&mut self, name: &str) {
        self.0.retain(|(found, _)| found != name);
    }

    /// How many fields there are.
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter().map(|(name, _)| name)).finish()
    }
}

/// Why a request was made: what may be concluded from its response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Probe {
    /// Seen by somebody else: a HAR file, the output of a program.
    Given,
    /// A page visited in the ordinary way, with the cookies that were set before.
    Visit,
    /// The same page again, by a browser that was never there.
    Stranger,
    /// A request whose cookies are not what the server set.
    Hostile,
    /// The same host over plain http.
    Plain,
}

impl Probe {
    /// A word for reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Given => "given",
            Self::Visit => "visit",
            Self::Stranger => "stranger",
            Self::Hostile => "hostile cookie",
            Self::Plain => "plain http",
        }
    }
}

/// One request and its response.
///
/// ```
/// use cloakroom_audit::Exchange;
///
/// let mut page = Exchange::new("GET", "https://shop.example/cart?from=mail", 200, 1_790_000_000)?;
/// page.response.push("Set-Cookie", "id=7; Path=/");
/// assert_eq!(page.address().to_string(), "https://shop.example/cart");
/// # Ok::<(), cloakroom_cookie::browser::AddressError>(())
/// ```
///
/// `Debug` shows no secrets: no values of fields, no query, no body.
#[derive(Clone)]
pub struct Exchange {
    method: String,
    url: Url,
    address: Address,
    status: u16,
    at: u64,
    body: Vec<u8>,
    is_cut: bool,
    /// The fields of the request.
    pub request: Headers,
    /// The fields of the response.
    pub response: Headers,
    /// Why it was asked.
    pub probe: Probe,
}

impl Exchange {
    /// An exchange without fields and body. `at` is in seconds since the Unix epoch.
    ///
    /// # Errors
    ///
    /// [`AddressError`] if `url` is no absolute web address.
    pub fn new(method: &str, url: &str, status: u16, at: u64) -> Result<Self, AddressError> {
        let address = Address::parse(url)?;
        let parsed = Url::parse(url).map_err(|error| AddressError::NoAddress(error.to_string()))?;
        Ok(Self {
            method: method.to_owned(),
            url: parsed,
            address,
            status,
            at,
            body: Vec::new(),
            is_cut: false,
            request: Headers::default(),
            response: Headers::default(),
            probe: Probe::Given,
        })
    }

    /// Keeps the first [`BODY_KEPT`] octets of a body.
    pub fn keep_body(&mut self, body: &[u8]) {
        let kept = body.get(..BODY_KEPT).unwrap_or(body);
        self.is_cut = kept.len() < body.len();
        self.body = kept.to_vec();
    }

    /// Says that the body went on behind what was kept.
    pub(crate) const fn mark_cut(&mut self) {
        self.is_cut = true;
    }

    /// The same without its body.
    pub(crate) fn head(&self) -> Self {
        Self {
            method: self.method.clone(),
            url: self.url.clone(),
            address: self.address.clone(),
            status: self.status,
            at: self.at,
            body: Vec::new(),
            is_cut: self.is_cut || !self.body.is_empty(),
            request: self.request.clone(),
            response: self.response.clone(),
            probe: self.probe,
        }
    }

    /// Lets the body go, and says that there was more.
    pub(crate) fn forget_body(&mut self) {
        self.is_cut = !self.body.is_empty() || self.is_cut;
        self.body = Vec::new();
    }

    /// The request's method.
    pub fn method(&self) -> &str {
        &self.method
    }

    /// The whole address, with its query. It may hold secrets: print [`shown_url`](crate::shown_url).
    pub fn url(&self) -> &str {
        self.url.as_str()
    }

    /// The same with an address of the path alone, for requests that carry secrets in it.
    pub(crate) fn without_query(mut self) -> Self {
        self.url.set_query(None);
        let path = self.url.path().split(';').next().unwrap_or_default().to_owned();
        self.url.set_path(&path);
        self
    }

    pub(crate) const fn parsed_url(&self) -> &Url {
        &self.url
    }

    /// The address as cookies see it.
    pub const fn address(&self) -> &Address {
        &self.address
    }

    /// The response's status.
    pub const fn status(&self) -> u16 {
        self.status
    }

    /// When it was asked, in seconds since the Unix epoch.
    pub const fn at(&self) -> u64 {
        self.at
    }

    /// What was kept of the body.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// Whether the body went on.
    pub const fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// Whether the request came without any cookie.
    pub fn is_first_visit(&self) -> bool {
        self.request.all("cookie").next().is_none()
    }

    /// Whether the response says that it is a page.
    pub fn is_html(&self) -> bool {
        self.response.text("content-type").is_some_and(|kind| {
            let kind = kind.to_ascii_lowercase();
            kind.starts_with("text/html") || kind.starts_with("application/xhtml")
        })
    }
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchange")
            .field("method", &self.method)
            .field("url", &shown_url(self.url()))
            .field("status", &self.status)
            .field("probe", &self.probe)
            .field("response", &self.response)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_kept_up_to_its_limit_and_not_an_octet_further() {
        for (length, kept, cut) in
            [(0, 0, false), (BODY_KEPT, BODY_KEPT, false), (BODY_KEPT + 1, BODY_KEPT, true)]
        {
            let mut page = Exchange::new("GET", "https://a.example/", 200, 0).unwrap();

            page.keep_body(&vec![b'x'; length]);

            assert_eq!((page.body().len(), page.is_cut()), (kept, cut), "{length} octets");
        }
    }
}
