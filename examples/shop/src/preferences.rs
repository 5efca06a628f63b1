//! What a visitor chose, signed in or not.

use axum::Form;
use axum::response::{Html, Redirect};
use cloakroom::Session;
use serde::Deserialize;

use crate::data::{Shop, Theme, leave_notice, take_notice};
use crate::failure::Failure;
use crate::pages;

#[derive(Deserialize)]
pub(crate) struct Choice {
    theme: Theme,
}

pub(crate) async fn show(mut session: Session<Shop>) -> Result<Html<String>, Failure> {
    let notice = take_notice(&mut session).await?;
    Ok(pages::preferences::page(&session, notice.as_deref()))
}

/// `edit` is stored with the response; the two changes are one write.
pub(crate) async fn choose(
    mut session: Session<Shop>,
    Form(choice): Form<Choice>,
) -> Result<Redirect, Failure> {
    session.edit(move |shop| shop.theme = choice.theme)?;
    leave_notice(&mut session, "Saved.")?;
    Ok(Redirect::to("/preferences"))
}
