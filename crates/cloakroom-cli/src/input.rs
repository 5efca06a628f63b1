//! What is read from files and from the standard input, and not more of it than is of use.

use cloakroom_audit::HAR_MAX;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// The octets of a file: what a recording may have, and one that shows that it has more.
pub(crate) fn file(path: &Path) -> Result<Vec<u8>, String> {
    let broken = |error: io::Error| format!("{} cannot be read: {error}", path.display());
    File::open(path).and_then(limited).map_err(broken)
}

/// The same, with `-` for the standard input.
pub(crate) fn file_or_standard_input(path: &Path) -> Result<Vec<u8>, String> {
    if path == Path::new("-") { standard_input() } else { file(path) }
}

/// The octets of the standard input.
pub(crate) fn standard_input() -> Result<Vec<u8>, String> {
    let broken = |error: io::Error| format!("the standard input cannot be read: {error}");
    limited(io::stdin().lock()).map_err(broken)
}

fn limited(reader: impl Read) -> io::Result<Vec<u8>> {
    let mut octets = Vec::new();
    let most = u64::try_from(HAR_MAX).unwrap_or(u64::MAX).saturating_add(1);
    reader.take(most).read_to_end(&mut octets)?;
    Ok(octets)
}
