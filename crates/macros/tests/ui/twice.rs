//! Twice.
use pintle_macros::CustomResource;

#[derive(CustomResource)]
#[resource(group = "example.com", version = "v1", namespaced, cluster)]
struct S0Spec {}

#[derive(CustomResource)]
#[resource(group = "example.com", version = "v1", namespaced, group = "example.org")]
struct S1Spec {}

#[derive(CustomResource)]
#[resource(group = "example.com", version = "v1", namespaced, short_names("a", "b", "a"))]
struct S2Spec {}

#[derive(CustomResource)]
#[resource(group = "example.com", version = "v1", namespaced)]
#[resource(column(name = "A", json_path = ".spec.a"))]
#[resource(column(name = "A", json_path = ".spec.b"))]
struct S3Spec {}

fn main() {}
