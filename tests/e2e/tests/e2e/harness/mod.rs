//! What the tests stand on: a server, a client that can be watched and cut off, waiting.

mod assets;
mod kinds;
mod tap;
mod test;
mod who;

pub(crate) use kinds::{config_map, deployment, namespace, pod};
pub(crate) use tap::Tap;
pub(crate) use test::{Done, Task, Test, run};
pub(crate) use who::Who;

use pintle::{Error, Object};
use std::time::Duration;

/// How long anything may take to come about.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Looks until `look` says yes.
pub(crate) async fn eventually(
    what: &str,
    mut look: impl AsyncFnMut() -> Result<bool, Error>,
) -> Result<(), Error> {
    let looking = async {
        let mut pause = Duration::from_millis(1);
        while !look().await? {
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_millis(100));
        }
        Ok(())
    };
    within(what, looking).await?
}

/// Waits for a future, but not for ever.
pub(crate) async fn within<R>(what: &str, future: impl Future<Output = R>) -> Result<R, Error> {
    tokio::time::timeout(PATIENCE, future)
        .await
        .map_err(|_| Error::timeout(format!("waited {PATIENCE:?} in vain: {what}")))
}

/// The message of the Status that a failed call was answered with.
#[track_caller]
pub(crate) fn refusal<R: std::fmt::Debug>(result: Result<R, Error>) -> Refusal {
    let error = match result {
        Ok(value) => {
            let text: String = format!("{value:?}").chars().take(500).collect();
            panic!("expected a refusal, got {text}")
        }
        Err(error) => error,
    };
    match error.status() {
        Some(status) => Refusal {
            code: status.code,
            reason: status.reason.to_string(),
            message: status.message.to_string(),
            error,
        },
        None => panic!("expected a Status, got {error}"),
    }
}

/// What a server said no with.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) code: i32,
    pub(crate) reason: String,
    pub(crate) message: String,
    pub(crate) error: Error,
}

impl Refusal {
    /// Compares all that a person sees of it.
    #[track_caller]
    pub(crate) fn is(&self, code: i32, reason: &str, message: &str) {
        let found = (self.code, self.reason.as_str(), self.message.as_str());
        assert_eq!(found, (code, reason, message));
    }
}

/// The names of objects, in their order.
pub(crate) fn names<'a, T: Object>(objects: impl IntoIterator<Item = &'a T>) -> Vec<&'a str> {
    objects.into_iter().map(Object::name).collect()
}

impl Refusal {
    /// Compares the status code alone, where the text is not fixed.
    #[track_caller]
    pub(crate) fn code_is(&self, code: i32) {
        assert_eq!(self.code, code, "{}", self.error);
    }
}
