//! What a reconcile answers. Go counterpart: `reconcile.Result`, `reconcile.TerminalError`.

use std::error::Error;
use std::fmt;
use std::time::Duration;

/// Any error. `?` turns every error type into it, and strings too.
pub type BoxError = Box<dyn Error + Send + Sync + 'static>;

/// What is to happen to a key after it was reconciled without an error.
///
/// Go counterpart: `reconcile.Result`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Action(pub(super) Next);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    Done,
    Requeue,
    After(Duration),
}

impl Action {
    /// Nothing until the next event. Failures are forgotten.
    pub fn done() -> Self {
        Action(Next::Done)
    }

    /// Again, with the same growing delays as after an error.
    pub fn requeue() -> Self {
        Action(Next::Requeue)
    }

    /// Again after this delay, or at the next event. Failures are forgotten. If the key waits for
    /// an earlier time already, that time counts. A delay of zero means at once (in Go it means
    /// never).
    pub fn requeue_after(delay: Duration) -> Self {
        Action(Next::After(delay))
    }
}

/// [`Action::done`].
impl Default for Action {
    fn default() -> Self {
        Self::done()
    }
}

/// An error that trying again will not cure; see [`terminal`].
#[derive(Debug)]
pub struct TerminalError(BoxError);

impl fmt::Display for TerminalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("terminal error")
    }
}

impl Error for TerminalError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.0)
    }
}

/// Marks an error as one that trying again will not cure: the key is not retried until its next
/// event.
///
/// Go counterpart: `reconcile.TerminalError`.
///
/// # Example: a spec that cannot work
/// ```
/// use pintle_controller::{Action, BoxError, terminal};
///
/// async fn reconcile(replicas: i32) -> Result<Action, BoxError> {
///     if replicas < 0 {
///         return Err(terminal(format!("spec.replicas is {replicas}; it cannot be negative")));
///     }
///     Ok(Action::done())
/// }
/// ```
pub fn terminal(error: impl Into<BoxError>) -> BoxError {
    Box::new(TerminalError(error.into()))
}

/// Whether the error or one of its sources is terminal.
pub(super) fn is_terminal(error: &(dyn Error + 'static)) -> bool {
    chain(error).any(|e| e.is::<TerminalError>())
}

/// The error and its sources in one line.
pub(super) fn one_line(error: &(dyn Error + 'static)) -> String {
    let mut out = String::new();
    for e in chain(error) {
        let level = e.to_string();
        if !out.ends_with(&level) {
            if !out.is_empty() {
                out.push_str(": ");
            }
            out.push_str(&level);
        }
    }
    out
}

fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    // A bound, in case an error is its own source.
    std::iter::successors(Some(error), |e: &&'a (dyn Error + 'static)| (**e).source()).take(64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Outer(BoxError);
    impl fmt::Display for Outer {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("syncing")
        }
    }
    impl Error for Outer {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(&*self.0)
        }
    }

    #[test]
    fn terminal_is_found_at_any_depth() {
        let plain: BoxError = "no".into();
        assert!(!is_terminal(&*plain));
        assert!(is_terminal(&*terminal("no")));
        let nested = Outer(terminal("no"));
        assert!(is_terminal(&nested));
        assert_eq!(one_line(&nested), "syncing: terminal error: no");
    }
}
