//! Why a handler could not do its work.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

#[derive(Debug)]
pub(crate) enum Failure {
    /// The session could not do what it was asked; it knows its own answer.
    Session(cloakroom::Error),
    /// The accounts could not be read or written.
    Accounts(String),
    /// There is no such product, session or account.
    NotFound,
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        match self {
            Self::Session(error) => error.into_response(),
            Self::Accounts(message) => {
                tracing::error!("the accounts failed: {message}");
                StatusCode::INTERNAL_SERVER_ERROR.into_response()
            }
            Self::NotFound => StatusCode::NOT_FOUND.into_response(),
        }
    }
}

impl From<cloakroom::Error> for Failure {
    fn from(error: cloakroom::Error) -> Self {
        Self::Session(error)
    }
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Accounts(error.to_string())
    }
}

impl From<tokio::task::JoinError> for Failure {
    fn from(error: tokio::task::JoinError) -> Self {
        Self::Accounts(error.to_string())
    }
}

impl From<argon2::password_hash::Error> for Failure {
    fn from(error: argon2::password_hash::Error) -> Self {
        Self::Accounts(error.to_string())
    }
}
