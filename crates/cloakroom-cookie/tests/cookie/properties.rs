use cloakroom_cookie::{
    COOKIE_HEADER_READ, CookieDefinition, CookieDefinitionBuilder, CookieName, Lives, MAX_AGE,
    SameSite, is_cookie_octets, pairs, values_of,
};
use proptest::collection::vec;
use proptest::prelude::*;
use std::time::Duration;

const NAME: &str = "(__Secure-|__Host-|__Http-|__Host-Http-)?[a-zA-Z0-9!#$%&'*+.^`|~-]{1,20}";
const VALUE: &str = "[!#-+.-:<-\\[\\]-~-]{0,200}";

/// Octets among which separators, blanks and quotes are frequent.
fn header() -> impl Strategy<Value = Vec<u8>> {
    let octet = prop_oneof![4 => prop::sample::select(b"=; \t\"a".to_vec()), 1 => any::<u8>()];
    vec(octet, 0..120)
}

/// The grammar once more, as plainly as it can be said.
fn plainly(header: &[u8]) -> Vec<(&[u8], &[u8])> {
    header
        .split(|&octet| octet == b';')
        .filter_map(|part| {
            let at = part.iter().position(|&octet| octet == b'=')?;
            Some((trim(&part[..at]), trim(&part[at + 1..])))
        })
        .filter(|(name, _)| !name.is_empty())
        .collect()
}

fn trim(bytes: &[u8]) -> &[u8] {
    let blank = |octet: &&u8| matches!(octet, b' ' | b'\t');
    let start = bytes.iter().take_while(blank).count();
    let end = bytes[start..].iter().rev().take_while(blank).count();
    &bytes[start..bytes.len() - end]
}

fn same_site() -> impl Strategy<Value = SameSite> {
    prop::sample::select(vec![SameSite::Strict, SameSite::Lax, SameSite::None])
}

fn lives() -> impl Strategy<Value = Lives> {
    let lifetime = (1..=MAX_AGE.as_secs()).prop_map(Duration::from_secs).prop_map(Lives::For);
    prop_oneof![Just(Lives::Session), lifetime]
}

fn text_or_bytes() -> impl Strategy<Value = String> {
    prop_oneof!["[ -~]{0,12}", any::<String>(), "(/[a-z]{0,3}){1,3}", "([a-z]{1,3}\\.?){1,3}"]
}

prop_compose! {
    fn builder()(
        name in NAME,
        path in prop::option::of(text_or_bytes()),
        domain in prop::option::of(text_or_bytes()),
        (lives, same_site) in (lives(), same_site()),
        (insecure, readable, partitioned) in any::<(bool, bool, bool)>(),
    ) -> Option<CookieDefinitionBuilder> {
        let mut builder = CookieDefinition::builder(CookieName::parse(&name).ok()?)
            .lives(lives)
            .same_site(same_site);
        if let Some(path) = path { builder = builder.path(path); }
        if let Some(domain) = domain { builder = builder.domain(domain); }
        if insecure { builder = builder.dangerous_insecure(); }
        if readable { builder = builder.readable_by_scripts(); }
        if partitioned { builder = builder.partitioned(); }
        Some(builder)
    }
}

fn definition() -> impl Strategy<Value = CookieDefinition> {
    builder().prop_filter_map("refused", |builder| builder?.build().ok())
}

/// The attributes of a definition in their order; `ends` gives the values of `Max-Age` and `Expires`.
fn attributes(definition: &CookieDefinition, ends: Option<(u64, &str)>) -> Vec<String> {
    let flag = |on: bool, text: &str| on.then(|| text.to_owned());
    [
        Some(format!("Path={}", definition.path())),
        definition.domain().map(|domain| format!("Domain={domain}")),
        ends.map(|(max_age, _)| format!("Max-Age={max_age}")),
        ends.map(|(_, expires)| format!("Expires={expires}")),
        flag(definition.is_secure(), "Secure"),
        flag(definition.is_http_only(), "HttpOnly"),
        Some(format!("SameSite={}", definition.same_site().as_str())),
        flag(definition.is_partitioned(), "Partitioned"),
    ]
    .into_iter()
    .flatten()
    .collect()
}

