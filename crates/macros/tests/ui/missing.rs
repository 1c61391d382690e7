//! Missing.
use pintle_macros::CustomResource;

#[derive(CustomResource)]
#[resource(version = "v1", namespaced)]
struct S0Spec {}

#[derive(CustomResource)]
#[resource(group = "example.com", namespaced)]
struct S1Spec {}

#[derive(CustomResource)]
#[resource(group = "example.com", version = "v1")]
struct S2Spec {}

#[derive(CustomResource)]
#[resource(group = "example.com", version = "v1", namespaced, column(name = "A"))]
struct S3Spec {}

#[derive(CustomResource)]
#[resource(group = "example.com", version = "v1", namespaced, scale(spec_path = ".spec.a"))]
struct S4Spec {}

#[derive(CustomResource)]
#[resource(group = "example.com", version = "v1", namespaced, validation(message = "x"))]
struct S5Spec {}

#[derive(CustomResource)]
#[resource(group = "example.com", version = "v1", namespaced, annotation(name = "x"))]
struct S6Spec {}

fn main() {}
