//! What the shop sells.

use std::fmt;

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Product {
    /// Its name in addresses, forms and carts.
    pub(crate) slug: &'static str,
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) price: Cents,
}

pub(crate) const PRODUCTS: [Product; 6] = [
    Product {
        slug: "coat",
        name: "Long coat",
        about: "Heavy wool, two buttons, warm down to the knees.",
        price: Cents(18_900),
    },
    Product {
        slug: "hat",
        name: "Felt hat",
        about: "Keeps its shape through a night on the hook.",
        price: Cents(6_400),
    },
    Product {
        slug: "umbrella",
        name: "Umbrella",
        about: "Eight ribs and a handle that finds its peg.",
        price: Cents(3_850),
    },
    Product {
        slug: "scarf",
        name: "Striped scarf",
        about: "Two metres of lambswool, for twice around.",
        price: Cents(2_900),
    },
    Product {
        slug: "bag",
        name: "Weekend bag",
        about: "Canvas and leather, for what two days need.",
        price: Cents(11_200),
    },
    Product {
        slug: "boots",
        name: "Lined boots",
        about: "For puddles, slush and the way to the tram.",
        price: Cents(13_400),
    },
];

pub(crate) fn product(slug: &str) -> Option<&'static Product> {
    PRODUCTS.iter().find(|product| product.slug == slug)
}

/// An amount of money in euro cents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cents(pub(crate) u64);

impl Cents {
    pub(crate) const fn times(self, count: u32) -> Self {
        Self(self.0 * count as u64)
    }
}

impl std::iter::Sum for Cents {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        Self(amounts.map(|amount| amount.0).sum())
    }
}

impl fmt::Display for Cents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\u{20ac}{}.{:02}", self.0 / 100, self.0 % 100)
    }
}
