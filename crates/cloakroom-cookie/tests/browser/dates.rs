use crate::start::{NOW, at};
use cloakroom_cookie::browser::{Browser, cookie_date};

/// What everybody reads alike.
const ALIKE: [(&str, Option<u64>); 56] = [
    ("Tue, 15 Jun 2027 04:05:06.123 GMT", Some(1_813_032_306)),
    ("8 Jun 2027 7:2:2 GMT", Some(1_812_438_122)),
    ("Jun 15 2027 04:05:06 GMT", Some(1_813_032_306)),
    ("Tue Jun 15 2027 04:05:06 GMT+0000 (GMT)", Some(1_813_032_306)),
    ("15 Junxxx 2027 04:05:06", Some(1_813_032_306)),
    ("15 JUNE 2027 04:05:06", Some(1_813_032_306)),
    ("15 Jun 2027 -1:05:06", Some(1_813_021_506)),
    ("2027 June 15 04:05:06", Some(1_813_032_306)),
    ("15 27 Jun 04:05:06", Some(1_813_032_306)),
    ("04:05:06 Tue Jun 15 2027", Some(1_813_032_306)),
    ("15-Sat, Jun 04:05:06 GMT 27", Some(1_813_032_306)),
    ("\"15 Jun 2027 04:05:06\"", Some(1_813_032_306)),
    ("15/Jun\\2027 04:05:06", Some(1_813_032_306)),
    ("15_Jun_2027_04:05:06", Some(1_813_032_306)),
    ("15{Jun}2027|04:05:06~", Some(1_813_032_306)),
    ("15+Jun+2027+04:05:06", Some(1_813_032_306)),
    ("Sun Marvin 15 Jun 2027 04:05:06", Some(1_805_083_506)),
    ("Dec, 15 Jun 2026 04:05:06", Some(1_797_307_506)),
    ("Mon, 15 Jun 2027 04:05:06 2028 11:22:33", Some(1_813_032_306)),
    ("15 Jun 2027 ::00 04:05:06", Some(1_813_032_306)),
    ("15 Jun 2027 boink:z 04:05:06", Some(1_813_032_306)),
    ("28 Feb 2027 04:05:06", Some(1_803_787_506)),
    ("15 Jun 2027 23:59:59", Some(1_813_103_999)),
    ("0 Jun 2027 04:05:06", None),
    ("00 Jun 2027 04:05:06", None),
    ("32 Jul 2027 04:05:06", None),
    ("31 Jun 2027 04:05:06", None),
    ("29 Feb 2027 04:05:06", None),
    ("30 Feb 2028 04:05:06", None),
    ("99 Jix 3038 48:86:72 ZMT", None),
    ("15 Jun 2027 24:00:00", None),
    ("15 Jun 2027 23:60:00", None),
    ("15 Jun 2027 23:59:60", None),
    ("15 Jun 2027 91:22:33 04:05:06", None),
    ("15 Jun 2027 04:05", None),
    ("15 Jun 2027", None),
    ("Jun 2027 04:05:06", None),
    ("15 2027 04:05:06", None),
    ("15 Jun 04:05:06", None),
    ("15 Ju 2027 04:05:06", None),
    ("15Jun2027 04:05:06", None),
    ("15 Jun 2027 1a:05:06", None),
    ("15 Jun 2027 a1:05:06", None),
    ("15 Jun 2027 04:5f:06", None),
    ("15 Jun 2027 04:05:e6", None),
    ("15 Jun 2027 10e9:18:14", None),
    ("15 Jun 2027 11:-3:44", None),
    ("98 June 17 21:01:22", None),
    ("012-Jun-2027 04:05:06", None),
    ("15-Jun-9999999999 04:05:06", None),
    ("999999999999-Jun-2027 04:05:06", None),
    ("15-Jun-2027 20:61:99999999999", None),
    ("2027-06-15T04:05:06Z", None),
    ("1813032306", None),
    ("", None),
    ("IAintNoDateFool", None),
];

