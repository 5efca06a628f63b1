//! What the service tells its operator, caught per thread.

use std::cell::RefCell;
use std::io;
use std::sync::Once;

thread_local! {
    static TOLD: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Catches what is told on this thread until it is dropped. For tests on one thread.
pub struct Events(());

impl Events {
    /// Listens from now on, to everything.
    pub fn listen() -> Self {
        static LISTENING: Once = Once::new();
        LISTENING.call_once(|| {
            let subscriber = tracing_subscriber::fmt()
                .with_max_level(tracing::Level::TRACE)
                .with_ansi(false)
                .without_time()
                .with_writer(|| Pen)
                .finish();
            tracing::subscriber::set_global_default(subscriber).unwrap();
        });
        TOLD.with(|told| *told.borrow_mut() = Some(String::new()));
        Self(())
    }

    /// All that was told since the last time this was asked.
    pub fn text(&self) -> String {
        TOLD.with(|told| told.borrow_mut().replace(String::new())).unwrap_or_default()
    }

    /// How often an event of this name was told, of all that was told since the last question.
    pub fn count(&self, name: &str) -> usize {
        let text = self.text();
        text.matches(&format!("event=\"{name}\"")).count()
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        TOLD.with(|told| *told.borrow_mut() = None);
    }
}

struct Pen;

impl io::Write for Pen {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        TOLD.with(|told| {
            if let Some(told) = told.borrow_mut().as_mut() {
                told.push_str(&String::from_utf8_lossy(bytes));
            }
        });
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
