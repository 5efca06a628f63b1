use std::time::Duration;

use crate::visitor::{PASSWORD, Place, credentials};

const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn an_account_lists_its_sessions_and_marks_this_one() {
    let place = Place::open().await;
    let mut first = place.sign_up("ada").await;
    place.clock.advance(3 * MINUTE);
    let mut second = place.sign_in("ada").await;

    let page = second.get("/account").await;

    assert_eq!(page.sessions().len(), 2);
    assert_eq!(page.text.matches("This browser").count(), 1);
    assert_eq!(page.text.matches("Firefox on Linux").count(), 2);
    assert!(page.shows("Signed in 3 minutes ago, last seen 3 minutes ago"));
    assert_ne!(page.sessions()[0], first.get("/account").await.sessions()[0]);
}

#[tokio::test]
async fn one_session_is_ended_from_another_and_learns_why() {
    let place = Place::open().await;
    let mut lost = place.sign_up("ada").await;
    let mut ada = place.sign_in("ada").await;
    let ids = ada.get("/account").await.sessions();

    let ended = ada.post("/account/end", &format!("session={}", ids[1])).await;
    assert_eq!(ended.location(), "/account");
    assert!(ada.get("/account").await.shows("The session is over."));

    assert_eq!(lost.get("/account").await.location(), "/sign-in?next=/account");
    let why = lost.get("/sign-in").await;
    assert!(why.shows("You, from another browser, ended your session just now."));
}

#[tokio::test]
async fn nobody_ends_a_session_of_somebody_else() {
    let place = Place::open().await;
    let mut ada = place.sign_up("ada").await;
    let mut eve = place.sign_up("eve").await;
    let target = ada.get("/account").await.sessions().remove(0);

    eve.post("/account/end", &format!("session={target}")).await;

    assert!(eve.get("/account").await.shows("That session was over already."));
    assert!(ada.is_signed_in().await);
    assert_eq!(eve.post("/account/end", "session=nonsense").await.status, 404);
}

#[tokio::test]
async fn all_other_sessions_are_ended_at_once() {
    let place = Place::open().await;
    let mut others = [place.sign_up("ada").await, place.sign_in("ada").await];
    let mut ada = place.sign_in("ada").await;

    ada.post("/account/end-others", "").await;

    assert!(ada.get("/account").await.shows("2 other sessions are over."));
    for other in &mut others {
        assert!(!other.is_signed_in().await);
    }
}

#[tokio::test]
async fn a_new_password_ends_all_other_sessions() {
    let place = Place::open().await;
    let mut other = place.sign_up("ada").await;
    let mut ada = place.sign_in("ada").await;
    let before = ada.cookie.clone();

    let wrong = ada.post("/account/password", "old=nonsense&new=another+good+one").await;
    assert!(wrong.status == 422 && wrong.shows("The old password is not right."));
    let short = ada.post("/account/password", &format!("old={PASSWORD}&new=short")).await;
    assert!(short.status == 422 && short.shows("at least 8 characters"));
    assert!(other.is_signed_in().await);
    ada.post("/account/password", &format!("old={PASSWORD}&new=another+good+one")).await;

    assert!(ada.is_signed_in().await && ada.cookie != before);
    assert!(!other.is_signed_in().await);
    assert!(other.get("/sign-in").await.shows("Your password was changed just now"));
    assert_eq!(other.post("/sign-in", &credentials("ada")).await.status, 422);
    assert_eq!(other.post("/sign-in", "name=ada&password=another+good+one").await.status, 303);
}

#[tokio::test]
async fn a_sixth_session_takes_the_place_of_the_one_unused_for_the_longest() {
    let place = Place::open().await;
    let mut first = place.sign_up("ada").await;
    let mut others = Vec::new();
    for _ in 0..5 {
        place.clock.advance(MINUTE);
        others.push(place.sign_in("ada").await);
    }

    assert_eq!(others[4].get("/account").await.sessions().len(), 5);
    assert!(!first.is_signed_in().await);
    assert!(first.get("/sign-in").await.shows("you signed in on too many browsers"));
    assert!(others[0].is_signed_in().await);
}
