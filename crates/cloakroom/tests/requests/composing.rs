//! L5: no acknowledged write is lost.

use cloakroom_conformance::interleaving::Answers;

use crate::support::*;

/// Requests on one session, in turn to each process: all are acknowledged, and each is there once.
fn compose(name: &str, processes: usize, answers: Answers, acts: &[Act]) {
    Scenario { processes, answers, ..Scenario::of(name) }.explore(
        async |world| world.visit(&[Act::Ensure], acts).await,
        async |world, ticket, replies| {
            assert!(replies.iter().all(Reply::is_ok), "{replies:?}");
            let mut data = world.opens(Some(ticket)).await.unwrap().data;
            data.cart.sort_unstable();
            let (mut items, mut edits, mut notes) = (Vec::new(), 0, Vec::new());
            for act in acts {
                match *act {
                    Act::Update(item) => items.push(item),
                    Act::Edit => edits += 1,
                    Act::Set(note) => notes.push(note),
                    _ => {}
                }
            }
            assert_eq!((data.cart, data.count), (items, edits));
            assert!(notes.is_empty() || notes.contains(&data.note), "{}", data.note);
        },
    );
}

#[test]
fn two_updates_and_a_set_compose_in_one_process() {
    let acts = [Act::Update(1), Act::Update(2), Act::Set(3)];
    compose("update, update, set", 1, Answers::AtOnce, &acts);
}

#[test]
fn two_updates_and_a_set_compose_in_two_processes() {
    let acts = [Act::Update(1), Act::Update(2), Act::Set(3)];
    compose("update, update, set, two processes", 2, Answers::AtOnce, &acts);
}

#[test]
fn updates_and_edits_compose_in_three_processes() {
    let acts = [Act::Update(1), Act::Edit, Act::Update(2)];
    compose("update, edit, update, three processes", 3, Answers::AtOnce, &acts);
}

#[test]
fn two_updates_compose_however_late_answers_come() {
    compose("update, update, late answers", 1, Answers::Late, &[Act::Update(1), Act::Update(2)]);
    let acts = [Act::Update(1), Act::Edit];
    compose("update, edit, late answers, two processes", 2, Answers::Late, &acts);
    let acts = [Act::Update(1), Act::Update(2), Act::Set(3)];
    compose("update, update, set, late answers", 1, Answers::Late, &acts);
    if is_long() {
        compose("update, update, set, late answers, two processes", 2, Answers::Late, &acts);
    }
}
