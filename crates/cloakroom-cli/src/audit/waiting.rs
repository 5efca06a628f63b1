//! `--wait`: sessions that are opened, and asked when their time has come.

use super::progress::Progress;
use super::stop::Stoppable;
use super::{login, state};
use crate::client::Client;
use cloakroom_audit::{
    Appointment, Experiment, Fetch, Purpose, Scene, Schedule, Script, Site, Timeline,
    open_sessions, visit_sessions,
};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long somebody wants to wait.
#[derive(Debug, clap::Args)]
pub(super) struct Waiting {
    /// Waits this long for sessions to end by themselves: 35m, 12h. The script's `[policy]` says when
    /// they should.
    #[arg(long, value_name = "TIME", requires = "login", value_parser = duration)]
    wait: Option<Duration>,
    /// Where a wait is kept, so that the same command goes on with it. What is in it opens sessions.
    #[arg(long, value_name = "FILE", default_value = "cloakroom-wait.json")]
    state: PathBuf,
}

impl Waiting {
    /// Looks at the file, so that one that may not be used is told before anybody signs in.
    pub(super) fn look(&self) -> Result<(), String> {
        if self.wait.is_some() {
            state::read(&self.state)?;
        }
        Ok(())
    }

    /// How much longer the audit may take.
    pub(super) fn extra(&self) -> Duration {
        self.wait.unwrap_or_default()
    }

    /// Plays all experiments, and then waits. A wait that is gone on with is all there is: other experiments
    /// would end its sessions.
    ///
    /// # Errors
    ///
    /// A sentence if the file of the wait cannot be used.
    pub(super) async fn scenes(
        &self,
        site: &Site<Stoppable<Client>>,
        script: &Script,
        progress: &Progress,
    ) -> Result<Vec<Scene>, String> {
        let goes_on = self.wait.is_some() && self.state.exists();
        let mut scenes =
            if goes_on { Vec::new() } else { login::scenes(site, script, progress).await };
        if let Some(time) = self.wait {
            let tell = |line: &str| progress.tells(line);
            match wait(site, script, time, &self.state, &tell).await {
                Ok(waited) => scenes.extend(waited),
                Err(why) if goes_on => return Err(why),
                Err(why) => {
                    progress.tells(&format!("nobody waited: {why}"));
                    scenes.extend(not_waited(&why));
                }
            }
        }
        Ok(scenes)
    }
}

fn not_waited(why: &str) -> Vec<Scene> {
    let waits = [Experiment::LeftAlone, Experiment::KeptActive, Experiment::RunOut];
    waits.map(|experiment| Scene::not_played(experiment, why)).into()
}

/// Waits, and gives what came of it. Where it is ended early, `state` holds what is needed to go on, and what
/// is known so far comes back.
///
/// # Errors
///
/// A sentence if nobody can be signed in, or the file cannot be used.
async fn wait<F: Fetch>(
    site: &Site<F>,
    script: &Script,
    time: Duration,
    file: &Path,
    say: &dyn Fn(&str),
) -> Result<Vec<Scene>, String> {
    let mut timeline = match state::read(file)? {
        Some(text) => {
            say(&format!("going on with the wait that {} keeps", file.display()));
            Timeline::load(&text).map_err(|error| format!("{}: {error}", file.display()))?
        }
        None => open_sessions(site, script, time).await?,
    };
    state::write(file, &timeline.save())?;
    plan(&timeline.schedule()).iter().for_each(|line| say(line));
    while let Some(at) = timeline.next() {
        let left = Duration::from_secs(at).saturating_sub(site.fetch().now());
        site.fetch().pause(left).await;
        if site.fetch().now().as_secs() < at {
            say(&format!("ended early; the same command goes on, with {}", file.display()));
            return Ok(timeline.scenes());
        }
        visit_sessions(site, script, &mut timeline).await?;
        state::write(file, &timeline.save())?;
    }
    state::remove(file)?;
    Ok(timeline.scenes())
}

