//! Where the sources of rules can be read.

/// Words of a source and the address of the page, the most particular first. A number behind the word
/// takes the place of `{}`.
const PAGES: [(&str, &str); 14] = [
    ("CWE-", "https://cwe.mitre.org/data/definitions/{}.html"),
    ("RFC 6265bis", "https://datatracker.ietf.org/doc/draft-ietf-httpbis-rfc6265bis/"),
    ("layered cookies", "https://datatracker.ietf.org/doc/draft-ietf-httpbis-layered-cookies/"),
    ("RFC ", "https://www.rfc-editor.org/rfc/rfc{}"),
    ("CHIPS", "https://datatracker.ietf.org/doc/draft-cutler-httpbis-partitioned-cookies/"),
    ("Device Bound Session", "https://w3c.github.io/webappsec-dbsc/"),
    ("Fetch Metadata", "https://www.w3.org/TR/fetch-metadata/"),
    ("NIST SP 800-63B-4", "https://pages.nist.gov/800-63-4/sp800-63b.html"),
    (
        "Session Management Cheat Sheet",
        "https://cheatsheetseries.owasp.org/cheatsheets/Session_Management_Cheat_Sheet.html",
    ),
    (
        "Request Forgery Prevention Cheat Sheet",
        "https://cheatsheetseries.owasp.org/cheatsheets/Cross-Site_Request_Forgery_Prevention_Cheat_Sheet.html",
    ),
    ("Directive 2002/58/EC", "https://eur-lex.europa.eu/eli/dir/2002/58/oj"),
    ("WP29", "https://eur-lex.europa.eu/eli/dir/2002/58/oj"),
    ("Regulation (EU) 2016/679", "https://eur-lex.europa.eu/eli/reg/2016/679/oj"),
    ("ASVS", "https://owasp.org/www-project-application-security-verification-standard/"),
];

/// A page about the source of a rule.
pub(super) fn page(source: &str) -> Option<String> {
    PAGES.iter().find_map(|(word, address)| {
        let (_, behind) = source.split_once(word)?;
        if !address.contains("{}") {
            return Some((*address).to_owned());
        }
        let end = behind.find(|c: char| !c.is_ascii_digit()).unwrap_or(behind.len());
        let number = behind.get(..end).filter(|number| !number.is_empty())?;
        Some(address.replace("{}", number))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_source_of_every_rule_has_a_page() {
        for rule in &crate::RULES {
            let found = page(rule.source);

            assert!(found.is_some(), "{}: add a page for {:?} to the list", rule.id, rule.source);
        }
    }

    #[test]
    fn a_number_is_taken_from_behind_its_word() {
        assert_eq!(
            page("ASVS 5.0 3.3.1; CWE-614").as_deref(),
            Some("https://cwe.mitre.org/data/definitions/614.html")
        );
        assert_eq!(
            page("RFC 6797 section 6.1").as_deref(),
            Some("https://www.rfc-editor.org/rfc/rfc6797")
        );
        assert_eq!(page("hearsay"), None);
    }
}
