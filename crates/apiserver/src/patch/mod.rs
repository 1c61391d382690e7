//! Patches over JSON trees: JSON patch, merge patch, strategic merge patch.
//!
//! Go counterpart: `gopkg.in/evanphx/json-patch` and `k8s.io/apimachinery/pkg/util/strategicpatch`.

mod json_patch;
mod merge;
mod strategic;

pub(crate) use self::json_patch::JsonPatch;
pub(crate) use self::merge::merge;
pub(crate) use self::strategic::strategic_merge;
