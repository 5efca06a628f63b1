//! From a timeline to the scenes that the rules T01, T02 and T03 judge.

use super::plan::{Appointment, Purpose, Schedule, span};
use super::record::{CameTo, Noted, Timeline};
use crate::exchange::{Exchange, Probe};
use crate::scene::{Experiment, Recognised, Scene, Step, Take};

impl Timeline {
    /// The three experiments, as far as they have come.
    pub fn scenes(&self) -> Vec<Scene> {
        let schedule = self.schedule();
        [
            (Purpose::Idle, Experiment::LeftAlone),
            (Purpose::Absolute, Experiment::KeptActive),
            (Purpose::Client, Experiment::RunOut),
        ]
        .map(|(purpose, experiment)| self.scene(&schedule, purpose, experiment))
        .into()
    }

    fn scene(&self, schedule: &Schedule, purpose: Purpose, experiment: Experiment) -> Scene {
        let mut scene = Scene::new(experiment);
        let mut visited = None;
        for noted in &self.noted {
            let Some(row) = schedule.rows().get(noted.row).filter(|row| row.purpose == purpose)
            else {
                continue;
            };
            let Some(held) = self.held.get(row.session) else { continue };
            let pause = noted.at.saturating_sub(visited.unwrap_or(held.opened));
            visited = (purpose == Purpose::Absolute).then_some(noted.at);
            let age = noted.at.saturating_sub(held.opened);
            if let Some(why) = self.spoiled(purpose, pause) {
                scene.stopped = Some(why);
                break;
            }
            self.take(&mut scene, schedule, row, noted, age);
        }
        let is_tried = scene.takes.iter().any(|take| take.step == Step::Try);
        if !is_tried && scene.stopped.is_none() {
            let why =
                schedule.lacking(purpose).unwrap_or_else(|| "its time has not come".to_owned());
            scene.stopped = Some(format!("{why}{}", self.seen(&scene)));
        }
        scene
    }

    /// An active session that was left alone for too long says nothing about the absolute timeout.
    fn spoiled(&self, purpose: Purpose, pause: u64) -> Option<String> {
        let idle = self.schedule().clocks().idle?;
        (purpose == Purpose::Absolute && pause >= idle).then(|| {
            let pause = span(pause);
            format!("the session that was to be kept active was left alone for {pause}: the auditor was stopped for too long")
        })
    }

    fn take(
        &self,
        scene: &mut Scene,
        schedule: &Schedule,
        row: &Appointment,
        noted: &Noted,
        age: u64,
    ) {
        let is_beyond = schedule.is_beyond(row.purpose, age);
        let what = format!("the session {} {}", span(age), manner(row.purpose));
        let recognised = match &noted.came_to {
            CameTo::SignedIn => Recognised::SignedIn,
            CameTo::SignedOut => Recognised::SignedOut,
            CameTo::Unclear(why) => Recognised::Unclear(why.clone()),
        };
        let held = self.held.get(row.session);
        if is_beyond {
            let stranger = match noted.stranger_is_out {
                true => Recognised::SignedOut,
                false => Recognised::Unclear("it was not signed out".to_owned()),
            };
            scene.takes.push(Take::new(Step::Stranger, "a new browser", None).came_to(stranger));
            let control = match held.is_some_and(|held| held.is_in) {
                true => Recognised::SignedIn,
                false => Recognised::SignedOut,
            };
            scene.takes.push(
                Take::new(Step::Control, "the session when it was opened", None).came_to(control),
            );
        }
        let step = if is_beyond { Step::Try } else { Step::Way };
        let number = i64::try_from(age).ok();
        scene.takes.push(
            Take::new(step, what, self.exchange(row, noted)).came_to(recognised).reading(number),
        );
    }

    /// The request as it was made, for evidence.
    fn exchange(&self, row: &Appointment, noted: &Noted) -> Option<Exchange> {
        let mut exchange = Exchange::new("GET", &self.whoami, noted.status, noted.at).ok()?;
        exchange.request.push("cookie", self.held.get(row.session)?.cookie());
        exchange.probe = Probe::Visit;
        Some(exchange)
    }

    /// What can be told although nothing follows from it.
    fn seen(&self, scene: &Scene) -> String {
        let last =
            |wanted: &Recognised| scene.takes.iter().rev().find(|take| take.recognised == *wanted);
        let first_out = scene.takes.iter().find(|take| take.recognised == Recognised::SignedOut);
        match (last(&Recognised::SignedIn), first_out) {
            (Some(alive), Some(over)) => {
                format!("; {} was signed in, {} was signed out", alive.what, over.what)
            }
            (Some(alive), None) => format!("; {} was signed in", alive.what),
            (None, Some(over)) => format!("; {} was signed out", over.what),
            (None, None) => String::new(),
        }
    }
}

const fn manner(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Idle => "after its last request",
        Purpose::Absolute => "after its login, active all the time",
        Purpose::Client => "after its login, with the cookies that have run out in the browser",
    }
}
