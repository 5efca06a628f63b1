use cloakroom_cookie::{COOKIE_HEADER_READ, is_cookie_octets, pairs, values_of};

fn split(header: &[u8]) -> Vec<(&[u8], &[u8])> {
    pairs(header).map(|pair| (pair.name(), pair.value())).collect()
}

fn ids<'h>(headers: &[&'h [u8]]) -> Vec<&'h [u8]> {
    values_of(headers.iter().copied(), "id").collect()
}

#[test]
fn a_header_splits_into_its_pairs() {
    type Split<'a> = (&'a [u8], &'a [u8]);
    let table: &[(&[u8], &[Split<'_>])] = &[
        (b"", &[]),
        (b"a=1", &[(b"a", b"1")]),
        (b"a=1; b=2", &[(b"a", b"1"), (b"b", b"2")]),
        (b"a=1;b=2", &[(b"a", b"1"), (b"b", b"2")]),
        (b" \ta = 1 ;\t b\t=\t2 ", &[(b"a", b"1"), (b"b", b"2")]),
        (b"a=", &[(b"a", b"")]),
        (b"a=b=c==", &[(b"a", b"b=c==")]),
        (b"a=1, b=2", &[(b"a", b"1, b=2")]),
        (b"two words=in one", &[(b"two words", b"in one")]),
        (b"a=1;;; ;b=2;", &[(b"a", b"1"), (b"b", b"2")]),
    ];

    for (header, expected) in table {
        assert_eq!(split(header), *expected, "{}", header.escape_ascii());
    }
}

#[test]
fn a_broken_neighbour_is_skipped_alone() {
    for broken in [&b"novalue"[..], b"=nameless", b"=", b" = x", b"\"", b"\x00\xff", b"", b"\t "] {
        let header = [b"id=1; ", broken, b"; id=2"].concat();

        assert_eq!(ids(&[&header]), [b"1", b"2"], "{}", broken.escape_ascii());
    }
}

#[test]
fn quotes_are_part_of_the_value() {
    let header = b"id=\"1\"; id=\"; id=\"a b\"; id=\"x;y\"";

    let values = ids(&[header]);

    assert_eq!(values, [&b"\"1\""[..], b"\"", b"\"a b\"", b"\"x"]);
}

#[test]
fn octets_that_are_not_utf_8_are_kept() {
    let header = b"\xffname=\xfe\x00\xfd; id=\xc3\x28";

    let found = split(header);

    assert_eq!(found, [(&b"\xffname"[..], &b"\xfe\x00\xfd"[..]), (b"id", b"\xc3\x28")]);
}

#[test]
fn names_are_case_sensitive() {
    let header = b"ID=1; Id=2; iD=3; __host-id=4; id=5";

    assert_eq!(ids(&[header]), [b"5"]);
    assert_eq!(values_of([&header[..]], "__Host-id").count(), 0);
}

#[test]
fn a_name_that_cannot_be_one_finds_nothing() {
    let header = b"=1; a=b=c; ;=;";

    for name in ["", "a=b", " a", "a ", ";"] {
        assert_eq!(values_of([&header[..]], name).count(), 0, "{name:?}");
    }
}

#[test]
fn a_cookie_sent_several_times_comes_several_times() {
    let first = b"id=path; other=x; id=host";
    let second = b"id=domain; id=path";

    assert_eq!(ids(&[first, b"", second]), [&b"path"[..], b"host", b"domain", b"path"]);
}

#[test]
fn a_pair_is_not_glued_together_from_two_headers() {
    assert_eq!(ids(&[b"id=1; i", b"d=2; id", b"=3"]), [b"1"]);
}

#[test]
fn our_cookie_is_found_behind_two_hundred_others() {
    let others: Vec<String> = (0..200).map(|n| format!("c{n}=value{n}")).collect();
    let header = format!("{}; id=found", others.join("; "));

    let found = pairs(header.as_bytes()).count();

    assert_eq!(found, 201);
    assert_eq!(ids(&[header.as_bytes()]), [b"found"]);
}

#[test]
fn a_value_of_eight_kib_arrives_whole_and_hides_nothing() {
    let long = "y".repeat(8192);
    let header = format!("a={long}; id=found; b={long}");

    let found = split(header.as_bytes());

    assert_eq!(found[0], (&b"a"[..], long.as_bytes()));
    assert_eq!(found[1], (&b"id"[..], &b"found"[..]));
    assert_eq!(found[2], (&b"b"[..], long.as_bytes()));
}

/// `id=` and a value that fills `length` octets together.
fn filled(length: usize) -> Vec<u8> {
    let mut header = b"id=".to_vec();
    header.resize(length, b'x');
    header
}

#[test]
fn exactly_the_limit_is_read() {
    let header = filled(COOKIE_HEADER_READ);

    let found = ids(&[&header, b"id=2"]);

    assert_eq!(found, [&header[3..]]);
}

#[test]
fn a_pair_that_ends_one_octet_beyond_the_limit_is_not_seen() {
    let header = filled(COOKIE_HEADER_READ + 1);

    assert!(ids(&[&header, b"id=2"]).is_empty());
}

#[test]
fn what_lies_before_a_pair_cut_by_the_limit_is_seen() {
    let header = [b"id=1; ", &filled(COOKIE_HEADER_READ)[..], b"; id=3"].concat();

    assert_eq!(ids(&[&header]), [b"1"]);
}

#[test]
fn the_limit_counts_all_headers_together() {
    let (fits, next) = (filled(COOKIE_HEADER_READ - 4), b"id=2");

    assert_eq!(ids(&[&fits, next]), [&fits[3..], b"2"]);
    assert_eq!(ids(&[&fits, b"id=22"]), [&fits[3..]]);
    assert_eq!(ids(&[&fits, b"a=1;", next]), [&fits[3..]]);
}

#[test]
fn a_header_after_a_cut_one_is_not_read() {
    let cut = filled(COOKIE_HEADER_READ + 1);

    let found = ids(&[&cut, b"id=1", b"id=2"]);

    assert!(found.is_empty());
}

#[test]
fn no_more_headers_are_asked_for_once_the_limit_is_reached() {
    let mut asked = 0;
    let headers = std::iter::repeat_n(&b"id=12345; x=12345"[..], 10_000).inspect(|_| asked += 1);

    let found = values_of(headers, "id").count();

    assert_eq!(found, COOKIE_HEADER_READ / 17);
    assert_eq!(asked, COOKIE_HEADER_READ / 17 + 2);
}

#[test]
fn cookie_octets_are_visible_ascii_without_four() {
    let accepted: Vec<u8> = (0..=u8::MAX).filter(|&octet| is_cookie_octets(&[octet])).collect();

    let expected: Vec<u8> = (0x21..=0x7e).filter(|octet| !b"\",;\\".contains(octet)).collect();
    assert_eq!(accepted, expected);
}

#[test]
fn debug_of_what_came_shows_no_value() {
    let pair = pairs(b"id=s3cret").next().unwrap();

    assert_eq!(format!("{pair:?}"), "Pair { name: \"id\", value: <redacted> }");
}
