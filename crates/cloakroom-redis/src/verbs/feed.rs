//! The feed of endings: how it is read, and how it is written in a cluster.

use cloakroom_store::{
    BULLETIN_MAX, Bulletin, Cursor, News, Notice, Reason, StoreError, Timestamp, UserId,
};
use redis::Value;

use crate::arguments::Arguments;
use crate::call::Call;
use crate::fault::is_full;
use crate::hub::Hub;
use crate::keys;
use crate::reply::{Reply, text};
use crate::scripts::Script;
use crate::values;

/// What happened after a place.
pub(crate) async fn watch(
    hub: &Hub,
    from: Cursor,
    limit: u32,
    now: Timestamp,
) -> Result<Bulletin, StoreError> {
    let limit = limit.clamp(1, BULLETIN_MAX);
    let first = match from {
        Cursor::OLDEST => "-".to_owned(),
        Cursor::NEWEST => String::new(),
        place => format!("({place}"),
    };
    let arguments = Arguments::at(hub, now).with(first).with((limit + 1).to_string());
    let Value::Array(parts) = hub.ask(&on_feed(hub, Script::Watch, arguments)).await? else {
        return Err(unreadable());
    };
    let mut parts = parts.into_iter().skip(1);
    let mut place = || parts.next().as_ref().and_then(place_of).ok_or_else(unreadable);
    let (last, deleted) = (place()?, place()?);
    let mut entries = parts.map(|entry| entry_of(&entry)).collect::<Result<Vec<_>, _>>()?;
    let more = entries.len() > limit as usize;
    entries.truncate(limit as usize);
    let is_place = from != Cursor::OLDEST && from != Cursor::NEWEST;
    Ok(Bulletin {
        next: entries.last().filter(|_| more).map_or(last, |(place, _)| *place),
        lost: is_place && (from < deleted || from > last),
        notices: entries.into_iter().filter_map(|(_, notice)| notice).collect(),
        more,
    })
}

/// Forgets what is too old.
pub(super) async fn forget(hub: &Hub, now: Timestamp) -> Result<(), StoreError> {
    loop {
        let call = on_feed(hub, Script::Forget, Arguments::at(hub, now));
        let mut reply = Reply::of(hub.ask(&call).await?)?;
        if reply.next()? != b"1" {
            return Ok(());
        }
    }
}

/// Writes into the feed of a cluster, where no script can do it together with what it tells of. It is
/// told again to a server that missed it, as endings are.
pub(super) async fn write(hub: &Hub, news: &[News], now: Timestamp) -> Result<(), StoreError> {
    if news.is_empty() {
        return Ok(());
    }
    if let [one] = news {
        let call = addition(hub, one, now);
        match hub.ask_whom(&call).await {
            // There is no feed yet, which a script begins.
            Ok((Value::Nil, _)) => {}
            Ok((_, run)) => {
                hub.journal.note(call, &run);
                return Ok(());
            }
            // Sessions end on a full server, too.
            Err(error) if is_full(&error) => {}
            Err(error) => return Err(error),
        }
    }
    let call = announcement(hub, news, now);
    let (answer, run) = hub.ask_whom(&call).await?;
    Reply::of(answer)?;
    hub.journal.note(call, &run);
    Ok(())
}

fn on_feed(hub: &Hub, script: Script, arguments: Arguments) -> Call {
    Call::script(keys::meta_slot(), script, vec![hub.names.feed()], arguments.into_inner())
}

fn addition(hub: &Hub, news: &News, now: Timestamp) -> Call {
    let [kind, who, reason] = words(news);
    let mut words = vec![hub.names.feed()];
    words.extend(["NOMKSTREAM", "*", "at"].map(str::to_owned));
    words.extend([values::millis(now), kind, who]);
    if !reason.is_empty() {
        words.extend(["reason".to_owned(), reason]);
    }
    Call { confirmed: true, ..Call::plain(keys::meta_slot(), "XADD", words, true) }
}

fn announcement(hub: &Hub, news: &[News], now: Timestamp) -> Call {
    let mut arguments = Arguments::at(hub, now).with(news.len().to_string());
    news.iter().flat_map(words).for_each(|word| arguments.push(word));
    on_feed(hub, Script::Announce, arguments)
}

/// Kind, whom it is about, and the reason if there is one.
fn words(news: &News) -> [String; 3] {
    match news {
        News::Ended { id, reason } => ["ended".to_owned(), keys::id(*id), reason.code().to_owned()],
        News::Epoch { user } => ["epoch".to_owned(), user.as_str().to_owned(), String::new()],
        _ => Default::default(),
    }
}

fn place_of(value: &Value) -> Option<Cursor> {
    text(value)?.parse().ok()
}

/// An entry: its place, and what it says if this release knows it.
fn entry_of(entry: &Value) -> Result<(Cursor, Option<Notice>), StoreError> {
    let words = entry.as_sequence().unwrap_or_default();
    let mut words = words.iter().map(|word| text(word).unwrap_or_default());
    let mut next = || words.next().unwrap_or_default();
    let place = next().parse()?;
    let (_at, at, kind, who) = (next(), next(), next(), next());
    let (_reason, reason) = (next(), next());
    let at = Timestamp::from_millis(at.parse().map_err(|_| unreadable())?);
    let news = match kind {
        "ended" => {
            let id = who.parse().map_err(|_| unreadable())?;
            Reason::from_code(reason).map(|reason| News::Ended { id, reason })
        }
        "epoch" => {
            let user = UserId::try_from(who).map_err(|error| unreadable().because(error))?;
            Some(News::Epoch { user })
        }
        _ => None,
    };
    Ok((place, news.map(|news| Notice { place, at, news })))
}

fn unreadable() -> StoreError {
    StoreError::corrupt("an entry of the feed cannot be read by this release")
}
