//! L1: several cookies of our name, and neighbours that are broken.

use axum::body::Body;
use axum::http::{HeaderValue, Method, Request};

use crate::support::*;

/// A GET of who is there, with these `Cookie` headers.
async fn who(house: &House, cookies: &[&[u8]]) -> Reply {
    let mut request = Request::get("/who").header("host", "shop.example").body(Body::empty());
    let headers = request.as_mut().unwrap().headers_mut();
    for cookie in cookies {
        headers.append("cookie", HeaderValue::from_bytes(cookie).unwrap());
    }
    house.send(request.unwrap()).await
}

fn line(tickets: &[&str]) -> String {
    tickets.iter().map(|ticket| format!("{NAME}={ticket}")).collect::<Vec<_>>().join("; ")
}

const ONE_LOAD: Calls = Calls {
    load: 1,
    load_fresh: 0,
    create: 0,
    commit: 0,
    touch: 0,
    rotate: 0,
    resume: 0,
    end: 0,
    registry: 0,
};

#[tokio::test]
async fn the_same_ticket_twice_is_one() {
    let house = House::shop();
    let ticket = house.user("ada").await.ticket().unwrap();

    let reply = who(&house, &[line(&[&ticket, &ticket]).as_bytes()]).await;

    assert_eq!(reply.body, "ada password");
    assert_eq!(house.store.calls(), ONE_LOAD);
}

#[tokio::test]
async fn one_live_ticket_among_dead_ones_is_found_in_one_load() {
    let house = House::shop();
    let ticket = house.user("ada").await.ticket().unwrap();
    let (a, b, c) = ("AAAAAAAAAAAAAAAAAAAAAA", "BBBBBBBBBBBBBBBBBBBBBA", "CCCCCCCCCCCCCCCCCCCCCA");
    let orders: [&[&str]; 5] = [
        &[&ticket, a],
        &[a, &ticket],
        &[a, b, &ticket, c],
        &[a, b, c, &ticket],
        &[&ticket, a, b, c],
    ];

    for order in orders {
        let reply = who(&house, &[line(order).as_bytes()]).await;

        assert_eq!((reply.body.as_str(), house.store.calls()), ("ada password", ONE_LOAD));
    }
}

#[tokio::test]
async fn two_live_sessions_are_nobody_and_an_event() {
    let house = House::shop();
    let (ada, eve) = (house.user("ada").await, house.user("eve").await);
    let cookies = line(&[&ada.ticket().unwrap(), &eve.ticket().unwrap()]);
    let none = who(&house, &[]).await;
    let events = Events::listen();

    let reply = who(&house, &[cookies.as_bytes()]).await;

    assert_eq!(reply.seen(), none.seen());
    assert_eq!(house.store.calls(), ONE_LOAD);
    assert_eq!(events.count("ambiguous_tickets"), 1);
    assert_eq!(ada.body("/who").await, "ada password", "neither was ended");
    assert_eq!(eve.body("/who").await, "eve password", "neither was ended");
}

#[tokio::test]
async fn two_remembered_users_are_nobody_and_neither_is_resumed() {
    let house = House::shop();
    let (ada, eve) = (house.browser(), house.browser());
    ada.post("/remember/ada").await;
    eve.post("/remember/eve").await;
    house.seconds(DAY);
    let (adas, eves) = (ada.ticket().unwrap(), eve.ticket().unwrap());
    let events = Events::listen();

    for order in [[&adas, &eves], [&eves, &adas]] {
        house.store.calls();
        let reply = who(&house, &[line(&[order[0], order[1]]).as_bytes()]).await;

        assert_eq!((reply.body.as_str(), house.store.calls()), ("nobody", ONE_LOAD));
    }
    assert_eq!(events.count("ambiguous_tickets"), 2);
    assert_eq!(ada.body("/who").await, "ada remembered", "neither was ended");
    assert_eq!(eve.body("/who").await, "eve remembered", "neither was ended");
}

#[tokio::test]
async fn five_tickets_are_nobody_and_an_event_without_a_load() {
    let house = House::shop();
    let ticket = house.user("ada").await.ticket().unwrap();
    let others: Vec<String> =
        ["A", "B", "C", "D"].iter().map(|letter| format!("{}A", letter.repeat(21))).collect();
    let mut all: Vec<&str> = others.iter().map(String::as_str).collect();
    let events = Events::listen();

    let four = who(&house, &[line(&[&ticket, all[0], all[1], all[2]]).as_bytes()]).await;
    assert_eq!(four.body, "ada password");
    all.push(&ticket);
    house.store.calls();
    let five = who(&house, &[line(&all).as_bytes()]).await;

    assert_eq!((five.body.as_str(), house.store.calls()), ("nobody", Calls::default()));
    assert_eq!(events.count("too_many_tickets"), 1);
}

