//! Every reason comes true for some line, and for no more than it should.

use crate::start::{NOW, at, jar, top, typed};
use cloakroom_cookie::browser::{
    Browser, Credentials, Effect, Family, Jar, Outcome, Reason, Request, ThirdParty, Verdict,
};
use std::collections::BTreeSet;

/// One row for each reason that a line alone can meet: the address, the line, the verdict's reasons
/// under the standard.
const LINES: [(&str, &str, &[Reason]); 47] = [
    ("https://a.test/", "x=1", &[]),
    ("https://a.test/", "x=\u{1}", &[Reason::ControlCharacter]),
    ("https://a.test/", "x=1; Path=/\u{7f}", &[Reason::ControlCharacter]),
    ("https://a.test/", "x=a\tb", &[]),
    ("https://a.test/", "=", &[Reason::NothingToStore]),
    ("https://a.test/", "", &[Reason::NothingToStore]),
    ("https://a.test/", ";Secure", &[Reason::NothingToStore]),
    ("https://a.test/", "x", &[]),
    ("https://a.test/", "=a=b", &[]),
    ("https://a.test/", "x=1; Domain=\u{e9}.test", &[Reason::DomainNotAscii]),
    ("https://a.test/", "x=1; Domain=test", &[Reason::DomainIsPublicSuffix]),
    ("https://shop.example.co.uk/", "x=1; Domain=co.uk", &[Reason::DomainIsPublicSuffix]),
    ("https://me.github.io/", "x=1; Domain=github.io", &[Reason::DomainIsPublicSuffix]),
    ("https://github.io/", "x=1; Domain=github.io", &[Reason::DomainIsOwnSuffix]),
    ("https://localhost/", "x=1; Domain=localhost", &[Reason::DomainIsOwnSuffix]),
    ("https://a.test/", "x=1; Domain=b.test", &[Reason::DomainDoesNotCover]),
    ("https://a.test/", "x=1; Domain=sub.a.test", &[Reason::DomainDoesNotCover]),
    ("https://ba.test/", "x=1; Domain=a.test", &[Reason::DomainDoesNotCover]),
    ("https://a.test./", "x=1; Domain=a.test", &[Reason::DomainDoesNotCover]),
    ("https://a.test/", "x=1; Domain=a.test.", &[Reason::DomainDoesNotCover]),
    ("https://127.0.0.1/", "x=1; Domain=0.0.1", &[Reason::DomainDoesNotCover]),
    ("https://127.0.0.1/", "x=1; Domain=127.0.0.1", &[]),
    ("https://[::1]/", "x=1; Domain=[::1]", &[]),
    ("https://a.test/", "x=1; Domain=", &[Reason::DomainEmpty]),
    ("https://a.test/", "x=1; Domain=.A.Test", &[Reason::DomainLeadingDot]),
    ("http://a.test/", "x=1; Secure", &[Reason::SecureFromPlainHttp]),
    ("https://a.test/", "x=1; SameSite=None", &[Reason::SameSiteNoneWithoutSecure]),
    ("https://a.test/", "x=1; SameSite=Nope", &[Reason::SameSiteUnknown]),
    ("https://a.test/", "__Secure-x=1", &[Reason::PrefixWithoutSecure]),
    ("https://a.test/", "__sEcUrE-x=1", &[Reason::PrefixWithoutSecure]),
    (
        "https://a.test/",
        "__Host-x=1; Secure; Path=/; Domain=a.test",
        &[Reason::HostPrefixWithDomain],
    ),
    ("https://a.test/", "__Host-x=1; Secure", &[Reason::HostPrefixWithoutRootPath]),
    ("https://a.test/", "__Host-x=1; Secure; Path=/a", &[Reason::HostPrefixWithoutRootPath]),
    ("https://a.test/", "__Http-x=1; Secure", &[Reason::HttpPrefixWithoutHttpOnly]),
    (
        "https://a.test/",
        "__Host-Http-x=1; Path=/; Domain=a.test",
        &[
            Reason::PrefixWithoutSecure,
            Reason::HostPrefixWithDomain,
            Reason::HttpPrefixWithoutHttpOnly,
        ],
    ),
    ("https://a.test/", "=__Host-x", &[Reason::NamelessWithPrefix]),
    ("https://a.test/", "__SECURE-x", &[Reason::NamelessWithPrefix]),
    ("https://a.test/", "x=1; Partitioned", &[Reason::PartitionedWithoutSecure]),
    ("https://a.test/", "x=1; Max-Age=34560000", &[]),
    ("https://a.test/", "x=1; Max-Age=34560001", &[Reason::AgeCapped]),
    ("https://a.test/", "x=1; Expires=Fri, 31 Dec 9999 23:59:59 GMT", &[Reason::AgeCapped]),
    ("https://a.test/", "x=1; Expires=soon", &[Reason::ExpiresUnreadable]),
    ("https://a.test/", "x=1; Max-Age=+60", &[Reason::MaxAgeUnreadable]),
    (
        "https://a.test/",
        "x=1; Max-Age=60; Expires=Fri, 01 Jan 2027 00:00:00 GMT",
        &[Reason::ExpiresOverruled],
    ),
    ("https://a.test/", "x=1; Path=a", &[Reason::PathNotAbsolute]),
    ("https://a.test/", "x=1; Secur", &[Reason::AttributeUnknown]),
    ("https://a.test/", "x=1; Secure; Secure", &[Reason::AttributeRepeated]),
];

