use std::time::Duration;

use crate::visitor::{PASSWORD, Place, credentials};

const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_cart_is_filled_changed_and_emptied() {
    let place = Place::open().await;
    let mut visitor = place.browser();

    let added = visitor.post("/cart/add", "product=coat").await;
    assert_eq!(added.location(), "/#coat");
    visitor.post("/cart/add", "product=hat&count=2").await;
    assert_eq!(visitor.items().await, 3);
    visitor.post("/cart/change", "product=hat&count=5").await;
    visitor.post("/cart/change", "product=coat&count=0").await;
    let page = visitor.get("/cart").await;
    assert!(page.shows("data-product=\"hat\"") && !page.shows("data-product=\"coat\""));
    assert!(page.shows("\u{20ac}320.00"));
    visitor.post("/cart/clear", "").await;

    assert_eq!(visitor.items().await, 0);
    assert_eq!(visitor.post("/cart/add", "product=moon").await.status, 404);
}

#[tokio::test]
async fn a_cart_goes_along_at_sign_in_and_not_at_sign_out() {
    let place = Place::open().await;
    place.sign_up("ada").await;
    let mut browser = place.browser();
    browser.post("/cart/add", "product=scarf").await;

    browser.post("/sign-in", &credentials("ada")).await;
    assert_eq!(browser.items().await, 1);
    browser.post("/sign-out", "").await;

    assert_eq!(browser.items().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_parallel_clicks_each_one_counts() {
    let place = Place::open().await;
    let mut visitor = place.browser();
    visitor.post("/cart/add", "product=boots").await;

    let clicks: Vec<_> = (0..50)
        .map(|_| {
            let mut tab = visitor.clone();
            tokio::spawn(async move { tab.post("/cart/add", "product=boots").await.status })
        })
        .collect();
    for click in clicks {
        assert_eq!(click.await.unwrap(), 303);
    }

    assert_eq!(visitor.items().await, 51);
}

#[tokio::test]
async fn an_order_needs_a_user_and_takes_what_is_in_the_cart() {
    let place = Place::open().await;
    let mut ada = place.browser();
    ada.post("/cart/add", "product=bag").await;
    assert_eq!(ada.get("/checkout").await.location(), "/sign-in?next=/checkout");

    ada.post("/sign-up", &credentials("ada")).await;
    assert!(!ada.get("/checkout").await.shows("id=\"confirm\""));
    assert_eq!(ada.post("/checkout", "").await.location(), "/order");

    assert!(ada.get("/order").await.shows("Weekend bag"));
    assert_eq!(ada.items().await, 0);
    assert_eq!(ada.post("/checkout", "").await.location(), "/cart");
}

#[tokio::test]
async fn who_signed_in_a_while_ago_confirms_an_order_with_the_password() {
    let place = Place::open().await;
    let mut ada = place.sign_up("ada").await;
    ada.post("/cart/add", "product=bag").await;
    let before = ada.cookie.clone();

    place.clock.advance(6 * MINUTE);
    assert!(ada.get("/checkout").await.shows("id=\"confirm\""));
    assert_eq!(ada.post("/checkout", "").await.status, 422);
    assert_eq!(ada.post("/checkout", "password=wrong").await.status, 422);
    assert_eq!((ada.items().await, &ada.cookie), (1, &before));
    let confirmed = ada.post("/checkout", &format!("password={PASSWORD}")).await;

    assert_eq!(confirmed.location(), "/order");
    assert_ne!(ada.cookie, before, "a step-up brings a new token");
    assert!(!ada.get("/checkout").await.shows("id=\"confirm\""));
}
