//! What the near cache keeps of reads that were under way when something was forgotten.

use std::sync::Arc;
use std::time::Duration;

use cloakroom_store::{Record, Timestamp};
use shuttle::thread;

use super::names::*;
use super::{has_guest, in_every_order, live};
use crate::bounds::Bounds;
use crate::house::House;
use crate::near::table::Table;

/// A read began before `forget`, and may arrive at any moment of it.
fn arriving_meanwhile(forget: impl FnOnce(&Table, &Record)) {
    let house = Arc::new(House::new(Bounds::default()));
    has_guest(&house, 0);
    let record = live(&house, &key(0), 1);
    let table = Arc::new(Table::new(Duration::from_secs(5), 1 << 20, false));
    let began = table.begin_read(&key(0));
    let reader = {
        let (table, record) = (Arc::clone(&table), record.clone());
        thread::spawn(move || table.fill(&key(0), &record, at(1), began))
    };

    forget(&table, &record);

    let served = table.get(&key(0), at(1));
    reader.join().unwrap();
    let kept = table.get(&key(0), at(1));
    assert!(served.is_none() && kept.is_none(), "it is older than what made it forgotten");
}

#[test]
fn a_read_that_arrives_while_its_session_is_forgotten_is_not_kept() {
    in_every_order(|| arriving_meanwhile(|table, record| table.forget_ids([record.id()])));
}

#[test]
fn a_read_that_arrives_while_sessions_that_are_over_are_forgotten_is_not_kept() {
    in_every_order(|| arriving_meanwhile(|table, _| table.forget_over(Timestamp::MAX)));
}

#[test]
fn a_read_that_arrives_while_all_sessions_of_its_user_are_forgotten_is_not_kept() {
    in_every_order(|| {
        let house = Arc::new(House::new(Bounds::default()));
        has_remembered(&house, "ada", 1);
        let record = live(&house, &key(1), 1);
        let table = Arc::new(Table::new(Duration::from_secs(5), 1 << 20, false));
        let began = table.begin_read(&key(1));
        let reader = {
            let table = Arc::clone(&table);
            thread::spawn(move || table.fill(&key(1), &record, at(1), began))
        };

        table.forget_user(&user("ada"));

        reader.join().unwrap();
        assert!(table.get(&key(1), at(1)).is_none());
    });
}