/// What is asked when, a line each; the visits of the session that is kept active are one.
fn plan(schedule: &Schedule) -> Vec<String> {
    let rows = schedule.rows();
    let mut lines = vec![format!("{} sessions are open", schedule.sessions())];
    let active: Vec<&Appointment> =
        rows.iter().filter(|row| row.purpose == Purpose::Absolute).collect();
    if let [first, second, .., last] = active.as_slice() {
        let (from, to) = (time_of_day(first.at), time_of_day(last.at));
        let every = span(second.after - first.after);
        lines.push(format!(
            "from {from} to {to} every {every}: session {} is kept active",
            first.session + 1
        ));
    }
    let last = active.last().map(|row| row.after);
    for row in rows {
        if row.purpose == Purpose::Absolute && Some(row.after) != last {
            continue;
        }
        let (at, after, session) = (time_of_day(row.at), span(row.after), row.session + 1);
        lines.push(format!(
            "at {at} {} probe after {after}: session {session}",
            row.purpose.as_str()
        ));
    }
    lines.extend([Purpose::Idle, Purpose::Absolute, Purpose::Client].iter().filter_map(
        |purpose| Some(format!("{}: {}", purpose.as_str(), schedule.lacking(*purpose)?)),
    ));
    lines
}

/// `13:05:00`, in UTC.
fn time_of_day(at: u64) -> String {
    let (hours, minutes, seconds) = (at / 3_600 % 24, at / 60 % 60, at % 60);
    format!("{hours:02}:{minutes:02}:{seconds:02} UTC")
}

/// In the two largest units: `1 h 5 min`.
fn span(seconds: u64) -> String {
    let parts = [(seconds / 3_600, "h"), (seconds / 60 % 60, "min"), (seconds % 60, "s")];
    let words: Vec<String> = parts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, unit)| format!("{count} {unit}"))
        .collect();
    if words.is_empty() { "0 s".to_owned() } else { words.join(" ") }
}

/// A duration as a script writes it: a number with `s`, `m`, `h` or `d`.
///
/// # Errors
///
/// A sentence if it is none.
fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("{text:?} is no time: a number with s, m, h or d, such as 35m");
    let units = [('s', 1), ('m', 60), ('h', 3_600), ('d', 86_400)];
    let (_, unit) = units.iter().find(|(letter, _)| text.ends_with(*letter)).ok_or_else(wrong)?;
    let number = text.get(..text.len() - 1).unwrap_or_default();
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let seconds = number.checked_mul(*unit).filter(|seconds| (1..=WAIT_MOST).contains(seconds));
    seconds.map(Duration::from_secs).ok_or_else(|| format!("{text}: between a second and 400 days"))
}

/// No cookie lives longer.
const WAIT_MOST: u64 = 400 * 86_400;

#[cfg(test)]
mod tests {
    use super::*;
    use cloakroom_audit::Policy;

    #[test]
    fn the_plan_says_what_is_asked_when_before_anybody_waits() {
        let policy = Policy {
            idle: Some(Duration::from_secs(600)),
            absolute: Some(Duration::from_secs(1_800)),
            ..Policy::default()
        };
        // 2026-11-23 12:00:00 UTC.
        let schedule = Schedule::new(policy, None, Duration::from_secs(700), 1_795_435_200);

        assert_eq!(
            plan(&schedule),
            [
                "5 sessions are open",
                "from 12:02:30 UTC to 12:11:40 UTC every 2 min 30 s: session 1 is kept active",
                "at 12:02:30 UTC idle probe after 2 min 30 s: session 2",
                "at 12:05:00 UTC idle probe after 5 min: session 3",
                "at 12:07:30 UTC idle probe after 7 min 30 s: session 4",
                "at 12:11:00 UTC idle probe after 11 min: session 5",
                "at 12:11:40 UTC absolute probe after 11 min 40 s: session 1",
                "absolute: 700s is too short to see the end after 30m: `--wait 31m` is needed",
                "client: the session's cookies have no lifetime of their own, so that no browser ends it before it is closed",
            ]
        );
    }

    #[test]
    fn a_time_is_a_number_with_its_unit() {
        for (text, seconds) in [("1s", 1), ("35m", 2_100), ("12h", 43_200), ("400d", 34_560_000)] {
            assert_eq!(duration(text), Ok(Duration::from_secs(seconds)));
        }
        for text in ["", "35", "m", "0s", "-1m", "1.5h", "401d", "99999999999999999d", "5w"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }
}
