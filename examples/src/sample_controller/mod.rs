//! A controller for a custom resource: each `Foo` owns a Deployment of the name and size it says.
//! Go: `k8s.io/sample-controller`.
mod controller;
mod foo;
mod life;
mod stand_in;

pub use controller::run;
pub use foo::{Foo, FooSpec, FooStatus, install};
pub use life::live;
pub use stand_in::{mark_deployments_available, mark_pods_ready};
