//! The file that a long wait is resumed from. What is in it opens sessions: nobody else may read it.

use cloakroom_audit::TIMELINE_MAX;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// For its owner alone.
const MODE: u32 = 0o600;
/// What its group and others may do.
const FOREIGN: u32 = 0o077;

/// What the file holds; `None` if there is none.
///
/// # Errors
///
/// A sentence if it cannot be read, or if others may read or write it.
pub(super) fn read(path: &Path) -> Result<Option<String>, String> {
    let shown = path.display();
    let broken = |error: io::Error| format!("{shown} cannot be read: {error}");
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened.map_err(broken)?,
    };
    // Of the file that was opened, and not of what stands at its place by now.
    let mode = file.metadata().map_err(broken)?.mode();
    if mode & FOREIGN != 0 {
        return Err(format!(
            "{shown} opens sessions, and others may read or change it (mode {:o}): `chmod 600 {shown}` if it is \
             yours and was never read, or remove it",
            mode & 0o777
        ));
    }
    let most = u64::try_from(TIMELINE_MAX).unwrap_or(u64::MAX).saturating_add(1);
    let mut text = String::new();
    file.take(most).read_to_string(&mut text).map_err(broken)?;
    Ok(Some(text))
}

/// Writes the file anew: it is there whole, as it was or as it is to be.
///
/// # Errors
///
/// A sentence if it cannot be written.
pub(super) fn write(path: &Path, text: &str) -> Result<(), String> {
    let beside = beside(path);
    let written = write_beside(&beside, text).and_then(|()| fs::rename(&beside, path));
    written.map_err(|error| {
        // What is left of it is of no use, and may not be there at all.
        let _ = fs::remove_file(&beside);
        format!("{} cannot be written: {error}", path.display())
    })
}

/// Takes the file away, with what opens sessions.
pub(super) fn remove(path: &Path) -> Result<(), String> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(format!("{} cannot be removed: {error}", path.display()))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

fn write_beside(path: &Path, text: &str) -> io::Result<()> {
    // One that was left behind is in the way of `create_new`, which follows no link of somebody else's.
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(MODE).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    path.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let folder =
                std::env::temp_dir().join(format!("cloakroom-{name}-{}", std::process::id()));
            fs::create_dir_all(&folder).unwrap();
            Self(folder)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn the_file_is_for_its_owner_alone_and_comes_back_as_it_was_written() {
        let folder = Folder::new("state");
        let path = folder.0.join("wait.json");
        assert_eq!(read(&path), Ok(None));

        write(&path, "first").unwrap();
        write(&path, "second").unwrap();

        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        assert_eq!(read(&path), Ok(Some("second".to_owned())));
        assert_eq!(fs::read_dir(&folder.0).unwrap().count(), 1);
        remove(&path).unwrap();
        assert_eq!(read(&path), Ok(None));
    }

    #[test]
    fn a_file_that_others_may_read_or_change_is_refused_and_not_printed() {
        let folder = Folder::new("state-foreign");
        let path = folder.0.join("wait.json");
        write(&path, "secret").unwrap();
        for mode in [0o640, 0o604, 0o620, 0o602, 0o666] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();

            let refused = read(&path).unwrap_err();

            assert!(refused.contains("chmod 600") && !refused.contains("secret"), "{refused}");
        }
    }

    #[test]
    fn a_link_that_somebody_laid_beside_it_is_not_followed() {
        let folder = Folder::new("state-link");
        let (path, trap) = (folder.0.join("wait.json"), folder.0.join("trap"));
        fs::write(&trap, "untouched").unwrap();
        std::os::unix::fs::symlink(&trap, folder.0.join("wait.json.new")).unwrap();

        write(&path, "secret").unwrap();

        assert_eq!(fs::read_to_string(&trap).unwrap(), "untouched");
        assert_eq!(read(&path), Ok(Some("secret".to_owned())));
    }
}
