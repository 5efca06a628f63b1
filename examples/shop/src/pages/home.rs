//! The front page: what the shop sells.

use axum::response::Html;
use cloakroom::View;
use maud::{Markup, html};

use super::{drawings, page};
use crate::catalog::{PRODUCTS, Product};
use crate::data::Shop;

/// A `View` is served even while the sessions cannot be reached.
pub(crate) async fn show(view: View<Shop>) -> Html<String> {
    let content = html! {
        section.hero {
            h1 { "Everything that hangs on a hook." }
            p { "Coats, hats and what goes with them. Leave them with us and keep the ticket." }
        }
        p #status.visually-hidden role="status" {}
        ul.products {
            @for product in &PRODUCTS { (card(product)) }
        }
    };
    page(&view, "Coats, hats and umbrellas", &content)
}

fn card(product: &Product) -> Markup {
    html! {
        li.card.product id=(product.slug) {
            div.picture { (drawings::of(product)) }
            h2 { (product.name) }
            p { (product.about) }
            form method="post" action="/cart/add" data-add=(product.name) {
                input type="hidden" name="product" value=(product.slug);
                span.price { (product.price) }
                button { "Add" span.visually-hidden { " " (product.name) " to the cart" } }
            }
        }
    }
}
