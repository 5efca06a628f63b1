//! A first login script, from what a stranger sees of a site.

mod text;

use crate::ask::{Ask, Fetch, Silence};
use crate::exchange::Exchange;
use crate::forms::{Form, forms};
use crate::markup::links;
use crate::mask::shown_url;
use crate::site::Site;
use crate::visitor::Visitor;
use std::fmt;
use url::Url;

/// Pages that are looked at: the start page, what it links to that sounds like signing in, and usual places.
pub const SKETCH_PAGES: usize = 30;

/// Where sites have their login when no link leads there.
const USUAL: [&str; 14] = [
    "/login",
    "/signin",
    "/sign-in",
    "/auth/login",
    "/accounts/login/",
    "/account/login",
    "/users/sign_in",
    "/user/login",
    "/session/new",
    "/admin/",
    "/admin/login/",
    "/login.php",
    "/wp-login.php",
    "/index.php",
];
/// Where sites have pages of the signed-in user.
const PRIVATE: [&str; 10] = [
    "/account",
    "/accounts/profile/",
    "/profile",
    "/me",
    "/dashboard",
    "/settings",
    "/admin/",
    "/home",
    "/api/me",
    "/user",
];
/// Words in the address of a link that leads to a login.
const WORDS: [&str; 8] =
    ["login", "signin", "sign-in", "sign_in", "log-in", "auth", "session", "admin"];
const WAY_OUT: [&str; 6] = ["logout", "signout", "sign-out", "sign_out", "log-out", "log_out"];
const TEXT_KINDS: [&str; 4] = ["text", "email", "tel", "search"];

/// A script, and what its author has to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sketch {
    /// The file.
    pub text: String,
    /// The environment variables that it reads.
    pub variables: Vec<String>,
    /// What could not be seen from outside, in sentences without a full stop.
    pub open: Vec<String>,
}

/// Why there is no sketch.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SketchError {
    /// The start page gave no answer.
    Silent(Silence),
    /// No page has a form with one field for a password.
    NoLogin {
        /// How many pages were looked at.
        pages: usize,
        /// Whether one of them says to be made by scripts.
        has_scripts: bool,
    },
}

impl fmt::Display for SketchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Silent(silence) => write!(f, "the start page: {silence}"),
            Self::NoLogin { pages, has_scripts } => {
                write!(
                    f,
                    "none of {pages} pages has a form with a field for a password: give the address of the login page"
                )?;
                if *has_scripts {
                    write!(
                        f,
                        "; if scripts make the form, write the script by hand with `browser = true` in [login]"
                    )?;
                }
                Ok(())
            }
        }
    }
}

impl std::error::Error for SketchError {}

/// What was found out.
struct Seen {
    origin: String,
    host: String,
    /// The page with the form, as a path.
    page: String,
    user: Option<String>,
    password: String,
    whoami: Option<Private>,
    /// A link or form that was seen, or a place where it usually is.
    logout: Logout,
}

/// A page that a stranger does not see.
struct Private {
    path: String,
    status: u16,
    location: Option<String>,
}

enum Logout {
    Seen(String),
    Guessed(String),
}

/// Looks at the site's pages as a stranger, and writes a first script: at most [`SKETCH_PAGES`] pages, and
/// nothing is sent but `GET`s.
///
/// # Errors
///
/// [`SketchError`] if the site does not answer or has no form with a field for a password.
pub async fn sketch<F: Fetch>(site: &Site<F>) -> Result<Sketch, SketchError> {
    let mut looker = Looker {
        visitor: site.visitor(),
        asked: Vec::new(),
        left: SKETCH_PAGES,
        has_scripts: false,
    };
    let start = looker.page(site.start()).await.map_err(SketchError::Silent)?;
    let (login, form) = looker.login(start).await?;
    let whoami = looker.private(&login).await;
    let url = login.parsed_url();
    let path = |url: &Url| match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    };
    let seen = Seen {
        origin: url.origin().ascii_serialization(),
        host: url.host_str().unwrap_or_default().to_owned(),
        page: path(url),
        user: user_field(&form),
        password: password_field(&form).unwrap_or_default(),
        whoami,
        logout: looker.logout(&login),
    };
    Ok(text::write(&seen))
}

struct Looker<'s, F> {
    visitor: Visitor<'s, F>,
    asked: Vec<String>,
    left: usize,
    has_scripts: bool,
}

