//! The hands of the auditor: browsers that sign in, ask who they are, and write down what they see.

use super::CallBack;
use super::ready::Ready;
use crate::ask::{Ask, Fetch, Silence};
use crate::exchange::Exchange;
use crate::scene::{Recognised, Scene, Step, Take};
use crate::script::{Call, Script};
use crate::site::Site;
use crate::visitor::Visitor;
use cloakroom_cookie::browser::Address;
use std::collections::BTreeSet;
use url::Url;

/// Why an experiment goes no further.
#[derive(Debug)]
pub(super) enum Stop {
    /// It cannot be played, and trying again does not help.
    Ends(String),
    /// Something came out otherwise than it should, and may not the next time.
    Again(String),
}

impl From<Silence> for Stop {
    fn from(silence: Silence) -> Self {
        match silence {
            Silence::OutOfScope(_) | Silence::Exhausted(_) => Self::Ends(silence.to_string()),
            Silence::Unreachable(_) | Silence::TooLate(_) | Silence::Broken(_) => {
                Self::Again(silence.to_string())
            }
        }
    }
}

/// How a stranger's answer looks: its status and where it leads.
type Looks = (u16, Option<String>);

pub(super) struct Player<'s, F> {
    pub(super) site: &'s Site<F>,
    pub(super) script: &'s Script,
    pub(super) call_back: Option<CallBack>,
    /// What was learnt of strangers where the script does not say how they look.
    stranger: Option<Looks>,
    /// A browser that is signed in, for experiments that leave it so.
    user: Option<Visitor<'s, F>>,
    /// The sets of cookies that are the session, the ordinary one first.
    pub(super) sets: Vec<BTreeSet<String>>,
    /// Whether signing out was seen to end nothing.
    pub(super) outlives_sign_out: bool,
}

impl<'s, F: Fetch> Player<'s, F> {
    pub(super) const fn new(
        site: &'s Site<F>,
        script: &'s Script,
        call_back: Option<CallBack>,
    ) -> Self {
        Self {
            site,
            script,
            call_back,
            stranger: None,
            user: None,
            sets: Vec::new(),
            outlives_sign_out: false,
        }
    }

    /// Lets go of the signed-in browser.
    pub(super) fn forget(&mut self) {
        self.user = None;
    }