#[tokio::test]
async fn broken_neighbours_never_hide_our_ticket() {
    let house = House::shop();
    let ticket = house.user("ada").await.ticket().unwrap();
    let ours = format!("{NAME}={ticket}");
    let many: String = (0..200).map(|n| format!("c{n}=v{n}; ")).collect();
    let neighbours: [Vec<u8>; 14] = [
        b"lonely".to_vec(),
        b"=".to_vec(),
        b"=value".to_vec(),
        b"quoted=\"a".to_vec(),
        b"quoted=\"a; b\"".to_vec(),
        b"json={\"a\":1,\"b\":[2]}".to_vec(),
        b"bytes=\xff\xfe\xe9".to_vec(),
        b"\xff\xfe=x".to_vec(),
        b";;; ;".to_vec(),
        b"a=b=c=d".to_vec(),
        many.into_bytes(),
        [b"big=".to_vec(), vec![b'x'; 8192]].concat(),
        b"$Version=1; $Path=/".to_vec(),
        format!("x{NAME}=AAAA; {NAME}x=BBBB; y=\"{NAME}=CCCC").into_bytes(),
    ];

    for neighbour in neighbours {
        let shown = String::from_utf8_lossy(&neighbour).chars().take(40).collect::<String>();
        let before = [&neighbour, &b"; "[..], ours.as_bytes()].concat();
        let after = [ours.as_bytes(), &b"; "[..], &neighbour].concat();
        for cookies in [[&before[..]].as_slice(), &[&after], &[&neighbour, ours.as_bytes()]] {
            assert_eq!(who(&house, cookies).await.body, "ada password", "{shown}");
        }
    }
}

#[tokio::test]
async fn a_name_in_other_letters_is_another_cookie() {
    let house = House::shop();
    let ticket = house.user("ada").await.ticket().unwrap();

    for name in ["__host-http-session", "__HOST-HTTP-SESSION", "session", "__Host-session"] {
        let reply = who(&house, &[format!("{name}={ticket}").as_bytes()]).await;

        assert_eq!((reply.body.as_str(), house.store.calls()), ("nobody", Calls::default()));
    }
}

#[tokio::test]
async fn tickets_are_gathered_from_several_cookie_headers() {
    let house = House::shop();
    let ours = format!("{NAME}={}", house.user("ada").await.ticket().unwrap());
    let eves = format!("{NAME}={}", house.user("eve").await.ticket().unwrap());

    let spread = who(&house, &[b"a=b", b"c=d; e=f", ours.as_bytes()]).await;
    let twins = who(&house, &[ours.as_bytes(), eves.as_bytes()]).await;

    assert_eq!((spread.body.as_str(), twins.body.as_str()), ("ada password", "nobody"));
}

#[tokio::test]
async fn the_old_and_the_new_ticket_of_one_session_are_no_twins() {
    let house = House::shop();
    let browser = house.user("ada").await;
    let old = browser.ticket().unwrap();
    browser.post("/rotate").await;
    let new = browser.ticket().unwrap();

    for order in [[&old, &new], [&new, &old]] {
        let reply = who(&house, &[line(&[order[0], order[1]]).as_bytes()]).await;
        assert_eq!(reply.body, "ada password");
    }
}

#[tokio::test]
async fn a_planted_ticket_beside_a_real_one_never_receives_the_users_data() {
    let house = House::shop();
    let (victim, attacker) = (house.user("ada").await, house.browser());
    attacker.post("/cart/bait").await;
    let cookies = line(&[&attacker.ticket().unwrap(), &victim.ticket().unwrap()]);
    let mut request = victim.request(Method::POST, "/set/note/secret");
    request.headers_mut().insert("cookie", cookies.parse().unwrap());

    house.send(request).await;

    assert!(!attacker.body("/data").await.contains("secret"));
    assert!(!victim.body("/data").await.contains("bait"));
}

#[tokio::test]
async fn hostile_cookie_headers_are_never_an_error() {
    let house = House::shop();
    let mut random = random();
    let ours = format!("{NAME}={}", house.user("ada").await.ticket().unwrap());

    for _ in 0..2_000 {
        let len = random.below(80);
        let mut noise: Vec<u8> =
            (0..len).map(|_| b";= \"\\,abc\t\xff__Host-Http-session"[random.below(30)]).collect();
        if random.below(2) == 0 {
            noise.extend_from_slice(b"; ");
            noise.extend_from_slice(ours.as_bytes());
        }
        let reply = who(&house, &[&noise]).await;
        assert!(reply.status.is_success(), "{}", String::from_utf8_lossy(&noise));
        assert_eq!(reply.ticket(), None);
    }
    let huge = vec![b'a'; 300_000];
    assert!(who(&house, &[&huge, ours.as_bytes()]).await.status.is_success());
}