impl<F: Fetch> Looker<'_, F> {
    async fn page(&mut self, url: &str) -> Result<Exchange, Silence> {
        self.left = self.left.saturating_sub(1);
        self.asked.push(url.to_owned());
        let hops = self.visitor.follow(&Ask::get(url)).await?;
        let page =
            hops.into_iter().last().ok_or_else(|| Silence::Broken("no answer".to_owned()))?;
        self.has_scripts |=
            page.is_html() && links(page.body()).iter().any(|link| link.place == "script");
        Ok(page)
    }

    /// The first page with a login form: the start page, where its links lead, the usual places.
    async fn login(&mut self, start: Exchange) -> Result<(Exchange, Form), SketchError> {
        let mut wanted = likely(&start);
        wanted.extend(
            USUAL.iter().filter_map(|path| start.parsed_url().join(path).ok().map(String::from)),
        );
        let mut pages = wanted.into_iter();
        let mut page = Some(start);
        loop {
            if let Some(found) = page.as_ref().and_then(login_form) {
                return match page {
                    Some(page) => Ok((page, found)),
                    None => Err(self.nothing()),
                };
            }
            let Some(next) = pages.find(|url| !self.asked.contains(url)) else {
                return Err(self.nothing());
            };
            if self.left == 0 {
                return Err(self.nothing());
            }
            page = self.page(&next).await.ok();
        }
    }

    fn nothing(&self) -> SketchError {
        SketchError::NoLogin { pages: self.asked.len(), has_scripts: self.has_scripts }
    }

    /// A page that sends strangers to the login, or refuses them.
    async fn private(&mut self, login: &Exchange) -> Option<Private> {
        let login_url = login.parsed_url();
        let told =
            login_url.query_pairs().find(|(name, value)| is_return(name) && value.starts_with('/'));
        let told = told.map(|(_, value)| value.into_owned());
        for path in told.iter().map(String::as_str).chain(PRIVATE) {
            if self.left == 0 {
                return None;
            }
            self.left -= 1;
            let Ok(url) = login_url.join(path) else { continue };
            let Ok(answer) = self.visitor.clone().go(&Ask::get(url.as_str())).await else {
                continue;
            };
            let location = answer.response.text("location").and_then(|to| url.join(&to).ok());
            let leads_to_login = location.is_some_and(|to| to.path() == login_url.path());
            if leads_to_login && (300..400).contains(&answer.status()) {
                let location = Some(login_url.path().to_owned());
                return Some(Private {
                    path: url.path().to_owned(),
                    status: answer.status(),
                    location,
                });
            }
            if answer.status() == 401 {
                return Some(Private { path: url.path().to_owned(), status: 401, location: None });
            }
        }
        None
    }

    fn logout(&self, login: &Exchange) -> Logout {
        let is_way_out =
            |to: &str| WAY_OUT.iter().any(|word| to.to_ascii_lowercase().contains(word));
        let found = links(login.body()).into_iter().find(|link| is_way_out(&link.to));
        if let Some(url) = found.and_then(|link| login.parsed_url().join(&link.to).ok())
            && url.origin() == login.parsed_url().origin()
        {
            return Logout::Seen(url.path().to_owned());
        }
        Logout::Guessed(guessed_way_out(login.parsed_url().path()))
    }
}

/// The name of a parameter that says where to go after signing in.
fn is_return(name: &str) -> bool {
    matches!(
        name,
        "next" | "return" | "returnTo" | "return_to" | "redirect" | "redirect_to" | "continue"
    )
}

/// Links of a page that sound like signing in.
fn likely(page: &Exchange) -> Vec<String> {
    let mut found = Vec::new();
    for link in
        links(page.body()).iter().filter(|link| matches!(link.place, "link" | "form" | "frame"))
    {
        let Ok(mut url) = page.parsed_url().join(&link.to) else { continue };
        url.set_fragment(None);
        let path = url.path().to_ascii_lowercase();
        let is_own = url.origin() == page.parsed_url().origin();
        let is_likely = WORDS.iter().any(|word| path.contains(word))
            && !WAY_OUT.iter().any(|word| path.contains(word));
        if is_own && is_likely && !found.contains(&url.to_string()) {
            found.push(url.to_string());
        }
    }
    // A login is more likely to be called so than an administration.
    found.sort_by_key(|url| WORDS.iter().position(|word| url.to_ascii_lowercase().contains(word)));
    found.truncate(SKETCH_PAGES / 3);
    found
}

/// The form with exactly one field for a password: with two, somebody registers or changes it.
fn login_form(page: &Exchange) -> Option<Form> {
    let passwords =
        |form: &Form| form.fields.iter().filter(|field| field.kind == "password").count();
    let is_page = page.is_html() && (200..300).contains(&page.status()) || page.status() == 401;
    let found = forms(page.body()).into_iter().find(|form| passwords(form) == 1);
    found.filter(|_| is_page)
}

fn password_field(form: &Form) -> Option<String> {
    form.fields.iter().find(|field| field.kind == "password").map(|field| field.name.clone())
}

/// The last field for text before the password.
fn user_field(form: &Form) -> Option<String> {
    let at = form.fields.iter().position(|field| field.kind == "password")?;
    let before = form.fields.get(..at)?.iter().rev();
    let mut texts = before.filter(|field| TEXT_KINDS.contains(&field.kind.as_str()));
    texts.next().map(|field| field.name.clone())
}

/// Where the way out usually is, beside this way in.
fn guessed_way_out(login: &str) -> String {
    for (of_login, of_logout) in [
        ("login", "logout"),
        ("sign_in", "sign_out"),
        ("signin", "signout"),
        ("sign-in", "sign-out"),
        ("session/new", "session"),
    ] {
        if let Some((before, behind)) = login.rsplit_once(of_login) {
            return format!("{before}{of_logout}{behind}");
        }
    }
    "/logout".to_owned()
}

/// An address for people.
fn shown(seen: &Seen) -> String {
    shown_url(&format!("{}{}", seen.origin, seen.page))
}

#[cfg(test)]
mod tests;