    /// A browser that was never there, and whose requests are not in the site's log.
    pub(super) fn newcomer(&self) -> Visitor<'s, F> {
        self.site.visitor().quietly()
    }

    /// A path of the script as an address.
    pub(super) fn url(&self, path: &str) -> Result<Url, Stop> {
        let outside = || {
            Stop::Ends(format!(
                "`{}` is at no origin that the script names",
                crate::mask::shown_url(path)
            ))
        };
        self.script.url(path).ok_or_else(outside)
    }

    /// The script's probe.
    pub(super) fn whoami(&self) -> Result<Ask, Stop> {
        let call = &self.script.whoami.call;
        let url = self.url(call.path.as_deref().unwrap_or("/"))?;
        let mut ask = Ask::new(call.own_method(), url.as_str());
        for (name, value) in &call.headers {
            ask.headers.push(name, value.as_bytes());
        }
        Ok(ask)
    }

    pub(super) fn whoami_address(&self) -> Result<Address, Stop> {
        let ask = self.whoami()?;
        Address::parse(&ask.url).map_err(|error| Stop::Ends(error.to_string()))
    }

    /// What an answer to the probe comes to.
    pub(super) fn recognise(&self, answer: &Exchange) -> Recognised {
        let status = answer.status();
        if status >= 500 || status == 429 {
            return Recognised::Unclear(format!("status {status}"));
        }
        let is_in = self.script.whoami.signed_in.fits(answer);
        let is_out = match (&self.script.whoami.signed_out, &self.stranger) {
            (Some(sign), _) => sign.fits(answer),
            (None, Some(looks)) => looks_of(answer) == *looks,
            (None, None) => false,
        };
        match (is_in, is_out) {
            (true, false) => Recognised::SignedIn,
            (false, true) => Recognised::SignedOut,
            (true, true) if self.script.whoami.signed_out.is_none() => Recognised::SignedIn,
            (true, true) => Recognised::Unclear("it looks signed in and signed out".to_owned()),
            (false, false) => Recognised::Unclear(format!(
                "status {status} looks neither signed in nor signed out"
            )),
        }
    }

    /// Asks who the browser is. It takes the cookies of the answer: give a clone to leave it as it is.
    pub(super) async fn ask_who(
        &self,
        visitor: &mut Visitor<'s, F>,
        step: Step,
        what: &str,
    ) -> Result<Take, Stop> {
        let ask = self.whoami()?;
        Ok(self.taken(visitor.go(&ask).await, step, what))
    }

    /// An answer to the probe, or the silence, as a take.
    pub(super) fn taken(&self, answer: Result<Exchange, Silence>, step: Step, what: &str) -> Take {
        match answer {
            Ok(answer) => {
                let recognised = self.recognise(&answer);
                Take::new(step, what, Some(answer)).came_to(recognised)
            }
            Err(silence) => {
                Take::new(step, what, None).came_to(Recognised::Unclear(silence.to_string()))
            }
        }
    }

    /// The control that a browser without cookies is signed out.
    pub(super) async fn stranger(&mut self, scene: &mut Scene) -> Result<(), Stop> {
        let mut newcomer = self.newcomer();
        if self.script.whoami.signed_out.is_none() && self.stranger.is_none() {
            let answer = newcomer.clone().go(&self.whoami()?).await?;
            let is_in = self.script.whoami.signed_in.fits(&answer);
            self.stranger = (!is_in && answer.status() < 500).then(|| looks_of(&answer));
        }
        let take =
            self.ask_who(&mut newcomer, Step::Stranger, "a browser that was never there").await?;
        controlled(scene, take, &Recognised::SignedOut)
    }

    /// The control that this browser is signed in.
    pub(super) async fn control(
        &self,
        scene: &mut Scene,
        visitor: &mut Visitor<'s, F>,
    ) -> Result<(), Stop> {
        let take = self.ask_who(visitor, Step::Control, "the signed-in browser").await?;
        controlled(scene, take, &Recognised::SignedIn)
    }

    /// A question: asked by a copy of the browser, which stays as it is.
    pub(super) async fn question(
        &self,
        scene: &mut Scene,
        visitor: &Visitor<'s, F>,
        what: &str,
    ) -> Result<Recognised, Stop> {
        let take = self.ask_who(&mut visitor.clone(), Step::Try, what).await?;
        let recognised = take.recognised.clone();
        scene.takes.push(take);
        Ok(recognised)
    }

    /// Both controls, and a browser that nobody else uses and that was signed in for this.
    pub(super) async fn signed_in(&mut self, scene: &mut Scene) -> Result<Visitor<'s, F>, Stop> {
        self.stranger(scene).await?;
        let mut visitor = self.newcomer();
        self.sign_in(scene, &mut visitor).await?;
        self.control(scene, &mut visitor).await?;
        Ok(visitor)
    }

    /// Both controls, and a signed-in browser for questions that leave it signed in.
    pub(super) async fn user(&mut self, scene: &mut Scene) -> Result<Visitor<'s, F>, Stop> {
        let Some(mut user) = self.user.clone() else {
            let user = self.signed_in(scene).await?;
            self.user = Some(user.clone());
            return Ok(user);
        };
        self.stranger(scene).await?;
        self.control(scene, &mut user).await?;
        self.user = Some(user.clone());
        Ok(user)
    }

    /// All requests of the login, by this browser. A form that came with the first cookies of a site may
    /// not work yet; a person tries again, and so does this.
    pub(super) async fn sign_in(
        &self,
        scene: &mut Scene,
        visitor: &mut Visitor<'s, F>,
    ) -> Result<(), Stop> {
        if self.script.in_browser {
            return self.drive(scene, visitor).await;
        }
        self.calls(scene, visitor, &self.script.login).await?;
        let is_in =
            self.ask_who(&mut visitor.clone(), Step::Way, "whether it is signed in").await?;
        if is_in.recognised == Recognised::SignedOut {
            self.calls(scene, visitor, &self.script.login).await?;
        }
        Ok(())
    }

    pub(super) async fn calls(
        &self,
        scene: &mut Scene,
        visitor: &mut Visitor<'s, F>,
        calls: &[Call],
    ) -> Result<(), Stop> {
        for call in calls {
            let ready = self.prepare(scene, visitor, call).await?;
            self.submit(scene, visitor, &ready).await?;
        }
        Ok(())
    }

    /// Asks for the page of the form, and puts the request together.
    pub(super) async fn prepare(
        &self,
        scene: &mut Scene,
        visitor: &mut Visitor<'s, F>,
        call: &Call,
    ) -> Result<Ready, Stop> {
        let path = call.path.as_deref().or(call.page.as_deref()).unwrap_or("/");
        let address = self.url(path)?;
        let page = match &call.page {
            Some(page) => {
                let hops = visitor.follow(&Ask::get(self.url(page)?.as_str())).await?;
                note(scene, Step::Way, "the page with the form", &hops);
                hops.into_iter().last()
            }
            None => None,
        };
        Ok(Ready::new(call, page.as_ref(), visitor.jar(), address))
    }

    /// Sends a request of the script and follows it. Gives its own answer.
    pub(super) async fn submit(
        &self,
        scene: &mut Scene,
        visitor: &mut Visitor<'s, F>,
        ready: &Ready,
    ) -> Result<Exchange, Stop> {
        let hops = visitor.follow(&ready.ask()).await?;
        let mut hops = hops.into_iter();
        let Some(answer) = hops.next() else { return Err(Stop::Again("no answer".to_owned())) };
        note(scene, Step::Act, "the request of the script", std::slice::from_ref(&answer));
        note(scene, Step::Way, "where it led", hops.as_slice());
        Ok(answer)
    }

    /// A copy of the browser that does not send what remembers a login beside the session: that has a
    /// question of its own.
    pub(super) fn unremembered(&self, visitor: &Visitor<'s, F>) -> Visitor<'s, F> {
        let own = self.sets.first().cloned().unwrap_or_default();
        let others = self.sets.iter().flatten().filter(|name| !own.contains(*name));
        others.fold(visitor.clone(), |visitor, name| visitor.without(name.as_bytes()))
    }

    /// The set of cookies that is the session; the reason where it is not known.
    pub(super) fn session(&self) -> Result<&BTreeSet<String>, Stop> {
        let unknown =
            || Stop::Ends("it was not found out which cookies are the session".to_owned());
        self.sets.first().ok_or_else(unknown)
    }

    /// The session's cookies and their values, as this browser would send them.
    pub(super) fn session_values(
        &self,
        visitor: &mut Visitor<'s, F>,
    ) -> Result<Vec<(String, Vec<u8>)>, Stop> {
        let field = visitor.cookies_for(&self.whoami_address()?);
        let session = self.session()?;
        let pairs = cloakroom_cookie::pairs(&field)
            .map(|pair| (String::from_utf8_lossy(pair.name()).into_owned(), pair.value().to_vec()));
        let found: Vec<_> = pairs.filter(|(name, _)| session.contains(name)).collect();
        if found.is_empty() {
            Err(Stop::Again("the signed-in browser has no cookie of the session".to_owned()))
        } else {
            Ok(found)
        }
    }
}

/// Writes takes down that are no question.
pub(super) fn note(scene: &mut Scene, step: Step, what: &str, exchanges: &[Exchange]) {
    let takes = exchanges.iter().map(|exchange| Take::new(step, what, Some(exchange.clone())));
    scene.takes.extend(takes);
}

/// Writes a control down, and stops if it came out otherwise.
pub(super) fn controlled(scene: &mut Scene, take: Take, wanted: &Recognised) -> Result<(), Stop> {
    let is_fine = take.recognised == *wanted;
    let why =
        format!("{} {} instead of {}", take.what, take.recognised.as_words(), wanted.as_words());
    scene.takes.push(take);
    if is_fine { Ok(()) } else { Err(Stop::Again(why)) }
}

fn looks_of(answer: &Exchange) -> Looks {
    let location = answer.response.text("location");
    let leads = location.and_then(|location| answer.parsed_url().join(&location).ok());
    (
        answer.status(),
        leads.map(|url| format!("{}{}", url.origin().ascii_serialization(), url.path())),
    )
}
