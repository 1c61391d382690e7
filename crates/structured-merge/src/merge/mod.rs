//! The rules of ownership. Go: `sigs.k8s.io/structured-merge-diff/merge`.
mod conflict;
mod updater;

pub use conflict::{Conflict, Conflicts};
pub use updater::{ApplyError, Converter, Updater};
