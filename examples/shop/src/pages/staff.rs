//! The staff's page: everybody, with their roles and sessions.

use axum::response::Html;
use cloakroom::Session;
use maud::{Markup, html};

use super::notice;
use crate::accounts::Account;
use crate::data::Shop;

pub(crate) fn page(
    session: &Session<Shop>,
    people: &[(Account, usize)],
    done: Option<&str>,
) -> Html<String> {
    let content = html! {
        h1 { "Staff only" }
        (notice(done))
        ul.lines { @for (account, sessions) in people { (line(account, *sessions)) } }
        p.hint { "A role that is withdrawn is gone at the user's next request, in all sessions." }
    };
    super::page(session, "Staff", &content)
}

fn line(account: &Account, sessions: usize) -> Markup {
    let Account { name, staff } = account;
    html! {
        li.card.person data-user=(name) {
            div.what {
                h2 { (name) }
                p {
                    @match sessions {
                        0 => { "not signed in" }
                        1 => { "1 session" }
                        many => { (many) " sessions" }
                    }
                }
            }
            @if *staff { span.badge { "Staff" } }
            form.role method="post" action="/staff/role" {
                input type="hidden" name="name" value=(name);
                input type="hidden" name="staff" value={ @if *staff { "false" } @else { "true" } };
                button.quiet { @if *staff { "Withdraw the role" } @else { "Make staff" } }
            }
            @if sessions > 0 {
                form.end method="post" action="/staff/end" {
                    input type="hidden" name="name" value=(name);
                    button.quiet { "End sessions" span.visually-hidden { " of " (name) } }
                }
            }
        }
    }
}
