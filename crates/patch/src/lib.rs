//! Kubernetes' patches: JSON patch, JSON merge patch and strategic merge patch.
//!
//! | Go | here |
//! |---|---|
//! | `gopkg.in/evanphx/json-patch.v4`, JSON patch | [`JsonPatch`] |
//! | the same, merge patch; `util/jsonmergepatch` | [`merge`] |
//! | `util/strategicpatch` | [`strategic`] |
//! | its `LookupPatchMeta`, `PatchMetaFromStruct`, `PatchMetaFromOpenAPIV3`, `PatchMetaFromOpenAPI` | [`PatchSchema`], [`TypeSchema`], [`OpenApiSchema`], [`OpenApiV2Schema`] |
//! | `util/mergepatch` preconditions, `IsConflict`, `IsPreconditionFailed` | [`Precondition`], [`require_key_unchanged`], [`require_metadata_key_unchanged`], [`Reason`] |
//!
//! Results and error texts are those of the Go libraries that kube-apiserver and kubectl use, the
//! odd ones included, so that a patch means here what it means there. That is also why JSON patch
//! is not taken from a library: those keep to RFC 6902, and the server does not. Where Go panics,
//! loses digits of large integers, or depends on the order of its maps, this crate has the plain
//! answer instead.
//!
//! Everything is a function of its arguments. It knows no server, does no defaulting or
//! validation, and has no server-side apply: that is structured merge, a crate of its own.
//!
//! Values nested deeper than [`MAX_DEPTH`] are errors, so that no input exhausts the stack.
//!
//! # Example: what `kubectl apply` does
//! ```
//! use pintle_api::apps_v1::Deployment;
//! use pintle_patch::{TypeSchema, strategic};
//! use serde_json::{Value, json};
//!
//! let object = |value: Value| value.as_object().cloned().unwrap_or_default();
//! let container = |image: &str| json!({"name": "app", "image": image});
//! let deployment = |containers: Value| {
//!     object(json!({"spec": {"template": {"spec": {"containers": containers}}}}))
//! };
//! // The image was changed in the file; meanwhile a side-car was injected into the live object.
//! let last_applied = deployment(json!([container("app:1")]));
//! let modified = deployment(json!([container("app:2")]));
//! let live = deployment(json!([container("app:1"), {"name": "proxy", "image": "proxy:7"}]));
//!
//! let schema = TypeSchema::of::<Deployment>();
//! let overwrite = true;
//! let patch = strategic::three_way(&last_applied, &modified, &live, schema, overwrite, &[])?;
//! let patched = strategic::apply(live, patch, schema)?;
//! assert_eq!(
//!     patched,
//!     deployment(json!([container("app:2"), {"name": "proxy", "image": "proxy:7"}])),
//! );
//! # Ok::<(), pintle_apimachinery::Error>(())
//! ```

mod depth;
mod error;
mod go;
mod go_json;
mod json_patch;
pub mod merge;
mod precondition;
pub mod strategic;
mod typed;

pub use depth::MAX_DEPTH;
pub use error::{Reason, reason};
pub use go::go_print;
pub use json_patch::{DEFAULT_COPY_LIMIT, JsonPatch, MAX_OPERATIONS};
pub use precondition::{Precondition, require_key_unchanged, require_metadata_key_unchanged};
pub use strategic::{FieldMeta, OpenApiSchema, OpenApiV2Schema, PatchSchema, TypeSchema};
