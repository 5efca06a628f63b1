//! Passwords: Argon2id with its default cost, never on a thread that answers requests, and only so
//! many at once that their memory stays bounded.

use std::sync::Arc;

use argon2::{Argon2, PasswordHasher as _, PasswordVerifier as _};
use serde::Deserialize;
use tokio::sync::Semaphore;

use crate::failure::Failure;

/// Each takes 19 MiB.
const AT_ONCE: usize = 4;

/// A password as somebody typed it. It does not print.
#[derive(Deserialize)]
pub(crate) struct Password(String);

impl Password {
    pub(crate) const MIN_CHARS: usize = 8;
    pub(crate) const MAX_BYTES: usize = 128;

    /// Whether it may become somebody's password.
    pub(crate) fn is_acceptable(&self) -> bool {
        self.0.chars().count() >= Self::MIN_CHARS && self.0.len() <= Self::MAX_BYTES
    }
}

pub(crate) struct Passwords {
    turn: Arc<Semaphore>,
    /// What the password of an unknown account is compared with, so that it takes as long.
    nobodys: String,
}

impl Passwords {
    pub(crate) async fn new() -> Result<Self, Failure> {
        let turn = Arc::new(Semaphore::new(AT_ONCE));
        let nobodys = hash(&turn, Password(String::new())).await?;
        Ok(Self { turn, nobodys })
    }

    /// The text to store.
    pub(crate) async fn hash(&self, password: Password) -> Result<String, Failure> {
        hash(&self.turn, password).await
    }

    /// Whether `password` is the one that was stored as `hash`; of nobody, it never is.
    pub(crate) async fn matches(
        &self,
        password: Password,
        hash: Option<String>,
    ) -> Result<bool, Failure> {
        let is_somebodys = hash.is_some();
        let hash = hash.unwrap_or_else(|| self.nobodys.clone());
        let matches = in_turn(&self.turn, move || {
            // No password is accepted that long, so none is read that far.
            password.0.len() <= Password::MAX_BYTES
                && Argon2::default().verify_password(password.0.as_bytes(), hash.as_str()).is_ok()
        });
        Ok(matches.await? && is_somebodys)
    }
}

async fn hash(turn: &Arc<Semaphore>, password: Password) -> Result<String, Failure> {
    let hash = in_turn(turn, move || Argon2::default().hash_password(password.0.as_bytes()));
    Ok(hash.await??.to_string())
}

async fn in_turn<T: Send + 'static>(
    turn: &Arc<Semaphore>,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Failure> {
    let turn = Arc::clone(turn).acquire_owned().await;
    // The turn lasts as long as the work, even if nobody waits for it any more.
    let done = tokio::task::spawn_blocking(move || {
        let done = work();
        drop(turn);
        done
    });
    Ok(done.await?)
}
