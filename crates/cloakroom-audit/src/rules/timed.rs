//! When sessions end by themselves: T01 to T03.

use super::several::same_token;
use crate::finding::{Answer, Severity};
use crate::flaw::{Flaw, not_decided};
use crate::observed::Observed;
use crate::remedies;
use crate::rule::{Needs, Rule};
use crate::scene::{Experiment, Recognised, Step, Take};
use crate::staged::tried;

pub(super) const IDLE: Rule = Rule {
    id: "T01",
    title: "No idle timeout",
    severity: Severity::Medium,
    needs: Needs::Time,
    what: "A session that nobody uses is over after the idle timeout that the site declares.",
    why: "A browser that was left open, and a token that leaked, stay the user for as long as nobody signs out.",
    how: "Several sessions are opened and left alone, each for another time, and asked once. One of them is asked when the declared timeout is over, and a tenth more, a minute at most.",
    source: "ASVS 5.0 7.3.1; WSTG-SESS-07; CWE-613",
    remedies: remedies::IDLE,
    judge: idle,
};

fn idle(observed: &Observed) -> Answer {
    // Then the session that is left alone is the one that another login keeps active.
    if let Answer::Broken(_) = same_token(observed) {
        return not_decided("the logins share one session: see M02");
    }
    waited(observed, Experiment::LeftAlone, |take| {
        let expected = "a session that is over after the declared idle timeout";
        Flaw::new(Severity::Medium, format!("{} is signed in", take.what), expected)
    })
}

pub(super) const ABSOLUTE: Rule = Rule {
    id: "T02",
    title: "No absolute timeout",
    severity: Severity::Medium,
    needs: Needs::Time,
    what: "A session is over after the absolute timeout that the site declares, however active it is.",
    why: "Whoever took a token keeps it alive with a request now and then, for ever.",
    how: "One session is kept active, four times within the idle timeout, and asked when the declared absolute timeout is over.",
    source: "ASVS 5.0 7.3.2; NIST SP 800-63B-4 section 2.1.3; CWE-613",
    remedies: remedies::ABSOLUTE,
    judge: absolute,
};

fn absolute(observed: &Observed) -> Answer {
    waited(observed, Experiment::KeptActive, |take| {
        let expected = "a session that is over after the declared absolute timeout";
        Flaw::new(Severity::Medium, format!("{} is signed in", take.what), expected)
    })
}

pub(super) const CLIENT: Rule = Rule {
    id: "T03",
    title: "Only the browser ends the session",
    severity: Severity::High,
    needs: Needs::Time,
    what: "When the session's cookie has run out, the server does not accept its value either.",
    why: "The browser of the user forgets the cookie, and whoever copied it does not: the timeout protects from nobody.",
    how: "A session is left alone until its cookie's Max-Age or Expires is over, and then the cookie is sent all the same.",
    source: "NIST SP 800-63B-4 section 5.1; ASVS 5.0 7.3.1; CWE-613",
    remedies: remedies::ON_SERVER,
    judge: client,
};

fn client(observed: &Observed) -> Answer {
    waited(observed, Experiment::RunOut, |take| {
        let expected = "a session that the server ends too";
        Flaw::new(Severity::High, format!("{} is signed in", take.what), expected)
    })
}

/// A session that is signed in when it has to be over. Where none was asked then, the reason says more
/// than that a control is missing.
fn waited(observed: &Observed, experiment: Experiment, judge: impl Fn(&Take) -> Flaw) -> Answer {
    let Some(scene) = observed.scene(experiment) else {
        return not_decided("nobody waited: it takes a login script and `--wait`");
    };
    match &scene.stopped {
        Some(why) if scene.of(Step::Try).next().is_none() => not_decided(why.clone()),
        Some(_) | None => tried(observed, experiment, &Recognised::SignedIn, judge),
    }
}
