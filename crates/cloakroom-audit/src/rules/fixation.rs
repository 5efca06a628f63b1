//! What becomes of the token at a login: F01 to F07.

use crate::finding::{Answer, Confidence, Severity};
use crate::flaw::{Flaw, not_decided};
use crate::observed::Observed;
use crate::remedies;
use crate::rule::{Needs, Rule};
use crate::scene::{Experiment, Recognised, Scene, Step, Take, sent};
use crate::staged::{finding, judged, session_sets, staged, tried};

pub(super) const RENEWED: Rule = Rule {
    id: "F01",
    title: "Token not renewed at login",
    severity: Severity::Critical,
    needs: Needs::Login,
    what: "After a login the session has a token that nobody knew before.",
    why: "Whoever planted the token, or read it before the login, is the user from then on.",
    how: "The cookies that the request with the credentials carried are compared with those that are the session afterwards, as found by leaving others out.",
    source: "ASVS 5.0 7.2.4; WSTG-SESS-03; CWE-384",
    remedies: remedies::ROTATE,
    judge: renewed,
};

fn renewed(observed: &Observed) -> Answer {
    compared(observed, Experiment::SignIn, |flaw| flaw(Severity::Critical, "login"))
}

pub(super) const STEP_UP: Rule = Rule {
    id: "F05",
    title: "Token not renewed when rights are gained",
    severity: Severity::Medium,
    needs: Needs::Login,
    what: "A session that gains rights has a new token from then on.",
    why: "A token that leaked while it was worth little is worth more now.",
    how: "The session's cookies before and after the script's step up are compared.",
    source: "OWASP Session Management Cheat Sheet, renew the session ID after any privilege level change; ASVS 5.0 7.2.4",
    remedies: remedies::ROTATE,
    judge: step_up,
};

fn step_up(observed: &Observed) -> Answer {
    let failed = observed.scene(Experiment::StepUp).and_then(|scene| {
        scene
            .of(Step::Act)
            .filter_map(|take| take.exchange.as_ref())
            .find(|seen| seen.status() >= 400)
    });
    match failed {
        Some(seen) => not_decided(format!(
            "the step up of the script is answered with status {}",
            seen.status()
        )),
        None => compared(observed, Experiment::StepUp, |flaw| flaw(Severity::Medium, "step up")),
    }
}

/// Whether a set of cookies that is the session at the end was known at the script's request already.
fn compared(
    observed: &Observed,
    experiment: Experiment,
    wording: impl Fn(&dyn Fn(Severity, &str) -> Flaw) -> Flaw,
) -> Answer {
    let scene = match staged(observed, experiment) {
        Ok(scene) => scene,
        Err(answer) => return answer,
    };
    if let Some(why) = &scene.stopped {
        return not_decided(why.clone());
    }
    let mut sets = session_sets(observed);
    if experiment == Experiment::StepUp {
        // What remembers a login gains no rights.
        sets.truncate(1);
    }
    let acts: Vec<&Take> = scene.of(Step::Act).collect();
    let after = last_control(scene);
    let (Some(before), Some(after)) = (acts.first().and_then(|take| take.exchange.as_ref()), after)
    else {
        return not_decided("the script's request was not seen");
    };
    if sets.is_empty() {
        return not_decided("it was not found out which cookies are the session");
    }
    let kept = sets.iter().find(|set| {
        set.iter()
            .all(|name| sent(after, name).is_some_and(|value| sent(before, name) == Some(value)))
    });
    let Some(kept) = kept else {
        return Answer::Holds {
            looked_at: format!("{} cookies before and after", sets.iter().flatten().count()),
        };
    };
    let names = kept.iter().cloned().collect::<Vec<_>>().join(", ");
    let flaw = wording(&|severity, act| {
        Flaw::new(
            severity,
            format!("the {act} leaves {names} as it was"),
            "a new token, and the old one ended",
        )
    });
    let seen = format!("the request went out with the {names} that is the session afterwards");
    Answer::Broken(vec![finding(observed, flaw, before, seen)])
}

fn last_control(scene: &Scene) -> Option<&crate::exchange::Exchange> {
    scene.of(Step::Control).last().and_then(|take| take.exchange.as_ref())
}

pub(super) const ADOPTED: Rule = Rule {
    id: "F02",
    title: "Token of the client's choice is adopted",
    severity: Severity::High,
    needs: Needs::Login,
    what: "A value that the server did not make is never signed in, not even after a login that it came with.",
    why: "An attacker needs no session of their own to plant one: any text will do, from a sibling host, over plain http or by script.",
    how: "A browser that was never there brings invented values for the session's cookies, of the length and characters of real ones, and signs in. If the invented values are signed in afterwards, they were adopted.",
    source: "OWASP Session Management Cheat Sheet, permissive and strict management; CWE-384",
    remedies: remedies::STRICT,
    judge: adopted,
};

