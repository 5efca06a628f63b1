//! The pages.

use axum::response::Html;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::site::Site;
use crate::switches::Bad;
use crate::visit::Visit;

/// A whole page around its content; every one says what this application is.
pub(crate) fn page(site: &Site, visit: &Visit, title: &str, content: &Markup) -> Html<String> {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) }
            }
            body {
                p { strong { "This application is bad on purpose: never let it out of this machine." } }
                (broken(site))
                (navigation(site, visit))
                h1 { (title) }
                @if let Some(token) = visit.planted.as_ref().filter(|_| site.switches.has(Bad::I05)) {
                    p { "There is no session " (shortened(token)) }
                }
                (content)
                @if site.switches.has(Bad::H05) {
                    script { (PreEscaped("localStorage.setItem('authToken', document.title);")) }
                }
            }
        }
    };
    Html(page.into_string())
}

/// The beginning of what may be very long.
fn shortened(token: &str) -> String {
    token.chars().take(64).collect()
}

fn broken(site: &Site) -> Markup {
    let rows: Vec<_> = site.switches.rows().collect();
    html! {
        @if rows.is_empty() { p { "No switch is on, so that nothing is wrong with it." } }
        @else { ul { @for row in rows { li { (row.id) ": " (row.breaks) } } } }
    }
}

fn navigation(site: &Site, visit: &Visit) -> Markup {
    html! {
        nav {
            a href="/" { "Home" } " "
            a href="/about" { "About" } " "
            a href="/news" { "News" } " "
            a href="/cart" { "Cart" } " "
            @if let Some(user) = visit.user() {
                a href="/account" { (user) } " "
                @if site.switches.has(Bad::O08) { a href="/logout" { "Sign out" } }
                @else if !site.switches.has(Bad::O05) { (button(visit, "/logout", "Sign out")) }
            } @else {
                a href="/login" { "Sign in" }
            }
        }
    }
}

/// A form of one button.
fn button(visit: &Visit, action: &str, label: &str) -> Markup {
    html! { form method="post" action=(action) { (form_token(visit)) button { (label) } } }
}

/// Goes with every form of a session.
fn form_token(visit: &Visit) -> Markup {
    html! {
        @if let Some(session) = visit.session() {
            input type="hidden" name="form_token" value=(session.form_token);
        }
    }
}

pub(crate) fn text(site: &Site, visit: &Visit, title: &str, text: &str) -> Html<String> {
    page(site, visit, title, &html! { p { (text) } })
}

pub(crate) fn login(site: &Site, visit: &Visit, problem: Option<&str>) -> Html<String> {
    let content = html! {
        @if let Some(problem) = problem { p role="alert" { (problem) } }
        form method="post" action="/login" {
            (form_token(visit))
            label { "Name " input type="text" name="name" autocomplete="username"; }
            label { "Password " input type="password" name="password" autocomplete="current-password"; }
            label { input type="checkbox" name="remember" value="yes"; " Remember me here for a week" }
            button { "Sign in" }
        }
    };
    page(site, visit, "Sign in", &content)
}

pub(crate) fn cart(site: &Site, visit: &Visit) -> Html<String> {
    let items = visit.session().map_or(0, |session| session.items);
    let content = html! {
        p { "In the cart: " span #items { (items) } }
        (button(visit, "/cart/add", "One more"))
    };
    page(site, visit, "Cart", &content)
}

/// What a user sees of themselves.
pub(crate) struct Account<'a> {
    pub(crate) shown_name: &'a str,
    /// The token, where the page repeats it.
    pub(crate) repeated: Option<&'a str>,
}

pub(crate) fn account(site: &Site, visit: &Visit, account: &Account<'_>) -> Html<String> {
    let is_fresh = visit.session().is_some_and(|session| session.is_fresh);
    let content = html! {
        p { "You are " span #name { (account.shown_name) } "." }
        @if is_fresh { p { "You gave your password again." } }
        @if let Some(token) = account.repeated { p { "Your session is " code { (token) } } }
        h2 { "Profile" }
        form method="post" action="/profile" {
            (form_token(visit))
            label { "Shown name " input type="text" name="shown_name" value=(account.shown_name); }
            button { "Save" }
        }
        h2 { "Password" }
        form method="post" action="/password" {
            (form_token(visit))
            label { "Old " input type="password" name="old" autocomplete="current-password"; }
            label { "New " input type="password" name="new" autocomplete="new-password"; }
            button { "Change" }
        }
        h2 { "Prove that it is you" }
        form method="post" action="/step-up" {
            (form_token(visit))
            label { "Password " input type="password" name="password" autocomplete="current-password"; }
            button { "Prove it" }
        }
    };
    page(site, visit, "Account", &content)
}

pub(crate) fn refused() -> Html<&'static str> {
    Html(
        "<!DOCTYPE html><title>Refused</title><p>This request does not come from a page of this site.",
    )
}
