//! Threads that do anything to the same few keys.

use std::sync::Arc;

use cloakroom_store::{Ending, Expect, Limit, Page, Target};
use shuttle::rand::{Rng as _, thread_rng};
use shuttle::thread;

use super::names::*;
use super::{agrees, in_every_order};
use crate::bounds::Bounds;
use crate::commits::Change;
use crate::house::House;

const KEYS: u8 = 5;

fn below(bound: u8) -> u8 {
    thread_rng().gen_range(0..bound)
}

/// What a store refuses or finds missing is an answer like any other here.
fn step(house: &House, number: u8) {
    let (one, other) = (key(below(KEYS)), key(below(KEYS)));
    let name = ["ada", "bob"][usize::from(below(2))];
    let seconds = [1, IDLE - 1, IDLE, 70, 6 * IDLE][usize::from(below(5))];
    let now = at(seconds);
    match below(14) {
        0 => drop(house.create(&one, guest(number), None, now)),
        1 => drop(house.create(&one, member(name, number), Some(Limit::keep_newest(1)), now)),
        2 => drop(house.load(&[one, other], now)),
        3 | 4 => {
            let ops = if below(2) == 0 { long("a") } else { set("a", number) };
            let touch = Some(touch(seconds));
            drop(house.commit(&one, Change { expect: Expect::Any, ops: &ops, touch, now }));
        }
        5 | 6 => drop(house.rotate(&one, &other, &renewal(), now)),
        7 => drop(house.rotate(&one, &other, &login(name, number, None), now)),
        8 => {
            let limit = Some(Limit::keep_newest(1));
            drop(house.rotate(&one, &other, &login(name, number, limit), now));
        }
        9 => drop(house.resume(&one, &member(name, number), &all(), now)),
        10 => drop(house.end(Target::Key(one), Ending::LOGOUT, now)),
        11 => drop(house.end_all(&user(name), None, Ending::LOGOUT, now)),
        12 => drop(house.amend(&user(name), &set("b", number), now)),
        _ => {
            let (_, _) = (house.sweep(now, 2), house.count(now));
            drop(house.scan(Page::first(9), now));
        }
    }
}

fn anything_at_once(bounds: Bounds) {
    let house = Arc::new(House::new(bounds));
    has_guest(&house, 0);
    has_remembered(&house, "ada", 1);
    let threads: Vec<_> = (1..=3u8)
        .map(|thread| {
            let house = Arc::clone(&house);
            thread::spawn(move || (0..4).for_each(|at| step(&house, 10 * thread + at)))
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    agrees(&house);
}

#[test]
fn whatever_happens_at_once_index_and_records_agree() {
    in_every_order(|| anything_at_once(roomy()));
}

#[test]
fn whatever_happens_at_once_a_full_store_stays_within_its_bounds() {
    in_every_order(|| anything_at_once(Bounds { sessions: 3, ..tight() }));
}
