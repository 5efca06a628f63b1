//! What was asked about: lines, each with the request that it came in answer to.

use cloakroom_audit::{Exchange, shown_url};
use cloakroom_cookie::browser::{Address, Credentials, Page, Request};

/// How a request was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Kind {
    /// A whole tab: the address bar, a link, a form.
    Navigation,
    /// Something in a page: a frame, an image, a script.
    Embedded,
    /// `fetch()` as it is, which takes cookies to its own origin alone.
    Fetch,
    /// `fetch()` with `credentials: "include"`.
    FetchInclude,
    /// No request: a script sets `document.cookie`.
    Script,
}

impl Kind {
    /// A word for people and programs.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Navigation => "navigation",
            Self::Embedded => "embedded",
            Self::Fetch => "fetch",
            Self::FetchInclude => "fetch-include",
            Self::Script => "script",
        }
    }
}

/// What the arguments say of the request.
#[derive(Debug)]
pub(super) struct Asked<'a> {
    pub(super) url: Option<&'a str>,
    pub(super) from: Option<&'a str>,
    pub(super) kind: Kind,
    pub(super) method: &'a str,
}

/// Where a line came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    pub(super) address: Address,
    /// The page that caused it.
    pub(super) from: Option<Address>,
    pub(super) kind: Kind,
    pub(super) method: String,
}

/// A line, where it came from, and when.
#[derive(Clone)]
pub(crate) struct Case {
    pub(super) line: Vec<u8>,
    pub(super) origin: Origin,
    /// In seconds since the Unix epoch.
    pub(super) at: u64,
    /// The address for people.
    pub(super) shown: String,
}

/// Everything that is asked.
pub(crate) struct Problem {
    pub(super) cases: Vec<Case>,
    /// How many responses were read, if it is a recording.
    pub(super) responses: Option<usize>,
    /// What is asked about alone, and the names of the others.
    pub(super) only: Option<(String, Vec<String>)>,
}

impl Problem {
    /// Lines that one request brought.
    pub(super) fn of_lines(lines: &[&[u8]], asked: &Asked<'_>, now: u64) -> Result<Self, String> {
        let origin = Origin::of(asked)?;
        let shown = shown_url(asked.url.unwrap_or_default());
        let case = |line: &&[u8]| Case {
            line: bare(line).to_vec(),
            origin: origin.clone(),
            at: now,
            shown: shown.clone(),
        };
        let cases = lines.iter().map(case).collect();
        Ok(Self { cases, responses: None, only: None })
    }

    /// Every line of a recording.
    pub(super) fn of_exchanges(exchanges: &[Exchange]) -> Self {
        let of_one = |exchange: &Exchange| {
            let origin = Origin::seen(exchange);
            let lines = exchange.response.all("set-cookie");
            let case = |line: &[u8]| Case {
                line: line.to_vec(),
                origin: origin.clone(),
                at: exchange.at(),
                shown: shown_url(exchange.url()),
            };
            lines.map(case).collect::<Vec<_>>()
        };
        let cases = exchanges.iter().flat_map(of_one).collect();
        Self { cases, responses: Some(exchanges.len()), only: None }
    }

    /// Forgets every other name, but for naming it.
    pub(super) fn keep_only(&mut self, name: &str) {
        let mut others: Vec<String> = self.cases.iter().map(|case| case.name()).collect();
        others.sort();
        others.dedup();
        self.cases.retain(|case| case.name() == name);
        self.only = Some((name.to_owned(), others));
    }
}

impl Case {
    /// The cookie's name as it stands in the line; empty if there is none.
    pub(super) fn name(&self) -> String {
        let pair = self.line.split(|octet| *octet == b';').next().unwrap_or_default();
        match pair.iter().position(|octet| *octet == b'=') {
            Some(end) => {
                let name = pair.get(..end).unwrap_or_default().trim_ascii();
                String::from_utf8_lossy(name).into_owned()
            }
            None => String::new(),
        }
    }
}

impl Origin {
    fn of(asked: &Asked<'_>) -> Result<Self, String> {
        let url = asked.url.ok_or("which page sent the line? Say it with `--url`")?;
        let address = Address::parse(url).map_err(|why| format!("--url: {why}"))?;
        let from = asked.from.map(Address::parse).transpose();
        let from = from.map_err(|why| format!("--from: {why}"))?;
        let needs_page = match asked.kind {
            Kind::Embedded | Kind::Fetch | Kind::FetchInclude => true,
            Kind::Navigation | Kind::Script => false,
        };
        if needs_page && from.is_none() {
            return Err(format!(
                "--as {} is done by a page: say which with `--from`",
                asked.kind.as_str()
            ));
        }
        Ok(Self { address, from, kind: asked.kind, method: asked.method.to_owned() })
    }

    /// What the fields of a recorded request tell.
    fn seen(exchange: &Exchange) -> Self {
        let text = |name| exchange.request.text(name).map(|text| text.to_ascii_lowercase());
        let referer = exchange.request.text("referer");
        let from = referer.and_then(|referer| Address::parse(&referer).ok());
        let is_foreign = text("sec-fetch-site").is_some_and(|site| site == "cross-site");
        // A page may keep its address to itself.
        let from = from.or_else(|| is_foreign.then(|| elsewhere(exchange.address())).flatten());
        let is_document = text("sec-fetch-dest").is_none_or(|dest| dest == "document");
        let kind = match (is_document, &from) {
            (true, _) | (false, None) => Kind::Navigation,
            (false, Some(_)) => Kind::Embedded,
        };
        Self {
            address: exchange.address().clone(),
            from,
            kind,
            method: exchange.method().to_owned(),
        }
    }

    /// The request, as a browser sees it.
    pub(super) fn request(&self) -> Request {
        let address = self.address.clone();
        let Some(from) = &self.from else { return Request::typed(address).method(&self.method) };
        let page = Page::top(from.clone());
        let request = match self.kind {
            Kind::Navigation | Kind::Script => Request::navigation(address, &page),
            Kind::Embedded | Kind::FetchInclude => Request::embedded(address, &page),
            Kind::Fetch => Request::embedded(address, &page).credentials(Credentials::SameOrigin),
        };
        request.method(&self.method)
    }

    /// The page whose script sets the cookie: in a frame, if another page caused it.
    pub(super) fn page(&self) -> Page {
        match &self.from {
            Some(from) => Page::top(from.clone()).frame(self.address.clone()),
            None => Page::top(self.address.clone()),
        }
    }

    /// A site that this one is not.
    pub(super) fn foreign(&self) -> Option<Address> {
        elsewhere(&self.address)
    }
}

/// An address of a site that strangers may have.
fn elsewhere(address: &Address) -> Option<Address> {
    let own = address.site().domain();
    let names = ["https://other.example/", "https://another.example/"];
    let mut addresses = names.iter().filter_map(|name| Address::parse(name).ok());
    addresses.find(|other| other.site().domain() != own)
}

/// A line without the name of its field.
fn bare(line: &[u8]) -> &[u8] {
    const FIELD: &[u8] = b"set-cookie:";
    let line = line.trim_ascii();
    match line.split_at_checked(FIELD.len()) {
        Some((field, rest)) if field.eq_ignore_ascii_case(FIELD) => rest.trim_ascii(),
        Some(_) | None => line,
    }
}
