//! What must be in the file.

use std::collections::{BTreeMap, BTreeSet};

use cloakroom_conformance::executor::block_on;
use cloakroom_sqlite::SqliteStore;
use cloakroom_store::{Commit, Expect, Page, Record, Registry as _, Store as _};

use crate::change::{self, Change, NOW, THREADS, count_of, number_of, user_of};

/// All sessions and keys by number.
#[derive(Debug, Default)]
pub(crate) struct World {
    pub(crate) sessions: BTreeMap<u32, Session>,
    keys: BTreeMap<u32, Place>,
}

#[derive(Clone, Debug)]
pub(crate) struct Session {
    pub(crate) key: u32,
    /// The keys that forward to it.
    pub(crate) older: Vec<u32>,
    pub(crate) user: u32,
    pub(crate) count: u32,
}

/// What is behind a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Newest(u32),
    Older(u32),
    Nowhere,
}

impl World {
    /// Any session, drawn with `below`.
    pub(crate) fn some(&self, below: impl FnOnce(u32) -> u32) -> Option<&Session> {
        let among = u32::try_from(self.sessions.len()).ok().filter(|among| *among > 0)?;
        self.sessions.values().nth(below(among) as usize)
    }

    pub(crate) fn sessions_of(&self, user: u32) -> impl Iterator<Item = &Session> {
        self.sessions.values().filter(move |session| session.user == user)
    }

    /// What was acknowledged has happened.
    pub(crate) fn apply(&mut self, change: Change) {
        match change {
            Change::Create { id, user } => self.begin(id, user, 0),
            Change::Commit { key, count } => {
                let (Place::Newest(id) | Place::Older(id)) = self.keys[&key] else {
                    panic!("{change} is for nothing")
                };
                self.sessions.get_mut(&id).unwrap().count = count;
            }
            Change::Replace { old, id, user } => {
                let count = self.end(old).count;
                self.begin(id, user, count);
            }
            Change::Renew { old, new } => {
                let Place::Newest(id) = self.keys[&old] else { panic!("{change} is for nothing") };
                let session = self.sessions.get_mut(&id).unwrap();
                session.older.push(old);
                session.key = new;
                self.keys.insert(old, Place::Older(id));
                self.keys.insert(new, Place::Newest(id));
            }
            Change::End { key } => drop(self.end(key)),
            Change::EndAll { user } => {
                let keys: Vec<u32> = self.sessions_of(user).map(|session| session.key).collect();
                keys.into_iter().for_each(|key| drop(self.end(key)));
            }
        }
    }

    fn begin(&mut self, id: u32, user: u32, count: u32) {
        self.keys.insert(id, Place::Newest(id));
        self.sessions.insert(id, Session { key: id, older: Vec::new(), user, count });
    }

    fn end(&mut self, key: u32) -> Session {
        let Place::Newest(id) = self.keys[&key] else { panic!("{key} leads to nothing") };
        let session = self.sessions.remove(&id).unwrap();
        for key in session.older.iter().chain([&session.key]) {
            self.keys.insert(*key, Place::Nowhere);
        }
        session
    }

    /// The store holds this and nothing else. Keys are tried from number `from` on.
    pub(crate) fn compare(&self, store: &SqliteStore, from: u32, when: &str) {
        let wanted: BTreeMap<u32, (u32, u32)> =
            self.sessions.iter().map(|(id, is)| (*id, (is.user, is.count))).collect();
        assert_eq!(all(|page| block_on(store.scan(page, NOW)).unwrap()), wanted, "{when}: scan");

        for user in (1..10 * THREADS).filter(|number| number % 10 < 4) {
            let id = change::user_id(user);
            let listed = all(|page| block_on(store.list(&id, page, NOW)).unwrap());
            let of_user: BTreeMap<_, _> =
                wanted.iter().filter(|(_, is)| is.0 == user).map(|(id, is)| (*id, *is)).collect();
            assert_eq!(listed, of_user, "{when}: list of {user}");
        }

        let count = block_on(store.count(NOW)).unwrap();
        let signed_in = wanted.values().filter(|(user, _)| *user != 0).count();
        assert_eq!((count.sessions, count.signed_in), (wanted.len() as u64, signed_in as u64));

        for (key, place) in self.keys.range(from..) {
            change::compare(*key, *place, self, &change::load(store, *key), when);
            if *place == Place::Nowhere {
                let ops = change::counted(0);
                let late = store.commit(&change::key(*key), Expect::Any, &ops, None, NOW);
                assert!(matches!(block_on(late).unwrap(), Commit::Gone(_)), "{when}: {key}");
            }
        }
    }
}

/// Every session once: its number, its user and its count.
fn all(mut page: impl FnMut(Page) -> Vec<Record>) -> BTreeMap<u32, (u32, u32)> {
    const AT_ONCE: u32 = 500;
    let (mut found, mut ids, mut after) = (BTreeMap::new(), BTreeSet::new(), None);
    loop {
        let records = page(Page { after, limit: AT_ONCE });
        for record in &records {
            assert!(ids.insert(record.id()), "a session comes once");
            found.insert(number_of(record), (user_of(record), count_of(record)));
        }
        after = records.last().map(Record::id);
        if records.len() < AT_ONCE as usize {
            return found;
        }
    }
}
