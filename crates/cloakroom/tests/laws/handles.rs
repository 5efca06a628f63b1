//! Several handles and several changes in one request.

use axum::Extension;
use axum::extract::Path;
use axum::http::{Method, StatusCode};
use axum::routing::post;
use cloakroom::store::By;
use cloakroom::{Error, Session};

use crate::support::*;

#[tokio::test]
async fn two_extractions_of_one_request_compose() {
    let two = async |mut a: Session<Shop>, mut b: Session<Shop>| {
        a.edit(|data| data.count += 1)?;
        b.edit(|data| data.count += 1)?;
        a.set("note", &"a")?;
        b.edit(|data| data.cart.push("pen".into()))?;
        let count = b.update(|data| {
            data.count += 1;
            data.count
        });
        let count = count.await?;
        a.edit(|data| data.count += 1)?;
        Ok::<_, Error>(count.to_string())
    };
    let house = House::new(routes().route("/two", post(two)));
    let browser = house.user("ada").await;

    let reply = browser.post("/two").await;

    assert_eq!(reply.body, "3");
    assert_eq!(browser.body("/data").await, "cart=pen count=4 theme=- note=a");
}

#[tokio::test]
async fn changes_of_one_request_at_once_all_land() {
    let at_once = async |mut a: Session<Shop>, mut b: Session<Shop>, mut c: Session<Shop>| {
        let one = |data: &mut Shop| data.count += 1;
        let (a, b, c) = tokio::join!(a.update(one), b.update(one), c.update(one));
        a.and(b).and(c)
    };
    let house = House::new(routes().route("/at-once", post(at_once)));

    for browser in [house.browser(), house.user("ada").await] {
        assert_eq!(browser.post("/at-once").await.status, StatusCode::OK);
        assert_eq!(browser.body("/count").await, "3");
    }
}

#[tokio::test]
async fn an_update_that_the_handler_gives_up_takes_no_edit_with_it() {
    let gives_up = async |Extension(pause): Extension<Pause>, mut s: Session<Shop>| {
        s.edit(|data| data.note = "promised".into())?;
        tokio::select! {
            landed = s.update(|data| data.count += 1) => landed?,
            () = pause.here() => {}
        }
        Ok::<_, Error>(())
    };
    let pause = Pause::default();
    let routes = routes().route("/gives-up", post(gives_up)).layer(Extension(pause.clone()));
    let house = House::new(routes);
    let browser = house.user("ada").await;
    let hold = house.store.hold();
    let other = browser.start(Method::POST, "/add");
    hold.until(1).await;

    let request = browser.start(Method::POST, "/gives-up");
    pause.reached().await;
    pause.go();
    for _ in 0..50 {
        tokio::task::yield_now().await;
    }
    hold.release();
    let reply = request.await.unwrap();
    assert_eq!(other.await.unwrap().status, StatusCode::OK);

    let landed = browser.body("/data").await.contains("note=promised");
    assert_eq!(reply.status == StatusCode::OK, landed, "what is acknowledged is there");
}

#[tokio::test]
async fn edits_keep_their_order_when_an_update_is_given_up() {
    let gives_up =
        async |Extension(pause): Extension<Pause>, mut a: Session<Shop>, mut b: Session<Shop>| {
            a.edit(|data| data.note.push('1'))?;
            let update = a.update(|data| data.count += 1);
            let meanwhile = async {
                b.edit(|data| data.note.push('2'))?;
                pause.here().await;
                Ok::<_, Error>(())
            };
            tokio::select! { biased; landed = update => landed, edited = meanwhile => edited }
        };
    let pause = Pause::default();
    let routes = routes().route("/gives-up", post(gives_up)).layer(Extension(pause.clone()));
    let house = House::new(routes);
    let browser = house.user("ada").await;
    let hold = house.store.hold();
    let other = browser.start(Method::POST, "/add");
    hold.until(1).await;

    let request = browser.start(Method::POST, "/gives-up");
    pause.reached().await;
    pause.go();
    for _ in 0..50 {
        tokio::task::yield_now().await;
    }
    hold.release();

    assert_eq!(request.await.unwrap().status, StatusCode::OK);
    assert_eq!(other.await.unwrap().status, StatusCode::OK);
    assert_eq!(browser.body("/data").await, "cart= count=1 theme=- note=12");
}

#[tokio::test]
async fn an_update_that_fails_takes_no_edit_with_it_unseen() {
    let handles = async |Extension(house): Extension<House>,
                         Path(how): Path<String>,
                         mut s: Session<Shop>| {
        s.edit(|data| data.note = "promised".into())?;
        match how.as_str() {
            "away" => house.store.set_away(true),
            "gone" => drop(house.sessions.revoke(s.id().unwrap(), By::SYSTEM).await?),
            _ => {}
        }
        let failed = s.update(|data| data.cart.push("x".repeat(20_000))).await;
        assert!(failed.is_err());
        Ok::<_, Error>("handled")
    };
    for how in ["too-much", "away", "gone"] {
        let house = House::new(routes().route("/handles/{how}", post(handles)));
        let browser = house.user("ada").await;
        let mut request = browser.request(Method::POST, &format!("/handles/{how}"));
        request.extensions_mut().insert(house.clone());

        let reply = house.send(request).await;
        house.store.set_away(false);

        let landed = browser.body("/data").await.contains("note=promised");
        assert_eq!(reply.status == StatusCode::OK, landed, "{how}: acknowledged means landed");
    }
}
