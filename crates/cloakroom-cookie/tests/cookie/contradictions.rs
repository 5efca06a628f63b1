use cloakroom_cookie::{
    ATTRIBUTE_VALUE_MAX, Contradiction, CookieDefinition, CookieDefinitionBuilder, CookieName,
    Lives, MAX_AGE, Prefix, SameSite, Weakness,
};
use std::time::Duration;

fn plain() -> CookieDefinitionBuilder {
    CookieDefinition::builder(CookieName::plain("id").unwrap())
}

fn prefixed(prefix: Prefix) -> CookieDefinitionBuilder {
    CookieDefinition::builder(CookieName::parse(&format!("{prefix}id")).unwrap())
}

fn refused(builder: CookieDefinitionBuilder) -> Contradiction {
    builder.build().unwrap_err()
}

const PREFIXES: [Prefix; 4] = [Prefix::Secure, Prefix::Host, Prefix::Http, Prefix::HostHttp];

#[test]
fn the_defaults_are_the_safe_ones() {
    let definition = plain().build().unwrap();

    assert!(definition.is_secure() && definition.is_http_only() && !definition.is_partitioned());
    assert_eq!(definition.same_site(), SameSite::Lax);
    assert_eq!((definition.path(), definition.domain()), ("/", None));
    assert_eq!(definition.lives(), Lives::Session);
    assert_eq!((SameSite::default(), Lives::default()), (SameSite::Lax, Lives::Session));
}

#[test]
fn a_prefix_cannot_be_insecure() {
    for prefix in PREFIXES {
        let builder = prefixed(prefix).dangerous_insecure();

        assert_eq!(refused(builder), Contradiction::PrefixWithoutSecure { prefix });
    }
}

#[test]
fn only_an_http_prefix_keeps_scripts_out() {
    for prefix in PREFIXES {
        let built = prefixed(prefix).readable_by_scripts().build();

        match prefix {
            Prefix::Http | Prefix::HostHttp => {
                assert_eq!(built, Err(Contradiction::PrefixReadableByScripts { prefix }));
            }
            Prefix::Secure | Prefix::Host | _ => assert!(!built.unwrap().is_http_only()),
        }
    }
}

#[test]
fn only_a_host_prefix_refuses_domain_and_path() {
    for prefix in PREFIXES {
        let with_domain = prefixed(prefix).domain("example.com").build();
        let with_path = prefixed(prefix).path("/app").build();

        match prefix {
            Prefix::Host | Prefix::HostHttp => {
                assert_eq!(with_domain, Err(Contradiction::PrefixWithDomain { prefix }));
                assert_eq!(with_path, Err(Contradiction::PrefixWithPath { prefix }));
            }
            Prefix::Secure | Prefix::Http | _ => {
                assert_eq!(with_domain.unwrap().domain(), Some("example.com"));
                assert_eq!(with_path.unwrap().path(), "/app");
            }
        }
    }
}

#[test]
fn a_host_prefix_accepts_the_path_it_implies() {
    assert_eq!(prefixed(Prefix::HostHttp).path("/").build().unwrap().path(), "/");
}

#[test]
fn what_demands_secure_is_refused_without_it() {
    let insecure = || plain().dangerous_insecure();

    assert_eq!(
        refused(insecure().same_site(SameSite::None)),
        Contradiction::SameSiteNoneWithoutSecure
    );
    assert_eq!(refused(insecure().partitioned()), Contradiction::PartitionedWithoutSecure);
    assert!(plain().same_site(SameSite::None).partitioned().build().is_ok());
    assert!(insecure().same_site(SameSite::Strict).build().is_ok());
}

#[test]
fn a_lifetime_is_between_one_second_and_400_days() {
    let lives = |lifetime| plain().lives(Lives::For(lifetime)).build().map(|built| built.lives());
    let too_long = MAX_AGE + Duration::from_nanos(1);

    assert_eq!(MAX_AGE.as_secs(), 34_560_000);
    assert_eq!(lives(MAX_AGE), Ok(Lives::For(MAX_AGE)));
    assert_eq!(lives(too_long), Err(Contradiction::LivesTooLong { lifetime: too_long }));
    assert!(lives(Duration::MAX).is_err());
    assert!(lives(Duration::from_secs(1)).is_ok());
    assert_eq!(lives(Duration::from_millis(999)), Err(Contradiction::LivesTooShort));
    assert_eq!(lives(Duration::ZERO), Err(Contradiction::LivesTooShort));
}

#[test]
fn a_domain_is_lower_cased() {
    let definition = plain().domain("Shop.EXAMPLE.com").build().unwrap();

    assert_eq!(definition.domain(), Some("shop.example.com"));
}

#[test]
fn each_unusable_domain_has_its_own_refusal() {
    type Variant = fn(String) -> Contradiction;
    let ip: Variant = |domain| Contradiction::DomainIsIpAddress { domain };
    let dot: Variant = |domain| Contradiction::DomainLeadingDot { domain };
    let ascii: Variant = |domain| Contradiction::DomainNotAscii { domain };
    let host: Variant = |domain| Contradiction::DomainNotHostName { domain };
    let single: Variant = |domain| Contradiction::DomainSingleLabel { domain };
    let long_label = format!("{}.example.com", "a".repeat(64));
    let long_name = format!("{}example.com", "abcdefg.".repeat(31));
    let table = [
        ("127.0.0.1", ip),
        ("10.1", ip),
        ("example.0x7f", ip),
        ("2130706433", ip),
        ("::1", ip),
        ("[2001:db8::1]", ip),
        (".example.com", dot),
        ("b\u{fc}cher.example", ascii),
        ("", host),
        ("example.com.", host),
        ("a..example.com", host),
        ("-a.example.com", host),
        ("a-.example.com", host),
        ("a_b.example.com", host),
        ("example.com:8080", host),
        ("https://example.com", host),
        ("*.example.com", host),
        ("example.com; Secure", host),
        ("example.com\r\nx: y", host),
        (" example.com", host),
        (&long_label, host),
        (&long_name, host),
        ("EXAMPLE.com:80", host),
        ("localhost", single),
        ("com", single),
    ];

    for (domain, variant) in table {
        assert_eq!(refused(plain().domain(domain)), variant(domain.to_owned()), "{domain}");
    }
}

