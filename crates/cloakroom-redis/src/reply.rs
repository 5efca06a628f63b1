//! What scripts answer: a word, and after it texts.

use cloakroom_store::{Ended, Record, SessionId, StoreError};
use redis::Value;

use crate::values;

/// A text, in any of the forms in which servers send one.
#[allow(clippy::wildcard_enum_match_arm, reason = "the enum is foreign and grows")]
pub(crate) fn text(value: &Value) -> Option<&str> {
    match value {
        Value::BulkString(bytes) => std::str::from_utf8(bytes).ok(),
        Value::VerbatimString { text, .. } => Some(text),
        Value::SimpleString(text) => Some(text),
        _ => None,
    }
}

/// One answer of a script.
#[derive(Debug)]
pub(crate) struct Reply {
    word: Vec<u8>,
    rest: std::vec::IntoIter<Value>,
}

impl Reply {
    pub(crate) fn of(value: Value) -> Result<Self, StoreError> {
        let Value::Array(parts) = value else { return Err(strange()) };
        let mut rest = parts.into_iter();
        let word = rest.next().map(bytes).transpose()?.ok_or_else(strange)?;
        Ok(Self { word, rest })
    }

    pub(crate) fn word(&self) -> &[u8] {
        &self.word
    }

    /// The next text.
    pub(crate) fn next(&mut self) -> Result<Vec<u8>, StoreError> {
        self.rest.next().map(bytes).transpose()?.ok_or_else(strange)
    }

    /// The next text, read as a number.
    pub(crate) fn number(&mut self) -> Result<u64, StoreError> {
        let text = self.next()?;
        std::str::from_utf8(&text).ok().and_then(|text| text.parse().ok()).ok_or_else(strange)
    }

    /// All texts that are left.
    pub(crate) fn rest(self) -> Result<Vec<Vec<u8>>, StoreError> {
        self.rest.map(bytes).collect()
    }

    /// The session that comes next, as the holder of an older key sees it if the identity of before
    /// follows it.
    pub(crate) fn record(mut self) -> Result<Record, StoreError> {
        let record = values::session(&self.next()?)?.record;
        match (self.rest.next(), self.rest.next()) {
            (Some(user), Some(proof)) => {
                Ok(record.seen_as(values::identity(&bytes(user)?, &bytes(proof)?)?))
            }
            (_, _) => Ok(record),
        }
    }

    /// What is known of a session that is gone.
    pub(crate) fn told(mut self) -> Result<Option<Ended>, StoreError> {
        values::told(&self.next()?)
    }

    /// Every session that comes.
    pub(crate) fn records(self) -> Result<Vec<Record>, StoreError> {
        let read = |value| Ok(values::session(&bytes(value)?)?.record);
        self.rest.map(read).collect()
    }

    /// Pairs of an id and the digest of its key.
    pub(crate) fn ids(self) -> Result<Vec<(SessionId, Vec<u8>)>, StoreError> {
        let rest = self.rest()?;
        let pair = |pair: &[Vec<u8>]| match pair {
            [id, digest] => {
                let id = std::str::from_utf8(id).ok().and_then(|id| id.parse().ok());
                Ok((id.ok_or_else(strange)?, digest.clone()))
            }
            _ => Err(strange()),
        };
        rest.chunks(2).map(pair).collect()
    }

    /// Why a script refused; anything else is an answer that this release does not know.
    pub(crate) fn refused(mut self) -> StoreError {
        if self.word != b"refused" {
            return strange();
        }
        let why = self.next().unwrap_or_default();
        let number = self.number().unwrap_or_default();
        match why.as_slice() {
            b"user" => StoreError::refused("a session keeps its user; another one is a login"),
            b"id" => StoreError::refused("the id of a resumed session is in use"),
            b"fields" => StoreError::refused(format!(
                "the session would have {number} fields, more than {}",
                cloakroom_store::FIELDS_MAX
            )),
            b"field" => StoreError::refused(format!(
                "a field would be {number} bytes, more than {}",
                cloakroom_store::FIELD_MAX
            )),
            _ => StoreError::refused(format!(
                "the session's data would be {number} bytes, more than {}",
                cloakroom_store::SESSION_MAX
            )),
        }
    }
}

fn bytes(value: Value) -> Result<Vec<u8>, StoreError> {
    if let Value::BulkString(bytes) = value { Ok(bytes) } else { Err(strange()) }
}

fn strange() -> StoreError {
    StoreError::corrupt("a script of the store answered what this release does not know")
}
