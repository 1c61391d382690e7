//! Kinds of `resource.k8s.io`.
//!
//! Go counterpart: `k8s.io/kubernetes/pkg/apis/resource`.

use super::defaults::Default;
use super::tree::{Fields, fill_zero, text};

/// The function of a type.
pub(super) fn default_of(name: &str) -> Option<Default> {
    matches!(name, "ExactDeviceRequest" | "DeviceSubRequest").then_some(request as Default)
}

fn request(request: &mut Fields) {
    fill_zero(request, "allocationMode", "ExactCount");
    if text(request, "allocationMode") == "ExactCount" {
        fill_zero(request, "count", 1);
    }
}