#[test]
fn the_longest_label_and_host_name_are_accepted() {
    let label = format!("{}.example.com", "a".repeat(63));
    let name = format!("{}12345.com", "abcdefg.".repeat(30) + "abc.");
    assert_eq!(name.len(), 253);

    assert!(plain().domain(label).build().is_ok());
    assert!(plain().domain(name).build().is_ok());
    assert!(plain().domain("xn--bcher-kva.example").build().is_ok());
}

#[cfg(feature = "public-suffix")]
#[test]
fn a_public_suffix_is_no_domain() {
    for domain in ["co.uk", "github.io", "xn--55qx5d.cn", "anything.ck"] {
        let expected = Contradiction::DomainIsPublicSuffix { domain: domain.to_owned() };

        assert!(cloakroom_cookie::is_public_suffix(domain), "{domain}");
        assert_eq!(refused(plain().domain(domain)), expected);
    }
}

#[cfg(feature = "public-suffix")]
#[test]
fn a_domain_registered_under_a_public_suffix_is_accepted() {
    for domain in ["example.co.uk", "me.github.io", "www.ck", "example.test", "app.localhost"] {
        assert!(!cloakroom_cookie::is_public_suffix(domain), "{domain}");
        assert!(plain().domain(domain).build().is_ok(), "{domain}");
    }
}

#[cfg(feature = "public-suffix")]
#[test]
fn the_suffix_list_ignores_case_and_the_dot_of_the_root() {
    use cloakroom_cookie::is_public_suffix;

    assert!(is_public_suffix("Co.UK"));
    assert!(is_public_suffix("co.uk."));
    assert!(is_public_suffix("unheard-of"));
    assert!(!is_public_suffix(""));
    assert!(!is_public_suffix("."));
}

#[test]
fn each_unusable_path_has_its_own_refusal() {
    for path in ["", "app", "./app", " /app", "\\"] {
        let expected = Contradiction::PathNotAbsolute { path: path.to_owned() };

        assert_eq!(refused(plain().path(path)), expected);
    }
    for path in ["/a;", "/a\r\n", "/a\0", "/a ", "/a\x7f", "/a\u{e9}", "/a; Domain=x"] {
        assert_eq!(refused(plain().path(path)), Contradiction::PathOctet { at: 2 }, "{path:?}");
    }
}

#[test]
fn a_path_has_at_most_1024_octets() {
    let longest = format!("/{}", "p".repeat(ATTRIBUTE_VALUE_MAX - 1));
    let longer = format!("{longest}p");

    assert_eq!(plain().path(&longest).build().unwrap().path(), longest);
    assert_eq!(refused(plain().path(longer)), Contradiction::PathTooLong { length: 1025 });
}

#[test]
fn every_refusal_gives_reason_and_remedy() {
    let name = |domain: &str| refused(plain().domain(domain));
    let refusals = [
        refused(prefixed(Prefix::Secure).dangerous_insecure()),
        refused(prefixed(Prefix::Http).readable_by_scripts()),
        refused(prefixed(Prefix::Host).domain("example.com")),
        refused(prefixed(Prefix::Host).path("/app")),
        refused(plain().dangerous_insecure().same_site(SameSite::None)),
        refused(plain().dangerous_insecure().partitioned()),
        refused(plain().lives(Lives::For(Duration::MAX))),
        refused(plain().lives(Lives::For(Duration::ZERO))),
        name("127.0.0.1"),
        name(".example.com"),
        name("\u{e9}.com"),
        name("a b.com"),
        name("localhost"),
        Contradiction::DomainIsPublicSuffix { domain: "co.uk".to_owned() },
        refused(plain().path("app")),
        refused(plain().path("/a;")),
        refused(plain().path(format!("/{}", "p".repeat(2000)))),
    ];

    let texts: Vec<String> = refusals.iter().map(Contradiction::to_string).collect();

    for text in &texts {
        let (reason, remedy) = text.split_once(": ").unwrap();
        assert!(reason.len() > 20 && remedy.len() > 15, "{text}");
        assert_eq!(texts.iter().filter(|other| *other == text).count(), 1, "{text}");
    }
}

#[test]
fn weaknesses_name_every_choice_below_the_best() {
    let strong = prefixed(Prefix::Host).build().unwrap();
    let weak = plain()
        .dangerous_insecure()
        .readable_by_scripts()
        .domain("example.com")
        .path("/app")
        .lives(Lives::For(Duration::from_secs(1)))
        .build()
        .unwrap();
    let embedded = prefixed(Prefix::Host).same_site(SameSite::None).partitioned().build().unwrap();

    assert_eq!(strong.weaknesses(), []);
    assert_eq!(embedded.weaknesses(), [Weakness::SentCrossSite]);
    assert_eq!(
        weak.weaknesses(),
        [
            Weakness::SentInTheClear,
            Weakness::ReadableByScripts,
            Weakness::SentToSubdomains,
            Weakness::SettableFromSubdomains,
            Weakness::PathIsNoBoundary,
            Weakness::OutlivesTheBrowser,
        ]
    );
    for weakness in weak.weaknesses() {
        assert!(weakness.to_string().contains(": "), "{weakness}");
    }
}
