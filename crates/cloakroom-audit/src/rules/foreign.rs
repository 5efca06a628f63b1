//! Requests that other sites make a browser send: X01 to X08.

use crate::finding::{Answer, Confidence, Severity};
use crate::flaw::Flaw;
use crate::line::Line;
use crate::observed::Observed;
use crate::remedies;
use crate::rule::{Needs, Rule};
use crate::scene::{Experiment, Recognised, Take};
use crate::staged::{judged, session_sets, tried};

pub(super) const NO_PROOF: Rule = Rule {
    id: "X01",
    title: "Change that another site may send",
    severity: Severity::High,
    needs: Needs::Login,
    what: "A request that changes something needs a sign that the site itself sent it.",
    why: "A page anywhere sends the form with the visitor's cookies. SameSite keeps other sites from it, and not the hosts beside it.",
    how: "The script's change is sent with the session's cookies and without its form token, with `Origin`, `Referer` and `Sec-Fetch-Site` of another site. With SameSite=Lax or Strict on the session it is a step less.",
    source: "ASVS 5.0 3.5.1; WSTG-SESS-05; CWE-352",
    remedies: remedies::GATE,
    judge: no_proof,
};

fn no_proof(observed: &Observed) -> Answer {
    let (severity, note) = match is_same_site(observed) {
        true => (Severity::Medium, ", and only SameSite keeps other sites from it"),
        false => (Severity::High, ""),
    };
    tried(observed, Experiment::NoProof, &Recognised::Landed, |take| {
        Flaw::new(severity, format!("{} changes something{note}", take.what), "a refusal")
    })
}

/// Whether browsers keep every way to be this session from requests of other sites.
fn is_same_site(observed: &Observed) -> bool {
    let sets = session_sets(observed);
    let lines: Vec<Line> = observed
        .scenes()
        .iter()
        .filter(|scene| scene.experiment == Experiment::SignIn)
        .flat_map(|scene| &scene.takes)
        .filter_map(|take| take.exchange.as_ref())
        .flat_map(|exchange| {
            exchange.response.all("set-cookie").map(|raw| Line::read(0, raw, exchange.at()))
        })
        .filter(|line| !line.deletes)
        .collect();
    let is_kept = |name: &String| {
        let mut own = lines.iter().filter(|line| line.name_text() == *name).peekable();
        own.peek().is_some()
            && own.all(|line| line.same_site_is("lax") || line.same_site_is("strict"))
    };
    // One cookie of a set that stays behind is enough.
    !sets.is_empty() && sets.iter().all(|set| set.iter().any(is_kept))
}

fn landed(observed: &Observed, experiment: Experiment, severity: Severity) -> Answer {
    tried(observed, experiment, &Recognised::Landed, |take| {
        Flaw::new(severity, format!("{} changes something", take.what), "a refusal")
    })
}

pub(super) const FETCH_SITE: Rule = Rule {
    id: "X02",
    title: "Sec-Fetch-Site is not heeded",
    severity: Severity::Medium,
    needs: Needs::Login,
    what: "A change of which the browser says that another site or host sent it is refused, if no token speaks for it.",
    why: "Browsers say in every request where it comes from; not to listen leaves the forged ones in.",
    how: "The script's change is sent without form token, `Origin` and `Referer`, with `Sec-Fetch-Site: cross-site` and `same-site`. Where only the form token keeps it out, that is said and no more.",
    source: "OWASP Cross-Site Request Forgery Prevention Cheat Sheet, Fetch Metadata; ASVS 5.0 3.5.1; CWE-352",
    remedies: remedies::GATE,
    judge: fetch_site,
};

/// How a request is called that has its form token: what is refused without one is refused by it.
pub(crate) const WITH_TOKEN: &str = " and the form token";

fn fetch_site(observed: &Observed) -> Answer {
    tried(observed, Experiment::FetchSite, &Recognised::Landed, |take| {
        let severity =
            if take.what.ends_with(WITH_TOKEN) { Severity::Info } else { Severity::Medium };
        Flaw::new(severity, format!("{} changes something", take.what), "a refusal")
    })
}

pub(super) const FOREIGN_ORIGIN: Rule = Rule {
    id: "X03",
    title: "Origin is compared loosely or not at all",
    severity: Severity::Medium,
    needs: Needs::Login,
    what: "A change whose `Origin` is not the site's own, letter by letter, is refused, if no token speaks for it; so is one without any sign of where it comes from.",
    why: "`null` can be sent from a sandboxed frame, and a name that begins or ends like the site's can be bought.",
    how: "The script's change is sent without form token, with `Origin: null`, with names that begin and end like the site's, with its other scheme, and without any of the fields. The last one alone is low: no browser of the last years sends it. Where only the form token keeps it out, that is said and no more.",
    source: "OWASP Cross-Site Request Forgery Prevention Cheat Sheet, verifying origin with standard headers; CWE-352, CWE-346",
    remedies: remedies::GATE,
    judge: foreign_origin,
};

