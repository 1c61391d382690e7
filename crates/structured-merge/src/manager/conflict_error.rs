//! Conflicts as the API server reports them. Go: `managedfields/internal/conflict.go`.
use super::managed::{Id, UPDATE};
use crate::Conflicts;
use crate::json::quote;
use pintle_apimachinery::{Error, Status};

/// The type of a cause that is a field of another manager.
const CAUSE: &str = "FieldManagerConflict";

/// The server's answer. Go: `NewConflictError`.
pub(super) fn conflict_error(conflicts: &Conflicts) -> Error {
    let mut status = Status::failure(409, "Conflict", message(conflicts));
    for c in &conflicts.0 {
        let message = format!("conflict with {}", manager(&c.manager));
        status = status.with_cause(CAUSE, message, &c.path.to_string());
    }
    status.into()
}

fn message(conflicts: &Conflicts) -> String {
    if let [only] = &conflicts.0[..] {
        let manager = manager(&only.manager);
        return format!("Apply failed with 1 conflict: conflict with {manager}: {}", only.path);
    }
    let mut lines = Vec::new();
    for (id, paths) in conflicts.by_manager() {
        lines.push(format!("conflicts with {}:", manager(id)));
        lines.extend(paths.into_iter().map(|p| format!("- {p}")));
    }
    format!("Apply failed with {} conflicts: {}", conflicts.0.len(), lines.join("\n"))
}

/// `"name" with subresource "status" using v1`.
fn manager(id: &str) -> String {
    let Some(id) = Id::from_text(id) else { return quote(id) };
    let mut out = quote(&id.manager);
    if !id.subresource.is_empty() {
        out.push_str(" with subresource ");
        out.push_str(&quote(&id.subresource));
    }
    if id.operation == UPDATE {
        out.push_str(" using ");
        out.push_str(&id.api_version);
    }
    out
}
