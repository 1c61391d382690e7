//! Every place where the upstream schema does not follow its own rules, as a named function. The
//! rest of the generator has no names of single types in it.

use crate::model::{Body, Package, TypeDef};

const META_V1: &str = "k8s.io/apimachinery/pkg/apis/meta/v1";
const META_V1BETA1: &str = "k8s.io/apimachinery/pkg/apis/meta/v1beta1";
const CORE_V1: &str = "k8s.io/api/core/v1";
const APIEXTENSIONS: &str = "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/";

/// A type with a codec of its own, written by hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// Rust name.
    pub rust: &'static str,
    /// Written by hand in the API crate, rather than in apimachinery.
    pub in_api: bool,
    /// What the documentation calls it.
    pub shown: &'static str,
}

const fn leaf(rust: &'static str, shown: &'static str) -> Leaf {
    Leaf { rust, in_api: false, shown }
}

const fn api_leaf(rust: &'static str, shown: &'static str) -> Leaf {
    Leaf { rust, in_api: true, shown }
}

/// Go types whose JSON or protobuf form does not follow from their fields.
pub fn custom_codec(package: &str, name: &str) -> Option<Leaf> {
    Some(match (package, name) {
        (META_V1, "Time") => leaf("Time", "time"),
        (META_V1, "MicroTime") => leaf("MicroTime", "time with microseconds"),
        (META_V1, "Duration") => leaf("Duration", "duration"),
        (META_V1, "FieldsV1") => leaf("FieldsV1", "set of fields"),
        ("k8s.io/apimachinery/pkg/api/resource", "Quantity") => leaf("Quantity", "quantity"),
        ("k8s.io/apimachinery/pkg/util/intstr", "IntOrString") => {
            leaf("IntOrString", "integer or string")
        }
        ("k8s.io/apimachinery/pkg/runtime", "RawExtension") => leaf("RawExtension", "any object"),
        ("", "any") => leaf("Json", "any JSON value"),
        (p, n) if p.starts_with(APIEXTENSIONS) => match n {
            "JSON" => leaf("Json", "any JSON value"),
            "JSONSchemaPropsOrArray" => {
                api_leaf("JSONSchemaPropsOrArray", "schema or list of schemas")
            }
            "JSONSchemaPropsOrBool" => api_leaf("JSONSchemaPropsOrBool", "schema or boolean"),
            "JSONSchemaPropsOrStringArray" => {
                api_leaf("JSONSchemaPropsOrStringArray", "schema or list of strings")
            }
            _ => return None,
        },
        _ => return None,
    })
}

/// Named types of packages that the schema does not hold, and the Go type beneath them.
pub fn foreign_type(package: &str, name: &str) -> Option<&'static str> {
    Some(match (package, name) {
        ("k8s.io/apimachinery/pkg/types", "UID" | "NodeName") => "string",
        ("time", "Duration") => "int64",
        _ => return None,
    })
}

/// Packages of Go machinery: what API types use of them is in [`custom_codec`].
pub fn is_machinery(package: &str) -> bool {
    matches!(
        package,
        "k8s.io/apimachinery/pkg/api/resource"
            | "k8s.io/apimachinery/pkg/runtime"
            | "k8s.io/apimachinery/pkg/util/intstr"
    )
}

/// Packages whose types apimachinery holds.
pub fn is_meta(package: &str) -> bool {
    package == META_V1 || package == META_V1BETA1
}

/// Types that have no place among the generated ones: kind and version of an object are static
/// here, `Timestamp` is only the protobuf form of a time, `Patch` and `InternalEvent` are Go
/// machinery, and a list of anything is the one of core/v1.
pub fn is_skipped(package: &str, name: &str) -> bool {
    package == META_V1
        && matches!(name, "TypeMeta" | "Timestamp" | "Patch" | "InternalEvent" | "List")
}

/// core/v1 declares `List` as a type of its own after the one of meta/v1, unlike nearly every other
/// type named after a struct, which is an alias.
pub fn is_own_copy(package: &str, name: &str) -> bool {
    package == CORE_V1 && name == "List"
}

/// Types that Go declares anew after one of another package, and names so in errors. Nearly all that
/// are named after another are aliases of it.
pub fn has_own_name(package: &str, name: &str) -> bool {
    is_own_copy(package, name)
        || (package == "k8s.io/api/admissionregistration/v1alpha1" && name == "MatchCondition")
}

/// `List` is what a list of values is called here.
pub fn rust_type_name(package: &str, name: &str) -> Option<&'static str> {
    (package == CORE_V1 && name == "List").then_some("AnyList")
}

/// Named slices that protobuf wraps into a message, so that nil and empty differ.
pub fn is_wrapped_slice(def: &TypeDef) -> bool {
    matches!(def.body, Body::Named(_)) && def.fact("protobuf.nullable") == Some("true")
}

