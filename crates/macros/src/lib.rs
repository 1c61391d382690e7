//! Derive macros: [`macro@CustomResource`] makes a kind of a spec struct, [`macro@DeepCopy`] a
//! copy that shares nothing. Go: what controller-gen, client-gen and deepcopy-gen do for a type.
//!
//! The macros read attributes, check them, and write a few lines that name the type; everything
//! that happens at run time is in `pintle-apimachinery`. They know nothing of a type's fields
//! beyond their tokens: the schema comes from the type itself, through schemars.
//!
//! # Example: a kind and its definition
//! ```
//! use pintle_apimachinery::{CustomResource, DeepCopy, Object, Resource};
//! use pintle_macros::{CustomResource, DeepCopy};
//! use schemars::JsonSchema;
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(CustomResource, DeepCopy, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
//! #[resource(group = "samplecontroller.k8s.io", version = "v1alpha1", kind = "Foo", namespaced,
//!            status = FooStatus, short_name = "fo", column(name = "Replicas", json_path = ".spec.replicas"))]
//! # #[resource(crate = "pintle_apimachinery")]
//! # #[deep_copy(crate = "pintle_apimachinery")]
//! #[serde(rename_all = "camelCase")]
//! pub struct FooSpec {
//!     pub deployment_name: String,
//!     #[schemars(range(min = 1, max = 10))]
//!     pub replicas: i32,
//! }
//!
//! #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
//! #[serde(rename_all = "camelCase", default)]
//! pub struct FooStatus {
//!     pub available_replicas: i32,
//! }
//!
//! let mut foo = Foo::new("one", FooSpec { deployment_name: "web".into(), replicas: 2 });
//! foo.status.available_replicas = 2;
//! assert_eq!((foo.name(), Foo::gvr().to_string().as_str()), ("one", "samplecontroller.k8s.io/v1alpha1, Resource=foos"));
//!
//! let crd = Foo::crd_json()?;
//! assert_eq!(crd["spec"]["versions"][0]["additionalPrinterColumns"][0]["type"], "integer");
//! # Ok::<(), pintle_apimachinery::Error>(())
//! ```

mod attributes;
mod check;
mod custom_resource;
mod deep_copy;
mod keys;

use proc_macro::TokenStream;

/// Makes a kind of the struct of its spec.
///
/// `#[derive(CustomResource)]` on `FooSpec`, with `kind = "Foo"`, writes:
///
/// - `struct Foo { metadata: ObjectMeta, spec: FooSpec, status: FooStatus }` (`status` only when
///   one is named) with `Clone`, `Debug`, `Default`, `PartialEq`, serde, and `Foo::new(name, spec)`;
/// - `type FooList = ObjectList<Foo>`;
/// - `Kind`, `Object`, `Codec` (JSON and YAML), `Resource`, `DeepCopy` and `CustomResource` for it.
///
/// That is all that a typed client, a lister and an informer need: they are generic over
/// `Resource` (`clients.of::<Foo>("ns")`, `informers.of::<Foo>()`). `Foo::crd()`,
/// `Foo::crd_json()` and `Foo::crd_yaml()` of the trait `CustomResource` give the definition;
/// `merge_crds` makes one of several versions.
///
/// Spec and status are ordinary structs that derive `Clone`, `Debug`, `Default`, `PartialEq`,
/// `Serialize`, `Deserialize` and `JsonSchema`. They may have enums, flattened fields, maps and
/// built-in types such as `PodTemplateSpec`. Unknown members are ignored when decoding; a status
/// that equals its default is not written, and an absent one is the default. Doc comments of
/// the struct and its fields become descriptions.
///
/// # Attribute
/// One or more `#[resource(...)]`:
///
/// | key | |
/// |---|---|
/// | `group = "example.com"` | required |
/// | `version = "v1alpha1"` | required |
/// | `kind = "Foo"` | default: the struct's name without `Spec` |
/// | `namespaced` or `cluster` | required |
/// | `status = FooStatus` | type of the status, and the status subresource |
/// | `plural = "foos"`, `singular = "foo"`, `list_kind = "FooList"` | default: made of the kind |
/// | `rust_name = "FooV1"` | name of the struct, when it is not the kind's (several versions in one module) |
/// | `short_name = "fo"`, `short_names("fo", "f")` | abbreviations for kubectl |
/// | `category = "all"`, `categories("all", "mine")` | groups of resources for kubectl |
/// | `column(name = "Replicas", json_path = ".spec.replicas")` | a printer column; also `type` (default: the field's), `format`, `description`, `priority` |
/// | `scale(spec_path = ".spec.replicas", status_path = ".status.replicas")` | the scale subresource; also `label_selector_path` |
/// | `selectable_field = ".spec.color"` | a field for field selectors |
/// | `validation(rule = "self.spec.min <= self.spec.max", message = "...")` | a CEL rule for the object; also `message_expression`, `reason`, `field_path` |
/// | `served = false`, `storage = false` | default: true |
/// | `deprecated`, `deprecated = "use v1"` | with the server's warning or with this one |
/// | `doc = "..."` | description, in place of the struct's comments |
/// | `annotation(name = "...", value = "...")` | an annotation of the CustomResourceDefinition |
/// | `crate = "pintle_apimachinery"` | where the generated code finds pintle; default `::pintle` |
///
/// In groups under `k8s.io` and `kubernetes.io`, for which servers demand
/// `api-approved.kubernetes.io`, that annotation is `unapproved, experimental-only` unless given.
///
/// CEL rules for fields and other extensions go through schemars:
/// `#[schemars(extend("x-kubernetes-validations" = [{"rule": "self != ''"}]))]`.
///
/// # Schema
/// Enums of every serde form become one object or one scalar, with `oneOf` or `anyOf` for what
/// tells the variants apart; an untagged enum of integers and strings is an int-or-string.
/// `Option` is nullable. `serde_json::Value`, and flattened maps, keep unknown fields. Defaults
/// of scalars must fit their own schema; others that do not fit are left out. What no structural
/// schema can express (a type that contains itself, a tuple of different types, variants whose
/// fields have one name and several types) is an error of `crd()`, with the field's path.
#[proc_macro_derive(CustomResource, attributes(resource))]
pub fn derive_custom_resource(input: TokenStream) -> TokenStream {
    expand(input, custom_resource::expand)
}

/// Implements `DeepCopy`, field by field, for a struct or an enum. Go: `deepcopy-gen`.
///
/// Every field must be `DeepCopy`: built-in types, kinds, primitives, collections, and pointers
/// and locks of those are. `#[deep_copy(crate = "pintle_apimachinery")]` says where the generated
/// code finds pintle; default `::pintle`.
///
/// ```
/// use pintle_apimachinery::DeepCopy;
/// use pintle_macros::DeepCopy;
/// use std::sync::{Arc, Mutex};
///
/// #[derive(DeepCopy)]
/// # #[deep_copy(crate = "pintle_apimachinery")]
/// enum Work<T> {
///     Idle,
///     Busy { since: u64, shared: Arc<Mutex<T>> },
/// }
///
/// let a = Work::Busy { since: 7, shared: Arc::new(Mutex::new(1)) };
/// let b = a.deep_copy();
/// let (Work::Busy { shared: x, .. }, Work::Busy { since, shared: y }) = (&a, &b) else { unreachable!() };
/// *x.lock().unwrap() = 2;
/// assert_eq!((*since, *y.lock().unwrap()), (7, 1));
/// ```
#[proc_macro_derive(DeepCopy, attributes(deep_copy))]
pub fn derive_deep_copy(input: TokenStream) -> TokenStream {
    expand(input, deep_copy::expand)
}

fn expand(
    input: TokenStream,
    with: fn(&syn::DeriveInput) -> syn::Result<proc_macro2::TokenStream>,
) -> TokenStream {
    let parsed = syn::parse(input).and_then(|input| with(&input));
    parsed.unwrap_or_else(|e| e.to_compile_error()).into()
}
