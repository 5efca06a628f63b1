//! An audit of what somebody else recorded.

use super::Seen;
use crate::{clock, input};
use cloakroom_audit::{CurlError, Declared, Facts, Observed, Recording, read_curl, read_har};
use std::path::Path;

/// Reads a HAR file.
///
/// # Errors
///
/// A sentence if it cannot be read, or holds nothing.
pub(super) fn har(path: &Path, declared: Declared) -> Result<Seen, String> {
    let shown = path.display().to_string();
    let octets = input::file(path)?;
    let recording = read_har(&String::from_utf8_lossy(&octets), clock::now().as_secs())
        .map_err(|error| format!("{shown}: {error}"))?;
    if recording.exchanges.is_empty() {
        return Err(format!("{shown} holds no request that was answered"));
    }
    Ok(seen(recording, &shown, declared))
}

/// Reads what curl printed. `url` is what `curl -i` asked.
///
/// # Errors
///
/// A sentence if it cannot be read, or holds nothing.
pub(super) fn curl(path: &Path, url: Option<&str>, declared: Declared) -> Result<Seen, String> {
    let octets = input::file_or_standard_input(path)?;
    let recording = read_curl(&octets, url, clock::now().as_secs()).map_err(|error| {
        let remedy = if error == CurlError::NoAddress { " before `--curl`" } else { "" };
        format!("{error}{remedy}")
    })?;
    Ok(seen(recording, "the output of curl", declared))
}

fn seen(recording: Recording, shown: &str, declared: Declared) -> Seen {
    let now = clock::now().as_secs();
    let mut notes = Vec::new();
    if recording.skipped > 0 {
        notes.push(format!("{} entries hold no answer and were left out", recording.skipped));
    }
    let observed = Observed::new(recording.exchanges, declared);
    if observed.elsewhere() > 0 {
        notes.push(format!("{} requests to other sites were left out", observed.elsewhere()));
    }
    let target = shown.to_owned();
    let facts = Facts { target, begun: now, ended: now, notes, ..Facts::default() };
    Seen { observed, facts, by_hand: false }
}
