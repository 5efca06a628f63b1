//! L4: ended stays ended, whatever is still on its way.

use cloakroom::ErrorKind;
use cloakroom_conformance::interleaving::Answers;
use http::StatusCode;

use crate::support::*;

/// Nobody is signed in, and no ticket of the session that ended opens anything. A write that came
/// after a revocation may have begun another session, without a user.
async fn nothing_lives(world: &World, ticket: &str, replies: &[Reply]) {
    let count = world.processes[0].count().await.unwrap();
    assert_eq!(count.signed_in, 0, "{replies:?}");
    assert_eq!(world.opens(Some(ticket)).await, None, "{replies:?}");
    for reply in replies {
        let Some(Some(handed)) = &reply.cookie else { continue };
        let opened = world.opens(Some(handed)).await;
        assert!(opened.is_none_or(|seen| seen.user.is_none()), "{replies:?}");
    }
}

/// A user signs out while other requests use the session.
fn signed_out_beside(name: &str, answers: Answers, others: &[Act]) {
    let acts: Vec<_> = [Act::Logout].iter().chain(others).copied().collect();
    Scenario { answers, ..Scenario::of(name) }.explore(
        async |world| {
            let prepared = world.visit(&[Act::Login("ada")], &acts).await;
            // Activity is due to be recorded.
            world.clock.advance(std::time::Duration::from_secs(120));
            prepared
        },
        async |world, ticket, replies| {
            let [logout, others @ ..] = replies else { panic!("no replies") };
            if !logout.is_ok() {
                let renewed = others.iter().any(|reply| reply.act == Act::Rotate && reply.is_ok());
                assert_eq!((&logout.failed, renewed), (&Some(ErrorKind::Stale), true));
                return;
            }
            let told = |reply: &Reply| reply.is_ok() || reply.status == StatusCode::CONFLICT;
            assert!(others.iter().all(told), "it landed before, or is told: {others:?}");
            nothing_lives(world, ticket, replies).await;
            assert_eq!(world.processes[0].count().await.unwrap().sessions, 0, "{replies:?}");
        },
    );
}

#[test]
fn a_logout_is_final_beside_a_slow_write_and_a_touch() {
    signed_out_beside("logout, update, read", Answers::AtOnce, &[Act::Update(1), Act::Read]);
    signed_out_beside("logout, edit, late answers", Answers::Late, &[Act::Edit]);
}

#[test]
fn a_logout_is_final_beside_a_renewal() {
    signed_out_beside("logout, rotate, late answers", Answers::Late, &[Act::Rotate]);
    signed_out_beside("logout, rotate, update", Answers::AtOnce, &[Act::Rotate, Act::Update(1)]);
}

#[test]
fn two_logouts_are_one() {
    signed_out_beside("logout, logout, set", Answers::AtOnce, &[Act::Logout, Act::Set(1)]);
}

#[test]
fn a_revocation_is_final_beside_writes_and_renewals() {
    for (name, answers, acts) in [
        ("revoke, update, rotate", Answers::AtOnce, vec![Act::Update(1), Act::Rotate]),
        ("revoke, step up, set", Answers::AtOnce, vec![Act::StepUp, Act::Set(2)]),
        ("revoke, rotate, late answers", Answers::Late, vec![Act::Rotate]),
        ("revoke, edit, late answers", Answers::Late, vec![Act::Edit]),
    ] {
        Scenario { answers, ..Scenario::of(name) }.explore(
            async |world| {
                let (ticket, mut requests) = world.visit(&[Act::Login("ada")], &acts).await;
                let id = world.opens(Some(&ticket)).await.unwrap().id;
                requests.push(world.request(0, None, Act::Revoke(id)));
                (ticket, requests)
            },
            async |world, ticket, replies| {
                nothing_lives(world, ticket, replies).await;
            },
        );
    }
}

#[test]
fn ending_the_other_sessions_is_final_beside_their_requests() {
    for (name, answers, act) in [
        ("end others, update", Answers::Late, Act::Update(1)),
        ("end others, rotate", Answers::Late, Act::Rotate),
    ] {
        Scenario { answers, ..Scenario::of(name) }.explore(
            async |world| {
                let here = world.visitor(&[Act::Login("ada")]).await;
                let (there, mut requests) = world.visit(&[Act::Login("ada")], &[act]).await;
                requests.push(world.request(0, Some(&here), Act::EndOthers));
                (there, requests)
            },
            async |world, there, replies| {
                assert!(replies[1].is_ok(), "{replies:?}");
                let left = world.processes[0].list("ada").await.unwrap();
                assert_eq!(left.len(), 1, "{replies:?}");
                assert_eq!(world.opens(Some(there)).await, None, "{replies:?}");
                let renewed = replies[0].cookie.clone().flatten();
                let opened = world.opens(renewed.as_deref()).await;
                assert!(opened.is_none_or(|seen| seen.user.is_none()), "{replies:?}");
            },
        );
    }
}

#[test]
fn a_logout_beside_two_others_is_final_however_late_answers_come() {
    if is_long() {
        signed_out_beside("logout, set, read, late", Answers::Late, &[Act::Set(1), Act::Read]);
        let acts = [Act::Update(1), Act::Set(2)];
        signed_out_beside("logout, update, set, late", Answers::Late, &acts);
        signed_out_beside("logout, rotate, set, late", Answers::Late, &[Act::Rotate, Act::Set(2)]);
    }
}
