//! L3: a privilege change is one moment, whatever else is under way.

use cloakroom_conformance::interleaving::Answers;
use http::StatusCode;

use crate::support::*;

/// A visitor signs in while a page reads and another one writes with the old ticket.
async fn sign_in(world: &World) -> (String, Vec<Request>) {
    let acts = [Act::Login("ada"), Act::Read, Act::Update(2)];
    world.visit(&[Act::Update(1), Act::Set(7)], &acts).await
}

async fn judge_sign_in(world: &World, old: &str, replies: &[Reply]) {
    assert_eq!(world.opens(Some(old)).await, None, "the old ticket is dead");
    let [login, read, update] = replies else { panic!("three replies") };
    assert!(login.is_ok(), "{login:?}");
    assert!(read.is_ok() && read.cookie.is_none(), "{read:?}");
    assert!(read.seen.as_ref().is_none_or(|seen| seen.user.is_none()), "{read:?}");
    let landed = update.is_ok();
    assert!(landed || update.status == StatusCode::CONFLICT, "{update:?}");
    assert_eq!(update.cookie, None);
    let seen = world.opens(login.cookie.as_ref().unwrap().as_deref()).await.unwrap();
    let cart = if landed { vec![1, 2] } else { vec![1] };
    assert_eq!((seen.user.unwrap().as_str(), seen.data.cart), ("ada", cart), "{update:?}");
    assert_eq!(seen.data.note, 0, "what is not declared starts anew");
}

#[test]
fn a_login_beside_a_read_and_a_write_is_one_moment() {
    let tried = Scenario::of("login, read, update").explore(sign_in, judge_sign_in);

    assert!(tried >= crate::place::ORDERS_LEAST, "{tried}");
}

#[test]
fn a_login_beside_a_write_is_one_moment_however_late_answers_come() {
    Scenario::late("login, edit, late answers").explore(
        async |world| world.visit(&[Act::Update(1)], &[Act::Login("ada"), Act::Edit]).await,
        async |world, _, replies| {
            let [login, edit] = replies else { panic!("two replies") };
            assert!(login.is_ok());
            assert!(edit.is_ok() || edit.status == StatusCode::CONFLICT, "{edit:?}");
            let seen = world.opens(login.cookie.as_ref().unwrap().as_deref()).await.unwrap();
            assert_eq!((seen.data.count, seen.data.cart), (0, vec![1]));
        },
    );
}

#[test]
fn of_parallel_logins_each_is_a_session_of_its_own() {
    for answers in [Answers::AtOnce, Answers::Late] {
        let name = format!("login, login, {answers:?}");
        Scenario { answers, ..Scenario::of(&name) }.explore(
            async |world| {
                world.visit(&[Act::Update(1)], &[Act::Login("ada"), Act::Login("bea")]).await
            },
            async |world, _, replies| {
                assert!(replies.iter().all(Reply::is_ok), "{replies:?}");
                let carts =
                    replies.iter().map(|reply| reply.seen.as_ref().unwrap().data.cart.len());
                assert_eq!(carts.sum::<usize>(), 1, "the visitor's fields go along once");
                let count = world.processes[0].count().await.unwrap();
                assert_eq!((count.sessions, count.signed_in), (2, 2), "the old one is over");
            },
        );
    }
}

#[test]
fn a_stepped_up_session_is_one_session_whatever_runs_beside() {
    Scenario::of("step up, update, edit").explore(
        async |world| {
            world.visit(&[Act::Login("ada")], &[Act::StepUp, Act::Update(1), Act::Edit]).await
        },
        async |world, _, replies| {
            assert!(replies.iter().all(Reply::is_ok), "nothing of a renewal is lost: {replies:?}");
            let new = replies[0].cookie.clone().unwrap();
            let seen = world.opens(new.as_deref()).await.unwrap();
            assert_eq!((seen.data.count, seen.data.cart), (1, vec![1]));
            assert_eq!(world.processes[0].count().await.unwrap().sessions, 1);
        },
    );
}

#[test]
fn of_parallel_renewals_one_is_done() {
    Scenario::of("rotate, rotate, update").explore(
        async |world| {
            world.visit(&[Act::Login("ada")], &[Act::Rotate, Act::Rotate, Act::Update(1)]).await
        },
        async |world, _, replies| {
            let [one, other, update] = replies else { panic!("three replies") };
            let done: Vec<_> = [one, other].into_iter().filter(|reply| reply.is_ok()).collect();
            let [done] = done.as_slice() else { panic!("renewed {} times", done.len()) };
            assert!(update.is_ok());
            let seen = world.opens(done.cookie.clone().unwrap().as_deref()).await.unwrap();
            assert_eq!(seen.data.cart, [1]);
        },
    );
}
