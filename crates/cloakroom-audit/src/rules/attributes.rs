//! What the attributes of a cookie say: C01 to C05.

use crate::finding::{Answer, Severity};
use crate::flaw::{Flaw, each_line, every, not_decided, nothing_to_look_at};
use crate::line::Line;
use crate::observed::Observed;
use crate::remedies;
use crate::role::Role;
use crate::rule::{Needs, Rule};

pub(super) const SECURE: Rule = Rule {
    id: "C01",
    title: "Cookie without Secure",
    severity: Severity::High,
    needs: Needs::Responses,
    what: "Every cookie is set with Secure, so that browsers send it over TLS only.",
    why: "One request over plain http, which any page can cause, gives the session to whoever reads the network.",
    how: "Each Set-Cookie line is read. Without Secure the rule is broken, whatever the page came over.",
    source: "ASVS 5.0 3.3.1; NIST SP 800-63B-4 section 5.1.1; CWE-614",
    remedies: remedies::SECURE,
    judge: secure,
};

fn secure(observed: &Observed) -> Answer {
    each_line(observed, every, |line, _| {
        let flaw = || {
            Flaw::for_role(
                Severity::High,
                line,
                "the cookie is sent over plain http too",
                "Secure in the Set-Cookie line",
            )
        };
        (!line.has("secure")).then(flaw)
    })
}

pub(super) const HTTP_ONLY: Rule = Rule {
    id: "C02",
    title: "Cookie readable by scripts",
    severity: Severity::High,
    needs: Needs::Responses,
    what: "A session cookie is set with HttpOnly. Form tokens and preferences may be left to scripts.",
    why: "One injected script reads the session and sends it away, to be used long after the page is closed.",
    how: "Each Set-Cookie line of a session is read; one of unknown purpose counts if its value looks like a token.",
    source: "ASVS 5.0 3.3.4; CWE-1004",
    remedies: remedies::HTTP_ONLY,
    judge: http_only,
};

fn http_only(observed: &Observed) -> Answer {
    each_line(observed, may_be_secret, |line, _| {
        let flaw = || {
            Flaw::for_role(
                Severity::High,
                line,
                "scripts of the page can read the cookie",
                "HttpOnly in the Set-Cookie line",
            )
        };
        (!line.has("httponly")).then(flaw)
    })
}

fn may_be_secret(line: &Line) -> bool {
    match line.role {
        Role::Session => true,
        Role::Other => crate::tokens::is_token_like(&line.value),
        Role::FormToken | Role::Tracking | Role::Preference => false,
    }
}

pub(super) const SAME_SITE: Rule = Rule {
    id: "C03",
    title: "SameSite missing or unknown",
    severity: Severity::Medium,
    needs: Needs::Responses,
    what: "Every cookie says SameSite=Lax or Strict (or None, see C04).",
    why: "Without it Firefox and Safari send the cookie with forged requests of other sites, and Chromium does for two minutes.",
    how: "The last SameSite attribute of each Set-Cookie line counts; a value that no browser knows is like none.",
    source: "ASVS 5.0 3.3.2; RFC 6265bis section 5.6.7; CWE-1275",
    remedies: remedies::SAME_SITE,
    judge: same_site,
};

fn same_site(observed: &Observed) -> Answer {
    each_line(observed, every, |line, _| {
        let known = ["strict", "lax", "none"];
        if known.iter().any(|value| line.same_site_is(value)) {
            return None;
        }
        let seen = match line.value_of("samesite") {
            Some(_) => "the value of SameSite is none that browsers know",
            None => "there is no SameSite, and browsers disagree about what that means",
        };
        Some(Flaw::for_role(Severity::Medium, line, seen, "SameSite=Lax or SameSite=Strict"))
    })
}

pub(super) const SAME_SITE_NONE: Rule = Rule {
    id: "C04",
    title: "SameSite=None",
    severity: Severity::High,
    needs: Needs::Responses,
    what: "No session cookie says SameSite=None, and whatever says it is Secure too.",
    why: "None asks browsers to send the cookie with every request of any site; without Secure they refuse the cookie.",
    how: "Each Set-Cookie line with SameSite=None is read: a session is a finding, and so is a missing Secure.",
    source: "RFC 6265bis section 5.7 step 19; ASVS 5.0 3.3.2",
    remedies: remedies::SAME_SITE,
    judge: same_site_none,
};

fn same_site_none(observed: &Observed) -> Answer {
    each_line(observed, every, |line, _| {
        if !line.same_site_is("none") {
            None
        } else if line.role == Role::Session {
            let seen = "other sites' requests carry the session";
            Some(Flaw::for_role(
                Severity::High,
                line,
                seen,
                "SameSite=Lax, and a cookie of its own for what other sites embed",
            ))
        } else {
            let flaw = Flaw::new(
                Severity::Medium,
                "SameSite=None without Secure: browsers refuse the cookie",
                "SameSite=None; Secure",
            );
            (!line.has("secure")).then_some(flaw)
        }
    })
}

pub(super) const DOMAIN: Rule = Rule {
    id: "C05",
    title: "Cookie shared with other hosts",
    severity: Severity::Medium,
    needs: Needs::Responses,
    what: "A session cookie has no Domain, so that only the host that set it receives it.",
    why: "Every host under the domain receives the session: one forgotten or taken-over subdomain reads or replaces it.",
    how: "Each Set-Cookie line is read; a Domain that is not empty shares the cookie with all hosts below it.",
    source: "ASVS 5.0 3.3.3; RFC 6265bis section 8.6; CWE-565",
    remedies: remedies::DOMAIN,
    judge: domain,
};

fn domain(observed: &Observed) -> Answer {
    if observed.setting().next().is_none() {
        return not_decided(nothing_to_look_at(observed));
    }
    each_line(observed, every, |line, _| {
        let domain = line.text_of("domain").filter(|domain| !domain.is_empty())?;
        let domain = crate::mask::printable_line(domain.as_bytes(), 80);
        let seen =
            format!("the cookie goes to every host under {}", domain.trim_start_matches('.'));
        Some(Flaw::for_role(Severity::Medium, line, &seen, "no Domain"))
    })
}
