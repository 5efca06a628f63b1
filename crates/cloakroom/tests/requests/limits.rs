//! The limit of a user's sessions holds at every moment of parallel logins.

use cloakroom::ErrorKind;
use cloakroom::store::Limit;

use crate::support::*;

/// Three browsers sign one user in at once, where two sessions are allowed.
fn three_logins(name: &str, limit: Limit, judge: impl AsyncFn(&World, &[Reply])) {
    let rules = move |rules: cloakroom::Builder<Shop>| rules.per_user(limit);
    Scenario { processes: 2, rules: &rules, ..Scenario::of(name) }.explore(
        async |world| {
            let mut requests = Vec::new();
            for (at, process) in [0, 1, 0].into_iter().enumerate() {
                let before = if at == 0 { None } else { Some(world.visitor(&[Act::Ensure]).await) };
                requests.push(world.request(process, before.as_deref(), Act::Login("ada")));
            }
            (String::new(), requests)
        },
        async |world, _, replies| {
            let list = world.processes[0].list("ada").await.unwrap();
            assert_eq!(list.len(), 2);
            judge(world, replies).await;
        },
    );
}

#[test]
fn of_three_logins_the_newest_two_stay() {
    three_logins("login x 3, the newest two", Limit::keep_newest(2), async |world, replies| {
        assert!(replies.iter().all(Reply::is_ok), "{replies:?}");
        let mut live = 0;
        for reply in replies {
            live +=
                usize::from(world.opens(reply.cookie.clone().unwrap().as_deref()).await.is_some());
        }
        assert_eq!(live, 2);
    });
}

#[test]
fn of_three_logins_the_third_is_refused() {
    three_logins("login x 3, two at most", Limit::refuse_beyond(2), async |_, replies| {
        let refused: Vec<_> = replies.iter().filter(|reply| !reply.is_ok()).collect();
        let [refused] = refused.as_slice() else { panic!("{replies:?}") };
        let told =
            matches!(&refused.failed, Some(ErrorKind::LimitReached(list)) if list.len() == 2);
        assert!(told && refused.cookie.is_none(), "{refused:?}");
    });
}

#[test]
fn the_limit_holds_however_late_answers_come() {
    let rules = |rules: cloakroom::Builder<Shop>| rules.per_user(Limit::keep_newest(1));
    Scenario { rules: &rules, ..Scenario::late("login x 2, one at most") }.explore(
        async |world| {
            let requests = [0, 0].map(|process| world.request(process, None, Act::Login("ada")));
            (String::new(), requests.into())
        },
        async |world, _, replies| {
            assert!(replies.iter().all(Reply::is_ok), "{replies:?}");
            assert_eq!(world.processes[0].list("ada").await.unwrap().len(), 1);
        },
    );
}
