//! Kinds of `storage.k8s.io`.
//!
//! Go counterpart: `k8s.io/kubernetes/pkg/apis/storage`.

use serde_json::json;

use super::defaults::Default;
use super::tree::{Fields, child, fill, is_empty};

/// The function of a type.
pub(super) fn default_of(name: &str) -> Option<Default> {
    Some(match name {
        "StorageClass" => |class| {
            fill(class, "reclaimPolicy", "Delete");
            fill(class, "volumeBindingMode", "Immediate");
        },
        "CSIDriver" => driver,
        _ => return None,
    })
}

fn driver(driver: &mut Fields) {
    let spec = child(driver, "spec");
    fill(spec, "attachRequired", true);
    for off in [
        "podInfoOnMount",
        "storageCapacity",
        "requiresRepublish",
        "seLinuxMount",
        "preventPodSchedulingIfMissing",
    ] {
        fill(spec, off, false);
    }
    fill(spec, "fsGroupPolicy", "ReadWriteOnceWithFSType");
    if is_empty(spec.get("volumeLifecycleModes")) {
        spec.insert("volumeLifecycleModes".to_owned(), json!(["Persistent"]));
    }
}
