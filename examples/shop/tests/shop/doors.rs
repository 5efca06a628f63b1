use std::time::Duration;

use crate::visitor::{PASSWORD, Place, credentials};

const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_visitor_signs_up_and_out_and_in() {
    let place = Place::open().await;
    let mut ada = place.sign_up("ada").await;
    let after_sign_up = ada.cookie.clone();
    assert!(ada.is_signed_in().await);

    let out = ada.post("/sign-out", "").await;
    assert_eq!((out.status.as_u16(), out.location()), (303, "/"));
    assert!(!ada.is_signed_in().await);
    let back = ada.post("/sign-in", &credentials("ADA")).await;

    assert_eq!((back.status.as_u16(), back.location()), (303, "/"));
    assert!(ada.is_signed_in().await);
    assert_ne!(ada.cookie, after_sign_up);
}

#[tokio::test]
async fn a_signed_out_ticket_stays_signed_out() {
    let place = Place::open().await;
    let mut ada = place.sign_up("ada").await;
    let mut copy = ada.clone();

    ada.post("/sign-out", "").await;

    assert!(!copy.is_signed_in().await);
    assert!(copy.get("/sign-in").await.shows("You signed out just now."));
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_name_get_the_same_answer() {
    let place = Place::open().await;
    place.sign_up("ada").await;
    let mut stranger = place.browser();

    let wrong = stranger.post("/sign-in", "name=ada&password=something+else").await;
    let unknown = stranger.post("/sign-in", "name=eve&password=something+else").await;

    assert_eq!(wrong.status, 422);
    assert!(wrong.shows("This name and password do not belong together."));
    assert_eq!((unknown.status, unknown.text), (wrong.status, wrong.text.replace("ada", "eve")));
    assert_eq!(stranger.cookie, None);
}

#[tokio::test]
async fn sign_up_says_what_is_wrong() {
    let place = Place::open().await;
    place.sign_up("ada").await;
    let long = format!("name=bob&password={}", "x".repeat(129));
    let mut visitor = place.browser();

    for (form, said) in [
        ("name=Ada&password=long+enough", "Somebody has this name already."),
        ("name=a%3Cb&password=long+enough", "A name is 2 to 20 letters"),
        ("name=bob&password=short", "A password has at least 8 characters"),
        (long.as_str(), "A password has at least 8 characters"),
    ] {
        let answer = visitor.post("/sign-up", form).await;

        assert_eq!(answer.status, 422);
        assert!(answer.shows(said), "{form}: {}", answer.text);
    }
}

#[tokio::test]
async fn what_was_typed_comes_back_escaped() {
    let place = Place::open().await;

    let answer = place.browser().post("/sign-in", "name=%22%3E%3Cb%3E&password=x").await;

    assert!(answer.shows("value=\"&quot;&gt;&lt;b&gt;\""), "{}", answer.text);
}

#[tokio::test]
async fn after_signing_in_a_visitor_is_where_they_wanted_to_go_and_never_elsewhere() {
    let place = Place::open().await;
    place.sign_up("ada").await;
    let mut ada = place.browser();

    let sent = ada.get("/account").await.location().to_owned();
    assert_eq!(sent, "/sign-in?next=/account");
    assert!(ada.get(&sent).await.shows("name=\"next\" value=\"/account\""));
    for (next, expected) in [
        ("/account", "/account"),
        ("%2F%2Fevil.example", "/"),
        ("/%5Cevil.example", "/"),
        ("https://evil.example/", "/"),
    ] {
        let form = format!("{}&next={next}", credentials("ada"));
        assert_eq!(ada.post("/sign-in", &form).await.location(), expected, "{next}");
    }
}

#[tokio::test]
async fn only_who_asks_for_it_is_remembered() {
    let place = Place::open().await;
    place.sign_up("ada").await;
    let mut forgotten = place.sign_in("ada").await;
    let mut remembered = place.browser();
    let form = format!("{}&remember=true", credentials("ada"));
    let answer = remembered.post("/sign-in", &form).await;
    assert!(answer.headers["set-cookie"].to_str().unwrap().contains("Max-Age=2592000"));

    place.clock.advance(31 * MINUTE);

    assert!(!forgotten.is_signed_in().await);
    assert!(remembered.is_signed_in().await);
    let why = forgotten.get("/sign-in").await;
    assert!(why.shows("ended 1 minute ago, because nothing happened for 30 minutes"));
}

#[tokio::test]
async fn the_theme_stays_in_the_browser_whoever_uses_it() {
    let place = Place::open().await;
    let mut browser = place.browser();

    let saved = browser.post("/preferences", "theme=dark").await;
    assert_eq!(saved.location(), "/preferences");
    assert!(browser.get("/preferences").await.shows("Saved."));
    assert!(!browser.get("/preferences").await.shows("Saved."));
    browser.post("/sign-up", &credentials("ada")).await;
    assert!(browser.get("/").await.shows("data-theme=\"dark\""));
    browser.post("/sign-out", "").await;

    assert!(browser.get("/").await.shows("data-theme=\"dark\""));
    assert!(!browser.is_signed_in().await);
}

#[tokio::test]
async fn a_form_of_another_site_is_not_carried_out() {
    let place = Place::open().await;
    let mut ada = place.sign_up("ada").await;

    let refused = ada.forged("/sign-out").await;

    assert_eq!(refused.status, 403);
    assert!(ada.is_signed_in().await);
}

#[tokio::test]
async fn every_answer_is_hardened_and_errors_are_dressed() {
    let place = Place::open().await;
    let mut visitor = place.browser();

    for (path, status) in
        [("/", 200), ("/style.css", 200), ("/nowhere", 404), ("/cart/add", 405), ("/account", 303)]
    {
        let answer = visitor.get(path).await;
        let header = |name| answer.headers.get(name).map_or("", |value| value.to_str().unwrap());

        assert_eq!(answer.status, status, "{path}");
        assert!(header("content-security-policy").starts_with("default-src 'none';"), "{path}");
        assert_eq!(header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.shows("id=\"error\""), matches!(status, 404 | 405), "{path}");
    }
    assert_eq!(visitor.cookie, None);
    assert!(visitor.post("/sign-in", PASSWORD).await.shows("That did not work"));
}
