//! The checkout, which asks for a password that was proved a moment ago.

use std::time::Duration;

use axum::Form;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use cloakroom::axum::SignedIn;
use cloakroom::store::Factors;
use serde::Deserialize;

use crate::app::App;
use crate::data::Shop;
use crate::failure::Failure;
use crate::pages;
use crate::passwords::Password;

/// How long ago the password may have been proved.
const FRESH: Duration = Duration::from_secs(5 * 60);

#[derive(Deserialize)]
pub(crate) struct Proof {
    password: Option<Password>,
}

pub(crate) async fn show(SignedIn { session, .. }: SignedIn<Shop>) -> Html<String> {
    pages::checkout::page(&session, session.is_fresh(FRESH), None)
}

pub(crate) async fn place(
    State(app): State<App>,
    SignedIn { user, mut session }: SignedIn<Shop>,
    Form(proof): Form<Proof>,
) -> Result<Response, Failure> {
    if !session.is_fresh(FRESH) && !proved(&app, user.as_str(), proof).await? {
        let page = pages::checkout::page(&session, false, Some("That is not your password."));
        return Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response());
    }
    if !session.is_fresh(FRESH) {
        session.step_up(Factors::PASSWORD).await?;
    }
    // One step: of two clicks, one finds the cart, and what is added meanwhile stays in it.
    let ordered = session.update(order).await?;
    Ok(Redirect::to(if ordered { "/order" } else { "/cart" }).into_response())
}

pub(crate) async fn show_order(SignedIn { session, .. }: SignedIn<Shop>) -> Html<String> {
    pages::checkout::order(&session)
}

/// `false` if there is nothing to order.
fn order(shop: &mut Shop) -> bool {
    let full = shop.cart.count() > 0;
    if full {
        shop.order = Some(std::mem::take(&mut shop.cart));
    }
    full
}

async fn proved(app: &App, user: &str, proof: Proof) -> Result<bool, Failure> {
    let Some(password) = proof.password else { return Ok(false) };
    Ok(app.accounts.check(user, password).await?.is_some())
}
