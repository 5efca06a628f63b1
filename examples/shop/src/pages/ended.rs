//! Why a visitor is signed out, in a sentence for people.

use cloakroom::store::{By, Ended, Reason, Timestamp};

use super::ago::ago;
use crate::app::{ABSOLUTE, IDLE};
use crate::staff::STAFF;

pub(crate) fn why(ended: Ended, now: Timestamp) -> String {
    let when = ago(ended.at, now);
    match ended.reason {
        Reason::Logout => format!("You signed out {when}."),
        Reason::Idle => {
            let minutes = IDLE.as_secs() / 60;
            format!("Your session ended {when}, because nothing happened for {minutes} minutes.")
        }
        Reason::Absolute => {
            let hours = ABSOLUTE.as_secs() / (60 * 60);
            format!("Your session ended {when}, because none lasts longer than {hours} hours.")
        }
        Reason::Revoked => format!("{} ended your session {when}.", somebody(ended.by)),
        Reason::Replaced => {
            format!("A new session took the place of this one {when}, in this browser.")
        }
        Reason::Evicted => {
            format!("Your session made room {when}: you signed in on too many browsers.")
        }
        Reason::Reuse => format!(
            "An old ticket of yours turned up {when}. In case somebody copied it, your session \
             was ended. Please change your password."
        ),
        Reason::CredentialsChanged => format!(
            "Your password was changed {when}, which ended all other sessions. Please sign in \
             with the new one."
        ),
        Reason::KeyRetired | _ => format!("Your session ended {when}."),
    }
}

fn somebody(by: By) -> String {
    match by.as_str().strip_prefix(STAFF).map(str::trim) {
        Some("") => "A member of our staff".to_owned(),
        Some(name) => format!("A member of our staff ({name})"),
        None if by == By::USER => "You, from another browser,".to_owned(),
        None => "The shop".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(reason: Reason, by: By) -> String {
        let at = Timestamp::from_millis(0);
        why(Ended { reason, by, at }, Timestamp::from_millis(120_000))
    }

    #[test]
    fn every_reason_has_a_sentence_that_says_when() {
        for reason in Reason::ALL {
            let sentence = said(reason, By::SYSTEM);

            assert!(sentence.contains("2 minutes ago"), "{sentence}");
        }
    }

    #[test]
    fn it_says_who_ended_a_session() {
        let by = |text| said(Reason::Revoked, By::new(text).unwrap());

        assert_eq!(by("user"), "You, from another browser, ended your session 2 minutes ago.");
        assert_eq!(
            by("staff ada"),
            "A member of our staff (ada) ended your session 2 minutes ago."
        );
        assert_eq!(by("staff"), "A member of our staff ended your session 2 minutes ago.");
    }
}
