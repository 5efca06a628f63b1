//! A login that a real browser does, for pages that need scripts.

use crate::ask::Ask;
use crate::mask::shown_url;
use crate::script::Sign;
use cloakroom_cookie::browser::{Address, Jar, Request};
use std::fmt;

/// What a browser has to do: open a page, fill its fields, send the form, and wait until the site knows
/// its user.
///
/// `Debug` shows no values.
#[derive(Clone)]
pub struct Drive {
    /// The login page.
    pub page: String,
    /// Names and values of fields, in this order; the last one's form is sent.
    pub fields: Vec<(String, String)>,
    /// The hosts that the browser may see.
    pub hosts: Vec<String>,
    /// Cookies that it has before it opens the page.
    pub cookies: Vec<Driven>,
    /// The probe that tells who is signed in.
    pub whoami: Ask,
    /// How its answer looks then.
    pub signed_in: Sign,
}

/// A cookie of a browser: an address that might have set it, and the `Set-Cookie` line.
///
/// `Debug` shows no value.
#[derive(Clone, PartialEq, Eq)]
pub struct Driven {
    /// The address, at the cookie's host and path.
    pub url: String,
    /// The line, with every attribute that the browser keeps.
    pub line: Vec<u8>,
}

impl Driven {
    /// Puts the cookie into a jar; nothing happens if the jar's browser refuses it.
    ///
    /// ```
    /// use cloakroom_audit::Driven;
    /// use cloakroom_cookie::browser::{Browser, Jar};
    ///
    /// let mut jar = Jar::new(Browser::chromium(), 0);
    /// let line = b"id=7; Path=/; Secure; HttpOnly".to_vec();
    /// Driven { url: "https://shop.example/".to_owned(), line }.put_into(&mut jar);
    /// assert!(jar.cookies().all(|cookie| cookie.is_http_only()));
    /// assert_eq!(jar.cookies().len(), 1);
    /// ```
    pub fn put_into(&self, jar: &mut Jar) {
        if let Ok(address) = Address::parse(&self.url) {
            let _ = jar.receive(&Request::typed(address), &self.line);
        }
    }
}

impl fmt::Debug for Drive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fields: Vec<_> = self.fields.iter().map(|(name, _)| name).collect();
        f.debug_struct("Drive")
            .field("page", &shown_url(&self.page))
            .field("fields", &fields)
            .field("hosts", &self.hosts)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Driven {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Driven")
            .field("url", &shown_url(&self.url))
            .field("line", &crate::mask::masked_line(&self.line))
            .finish()
    }
}
