//! Every rule, as one list: reports, documentation, `--explain` and tests read it and nothing else.

mod attributes;
mod ending;
mod fixation;
mod foreign;
mod forged;
mod fresh;
mod grammar;
mod hostile;
mod keeping;
mod keys;
mod names;
mod places;
mod privacy;
mod private;
mod racing;
mod reach;
mod several;
mod spoiled;
mod timed;
mod transport;
mod values;

pub(crate) use foreign::{WITH_TOKEN, WITHOUT_FIELDS};
pub use fresh::SAMPLES_LEAST;
pub use hostile::MARK;

use crate::rule::Rule;

/// All rules, by family and number.
pub static RULES: [Rule; 76] = [
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
    fixation::RENEWED,
    fixation::ADOPTED,
    fixation::OLD_TOKEN,
    fixation::BY_GET,
    fixation::STEP_UP,
    fixation::PLANTED,
    fixation::OTHER_PLACE,
    timed::IDLE,
    timed::ABSOLUTE,
    timed::CLIENT,
    private::PERSISTENT,
    ending::REPLAYED,
    ending::OTHER_COOKIE,
    ending::OTHER_TAB,
    ending::NOT_DELETED,
    private::NO_WAY_OUT,
    private::LEFT_BEHIND,
    ending::PASSWORD,
    ending::FOREIGN_SIGN_OUT,
    several::SEVERAL,
    several::SAME_TOKEN,
    foreign::NO_PROOF,
    foreign::FETCH_SITE,
    foreign::FOREIGN_ORIGIN,
    foreign::BY_GET,
    foreign::OTHERS_TOKEN,
    foreign::INVENTED_PAIR,
    foreign::FOREIGN_SIGN_IN,
    foreign::FOREIGN_READ,
    private::PLAIN,
    private::STORED,
    private::FRAMED,
    forged::FORGED,
    forged::NAMED_KEY,
    forged::NO_END,
    racing::PARALLEL,
    racing::LATE,
    racing::RACE,
    spoiled::TWINS,
    spoiled::NEIGHBOUR,
    spoiled::DAMAGED,
    spoiled::GROWTH,
];

/// The rule of this id, in either case.
///
/// ```
/// assert_eq!(cloakroom_audit::rule("c01").map(|rule| rule.title), Some("Cookie without Secure"));
/// ```
pub fn rule(id: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.id.eq_ignore_ascii_case(id))
}
