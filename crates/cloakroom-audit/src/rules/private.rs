//! What the pages of a signed-in user say, and over what they travel: H01, H03, H06, O05, O06, T04.

use crate::exchange::Exchange;
use crate::finding::{Answer, Confidence, Evidence, Severity};
use crate::flaw::{Findings, Flaw, not_decided};
use crate::line::Line;
use crate::markup;
use crate::mask::shown_url;
use crate::observed::Observed;
use crate::remedies;
use crate::rule::{Needs, Rule};
use crate::scene::{Experiment, Recognised, Scene, Step, Take};
use crate::staged::{session_sets, staged, tried};
use std::collections::BTreeSet;

pub(super) const PLAIN: Rule = Rule {
    id: "H01",
    title: "Session over plain http",
    severity: Severity::High,
    needs: Needs::Login,
    what: "Over plain http nobody is signed in.",
    why: "Everybody on the way reads the token and the page.",
    how: "The session's cookies are sent to the same host over http, whatever their attributes say.",
    source: "NIST SP 800-63B-4 section 5.1; CWE-319",
    remedies: remedies::HSTS,
    judge: plain,
};

fn plain(observed: &Observed) -> Answer {
    tried(observed, Experiment::PlainHttp, &Recognised::SignedIn, |take| {
        Flaw::new(
            Severity::High,
            format!("{} is signed in", take.what),
            "a redirect to https, or nobody listening",
        )
    })
}

pub(super) const STORED: Rule = Rule {
    id: "H03",
    title: "Private page that caches may keep",
    severity: Severity::Medium,
    needs: Needs::Login,
    what: "A page of a signed-in user says Cache-Control: no-store.",
    why: "It is read in the history of a shared computer after signing out, or handed to others by a cache on the way.",
    how: "Cache-Control of the script's probe and private pages is read, as the user gets them. With `private` or `no-cache` it is a step less.",
    source: "ASVS 5.0 14.3.2; CWE-524",
    remedies: remedies::CLEAR,
    judge: stored,
};

fn stored(observed: &Observed) -> Answer {
    each_page(observed, cache_control, |page| {
        let control = page.response.words("cache-control");
        let expected = "Cache-Control: no-store";
        if control.contains("no-store") {
            None
        } else if control.contains("private") || control.contains("no-cache") {
            Some(Flaw::new(Severity::Low, "the browser may keep a private page", expected))
        } else {
            Some(Flaw::new(Severity::Medium, "every cache may keep a private page", expected))
        }
    })
}

pub(super) const FRAMED: Rule = Rule {
    id: "H06",
    title: "Private page that may be framed",
    severity: Severity::Low,
    needs: Needs::Login,
    what: "A page of a signed-in user says who may frame it.",
    why: "Another site lays it under its own buttons, and the user presses them. SameSite=Lax on the session keeps most browsers from it.",
    how: "`frame-ancestors` of Content-Security-Policy and X-Frame-Options of HTML pages are read, as the user gets them.",
    source: "ASVS 5.0 3.4.6; CWE-1021",
    remedies: remedies::FRAME,
    judge: framed,
};

fn framed(observed: &Observed) -> Answer {
    let html = |page: &Exchange| page.is_html();
    if !pages(observed).is_ok_and(|pages| pages.iter().any(|page| html(page)))
        && staged(observed, Experiment::SignIn).is_ok()
    {
        return not_decided("no private page is HTML: name one under `private`");
    }
    each_page(observed, framing, |page| {
        let policy = page.response.words("content-security-policy");
        let options = page.response.words("x-frame-options");
        let is_said = policy.contains("frame-ancestors")
            || options.contains("deny")
            || options.contains("sameorigin");
        (html(page) && !is_said).then(|| {
            Flaw::new(
                Severity::Low,
                "any site may frame a private page",
                "Content-Security-Policy: frame-ancestors",
            )
        })
    })
}

fn framing(page: &Exchange) -> String {
    let field = |name: &str| {
        let value = page.response.text(name)?;
        Some(format!("{name}: {}", crate::mask::printable_line(value.as_bytes(), 100)))
    };
    let said: Vec<String> =
        ["content-security-policy", "x-frame-options"].into_iter().filter_map(field).collect();
    match said.as_slice() {
        [] => "no Content-Security-Policy and no X-Frame-Options".to_owned(),
        said => said.join("; "),
    }
}

