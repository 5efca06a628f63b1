//! Signing up, in and out, and why a visitor has to.

use axum::Form;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use cloakroom::Session;
use serde::Deserialize;

use crate::accounts::{Account, SignUp};
use crate::app::App;
use crate::data::Shop;
use crate::failure::Failure;
use crate::next::Next;
use crate::pages;
use crate::pages::sign_in::Entry;
use crate::passwords::Password;

#[derive(Deserialize)]
pub(crate) struct Wanted {
    #[serde(default)]
    next: Next,
}

#[derive(Deserialize)]
pub(crate) struct Credentials {
    name: String,
    password: Password,
    #[serde(default)]
    remember: bool,
    #[serde(default)]
    next: Next,
}

pub(crate) async fn show(
    State(app): State<App>,
    session: Session<Shop>,
    Query(wanted): Query<Wanted>,
) -> Html<String> {
    let why = session.ended().map(|ended| pages::ended::why(ended, app.now()));
    pages::sign_in::page(&session, &Entry { next: wanted.next, why, ..Entry::default() })
}

pub(crate) async fn show_sign_up(
    session: Session<Shop>,
    Query(wanted): Query<Wanted>,
) -> Html<String> {
    pages::sign_in::sign_up_page(&session, &Entry { next: wanted.next, ..Entry::default() })
}

pub(crate) async fn sign_in(
    State(app): State<App>,
    mut session: Session<Shop>,
    Form(form): Form<Credentials>,
) -> Result<Response, Failure> {
    let _rights = app.rights.read().await;
    let Credentials { name, password, remember, next } = form;
    if let Some(account) = app.accounts.check(&name, password).await? {
        return enter(&mut session, &account, remember, &next).await;
    }
    let problem = Some("This name and password do not belong together.");
    let page = pages::sign_in::page(&session, &Entry { next, name, problem, why: None });
    Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
}

pub(crate) async fn sign_up(
    State(app): State<App>,
    mut session: Session<Shop>,
    Form(form): Form<Credentials>,
) -> Result<Response, Failure> {
    let _rights = app.rights.read().await;
    let Credentials { name, password, remember, next } = form;
    let problem = match app.accounts.sign_up(&name, password).await? {
        SignUp::Done(account) => return enter(&mut session, &account, remember, &next).await,
        SignUp::NameTaken => "Somebody has this name already. Please choose another one.",
        SignUp::BadName => "A name is 2 to 20 letters, digits, dots, dashes and underscores.",
        SignUp::BadPassword => "A password has at least 8 characters, and at most 128 bytes.",
    };
    let entry = Entry { next, name, problem: Some(problem), why: None };
    let page = pages::sign_in::sign_up_page(&session, &entry);
    Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
}

/// A new session takes the place of the visitor's; cart and theme go along.
async fn enter(
    session: &mut Session<Shop>,
    account: &Account,
    remember: bool,
    next: &Next,
) -> Result<Response, Failure> {
    let roles = account.roles().iter().copied();
    session.login(&account.name).remember(remember).roles(roles).await?;
    Ok(Redirect::to(next.path()).into_response())
}

/// The handle is used up: a later change of this session does not compile.
pub(crate) async fn sign_out(session: Session<Shop>) -> Result<Redirect, Failure> {
    session.logout().await?;
    Ok(Redirect::to("/"))
}
