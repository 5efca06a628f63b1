//! The demands on cookies and sessions, as one list.

use super::Tested::{By, Not, Partly};
use super::{Requirement, Standard, Tested};

/// Every demand that cookies and sessions concern: chapters V3 and V7 of ASVS, section 5 of SP 800-63B.
///
/// ```
/// use cloakroom_audit::coverage;
///
/// let entropy = coverage().iter().find(|row| row.id == "7.2.3");
/// assert!(entropy.is_some_and(|row| row.tested.rules().contains(&"I01")));
/// ```
pub const fn coverage() -> &'static [Requirement] {
    &ROWS
}

const fn asvs(id: &'static str, level: u8, text: &'static str, tested: Tested) -> Requirement {
    Requirement { standard: Standard::Asvs5, id, level: Some(level), text, tested }
}

const fn nist(id: &'static str, text: &'static str, tested: Tested) -> Requirement {
    Requirement { standard: Standard::Nist63b4, id, level: None, text, tested }
}

const DOCUMENTS: &str = "it is about documents, and the auditor reads responses";
const OPERATORS: &str = "it takes an operator's account, and the auditor signs in as a user";
const FEDERATION: &str = "it takes a provider of identities beside the site";

static ROWS: [Requirement; 57] = [
    asvs(
        "3.3.1",
        1,
        "Cookies are Secure and begin with __Host- or else __Secure-.",
        By(&["C01", "C07", "C08"]),
    ),
    asvs("3.3.2", 2, "SameSite is chosen for each cookie by its purpose.", By(&["C03", "C04"])),
    asvs(
        "3.3.3",
        2,
        "Cookies begin with __Host- unless other hosts are meant to have them.",
        By(&["C05", "C08"]),
    ),
    asvs(
        "3.3.4",
        2,
        "What scripts need not read is HttpOnly, and reaches the browser in Set-Cookie alone.",
        By(&["C02", "U02"]),
    ),
    asvs("3.3.5", 3, "Name and value of a cookie have 4096 octets at most.", By(&["C16"])),
    asvs(
        "3.4.1",
        1,
        "Every response demands TLS for a year at least, from level 2 on for subdomains too.",
        Partly(&["H04"], "whether subdomains are meant is not looked at"),
    ),
    asvs(
        "3.4.2",
        1,
        "Other origins read responses only if they are on a list.",
        Partly(&["X08"], "only what is read with cookies is tried"),
    ),
    asvs(
        "3.4.5",
        2,
        "The Referrer-Policy keeps addresses from other sites.",
        Not("the auditor looks for the tokens in addresses themselves, which is rule U01"),
    ),
    asvs("3.4.6", 2, "Pages say in their policy who may frame them.", By(&["H06"])),
    asvs(
        "3.5.1",
        1,
        "Requests that any site could send are proved to come from the application.",
        Partly(
            &["X01", "X02", "X03", "X05", "X06", "X07"],
            "only requests that the login script marks are forged",
        ),
    ),
    asvs(
        "3.5.2",
        1,
        "Where a preflight is the defence, no request without one gets through.",
        Partly(&["X01"], "only requests that the login script marks are forged"),
    ),
    asvs(
        "3.5.3",
        1,
        "Safe methods change nothing that matters.",
        Partly(&["F04", "O08", "X04"], "only sign-in, sign-out and marked requests are tried"),
    ),
    asvs(
        "3.5.4",
        2,
        "Separate applications have separate hosts.",
        Partly(&["C06"], "only what their cookies show of it can be seen"),
    ),
    asvs(
        "3.7.3",
        3,
        "The domain is on the browsers' list of those that are never asked in clear.",
        Not("the auditor asks the named site and nobody else"),
    ),
    asvs("7.1.1", 2, "Both timeouts are written down, with their reasons.", Not(DOCUMENTS)),
    asvs(
        "7.1.2",
        2,
        "It is written down how many sessions a user may have, and what happens then.",
        Partly(&["M01"], "what happens is seen, what is written down is not"),
    ),
    asvs("7.1.3", 2, "It is written down how federated sessions end together.", Not(DOCUMENTS)),
    asvs(
        "7.2.1",
        1,
        "Tokens are verified by a trusted service.",
        Partly(&["J01", "J02", "J03", "T03"], "only what follows from it can be seen"),
    ),
    asvs(
        "7.2.2",
        1,
        "Tokens are made for each session, and are no fixed secrets.",
        By(&["F02", "I03", "M02"]),
    ),
    asvs(
        "7.2.3",
        1,
        "Reference tokens are unique and have 128 bits from a secure generator.",
        Partly(&["I01", "I02", "I03"], "that a generator is good cannot be seen from outside"),
    ),
    asvs(
        "7.2.4",
        1,
        "Each authentication brings a new token and ends the old one.",
        By(&["F01", "F03", "F05"]),
    ),
    asvs("7.3.1", 2, "Inactivity ends a session.", By(&["T01", "T03"])),
    asvs("7.3.2", 2, "A session has an end that activity does not move.", By(&["T02", "T03"])),
    asvs(
        "7.4.1",
        1,
        "After sign-out and expiry nothing brings the session back.",
        By(&["O01", "O02", "O03", "O06", "T03"]),
    ),
    asvs("7.4.2", 1, "A disabled account has no sessions.", Not(OPERATORS)),
    asvs("7.4.3", 2, "After a change of password the others can be ended.", By(&["O07"])),
    asvs("7.4.4", 2, "Signing out is in sight on every page.", By(&["O05"])),
    asvs("7.4.5", 2, "Operators can end the sessions of one user and of all.", Not(OPERATORS)),
    asvs(
        "7.5.1",
        2,
        "What recovers an account is changed only after a new authentication.",
        Not("which attributes those are is not visible from outside"),
    ),
    asvs(
        "7.5.2",
        2,
        "Users see their sessions and can end them.",
        Not("no two sites show them alike, so that a silence would prove nothing"),
    ),
    asvs(
        "7.5.3",
        3,
        "What is highly sensitive asks for a second proof.",
        Not("what is highly sensitive is not visible from outside"),
    ),
    asvs("7.6.1", 2, "Sessions here and at the provider end as documented.", Not(FEDERATION)),
    asvs(
        "7.6.2",
        2,
        "No session begins without an act of the user.",
        Partly(&["F04"], "sign-in by way of a provider is not tried"),
    ),
    nist(
        "5.1 secret 1",
        "The secret is made during authentication or right after it.",
        By(&["F01", "F02"]),
    ),
    nist(
        "5.1 secret 2",
        "The secret has 64 bits at least, from an approved generator.",
        Partly(&["I01", "I02", "I03"], "which generator it is cannot be seen from outside"),
    ),
    nist("5.1 secret 3", "The browser's secret is gone after sign-out.", By(&["O01", "O04"])),
    nist(
        "5.1 secret 4",
        "The secret travels through protected channels alone.",
        By(&["C01", "C10", "H01"]),
    ),
    nist("5.1 secret 5", "The secret is not accepted after its time.", By(&["T01", "T02", "T03"])),
    nist(
        "5.1 secret 6",
        "Nobody between browser and site gets the secret.",
        Partly(
            &["C10", "H02", "H03", "U01"],
            "what a proxy on the site's side sees is not visible",
        ),
    ),
    nist("5.1 persistence", "Secrets do not outlive the browser.", By(&["T04", "T05"])),
    nist(
        "5.1 erasure",
        "Secrets are erased in the browser at sign-out and expiry.",
        By(&["O04", "O06"]),
    ),
    nist("5.1 storage", "Secrets are not kept where scripts read them.", By(&["C02", "H05"])),
    nist(
        "5.1 transport",
        "A session does not fall back to an insecure channel.",
        By(&["C10", "H01", "H04"]),
    ),
    nist(
        "5.1 forgery",
        "What is posted carries something of the session, and it is verified.",
        Partly(&["X01", "X05", "X06"], "only requests that the login script marks are forged"),
    ),
    nist("5.1 sign-out", "Signing out is at hand.", By(&["O05"])),
    nist(
        "5.1 assurance",
        "A session is never worth more than its authentication.",
        Not("how much a session is worth is not visible from outside"),
    ),
    nist("5.1.1 cookie 1", "Session cookies go over TLS alone.", By(&["C01"])),
    nist(
        "5.1.1 cookie 2",
        "Session cookies reach as few hosts and paths as possible.",
        Partly(&["C05", "C06"], "how few would do is known to the site alone"),
    ),
    nist("5.1.1 cookie 3", "Scripts cannot read session cookies.", By(&["C02"])),
    nist(
        "5.1.1 cookie 4",
        "Session cookies expire about when the session does, and do not decide it.",
        By(&["T03", "T05"]),
    ),
    nist("5.1.1 cookie 5", "Session cookies have __Host- and Path=/.", By(&["C07", "C08"])),
    nist("5.1.1 cookie 6", "Session cookies say SameSite Lax or Strict.", By(&["C03", "C04"])),
    nist("5.1.1 cookie 7", "Session cookies hold no personal data in clear.", By(&["I04"])),
    nist(
        "5.1.2",
        "An access token is no sign that the user is there.",
        Not("what a site concludes from a token is not visible from outside"),
    ),
    nist(
        "5.2 end",
        "Either timeout ends the session, and activity moves only one of them.",
        By(&["T01", "T02", "T03"]),
    ),
    nist("5.2 documents", "Both limits are written down in a security plan.", Not(DOCUMENTS)),
    nist(
        "5.3",
        "What is collected to watch sessions is in the privacy assessment.",
        Not(DOCUMENTS),
    ),
];
