//! The cart, which parallel requests may fill at once.

use std::collections::BTreeMap;

use axum::Form;
use axum::response::{Html, Redirect};
use cloakroom::Session;
use serde::{Deserialize, Serialize};

use crate::catalog::{Cents, Product, product};
use crate::data::Shop;
use crate::failure::Failure;
use crate::pages;

/// How many of each product. Ordered, so that an unchanged cart is the same text each time.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Cart(BTreeMap<String, u32>);

impl Cart {
    /// The most of one product.
    pub(crate) const MAX: u32 = 999;

    pub(crate) fn add(&mut self, product: &Product, count: u32) {
        let before = self.0.get(product.slug).copied().unwrap_or_default();
        self.put(product, before.saturating_add(count));
    }

    /// From now on `count` of the product.
    pub(crate) fn put(&mut self, product: &Product, count: u32) {
        if count == 0 {
            self.0.remove(product.slug);
        } else {
            self.0.insert(product.slug.to_owned(), count.min(Self::MAX));
        }
    }

    /// Products and how many of each; what the shop no longer sells is left out.
    pub(crate) fn lines(&self) -> impl Iterator<Item = (&'static Product, u32)> {
        self.0.iter().filter_map(|(slug, count)| Some((product(slug)?, *count)))
    }

    pub(crate) fn count(&self) -> u32 {
        self.lines().map(|(_, count)| count).sum()
    }

    pub(crate) fn total(&self) -> Cents {
        self.lines().map(|(product, count)| product.price.times(count)).sum()
    }
}

#[derive(Deserialize)]
pub(crate) struct Line {
    product: String,
    #[serde(default = "one")]
    count: u32,
}

const fn one() -> u32 {
    1
}

impl Line {
    fn product(&self) -> Result<&'static Product, Failure> {
        product(&self.product).ok_or(Failure::NotFound)
    }
}

pub(crate) async fn show(session: Session<Shop>) -> Html<String> {
    pages::cart::page(&session)
}

/// `update` runs on the newest cart, so that of any number of parallel clicks each one counts.
pub(crate) async fn add(
    mut session: Session<Shop>,
    Form(line): Form<Line>,
) -> Result<Redirect, Failure> {
    let product = line.product()?;
    session.update(|shop| shop.cart.add(product, line.count)).await?;
    Ok(Redirect::to(&format!("/#{}", product.slug)))
}

pub(crate) async fn change(
    mut session: Session<Shop>,
    Form(line): Form<Line>,
) -> Result<Redirect, Failure> {
    let product = line.product()?;
    session.update(|shop| shop.cart.put(product, line.count)).await?;
    Ok(Redirect::to("/cart"))
}

pub(crate) async fn clear(mut session: Session<Shop>) -> Result<Redirect, Failure> {
    session.update(|shop| shop.cart = Cart::default()).await?;
    Ok(Redirect::to("/cart"))
}
