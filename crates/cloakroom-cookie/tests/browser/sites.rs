use crate::start::{NOW, at, jar, sent, typed};
use cloakroom_cookie::browser::{ADDRESS_MAX, Address, AddressError, Browser};

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