/// `ApplyOptions` embeds a type meta but is registered nowhere; it only fills query parameters.
pub fn is_unregistered(package: &str, name: &str) -> bool {
    package == META_V1 && name == "ApplyOptions"
}

/// The group under which a kind of meta/v1 is known: discovery's types and Status are
/// "unversioned" and belong to v1; the options are registered in every group, v1 among them; the
/// others belong to the group of their package.
pub fn unversioned_group<'a>(package: &'a Package, name: &str) -> &'a str {
    match name {
        "Status" | "APIVersions" | "APIGroup" | "APIGroupList" | "APIResourceList"
        | "CreateOptions" | "DeleteOptions" | "GetOptions" | "ListOptions" | "PatchOptions"
        | "UpdateOptions"
            if package.path == META_V1 =>
        {
            ""
        }
        _ => package.group.as_deref().unwrap_or_default(),
    }
}

/// Go constants whose names differ only in the case of letters, or that would clash with the
/// descriptor of a type: the constant takes the second name.
pub fn const_name(package: &str, name: &str) -> Option<&'static str> {
    let _ = (package, name);
    None
}

/// The reference groups a few kinds differently from their API group.
pub fn reference_group(group: &str) -> String {
    match group {
        "" => "core".to_owned(),
        "meta.k8s.io" => "meta".to_owned(),
        other => other.replace('.', "-"),
    }
}

/// Markers of a package that only tell upstream's generators what to do there: no fact of the API.
pub fn configures_upstream_generators(marker: &str) -> bool {
    marker.starts_with("k8s:validation-gen")
        || marker.starts_with("k8s:deepcopy-gen")
        || marker.starts_with("k8s:protobuf-gen")
        || marker.starts_with("k8s:prerelease-lifecycle-gen")
        || marker.starts_with("k8s:conversion-gen")
        || marker.starts_with("k8s:defaulter-gen")
}

/// Types whose OpenAPI schema does not follow from their fields, and those of packages that the
/// schema does not hold: their blocks in the form of [`crate::emit_openapi`].
pub const OPENAPI: &[(&str, &str)] = &[
    ("io.k8s.apimachinery.pkg.api.resource.Quantity", QUANTITY),
    ("io.k8s.apimachinery.pkg.util.intstr.IntOrString", INT_OR_STRING),
    ("io.k8s.apimachinery.pkg.runtime.RawExtension", OBJECT),
    ("io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1", OBJECT),
    ("io.k8s.apimachinery.pkg.apis.meta.v1.Patch", OBJECT),
    ("io.k8s.apimachinery.pkg.apis.meta.v1.Time", DATE_TIME),
    ("io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime", DATE_TIME),
    ("io.k8s.apimachinery.pkg.apis.meta.v1.Duration", ":{\"type\":\"string\"}\n"),
    ("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSON", ANYTHING),
    ("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrArray", ANYTHING),
    ("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrBool", ANYTHING),
    (
        "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrStringArray",
        ANYTHING,
    ),
    ("io.k8s.apimachinery.pkg.version.Info", VERSION),
];

const OBJECT: &str = ":{\"type\":\"object\"}\n";
const ANYTHING: &str = ":{}\n";
const DATE_TIME: &str = ":{\"type\":\"string\",\"format\":\"date-time\"}\n";
// What stands after `;` is for OpenAPI v3.
const QUANTITY: &str =
    ":{\"type\":\"string\"}\n;{\"oneOf\":[{\"type\":\"string\"},{\"type\":\"number\"}]}\n";
const INT_OR_STRING: &str = ":{\"type\":\"string\",\"format\":\"int-or-string\"}\n\
    ;{\"format\":\"int-or-string\",\"oneOf\":[{\"type\":\"integer\"},{\"type\":\"string\"}]}\n";
const VERSION: &str = "!major minor gitVersion gitCommit gitTreeState buildDate goVersion compiler platform\n\
    buildDate s =\"\"\ncompiler s =\"\"\nemulationMajor s\nemulationMinor s\ngitCommit s =\"\"\n\
    gitTreeState s =\"\"\ngitVersion s =\"\"\ngoVersion s =\"\"\nmajor s =\"\"\n\
    minCompatibilityMajor s\nminCompatibilityMinor s\nminor s =\"\"\nplatform s =\"\"\n";

/// Times are structs that OpenAPI gives no default.
pub fn is_bare_time(package: &str, name: &str) -> bool {
    package == META_V1 && matches!(name, "Time" | "MicroTime" | "Duration")
}

/// A type that is marked as a kind and is none.
pub fn is_no_kind(package: &str, name: &str) -> bool {
    package == CORE_V1 && name == "ObjectReference"
}

/// Whether the package of a group is in the scheme of client-go and kube-apiserver.
pub fn in_scheme(package: &str) -> bool {
    !package.starts_with("k8s.io/metrics/") && !package.contains("/apidiscovery/")
}
