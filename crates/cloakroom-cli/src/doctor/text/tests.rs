use super::*;

#[test]
fn words_are_broken_at_the_last_column_and_not_before() {
    let word = "a".repeat(WIDTH - 3);
    for (words, expected) in [
        (format!("{word} b"), format!("{word} b\n")),
        (format!("{word}c bc"), format!("{word}c\n  bc\n")),
        ("d".repeat(WIDTH + 5), format!("{}\n", "d".repeat(WIDTH + 5))),
    ] {
        let mut text = String::new();

        wrapped(&mut text, "", &words, 2);

        assert_eq!(text, expected);
    }
}

#[test]
fn a_time_is_told_in_the_unit_that_suits_it() {
    for (seconds, told) in [
        (0, "0 seconds"),
        (119, "119 seconds"),
        (120, "2 minutes"),
        (7_199, "119 minutes"),
        (7_200, "2 hours"),
        (172_800, "2 days"),
    ] {
        assert_eq!(lasting(seconds), told);
    }
}

#[test]
fn a_name_cannot_give_orders_to_a_terminal() {
    assert_eq!(shown_name("a\u{1b}[2Jb\u{e9}"), "a.[2Jb.");
    assert_eq!(shown_name(""), "(no name)");
}
