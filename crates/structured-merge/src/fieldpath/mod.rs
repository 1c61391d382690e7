//! Paths to fields and sets of them. Go: `sigs.k8s.io/structured-merge-diff/fieldpath`.
mod element;
mod filter;
mod from_value;
mod managers;
mod path;
mod serialize;
mod set;

pub use element::{KeyField, PathElement};
pub use filter::{Filter, PathMatcher, SetMatcher};
pub use from_value::set_from_value;
pub use managers::{ManagedFields, VersionedSet};
pub use path::Path;
pub use set::Set;
