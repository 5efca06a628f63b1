use super::*;
use sha2::{Digest as _, Sha256};

/// Forty values that differ as a generator's would: digests of their numbers.
fn drawn(make: impl Fn(u32, &str) -> String) -> Vec<String> {
    (0..40_u32).map(|n| make(n, &crate::mask::hex(&Sha256::digest(n.to_be_bytes())))).collect()
}

fn finding(values: &[String]) -> Option<Flaw> {
    let values: Vec<&[u8]> = values.iter().map(String::as_bytes).collect();
    let alphabet = tokens::alphabet_of(values.iter().copied());
    let bits =
        values.iter().map(|value| tokens::bound_of(value, alphabet).bits).fold(0.0, f64::max);
    foretold(&values, bits)
}

#[test]
fn values_of_a_generator_show_no_structure() {
    for length in [16, 22, 32, 64] {
        let found = finding(&drawn(|_, digest| digest[..length].to_owned()));

        assert!(found.is_none(), "{length}: {found:?}");
    }
}

#[test]
fn a_counter_is_seen_through_hexadecimal_and_decimal_digits() {
    for values in
        [drawn(|n, _| format!("{:032x}", 7_000_000 + n)), drawn(|n, _| (980 + n).to_string())]
    {
        let found = finding(&values).unwrap();

        assert_eq!(found.severity, Severity::High);
        assert!(found.seen.contains("counter"), "{}", found.seen);
    }
}

#[test]
fn a_clock_in_front_of_random_octets_is_less_than_a_counter() {
    let values =
        drawn(|n, digest| format!("{:012x}{}", 0x0190_0000_0000_u64 + u64::from(n), &digest[..20]));

    assert_eq!(finding(&values).unwrap().severity, Severity::Medium);
}

#[test]
fn fixed_parts_are_taken_off_the_bound() {
    let values = drawn(|_, digest| format!("{}deadbeefdeadbeefdeadbeef", &digest[..8]));

    let found = finding(&values).unwrap();

    assert_eq!(found.severity, Severity::High);
    assert!(found.seen.contains("at most 32 differ"), "{}", found.seen);
}

#[test]
fn a_uuid_of_the_clock_is_named() {
    let values = drawn(|n, digest| format!("c232{n:04x}-9414-11ec-b3c8-{}", &digest[..12]));

    assert!(finding(&values).unwrap().seen.contains("version 1"));
}
