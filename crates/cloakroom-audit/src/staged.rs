//! From the takes of an experiment to findings.

use crate::exchange::Exchange;
use crate::finding::{Answer, Confidence, EVIDENCE_SHOWN, Evidence, Finding, Severity};
use crate::flaw::{Flaw, not_decided};
use crate::observed::Observed;
use crate::scene::{Experiment, Recognised, Scene, Step, Take, names};
use std::collections::BTreeSet;

/// The experiment with its controls in order, or why nothing follows from it.
pub(crate) fn staged(observed: &Observed, experiment: Experiment) -> Result<&Scene, Answer> {
    let Some(scene) = observed.scene(experiment) else {
        return Err(not_decided("nobody signed in: it takes a login script"));
    };
    match (&scene.stopped, scene.doubt()) {
        // What stopped it before anything was asked says more than that a control is missing.
        (Some(why), Some(_)) if scene.takes.is_empty() => Err(not_decided(why.clone())),
        (_, Some(doubt)) => Err(not_decided(doubt)),
        (_, None) => Ok(scene),
    }
}

/// Every question of an experiment: broken if one of them came to what `bad` says, not decided if one
/// is unclear or was not asked, and else it holds.
pub(crate) fn tried(
    observed: &Observed,
    experiment: Experiment,
    bad: &Recognised,
    judge: impl Fn(&Take) -> Flaw,
) -> Answer {
    judged(observed, experiment, |take| (take.recognised == *bad).then(|| judge(take)))
}

/// The same with a judgement of its own for each question.
pub(crate) fn judged(
    observed: &Observed,
    experiment: Experiment,
    judge: impl Fn(&Take) -> Option<Flaw>,
) -> Answer {
    let scene = match staged(observed, experiment) {
        Ok(scene) => scene,
        Err(answer) => return answer,
    };
    let found: Vec<(Flaw, &Take)> =
        scene.of(Step::Try).filter_map(|take| Some((judge(take)?, take))).collect();
    if !found.is_empty() {
        return Answer::Broken(vec![one_finding(observed, &found)]);
    }
    let unclear = scene.of(Step::Try).find_map(|take| match &take.recognised {
        Recognised::Unclear(why) => Some(format!("{}: {why}", take.what)),
        Recognised::NotAsked
        | Recognised::SignedIn
        | Recognised::SignedOut
        | Recognised::Landed
        | Recognised::Refused => None,
    });
    match (scene.stopped.clone().or(unclear), scene.of(Step::Try).count()) {
        (Some(why), _) => not_decided(why),
        (None, 0) => not_decided("nothing was tried"),
        (None, tries) => Answer::Holds { looked_at: looked_at(scene, tries) },
    }
}

fn looked_at(scene: &Scene, tries: usize) -> String {
    match scene.of(Step::Try).next() {
        Some(take) if tries == 1 => take.what.clone(),
        Some(_) | None => format!("{tries} tries"),
    }
}

/// All that was found in one experiment is one thing to mend.
fn one_finding(observed: &Observed, found: &[(Flaw, &Take)]) -> Finding {
    let shown: Vec<&str> =
        found.iter().map(|(flaw, _)| flaw.seen.as_str()).take(EVIDENCE_SHOWN).collect();
    let more = found.len().saturating_sub(shown.len());
    let more = if more == 0 { String::new() } else { format!("; and {more} more") };
    let evidence = found
        .iter()
        .filter_map(|(_, take)| Some(Evidence::new(take.exchange.as_ref()?, evidence_of(take))));
    Finding {
        severity: found.iter().map(|(flaw, _)| flaw.severity).max().unwrap_or(Severity::Info),
        confidence: found
            .iter()
            .map(|(flaw, _)| flaw.confidence)
            .max()
            .unwrap_or(Confidence::Possible),
        subject: subject(observed),
        seen: format!("{}{more}", shown.join("; ")),
        expected: found.first().map(|(flaw, _)| flaw.expected.clone()).unwrap_or_default(),
        evidence: evidence.take(EVIDENCE_SHOWN).collect(),
        places: found.len(),
    }
}

fn evidence_of(take: &Take) -> String {
    let came_to = match take.recognised {
        Recognised::SignedIn => ": signed in",
        Recognised::SignedOut => ": signed out",
        Recognised::Landed => ": the change was made",
        Recognised::Refused => ": the change was refused",
        Recognised::NotAsked | Recognised::Unclear(_) => "",
    };
    format!("{}{came_to}", take.what)
}

/// A finding about one exchange of an experiment.
pub(crate) fn finding(
    observed: &Observed,
    flaw: Flaw,
    exchange: &Exchange,
    seen: String,
) -> Finding {
    flaw.about(subject(observed), Evidence::new(exchange, seen))
}

/// What findings about the session are about: its cookies.
pub(crate) fn subject(observed: &Observed) -> String {
    match session_sets(observed).first() {
        Some(names) => names
            .iter()
            .map(|name| crate::mask::printable_line(name.as_bytes(), 80))
            .collect::<Vec<_>>()
            .join(" + "),
        None => "the session".to_owned(),
    }
}

/// The smallest sets of cookies that are the session, as it was found by leaving others out; the one that
/// is no remembered login first. Empty if it was not found out.
pub(crate) fn session_sets(observed: &Observed) -> Vec<BTreeSet<String>> {
    let Ok(scene) = staged(observed, Experiment::Sufficient) else { return Vec::new() };
    let mut found: Vec<BTreeSet<String>> = Vec::new();
    for take in scene.of(Step::Try).filter(|take| take.recognised == Recognised::SignedIn) {
        let Some(exchange) = &take.exchange else { continue };
        let set: BTreeSet<String> = names(exchange).into_iter().collect();
        if !set.is_empty() && !found.contains(&set) {
            found.push(set);
        }
    }
    let all = found.clone();
    found.retain(|set| !all.iter().any(|other| other != set && other.is_subset(set)));
    found.sort_by_key(|set| (set.iter().any(|name| is_remembering(name)), set.len()));
    found
}

/// Whether a cookie of this name outlives the session on purpose.
pub(crate) fn is_remembering(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["remember", "persist", "keep", "stay", "autologin", "auto_login"]
        .iter()
        .any(|word| name.contains(word))
}
