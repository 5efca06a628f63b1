//! Signing in, once and often, and which cookies are the session.

use super::player::{Player, Stop, note};
use crate::ask::{Ask, Fetch};
use crate::scene::{Recognised, Scene, Step, names};
use crate::script::{Body, Call};
use crate::staged::is_remembering;
use crate::visitor::Visitor;
use std::collections::BTreeSet;

/// A site with more cookies than this is asked about the first ones alone.
const COOKIES_MOST: usize = 16;
/// How often a user signs in to see whether anything is counted.
const LOGINS: u32 = 4;
/// A policy that allows more sessions than this is not tried out.
const LOGINS_MOST: u32 = 12;

/// A session that other logins ended has to outlast this many times the requests that they took.
const LASTING: usize = 3;

impl<'s, F: Fetch> Player<'s, F> {
    /// The login that the rules about responses see too. The script's private pages are looked at.
    pub(super) async fn first_login(
        &mut self,
        scene: &mut Scene,
        others: &mut [Scene],
    ) -> Result<(), Stop> {
        self.stranger(scene).await?;
        let mut visitor = self.site.visitor();
        self.sign_in(scene, &mut visitor).await?;
        self.control(scene, &mut visitor).await?;
        for path in &self.script.private {
            let page = visitor.go(&Ask::get(self.url(path)?.as_str())).await?;
            note(scene, Step::Page, "a private page", &[page]);
        }
        for other in others {
            other.takes.clone_from(&scene.takes);
            if let Some(field) = asks_to_be_remembered(&self.script.login) {
                other.stopped = Some(format!("the script asks to be remembered, with `{field}`"));
            }
        }
        Ok(())
    }

    /// Each cookie alone, and the smallest part of the others that is enough together.
    pub(super) async fn sufficient(&mut self, scene: &mut Scene) -> Result<(), Stop> {
        let mut user = self.user(scene).await?;
        let field = user.clone().cookies_for(&self.whoami_address()?);
        let mut all: Vec<String> = cloakroom_cookie::pairs(&field)
            .map(|pair| String::from_utf8_lossy(pair.name()).into_owned())
            .collect();
        all.dedup();
        all.truncate(COOKIES_MOST);
        let mut rest = Vec::new();
        for name in &all {
            if !self.is_enough(scene, &mut user, std::slice::from_ref(name), &all).await? {
                rest.push(name.clone());
            }
        }
        if rest.len() > 1 && self.is_enough(scene, &mut user, &rest, &all).await? {
            for name in rest.clone() {
                let without: Vec<String> =
                    rest.iter().filter(|known| **known != name).cloned().collect();
                if self.is_enough(scene, &mut user, &without, &all).await? {
                    rest = without;
                }
            }
        }
        self.still_signed_in(scene, &mut user).await?;
        self.sets = sets_of(scene);
        Ok(())
    }

    async fn is_enough(
        &mut self,
        scene: &mut Scene,
        user: &mut Visitor<'s, F>,
        kept: &[String],
        all: &[String],
    ) -> Result<bool, Stop> {
        if kept.is_empty() {
            return Ok(false);
        }
        self.still_signed_in(scene, user).await?;
        let what = format!("{} alone", kept.join(" and "));
        let some = only(user, kept, all);
        Ok(self.question(scene, &some, &what).await? == Recognised::SignedIn)
    }

    /// A site may end the session of a cookie that comes without its companions: then the next question has
    /// a session of its own.
    async fn still_signed_in(
        &mut self,
        scene: &mut Scene,
        user: &mut Visitor<'s, F>,
    ) -> Result<(), Stop> {
        let take = self.ask_who(&mut user.clone(), Step::Way, "whether it is signed in").await?;
        if take.recognised != Recognised::SignedIn {
            self.forget();
            *user = self.signed_in(scene).await?;
        }
        Ok(())
    }

