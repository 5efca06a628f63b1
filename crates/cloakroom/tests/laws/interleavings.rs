//! Two and three requests of one browser in every order of their store calls, and their answers in
//! every order of arrival: L3, L4, L5 and L9 hold in all of them.

use axum::http::{Method, StatusCode};

use crate::support::*;

/// What was chosen on the way here, of how many.
#[derive(Default)]
struct Choices {
    taken: Vec<(usize, usize)>,
    at: usize,
}

impl Choices {
    fn pick(&mut self, of: usize) -> usize {
        if self.at == self.taken.len() {
            self.taken.push((0, of));
        }
        // Pauses before replays differ from run to run, so there may be fewer than there were.
        let choice = self.taken[self.at].0.min(of - 1);
        self.at += 1;
        choice
    }

    /// Goes on to the next way. `false` if there is none.
    fn next(&mut self) -> bool {
        self.at = 0;
        while let Some((choice, of)) = self.taken.pop() {
            if choice + 1 < of {
                self.taken.push((choice + 1, of));
                return true;
            }
        }
        false
    }
}

/// Sends all requests at once, in turn to the processes, and lets one store call through at a time.
async fn answers(
    browser: &Browser,
    processes: &[House],
    paths: &[&str],
    choices: &mut Choices,
) -> Vec<Reply> {
    let schedule = browser.house.store.schedule();
    let requests: Vec<_> = paths
        .iter()
        .zip(processes.iter().cycle())
        .map(|(path, process)| {
            let reads = matches!(*path, "/who" | "/view");
            browser.at(process).start(if reads { Method::GET } else { Method::POST }, path)
        })
        .collect();
    loop {
        match schedule.waiting().await {
            0 if requests.iter().all(tokio::task::JoinHandle::is_finished) => break,
            0 => {}
            waiting => schedule.go(choices.pick(waiting)),
        }
    }
    browser.house.store.unschedule();
    let mut replies = Vec::new();
    for request in requests {
        replies.push(request.await.unwrap());
    }
    replies
}

/// The orders in which the answers can arrive.
fn arrivals(count: usize) -> Vec<Vec<usize>> {
    match count {
        2 => vec![vec![0, 1], vec![1, 0]],
        3 => vec![
            vec![0, 1, 2],
            vec![0, 2, 1],
            vec![1, 0, 2],
            vec![1, 2, 0],
            vec![2, 0, 1],
            vec![2, 1, 0],
        ],
        _ => unreachable!(),
    }
}

/// One outcome: the answers, and the browser after they have arrived in some order.
struct Outcome<'a> {
    what: String,
    replies: &'a [Reply],
    before: Browser,
    after: Browser,
}

impl Outcome<'_> {
    fn is_ok(&self, at: usize) -> bool {
        self.replies[at].status == StatusCode::OK
    }

    fn ok(&self) -> usize {
        (0..self.replies.len()).filter(|at| self.is_ok(*at)).count()
    }
}

