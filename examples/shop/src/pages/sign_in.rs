//! The doors: sign in and sign up.

use axum::response::Html;
use cloakroom::Session;
use maud::{Markup, html};

use super::problem;
use crate::data::Shop;
use crate::next::Next;

/// What a door shows besides its form.
#[derive(Default)]
pub(crate) struct Entry {
    pub(crate) next: Next,
    /// The name that was typed last time.
    pub(crate) name: String,
    pub(crate) problem: Option<&'static str>,
    /// Why the last session is over.
    pub(crate) why: Option<String>,
}

pub(crate) fn page(session: &Session<Shop>, entry: &Entry) -> Html<String> {
    let content = html! {
        div.narrow {
            h1 { "Sign in" }
            @if let Some(why) = &entry.why { p #why.note role="status" { (why) } }
            (problem(entry.problem))
            form.card.stack #sign-in-form method="post" action="/sign-in" {
                (next(entry))
                (name(entry))
                label {
                    "Password"
                    input type="password" name="password" required autocomplete="current-password";
                }
                (remember())
                button { "Sign in" }
            }
            p { "New here? " a #to-sign-up href=(door("/sign-up", entry)) { "Make an account." } }
        }
    };
    super::page(session, "Sign in", &content)
}

pub(crate) fn sign_up_page(session: &Session<Shop>, entry: &Entry) -> Html<String> {
    let content = html! {
        div.narrow {
            h1 { "Make an account" }
            (problem(entry.problem))
            form.card.stack #sign-up-form method="post" action="/sign-up" {
                (next(entry))
                (name(entry))
                label {
                    "Password"
                    input type="password" name="password" required minlength="8"
                        autocomplete="new-password" aria-describedby="rule";
                }
                p #rule.hint { "At least 8 characters. A few words are better than a few signs." }
                (remember())
                button { "Make the account" }
            }
            p { "Been here before? " a href=(door("/sign-in", entry)) { "Sign in." } }
        }
    };
    super::page(session, "Make an account", &content)
}

fn next(entry: &Entry) -> Markup {
    html! { input type="hidden" name="next" value=(entry.next.path()); }
}

fn name(entry: &Entry) -> Markup {
    html! {
        label {
            "Name"
            input type="text" name="name" value=(entry.name) required maxlength="20"
                autocomplete="username" autocapitalize="none" spellcheck="false";
        }
    }
}

/// Not checked: whoever uses somebody else's browser would forget to uncheck it.
fn remember() -> Markup {
    html! {
        label.choice {
            input type="checkbox" name="remember" value="true";
            "Remember me here for 30 days"
        }
    }
}

/// The other door, which leads to the same place.
fn door(path: &str, entry: &Entry) -> String {
    let next = entry.next.path().replace('%', "%25").replace('&', "%26").replace('#', "%23");
    format!("{path}?next={}", next.replace('+', "%2B"))
}
