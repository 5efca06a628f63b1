//! The checkout and the page after it.

use axum::response::Html;
use cloakroom::Session;
use maud::{Markup, html};

use super::{problem, username};
use crate::cart::Cart;
use crate::data::Shop;

pub(crate) fn page(session: &Session<Shop>, is_fresh: bool, wrong: Option<&str>) -> Html<String> {
    let cart = &session.data().cart;
    let content = html! {
        div.narrow {
            h1 { "Check out" }
            (problem(wrong))
            @if cart.count() == 0 {
                p { "There is nothing to pay for. " a href="/" { "Have a look around." } }
            } @else {
                (receipt(cart))
                (form(session, is_fresh))
            }
        }
    };
    super::page(session, "Check out", &content)
}

fn form(session: &Session<Shop>, is_fresh: bool) -> Markup {
    html! {
        form.card.stack #checkout method="post" action="/checkout" {
            @if !is_fresh {
                p #confirm {
                    "You signed in a while ago. Please confirm that it is still you."
                }
                (username(session))
                label {
                    "Your password"
                    input type="password" name="password" required autocomplete="current-password";
                }
            }
            button { "Place the order" }
            p.hint { "No money moves: this is an example." }
        }
    }
}

pub(crate) fn order(session: &Session<Shop>) -> Html<String> {
    let content = html! {
        div.narrow {
            @if let Some(order) = &session.data().order {
                h1 { "Thank you!" }
                p { "Your order is on its hanger. This is what will come:" }
                (receipt(order))
            } @else {
                h1 { "No order yet" }
            }
            p { a.button href="/" { "Back to the shop" } }
        }
    };
    super::page(session, "Your order", &content)
}

fn receipt(cart: &Cart) -> Markup {
    html! {
        table.card.receipt {
            thead.visually-hidden { tr { th { "What" } th { "How many" } th { "Price" } } }
            tbody {
                @for (product, count) in cart.lines() {
                    tr {
                        td { (product.name) }
                        td.number { (count) }
                        td.number { (product.price.times(count)) }
                    }
                }
            }
            tfoot { tr { th scope="row" colspan="2" { "Total" } td.number { (cart.total()) } } }
        }
    }
}