/// Goes through all orders, in one process and in two. `begin` makes the browser, `judge` looks at
/// each outcome.
async fn all_orders(begin: &[&str], paths: &[&str], judge: impl AsyncFn(Outcome<'_>)) {
    for processes in [1, 2] {
        let (mut choices, mut orders) = (Choices::default(), 0);
        loop {
            one_order(begin, paths, processes, &mut choices, &judge).await;
            orders += 1;
            assert!(orders < 20_000, "too many orders");
            if !choices.next() {
                break;
            }
        }
        println!("{paths:?} after {begin:?} in {processes}: {orders} orders");
        assert!(orders > 1, "nothing met anything else");
    }
}

async fn one_order(
    begin: &[&str],
    paths: &[&str],
    processes: usize,
    choices: &mut Choices,
    judge: &impl AsyncFn(Outcome<'_>),
) {
    let house = House::shop();
    let other = House::on(house.store.clone(), house.clock.clone(), |_| routes(), |rules| rules);
    let browser = house.browser();
    for path in begin {
        match *path {
            "a day" => house.seconds(DAY),
            path => drop(browser.post(path).await),
        }
    }
    let all = [house, other];
    let replies = answers(&browser, &all[..processes], paths, choices).await;
    for arrival in arrivals(paths.len()) {
        let (before, after) = (browser.thief(), browser.thief());
        for at in &arrival {
            after.keep(&replies[*at]);
        }
        let taken: Vec<_> = choices.taken.iter().map(|(choice, _)| choice).collect();
        let seen: Vec<_> = replies.iter().map(|r| (r.status, r.ticket())).collect();
        let what = format!(
            "{paths:?} in {processes}, in the order {taken:?}, arriving {arrival:?}: {seen:?}"
        );
        judge(Outcome { what, replies: &replies, before, after }).await;
    }
}

#[tokio::test]
async fn acknowledged_increments_are_counted_in_every_order() {
    for paths in [
        &["/add", "/add"][..],
        &["/add", "/edit", "/add"],
        &["/add", "/rotate"],
        &["/add", "/step-up", "/edit"],
        &["/add", "/set/note/x", "/add"],
        &["/rotate", "/add", "/rotate"],
    ] {
        all_orders(&["/login/ada"], paths, async |seen| {
            let adds =
                paths.iter().enumerate().filter(|(_, path)| matches!(**path, "/add" | "/edit"));
            let counted = adds.filter(|(at, _)| seen.is_ok(*at)).count();

            assert_eq!(seen.after.body("/count").await, counted.to_string(), "{}", seen.what);
            assert!(seen.after.body("/who").await.starts_with("ada"), "{}", seen.what);
        })
        .await;
    }
}

#[tokio::test]
async fn a_login_stays_whatever_was_sent_with_it() {
    for paths in [
        &["/login/ada", "/add"][..],
        &["/login/ada", "/who", "/set/note/x"],
        &["/login/ada", "/ensure"],
        &["/login/ada", "/edit", "/who"],
        &["/login/ada", "/rotate"],
    ] {
        for begin in [&["/ensure"][..], &["/login/bea"], &["/login/ada"]] {
            all_orders(begin, paths, async |seen| {
                let who = seen.after.body("/who").await;
                if seen.is_ok(0) {
                    assert_eq!(who, "ada password", "{}", seen.what);
                    assert_eq!(seen.before.body("/who").await, "nobody", "{}", seen.what);
                } else {
                    assert_eq!(seen.replies[0].header("session-error"), Some("stale"));
                }
            })
            .await;
        }
    }
}

#[tokio::test]
async fn a_logout_is_for_good_whatever_was_sent_with_it() {
    for paths in [
        &["/logout", "/add"][..],
        &["/logout", "/edit", "/set/note/x"],
        &["/logout", "/rotate"],
        &["/logout", "/step-up"],
        &["/logout", "/ensure", "/who"],
        &["/logout", "/logout"],
    ] {
        all_orders(&["/login/ada"], paths, async |seen| {
            let who = seen.after.body("/who").await;
            if seen.is_ok(0) || seen.is_ok(1) && paths[1] == "/logout" {
                assert_eq!(who, "nobody", "{}", seen.what);
                assert_eq!(seen.before.body("/who").await, "nobody", "{}", seen.what);
                let sessions = seen.after.house.sessions.count().await.unwrap().sessions;
                assert_eq!(sessions, 0, "nothing comes back: {}", seen.what);
            } else {
                assert!(who.starts_with("ada"), "{}", seen.what);
            }
        })
        .await;
    }
}

#[tokio::test]
async fn two_logins_leave_the_browser_signed_in() {
    for begin in [&["/ensure"][..], &["/login/cyd"]] {
        all_orders(begin, &["/login/ada", "/login/bea"], async |seen| {
            let who = seen.after.body("/who").await;

            assert!(matches!(who.as_str(), "ada password" | "bea password"), "{}", seen.what);
            assert_eq!(seen.before.body("/who").await, "nobody", "{}", seen.what);
            assert_eq!(seen.ok(), 2, "{}", seen.what);
        })
        .await;
    }
}

#[tokio::test]
async fn a_login_and_a_logout_leave_one_of_the_two() {
    all_orders(&["/login/ada"], &["/logout", "/login/bea"], async |seen| {
        let who = seen.after.body("/who").await;

        assert_eq!(seen.ok(), 2, "{}", seen.what);
        assert!(matches!(who.as_str(), "nobody" | "bea password"), "{}", seen.what);
        if seen.replies[0].ticket().is_none() {
            assert_eq!(who, "bea password", "{}", seen.what);
        }
        assert_eq!(seen.before.body("/who").await, "nobody", "{}", seen.what);
    })
    .await;
}

#[tokio::test]
async fn fields_that_go_along_are_there_or_their_write_was_refused() {
    all_orders(&["/ensure"], &["/login/ada", "/cart/pen"], async |seen| {
        let data = seen.after.body("/data").await;

        assert!(seen.is_ok(0), "{}", seen.what);
        assert_eq!(seen.is_ok(1), data.starts_with("cart=pen "), "{} {data}", seen.what);
    })
    .await;
}

#[tokio::test]
async fn a_remembered_user_resumes_once_in_every_order() {
    for paths in [&["/add", "/add"][..], &["/who", "/add", "/set/note/x"], &["/ensure", "/edit"]] {
        all_orders(&["/remember/ada", "a day"], paths, async |seen| {
            assert_eq!(seen.ok(), paths.len(), "{}", seen.what);
            assert_eq!(seen.after.body("/who").await, "ada remembered", "{}", seen.what);
            let adds = paths.iter().filter(|path| matches!(**path, "/add" | "/edit")).count();
            assert_eq!(seen.after.body("/count").await, adds.to_string(), "{}", seen.what);
            let sessions = seen.after.house.sessions.count().await.unwrap().sessions;
            assert_eq!(sessions, 1, "{}", seen.what);
        })
        .await;
    }
}
