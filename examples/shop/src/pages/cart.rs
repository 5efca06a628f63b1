//! The cart.

use axum::response::Html;
use cloakroom::Session;
use maud::{Markup, html};

use super::drawings;
use crate::cart::Cart;
use crate::catalog::Product;
use crate::data::Shop;

fn title_of(cart: &Cart) -> String {
    match cart.count() {
        0 => "Your cart is empty".to_owned(),
        1 => "One thing in your cart".to_owned(),
        count => format!("{count} things in your cart"),
    }
}

pub(crate) fn page(session: &Session<Shop>) -> Html<String> {
    let cart = &session.data().cart;
    let title = title_of(cart);
    let content = html! {
        h1 { (title) }
        @if cart.count() == 0 {
            p { "Nothing hangs here yet. " a href="/" { "Have a look around." } }
        } @else {
            ul.lines { @for (product, count) in cart.lines() { (line(product, count)) } }
            p.total { span { "Total" } strong #total { (cart.total()) } }
            div.actions {
                a.button href="/checkout" { "Check out" }
                form #clear method="post" action="/cart/clear" {
                    button.quiet { "Empty the cart" }
                }
            }
        }
    };
    super::page(session, &title, &content)
}

fn line(product: &Product, count: u32) -> Markup {
    let label = format!("How many of: {}", product.name);
    html! {
        li.card.line data-product=(product.slug) {
            div.picture { (drawings::of(product)) }
            div.what {
                h2 { (product.name) }
                p { (product.price) " each" }
            }
            form.change method="post" action="/cart/change" {
                input type="hidden" name="product" value=(product.slug);
                input.count type="number" name="count" value=(count) min="0" max=(Cart::MAX)
                    required inputmode="numeric" aria-label=(label);
                button.quiet { "Change" }
            }
            form.remove method="post" action="/cart/change" {
                input type="hidden" name="product" value=(product.slug);
                input type="hidden" name="count" value="0";
                button.quiet { "Remove" span.visually-hidden { " " (product.name) } }
            }
            strong.sum { (product.price.times(count)) }
        }
    }
}
