//! Kinds without a group.
//!
//! Go counterpart: `k8s.io/kubernetes/pkg/apis/core`.

mod defaults;

pub(super) use defaults::default_of;
