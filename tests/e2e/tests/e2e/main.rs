//! The end-to-end tests: the whole of pintle against an API server, each test written once.
//!
//! | environment | server |
//! |---|---|
//! | nothing | the embedded one, in this process, fresh for each test |
//! | `PINTLE_E2E_CONTROL_PLANE=DIR` | the real control plane that serves DIR (tests/control-plane); `PINTLE_CONTROL_PLANE` is its program |
//! | and `PINTLE_E2E_WATCH_CACHE=1` | it has a watch cache, which hides compactions |
//! | and `PINTLE_E2E_ALONE=1` | no other test runs, so that this one may restart it |
//! | `PINTLE_E2E_ASSETS=1` | etcd and kube-apiserver from the folder `KUBEBUILDER_ASSETS`, started here as envtest does |
//! | `PINTLE_E2E_KUBECONFIG=FILE` | any cluster; namespaces are made and deleted, definitions of `e2e.pintle.example` and of the sample stay |
//!
//! `cargo xtask e2e` sets these. A test that needs what a server lacks says so on standard error;
//! with `CI` set and a control plane that is a failure. Every test has namespaces of its own, so
//! that all can run at the same time on one server.

mod harness;

mod crds;
mod credentials;
mod followed;
mod lists;
mod namespaces;
mod objects;
mod patches;
mod restarts;
mod sample;
mod storm;
mod subresources;
mod verbs;
mod watches;
mod writes;