/// What one family does otherwise than the standard with a line of `http://localhost/`.
const OTHERWISE: [(Family, &str, &[Reason]); 21] = [
    (Family::Chromium, "x=1; Secure", &[]),
    (Family::Firefox, "x=1; Secure", &[]),
    (Family::Safari, "x=1; Secure", &[Reason::SecureFromPlainHttp]),
    (Family::Safari, "x=1; SameSite=None", &[]),
    (Family::Firefox, "x=1; SameSite=None", &[Reason::SameSiteNoneWithoutSecure]),
    (Family::Chromium, "x=a\tb", &[Reason::ControlCharacter]),
    (Family::Chromium, "x=1; Path=/a\tb", &[Reason::ControlCharacter]),
    (Family::Chromium, "x\t=\t1\t;\tSecure\t", &[]),
    (Family::Chromium, "=a=b", &[Reason::NamelessWithEquals]),
    (Family::Chromium, "x=1; Max-Age=+60", &[]),
    (Family::Chromium, "x=1; Domain=.", &[Reason::DomainDoesNotCover]),
    (Family::Firefox, "x=1; Domain=.", &[Reason::DomainDoesNotCover]),
    (Family::Safari, "x=1; Domain=.", &[Reason::DomainEmpty]),
    (Family::Firefox, "x=a\tb", &[]),
    (Family::Firefox, "x=1; Path=/a\tb", &[Reason::ControlCharacter]),
    (Family::Firefox, "x=1; Path=/a\tb; Path=/", &[Reason::AttributeRepeated]),
    (Family::Safari, "x=1; Path=/a\tb", &[]),
    (Family::Chromium, "x=1; Priority=High", &[]),
    (Family::Firefox, "x=1; Priority=High", &[Reason::AttributeUnknown]),
    (Family::Firefox, "__Http-x=1; Secure", &[Reason::HttpPrefixWithoutHttpOnly]),
    (
        Family::Chromium,
        "__Host-x=1; Secure; Path=",
        &[Reason::HostPrefixWithoutRootPath, Reason::PathNotAbsolute],
    ),
];

#[test]
fn a_line_meets_the_reasons_of_its_row_and_no_others() {
    for (address, line, reasons) in LINES {
        let verdict = Browser::standard().judge(line.as_bytes(), &at(address), NOW);

        assert_eq!(verdict.reasons(), reasons, "{line} of {address}");
        let refused = reasons.iter().any(|reason| reason.effect() == Effect::Refused);
        assert_eq!(verdict.is_stored(), !refused, "{line} of {address}");
        assert_eq!(verdict.cookie().is_some(), !refused);
    }
}

#[test]
fn a_family_differs_from_the_standard_where_its_row_says_so() {
    for (family, line, reasons) in OTHERWISE {
        let verdict = Browser::of(family).judge(line.as_bytes(), &at("http://localhost/"), NOW);

        // A refusal names no changes.
        let refusals = reasons.iter().copied().filter(|one| one.effect() == Effect::Refused);
        let refusals: Vec<_> = refusals.collect();
        let expected = if refusals.is_empty() { reasons.to_vec() } else { refusals };
        assert_eq!(verdict.reasons(), expected, "{line} in {family}");
    }
}

#[test]
fn safari_takes_the_new_prefixes_for_what_it_knows() {
    let address = at("https://a.test/");
    let judge = |line: &[u8]| Browser::safari().judge(line, &address, NOW);

    assert!(judge(b"__Http-x=1").is_stored());
    assert_eq!(judge(b"__Host-Http-x=1; Path=/").reasons(), [Reason::PrefixWithoutSecure]);
    assert!(judge(b"__Host-Http-x=1; Path=/; Secure").is_stored());
}