fn adopted(observed: &Observed) -> Answer {
    tried(observed, Experiment::Adopted, &Recognised::SignedIn, |take| {
        let seen = format!("{} opens the session", take.what);
        Flaw::new(Severity::High, seen, "a token that the server made")
    })
}

pub(super) const OLD_TOKEN: Rule = Rule {
    id: "F03",
    title: "Token from before the login is signed in",
    severity: Severity::High,
    needs: Needs::Login,
    what: "The token from before a login opens nothing afterwards.",
    why: "A new token does not help as long as the old one leads to the same session.",
    how: "The cookies that the login page gave are sent once more after the login, by a browser that takes no new ones.",
    source: "ASVS 5.0 7.2.4; CWE-384",
    remedies: remedies::ROTATE,
    judge: old_token,
};

fn old_token(observed: &Observed) -> Answer {
    if let Answer::Broken(_) = renewed(observed) {
        return not_decided("the token is not renewed in the first place: see F01");
    }
    tried(observed, Experiment::OldToken, &Recognised::SignedIn, |take| {
        Flaw::new(Severity::High, format!("{} are signed in", take.what), "an ended session")
    })
}

pub(super) const BY_GET: Rule = Rule {
    id: "F04",
    title: "Login by a link",
    severity: Severity::Medium,
    needs: Needs::Login,
    what: "Nobody is signed in by a GET, so that a link or an image signs nobody in.",
    why: "Credentials in an address are kept in logs and histories, and any page can sign its visitor in as somebody else.",
    how: "The login is sent as a GET with its fields in the query.",
    source: "ASVS 5.0 7.6.2 and 14.2.1; CWE-598",
    remedies: remedies::POST_ONLY,
    judge: by_get,
};

fn by_get(observed: &Observed) -> Answer {
    tried(observed, Experiment::SignInByGet, &Recognised::SignedIn, |take| {
        Flaw::new(Severity::Medium, format!("{} signs in", take.what), "405, or the form again")
    })
}

pub(super) const PLANTED: Rule = Rule {
    id: "F06",
    title: "Browser that shared the session before the login is signed in",
    severity: Severity::High,
    needs: Needs::Login,
    what: "A login signs in the browser that sent it and no other one, whatever they shared before.",
    why: "An attacker plants the cookies of a visit of their own, goes on visiting, and is led over into the victim's session.",
    how: "Two browsers hold the cookies of one visit. One signs in; the other one goes on, takes what cookies it is given, and asks who it is. What the script's change put into the session before is looked for as well; carts are meant to be taken along, so that this is only told.",
    source: "OWASP Cross-Site Request Forgery Prevention Cheat Sheet, login; WSTG-SESS-03; CWE-384",
    remedies: remedies::ROTATE,
    judge: planted,
};

fn planted(observed: &Observed) -> Answer {
    if matches!(renewed(observed), Answer::Broken(_))
        || matches!(old_token(observed), Answer::Broken(_))
    {
        return not_decided("the token from before the login is the session's: see F01 and F03");
    }
    judged(observed, Experiment::PlantedBrowser, |take| match take.recognised {
        Recognised::SignedIn => {
            let seen = format!("{} is signed in as well", take.what);
            Some(Flaw::new(Severity::High, seen, "a browser that nobody signed in"))
        }
        Recognised::Landed => {
            let seen = format!("{} is the user's afterwards", take.what);
            let flaw = Flaw::new(
                Severity::Info,
                seen,
                "a session that begins empty, but for what is meant to be taken along",
            );
            Some(flaw.sure(Confidence::Possible))
        }
        Recognised::NotAsked
        | Recognised::SignedOut
        | Recognised::Refused
        | Recognised::Unclear(_) => None,
    })
}

pub(super) const OTHER_PLACE: Rule = Rule {
    id: "F07",
    title: "Session taken from elsewhere than the cookie",
    severity: Severity::High,
    needs: Needs::Login,
    what: "The token is taken from its cookie and from nowhere else.",
    why: "What an address or a form may carry can be planted with a link, and stays in logs and histories.",
    how: "A browser without cookies sends the token in the query, as a path parameter and in header fields.",
    source: "OWASP Session Management Cheat Sheet, session ID exchange mechanisms; WSTG-SESS-03; CWE-384",
    remedies: remedies::COOKIE_ONLY,
    judge: other_place,
};

fn other_place(observed: &Observed) -> Answer {
    tried(observed, Experiment::OtherPlace, &Recognised::SignedIn, |take| {
        Flaw::new(
            Severity::High,
            format!("{} is signed in", take.what),
            "a request without a session",
        )
    })
}