/// What the request without any field is called; it is worth less than the others.
pub(crate) const WITHOUT_FIELDS: &str = "a request without Origin, Referer and Sec-Fetch-Site";

fn foreign_origin(observed: &Observed) -> Answer {
    tried(observed, Experiment::ForeignOrigin, &Recognised::Landed, |take| {
        let severity = match take.what.as_str() {
            what if what.ends_with(WITH_TOKEN) => Severity::Info,
            WITHOUT_FIELDS => Severity::Low,
            _ => Severity::Medium,
        };
        Flaw::new(severity, format!("{} changes something", take.what), "a refusal")
    })
}

pub(super) const BY_GET: Rule = Rule {
    id: "X04",
    title: "Change by a link",
    severity: Severity::High,
    needs: Needs::Login,
    what: "GET and HEAD change nothing.",
    why: "Links, images and prefetching send them, with cookies that say SameSite=Lax too, and no gate looks at them.",
    how: "The script's change is sent as a GET with its fields in the query.",
    source: "ASVS 5.0 3.5.3; RFC 9110 section 9.2.1; CWE-650",
    remedies: remedies::POST_ONLY,
    judge: by_get,
};

fn by_get(observed: &Observed) -> Answer {
    landed(observed, Experiment::ChangeByGet, Severity::High)
}

pub(super) const OTHERS_TOKEN: Rule = Rule {
    id: "X05",
    title: "Form token that serves any session",
    severity: Severity::Medium,
    needs: Needs::Login,
    what: "A form token serves the session that it was made for and no other one.",
    why: "The attacker takes one from a visit of their own and puts it into the forged form.",
    how: "The script's change is sent with the token of the second user, and with one of a stranger. That a wrong token is refused is seen before.",
    source: "OWASP Cross-Site Request Forgery Prevention Cheat Sheet, synchronizer token and signed double submit; CWE-352",
    remedies: remedies::BOUND,
    judge: others_token,
};

fn others_token(observed: &Observed) -> Answer {
    landed(observed, Experiment::OthersToken, Severity::Medium)
}

pub(super) const INVENTED_PAIR: Rule = Rule {
    id: "X06",
    title: "Form token that anybody can invent",
    severity: Severity::Medium,
    needs: Needs::Login,
    what: "That a field equals a cookie is no proof: the cookie has to be the server's.",
    why: "A sibling host, or anybody on the way of a plain request, sets the cookie and knows the field.",
    how: "The script's change is sent with an invented value, of the form of a real one, in the cookie and in the field or header. That a wrong token is refused is seen before.",
    source: "OWASP Cross-Site Request Forgery Prevention Cheat Sheet, naive double submit; CWE-352",
    remedies: remedies::BOUND,
    judge: invented_pair,
};

fn invented_pair(observed: &Observed) -> Answer {
    landed(observed, Experiment::InventedPair, Severity::Medium)
}

pub(super) const FOREIGN_SIGN_IN: Rule = Rule {
    id: "X07",
    title: "Login that another site may send",
    severity: Severity::Medium,
    needs: Needs::Login,
    what: "A login is accepted from the site's own form alone.",
    why: "A page signs its visitors in as the attacker, who later reads what they entered and bought.",
    how: "The script's login is sent by a browser that saw no form, without token, with `Origin`, `Referer` and `Sec-Fetch-Site` of another site.",
    source: "OWASP Cross-Site Request Forgery Prevention Cheat Sheet, login; CWE-352",
    remedies: remedies::GATE,
    judge: foreign_sign_in,
};

fn foreign_sign_in(observed: &Observed) -> Answer {
    tried(observed, Experiment::ForeignSignIn, &Recognised::SignedIn, |take| {
        Flaw::new(Severity::Medium, format!("{} signs in", take.what), "a refusal")
    })
}

pub(super) const FOREIGN_READ: Rule = Rule {
    id: "X08",
    title: "Other origins may read private pages",
    severity: Severity::High,
    needs: Needs::Login,
    what: "An origin that the site did not name may not read what it answers to a user.",
    why: "Any page reads the account of its visitor, form tokens included.",
    how: "The page of the script's probe is asked by the user with several `Origin`s. One that comes back in `Access-Control-Allow-Origin` beside `Access-Control-Allow-Credentials: true` is a finding.",
    source: "ASVS 5.0 3.4.2; CWE-942",
    remedies: remedies::CORS,
    judge: foreign_read,
};

fn foreign_read(observed: &Observed) -> Answer {
    judged(observed, Experiment::ForeignRead, |take| {
        allows(take).then(|| {
            let seen = format!("{} may be read", take.what);
            Flaw::new(Severity::High, seen, "no Access-Control-Allow-Origin for it")
                .sure(Confidence::Certain)
        })
    })
}

fn allows(take: &Take) -> bool {
    let Some(exchange) = &take.exchange else { return false };
    let asked = exchange.request.text("origin");
    let allowed = exchange.response.text("access-control-allow-origin");
    let with_cookies = exchange.response.words("access-control-allow-credentials");
    asked.is_some() && asked == allowed && with_cookies.trim() == "true"
}
