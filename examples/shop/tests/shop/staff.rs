use crate::visitor::Place;

#[tokio::test]
async fn the_first_account_is_staff_and_the_next_is_not() {
    let place = Place::open().await;
    let mut ada = place.sign_up("ada").await;
    let mut bob = place.sign_up("bob").await;

    let page = ada.get("/staff").await;

    assert!(page.status == 200 && page.shows("data-user=\"bob\"") && page.shows("1 session"));
    let refused = bob.get("/staff").await;
    assert!(refused.status == 403 && refused.shows("id=\"error\"") && refused.shows("sign-out"));
    assert!(!bob.get("/").await.shows("href=\"/staff\""));
    assert_eq!(place.browser().get("/staff").await.location(), "/sign-in?next=/staff");
}

#[tokio::test]
async fn a_role_holds_and_goes_with_the_next_request_in_every_session() {
    let place = Place::open().await;
    let mut ada = place.sign_up("ada").await;
    let mut bobs = [place.sign_up("bob").await, place.sign_in("bob").await];

    ada.post("/staff/role", "name=bob&staff=true").await;
    for bob in &mut bobs {
        assert_eq!(bob.get("/staff").await.status, 200);
    }
    assert_eq!(place.sign_in("bob").await.get("/staff").await.status, 200);
    ada.post("/staff/role", "name=bob&staff=false").await;

    for bob in &mut bobs {
        assert_eq!(bob.get("/staff").await.status, 403);
        assert_eq!(bob.post("/staff/role", "name=bob&staff=true").await.status, 403);
    }
    assert_eq!(place.sign_in("bob").await.get("/staff").await.status, 403);
}

#[tokio::test]
async fn the_last_member_of_staff_stays() {
    let place = Place::open().await;
    let mut ada = place.sign_up("ada").await;

    ada.post("/staff/role", "name=ada&staff=false").await;

    assert!(ada.get("/staff").await.shows("the last member of staff stays"));
}

#[tokio::test]
async fn who_was_signed_out_by_staff_learns_by_whom() {
    let place = Place::open().await;
    let mut ada = place.sign_up("ada").await;
    let mut bob = place.sign_up("bob").await;

    ada.post("/staff/end", "name=bob").await;
    assert!(ada.get("/staff").await.shows("bob is signed out everywhere."));

    let sent = bob.get("/account").await.location().to_owned();
    let why = bob.get(&sent).await;
    assert!(why.shows("A member of our staff (ada) ended your session just now."));
}

#[tokio::test]
async fn staff_may_sign_themselves_out_everywhere() {
    let place = Place::open().await;
    let mut ada = place.sign_up("ada").await;

    let answer = ada.post("/staff/end", "name=ada").await;

    assert_eq!((answer.status.as_u16(), answer.location()), (303, "/staff"));
    assert!(!ada.is_signed_in().await);
}
