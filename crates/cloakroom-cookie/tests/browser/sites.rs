use crate::start::{NOW, at, jar, sent, typed};
use cloakroom_cookie::browser::{ADDRESS_MAX, Address, AddressError, Browser, Reason};

#[test]
fn an_address_is_read_as_browsers_read_it() {
    for (text, read, site) in [
        ("HTTPS://A.Test", "https://a.test/", "https://a.test"),
        ("http://a.test:80/x", "http://a.test/x", "http://a.test"),
        ("https://a.test:80/x", "https://a.test:80/x", "https://a.test"),
        ("https://sub.example.co.uk/", "https://sub.example.co.uk/", "https://example.co.uk"),
        ("https://co.uk/", "https://co.uk/", "https://co.uk"),
        ("https://me.github.io/", "https://me.github.io/", "https://me.github.io"),
        ("https://b\u{fc}cher.example/", "https://xn--bcher-kva.example/", {
            "https://xn--bcher-kva.example"
        }),
        ("http://0x7f.1/", "http://127.0.0.1/", "http://127.0.0.1"),
        ("http://[0:0::1]:8080/", "http://[::1]:8080/", "http://[::1]"),
        ("http://x.localhost/", "http://x.localhost/", "http://x.localhost"),
        ("https://sub.a.test./", "https://sub.a.test./", "https://a.test."),
        ("https://a.test../", "https://a.test../", "https://a.test.."),
        ("https://a..test/", "https://a..test/", "https://a..test"),
        ("https://.test/", "https://.test/", "https://.test"),
        ("wss://a.test/socket", "wss://a.test/socket", "https://a.test"),
        ("https://u:p@a.test/a/./b/../c?q#f", "https://a.test/a/c", "https://a.test"),
    ] {
        let address = at(text);
        assert_eq!(address.to_string(), read, "{text}");
        assert_eq!(address.site().to_string(), site, "{text}");
        assert_eq!(read.parse::<Address>().unwrap(), address);
    }
}

#[test]
fn what_is_no_address_is_refused_with_the_reason() {
    let refused = |text: &str| Address::parse(text).unwrap_err();

    assert!(matches!(refused("/shop"), AddressError::NoAddress(_)));
    assert!(matches!(refused("https://"), AddressError::NoAddress(_)));
    assert!(matches!(refused("http://1.2.3.4.5/"), AddressError::NoAddress(_)));
    assert_eq!(refused("ftp://a.test/"), AddressError::Scheme("ftp".into()));
    let long = |length: usize| format!("https://a.test/{}", "p".repeat(length - 15));
    assert!(Address::parse(&long(ADDRESS_MAX)).is_ok());
    let error = refused(&long(ADDRESS_MAX + 1));
    assert_eq!(error.to_string(), "the address has 8193 octets, and 8192 are read");
}

#[test]
fn an_address_that_grows_when_it_is_read_stays_within_the_limit() {
    let text = format!("https://a.test/{}", "\u{e9}".repeat(2000));

    let error = Address::parse(&text).unwrap_err();

    assert_eq!(error, AddressError::TooLong { length: 15 + 2000 * 6 });
}

#[test]
fn ports_do_not_separate_and_trailing_dots_do() {
    let mut jar = jar(Browser::standard(), &[("https://a.test:8443/", "x=1; Domain=a.test")]);

    assert_eq!(sent(&mut jar, &typed("http://a.test:1/")), "x=1");
    assert_eq!(sent(&mut jar, &typed("https://a.test./")), "");
}

#[test]
fn an_international_host_gets_the_cookies_of_its_a_labels() {
    let line = "x=1; Domain=xn--bcher-kva.example";
    let mut jar = jar(Browser::standard(), &[("https://shop.b\u{fc}cher.example/", line)]);

    assert_eq!(sent(&mut jar, &typed("https://B\u{dc}CHER.example/")), "x=1");
}

#[test]
fn the_end_of_an_address_is_no_domain() {
    let mut jar = jar(Browser::standard(), &[("http://127.0.0.1/", "x=1; Domain=127.0.0.1")]);
    assert_eq!(sent(&mut jar, &typed("http://127.0.0.1:8080/")), "x=1");

    let verdict = Browser::standard().judge(b"x=1; Domain=0.0.1", &at("http://127.0.0.1/"), NOW);
    assert!(!verdict.is_stored());
}

#[test]
fn a_domain_beyond_ascii_counts_as_its_a_labels_in_chromium_alone() {
    let host = at("https://shop.xn--bcher-kva.test/");
    for (domain, stored) in [
        ("b\u{fc}cher.test", true),
        ("B\u{dc}CHER.\u{ff54}est", true),
        ("\u{3002}bu\u{308}cher\u{3002}test", true),
        ("b\u{fc}cher%2etest", false),
        ("b\u{fc}cher.test:443", false),
        ("k\u{fc}che.test", false),
        ("\u{ff54}est", false),
    ] {
        let line = format!("x=1; Domain={domain}");
        let verdict = Browser::chromium().judge(line.as_bytes(), &host, NOW);
        let domain = verdict.cookie().map(|cookie| cookie.domain());
        assert_eq!(domain, stored.then_some("xn--bcher-kva.test"), "{line}");
        for browser in [Browser::standard(), Browser::firefox(), Browser::safari()] {
            let verdict = browser.judge(line.as_bytes(), &host, NOW);
            assert_eq!(verdict.reasons(), [Reason::DomainNotAscii], "{line}");
        }
    }
    let digits = "x=1; Domain=\u{ff11}27.0.0.1".as_bytes();
    assert!(!Browser::chromium().judge(digits, &at("http://127.0.0.1/"), NOW).is_stored());
    let octets = b"x=1; Domain=\xff.test";
    assert!(!Browser::chromium().judge(octets, &at("https://a.test/"), NOW).is_stored());
}

