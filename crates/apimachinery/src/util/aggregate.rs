//! Several errors as one. Go: `k8s.io/apimachinery/pkg/util/errors`.

use std::fmt;

/// One or more errors. Shows as the one error, or as `[a, b]` with each message once.
///
/// Go's `Flatten` has no counterpart, as an aggregate holds errors of one type and not other
/// aggregates: [`extend`](Extend) with their errors. Neither have `Reduce` and
/// `AggregateGoroutines`.
///
/// ```
/// use pintle_apimachinery::{Error, util::Aggregate};
/// let tried = [Ok(1), Err(Error::other("no disk")), Err(Error::other("no net")), Err(Error::other("no disk"))];
/// let (worked, failed) = Aggregate::partition(tried);
/// assert_eq!(worked, [1]);
/// assert_eq!(failed.into_result().unwrap_err().to_string(), "[no disk, no net]");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aggregate<E>(Vec<E>);

impl<E> Default for Aggregate<E> {
    fn default() -> Self {
        Aggregate(Vec::new())
    }
}

impl<E> Aggregate<E> {
    /// No error yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Splits results into what worked and what failed.
    pub fn partition<T>(results: impl IntoIterator<Item = Result<T, E>>) -> (Vec<T>, Self) {
        let (mut worked, mut failed) = (Vec::new(), Self::new());
        for result in results {
            match result {
                Ok(value) => worked.push(value),
                Err(error) => failed.0.push(error),
            }
        }
        (worked, failed)
    }

    /// Adds an error.
    pub fn push(&mut self, error: E) {
        self.0.push(error);
    }

    /// The errors.
    pub fn errors(&self) -> &[E] {
        &self.0
    }

    /// Without the errors that `known` recognises. Go: `FilterOut`.
    #[must_use]
    pub fn filter_out(mut self, mut known: impl FnMut(&E) -> bool) -> Self {
        self.0.retain(|error| !known(error));
        self
    }

    /// `Ok` if there is no error. Go: `NewAggregate`, which then gives nil.
    ///
    /// # Errors
    /// This, if there is one.
    pub fn into_result(self) -> Result<(), Self> {
        if self.0.is_empty() { Ok(()) } else { Err(self) }
    }
}

impl<E> FromIterator<E> for Aggregate<E> {
    fn from_iter<I: IntoIterator<Item = E>>(errors: I) -> Self {
        Aggregate(errors.into_iter().collect())
    }
}

impl<E> Extend<E> for Aggregate<E> {
    fn extend<I: IntoIterator<Item = E>>(&mut self, errors: I) {
        self.0.extend(errors);
    }
}

impl<E> IntoIterator for Aggregate<E> {
    type Item = E;
    type IntoIter = std::vec::IntoIter<E>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<E: fmt::Display> fmt::Display for Aggregate<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&aggregate_message(self.0.iter()))
    }
}

/// The message of several errors.
pub(crate) fn aggregate_message<E: fmt::Display>(errors: impl Iterator<Item = E>) -> String {
    let mut messages: Vec<String> = Vec::new();
    for error in errors {
        let message = error.to_string();
        if !messages.contains(&message) {
            messages.push(message);
        }
    }
    match messages.len() {
        0 => String::new(),
        1 => messages.remove(0),
        _ => format!("[{}]", messages.join(", ")),
    }
}

impl<E: std::error::Error> std::error::Error for Aggregate<E> {}

/// One error of the project: the only one as it is; of several the message, and as the cause all of
/// them.
impl From<Aggregate<crate::Error>> for crate::Error {
    fn from(mut errors: Aggregate<crate::Error>) -> Self {
        match errors.0.len() {
            1 => errors.0.remove(0),
            _ => crate::Error::other(errors.to_string()).with_source(errors),
        }
    }
}
