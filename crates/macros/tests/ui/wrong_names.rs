//! Wrong names.
use pintle_macros::CustomResource;

#[derive(CustomResource)]
#[resource(group = "example", version = "v1", namespaced)]
struct S0Spec {}

#[derive(CustomResource)]
#[resource(group = "Example.com", version = "v1", namespaced)]
struct S1Spec {}

#[derive(CustomResource)]
#[resource(group = "example.com", version = "1.0", namespaced)]
struct S2Spec {}

#[derive(CustomResource)]
#[resource(group = "example.com", version = "v1alpha", namespaced)]
struct S3Spec {}

#[derive(CustomResource)]
#[resource(group = "example.com", version = "v1", namespaced, kind = "foo-bar")]
struct S4Spec {}

#[derive(CustomResource)]
#[resource(group = "example.com", version = "v1", namespaced, plural = "My_Foos")]
struct S5Spec {}

#[derive(CustomResource)]
#[resource(group = "example.com", version = "v1", namespaced, short_name = "FO")]
struct S6Spec {}

#[derive(CustomResource)]
#[resource(group = "example.com", version = "v1", namespaced, rust_name = "a b")]
struct S7Spec {}

#[derive(CustomResource)]
#[resource(group = "example.com", version = "v1", namespaced, crate = "a b")]
struct S8Spec {}

fn main() {}
