use super::*;

#[test]
fn a_bound_follows_from_length_and_alphabet() {
    for (value, least, most) in [
        ("12345678", 26.5, 26.6),
        ("deadbeefdeadbeef", 63.9, 64.1),
        ("0123456789abcdef0123456789abcdef", 127.9, 128.1),
        ("kq8Zr31LkP0vTn5YxBm2Wg", 131.9, 132.1),
        ("f47ac10b-58cc-4372-a567-0e02b2c3d479", 122.0, 122.0),
        ("c232ab00-9414-11ec-b3c8-9e6bdeced846", 62.0, 62.0),
    ] {
        let value = value.as_bytes();

        let bits = bound_of(value, alphabet_of([value])).bits;

        assert!((least..=most).contains(&bits), "{value:?}: {bits}");
    }
}

#[test]
fn data_is_seen_through_its_wrapping() {
    let flask = "eyJfdXNlcl9pZCI6IjEifQ.ZzAbCd.0123456789abcdefghijklmnopq";
    let jwt = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI3In0.c2lnbmF0dXJl";
    for (value, form, name) in [
        (flask, "JSON in base64", Some("_user_id")),
        (jwt, "a JSON web token", Some("sub")),
        ("%7B%22user%22%3A7%7D", "JSON", Some("user")),
        ("ada%40example.org", "an address of mail", None),
        ("7|0123456789abcdef0123456789abcdef", "a number and a signature", None),
        ("a:1:{s:4:\"user\";i:7;}", "a serialised PHP array", None),
        ("rO0ABXNyAA", "a serialised Java object", None),
        (".eJxVjDsOAjEMBe-SGkWO.ZzAbCd.0123", "compressed data in base64", None),
        (".eJxVjDsOAjEMBe-SGkWO:1wZzAbCd:0123", "compressed data in base64", None),
        ("H4sIAAAAAAAAA6tWKi1OLVKyMlQqAQ", "compressed data in base64", None),
        ("ada|f3baf8d45573b8d89d51e46ee029d065", "a name and a signature", None),
        (
            "ada%7C1790000000%7CqXv2%7Cf3baf8d45573b8d89d51e46ee029d065",
            "a name and a signature",
            None,
        ),
        ("2|1:0|10:1790000000|4:user|16:eyJ1c2VyIjo3fQ==|f3baf8d45573b8d8", "JSON", Some("user")),
    ] {
        let found = readable(value.as_bytes());

        let found = found.unwrap_or_else(|| panic!("{value} is not seen through"));
        assert_eq!(found.form, form, "{value}");
        assert_eq!(found.names.first().map(String::as_str), name, "{value}");
    }
}

#[test]
fn random_tokens_are_not_taken_for_data() {
    for value in [
        "kq8Zr31LkP0vTn5YxBm2Wg",
        "0123456789abcdef0123456789abcdef",
        "f47ac10b-58cc-4372-a567-0e02b2c3d479",
        "s%3AkPZr31LkP0vTn5YxBm2Wgq8.r0vTn5YxBm2Wgkq8Zr31Lk",
        "12345678",
        "",
        // The zlib of a random token is chance, unless a dot in front says so.
        "eJxVjDsOAjEMBe-SGkWO.ZzAbCd.0123",
        "kq8Zr31LkP0vTn5YxBm2Wg|f3baf8d45573b8d89d51e46ee029d065",
        "2|1:0|10:1790000000|4:user|24:NWVmZTljZGRkY2M5NDExOGEx|f3baf8d45573b8d8",
    ] {
        assert_eq!(readable(value.as_bytes()), None, "{value}");
    }
}
