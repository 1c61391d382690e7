//! Kinds without a group.
//!
//! Go counterpart: `k8s.io/kubernetes/pkg/apis/core`.

pub(super) mod config;
mod container;
mod defaults;
mod env;
pub(super) mod event;
pub(super) mod limits;
pub(super) mod node;
pub(super) mod pod;
pub(super) mod resources;
pub(super) mod scheduling;
mod security;
pub(super) mod service;
pub(super) mod status;
pub(super) mod storage;
pub(super) mod volume;

pub(super) use defaults::default_of;
