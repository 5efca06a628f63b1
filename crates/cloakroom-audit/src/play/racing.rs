//! Requests at the same time.

use super::ending::answered;
use super::foreign::{own, with_cookies};
use super::player::{Player, Stop, controlled, note};
use super::together::{Boxed, together};
use crate::ask::{Ask, Fetch};
use crate::exchange::{Exchange, Probe};
use crate::scene::{Recognised, Scene, Step, Take};
use crate::visitor::Visitor;
use cloakroom_cookie::browser::Request;
use std::cell::Cell;
use std::time::Duration;

/// Changes that are sent at once.
const AT_ONCE: usize = 20;
/// Requests beside a login.
const BESIDE: usize = 6;
/// A slow request is under way after this time.
const UNDER_WAY: Duration = Duration::from_millis(300);

impl<'s, F: Fetch> Player<'s, F> {
    pub(super) async fn parallel(&mut self, scene: &mut Scene) -> Result<(), Stop> {
        let stage = self.stage(scene).await?;
        let change = self.script.change.as_ref();
        if change.is_none_or(|change| change.read.is_none()) {
            return Err(Stop::Ends("the script has no [change.read]".to_owned()));
        }
        let mut user = stage.user.clone();
        let second = user.go(&own(stage.ready.ask())).await?;
        let number = self.number(&user).await;
        let looks = stage.made.is_like(&second, false);
        let came_to = if looks {
            Recognised::Landed
        } else {
            Recognised::Unclear("it looks otherwise than the first one".to_owned())
        };
        controlled(
            scene,
            answered(Step::Genuine, "the change once more", second, came_to).reading(number),
            &Recognised::Landed,
        )?;
        let ask = with_cookies(&mut user, own(stage.ready.ask()))?;
        let one = || -> Boxed<'_, _> { Box::pin(self.site.ask_at_once(&ask, Probe::Visit)) };
        let answers = together((0..AT_ONCE).map(|_| one()).collect()).await;
        for answer in answers {
            let take = match answer {
                Ok(answer) => {
                    receive(&mut user, &answer);
                    let is_made = match change.and_then(|change| change.lands.as_ref()) {
                        Some(sign) => sign.fits(&answer),
                        None => stage.made.is_like(&answer, false),
                    };
                    let came_to = if is_made { Recognised::Landed } else { Recognised::Refused };
                    answered(Step::Try, "one of many changes at once", answer, came_to)
                }
                Err(silence) => {
                    return Err(Stop::Ends(format!(
                        "a change at once was not answered: {silence}"
                    )));
                }
            };
            scene.takes.push(take);
        }
        if let Some((number, page)) = self.number_of(&user).await {
            scene
                .takes
                .push(Take::new(Step::Page, "the number afterwards", Some(page)).reading(number));
        }
        Ok(())
    }

    /// The slow request is sent, its user signs out, and its answer comes.
    pub(super) async fn late(&mut self, scene: &mut Scene) -> Result<(), Stop> {
        let (Some(slow), Some(logout)) = (&self.script.slow, &self.script.logout) else {
            return Err(Stop::Ends("the script has no [slow] and [logout]".to_owned()));
        };
        if !slow.is_replayable {
            return Err(Stop::Ends(
                "the script does not say `replayable = true` in [slow]".to_owned(),
            ));
        }
        if self.outlives_sign_out {
            return Err(Stop::Ends(
                "signing out ends nothing in the first place: see O01".to_owned(),
            ));
        }
        let mut visitor = self.signed_in(scene).await?;
        let slow = self.prepare(scene, &mut visitor, &slow.call).await?;
        let leave = self.prepare(scene, &mut visitor, logout).await?;
        let saved = self.unremembered(&visitor);
        let mut late = saved.clone();
        let is_answered = Cell::new(false);
        let was_answered_early = Cell::new(false);
        let (slow, leave) = (slow.ask(), leave.ask());
        let running: Boxed<'_, Result<Exchange, Stop>> = Box::pin(async {
            let answer = late.go(&slow).await;
            is_answered.set(true);
            Ok(answer?)
        });
        let leaving: Boxed<'_, Result<Exchange, Stop>> = Box::pin(async {
            self.site.fetch().pause(UNDER_WAY).await;
            let answer = visitor.go(&leave).await;
            was_answered_early.set(is_answered.get());
            Ok(answer?)
        });
        for (answer, what) in together(vec![running, leaving])
            .await
            .into_iter()
            .zip(["the slow request", "signing out meanwhile"])
        {
            note(scene, Step::Way, what, &[answer?]);
        }
        if was_answered_early.get() {
            return Err(Stop::Ends(
                "the slow request was answered before its user had signed out".to_owned(),
            ));
        }
        self.question(scene, &saved, "the browser with the cookies from before").await?;
        self.question(scene, &late, "the browser that took the late answer's cookies")
            .await
            .map(|_| ())
    }

    /// What was sent before the login is answered behind it.
    pub(super) async fn race(&mut self, scene: &mut Scene) -> Result<(), Stop> {
        let Some((last, before)) = self.script.login.split_last() else { return Ok(()) };
        self.stranger(scene).await?;
        let mut visitor = self.newcomer();
        self.calls(scene, &mut visitor, before).await?;
        let _ = visitor.go(&self.whoami()?).await?;
        // The page that sets the first cookies may not have a form that works yet.
        let _ = self.prepare(scene, &mut visitor, last).await?;
        let ready = self.prepare(scene, &mut visitor, last).await?;
        let beside = self.beside(&visitor)?;
        let login: Boxed<'_, _> = Box::pin({
            let (visitor, ask) = (&mut visitor, ready.ask());
            async move { visitor.go(&ask).await }
        });
        let mut running = vec![login];
        for ask in &beside {
            running.push(Box::pin(self.site.ask_at_once(ask, Probe::Visit)));
        }
        let mut answers = together(running).await.into_iter();
        let Some(login) = answers.next() else { return Ok(()) };
        note(scene, Step::Act, "the login", &[login?]);
        self.control(scene, &mut visitor.clone()).await?;
        let mut late: Vec<Exchange> = answers.filter_map(Result::ok).collect();
        // What a slow line brings to the server only now was sent before the login's answer too.
        for ask in beside.iter().take(2) {
            late.push(self.site.ask_quietly(ask, Probe::Visit).await?);
        }
        for answer in &late {
            receive(&mut visitor, answer);
        }
        note(scene, Step::Way, "a request from before the login", &late);
        self.question(scene, &visitor, "the browser after the answers to what it sent before")
            .await
            .map(|_| ())
    }

    /// The probe and the page of the login, in turn, with the cookies from before the login.
    fn beside(&self, visitor: &Visitor<'s, F>) -> Result<Vec<Ask>, Stop> {
        let page = self.script.login.last().and_then(|call| call.page.as_deref());
        let mut asks = vec![self.whoami()?];
        if let Some(page) = page {
            asks.push(Ask::get(self.url(page)?.as_str()));
        }
        let asks = asks.iter().cycle().take(BESIDE);
        asks.map(|ask| with_cookies(&mut visitor.clone(), ask.clone())).collect()
    }
}

/// The browser takes the cookies of an answer to a request that was sent beside it.
fn receive<F: Fetch>(visitor: &mut Visitor<'_, F>, answer: &Exchange) {
    let request = Request::typed(answer.address().clone());
    for line in answer.response.all("set-cookie") {
        let _ = visitor.jar_mut().receive(&request, line);
    }
}
