use cloakroom_store::{
    Create, Draft, Ending, Fields, Identity, Keep, Key, Limit, Reason, Rotate, Rotation, SessionId,
    StoreError, Times, Timestamp,
};

use super::create::{begin, existing, note_evicted, same_route};
use super::foresight::{Announced, Foreseen, behind};
use super::{end, on, run};
use crate::arguments::Arguments;
use crate::call::Call;
use crate::config::Mode;
use crate::hub::Hub;
use crate::keys;
use crate::reply::Reply;
use crate::scripts::Script;
use crate::values;

/// Puts the live session of `old` behind the key `new`.
pub(crate) async fn rotate(
    hub: &Hub,
    old: &Key,
    new: &Key,
    rotation: Rotation,
    now: Timestamp,
) -> Result<Rotate, StoreError> {
    match rotation {
        Rotation::Privilege { draft, keep, limit, ending } => {
            same_route(new.route(), draft.id)?;
            let login = Login { old, new, draft, keep, limit, ending, now };
            let is_cluster = matches!(hub.dial.config().mode, Mode::Cluster(_));
            if is_cluster && keys::slot(old.route()) != keys::slot(new.route()) {
                login.across_slots(hub).await
            } else {
                login.at_once(hub).await
            }
        }
        Rotation::Renewal { identity, times, grace, cap } => {
            if old.route() != new.route() {
                return Err(StoreError::refused("a renewed session stays on its route"));
            }
            let grace = Timestamp::default().plus(grace);
            renew(hub, (old, new), (identity, times), (grace, now.plus(cap)), now).await
        }
    }
}

/// A privilege change.
struct Login<'a> {
    old: &'a Key,
    new: &'a Key,
    draft: Draft,
    keep: Keep,
    limit: Option<Limit>,
    ending: Ending,
    now: Timestamp,
}

impl Login<'_> {
    /// One script, where one server holds both routes.
    async fn at_once(&self, hub: &Hub) -> Result<Rotate, StoreError> {
        hub.house.enter(hub, self.new.route()).await?;
        let (from, to) = (self.old.route(), self.new.route());
        let (mut announced, before, foreseen) = self.announced(hub).await?;
        announced.ends(hub, foreseen.leaving, Reason::Evicted, self.now).await?;
        let call = self.call(hub)?;
        let (answer, server) = hub.ask_whom(&call).await?;
        let mut reply = Reply::of(answer)?;
        match reply.word() {
            b"done" => {
                let record = values::session(&reply.next()?)?.record;
                let digest = keys::digest(self.old).into_bytes();
                hub.journal.note(call, &server);
                let old = end::again(hub, from, digest, &self.ending, self.now);
                hub.journal.note(old, &server);
                let evicted = note_evicted(hub, reply, to, &server, self.now)?;
                announced.ends(hub, before, self.ending.reason, self.now).await?;
                announced.ends(hub, evicted.iter().copied(), Reason::Evicted, self.now).await?;
                Ok(Rotate::Done { record, evicted })
            }
            b"taken" => Ok(Rotate::KeyTaken),
            b"full" => existing(reply).map(Rotate::LimitReached),
            b"stale" => Ok(Rotate::Stale),
            b"gone" => reply.told().map(Rotate::Gone),
            _ => Err(reply.refused()),
        }
    }

    /// Tells the feed of a cluster that the old session ends, unless the new one is going to be refused.
    async fn announced(
        &self,
        hub: &Hub,
    ) -> Result<(Announced, Option<SessionId>, Foreseen), StoreError> {
        let mut announced = Announced::default();
        let live = behind(hub, self.old, self.now).await?;
        let Some(live) = live.filter(|record| record.ended(self.now).is_none()) else {
            return Ok((announced, None, Foreseen::default()));
        };
        let before = live.id();
        let foreseen = Foreseen::of(hub, &self.draft, self.limit, Some(before), self.now).await?;
        if !foreseen.is_refused {
            announced.ends(hub, [before], self.ending.reason, self.now).await?;
        }
        Ok((announced, Some(before), foreseen))
    }

    fn call(&self, hub: &Hub) -> Result<Call, StoreError> {
        let mut arguments = Arguments::at(hub, self.now);
        arguments.push(keys::digest(self.old));
        arguments.push(keys::digest(self.new));
        arguments.ending(&self.ending);
        arguments.draft(hub, &self.draft)?;
        arguments.keep(&self.keep);
        arguments.ops(&self.draft.ops);
        arguments.limit(self.limit);
        let both = [self.old, self.new];
        let mut names: Vec<String> = both.map(|key| hub.names.ids(key.route())).to_vec();
        names.extend(both.map(|key| hub.names.session(key)));
        let slot = keys::slot(self.old.route());
        Ok(Call::script(slot, Script::Replace, names, arguments.into_inner()))
    }

    /// Two scripts, where two servers may hold the routes: the old session ends first, so that a
    /// login that is torn in two leaves nobody signed in. If the new one is refused, the old one is
    /// taken back, unless somebody ended it meanwhile.
    async fn across_slots(&self, hub: &Hub) -> Result<Rotate, StoreError> {
        let (mut announced, before, foreseen) = self.announced(hub).await?;
        let mark = keys::mark(self.new);
        let mut arguments =
            Arguments::at(hub, self.now).with(keys::digest(self.old)).with(mark.clone());
        arguments.ending(&self.ending);
        let call = on(hub, self.old.route(), &[self.old], Script::Part, arguments);
        let (answer, server) = hub.ask_whom(&call).await?;
        let reply = Reply::of(answer)?;
        match reply.word() {
            b"parted" => {}
            b"stale" => return Ok(Rotate::Stale),
            b"gone" => return reply.told().map(Rotate::Gone),
            _ => return Err(reply.refused()),
        }
        let parted = Parted { all: reply.rest()?, mark };
        let kept = self.kept(&parted)?;
        let limit = (self.limit, foreseen);
        match begin(hub, self.new, &self.draft, &kept, limit, self.now).await {
            Ok(Create::Done { record, evicted }) => {
                announced.ends(hub, before, self.ending.reason, self.now).await?;
                let digest = keys::digest(self.old).into_bytes();
                let old = end::again(hub, self.old.route(), digest, &self.ending, self.now);
                hub.journal.note(old, &server);
                Ok(Rotate::Done { record, evicted })
            }
            Ok(Create::KeyTaken) => self.take_back(hub, &parted, Ok(Rotate::KeyTaken)).await,
            Ok(Create::LimitReached(records)) => {
                self.take_back(hub, &parted, Ok(Rotate::LimitReached(records))).await
            }
            Err(error) if error.kind() == cloakroom_store::StoreErrorKind::Refused => {
                self.take_back(hub, &parted, Err(error)).await
            }
            Err(error) => Err(error),
        }
    }

    fn kept(&self, parted: &Parted) -> Result<Fields, StoreError> {
        let value = parted.all.first().map(Vec::as_slice).unwrap_or_default();
        let record = values::session(value)?.record;
        Ok(record.fields().retain(|name| self.keep.keeps(name)))
    }

    async fn take_back(
        &self,
        hub: &Hub,
        parted: &Parted,
        outcome: Result<Rotate, StoreError>,
    ) -> Result<Rotate, StoreError> {
        let mut arguments = Arguments::at(hub, self.now).with(keys::digest(self.old));
        arguments.push(parted.mark.clone());
        let (session, older) = parted
            .all
            .split_first()
            .ok_or_else(|| StoreError::corrupt("a session that was parted with has no value"))?;
        arguments.push(session.clone());
        arguments.push((older.len() / 2).to_string());
        older.iter().for_each(|part| arguments.push(part.clone()));
        let reply = run(hub, self.old, Script::Restore, arguments).await?;
        match reply.word() {
            b"done" => outcome,
            _ => reply.told().map(Rotate::Gone),
        }
    }
}

