//! Store calls that outlive their requests, so that a service can wait for them before it ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;

#[derive(Debug, Default)]
pub(crate) struct Running {
    calls: AtomicUsize,
    done: Notify,
}

/// One call that is running.
#[derive(Debug)]
pub(crate) struct Call(Arc<Running>);

impl Running {
    pub(crate) fn enter(self: &Arc<Self>) -> Call {
        self.calls.fetch_add(1, Ordering::SeqCst);
        Call(Arc::clone(self))
    }

    /// Waits until no call is running.
    pub(crate) async fn idle(&self) {
        loop {
            let done = self.done.notified();
            if self.calls.load(Ordering::SeqCst) == 0 {
                return;
            }
            done.await;
        }
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        if self.0.calls.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.0.done.notify_waiters();
        }
    }
}
