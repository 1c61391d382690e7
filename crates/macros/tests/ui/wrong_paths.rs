//! Wrong paths.
use pintle_macros::CustomResource;

#[derive(CustomResource)]
#[resource(group = "example.com", version = "v1", namespaced, column(name = "A", json_path = "spec.a"))]
struct S0Spec {}

#[derive(CustomResource)]
#[resource(group = "example.com", version = "v1", namespaced, column(name = "A", json_path = "{.spec.a}"))]
struct S1Spec {}

#[derive(CustomResource)]
#[resource(group = "example.com", version = "v1", namespaced, column(name = "A", json_path = ".spec.a[0"))]
struct S2Spec {}

#[derive(CustomResource)]
#[resource(group = "example.com", version = "v1", namespaced, column(name = "A", json_path = ".status.a"))]
struct S3Spec {}

#[derive(CustomResource)]
#[resource(group = "example.com", version = "v1", namespaced, scale(spec_path = ".status.a", status_path = ".status.b"))]
struct S4Spec {}

#[derive(CustomResource)]
#[resource(group = "example.com", version = "v1", namespaced, scale(spec_path = ".spec.a", status_path = ".status.b"))]
struct S5Spec {}

#[derive(CustomResource)]
#[resource(group = "example.com", version = "v1", namespaced, selectable_field = ".metadata.name")]
struct S6Spec {}

#[derive(CustomResource)]
#[resource(group = "example.com", version = "v1", namespaced, column(name = "A", json_path = ".spec.a", type = "int"))]
struct S7Spec {}

fn main() {}
