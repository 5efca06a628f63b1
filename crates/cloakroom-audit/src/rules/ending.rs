//! What signing out ends: O01 to O04, O07 and O08.

use crate::finding::{Answer, Severity};
use crate::flaw::{Flaw, not_decided};
use crate::observed::Observed;
use crate::remedies;
use crate::rule::{Needs, Rule};
use crate::scene::{Experiment, Recognised, Step, sent};
use crate::staged::{finding, session_sets, staged, tried};

pub(super) const REPLAYED: Rule = Rule {
    id: "O01",
    title: "Session lives on after signing out",
    severity: Severity::Critical,
    needs: Needs::Login,
    what: "What was the session opens nothing after its user signed out.",
    why: "A token that leaked before, from a log, a backup or a shared computer, stays the user for as long as it likes.",
    how: "The session's cookies are kept, the user signs out, and the cookies are sent again, at once and after five seconds.",
    source: "ASVS 5.0 7.4.1; WSTG-SESS-06; CWE-613",
    remedies: remedies::REVOKE,
    judge: replayed,
};

fn replayed(observed: &Observed) -> Answer {
    tried(observed, Experiment::Replayed, &Recognised::SignedIn, |take| {
        Flaw::new(Severity::Critical, format!("{} are signed in", take.what), "an ended session")
    })
}

pub(super) const OTHER_COOKIE: Rule = Rule {
    id: "O02",
    title: "Another cookie signs in after signing out",
    severity: Severity::High,
    needs: Needs::Login,
    what: "Signing out ends remembered logins of the browser too.",
    why: "The session is dead and its cookie for remembering makes a new one: nobody was signed out.",
    how: "Every cookie that is enough to be signed in, beside the session's own, is kept and sent alone after signing out.",
    source: "ASVS 5.0 7.4.1; CWE-613",
    remedies: remedies::REMEMBERED,
    judge: other_cookie,
};

fn other_cookie(observed: &Observed) -> Answer {
    if let Ok(scene) = staged(observed, Experiment::OtherCookie)
        && scene.stopped.is_none()
        && scene.of(Step::Try).next().is_none()
        && session_sets(observed).len() == 1
    {
        return Answer::Holds { looked_at: "no other cookie ever signs in".to_owned() };
    }
    tried(observed, Experiment::OtherCookie, &Recognised::SignedIn, |take| {
        Flaw::new(Severity::High, format!("{} signs in again", take.what), "an ended login")
    })
}

pub(super) const OTHER_TAB: Rule = Rule {
    id: "O03",
    title: "Second tab survives signing out",
    severity: Severity::High,
    needs: Needs::Login,
    what: "When one tab signs out, every tab of the same session is signed out.",
    why: "Somebody signs out at a shared computer, and the other window goes on; tokens that are renewed in passing keep the session open.",
    how: "Two browsers share the session's cookies and both go on. One signs out; the other one takes what cookies it is given, and asks who it is.",
    source: "ASVS 5.0 7.4.1; CWE-613",
    remedies: remedies::REVOKE,
    judge: other_tab,
};

fn other_tab(observed: &Observed) -> Answer {
    tried(observed, Experiment::OtherTab, &Recognised::SignedIn, |take| {
        Flaw::new(Severity::High, format!("{} is still signed in", take.what), "an ended session")
    })
}

pub(super) const NOT_DELETED: Rule = Rule {
    id: "O04",
    title: "Signing out leaves the cookie",
    severity: Severity::Low,
    needs: Needs::Login,
    what: "Signing out takes the session's cookie away, with the path and domain that set it.",
    why: "The next person at the computer sends a token of the one before; a session that was not ended on the server is open to them.",
    how: "The browser signs out; whether its next request carries the same value is looked at.",
    source: "RFC 6265bis section 4.1.2; ASVS 5.0 7.4.1",
    remedies: remedies::DELETE,
    judge: not_deleted,
};

fn not_deleted(observed: &Observed) -> Answer {
    let scene = match staged(observed, Experiment::SignOut) {
        Ok(scene) => scene,
        Err(answer) => return answer,
    };
    let seen = |step| scene.of(step).last().and_then(|take| take.exchange.as_ref());
    let (Some(before), Some(act), Some(after)) =
        (seen(Step::Control), seen(Step::Act), seen(Step::Try))
    else {
        return not_decided(
            scene.stopped.clone().unwrap_or_else(|| "the user did not sign out".to_owned()),
        );
    };
    let names: Vec<String> = session_sets(observed).into_iter().flatten().collect();
    if names.is_empty() {
        return not_decided("it was not found out which cookies are the session");
    }
    let kept =
        |name: &&String| sent(after, name).is_some_and(|value| sent(before, name) == Some(value));
    let kept: Vec<&str> = names.iter().filter(kept).map(String::as_str).collect();
    if kept.is_empty() {
        return Answer::Holds { looked_at: names.join(", ") };
    }
    let flaw = Flaw::new(
        Severity::Low,
        format!("{} is still sent", kept.join(", ")),
        "Set-Cookie with Max-Age=0 and the same path and domain",
    );
    let lines = act.response.all("set-cookie").count();
    Answer::Broken(vec![finding(
        observed,
        flaw,
        act,
        format!("{lines} Set-Cookie lines, and none takes it away"),
    )])
}

pub(super) const PASSWORD: Rule = Rule {
    id: "O07",
    title: "Other sessions survive a new password",
    severity: Severity::High,
    needs: Needs::Login,
    what: "With a new password the other sessions of the user end, or the user can end them.",
    why: "Whoever stole the account stays in it although its owner did the one thing that should put them out.",
    how: "Two browsers sign in, one changes the password, and the other one asks who it is.",
    source: "ASVS 5.0 7.4.3; CWE-613",
    remedies: remedies::OTHERS,
    judge: password,
};

fn password(observed: &Observed) -> Answer {
    tried(observed, Experiment::PasswordChange, &Recognised::SignedIn, |take| {
        Flaw::new(
            Severity::High,
            format!("{} is still signed in", take.what),
            "an ended session, or a choice to end it",
        )
    })
}

pub(super) const FOREIGN_SIGN_OUT: Rule = Rule {
    id: "O08",
    title: "Another site can sign the user out",
    severity: Severity::Low,
    needs: Needs::Login,
    what: "Signing out takes a request that only the site itself can send.",
    why: "A page with an image or a form signs its visitors out, as often as it likes, and may sign them in as somebody else next.",
    how: "The request is sent as a GET and as a form of another site, with the cookies that a browser sends then.",
    source: "OWASP Cross-Site Request Forgery Prevention Cheat Sheet; CWE-352",
    remedies: remedies::POST_ONLY,
    judge: foreign_sign_out,
};

fn foreign_sign_out(observed: &Observed) -> Answer {
    tried(observed, Experiment::ForeignSignOut, &Recognised::SignedOut, |take| {
        Flaw::new(Severity::Low, format!("{} signs the user out", take.what), "a refusal")
    })
}
