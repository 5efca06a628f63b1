//! Several logins of one user: M01, M02.

use crate::finding::{Answer, Severity};
use crate::flaw::{Flaw, not_decided};
use crate::observed::Observed;
use crate::remedies;
use crate::rule::{Needs, Rule};
use crate::scene::{Experiment, Recognised, Step, Take, sent};
use crate::staged::{finding, judged, session_sets, staged};

pub(super) const SEVERAL: Rule = Rule {
    id: "M01",
    title: "Any number of sessions at once",
    severity: Severity::Info,
    needs: Needs::Login,
    what: "How many sessions a user may have at once is decided, and kept to.",
    why: "A stolen password is used beside its owner, who never learns of it.",
    how: "The user signs in several times from new browsers, and the first one asks who it is. The script's policy says how many are meant.",
    source: "ASVS 5.0 7.1.2; WSTG-SESS-11",
    remedies: remedies::LIMIT,
    judge: several,
};

/// The first browser is asked after the last login; every login is a control.
fn several(observed: &Observed) -> Answer {
    if let Answer::Broken(_) = same_token(observed) {
        return not_decided("the logins share one session: see M02");
    }
    judged(observed, Experiment::Several, |take| {
        let expected = "a number of sessions that is decided, and shown to the user";
        let seen = format!("{} is still signed in", take.what);
        (take.recognised == Recognised::SignedIn).then(|| Flaw::new(Severity::Info, seen, expected))
    })
}

pub(super) const SAME_TOKEN: Rule = Rule {
    id: "M02",
    title: "Two logins with one token",
    severity: Severity::High,
    needs: Needs::Login,
    what: "Every login gives a token of its own.",
    why: "A token that is the user's and not the login's cannot be ended for one browser, and what leaked once opens every later login.",
    how: "The cookies that are the session are compared between logins of one user.",
    source: "ASVS 5.0 7.2.3 and 7.2.4; CWE-384",
    remedies: remedies::ROTATE,
    judge: same_token,
};

pub(super) fn same_token(observed: &Observed) -> Answer {
    let scene = match staged(observed, Experiment::Several) {
        Ok(scene) => scene,
        Err(answer) => return answer,
    };
    let logins: Vec<_> =
        scene.of(Step::Control).filter_map(|take: &Take| take.exchange.as_ref()).collect();
    let sets = session_sets(observed);
    if logins.len() < 2 || sets.is_empty() {
        let why = scene.stopped.clone().unwrap_or_else(|| {
            "it takes two logins and the cookies that are the session".to_owned()
        });
        return not_decided(why);
    }
    let pairs = logins
        .iter()
        .enumerate()
        .flat_map(|(at, one)| logins.iter().skip(at + 1).map(move |other| (one, other)));
    for (one, other) in pairs {
        let same =
            |name: &String| sent(one, name).is_some_and(|value| sent(other, name) == Some(value));
        if let Some(set) = sets.iter().find(|set| set.iter().all(same)) {
            let names = set.iter().cloned().collect::<Vec<_>>().join(", ");
            let flaw = Flaw::new(
                Severity::High,
                format!("two logins have the same {names}"),
                "a token of its own for each login",
            );
            return Answer::Broken(vec![finding(
                observed,
                flaw,
                other,
                format!("the same {names} as another login"),
            )]);
        }
    }
    Answer::Holds { looked_at: format!("{} logins", logins.len()) }
}