#[test]
fn every_reason_comes_true() {
    let mut met: BTreeSet<_> = LINES.iter().flat_map(|(_, _, reasons)| *reasons).collect();
    met.extend(OTHERWISE.iter().flat_map(|(_, _, reasons)| *reasons));
    let others: Vec<_> =
        [by_size(), by_place(), by_script(), by_neighbours(), at_sending()].concat();
    met.extend(&others);

    let removed = [Reason::Expired, Reason::CrowdedOut];
    let missing: Vec<_> =
        Reason::ALL.iter().filter(|one| !met.contains(one) && !removed.contains(one)).collect();
    assert!(missing.is_empty(), "no test meets {missing:?}");
}

fn by_size() -> Vec<Reason> {
    let address = at("https://a.test/");
    let pair = |length: usize| format!("x={}", "v".repeat(length - 1));
    let path = |length: usize| format!("x=1; Path=/{}", "p".repeat(length - 1));
    let judge = |line: &str| Browser::standard().judge(line.as_bytes(), &address, NOW);

    assert!(judge(&pair(4096)).reasons().is_empty());
    assert_eq!(judge(&pair(4097)).reasons(), [Reason::NameAndValueTooLong]);
    assert_eq!(judge(&path(1024)).cookie().unwrap().path().len(), 1024);
    assert_eq!(judge(&path(1025)).reasons(), [Reason::AttributeTooLong]);
    assert_eq!(judge(&path(1025)).cookie().unwrap().path(), b"/");
    vec![Reason::NameAndValueTooLong, Reason::AttributeTooLong]
}

fn by_place() -> Vec<Reason> {
    let page = top("https://b.test/");
    let inside = Request::embedded(at("https://a.test/"), &page);
    let judge = |browser: Browser, request: &Request, line: &str| -> Verdict {
        browser.judge_response(request, line.as_bytes(), NOW)
    };
    let chromium = Browser::chromium();
    let blocking = chromium.third_party(ThirdParty::Blocked);
    let none = "x=1; Secure; SameSite=None";
    let own = "x=1; Secure; SameSite=None; Partitioned";

    for line in ["x=1; Secure", "x=1; SameSite=Lax", "x=1; SameSite=Strict"] {
        assert_eq!(judge(chromium, &inside, line).reasons(), [Reason::SameSiteSetCrossSite]);
        let opened = Request::navigation(at("https://a.test/"), &page).method("POST");
        assert!(judge(chromium, &opened, line).is_stored(), "a whole page may set anything");
    }
    assert_eq!(judge(chromium, &inside, none).outcome(), Outcome::Stored);
    assert_eq!(judge(blocking, &inside, none).reasons(), [Reason::ThirdPartyRefused]);
    assert_eq!(judge(blocking, &inside, own).outcome(), Outcome::Stored);
    assert_eq!(judge(Browser::firefox(), &inside, none).reasons(), [Reason::SeparatedByBrowser]);
    let omitting = inside.clone().credentials(Credentials::Omit);
    assert_eq!(judge(chromium, &omitting, none).reasons(), [Reason::CredentialsRefused]);
    let plain = judge(chromium, &typed("http://a.test/"), "__Host-x=1; Secure; Path=/");
    assert_eq!(plain.reasons(), [Reason::PrefixFromPlainHttp]);
    vec![
        Reason::SameSiteSetCrossSite,
        Reason::ThirdPartyRefused,
        Reason::SeparatedByBrowser,
        Reason::CredentialsRefused,
        Reason::PrefixFromPlainHttp,
    ]
}

fn by_script() -> Vec<Reason> {
    let page = top("https://a.test/");
    let judge = |browser: Browser, line: &str| browser.judge_script(&page, line.as_bytes(), NOW);
    let week = 7 * 86_400;

    let hidden = judge(Browser::standard(), "x=1; HttpOnly");
    assert_eq!(hidden.reasons(), [Reason::HttpOnlyFromScript]);
    let prefixed = judge(Browser::standard(), "__Http-x=1; Secure; HttpOnly");
    assert_eq!(prefixed.reasons(), [Reason::HttpOnlyFromScript, Reason::HttpPrefixFromScript]);
    let long = judge(Browser::safari(), "x=1; Max-Age=604801");
    assert_eq!(long.reasons(), [Reason::ScriptAgeCapped]);
    assert_eq!(long.cookie().unwrap().expires(), Some(NOW + week));
    assert!(judge(Browser::safari(), "x=1; Max-Age=604800").reasons().is_empty());
    assert!(judge(Browser::chromium(), "x=1; Max-Age=604801").reasons().is_empty());
    vec![Reason::HttpOnlyFromScript, Reason::HttpPrefixFromScript, Reason::ScriptAgeCapped]
}