/// All that a session was that was parted with: its value, and digest and value of its older keys.
struct Parted {
    all: Vec<Vec<u8>>,
    mark: String,
}

/// The session moves behind the new key, and the old key forwards to it until `till` at most.
async fn renew(
    hub: &Hub,
    (old, new): (&Key, &Key),
    (identity, times): (Option<Identity>, Option<Times>),
    (grace, till): (Timestamp, Timestamp),
    now: Timestamp,
) -> Result<Rotate, StoreError> {
    let mut arguments = Arguments::at(hub, now).with(keys::digest(old)).with(keys::digest(new));
    arguments.push(values::millis(grace));
    arguments.push(values::millis(till));
    match &identity {
        Some(identity) => {
            let user = identity.user.as_ref().map(ToString::to_string);
            arguments.push(user.unwrap_or_default());
            arguments.push(values::proof(identity));
            arguments.push(values::remembered(identity));
        }
        None => (0..3).for_each(|_| arguments.push("")),
    }
    match times {
        Some(Times { created, seen, idle_deadline, absolute_deadline }) => {
            for time in [created, seen, idle_deadline, absolute_deadline] {
                arguments.push(values::millis(time));
            }
        }
        None => (0..4).for_each(|_| arguments.push("")),
    }
    let call = on(hub, old.route(), &[old, new], Script::Renew, arguments);
    let (answer, server) = hub.ask_whom(&call).await?;
    let reply = Reply::of(answer)?;
    match reply.word() {
        b"done" => {
            hub.journal.note(call, &server);
            Ok(Rotate::Done { record: reply.record()?, evicted: Vec::new() })
        }
        b"taken" => Ok(Rotate::KeyTaken),
        b"stale" => Ok(Rotate::Stale),
        b"gone" => reply.told().map(Rotate::Gone),
        _ => Err(reply.refused()),
    }
}
