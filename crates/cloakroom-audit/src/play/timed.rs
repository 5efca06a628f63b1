//! Sessions that are opened, left alone or kept active, and asked when their time has come.

use super::player::{Player, Stop};
use crate::ask::{Ask, Fetch};
use crate::exchange::Exchange;
use crate::line::Line;
use crate::mask::shown_url;
use crate::role::{self, Role};
use crate::scene::{Experiment, Recognised, Scene, Step};
use crate::script::Script;
use crate::site::Site;
use crate::timing::{Appointment, CameTo, Held, Noted, Purpose, Schedule, Timeline};
use crate::visitor::Visitor;
use cloakroom_cookie::browser::{Browser, Jar, StoredCookie};
use std::time::Duration;

/// Opens the sessions that a wait of this length needs. What can be seen in that time is in the
/// [schedule](Timeline::schedule) of the timeline that comes back.
///
/// # Errors
///
/// A sentence if nobody can be signed in.
pub async fn open_sessions<F: Fetch>(
    site: &Site<F>,
    script: &Script,
    wait: Duration,
) -> Result<Timeline, String> {
    let mut player = Player::new(site, script, None);
    player.open(wait).await.map_err(|stop| match stop {
        Stop::Ends(why) | Stop::Again(why) => why,
    })
}

/// Makes the visits whose time has come. Gives how many were made.
///
/// # Errors
///
/// A sentence if the script is not that of the timeline.
pub async fn visit_sessions<F: Fetch>(
    site: &Site<F>,
    script: &Script,
    timeline: &mut Timeline,
) -> Result<usize, String> {
    let origin = script.origin().origin().ascii_serialization();
    if timeline.origin() != origin {
        let theirs = shown_url(timeline.origin());
        return Err(format!("the timeline is of {theirs}, and the script of {origin}"));
    }
    let mut player = Player::new(site, script, None);
    let due = timeline.due(site.fetch().now().as_secs());
    for (row, appointment) in &due {
        player.visit(timeline, *row, *appointment).await;
    }
    Ok(due.len())
}

impl<'s, F: Fetch> Player<'s, F> {
    fn seconds(&self) -> u64 {
        self.site.fetch().now().as_secs()
    }

    async fn open(&mut self, wait: Duration) -> Result<Timeline, Stop> {
        let mut scene = Scene::new(Experiment::SignIn);
        let first = self.signed_in(&mut scene).await?;
        let lifetime = lifetime(&scene, &first);
        let policy = self.script.policy;
        let sessions = Schedule::new(policy, lifetime, wait, self.seconds()).sessions();
        let mut visitors = vec![first];
        while visitors.len() < sessions {
            visitors.push(self.signed_in(&mut Scene::new(Experiment::SignIn)).await?);
        }
        // Only when all are open can it be seen whether one ended another.
        let mut held = Vec::new();
        for visitor in visitors.iter_mut().take(sessions) {
            held.push(self.hold(visitor).await?);
        }
        // Counted from the last one's last request on, every session is as old as the plan says or older.
        let start = self.seconds();
        let schedule = Schedule::new(policy, lifetime, wait, start);
        let origin = self.script.origin().origin().ascii_serialization();
        let whoami = self.whoami()?.url;
        let mut timeline = Timeline::new(&origin, &whoami, &schedule, wait.as_secs(), start);
        timeline.held = held;
        Ok(timeline)
    }

    async fn hold(&self, visitor: &mut Visitor<'s, F>) -> Result<Held, Stop> {
        let mut scene = Scene::new(Experiment::SignIn);
        let take = self.ask_who(visitor, Step::Control, "the session").await?;
        let is_in = take.recognised == Recognised::SignedIn;
        scene.takes.push(take);
        let cookie = visitor.cookies_for(&self.whoami_address()?);
        Ok(Held::new(&cookie, visitor.jar().save(), self.seconds(), is_in))
    }