fn by_neighbours() -> Vec<Reason> {
    let mut guarded = jar(Browser::standard(), &[("https://a.test/", "x=1; Secure; Path=/a")]);
    for (line, refused) in [
        ("x=2; Path=/a", true),
        ("x=2; Path=/a/b", true),
        ("x=2; Domain=a.test; Path=/a", true),
        ("x=2; Path=/", false),
        ("x=2; Path=/ab", false),
        ("y=2; Path=/a", false),
    ] {
        let verdict = guarded.clone().receive(&typed("http://a.test/"), line.as_bytes());
        let expected: &[_] = if refused { &[Reason::OverwritesSecure] } else { &[] };
        assert_eq!(verdict.reasons(), expected, "{line}");
    }
    let over_tls = guarded.receive(&typed("https://a.test/"), b"x=2; Path=/a");
    assert!(over_tls.is_stored());

    let mut hidden = jar(Browser::standard(), &[("https://a.test/", "x=1; HttpOnly; Path=/")]);
    for line in ["x=2; Path=/", "x=; Path=/; Max-Age=0"] {
        let verdict = hidden.set_by_script(&top("https://a.test/"), line.as_bytes());
        assert_eq!(verdict.reasons(), [Reason::OverwritesHttpOnly], "{line}");
    }
    assert_eq!(hidden.header(&typed("https://a.test/")), b"x=1");
    vec![Reason::OverwritesSecure, Reason::OverwritesHttpOnly]
}

fn withheld(jar: &Jar, request: &Request) -> Vec<Reason> {
    jar.explain(request).into_iter().flat_map(|delivery| delivery.withheld).collect()
}

fn at_sending() -> Vec<Reason> {
    let foreign = top("https://b.test/");
    let of = |line| jar(Browser::chromium(), &[("https://a.test/", line)]);
    let embedded = Request::embedded(at("https://a.test/"), &foreign);
    let link = Request::navigation(at("https://a.test/"), &foreign);
    let rows = [
        (of("x=1"), typed("https://sub.a.test/"), Reason::OtherHost),
        (of("x=1; Path=/a"), typed("https://a.test/ab"), Reason::OtherPath),
        (of("x=1; Secure"), typed("http://a.test/"), Reason::SecureToPlainHttp),
        (of("x=1; SameSite=Strict"), link.clone(), Reason::StrictCrossSite),
        (of("x=1; SameSite=Lax"), link.clone().method("POST"), Reason::LaxCrossSite),
        (of("x=1; SameSite=Lax"), embedded.clone(), Reason::LaxCrossSite),
        (of("x=1"), embedded.clone(), Reason::UnsetCrossSite),
        (of("x=1; Secure; SameSite=None; Partitioned"), embedded.clone(), Reason::OtherPartition),
        (of("x=1"), typed("https://a.test/").credentials(Credentials::Omit), {
            Reason::CredentialsOmitted
        }),
    ];
    for (mut jar, request, reason) in rows.clone() {
        assert_eq!(withheld(&jar, &request), [reason]);
        assert_eq!(jar.header(&request), b"");
    }
    let blocking = Browser::chromium().third_party(ThirdParty::Blocked);
    let blocked = jar(blocking, &[("https://a.test/", "x=1; Secure; SameSite=None")]);
    assert_eq!(withheld(&blocked, &embedded), [Reason::ThirdPartyWithheld]);
    let hidden = of("x=1; HttpOnly").explain_script(&top("https://a.test/"))[0].withheld.clone();
    assert_eq!(hidden, [Reason::HiddenFromScript]);
    let met = rows.into_iter().map(|(_, _, reason)| reason);
    met.chain([Reason::ThirdPartyWithheld, Reason::HiddenFromScript]).collect()
}

#[test]
fn the_list_of_reasons_can_be_relied_on() {
    let codes: BTreeSet<_> = Reason::ALL.iter().map(|reason| reason.code()).collect();

    assert_eq!(codes.len(), Reason::ALL.len(), "codes are unique");
    for reason in Reason::ALL {
        assert_eq!(Reason::from_code(reason.code()), Some(*reason));
        assert!(reason.code().bytes().all(|octet| octet.is_ascii_lowercase() || octet == b'-'));
        let texts = [reason.sentence(), reason.remedy(), reason.source()];
        assert!(texts.iter().all(|text| text.len() > 8 && !text.ends_with('.')), "{reason:?}");
    }
}
