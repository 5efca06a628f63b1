//! Futures side by side, on whatever runtime the caller has.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

/// A future of any kind.
pub(super) type Boxed<'f, T> = Pin<Box<dyn Future<Output = T> + 'f>>;

/// Runs all of them at the same time, and gives what they came to in their order.
pub(super) async fn together<T>(futures: Vec<Boxed<'_, T>>) -> Vec<T> {
    let mut running: Vec<(Boxed<'_, T>, Option<T>)> =
        futures.into_iter().map(|future| (future, None)).collect();
    poll_fn(|context| {
        let mut is_done = true;
        for (future, done) in &mut running {
            if done.is_none() {
                match future.as_mut().poll(context) {
                    Poll::Ready(value) => *done = Some(value),
                    Poll::Pending => is_done = false,
                }
            }
        }
        if is_done { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    running.into_iter().filter_map(|(_, done)| done).collect()
}
