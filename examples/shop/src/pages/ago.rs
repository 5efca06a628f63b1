//! How long ago something was, as people say it.

use cloakroom::store::Timestamp;

pub(super) fn ago(then: Timestamp, now: Timestamp) -> String {
    let secs = now.since(then).as_secs();
    let (count, unit) = match secs {
        0..60 => return "just now".to_owned(),
        60..3_600 => (secs / 60, "minute"),
        3_600..86_400 => (secs / 3_600, "hour"),
        86_400.. => (secs / 86_400, "day"),
    };
    format!("{count} {unit}{} ago", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_whole_unit_is_named() {
        let rows = [
            (0, "just now"),
            (59, "just now"),
            (60, "1 minute ago"),
            (3_599, "59 minutes ago"),
            (3_600, "1 hour ago"),
            (86_399, "23 hours ago"),
            (172_800, "2 days ago"),
        ];
        for (secs, expected) in rows {
            let now = Timestamp::from_millis(secs * 1_000);

            assert_eq!(ago(Timestamp::from_millis(0), now), expected);
        }
    }
}
