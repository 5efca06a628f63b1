//! L5: no acknowledged write is lost.

use cloakroom_conformance::interleaving::Answers;

use crate::support::*;

/// Requests on one session: each is acknowledged, and each is there once.
fn compose(name: &str, processes: usize, answers: Answers, acts: &[Act]) -> u64 {
    Scenario { processes, answers, ..Scenario::of(name) }.explore(
        async |world| {
            let ticket = world.visitor(&[Act::Ensure]).await;
            let request =
                |(at, act): (usize, &Act)| world.request(at % processes, Some(&ticket), *act);
            let mut requests: Vec<_> = acts.iter().enumerate().map(request).collect();
            requests.insert(0, Box::pin(kept(world.clone(), ticket)));
            requests
        },
        async |world, replies| {
            assert!(replies.iter().all(Reply::is_ok), "{replies:?}");
            let ticket = replies[0].cookie.clone().unwrap();
            let data = world.opens(ticket.as_deref()).await.unwrap().data;
            let mut cart = data.cart.clone();
            cart.sort_unstable();
            let items = acts.iter().filter_map(|act| if let Act::Update(n) = act { Some(*n) } else { None });
            assert_eq!(cart, items.collect::<Vec<_>>());
            let edits = acts.iter().filter(|act| **act == Act::Edit).count();
            assert_eq!(data.count, edits as u64);
            let notes: Vec<_> =
                acts.iter().filter_map(|act| if let Act::Set(n) = act { Some(*n) } else { None }).collect();
            assert!(notes.is_empty() || notes.contains(&data.note), "{}", data.note);
        },
    )
}

/// A reply that only remembers the ticket for the judge.
async fn kept(world: World, ticket: String) -> Reply {
    let mut reply = world.at_once_unscheduled(&ticket).await;
    reply.cookie = Some(Some(ticket));
    reply
}
