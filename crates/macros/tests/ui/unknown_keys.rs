//! Unknown keys.
use pintle_macros::CustomResource;

#[derive(CustomResource)]
#[resource(group = "example.com", version = "v1", namespaced, shortname = "fo")]
struct S0Spec {}

#[derive(CustomResource)]
#[resource(group = "example.com", version = "v1", namespaced, colour = "red")]
struct S1Spec {}

#[derive(CustomResource)]
#[resource(group = "example.com", version = "v1", namespaced, column(name = "A", jsonpath = ".spec"))]
struct S2Spec {}

#[derive(CustomResource)]
#[resource(group = "example.com", version = "v1", namespaced, scale(path = ".spec"))]
struct S3Spec {}

fn main() {}
