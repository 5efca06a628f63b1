//! A user's sessions and password.

use axum::Form;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use cloakroom::Session;
use cloakroom::axum::SignedIn;
use cloakroom::store::{Factors, Reason, SessionId};
use serde::Deserialize;

use crate::app::App;
use crate::data::{Shop, leave_notice, take_notice};
use crate::failure::Failure;
use crate::pages;
use crate::passwords::Password;

pub(crate) async fn show(
    State(app): State<App>,
    SignedIn { mut session, .. }: SignedIn<Shop>,
) -> Result<Html<String>, Failure> {
    let notice = take_notice(&mut session).await?;
    page(&app, &session, notice.as_deref(), None).await
}

#[derive(Deserialize)]
pub(crate) struct Which {
    session: String,
}

/// `end` refuses sessions of somebody else, so that the id in the form needs no further check.
pub(crate) async fn end(
    SignedIn { mut session, .. }: SignedIn<Shop>,
    Form(which): Form<Which>,
) -> Result<Redirect, Failure> {
    let id: SessionId = which.session.parse().map_err(|_| Failure::NotFound)?;
    if session.id() == Some(id) {
        session.logout().await?;
        return Ok(Redirect::to("/"));
    }
    let notice = match session.end(id).await? {
        true => "The session is over.",
        false => "That session was over already.",
    };
    leave_notice(&mut session, notice)?;
    Ok(Redirect::to("/account"))
}

pub(crate) async fn end_others(
    SignedIn { mut session, .. }: SignedIn<Shop>,
) -> Result<Redirect, Failure> {
    let notice = match session.end_others().await? {
        0 => "There was no other session.".to_owned(),
        1 => "The other session is over.".to_owned(),
        ended => format!("{ended} other sessions are over."),
    };
    leave_notice(&mut session, notice)?;
    Ok(Redirect::to("/account"))
}

#[derive(Deserialize)]
pub(crate) struct PasswordChange {
    old: Password,
    new: Password,
}

/// Whoever knew the old password is out: the other sessions end, and this one gets a new token.
pub(crate) async fn change_password(
    State(app): State<App>,
    SignedIn { user, mut session }: SignedIn<Shop>,
    Form(form): Form<PasswordChange>,
) -> Result<Response, Failure> {
    let _rights = app.rights.write().await;
    if app.accounts.check(user.as_str(), form.old).await?.is_none() {
        return refuse(&app, &session, "The old password is not right.").await;
    }
    if !app.accounts.change_password(user.as_str().to_owned(), form.new).await? {
        let rule = "The new password needs at least 8 characters, and at most 128 bytes.";
        return refuse(&app, &session, rule).await;
    }
    session.end_others_because(Reason::CredentialsChanged).await?;
    session.step_up(Factors::PASSWORD).await?;
    leave_notice(&mut session, "Your password is changed, and all other sessions are over.")?;
    Ok(Redirect::to("/account").into_response())
}

async fn refuse(app: &App, session: &Session<Shop>, why: &str) -> Result<Response, Failure> {
    let page = page(app, session, None, Some(why)).await?;
    Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
}

async fn page(
    app: &App,
    session: &Session<Shop>,
    notice: Option<&str>,
    problem: Option<&str>,
) -> Result<Html<String>, Failure> {
    let devices = session.devices().await?;
    Ok(pages::account::page(session, devices, app.now(), notice, problem))
}