pub(super) const NO_WAY_OUT: Rule = Rule {
    id: "O05",
    title: "No way to sign out on a private page",
    severity: Severity::Low,
    needs: Needs::Login,
    what: "Every page of a signed-in user has a way to sign out.",
    why: "Who does not find it closes the window, and the session stays open at a shared computer.",
    how: "Links, forms and words of the script's probe and private pages are looked through, and the address of the script's logout. A page that is built by scripts shows neither, so that this is only possible.",
    source: "ASVS 5.0 7.4.4",
    remedies: remedies::WAY_OUT,
    judge: no_way_out,
};

const WORDS: [&str; 12] = [
    "logout",
    "log out",
    "log-out",
    "signout",
    "sign out",
    "sign-out",
    "log off",
    "logoff",
    "abmelden",
    "se d\u{e9}connecter",
    "cerrar sesi\u{f3}n",
    "uitloggen",
];

fn no_way_out(observed: &Observed) -> Answer {
    let pages = match pages(observed) {
        Ok(pages) => pages,
        Err(answer) => return answer,
    };
    let html: Vec<_> = pages.into_iter().filter(|page| page.is_html()).collect();
    if html.is_empty() {
        return not_decided("no private page is HTML: name one under `private`");
    }
    let acts =
        observed.scene(Experiment::SignOut).into_iter().flat_map(|scene| scene.of(Step::Act));
    let paths: Vec<String> = acts
        .filter_map(|take| Some(take.exchange.as_ref()?.parsed_url().path().to_owned()))
        .collect();
    let mut findings = Findings::default();
    for page in html.iter().filter(|page| !has_way_out(page, &paths)) {
        let flaw = Flaw::new(
            Severity::Low,
            "no link, form or word for signing out",
            "a form that signs out",
        )
        .sure(Confidence::Possible);
        findings.add(flaw.about(
            shown_url(page.url()),
            Evidence::new(page, "nothing that signs out".to_owned()),
        ));
    }
    findings.answer(format!("{} pages", html.len()))
}

fn has_way_out(page: &Exchange, paths: &[String]) -> bool {
    let leads = |link: markup::Link| {
        paths.iter().any(|path| path.len() > 1 && link.to.contains(path.as_str()))
    };
    markup::pressed(page.body()).iter().any(|text| WORDS.iter().any(|word| text.contains(word)))
        || markup::links(page.body()).into_iter().any(leads)
}

pub(super) const LEFT_BEHIND: Rule = Rule {
    id: "O06",
    title: "Pages stay in the browser after signing out",
    severity: Severity::Low,
    needs: Needs::Login,
    what: "After signing out no page of the user is left in the browser: it was never kept, or it is cleared.",
    why: "The next person at the computer goes back in the history.",
    how: "Either every private page says no-store, or the answer that signs out has `Clear-Site-Data` with \"cache\".",
    source: "ASVS 5.0 14.3.1",
    remedies: remedies::CLEAR,
    judge: left_behind,
};

fn left_behind(observed: &Observed) -> Answer {
    let pages = match pages(observed) {
        Ok(pages) => pages,
        Err(answer) => return answer,
    };
    let kept = pages.iter().find(|page| !page.response.words("cache-control").contains("no-store"));
    let Some(kept) = kept else {
        return Answer::Holds { looked_at: format!("{} pages that nobody keeps", pages.len()) };
    };
    let scene = match staged(observed, Experiment::SignOut) {
        Ok(scene) => scene,
        Err(answer) => return answer,
    };
    let mut acts = scene
        .of(Step::Act)
        .chain(scene.of(Step::Way))
        .filter_map(|take| take.exchange.as_ref())
        .peekable();
    if acts.peek().is_none() {
        return not_decided("the user did not sign out");
    }
    let clears = |act: &Exchange| {
        ["\"cache\"", "\"*\""]
            .iter()
            .any(|word| act.response.words("clear-site-data").contains(word))
    };
    if acts.any(clears) {
        return Answer::Holds { looked_at: "Clear-Site-Data at signing out".to_owned() };
    }
    let flaw = Flaw::new(
        Severity::Low,
        "a private page may be kept, and signing out clears nothing",
        "no-store on the page, or Clear-Site-Data: \"cache\" at signing out",
    );
    Answer::Broken(vec![
        flaw.about(shown_url(kept.url()), Evidence::new(kept, cache_control(kept))),
    ])
}

fn cache_control(page: &Exchange) -> String {
    match page.response.text("cache-control") {
        Some(control) => {
            format!("Cache-Control: {}", crate::mask::printable_line(control.as_bytes(), 100))
        }
        None => "no Cache-Control".to_owned(),
    }
}

