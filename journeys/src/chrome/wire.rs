//! The conversation with the browser: JSON messages, each ended by a NUL byte, over two pipes.

use crate::Failure;
use crate::deadline::in_vain;
use crate::watched::Watched;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{ChildStdin, ChildStdout};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// The session that speaks to the browser itself and not to one of its pages.
pub(super) const BROWSER: &str = "";

/// Something that the browser told unasked.
#[derive(Clone, Debug)]
pub(super) struct Event {
    pub(super) method: String,
    pub(super) params: Value,
}

/// Both directions: callers write, one thread reads into the inbox.
#[derive(Debug)]
pub(super) struct Wire {
    writer: Mutex<Option<ChildStdin>>,
    inbox: Arc<Watched<Inbox>>,
    next_call: AtomicU64,
}

#[derive(Debug, Default)]
struct Inbox {
    /// Calls that somebody waits for, with the answer once it is there.
    answers: HashMap<u64, Option<Value>>,
    /// Every event of every session, in order; nothing is removed while the session lasts, so
    /// that an event cannot be missed by asking late.
    events: HashMap<String, Vec<Event>>,
    closed: bool,
}

impl Wire {
    pub(super) fn new(writer: Option<ChildStdin>, reader: Option<ChildStdout>) -> Self {
        let inbox = Arc::new(Watched::default());
        if let Some(reader) = reader {
            let inbox = Arc::clone(&inbox);
            std::thread::spawn(move || read(reader, &inbox));
        }
        Self { writer: Mutex::new(writer), inbox, next_call: AtomicU64::new(1) }
    }

    /// Calls a method and waits for its answer.
    pub(super) fn call(
        &self,
        session: &str,
        method: &str,
        params: &Value,
        limit: Duration,
    ) -> Result<Value, Failure> {
        let id = self.next_call.fetch_add(1, Ordering::Relaxed);
        self.inbox.change(|inbox| inbox.answers.insert(id, None));
        self.send(id, session, method, params);
        let answer = self.inbox.wait(limit, |inbox| match inbox.answers.get_mut(&id)?.take() {
            Some(answer) => Some(Ok(answer)),
            None => inbox.closed.then(|| Err(gone(method))),
        });
        self.inbox.change(|inbox| inbox.answers.remove(&id));
        let mut answer = answer.unwrap_or_else(|| Err(in_vain(method, limit)))?;
        if let Some(error) = answer.get("error") {
            let text = error.get("message").and_then(Value::as_str).unwrap_or_default();
            return Err(Failure::new(format!("{method}: {text}")));
        }
        Ok(answer.get_mut("result").map(Value::take).unwrap_or_default())
    }

    /// Calls a method whose answer matters to nobody.
    pub(super) fn notify(&self, session: &str, method: &str, params: &Value) {
        let id = self.next_call.fetch_add(1, Ordering::Relaxed);
        self.send(id, session, method, params);
    }

    /// Ends the conversation, upon which the browser ends too.
    pub(super) fn hang_up(&self) {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    /// How many events the session has seen.
    pub(super) fn count(&self, session: &str) -> usize {
        self.inbox.change(|inbox| inbox.events.get(session).map_or(0, Vec::len))
    }

    /// What `pick` finds in the events that the session has seen since `from`.
    pub(super) fn seen<T>(
        &self,
        session: &str,
        from: usize,
        pick: impl FnMut(&Event) -> Option<T>,
    ) -> Vec<T> {
        self.inbox.change(|inbox| {
            let events = inbox.events.get(session).map_or(&[][..], Vec::as_slice);
            events.iter().skip(from).filter_map(pick).collect()
        })
    }

    /// Shows `pick` the session's events from `from` on, each once, until it gives a value.
    pub(super) fn wait<T>(
        &self,
        session: &str,
        from: usize,
        limit: Duration,
        what: &str,
        mut pick: impl FnMut(&Event) -> Option<T>,
    ) -> Result<T, Failure> {
        let mut next = from;
        let found = self.inbox.wait(limit, |inbox| {
            let events = inbox.events.get(session).map_or(&[][..], Vec::as_slice);
            for event in events.iter().skip(next) {
                next += 1;
                if let Some(found) = pick(event) {
                    return Some(Ok(found));
                }
            }
            inbox.closed.then(|| Err(gone(what)))
        });
        found.unwrap_or_else(|| Err(in_vain(what, limit)))
    }

    /// Drops the events of a session that has ended.
    pub(super) fn forget(&self, session: &str) {
        self.inbox.change(|inbox| inbox.events.remove(session));
    }

    // A message that cannot be written is a call whose answer finds the conversation closed.
    fn send(&self, id: u64, session: &str, method: &str, params: &Value) {
        let mut message = json!({ "id": id, "method": method, "params": params });
        if session != BROWSER
            && let Some(fields) = message.as_object_mut()
        {
            fields.insert("sessionId".to_owned(), session.into());
        }
        let mut bytes = message.to_string().into_bytes();
        bytes.push(0);
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pipe) = writer.as_mut()
            && pipe.write_all(&bytes).and_then(|()| pipe.flush()).is_err()
        {
            writer.take();
        }
    }
}

fn read(reader: ChildStdout, inbox: &Watched<Inbox>) {
    let mut reader = BufReader::new(reader);
    let mut bytes = Vec::new();
    while matches!(reader.read_until(0, &mut bytes), Ok(1..)) {
        bytes.pop_if(|last| *last == 0);
        if let Ok(message) = serde_json::from_slice(&bytes) {
            inbox.change(|inbox| inbox.accept(message));
        }
        bytes.clear();
    }
    inbox.change(|inbox| inbox.closed = true);
}

impl Inbox {
    fn accept(&mut self, mut message: Value) {
        if let Some(id) = message.get("id").and_then(Value::as_u64) {
            if let Some(awaited) = self.answers.get_mut(&id) {
                *awaited = Some(message);
            }
            return;
        }
        let text = |name| message.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (session, method) = (text("sessionId"), text("method"));
        let params = message.get_mut("params").map(Value::take).unwrap_or_default();
        self.events.entry(session).or_default().push(Event { method, params });
    }
}

fn gone(what: &str) -> Failure {
    Failure::new(format!("the browser has gone while waiting for {what}"))
}
