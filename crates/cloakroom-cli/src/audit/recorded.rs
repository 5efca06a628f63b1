//! An audit of what somebody else recorded.

use super::Seen;
use cloakroom_audit::{Audit, Declared, HAR_MAX, Observed, read_har};
use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

/// Reads a HAR file.
///
/// # Errors
///
/// A sentence if it cannot be read, or holds nothing.
pub(super) fn read(path: &Path, declared: Declared) -> Result<Seen, String> {
    let shown = path.display();
    let mut octets = Vec::new();
    let limit = u64::try_from(HAR_MAX).unwrap_or(u64::MAX).saturating_add(1);
    let file = File::open(path).and_then(|file| file.take(limit).read_to_end(&mut octets));
    file.map_err(|error| format!("{shown} cannot be read: {error}"))?;
    let recording = read_har(&String::from_utf8_lossy(&octets), now())
        .map_err(|error| format!("{shown}: {error}"))?;
    if recording.exchanges.is_empty() {
        return Err(format!("{shown} holds no request that was answered"));
    }
    let mut done = vec![format!("{} requests recorded in {shown}", recording.exchanges.len())];
    if recording.skipped > 0 {
        done.push(format!("{} entries hold no answer and were left out", recording.skipped));
    }
    let observed = Observed::new(recording.exchanges, declared);
    if observed.elsewhere() > 0 {
        done.push(format!("{} requests to other sites were left out", observed.elsewhere()));
    }
    Ok(Seen { audit: Audit::of(observed), done, left: Vec::new(), stopped: None })
}

/// Seconds since the Unix epoch, for entries without a time.
#[expect(clippy::disallowed_methods, reason = "the command's clock where no client has one")]
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}