#[test]
fn the_public_suffix_list_has_wildcards_and_exceptions() {
    let judge = |host: &str, domain: &str| {
        let line = format!("x=1; Domain={domain}");
        let verdict = Browser::standard().judge(line.as_bytes(), &at(host), NOW);
        (verdict.is_stored(), verdict.reasons().to_vec())
    };
    let (suffix, own) = (vec![Reason::DomainIsPublicSuffix], vec![Reason::DomainIsOwnSuffix]);

    for (host, domain, expected) in [
        ("https://shop.any.ck/", "any.ck", (false, suffix.clone())),
        ("https://shop.any.ck/", "ck", (false, suffix.clone())),
        ("https://shop.any.ck/", "shop.any.ck", (true, vec![])),
        ("https://any.ck/", "any.ck", (true, own.clone())),
        ("https://www.ck/", "www.ck", (true, vec![])),
        ("https://shop.www.ck/", "www.ck", (true, vec![])),
        ("https://www.www.ck/", "ck", (false, suffix.clone())),
        ("https://a.b.kawasaki.jp/", "b.kawasaki.jp", (false, suffix.clone())),
        ("https://a.city.kawasaki.jp/", "city.kawasaki.jp", (true, vec![])),
        ("https://a.example.co.uk./", "co.uk.", (false, suffix)),
        ("https://a.example.co.uk./", "example.co.uk.", (true, vec![])),
        ("https://co.uk/", "CO.UK", (true, own)),
    ] {
        assert_eq!(judge(host, domain), expected, "{domain} at {host}");
    }
}

#[test]
fn a_domain_above_the_site_of_its_host_is_refused_where_browsers_keep_to_the_site() {
    for host in ["https://a.city.kawasaki.jp/", "https://a.b.kawasaki.jp/"] {
        let judge = |browser: Browser| browser.judge(b"x=1; Domain=kawasaki.jp", &at(host), NOW);

        assert!(judge(Browser::standard()).is_stored(), "no suffix by the list");
        for browser in [Browser::chromium(), Browser::firefox()] {
            assert_eq!(judge(browser).reasons(), [Reason::DomainIsPublicSuffix]);
        }
    }
    let host = "https://a.b.kawasaki.jp/";
    let mut above = jar(Browser::standard(), &[(host, "x=1; Domain=kawasaki.jp")]);
    assert_eq!(above.explain(&typed(host)).len(), 1);
    assert_eq!(sent(&mut above, &typed(host)), "x=1");
    let own = at("https://kawasaki.jp/");
    for (browser, bound) in [(Browser::chromium(), true), (Browser::firefox(), false)] {
        let verdict = browser.judge(b"x=1; Domain=kawasaki.jp", &own, NOW);
        assert_eq!(verdict.cookie().map(|cookie| cookie.is_host_only()), Some(bound));
    }
}

#[test]
fn an_ip_address_takes_its_own_text_for_a_domain_and_nothing_else() {
    let host = at("http://192.168.0.5:8080/");
    for (domain, standard, chromium) in [
        ("192.168.0.5", true, true),
        (".192.168.0.5", true, true),
        ("..192.168.0.5", false, false),
        ("192.168.0.5.", false, false),
        ("192.168.0.5:8080", false, false),
        ("192.168.0.05", false, false),
        ("0xc0a80005", false, false),
        ("192.168.5", false, false),
        ("168.0.5", false, false),
        ("5", false, false),
    ] {
        let line = format!("x=1; Domain={domain}");
        let stored = |browser: Browser| browser.judge(line.as_bytes(), &host, NOW).is_stored();
        assert_eq!(stored(Browser::standard()), standard, "{domain}");
        assert_eq!(stored(Browser::chromium()), chromium, "{domain}");
    }
    let own = at("https://192.168.0.5/");
    for (browser, bound) in [
        (Browser::standard(), false),
        (Browser::chromium(), true),
        (Browser::firefox(), true),
        (Browser::safari(), false),
    ] {
        let verdict = browser.judge(b"x=1; Domain=192.168.0.5", &own, NOW);
        assert_eq!(verdict.cookie().map(|cookie| cookie.is_host_only()), Some(bound));
    }
    for (domain, stored) in [("192.168.0.5", true), (".192.168.0.5", false)] {
        let line = format!("__Host-x=1; Secure; Path=/; Domain={domain}");
        assert_eq!(Browser::chromium().judge(line.as_bytes(), &own, NOW).is_stored(), stored);
    }
}

#[test]
fn a_caret_in_a_path_is_escaped_as_the_url_standard_says() {
    let mut jar = jar(Browser::standard(), &[("https://a.test/a^b/c", "x=1")]);

    assert_eq!(jar.cookies().next().map(|cookie| cookie.path()), Some(&b"/a%5Eb"[..]));
    assert_eq!(sent(&mut jar, &typed("https://a.test/a%5Eb/d")), "x=1");
    let long = |carets: usize| format!("https://a.test/{}", "^".repeat(carets));
    let fits = (ADDRESS_MAX - 15) / 3;
    assert!(Address::parse(&long(fits)).is_ok());
    assert_eq!(
        Address::parse(&long(fits + 1)).unwrap_err(),
        AddressError::TooLong { length: 15 + 3 * (fits + 1) },
    );
}
