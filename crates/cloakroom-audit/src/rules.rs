//! Every rule, as one list: reports, documentation, `--explain` and tests read it and nothing else.

mod attributes;
mod fresh;
mod grammar;
mod hostile;
mod keeping;
mod keys;
mod names;
mod places;
mod privacy;
mod reach;
mod transport;
mod values;

pub use fresh::SAMPLES_LEAST;
pub use hostile::MARK;

use crate::rule::Rule;

/// All rules, by family and number.
pub static RULES: [Rule; 34] = [
    attributes::SECURE,
    attributes::HTTP_ONLY,
    attributes::SAME_SITE,
    attributes::SAME_SITE_NONE,
    attributes::DOMAIN,
    names::ONE_SCOPE,
    names::PREFIX_RULES,
    names::PREFIX,
    names::PARTITIONED,
    transport::PLAIN,
    grammar::ONCE,
    grammar::ATTRIBUTES,
    grammar::OCTETS,
    grammar::TIMES,
    reach::DEAD,
    reach::TOO_LARGE,
    reach::HEADER,
    transport::SECURE_OVER_PLAIN,
    values::BITS,
    fresh::STRUCTURE,
    fresh::REPEATED,
    values::READABLE,
    hostile::MALFORMED,
    names::DEFAULT_NAME,
    keys::KNOWN_KEY,
    keeping::LIFETIME,
    places::URL,
    places::ECHO,
    keeping::NO_STORE,
    transport::HSTS,
    places::STORAGE,
    privacy::BEFORE_CONSENT,
    privacy::UNEXPLAINED,
    privacy::EAGER,
];

/// The rule of this id, in either case.
///
/// ```
/// assert_eq!(cloakroom_audit::rule("c01").map(|rule| rule.title), Some("Cookie without Secure"));
/// ```
pub fn rule(id: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.id.eq_ignore_ascii_case(id))
}
