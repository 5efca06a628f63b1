//! L5: parallel requests on one session compose.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use axum::extract::Path;
use axum::http::{Method, StatusCode};
use axum::routing::post;
use cloakroom::{Error, Session};
use tokio::sync::Barrier;

use crate::support::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fifty_requests_that_set_fifty_fields_all_survive() {
    for how in ["set", "edit"] {
        let together = Arc::new(Barrier::new(50));
        let set = async move |mut s: Session<Shop>, Path((how, n)): Path<(String, u32)>| {
            together.wait().await;
            let field = format!("f{n}");
            match how.as_str() {
                "set" => s.set(&field, &n),
                _ => s.edit(move |data| data.cart.push(field.clone())),
            }
        };
        let house = House::patient(routes().route("/many/{how}/{n}", post(set)));
        let browser = house.user("ada").await;
        house.store.set_slow(Duration::from_millis(2));

        let requests: Vec<_> =
            (0..50).map(|n| browser.start(Method::POST, &format!("/many/{how}/{n}"))).collect();
        for request in requests {
            assert_eq!(request.await.unwrap().status, StatusCode::OK);
        }

        let records = house.sessions.list("ada").await.unwrap();
        let fields = records[0].fields();
        let cart: BTreeSet<String> =
            fields.get("cart").map(|json| serde_json::from_str(json).unwrap()).unwrap_or_default();
        let set = (0..50).filter(|n| fields.get(&format!("f{n}")) == Some(&n.to_string())).count();
        assert_eq!(set + cart.len(), 50, "{how}");
        println!("50 times {how}: {} commits", house.store.calls().commit);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_hundred_parallel_increments_are_a_hundred() {
    for pause in [0, 1, 20] {
        let house = House::patient(routes());
        let browser = house.user("ada").await;
        if pause > 0 {
            house.store.set_slow(Duration::from_millis(pause));
        }

        let requests: Vec<_> = (0..100).map(|_| browser.start(Method::POST, "/add")).collect();
        let mut numbers = BTreeSet::new();
        for request in requests {
            let reply = request.await.unwrap();
            assert_eq!(reply.status, StatusCode::OK);
            numbers.insert(reply.body.parse::<u32>().unwrap());
        }

        assert_eq!(numbers, (1..=100).collect());
        assert_eq!(browser.body("/count").await, "100");
        let commits = house.store.calls().commit;
        println!("100 increments, {pause} ms per write: {commits} commits");
        assert!(pause == 0 || commits <= 20, "{commits} commits");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn increments_of_all_kinds_on_a_contended_store_are_all_counted() {
    let house = House::patient(routes());
    let browser = house.user("ada").await;
    house.store.set_slow(Duration::from_millis(1));
    house.store.contend(10);

    let paths = ["/add", "/edit", "/fail/404"];
    let requests: Vec<_> = (0..99).map(|n| browser.start(Method::POST, paths[n % 3])).collect();
    for request in requests {
        assert_ne!(request.await.unwrap().status, StatusCode::SERVICE_UNAVAILABLE);
    }

    assert_eq!(browser.body("/count").await, "99");
}

#[tokio::test(start_paused = true)]
async fn a_change_runs_again_on_the_newest_data_after_a_conflict() {
    let runs = Arc::new(AtomicU32::new(0));
    let counts = Arc::clone(&runs);
    let update = async move |mut s: Session<Shop>| {
        let count = s.update(|data| {
            counts.fetch_add(1, Ordering::SeqCst);
            data.count += 1;
            data.count
        });
        Ok::<_, Error>(count.await?.to_string())
    };
    let house = House::new(routes().route("/update", post(update)));
    let browser = house.user("ada").await;

    for conflicts in [1, 5, 32] {
        house.store.contend(conflicts);
        let before = runs.swap(0, Ordering::SeqCst);
        let reply = browser.post("/update").await;

        assert_eq!(reply.status, StatusCode::OK, "{conflicts} conflicts, {before} before");
        assert_eq!(u64::from(runs.load(Ordering::SeqCst)), conflicts + 1);
    }
    assert_eq!(browser.body("/count").await, "3");
    let records = house.sessions.list("ada").await.unwrap();
    assert!(records[0].fields().get("other").is_some(), "what others wrote is there");
}

#[tokio::test(start_paused = true)]
async fn exhausted_replays_are_503_as_the_method_allows() {
    let edit = async |mut s: Session<Shop>| s.edit(|data| data.count += 1);
    let house = House::new(routes().route("/either", axum::routing::get(edit).post(edit)));
    let browser = house.user("ada").await;

    for (method, path, retry) in [
        (Method::POST, "/add", None),
        (Method::POST, "/either", None),
        (Method::GET, "/either", Some("1")),
    ] {
        house.store.contend(1_000);
        let reply = browser.send(method, path).await;

        assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
        assert_eq!(reply.header("retry-after"), retry, "{path}");
        assert_eq!(reply.header("session-error"), Some("contended"), "{path}");
        house.store.contend(0);
    }
    assert_eq!(browser.body("/count").await, "0", "nothing of it landed");
}

#[tokio::test(start_paused = true)]
async fn a_set_never_conflicts() {
    let house = House::shop();
    let browser = house.user("ada").await;

    house.store.contend(1_000);
    let reply = browser.post("/set/note/mine").await;

    assert_eq!(reply.status, StatusCode::OK);
    assert_eq!(house.store.calls().commit, 1);
    assert!(browser.body("/data").await.ends_with("note=mine"));
}

#[tokio::test]
async fn requests_that_hang_up_at_random_strand_nobody() {
    let mut random = random();

    for round in 0..200 {
        let house = House::shop();
        let browser = house.user("ada").await;
        let hold = house.store.hold();
        let mut requests: Vec<_> = (0..12).map(|_| browser.start(Method::POST, "/add")).collect();
        let mut cancelled = 0;
        for _ in 0..random.below(10) {
            for _ in 0..random.below(8) {
                tokio::task::yield_now().await;
            }
            if random.below(3) == 0 {
                hold.one();
            } else {
                requests.swap_remove(random.below(requests.len())).abort();
                cancelled += 1;
            }
            if requests.len() == 1 {
                break;
            }
        }
        hold.release();
        let all = async {
            let mut landed = 0;
            for request in requests {
                assert_eq!(request.await.unwrap().status, StatusCode::OK);
                landed += 1;
            }
            landed
        };
        let landed: u64 = tokio::time::timeout(PATIENCE, all)
            .await
            .unwrap_or_else(|_| panic!("somebody hangs in round {round}"));

        assert!(house.sessions.shutdown(PATIENCE).await);
        let records = house.sessions.list("ada").await.unwrap();
        let count: u64 = records[0].fields().get("count").unwrap_or("0").parse().unwrap();
        assert!((landed..=landed + cancelled).contains(&count), "round {round}: {count}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn increments_through_the_old_and_the_new_ticket_all_land() {
    let house = House::patient(routes());
    let browser = house.user("ada").await;
    let old = browser.thief();
    browser.post("/rotate").await;
    house.store.set_slow(Duration::from_millis(1));

    let requests: Vec<_> = (0..100)
        .map(|n| if n % 2 == 0 { &old } else { &browser }.start(Method::POST, "/add"))
        .collect();
    let mut numbers = BTreeSet::new();
    for request in requests {
        let reply = request.await.unwrap();
        assert_eq!((reply.status, reply.ticket()), (StatusCode::OK, None));
        numbers.insert(reply.body.parse::<u32>().unwrap());
    }

    assert_eq!(numbers, (1..=100).collect());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn increments_survive_renewals_in_between() {
    let mut random = random();

    for round in 0..20 {
        let house = House::patient(routes());
        let browser = house.user("ada").await;
        if round % 2 == 0 {
            house.store.set_slow(Duration::from_micros(300));
        }
        let rotate = random.below(50);
        let requests: Vec<_> = (0..50)
            .map(|n| browser.start(Method::POST, if n == rotate { "/rotate" } else { "/add" }))
            .collect();
        for request in requests {
            let reply = request.await.unwrap();
            assert_eq!(reply.status, StatusCode::OK, "round {round}");
            browser.keep(&reply);
        }

        assert_eq!(browser.body("/count").await, "49", "round {round}");
    }
}

/// Whatever happens to a session at once, an increment that was acknowledged is counted, and one
/// that was answered with 409 is not.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn increments_beside_a_logout_are_counted_or_refused() {
    for round in 0..50 {
        let house = House::patient(routes());
        let browser = house.user("ada").await;
        let thief = browser.thief();
        if round % 2 == 0 {
            house.store.set_slow(Duration::from_micros(300));
        }
        let mut requests: Vec<_> = (0..10).map(|_| browser.start(Method::POST, "/add")).collect();
        requests.push(browser.start(Method::POST, "/logout"));
        requests.extend((0..10).map(|_| browser.start(Method::POST, "/add")));

        for request in requests {
            let reply = request.await.unwrap();
            let refused = reply.status == StatusCode::CONFLICT
                && reply.header("session-error") == Some("logout");
            assert!(reply.status == StatusCode::OK || refused, "round {round}: {reply:?}");
            browser.keep(&reply);
        }

        assert_eq!((browser.ticket(), thief.body("/who").await), (None, "nobody".into()));
        assert_eq!(house.sessions.count().await.unwrap().sessions, 0, "round {round}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sessions_do_not_wait_for_each_other() {
    let house = House::patient(routes());
    let (ada, eve) = (house.user("ada").await, house.user("eve").await);
    let hold = house.store.hold_back_commits();
    let stuck = ada.start(Method::POST, "/add");
    hold.until(1).await;

    let free = eve.start(Method::POST, "/add");
    hold.until(2).await;

    hold.release();
    assert_eq!(stuck.await.unwrap().body, "1");
    assert_eq!(free.await.unwrap().body, "1");
}

#[tokio::test]
async fn a_change_that_does_not_fit_fails_alone() {
    let big = async |mut s: Session<Shop>| s.update(|data| data.note = "x".repeat(20_000)).await;
    let house = House::new(routes().route("/big", post(big)));
    let browser = house.user("ada").await;
    let hold = house.store.hold();

    let mut requests = vec![browser.start(Method::POST, "/add")];
    hold.until(1).await;
    requests.extend((0..5).map(|_| browser.start(Method::POST, "/add")));
    let too_big = browser.start(Method::POST, "/big");
    requests.extend((0..5).map(|_| browser.start(Method::POST, "/add")));
    tokio::task::yield_now().await;
    hold.release();

    assert_eq!(too_big.await.unwrap().status, StatusCode::PAYLOAD_TOO_LARGE);
    for request in requests {
        assert_eq!(request.await.unwrap().status, StatusCode::OK);
    }
    assert_eq!(browser.body("/count").await, "11");
}
