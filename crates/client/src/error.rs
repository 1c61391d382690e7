//! This crate's errors, all of them made here as the project's one error type.

use crate::Error;

/// A configuration that cannot be used.
pub(crate) fn config(message: impl Into<String>) -> Error {
    Error::config(message.into())
}
