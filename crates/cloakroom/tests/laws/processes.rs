//! Two processes of one service on one store: nothing but the store is shared.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::Path;
use axum::http::{Method, StatusCode};
use axum::routing::post;
use axum::{Extension, Router};
use cloakroom::{Error, Session};
use tokio::sync::Barrier;

use crate::support::*;

/// Two services that share a store and a clock.
fn two(routes: impl Fn() -> Router) -> [House; 2] {
    let one = House::patient(routes());
    let (store, clock) = (one.store.clone(), one.clock.clone());
    let two = House::on(store, clock, |_| routes(), |rules| rules.store_wait(PATIENCE));
    [one, two]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn increments_in_two_processes_are_all_counted() {
    for pause in [0, 1, 5] {
        let [one, two] = two(routes);
        let browser = one.user("ada").await;
        let there = browser.at(&two);
        if pause > 0 {
            one.store.set_slow(Duration::from_millis(pause));
        }

        let requests: Vec<_> = (0..100)
            .map(|n| if n % 2 == 0 { &browser } else { &there }.start(Method::POST, "/add"))
            .collect();
        let mut numbers = BTreeSet::new();
        for request in requests {
            let reply = request.await.unwrap();
            assert_eq!(reply.status, StatusCode::OK);
            numbers.insert(reply.body.parse::<u32>().unwrap());
        }

        assert_eq!(numbers, (1..=100).collect());
        println!("100 increments in two processes, {pause} ms: {:?}", one.store.calls());
    }
}

/// An increment and the replacement of another field, in one commit.
fn both() -> Router {
    let both = async |mut s: Session<Shop>| {
        s.edit(|data| data.count += 1)?;
        s.set("note", &"set")
    };
    routes().route("/both", post(both))
}

#[tokio::test]
async fn an_edit_that_lands_with_a_set_is_made_of_the_newest_data() {
    let [one, two] = two(both);
    let browser = one.user("ada").await;
    let there = browser.at(&two);
    let schedule = one.store.schedule();
    let late = browser.start(Method::POST, "/both");
    assert_eq!(schedule.waiting().await, 1, "its load");
    schedule.go(0);
    assert_eq!(schedule.waiting().await, 1, "its commit");

    let other = there.start(Method::POST, "/add");
    for _ in ["its load", "its commit"] {
        assert_eq!(schedule.waiting().await, 2);
        schedule.go(1);
    }
    assert_eq!(other.await.unwrap().body, "1");
    one.store.unschedule();
    schedule.go(0);

    assert_eq!(late.await.unwrap().status, StatusCode::OK);
    assert_eq!(browser.body("/data").await, "cart= count=2 theme=- note=set");
}

#[tokio::test]
async fn an_update_whose_batch_ends_with_a_set_is_made_of_the_newest_data() {
    let [one, two] = two(routes);
    let browser = one.user("ada").await;
    let there = browser.at(&two);
    let schedule = one.store.schedule();
    let mut batch = Vec::new();
    for (before, path) in ["/set/note/a", "/add", "/set/note/b"].into_iter().enumerate() {
        batch.push(browser.start(Method::POST, path));
        assert_eq!(schedule.waiting().await, 1 + before.min(1), "{path}: its load");
        schedule.go(before.min(1));
    }
    assert_eq!(schedule.waiting().await, 1, "the first commit");
    schedule.go(0);
    assert_eq!(schedule.waiting().await, 1, "that of the two others");

    let other = there.start(Method::POST, "/add");
    for _ in ["its load", "its commit"] {
        assert_eq!(schedule.waiting().await, 2);
        schedule.go(1);
    }
    assert_eq!(other.await.unwrap().body, "1");
    one.store.unschedule();
    schedule.go(0);

    for landed in batch {
        assert_eq!(landed.await.unwrap().status, StatusCode::OK);
    }
    assert_eq!(browser.body("/data").await, "cart= count=2 theme=- note=b");
}

#[tokio::test]
async fn what_one_process_ends_is_over_in_the_other() {
    let [one, two] = two(routes);
    let browser = one.user("ada").await;
    let there = browser.thief().at(&two);
    assert_eq!(there.body("/who").await, "ada password");
    let hold = two.store.hold_back_commits();
    let write = there.start(Method::POST, "/set/note/late");
    hold.until(1).await;

    browser.post("/logout").await;
    hold.release();

    let write = write.await.unwrap();
    assert_eq!((write.status, write.ticket()), (StatusCode::CONFLICT, None));
    assert_eq!(there.body("/why").await, "logout by holder");
    assert_eq!(one.sessions.count().await.unwrap().sessions, 0);
}

#[tokio::test]
async fn a_renewal_in_one_process_is_known_in_the_other() {
    let [one, two] = two(routes);
    let browser = one.user("ada").await;
    let old = browser.thief().at(&two);
    assert_eq!(old.post("/add").await.body, "1");

    browser.post("/rotate").await;

    assert_eq!(old.post("/add").await.body, "2");
    assert_eq!(old.post("/logout").await.header("session-error"), Some("stale"));
    assert_eq!(browser.at(&two).post("/add").await.body, "3");
    one.seconds(21);
    assert_eq!(old.body("/who").await, "nobody");
}

#[tokio::test]
async fn parallel_first_requests_of_a_remembered_user_agree_across_processes() {
    let [one, two] = two(routes);
    let browser = one.browser();
    browser.post("/remember/ada").await;
    let there = browser.at(&two);
    one.seconds(DAY);
    let hold = one.store.hold();

    let requests = [browser.start(Method::POST, "/add"), there.start(Method::POST, "/add")];
    hold.until(2).await;
    hold.release();
    for request in requests {
        let reply = request.await.unwrap();
        assert_eq!((reply.status, reply.ticket()), (StatusCode::OK, None));
    }

    assert_eq!(browser.body("/count").await, "2");
    assert_eq!(one.sessions.list("ada").await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_set_that_no_longer_fits_takes_no_other_change_with_it() {
    let together = Arc::new(Barrier::new(3));
    let big = async move |Extension(go): Extension<Arc<Barrier>>,
                          mut s: Session<Shop>,
                          Path((field, bytes)): Path<(String, usize)>| {
        go.wait().await;
        go.wait().await;
        s.set(&field, &"x".repeat(bytes))
    };
    let meet = Arc::clone(&together);
    let [one, two] = two(move || {
        routes().route("/big/{field}/{bytes}", post(big)).layer(Extension(Arc::clone(&meet)))
    });
    let (here, there) = (one.user("ada").await, two.browser());
    there.set_ticket(here.ticket());

    let small = there.start(Method::POST, "/big/small/10");
    let large = there.start(Method::POST, "/big/large/15000");
    together.wait().await;
    fill(&one, &here).await;
    let hold = one.store.hold();
    let first = there.start(Method::POST, "/set/note/first");
    hold.until(1).await;
    together.wait().await;
    for _ in 0..50 {
        tokio::task::yield_now().await;
    }
    hold.release();

    assert_eq!(first.await.unwrap().status, StatusCode::OK);
    assert_eq!(small.await.unwrap().status, StatusCode::OK, "it fits");
    assert_eq!(large.await.unwrap().status, StatusCode::PAYLOAD_TOO_LARGE);
}

/// Fills a session until there is no room for another 15,000 bytes.
async fn fill(house: &House, browser: &Browser) {
    let filled = async |mut s: Session<Shop>| {
        for field in ["a", "b", "c"] {
            s.set(field, &"x".repeat(16_000))?;
        }
        s.set("d", &"x".repeat(8_000))?;
        Ok::<_, Error>(())
    };
    let filler = House::on(
        house.store.clone(),
        house.clock.clone(),
        |_| Router::new().route("/fill", post(filled)),
        |rules| rules,
    );
    assert_eq!(browser.at(&filler).post("/fill").await.status, StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn roles_that_change_beside_parallel_edits_stay() {
    let [one, two] = two(routes);
    let browser = one.user("ada").await;
    one.store.set_slow(Duration::from_millis(1));

    let requests: Vec<_> = (0..40).map(|_| browser.start(Method::POST, "/add")).collect();
    two.sessions.set_roles("ada", &["staff"]).await.unwrap();
    for request in requests {
        assert_eq!(request.await.unwrap().status, StatusCode::OK);
    }

    assert_eq!(browser.body("/count").await, "40");
    assert_eq!(browser.body("/roles").await, "staff");
}
