//! The pages, as functions from what they show to HTML.

pub(crate) mod account;
mod ago;
mod browser;
pub(crate) mod cart;
pub(crate) mod checkout;
mod drawings;
pub(crate) mod ended;
pub(crate) mod error;
pub(crate) mod home;
pub(crate) mod preferences;
pub(crate) mod sign_in;
pub(crate) mod staff;

use axum::response::Html;
use cloakroom::store::UserId;
use cloakroom::{Roles, Session, View};
use maud::{DOCTYPE, Markup, html};

use crate::data::{Shop, Theme};
use crate::staff::STAFF;

const NAME: &str = "Hook & Hanger";

/// What every page shows of its visitor.
pub(crate) struct Visitor {
    user: Option<UserId>,
    is_staff: bool,
    theme: Theme,
    items: u32,
    /// The sessions cannot be reached, so that nobody is known.
    outage: bool,
}

impl Visitor {
    fn new(shop: &Shop, user: Option<UserId>, roles: &Roles, outage: bool) -> Self {
        let is_staff = roles.contains(STAFF);
        Self { user, is_staff, theme: shop.theme, items: shop.cart.count(), outage }
    }
}

impl From<&Session<Shop>> for Visitor {
    fn from(session: &Session<Shop>) -> Self {
        Self::new(session.data(), session.user(), &session.roles(), false)
    }
}

impl From<&View<Shop>> for Visitor {
    fn from(view: &View<Shop>) -> Self {
        Self::new(view.data(), view.user(), &view.roles(), view.is_outage())
    }
}

/// A whole page around its content.
fn page(visitor: impl Into<Visitor>, title: &str, content: &Markup) -> Html<String> {
    let visitor = visitor.into();
    let page = html! {
        (DOCTYPE)
        html lang="en" data-theme=(visitor.theme.code()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " \u{2013} " (NAME) }
                link rel="icon" href="data:,";
                link rel="stylesheet" href="/style.css";
                script src="/shop.js" defer {}
            }
            body {
                a.skip href="#content" { "Skip to the content" }
                (header(&visitor))
                main #content {
                    @if visitor.outage {
                        p.note role="status" {
                            "We cannot look up your session just now. You are still signed in, and "
                            "your cart is safe."
                        }
                    }
                    (content)
                }
                (footer())
            }
        }
    };
    Html(page.into_string())
}

fn header(visitor: &Visitor) -> Markup {
    html! {
        header.site {
            a.brand href="/" { (drawings::hook()) span { (NAME) } }
            nav aria-label="Main" {
                a href="/cart" {
                    "Cart"
                    span #cart-count.badge data-empty[visitor.items == 0]
                        aria-label={ (visitor.items) " in the cart" } { (visitor.items) }
                }
                @if visitor.is_staff { a href="/staff" { "Staff" } }
                @if let Some(user) = &visitor.user {
                    a #user href="/account" { (user) }
                    form #sign-out method="post" action="/sign-out" {
                        button.quiet { "Sign out" }
                    }
                } @else {
                    a #sign-in href="/sign-in" { "Sign in" }
                }
            }
        }
    }
}

fn footer() -> Markup {
    html! {
        footer.site {
            p { "A small shop that shows how sessions are used. Nothing here is for sale." }
            a href="/preferences" { "Preferences" }
        }
    }
}

/// What the last request came to.
fn notice(text: Option<&str>) -> Markup {
    html! { @if let Some(text) = text { p #notice.note role="status" { (text) } } }
}

/// What is wrong with what the visitor sent.
fn problem(text: Option<&str>) -> Markup {
    html! { @if let Some(text) = text { p #problem.note.bad role="alert" { (text) } } }
}

/// Whose password a form asks for, for the visitor's password manager.
fn username(session: &Session<Shop>) -> Markup {
    let user = session.user();
    let name = user.as_ref().map_or("", UserId::as_str);
    html! { input type="text" value=(name) autocomplete="username" readonly hidden; }
}
