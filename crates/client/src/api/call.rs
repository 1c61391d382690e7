//! A call that can still be given options before it is awaited.

use crate::Error;
use futures_core::future::BoxFuture;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

/// A request about to be made: await it, or give it options first.
///
/// ```no_run
/// use pintle_apimachinery::{CreateOptions, PartialObjectMetadata as ConfigMap};
/// # async fn f(api: pintle_client::Api<ConfigMap>, config: ConfigMap) -> Result<(), pintle_client::Error> {
/// api.create(&config).await?;
/// api.create(&config).options(CreateOptions::default().dry_run()).await?;
/// # Ok(()) }
/// ```
///
/// Nothing is sent before it is polled. Dropping it gives the request up; whether a write had been
/// done by then is not known.
#[must_use = "nothing is sent before it is awaited"]
pub struct Call<'a, O, R>(State<'a, O, R>);

type Start<'a, O, R> = Box<dyn FnOnce(O) -> BoxFuture<'a, Result<R, Error>> + Send + 'a>;

enum State<'a, O, R> {
    Waiting(O, Start<'a, O, R>),
    Running(BoxFuture<'a, Result<R, Error>>),
    /// Only while it changes from one to the other, and for good if that panics.
    Gone,
}

impl<'a, O: Default, R> Call<'a, O, R> {
    pub(crate) fn new<F, Fut>(start: F) -> Self
    where
        F: FnOnce(O) -> Fut + Send + 'a,
        Fut: Future<Output = Result<R, Error>> + Send + 'a,
    {
        Call(State::Waiting(O::default(), Box::new(|options| Box::pin(start(options)))))
    }

    /// Sets the options; without effect once the call has been polled.
    pub fn options(mut self, options: O) -> Self {
        if let State::Waiting(current, _) = &mut self.0 {
            *current = options;
        }
        self
    }
}

impl<O: Unpin, R> Future for Call<'_, O, R> {
    type Output = Result<R, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if let State::Waiting(..) = self.0
            && let State::Waiting(options, start) = std::mem::replace(&mut self.0, State::Gone)
        {
            self.0 = State::Running(start(options));
        }
        match &mut self.0 {
            State::Running(future) => future.as_mut().poll(cx),
            _ => Poll::Pending,
        }
    }
}

impl<O: fmt::Debug, R> fmt::Debug for Call<'_, O, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            State::Waiting(options, _) => write!(f, "Call({options:?})"),
            _ => f.write_str("Call(sent)"),
        }
    }
}
