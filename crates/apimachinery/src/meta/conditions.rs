//! The conditions of a status. Go: `conditions.go` of `k8s.io/apimachinery/pkg/api/meta`.

use crate::{Condition, List, Time};

/// Conditions by type: what a `status.conditions` can do. Go: `SetStatusCondition` and its kin.
///
/// ```
/// use pintle_apimachinery::meta::Conditions;
/// use pintle_apimachinery::{Condition, List, Time};
/// let (early, late) = (Time::from_unix(1), Time::from_unix(2));
/// let condition = |status: &str, reason: &str| Condition {
///     type_: "Ready".into(),
///     status: status.into(),
///     reason: reason.into(),
///     ..Default::default()
/// };
/// let mut all: List<Condition> = List::new();
/// assert!(all.set_condition(condition("False", "Starting"), early));
/// // Another reason alone leaves the time as it is.
/// assert!(all.set_condition(condition("False", "Waiting"), late));
/// assert_eq!(all.condition("Ready").unwrap().last_transition_time, early);
/// assert!(all.set_condition(condition("True", "Up"), late) && all.is_condition_true("Ready"));
/// assert_eq!(all[0].last_transition_time, late);
/// ```
pub trait Conditions {
    /// All of them.
    fn conditions(&self) -> &[Condition];

    /// Puts in a condition, in the place of the one of the same type if there is one, and says
    /// whether anything changed. If it is new, or its status is another than before, its
    /// `last_transition_time` becomes the one given, or `now` if that is zero; otherwise it stays.
    /// Go: `SetStatusCondition`.
    fn set_condition(&mut self, condition: Condition, now: Time) -> bool;

    /// Removes all conditions of a type, and says whether there was one. Go:
    /// `RemoveStatusCondition`.
    fn remove_condition(&mut self, type_: &str) -> bool;

    /// The first condition of a type. Go: `FindStatusCondition`.
    fn condition(&self, type_: &str) -> Option<&Condition> {
        self.conditions().iter().find(|condition| condition.type_ == type_)
    }

    /// Whether there is a condition of this type with this status.
    /// Go: `IsStatusConditionPresentAndEqual`.
    fn has_condition(&self, type_: &str, status: &str) -> bool {
        self.condition(type_).is_some_and(|condition| condition.status == status)
    }

    /// Whether there is a condition of this type that is `True`. Go: `IsStatusConditionTrue`.
    fn is_condition_true(&self, type_: &str) -> bool {
        self.has_condition(type_, "True")
    }

    /// Whether there is a condition of this type that is `False`, not merely absent or `Unknown`.
    /// Go: `IsStatusConditionFalse`.
    fn is_condition_false(&self, type_: &str) -> bool {
        self.has_condition(type_, "False")
    }
}

/// What the condition of this type is to become; `None` if it is that already.
fn changed(old: Option<&Condition>, mut new: Condition, now: Time) -> Option<Condition> {
    if new.last_transition_time.is_zero() {
        new.last_transition_time = now;
    }
    let Some(old) = old else { return Some(new) };
    if old.status == new.status {
        new.last_transition_time = old.last_transition_time;
    }
    let same = old.status == new.status
        && old.reason == new.reason
        && old.message == new.message
        && old.observed_generation == new.observed_generation;
    (!same).then_some(new)
}

fn position(all: &[Condition], type_: &str) -> Option<usize> {
    all.iter().position(|condition| condition.type_ == type_)
}

macro_rules! conditions {
    ($($list:ty),+) => {$(
        impl Conditions for $list {
            fn conditions(&self) -> &[Condition] {
                self
            }

            fn set_condition(&mut self, condition: Condition, now: Time) -> bool {
                let at = position(self, &condition.type_);
                match (changed(at.map(|at| &self[at]), condition, now), at) {
                    (None, _) => return false,
                    (Some(new), Some(at)) => self[at] = new,
                    (Some(new), None) => self.push(new),
                }
                true
            }

            fn remove_condition(&mut self, type_: &str) -> bool {
                // Looked for first: a shared list is only copied when something goes.
                let found = position(self, type_).is_some();
                if found {
                    self.retain(|condition| condition.type_ != type_);
                }
                found
            }
        }
    )+};
}
conditions!(List<Condition>, Vec<Condition>);
