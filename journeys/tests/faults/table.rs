//! The table of rounds: printed always, written where `CLOAKROOM_FAULTS` says.

use crate::client::Seen;
use crate::{Declared, Round};
use std::path::Path;

/// The head of the columns of [`row`].
const HEAD: &str = "\
| what happens | may be lost or come back | round | seed | requests | unavailable | lost sessions | lost writes | doubled | revived | other | slowest answer | back after |
|---|---|---|---|---|---|---|---|---|---|---|---|---|
";

/// How many requests have to be served in a round: what is not done is not done wrong.
const SERVED: u64 = 400;

pub(crate) fn row(round: &Round) -> String {
    let may = match round.declared {
        Declared { lost_sessions: false, lost_writes: false, revivals: false } => "nothing",
        Declared { lost_sessions: false, lost_writes: true, revivals: false } => {
            "counts of the last moments"
        }
        Declared { .. } => "the last moments",
    };
    let what = format!("| {} | {may} | {} | {} |", round.fault, round.number + 1, round.seed);
    match &round.seen {
        Ok((seen, back)) => {
            let Seen { requests, unavailable, unexpected, .. } = seen;
            let Seen { lost_sessions, lost_writes, doubled, revived, .. } = seen;
            format!(
                "{what} {requests} | {unavailable} | {lost_sessions} | {lost_writes} | {doubled} | \
                 {revived} | {unexpected} | {:.1} s | {:.1} s |",
                seen.slowest.as_secs_f64(),
                back.as_secs_f64()
            )
        }
        Err(failure) => format!("{what} not finished: {failure}"),
    }
}

/// Why a round is not as declared.
pub(crate) fn broken(round: &Round) -> Option<String> {
    let Declared { lost_sessions, lost_writes, revivals } = round.declared;
    let place = format!("{}, {}, seed {}", round.engine, round.fault, round.seed);
    let seen = match &round.seen {
        Ok((seen, _)) => seen,
        Err(failure) => return Some(format!("{place}: {failure}")),
    };
    let forbidden = [
        (!lost_sessions && seen.lost_sessions > 0, "lost sessions"),
        (!lost_writes && seen.lost_writes > 0, "lost writes"),
        (!revivals && seen.revived > 0, "revived something"),
        (seen.doubled > 0, "did something twice"),
        (seen.unexpected > 0, "answered strangely"),
        // Visitors who were never served prove nothing.
        (seen.requests - seen.unavailable < SERVED, "hardly served anybody"),
    ];
    let found: Vec<_> = forbidden.iter().filter(|(is, _)| *is).map(|(_, what)| *what).collect();
    (!found.is_empty()).then(|| format!("{place}: {}; {:?}", found.join(", "), seen.words))
}

/// Puts the table of this engine into the folder that `CLOAKROOM_FAULTS` names.
pub(crate) fn write(engine: &str, rounds: &[Round]) {
    let Some(folder) = std::env::var_os("CLOAKROOM_FAULTS") else { return };
    let rows: Vec<_> = rounds.iter().map(row).collect();
    let text = format!("## {engine}\n\n{HEAD}{}\n", rows.join("\n"));
    let name = format!("{}.md", engine.to_lowercase().replace(' ', "-"));
    std::fs::write(Path::new(&folder).join(name), text).unwrap();
}
