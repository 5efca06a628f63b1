//! A login that a real browser does, as the rest of an experiment sees it.

use super::player::{Player, Stop, note};
use crate::ask::Fetch;
use crate::drive::{Drive, Driven};
use crate::exchange::Exchange;
use crate::scene::{Scene, Step};
use crate::script::Body;
use crate::visitor::Visitor;
use cloakroom_cookie::browser::{Address, Browser, Jar};

impl<'s, F: Fetch> Player<'s, F> {
    /// Has a browser sign in that begins with this one's cookies; this one has the other's from then on.
    pub(super) async fn drive(
        &self,
        scene: &mut Scene,
        visitor: &mut Visitor<'s, F>,
    ) -> Result<(), Stop> {
        let drive = self.asked_of_a_browser(visitor)?;
        let held = self.site.fetch().drive(&drive).await?;
        let now = self.site.fetch().now().as_secs();
        let mut jar = Jar::new(Browser::chromium(), now);
        held.iter().for_each(|cookie| cookie.put_into(&mut jar));
        *visitor.jar_mut() = jar;
        let seen = Exchange::new("POST", &drive.page, 200, now);
        let mut seen = seen.map_err(|error| Stop::Ends(error.to_string()))?;
        held.iter().for_each(|cookie| seen.response.push("set-cookie", cookie.line.clone()));
        note(scene, Step::Act, "the login in a browser", &[seen]);
        Ok(())
    }

    fn asked_of_a_browser(&self, visitor: &mut Visitor<'s, F>) -> Result<Drive, Stop> {
        let call = self.script.login.first();
        let page = call.and_then(|call| call.page.as_deref()).unwrap_or("/");
        let page = self.url(page)?;
        let fields = match call.map(|call| &call.body) {
            Some(Body::Form(fields)) => fields.clone(),
            Some(Body::None | Body::Json(_)) | None => Vec::new(),
        };
        let address =
            Address::parse(page.as_str()).map_err(|error| Stop::Ends(error.to_string()))?;
        let origins = self.script.also().iter().chain([self.script.origin()]);
        Ok(Drive {
            hosts: origins.filter_map(|origin| origin.host_str().map(str::to_owned)).collect(),
            cookies: planted(visitor, &address),
            page: page.into(),
            fields,
            whoami: self.whoami()?,
            signed_in: self.script.whoami.signed_in.clone(),
        })
    }
}

/// What this browser would send, with the attributes that are known of it.
fn planted<F: Fetch>(visitor: &mut Visitor<'_, F>, address: &Address) -> Vec<Driven> {
    let field = visitor.cookies_for(address);
    let now = visitor.jar().now();
    let scheme = if address.is_encrypted() { "https" } else { "http" };
    let one = |pair: cloakroom_cookie::Pair<'_>| {
        let mut cookies = visitor.jar().cookies();
        let known =
            cookies.find(|cookie| cookie.name() == pair.name() && cookie.value() == pair.value());
        match known {
            Some(cookie) => {
                let path = String::from_utf8_lossy(cookie.path()).into_owned();
                let url = format!("{scheme}://{}{path}", cookie.domain());
                Driven { url, line: cookie.to_line(now) }
            }
            // An invented value: whoever plants it can choose no more than this.
            None => {
                let secure: &[u8] =
                    if address.is_encrypted() { b"; Path=/; Secure" } else { b"; Path=/" };
                let line = [pair.name(), b"=", pair.value(), secure].concat();
                Driven { url: format!("{scheme}://{}/", address.host()), line }
            }
        }
    };
    cloakroom_cookie::pairs(&field).map(one).collect()
}
