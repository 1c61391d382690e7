//! Kinds of `scheduling.k8s.io`.
//!
//! Go counterpart: `k8s.io/kubernetes/pkg/apis/scheduling`.

use pintle_apimachinery::validation::{BadValue, FIELD_IMMUTABLE, FieldError, FieldErrors};

use super::check::Node;
use super::defaults::Default;
use super::tree::{Fields, fill};

/// Priorities of the classes that every server has.
pub(crate) const SYSTEM: [(&str, i64); 2] =
    [("system-cluster-critical", 2_000_000_000), ("system-node-critical", 2_000_001_000)];
/// The highest priority that is not of the system.
const MOST: i64 = 1_000_000_000;

/// The function of a type.
pub(super) fn default_of(name: &str) -> Option<Default> {
    (name == "PriorityClass")
        .then_some(|class| fill(class, "preemptionPolicy", "PreemptLowerPriority"))
}

/// The rules of a PriorityClass.
pub(super) fn priority_class(new: &Fields, old: Option<&Fields>) -> FieldErrors {
    let mut e = FieldErrors::default();
    let (value, policy) = (Node::of(new, "value"), Node::of(new, "preemptionPolicy"));
    if let Some(old) = old {
        if value.int() != Node::of(old, "value").int() {
            e.push(value.forbidden("may not be changed in an update."));
        }
        let before = Node::of(old, "preemptionPolicy");
        if policy.text() != before.text() || policy.is_set() != before.is_set() {
            let shown =
                if policy.is_set() { BadValue::named(policy.text()) } else { BadValue::NULL };
            e.push(FieldError::invalid(policy.path(), shown, FIELD_IMMUTABLE));
        }
        return e;
    }
    let name = Node::of(new, "metadata").get("name");
    if name.text().starts_with("system-") {
        let global = Node::of(new, "globalDefault").flag();
        if let Some(problem) = not_known(name.text(), value.int(), global) {
            e.push(name.forbidden(format!(
                "priority class names with 'system-' prefix are reserved for system use only. \
                 error: {problem}"
            )));
        }
    } else if value.int() > MOST {
        let detail = format!("maximum allowed value of a user defined priority is {MOST}");
        e.push(value.forbidden(detail));
    }
    if policy.is_set() {
        policy.one_of(&mut e, &["PreemptLowerPriority", "Never"]);
    }
    e
}

/// Why a class is not one of the system's.
fn not_known(name: &str, value: i64, global: bool) -> Option<String> {
    match SYSTEM.iter().find(|(known, _)| *known == name) {
        None => Some(format!("{name} is not a known system priority class")),
        Some((_, known)) if *known != value => {
            Some(format!("value of {name} PriorityClass must be {known}"))
        }
        Some(_) if global => Some(format!("globalDefault of {name} PriorityClass must be false")),
        Some(_) => None,
    }
}
