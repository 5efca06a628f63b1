//! What happens at the same time: S01 to S03.

use crate::finding::{Answer, Severity};
use crate::flaw::{Flaw, not_decided};
use crate::observed::Observed;
use crate::remedies;
use crate::rule::{Needs, Rule};
use crate::scene::{Experiment, Recognised, Step};
use crate::staged::{finding, staged, tried};

pub(super) const PARALLEL: Rule = Rule {
    id: "S01",
    title: "Changes are lost when they come at the same time",
    severity: Severity::High,
    needs: Needs::Login,
    what: "What was acknowledged is kept: parallel changes of one session add up.",
    why: "Two tabs, or the requests of one page, overwrite each other: items vanish from carts, and limits are passed by asking twice at once.",
    how: "One change shows by how much the number of the script moves. Then the change is sent many times at once, and the number is compared with the count of those that were acknowledged.",
    source: "CWE-362; WSTG-BUSL-05",
    remedies: remedies::COMPOSE,
    judge: parallel,
};

/// The takes: two genuine changes, each with the number after it, so that their difference is the step of
/// one; then the questions, which landed or were refused, and last a page with the number after all.
fn parallel(observed: &Observed) -> Answer {
    let scene = match staged(observed, Experiment::Parallel) {
        Ok(scene) => scene,
        Err(answer) => return answer,
    };
    if let Some(why) = &scene.stopped {
        return not_decided(why.clone());
    }
    let numbers: Vec<i64> = scene.of(Step::Genuine).filter_map(|take| take.number).collect();
    let last = scene.of(Step::Page).last();
    let (&[first, second], Some(end), Some(page)) = (
        numbers.as_slice(),
        last.and_then(|take| take.number),
        last.and_then(|take| take.exchange.as_ref()),
    ) else {
        return not_decided("the number of the script was not read");
    };
    let landed = scene.of(Step::Try).filter(|take| take.recognised == Recognised::Landed).count();
    let step = second.saturating_sub(first);
    let moved = end.saturating_sub(second);
    let wanted = step.saturating_mul(i64::try_from(landed).unwrap_or(i64::MAX));
    if step == 0 || landed < 2 {
        return not_decided(
            "the number does not move with every change, or too few changes were acknowledged",
        );
    }
    if moved.saturating_mul(step.signum()) >= wanted.saturating_mul(step.signum()) {
        return Answer::Holds { looked_at: format!("{landed} changes at once") };
    }
    let kept = moved / step;
    let seen = format!("of {landed} changes that were acknowledged {kept} were kept");
    let flaw = Flaw::new(Severity::High, seen, "every acknowledged change");
    Answer::Broken(vec![finding(
        observed,
        flaw,
        page,
        format!("the number moved by {moved} instead of {wanted}"),
    )])
}

pub(super) const LATE: Rule = Rule {
    id: "S02",
    title: "Late request brings a session back",
    severity: Severity::High,
    needs: Needs::Login,
    what: "A request that was under way while its user signed out does not bring the session back.",
    why: "The handler loaded the session before and writes it whole afterwards: the user is signed in again, and nobody knows.",
    how: "The script's slow request is sent; while it runs, its user signs out. After its answer the old cookies are sent again, and the browser goes on with the cookies that the answer gave it.",
    source: "ASVS 5.0 7.4.1; CWE-362, CWE-613",
    remedies: remedies::REVOKE,
    judge: late,
};

fn late(observed: &Observed) -> Answer {
    tried(observed, Experiment::Late, &Recognised::SignedIn, |take| {
        Flaw::new(Severity::High, format!("{} is signed in again", take.what), "an ended session")
    })
}

pub(super) const RACE: Rule = Rule {
    id: "S03",
    title: "Login that a late answer undoes",
    severity: Severity::Medium,
    needs: Needs::Login,
    what: "Answers to requests from before a login do not take the login away.",
    why: "A page asks for several things at once: the answers that come last replace the new cookie with an older or an empty one, and the user is thrown out.",
    how: "While the login is under way, requests with the cookies from before it are sent. Their cookies are taken after those of the login, as a slow connection does it, and the browser asks who it is.",
    source: "RFC 6265bis section 5.7; CWE-362",
    remedies: remedies::NEWEST,
    judge: race,
};

fn race(observed: &Observed) -> Answer {
    tried(observed, Experiment::Race, &Recognised::SignedOut, |take| {
        Flaw::new(
            Severity::Medium,
            format!("{} is signed out", take.what),
            "a browser that is signed in",
        )
    })
}
