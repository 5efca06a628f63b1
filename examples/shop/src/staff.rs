//! What staff may do: see who is signed in, give and withdraw the role, end sessions.

use axum::Form;
use axum::extract::State;
use axum::response::{Html, Redirect};
use cloakroom::Role;
use cloakroom::axum::WithRole;
use cloakroom::store::{By, Reason, UserId};
use serde::Deserialize;

use crate::app::App;
use crate::data::{Shop, leave_notice, take_notice};
use crate::failure::Failure;
use crate::pages;

/// The name of the role.
pub(crate) const STAFF: &str = "staff";

/// The role as a type: a handler that takes a [`StaffSession`] runs for staff only.
pub(crate) enum Staff {}

impl Role for Staff {
    const NAME: &'static str = STAFF;
}

pub(crate) type StaffSession = WithRole<Staff, Shop>;

pub(crate) async fn show(
    State(app): State<App>,
    StaffSession { mut session, .. }: StaffSession,
) -> Result<Html<String>, Failure> {
    let notice = take_notice(&mut session).await?;
    let mut people = Vec::new();
    for account in app.accounts.all().await? {
        let sessions = app.sessions.list(&account.name).await?.len();
        people.push((account, sessions));
    }
    Ok(pages::staff::page(&session, &people, notice.as_deref()))
}

#[derive(Deserialize)]
pub(crate) struct RoleChange {
    name: String,
    staff: bool,
}

/// Roles live in the sessions too: what is withdrawn is gone at the user's next request.
pub(crate) async fn change_role(
    State(app): State<App>,
    StaffSession { mut session, .. }: StaffSession,
    Form(RoleChange { name, staff }): Form<RoleChange>,
) -> Result<Redirect, Failure> {
    let _rights = app.rights.write().await;
    let notice = if app.accounts.set_staff(name.clone(), staff).await? {
        let roles: &[&str] = if staff { &[STAFF] } else { &[] };
        app.sessions.set_roles(&name, roles).await?;
        format!("{name} is {} staff now.", if staff { "a member of" } else { "no longer" })
    } else {
        "Nothing was changed: the last member of staff stays.".to_owned()
    };
    leave_notice(&mut session, notice)?;
    Ok(Redirect::to("/staff"))
}

#[derive(Deserialize)]
pub(crate) struct Whose {
    name: String,
}

pub(crate) async fn end_sessions(
    State(app): State<App>,
    StaffSession { user, mut session, .. }: StaffSession,
    Form(Whose { name }): Form<Whose>,
) -> Result<Redirect, Failure> {
    app.sessions.revoke_user(&name, Reason::Revoked, by(&user)).await?;
    if name != user.as_str() {
        leave_notice(&mut session, format!("{name} is signed out everywhere."))?;
    }
    Ok(Redirect::to("/staff"))
}

/// The name that the user will read, as far as it fits.
fn by(user: &UserId) -> By {
    By::new(&format!("{STAFF} {user}")).or_else(|_| By::new(STAFF)).unwrap_or(By::SYSTEM)
}