pub(super) const PERSISTENT: Rule = Rule {
    id: "T04",
    title: "Login that is remembered without being asked to",
    severity: Severity::Medium,
    needs: Needs::Login,
    what: "The session's cookie ends with the browser unless the user asked to be remembered.",
    why: "At a shared computer the session is there the next morning.",
    how: "The script signs in without a field that asks to be remembered; the lifetime of the cookies that are the session is read.",
    source: "NIST SP 800-63B-4 section 5.1; ASVS 5.0 7.1.1",
    remedies: remedies::REMEMBERED,
    judge: persistent,
};

fn persistent(observed: &Observed) -> Answer {
    let scene = match staged(observed, Experiment::Unremembered) {
        Ok(scene) => scene,
        Err(answer) => return answer,
    };
    if let Some(why) = &scene.stopped {
        return not_decided(why.clone());
    }
    let sets = session_sets(observed);
    if sets.is_empty() {
        return not_decided("it was not found out which cookies are the session");
    }
    let lines = session_lines(scene, &sets);
    let mut findings = Findings::default();
    for (exchange, line) in &lines {
        let Some(seconds) = line.lifetime else { continue };
        // What is left of a session without one of its cookies is none.
        let survives = |set: &&BTreeSet<String>| {
            let other = |other: &Line| set.contains(&other.name_text()) && other.lifetime.is_none();
            set.contains(&line.name_text()) && !lines.iter().any(|(_, line)| other(line))
        };
        if sets.iter().find(survives).is_none() {
            continue;
        }
        let told = format!(
            "the session asks for {}, and nobody asked to be remembered",
            lifetime_of(seconds)
        );
        let flaw = Flaw::new(Severity::Medium, told, "no Max-Age and no Expires");
        findings.add(flaw.about(line.shown_name(), Evidence::of_line(exchange, &line.raw)));
    }
    match lines.len() {
        0 => not_decided("no response of the login sets the session's cookie"),
        lines => findings.answer(format!("{lines} Set-Cookie lines")),
    }
}

/// A lifetime in minutes below two hours, and in whole hours from there on.
fn lifetime_of(seconds: u64) -> String {
    match seconds {
        0..7_200 => format!("{} minutes", seconds / 60),
        _ => format!("{} hours", seconds / 3_600),
    }
}

/// The lines of a login that set a cookie of the session.
fn session_lines<'s>(scene: &'s Scene, sets: &[BTreeSet<String>]) -> Vec<(&'s Exchange, Line)> {
    let exchanges = scene.takes.iter().filter_map(|take| take.exchange.as_ref());
    let of_one = |exchange: &'s Exchange| {
        let lines = exchange.response.all("set-cookie");
        lines.map(move |raw| (exchange, Line::read(0, raw, exchange.at())))
    };
    let is_own = |line: &Line| sets.iter().any(|set| set.contains(&line.name_text()));
    exchanges.flat_map(of_one).filter(|(_, line)| !line.deletes && is_own(line)).collect()
}

/// The private pages, as the user got them.
fn pages(observed: &Observed) -> Result<Vec<&Exchange>, Answer> {
    let scene = staged(observed, Experiment::SignIn)?;
    let is_fine = |page: &&Exchange| (200..300).contains(&page.status());
    let of = |take: &'_ Take| matches!(take.step, Step::Control | Step::Page);
    let found = shown(scene).filter(|take| of(take)).filter_map(|take| take.exchange.as_ref());
    let pages: Vec<&Exchange> = found.filter(is_fine).collect();
    match (&scene.stopped, pages.is_empty()) {
        (Some(why), true) => Err(not_decided(why.clone())),
        (None, true) => Err(not_decided("no private page was seen")),
        (_, false) => Ok(pages),
    }
}

fn shown(scene: &Scene) -> impl Iterator<Item = &Take> {
    scene.takes.iter()
}

fn each_page(
    observed: &Observed,
    seen: fn(&Exchange) -> String,
    judge: impl Fn(&Exchange) -> Option<Flaw>,
) -> Answer {
    let pages = match pages(observed) {
        Ok(pages) => pages,
        Err(answer) => return answer,
    };
    let mut findings = Findings::default();
    for page in &pages {
        if let Some(flaw) = judge(page) {
            findings.add(flaw.about(shown_url(page.url()), Evidence::new(page, seen(page))));
        }
    }
    findings.answer(format!("{} pages", pages.len()))
}
