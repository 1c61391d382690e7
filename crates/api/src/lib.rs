//! Kubernetes' built-in API types: counterpart of `k8s.io/api`, and of the types of
//! `k8s.io/apiextensions-apiserver`, `k8s.io/kube-aggregator` and `k8s.io/metrics`.
//!
//! A module per group and version, `core_v1`, `apps_v1`; a feature per group for the versions
//! that servers offer by default, and one for each further version (`apps-v1beta1`). `core_v1`
//! is always there. Every type follows Go's presence: a value is never `Option`, a pointer is,
//! and what Go omits when empty is omitted here, so that a decoded object is encoded again byte
//! for byte in protobuf and value for value in JSON. Cloning is cheap: strings, lists, maps and
//! sub-objects are shared and copied when written to.
//!
//! The types are only data: codecs, merging and defaults are in `pintle-apimachinery`, requests
//! in `pintle-client`. There is one Kubernetes release here, the newest; JSON and protobuf are
//! compatible across releases, and fields that a newer server knows are passed over.
//!
//! # Example: reading and changing a Pod
//! ```
//! use pintle_api::core_v1::{Container, Pod};
//! use pintle_apimachinery::{Codec, Decoder, Format};
//!
//! let text = br#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"web"}}"#;
//! let mut pod = Pod::decode(text, Format::Json, &mut Decoder::new())?;
//! let before = pod.clone();
//! pod.spec.containers.push(Container { name: "main".into(), ..Container::default() });
//! assert_eq!(pod.spec.containers[0].name, "main");
//! assert!(before.spec.containers.is_empty());
//! # Ok::<(), pintle_apimachinery::Error>(())
//! ```

mod ext;
mod generated;

pub use generated::*;
