//! What the verbs send.

use std::time::Duration;

use cloakroom_store::{
    Draft, Ending, Expect, Fields, Identity, Keep, Key, Limit, LimitPolicy, Ops, Page, Record,
    StoreError, Times, Timestamp,
};
use tokio_postgres::types::ToSql;

use crate::rows::{self, millis};

/// Values for a statement.
pub(crate) type Params = Vec<Box<dyn ToSql + Sync + Send>>;

macro_rules! params {
    ($($value:expr),* $(,)?) => {
        vec![$(Box::new($value) as Box<dyn tokio_postgres::types::ToSql + Sync + Send>),*]
    };
}

pub(crate) use params;

/// What a privilege change sends, and the session it begins without its fields.
pub(crate) fn replacing(
    (old, new): (&Key, &Key),
    draft: Draft,
    keep: &Keep,
    limit: Option<Limit>,
    ending: Ending,
    now: Timestamp,
) -> Result<Params, StoreError> {
    let (names, members) = rows::changes(&draft.ops);
    let record = bare(draft)?;
    let mut params = params![
        bytes(old),
        kept(keep),
        names,
        members,
        ending.reason.code(),
        ending.by.to_string(),
        bytes(new),
    ];
    params.extend(beginning(&record));
    params.extend(bound(limit));
    params.push(Box::new(millis(now)));
    Ok(params)
}

/// What a renewal sends.
pub(crate) fn renewing(
    (old, new): (&Key, &Key),
    identity: Option<Identity>,
    times: Option<Times>,
    (grace, until): (Duration, Timestamp),
    now: Timestamp,
) -> Params {
    let (is_proof, is_anew) = (identity.is_some(), times.is_some());
    let identity = identity.unwrap_or_default();
    let mut params = params![bytes(old), bytes(new), is_proof];
    params.extend(proof(&identity));
    params.push(Box::new(is_anew));
    let clock = |of: fn(&Times) -> Timestamp| times.as_ref().map(of).map(millis);
    params.extend(params![
        clock(|times| times.created),
        clock(|times| times.seen),
        clock(|times| times.idle_deadline),
        clock(|times| times.absolute_deadline),
        millis(Timestamp::default().plus(grace)),
        millis(until),
        millis(now),
    ]);
    params
}

/// The session that a draft begins, without fields: those depend on what is kept.
pub(crate) fn bare(draft: Draft) -> Result<Record, StoreError> {
    Record::new(Draft { ops: Ops::new(), ..draft }, &Fields::default())
}

/// Everything of a new session from its id to its client.
pub(crate) fn beginning(record: &Record) -> Params {
    let Times { created, seen, idle_deadline, absolute_deadline } = *record.times();
    let mut params = params![record.id().as_bytes().to_vec()];
    params.extend(proof(record.identity()));
    params.extend(params![
        millis(created),
        millis(seen),
        millis(idle_deadline),
        millis(absolute_deadline),
        record.client().user_agent.as_deref().map(str::to_owned),
    ]);
    params
}

fn proof(identity: &Identity) -> Params {
    let Identity { user, factors, authenticated_at, remembered_until, .. } = identity;
    params![
        user.as_ref().map(|user| user.as_str().to_owned()),
        i32::from(factors.bits()),
        authenticated_at.map(millis),
        remembered_until.map(millis),
    ]
}

/// The number of a limit, and whether it refuses.
pub(crate) fn bound(limit: Option<Limit>) -> Params {
    let max = limit.map(|limit| i64::from(limit.max.max(1)));
    params![max, limit.is_some_and(|limit| limit.policy == LimitPolicy::Refuse)]
}

/// The names that are kept, or all.
pub(crate) fn kept(keep: &Keep) -> Option<Vec<String>> {
    match keep {
        Keep::All => None,
        Keep::Only(fields) => {
            Some(fields.iter().map(|field| rows::quoted(field.as_str())).collect())
        }
    }
}

/// No session has a version beyond what a column can keep.
pub(crate) fn expected(expect: Expect) -> Option<i64> {
    match expect {
        Expect::Any => None,
        Expect::Version(version) => Some(i64::try_from(version).unwrap_or(-1)),
    }
}

/// Every id is greater than no bytes.
pub(crate) fn after(page: &Page) -> Vec<u8> {
    page.after.as_ref().map_or_else(Vec::new, |id| id.as_bytes().to_vec())
}

pub(crate) fn bytes(key: &Key) -> Vec<u8> {
    key.as_bytes().to_vec()
}
