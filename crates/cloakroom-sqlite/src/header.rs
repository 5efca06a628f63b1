//! Looks at a file before SQLite does, so that what is not ours stays as it is to the byte.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use cloakroom_store::StoreError;

use crate::schema::APPLICATION_ID;

/// What is at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// Nothing yet.
    Nothing,
    /// A file without bytes, or a database without tables: it can become ours.
    Empty,
    /// A store of ours, of whatever version.
    Ours,
}

/// The path from the root, so that it means the same if the process changes its folder.
///
/// # Errors
///
/// Refused if it names no file.
pub(crate) fn whole_path(path: &Path) -> Result<PathBuf, StoreError> {
    if path.as_os_str().is_empty() || path.as_os_str() == ":memory:" {
        return Err(StoreError::refused(
            "sessions are kept in a file: name one, or use the memory store",
        ));
    }
    std::path::absolute(path).map_err(unusable)
}

/// What is at `path`. Reads and changes nothing.
///
/// # Errors
///
/// Corrupt if it is no SQLite database, refused if it is one of another application.
pub(crate) fn look(path: &Path) -> Result<Found, StoreError> {
    let about = match fs::metadata(path) {
        Ok(about) => about,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Found::Nothing),
        Err(error) => return Err(unusable(error)),
    };
    if about.is_dir() {
        return Err(StoreError::refused("it is a folder"));
    }
    let mut start = Vec::with_capacity(HEADER);
    let file = File::open(path).map_err(unusable)?;
    file.take(HEADER as u64).read_to_end(&mut start).map_err(unusable)?;
    judge(&start)
}

/// Makes the file with access for its owner alone. SQLite gives the files beside it the same
/// rights.
///
/// # Errors
///
/// Unavailable if it cannot be made. That another process was faster is no error.
pub(crate) fn make_private_file(path: &Path) -> Result<(), StoreError> {
    if let Some(folder) = path.parent().filter(|folder| !folder.is_dir()) {
        let folder = folder.display();
        return Err(StoreError::unavailable(format!("there is no folder `{folder}`: create it")));
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(unusable(error)),
    }
}

/// The header of the file and of its first page: <https://sqlite.org/fileformat2.html>.
const HEADER: usize = 108;
const MAGIC: &[u8] = b"SQLite format 3\0";

fn judge(start: &[u8]) -> Result<Found, StoreError> {
    if start.is_empty() {
        return Ok(Found::Empty);
    }
    if start.len() < HEADER || !start.starts_with(MAGIC) {
        return Err(StoreError::corrupt("it is not an SQLite database"));
    }
    if number(start, 68) == APPLICATION_ID.to_be_bytes() {
        return Ok(Found::Ours);
    }
    let has_log = start.get(18..20) == Some(&[2, 2]);
    let one_page = number(start, 28) == [0, 0, 0, 1];
    let no_tables = start.get(103..105) == Some(&[0, 0]);
    if number(start, 68) == [0; 4] && !has_log && one_page && no_tables {
        return Ok(Found::Empty);
    }
    Err(StoreError::refused("it is an SQLite database of another application"))
}

fn number(start: &[u8], at: usize) -> &[u8] {
    start.get(at..at + 4).unwrap_or_default()
}

fn unusable(error: io::Error) -> StoreError {
    StoreError::unavailable("the file system refused").because(error)
}
