//! Any octets as a `Cookie` header: every pair has the form that is promised, and a neighbour hides
//! nothing.

use cloakroom_cookie::{pairs, values_of};

pub(crate) fn holds(header: &[u8]) {
    let mut last = 0;
    for pair in pairs(header) {
        assert!(!pair.name().is_empty() && !pair.name().contains(&b'='));
        assert!(!pair.name().contains(&b';') && !pair.value().contains(&b';'));
        let is_blank = |octet: Option<&u8>| matches!(octet, Some(b' ' | b'\t'));
        for part in [pair.name(), pair.value()] {
            assert!(!is_blank(part.first()) && !is_blank(part.last()));
        }
        let at = pair.name().as_ptr().addr() - header.as_ptr().addr();
        assert!(at >= last, "pairs come in the order of the header");
        last = at;
    }
    let behind = [header, b"; id=1"].concat();
    let found = pairs(&behind).last().map(|pair| (pair.name(), pair.value()));
    assert_eq!(found, Some((&b"id"[..], &b"1"[..])));
    let before = [b"id=1".as_slice(), header];
    assert_eq!(values_of(before, "id").next(), Some(&b"1"[..]));
}
