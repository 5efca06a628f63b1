//! In which situations it is asked whether a cookie is sent.

use super::case::{Kind, Origin};
use cloakroom_cookie::browser::{Address, Credentials, Page, Request};
use std::time::Duration;

/// What happens to the browser before, and what it does then.
#[derive(Clone, Debug)]
pub(super) enum Act {
    /// It asks.
    Ask(Request),
    /// It asks after this time.
    AskAfter(Duration, Request),
    /// It is closed and opened again.
    Reopen(Request),
    /// A script of the page looks.
    Read(Page),
}

/// A situation.
#[derive(Clone, Debug)]
pub(super) struct Situation {
    /// For programs; never reused for something else.
    pub(super) code: &'static str,
    /// For people: 36 characters at most.
    pub(super) label: &'static str,
    pub(super) act: Act,
}

/// When the two minutes are over in which some browsers treat a cookie without `SameSite` more kindly.
const LATER: Duration = Duration::from_secs(121);

/// Every situation that makes sense for a cookie from here.
pub(super) fn situations(origin: &Origin) -> Vec<Situation> {
    let here = &origin.address;
    let own = Page::top(here.clone());
    let link = |page: &Page| Request::navigation(here.clone(), page);
    let embedded = |page: &Page| Request::embedded(here.clone(), page);
    let typed = || Request::typed(here.clone());
    let fetch = embedded(&own).credentials(Credentials::SameOrigin);
    let mut rows = Rows::default();
    if origin.from.is_some() && origin.kind != Kind::Script {
        rows.add("as-asked", "the request that was asked about", Act::Ask(origin.request()));
    }
    rows.add("same-site-link", "a link on a page of the same site", Act::Ask(link(&own)));
    rows.add("same-origin-fetch", "fetch() by a page of the same origin", Act::Ask(fetch));
    if let Some(foreign) = origin.foreign().map(Page::top) {
        let form = || link(&foreign).method("POST");
        rows.add("cross-site-link", "a link on a page of another site", Act::Ask(link(&foreign)));
        rows.add("cross-site-form", "a form of another site", Act::Ask(form()));
        rows.add(
            "cross-site-form-later",
            "the same form, 2 minutes later",
            Act::AskAfter(LATER, form()),
        );
        rows.add(
            "cross-site-frame",
            "a frame, image or fetch() elsewhere",
            Act::Ask(embedded(&foreign)),
        );
    }
    if here.path() != "/"
        && let Ok(root) = here.join("/")
    {
        rows.add("root", "the page / of the same host", Act::Ask(Request::typed(root)));
    }
    if let Some(below) = below(here) {
        rows.add("subdomain", "a subdomain of the host", Act::Ask(Request::typed(below)));
    }
    if let Some(plain) = in_clear(here) {
        rows.add("plain-http", "the same page over plain http", Act::Ask(Request::typed(plain)));
    }
    rows.add("reopened", "after the browser was closed", Act::Reopen(typed()));
    rows.add("script", "read by a script of the page", Act::Read(own));
    rows.0
}

#[derive(Default)]
struct Rows(Vec<Situation>);

impl Rows {
    fn add(&mut self, code: &'static str, label: &'static str, act: Act) {
        self.0.push(Situation { code, label, act });
    }
}

/// The same page at a host below; `None` where there is none, as for an IP address.
fn below(here: &Address) -> Option<Address> {
    let is_name = here.host().parse::<std::net::IpAddr>().is_err() && !here.host().starts_with('[');
    let text = here.to_string().replacen("://", "://sub.", 1);
    is_name.then(|| Address::parse(&text).ok()).flatten()
}

fn in_clear(here: &Address) -> Option<Address> {
    let rest = here.to_string().strip_prefix("https://").map(str::to_owned)?;
    Address::parse(&format!("http://{rest}")).ok()
}