    async fn visit(&mut self, timeline: &mut Timeline, row: usize, appointment: Appointment) {
        let mut scene = Scene::new(Experiment::SignIn);
        let stranger_is_out = self.stranger(&mut scene).await.is_ok();
        let at = self.seconds();
        let answer = match timeline.held.get(appointment.session) {
            Some(held) if appointment.purpose == Purpose::Absolute => self.keep(held).await,
            Some(held) => self.knock(held).await.map(|answer| (answer, None)),
            None => return,
        };
        let (status, came_to) = match answer {
            Ok((answer, kept)) => {
                if let (Some(kept), Some(held)) = (kept, timeline.held.get_mut(appointment.session))
                {
                    *held = kept;
                }
                (answer.status(), came_to(&self.recognise(&answer)))
            }
            Err(Stop::Ends(why) | Stop::Again(why)) => (0, CameTo::Unclear(why)),
        };
        timeline.noted.push(Noted { row, at, status, came_to, stranger_is_out });
    }

    /// Sends the cookies as they were, whatever a browser would have forgotten by now.
    async fn knock(&self, held: &Held) -> Result<Exchange, Stop> {
        let ask: Ask = self.whoami()?.header("Cookie", held.cookie());
        Ok(self.newcomer().go(&ask).await?)
    }

    /// Asks as somebody who takes new cookies and forgets none, whatever a browser would do.
    async fn keep(&self, held: &Held) -> Result<(Exchange, Option<Held>), Stop> {
        let jar = Jar::load(Browser::chromium(), &held.jar);
        let jar =
            jar.map_err(|_| Stop::Ends("the jar of the session cannot be read".to_owned()))?;
        let mut visitor = self.newcomer();
        *visitor.jar_mut() = jar;
        let ask = self.whoami()?.header("Cookie", held.cookie());
        let answer = visitor.go(&ask).await?;
        let cookie = renewed(&held.cookie(), &visitor.cookies_for(&self.whoami_address()?));
        let kept = Held::new(&cookie, visitor.jar().save(), held.opened, held.is_in);
        Ok((answer, Some(kept)))
    }
}

/// The old `Cookie` field with new values for the names that have some.
fn renewed(old: &[u8], new: &[u8]) -> Vec<u8> {
    let one = |pair: cloakroom_cookie::Pair<'_>| {
        let mut known = cloakroom_cookie::pairs(new).filter(|other| other.name() == pair.name());
        let value =
            known.next().map_or_else(|| pair.value().to_vec(), |other| other.value().to_vec());
        [pair.name(), b"=", &value].concat()
    };
    cloakroom_cookie::pairs(old).map(one).collect::<Vec<_>>().join(&b"; "[..])
}

fn came_to(recognised: &Recognised) -> CameTo {
    match recognised {
        Recognised::SignedIn => CameTo::SignedIn,
        Recognised::SignedOut => CameTo::SignedOut,
        Recognised::Unclear(why) => CameTo::Unclear(why.clone()),
        Recognised::NotAsked | Recognised::Landed | Recognised::Refused => {
            CameTo::Unclear("it was not recognised".to_owned())
        }
    }
}

/// When the browser has forgotten all that signed it in; `None` if something of it has no lifetime.
fn lifetime<F: Fetch>(scene: &Scene, visitor: &Visitor<'_, F>) -> Option<Duration> {
    let held: Vec<&[u8]> = visitor.jar().cookies().map(StoredCookie::name).collect();
    let exchanges = scene.takes.iter().filter_map(|take| take.exchange.as_ref());
    let lines = exchanges.flat_map(|exchange| {
        let lines = exchange.response.all("set-cookie");
        lines.map(|raw| Line::read(0, raw, exchange.at())).collect::<Vec<_>>()
    });
    let is_session = |line: &Line| {
        let name = line.name_text();
        !line.deletes
            && role::guess(&name, &line.value) == Role::Session
            && held.contains(&name.as_bytes())
    };
    let lifetimes: Option<Vec<u64>> = lines.filter(is_session).map(|line| line.lifetime).collect();
    lifetimes?.into_iter().max().map(Duration::from_secs)
}