    /// The first browser is asked after as many logins as the policy allows, and one more.
    pub(super) async fn several(&mut self, scene: &mut Scene) -> Result<(), Stop> {
        let logins = self.script.policy.sessions.map_or(LOGINS, |most| most.saturating_add(1));
        if logins > LOGINS_MOST {
            return Err(Stop::Ends(format!("{logins} logins are more than are tried")));
        }
        let before = self.site.asked();
        let first = self.signed_in(scene).await?;
        for _ in 1..logins {
            let mut visitor = self.newcomer();
            self.sign_in(scene, &mut visitor).await?;
            self.control(scene, &mut visitor).await?;
        }
        // The browser of other experiments may have been put out by these.
        self.forget();
        let what = format!("the first of {logins} browsers of one user");
        let came_to = self.question(scene, &first, &what).await?;
        if came_to != Recognised::SignedOut {
            return Ok(());
        }
        let requests = self.site.asked().saturating_sub(before);
        self.lasts_alone(scene, requests.saturating_mul(LASTING)).await
    }

    /// The control that nobody is signed out by requests alone: only then was it the other logins.
    async fn lasts_alone(&self, scene: &mut Scene, requests: usize) -> Result<(), Stop> {
        let mut alone = self.newcomer();
        self.sign_in(scene, &mut alone).await?;
        for _ in 0..requests {
            self.ask_who(&mut alone, Step::Way, "a browser that nobody signs in beside").await?;
        }
        self.control(scene, &mut alone).await
    }

    pub(super) async fn step_up(&mut self, scene: &mut Scene) -> Result<(), Stop> {
        let Some(call) = &self.script.step_up else {
            return Err(Stop::Ends("the script has no [step_up]".to_owned()));
        };
        let mut visitor = self.signed_in(scene).await?;
        let ready = self.prepare(scene, &mut visitor, call).await?;
        // The login's own requests are no part of the comparison.
        scene.takes.retain(|take| take.step != Step::Act);
        self.submit(scene, &mut visitor, &ready).await?;
        self.control(scene, &mut visitor).await
    }
}

/// A copy of a browser that sends these of its cookies and no others.
pub(super) fn only<'s, F: Fetch>(
    user: &Visitor<'s, F>,
    kept: &[String],
    all: &[String],
) -> Visitor<'s, F> {
    let left_out = all.iter().filter(|name| !kept.contains(name));
    left_out.fold(user.clone(), |visitor, name| visitor.without(name.as_bytes()))
}

/// As [`session_sets`](crate::staged::session_sets), from the scene itself.
fn sets_of(scene: &Scene) -> Vec<BTreeSet<String>> {
    let is_in = scene.of(Step::Try).filter(|take| take.recognised == Recognised::SignedIn);
    let found: Vec<BTreeSet<String>> = is_in
        .filter_map(|take| Some(names(take.exchange.as_ref()?).into_iter().collect()))
        .collect();
    let is_least =
        |set: &&BTreeSet<String>| !found.iter().any(|other| other != *set && other.is_subset(set));
    let mut sets: Vec<BTreeSet<String>> = found.iter().filter(is_least).cloned().collect();
    sets.sort_by_key(|set| (set.iter().any(|name| is_remembering(name)), set.len()));
    sets.dedup();
    sets
}

/// A field of the login that asks for more than this browser session.
fn asks_to_be_remembered(login: &[Call]) -> Option<String> {
    let said_no = |value: &str| {
        matches!(value.to_ascii_lowercase().as_str(), "" | "0" | "false" | "off" | "no")
    };
    let fields = login.iter().flat_map(|call| match &call.body {
        Body::Form(fields) => fields.clone(),
        Body::Json(serde_json::Value::Object(map)) => {
            map.iter().map(|(name, value)| (name.clone(), value.to_string())).collect()
        }
        Body::None | Body::Json(_) => Vec::new(),
    });
    let mut asking =
        fields.into_iter().filter(|(name, value)| is_remembering(name) && !said_no(value));
    asking.next().map(|(name, _)| name)
}