proptest! {
    #[test]
    fn pairs_of_any_octets_are_those_of_the_grammar(
        header in prop_oneof![header(), vec(any::<u8>(), 0..300)],
    ) {
        let found: Vec<_> = pairs(&header).map(|pair| (pair.name(), pair.value())).collect();

        prop_assert_eq!(found, plainly(&header));
    }

    #[test]
    fn values_of_any_headers_are_those_of_the_named_pairs(
        headers in vec(header(), 0..4),
        name in prop_oneof!["a{0,2}", any::<String>()],
    ) {
        let found: Vec<_> = values_of(headers.iter().map(Vec::as_slice), &name).collect();

        let expected: Vec<_> = headers
            .iter()
            .flat_map(|header| plainly(header))
            .filter_map(|(found, value)| (found == name.as_bytes()).then_some(value))
            .collect();
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn a_limit_between_any_octets_shows_only_whole_pairs(before in header(), after in header()) {
        let mut long = vec![b' '; COOKIE_HEADER_READ - before.len()];
        long.extend_from_slice(&before);
        long.extend_from_slice(&after);

        let found: Vec<_> = values_of([&long[..]], "a").collect();

        let parts = long.split(|&octet| octet == b';').scan(0, |end, part| {
            *end += part.len() + 1;
            Some((*end, part))
        });
        let whole = |end| end <= COOKIE_HEADER_READ || long.len() == COOKIE_HEADER_READ;
        let expected: Vec<_> = parts
            .filter(|(end, _)| whole(*end))
            .flat_map(|(_, part)| plainly(part))
            .filter_map(|(name, value)| (name == b"a").then_some(value))
            .collect();
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn any_text_is_a_name_of_one_meaning_or_none(text in prop_oneof![NAME, any::<String>()]) {
        if let Ok(name) = CookieName::parse(&text) {
            let prefix = name.prefix().map_or("", |prefix| prefix.as_str());
            prop_assert_eq!(name.as_str(), &text);
            prop_assert!(text.starts_with(prefix) && text.len() > prefix.len());
            prop_assert_eq!(text.to_ascii_lowercase().starts_with("__host-"),
                prefix.starts_with("__Host-"));
        }
    }

    #[test]
    fn a_cookie_has_exactly_the_attributes_of_its_definition(
        definition in definition(),
        value in VALUE,
        now in 0..4_102_444_800_u64,
    ) {
        let text = definition.set(&value, now).unwrap().into_string();

        let expires = text.split("; ").find_map(|part| part.strip_prefix("Expires="));
        let ends = match definition.lives() {
            Lives::Session => None,
            Lives::For(lifetime) => Some((lifetime.as_secs(), expires.unwrap())),
        };
        let mut expected = vec![format!("{}={value}", definition.name())];
        expected.extend(attributes(&definition, ends));
        prop_assert_eq!(text.split("; ").collect::<Vec<_>>(), expected);
        prop_assert!(text.bytes().all(|octet| octet == b' ' || octet.is_ascii_graphic()));
    }

    #[test]
    fn a_deletion_differs_from_its_cookie_in_value_and_end_only(definition in definition()) {
        let text = definition.delete().into_string();

        let mut expected = vec![format!("{}=", definition.name())];
        let long_ago = "Thu, 01 Jan 1970 00:00:00 GMT";
        expected.extend(attributes(&definition, Some((0, long_ago))));
        prop_assert_eq!(text.split("; ").collect::<Vec<_>>(), expected);
    }

    #[test]
    fn any_value_is_refused_or_comes_back_from_a_browser(value in prop_oneof![VALUE, any::<String>()]) {
        let name = CookieName::host_http("session").unwrap();
        let definition = CookieDefinition::builder(name).build().unwrap();

        match definition.set(&value, 0) {
            Err(_) => prop_assert!(!is_cookie_octets(value.as_bytes())),
            Ok(cookie) => {
                let text = cookie.into_string();
                let sent = format!("x; {}; y", text.split("; ").next().unwrap());
                let back: Vec<_> = values_of([sent.as_bytes()], "__Host-Http-session").collect();
                prop_assert_eq!(back, [value.as_bytes()]);
            }
        }
    }
}