/// When a cookie with such an `Expires` ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// With the browser: the date is none.
    Session,
    Gone,
    At(u64),
    Capped,
}
use End::{At, Capped, Gone, Session};

/// What the standard says, and what Chromium was seen to do.
const UNLIKE: [(&str, End, End); 20] = [
    ("09e9 Jun 2027 10:18:14", At(1_812_536_294), Session),
    ("09 Jun 2027e9 10:18:14", At(1_812_536_294), Session),
    ("09 Jun 2027 10:18:14e9", At(1_812_536_294), Session),
    ("09 Jun 2027 10:18:14:55", At(1_812_536_294), Session),
    ("15 Jun 2027 04:05:06Z", At(1_813_032_306), Session),
    ("15 Jun 2027 4:5:6pm", At(1_813_032_306), Session),
    ("15: Jun 2027 04:05:06", At(1_813_032_306), Session),
    ("15:x Jun 2027 04:05:06 16", At(1_813_032_306), At(1_813_118_706)),
    ("15 Jun 2027: 04:05:06", At(1_813_032_306), Session),
    ("1x Jun 2027 04:05:06", At(1_811_822_706), Session),
    ("01 Jun 2027 000:00:01", Session, At(1_811_808_001)),
    ("01 Jun 2027 00:000:01", Session, At(1_811_808_001)),
    ("01 Jun 2027 00:00:010", Session, At(1_811_808_010)),
    ("1-Jun-02027 04:05:06", Session, At(1_811_822_706)),
    ("1-Jun-7 04:05:06", Session, Gone),
    ("1-Jun-100 04:05:06", Session, Gone),
    ("31 Dec 1600 23:59:59", Session, Gone),
    ("12-Jun-31841 20:49:07", Session, Capped),
    ("1 2 Jun 2027 04:05:06", At(1_811_822_706), Gone),
    ("Thu%2C 01 Jun 2027 00:00:00", Gone, At(1_811_808_000)),
];

fn end(browser: Browser, date: &str) -> End {
    let line = format!("x=1; Expires={date}");
    let verdict = browser.judge(line.as_bytes(), &at("https://a.test/"), NOW);
    match verdict.cookie().unwrap().expires() {
        None => Session,
        Some(0) => Gone,
        Some(end) if end == NOW + 400 * 86_400 => Capped,
        Some(end) => At(end),
    }
}

#[test]
fn a_date_is_read_in_every_form_that_the_grammar_has_and_in_no_other() {
    for (text, expected) in ALIKE {
        let read = cookie_date(text.as_bytes());
        assert_eq!(read, expected.map(u64::cast_signed), "{text}");
        let expected = match expected {
            None => Session,
            Some(end) if end <= NOW => Gone,
            Some(end) => At(end),
        };
        assert_eq!(end(Browser::standard(), text), expected, "{text}");
        assert_eq!(end(Browser::chromium(), text), expected, "{text}");
    }
}

#[test]
fn chromium_reads_dates_in_its_own_way() {
    for (text, standard, chromium) in UNLIKE {
        assert_eq!(end(Browser::standard(), text), standard, "{text}");
        assert_eq!(end(Browser::chromium(), text), chromium, "{text}");
    }
}

#[test]
fn the_years_of_the_standard_begin_with_1601_and_a_tab_is_a_delimiter() {
    assert_eq!(cookie_date(b"01 Jan 1601 00:00:00"), Some(-11_644_473_600));
    assert_eq!(cookie_date(b"31 Dec 1600 23:59:59"), None);
    assert_eq!(cookie_date(b"15 Jun\t2027\t04:05:06"), cookie_date(b"15 Jun 2027 04:05:06"));
    assert_eq!(cookie_date(b"31 Dec 9999 23:59:59"), Some(253_402_300_799));
}

#[test]
fn a_year_of_two_digits_is_between_1970_and_2069() {
    for (year, expected) in
        [("69", 3_124_224_000), ("70", 0), ("99", 915_148_800), ("00", 946_684_800)]
    {
        assert_eq!(cookie_date(format!("1 Jan {year} 00:00:00").as_bytes()), Some(expected));
    }
}
