//! Wrong forms.
use pintle_macros::CustomResource;

#[derive(CustomResource)]
#[resource(group, version = "v1", namespaced)]
struct S0Spec {}

#[derive(CustomResource)]
#[resource(group = example, version = "v1", namespaced)]
struct S1Spec {}

#[derive(CustomResource)]
#[resource(group("example.com"), version = "v1", namespaced)]
struct S2Spec {}

#[derive(CustomResource)]
#[resource(group = "example.com", version = "v1", namespaced = true)]
struct S3Spec {}

#[derive(CustomResource)]
#[resource(group = "example.com", version = "v1", namespaced, served = "no")]
struct S4Spec {}

#[derive(CustomResource)]
#[resource(group = "example.com", version = "v1", namespaced, short_names = "a")]
struct S5Spec {}

#[derive(CustomResource)]
#[resource(group = "example.com", version = "v1", namespaced, column = "x")]
struct S6Spec {}

#[derive(CustomResource)]
#[resource(group = "example.com", version = "v1", namespaced, column(name = "A", json_path = ".spec.a", priority = "high"))]
struct S7Spec {}

#[derive(CustomResource)]
#[resource(group = "example.com", version = "v1", namespaced, short_names())]
struct S8Spec {}

fn main() {}
