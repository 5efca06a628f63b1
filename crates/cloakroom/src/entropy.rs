//! The one door to randomness: the operating system's generator.

use crate::store::{Route, SessionId, StoreError};

/// Random bytes.
///
/// # Errors
///
/// Unavailable if the operating system gives none; a predictable token would be worse.
#[allow(clippy::disallowed_methods, reason = "this is the door")]
pub(crate) fn bytes<const N: usize>() -> Result<[u8; N], StoreError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)
        .map_err(|error| StoreError::unavailable("no random bytes").because(error))?;
    Ok(bytes)
}

/// A new session id on a route: 128 random bits.
pub(crate) fn session_id(route: Route) -> Result<SessionId, StoreError> {
    let random = bytes::<16>()?;
    let mut id = [0; SessionId::LEN];
    for (place, byte) in id.iter_mut().zip(route.to_bytes().into_iter().chain(random)) {
        *place = byte;
    }
    Ok(SessionId::from_bytes(id))
}
