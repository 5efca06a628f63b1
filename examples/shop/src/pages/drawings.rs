//! The pictures: lines in the colour of the text.

use maud::{Markup, html};

use crate::catalog::Product;

/// The product's picture, which says nothing that its name does not.
pub(super) fn of(product: &Product) -> Markup {
    drawing(strokes(product.slug))
}

/// The shop's sign.
pub(super) fn hook() -> Markup {
    drawing("M48 42V34c0-6 9-7 9-15a9 9 0 0 0-18 0M48 42 14 66c-4 3-2 10 4 10h60c6 0 8-7 4-10z")
}

fn drawing(strokes: &str) -> Markup {
    html! {
        svg viewBox="0 0 96 96" aria-hidden="true" focusable="false" { path d=(strokes) {} }
    }
}

fn strokes(slug: &str) -> &'static str {
    match slug {
        "coat" => {
            "M38 18 24 25 12 62l11 4 7-22-2 44h40l-2-44 7 22 11-4-12-37-14-7M38 18l10 20 10-20z\
             M48 38v50M54 52h.1M54 64h.1M32 68h9M55 76h9"
        }
        "hat" => {
            "M28 58c-1-22 4-34 12-34 4 0 6 4 8 4s4-4 8-4c8 0 13 12 12 34M28 50c12 6 28 6 40 0\
             M28 56C18 55 10 56 8 60c-1 6 20 14 40 14s41-8 40-14c-2-4-10-5-20-4-10 8-30 8-40 0z"
        }
        "umbrella" => {
            "M48 12v7M10 54c2-22 18-35 38-35s36 13 38 35c-6-7-19-7-25 0-6-7-20-7-26 0-6-7-19-7-25 0z\
             M35 54c1-16 6-28 13-35 7 7 12 19 13 35M48 50v28c0 10-13 10-13 1"
        }
        "scarf" => {
            "M28 26c0-14 40-14 40 0 0 12-40 12-40 0zM29 29l-3 3c0 6 8 10 14 10l-6 40h18l5-40\
             M57 41l9 33 16-4-11-34M36 70h17M38 58h16M62 60l14-4M36 82v5M43 82v5M50 82v5\
             M68 74l1 5M78 71l1 5"
        }
        "bag" => {
            "M18 38h60c5 0 8 3 8 8v28c0 5-3 8-8 8H18c-5 0-8-3-8-8V46c0-5 3-8 8-8z\
             M32 38V28c0-8 5-12 16-12s16 4 16 12v10M10 56h32M54 56h32M42 50h12v12H42z"
        }
        "boots" => {
            "M30 12h26v40c0 4 3 5 8 7 10 3 16 7 16 15v4H30zM28 78h54v8H28zM30 24h26M44 36h12M44 46h12\
             M56 52c-4 1-7 3-8 7"
        }
        _ => "M20 20h56v56H20z",
    }
}
