//! L4: ended stays ended, whatever is still on its way.

use cloakroom::ErrorKind;
use cloakroom::store::{Page, Registry};
use cloakroom_conformance::executor::block_on;
use cloakroom_conformance::interleaving::Answers;
use http::StatusCode;

use crate::support::*;

/// Nothing is live any more, and no ticket that was ever handed out opens anything.
async fn nothing_lives(world: &World, ticket: &str, replies: &[Reply]) {
    let now = cloakroom::Clock::now(&world.clock);
    let left = block_on(world.store.store().scan(Page::first(10), now)).unwrap();
    assert_eq!(left, [], "{replies:?}");
    let handed = replies.iter().filter_map(|reply| reply.cookie.clone().flatten());
    for ticket in handed.chain([ticket.to_owned()]) {
        assert_eq!(world.opens(Some(&ticket)).await, None, "{replies:?}");
    }
}

/// Ends a session beside others that use it, in every order.
fn ended_beside(name: &str, answers: Answers, end: Act, others: &[Act]) {
    Scenario { answers, ..Scenario::of(name) }.explore(
        async |world| {
            let ticket = world.visitor(&[Act::Login("ada")]).await;
            // Activity is due to be recorded.
            world.clock.advance(std::time::Duration::from_secs(120));
            let all = [end].into_iter().chain(others.iter().copied());
            all.map(|act| world.request(0, Some(&ticket), act)).collect()
        },
        async |world, replies| {
            let [end, others @ ..] = replies else { panic!("no replies") };
            let renewed = others.iter().any(|reply| reply.act == Act::Rotate && reply.is_ok());
            if !end.is_ok() {
                assert_eq!((&end.failed, renewed), (&Some(ErrorKind::Stale), true), "{replies:?}");
                return;
            }
            for other in others {
                let told = other.is_ok() || other.status == StatusCode::CONFLICT;
                assert!(told, "it landed before, or is told: {other:?}");
            }
            let now = cloakroom::Clock::now(&world.clock);
            let left = block_on(world.store.store().scan(Page::first(10), now)).unwrap();
            assert_eq!(left, [], "{replies:?}");
            let handed = replies.iter().filter_map(|reply| reply.cookie.clone().flatten());
            for ticket in handed {
                assert_eq!(world.opens(Some(&ticket)).await, None, "{replies:?}");
            }
        },
    );
}

#[test]
fn a_logout_is_final_beside_a_slow_write_and_a_touch() {
    ended_beside("logout, update, read", Answers::AtOnce, Act::Logout, &[Act::Update(1), Act::Read]);
    ended_beside("logout, edit, late answers", Answers::Late, Act::Logout, &[Act::Edit]);
}

#[test]
fn a_logout_is_final_beside_a_renewal() {
    ended_beside("logout, rotate, late answers", Answers::Late, Act::Logout, &[Act::Rotate]);
    ended_beside("logout, rotate, update", Answers::AtOnce, Act::Logout, &[Act::Rotate, Act::Update(1)]);
}

#[test]
fn two_logouts_are_one() {
    ended_beside("logout, logout, set", Answers::AtOnce, Act::Logout, &[Act::Logout, Act::Set(1)]);
}

#[test]
fn a_revocation_is_final_beside_a_write_and_a_renewal() {
    for (name, answers, acts) in [
        ("revoke, update, rotate", Answers::AtOnce, vec![Act::Update(1), Act::Rotate]),
        ("revoke, step up, set", Answers::AtOnce, vec![Act::StepUp, Act::Set(2)]),
        ("revoke, rotate, late answers", Answers::Late, vec![Act::Rotate]),
    ] {
        Scenario { answers, ..Scenario::of(name) }.explore(
            async |world| {
                let ticket = world.visitor(&[Act::Login("ada")]).await;
                let id = world.opens(Some(&ticket)).await.unwrap().id;
                let mut requests = vec![world.request(0, None, Act::Revoke(id))];
                requests.extend(acts.iter().map(|act| world.request(0, Some(&ticket), *act)));
                requests.push(world.request(0, Some(&ticket), Act::Read));
                requests
            },
            async |world, replies| {
                assert!(replies[0].is_ok());
                let tickets = replies.iter().filter_map(|reply| reply.cookie.clone().flatten());
                for ticket in tickets {
                    nothing_lives(world, &ticket, replies).await;
                }
                let count = world.processes[0].count().await.unwrap();
                assert_eq!(count.sessions, 0, "{replies:?}");
            },
        );
    }
}
