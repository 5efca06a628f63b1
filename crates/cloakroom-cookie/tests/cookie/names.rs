use cloakroom_cookie::{CookieName, NAME_AND_VALUE_MAX, NameError, Prefix};

type Constructor = fn(&str) -> Result<CookieName, NameError>;

const CONSTRUCTORS: [(Constructor, Option<Prefix>, &str); 5] = [
    (CookieName::plain, None, ""),
    (CookieName::secure, Some(Prefix::Secure), "__Secure-"),
    (CookieName::host, Some(Prefix::Host), "__Host-"),
    (CookieName::http, Some(Prefix::Http), "__Http-"),
    (CookieName::host_http, Some(Prefix::HostHttp), "__Host-Http-"),
];

#[test]
fn each_constructor_adds_its_prefix_and_parse_recognises_it() {
    for (constructor, prefix, text) in CONSTRUCTORS {
        let name = constructor("id").unwrap();

        assert_eq!(name.as_str(), format!("{text}id"));
        assert_eq!(name.prefix(), prefix);
        assert_eq!(CookieName::parse(name.as_str()), Ok(name));
    }
}

#[test]
fn no_constructor_takes_a_name_that_brings_a_prefix_along() {
    for (constructor, _, _) in CONSTRUCTORS {
        for bare in ["__Host-id", "__host-id", "__HTTP-id", "__Secure-", "__Host-Http-id"] {
            let refused = constructor(bare).unwrap_err();

            assert!(matches!(refused, NameError::AlreadyPrefixed { .. }), "{bare}: {refused:?}");
        }
    }
}

#[test]
fn host_does_not_become_host_http_by_accident() {
    let refused = CookieName::host("Http-id");
    let miscapitalised = CookieName::host("http-id");

    assert_eq!(refused, Err(NameError::AlreadyPrefixed { prefix: Prefix::HostHttp }));
    assert_eq!(miscapitalised, Err(NameError::Miscapitalised { prefix: Prefix::HostHttp }));
}

#[test]
fn a_prefix_in_another_case_is_refused() {
    let table = [
        ("__host-id", Prefix::Host),
        ("__HOST-id", Prefix::Host),
        ("__secure-id", Prefix::Secure),
        ("__http-id", Prefix::Http),
        ("__Host-http-id", Prefix::HostHttp),
        ("__host-Http-id", Prefix::HostHttp),
        ("__host-", Prefix::Host),
    ];

    for (text, prefix) in table {
        assert_eq!(CookieName::parse(text), Err(NameError::Miscapitalised { prefix }), "{text}");
    }
}

#[test]
fn what_only_resembles_a_prefix_is_a_plain_name() {
    for text in ["__Host", "__Hostid", "_Host-id", "Host-id", "__Host_id", "x__Host-id", "__"] {
        let name = CookieName::parse(text).unwrap();

        assert_eq!(name.prefix(), None, "{text}");
        assert_eq!(CookieName::plain(text), Ok(name));
    }
}

#[test]
fn a_prefix_alone_is_not_a_name() {
    for (constructor, prefix, text) in CONSTRUCTORS {
        let expected = match prefix {
            Some(prefix) => NameError::OnlyPrefix { prefix },
            None => NameError::Empty,
        };

        assert_eq!(CookieName::parse(text), Err(expected.clone()));
        assert_eq!(constructor(""), Err(expected));
    }
}

#[test]
fn names_are_tokens() {
    let accepted: String = (0..=127u8)
        .map(char::from)
        .filter(|&octet| CookieName::parse(&octet.to_string()).is_ok())
        .collect();

    assert_eq!(
        accepted,
        "!#$%&'*+-.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ^_`abcdefghijklmnopqrstuvwxyz|~"
    );
    assert_eq!(CookieName::parse("a=b"), Err(NameError::NotToken { at: 1 }));
    assert_eq!(CookieName::host("a\r\n"), Err(NameError::NotToken { at: 8 }));
    assert_eq!(CookieName::parse("caf\u{e9}"), Err(NameError::NotToken { at: 3 }));
}

#[test]
fn a_name_that_leaves_no_room_for_a_value_is_the_longest() {
    let longest = "n".repeat(NAME_AND_VALUE_MAX);
    let longer = "n".repeat(NAME_AND_VALUE_MAX + 1);

    assert!(CookieName::plain(&longest).is_ok());
    assert_eq!(CookieName::plain(&longer), Err(NameError::TooLong { length: 4097 }));
    assert_eq!(CookieName::host(&longest), Err(NameError::TooLong { length: 4103 }));
}

#[test]
fn every_refusal_of_a_name_says_what_to_do() {
    let refusals = [
        CookieName::plain("").unwrap_err(),
        CookieName::plain("a b").unwrap_err(),
        CookieName::plain(&"n".repeat(5000)).unwrap_err(),
        CookieName::host("").unwrap_err(),
        CookieName::parse("__host-id").unwrap_err(),
        CookieName::plain("__Host-id").unwrap_err(),
    ];

    for refusal in refusals {
        let text = refusal.to_string();
        assert!(text.contains(": ") && !text.ends_with('.'), "{text}");
    }
}
