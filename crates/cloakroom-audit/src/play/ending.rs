//! What is left when a user signs out or changes the password.

use super::player::{Player, Stop, note};
use crate::ask::{Ask, Fetch};
use crate::exchange::Exchange;
use crate::scene::{Recognised, Scene, Step, Take};
use crate::visitor::Visitor;
use cloakroom_cookie::browser::{Address, Page, Request};
use std::time::Duration;

/// What a server may finish behind an answer is done after this time.
const LATER: Duration = Duration::from_secs(5);

impl<'s, F: Fetch> Player<'s, F> {
    /// One login and one logout for the four experiments about them.
    pub(super) async fn sign_out(
        &mut self,
        replayed: &mut Scene,
        others: &mut [Scene],
    ) -> Result<(), Stop> {
        let [other_cookie, other_tab, out] = others else { return Ok(()) };
        let Some(call) = &self.script.logout else {
            return Err(Stop::Ends("the script has no [logout]".to_owned()));
        };
        let mut visitor = self.signed_in(replayed).await?;
        // What the login did is no part of what signing out does.
        replayed.takes.retain(|take| !matches!(take.step, Step::Act | Step::Way));
        let saved = visitor.clone();
        let mut tab = self.unremembered(&visitor);
        self.control(replayed, &mut tab).await?;
        if let Some(page) = &call.page {
            // A page may renew what a probe leaves alone.
            let _ = tab.follow(&Ask::get(self.url(page)?.as_str())).await?;
        }
        for scene in [&mut *other_cookie, &mut *other_tab, &mut *out] {
            scene.takes.clone_from(&replayed.takes);
        }
        let ready = self.prepare(out, &mut visitor, call).await?;
        self.submit(out, &mut visitor, &ready).await?;
        let own = self.question(out, &visitor, "the browser that signed out").await?;
        if own != Recognised::SignedOut {
            out.takes.retain(|take| take.step != Step::Try);
            let why = "after the script's [logout] the browser itself is not signed out: it is another request, or signing out does nothing";
            return Err(Stop::Ends(why.to_owned()));
        }
        self.replay(replayed, &saved).await?;
        for at in 1..self.sets.len() {
            self.alone(other_cookie, &mut saved.clone(), at).await?;
        }
        if self.sets.is_empty() {
            other_cookie.stopped =
                Some("it was not found out which cookies are the session".to_owned());
        }
        if self.outlives_sign_out {
            other_tab.stopped =
                Some("signing out ends nothing in the first place: see O01".to_owned());
            return Ok(());
        }
        for what in ["the other tab", "the other tab once more"] {
            let take = self.ask_who(&mut tab, Step::Try, what).await?;
            other_tab.takes.push(take);
        }
        Ok(())
    }

    /// The cookies of the session without those that remember a login, which have a question of their own.
    async fn replay(&mut self, scene: &mut Scene, saved: &Visitor<'s, F>) -> Result<(), Stop> {
        let saved = self.unremembered(saved);
        let first =
            self.question(scene, &saved, "the session's cookies from before signing out").await?;
        self.site.fetch().pause(LATER).await;
        let later = self.question(scene, &saved, "the same cookies five seconds later").await?;
        self.outlives_sign_out = [first, later].contains(&Recognised::SignedIn);
        Ok(())
    }

    pub(super) async fn foreign_sign_out(&mut self, scene: &mut Scene) -> Result<(), Stop> {
        let Some(call) = &self.script.logout else {
            return Err(Stop::Ends("the script has no [logout]".to_owned()));
        };
        let mut visitor = self.signed_in(scene).await?;
        let ready = self.prepare(scene, &mut visitor, call).await?.without_token();
        for (method, what) in
            [("GET", "a link of another site"), ("POST", "a form of another site")]
        {
            let ask = navigation_of_another_site(&mut visitor, ready.by(method).ask())?;
            let answer = visitor.go(&ask).await?;
            note(scene, Step::Way, what, &[answer]);
            if self.question(scene, &visitor, what).await? != Recognised::SignedIn {
                break;
            }
        }
        Ok(())
    }

    pub(super) async fn password_change(&mut self, scene: &mut Scene) -> Result<(), Stop> {
        let Some(change) = &self.script.password_change else {
            return Err(Stop::Ends("the script has no [password_change]".to_owned()));
        };
        if !change.is_allowed {
            return Err(Stop::Ends(
                "the script does not say `destructive = true` in [password_change]".to_owned(),
            ));
        }
        let other = self.signed_in(scene).await?;
        let mut visitor = self.newcomer();
        self.sign_in(scene, &mut visitor).await?;
        self.control(scene, &mut visitor).await?;
        let ready = self.prepare(scene, &mut visitor, &change.call).await?;
        self.submit(scene, &mut visitor, &ready).await?;
        let is_changed = self.old_password_is_refused(scene).await;
        let asked =
            self.question(scene, &other, "the browser that did not change the password").await;
        let undone = match &change.undo {
            Some(undo) => self.calls(scene, &mut visitor, std::slice::from_ref(undo)).await,
            None => Ok(()),
        };
        if !is_changed {
            scene.takes.retain(|take| take.step != Step::Try);
            return Err(Stop::Ends(
                "the old password still signs in after [password_change]".to_owned(),
            ));
        }
        asked?;
        undone.map_err(|_| {
            Stop::Ends("the password was changed, and changing it back failed".to_owned())
        })
    }

    async fn old_password_is_refused(&self, scene: &mut Scene) -> bool {
        let mut visitor = self.newcomer();
        // Once is enough: sites count wrong passwords.
        let tried = self.calls(scene, &mut visitor, &self.script.login).await;
        match self.ask_who(&mut visitor, Step::Way, "a login with the old password").await {
            Ok(take) => {
                let is_out = take.recognised == Recognised::SignedOut;
                scene.takes.push(take);
                is_out && !matches!(tried, Err(Stop::Again(_)))
            }
            Err(_) => false,
        }
    }
}

/// A page that is nobody's: what other sites are called here.
pub(super) const EVIL: &str = "https://evil.example";

/// What a browser sends when a page of another site leads here, with the cookies that it sends then.
fn navigation_of_another_site<F: Fetch>(
    visitor: &mut Visitor<'_, F>,
    ask: Ask,
) -> Result<Ask, Stop> {
    let no_address = |error: cloakroom_cookie::browser::AddressError| Stop::Ends(error.to_string());
    let address = Address::parse(&ask.url).map_err(no_address)?;
    let page = Page::top(Address::parse(EVIL).map_err(no_address)?);
    let request = Request::navigation(address, &page).method(&ask.method);
    let cookies = visitor.jar_mut().header(&request);
    let is_get = ask.method == "GET";
    let mut ask = ask
        .header("Cookie", cookies)
        .header("Sec-Fetch-Site", "cross-site")
        .header("Sec-Fetch-Mode", "navigate");
    ask.headers.push("Referer", format!("{EVIL}/"));
    Ok(if is_get { ask } else { ask.header("Origin", EVIL) })
}

/// A take of an answer that is no question and was recognised otherwise.
pub(super) fn answered(step: Step, what: &str, answer: Exchange, came_to: Recognised) -> Take {
    Take::new(step, what, Some(answer)).came_to(came_to)
}
