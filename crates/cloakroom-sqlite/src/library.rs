//! Which SQLite may keep sessions.

use cloakroom_store::StoreError;

/// 3.51.3, the first release in which a checkpoint that meets a writer cannot lose what was
/// committed (<https://sqlite.org/wal.html>, "the WAL-reset bug").
const OLDEST: i32 = 3_051_003;

/// Refuses the linked library if it is too old.
pub(crate) fn check() -> Result<(), StoreError> {
    judge(rusqlite::version_number())
}

fn judge(version: i32) -> Result<(), StoreError> {
    if version >= OLDEST {
        return Ok(());
    }
    Err(StoreError::refused(format!(
        "SQLite {} can lose committed sessions when it makes a checkpoint: link {} or newer",
        text(version),
        text(OLDEST),
    )))
}

fn text(version: i32) -> String {
    format!("{}.{}.{}", version / 1_000_000, version / 1_000 % 1_000, version % 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_linked_library_is_new_enough() {
        check().unwrap();
    }

    #[test]
    fn a_library_that_can_lose_commits_is_refused_by_name() {
        let error = judge(3_051_002).unwrap_err();

        assert!(error.to_string().contains("SQLite 3.51.2"), "{error}");
        assert!(error.to_string().contains("3.51.3 or newer"), "{error}");
        assert!(judge(3_051_003).is_ok());
        assert!(judge(3_052_000).is_ok());
    }
}
