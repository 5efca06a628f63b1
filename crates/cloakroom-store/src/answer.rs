use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::error::StoreError;

/// What a verb gives back: a result that is there already, or one that comes later.
///
/// A store in the same process answers at once and costs no allocation; a remote one boxes its
/// future. The work has begun when the verb returns: dropping an answer never stops it.
///
/// ```
/// use cloakroom_store::Answer;
///
/// let answer = Answer::ready(Ok(7));
/// assert_eq!(answer.now().unwrap().unwrap(), 7);
/// ```
#[must_use = "the outcome decides what happens next"]
pub struct Answer<T>(Inner<T>);

type Boxed<T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send>>;

enum Inner<T> {
    Ready(Option<Result<T, StoreError>>),
    Later(Boxed<T>),
}

impl<T> Answer<T> {
    /// An answer that is there already.
    pub const fn ready(result: Result<T, StoreError>) -> Self {
        Self(Inner::Ready(Some(result)))
    }

    /// An answer that comes when `future` is done. The work itself must not depend on the future
    /// being polled.
    pub fn later(future: impl Future<Output = Result<T, StoreError>> + Send + 'static) -> Self {
        Self(Inner::Later(Box::pin(future)))
    }

    /// The result if it is there already, else the answer to wait for.
    ///
    /// # Errors
    ///
    /// Gives the answer back if it comes later.
    pub fn now(self) -> Result<Result<T, StoreError>, Self> {
        match self.0 {
            Inner::Ready(Some(result)) => Ok(result),
            Inner::Ready(None) | Inner::Later(_) => Err(self),
        }
    }
}

/// The value is taken out by the one poll that finds it; nothing points into it.
impl<T> Unpin for Answer<T> {}

impl<T> Future for Answer<T> {
    type Output = Result<T, StoreError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            Inner::Later(future) => future.as_mut().poll(cx),
            Inner::Ready(result) => match result.take() {
                Some(result) => Poll::Ready(result),
                None => Poll::Pending,
            },
        }
    }
}

impl<T> fmt::Debug for Answer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Inner::Ready(_) => "Answer::Ready",
            Inner::Later(_) => "Answer::Later",
        })
    }
}
