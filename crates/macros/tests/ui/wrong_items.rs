//! What the derives are for, and what not.
use pintle_macros::{CustomResource, DeepCopy};

#[derive(CustomResource)]
#[resource(group = "example.com", version = "v1", namespaced)]
enum Choice {
    A,
}

#[derive(CustomResource)]
#[resource(group = "example.com", version = "v1", namespaced)]
struct GenericSpec<T> {
    value: T,
}

#[derive(CustomResource)]
struct BareSpec {}

#[derive(CustomResource)]
#[resource(group = "example.com", version = "v1", namespaced)]
struct Nameless {}

#[derive(CustomResource)]
#[resource(group = "example.com", version = "v1", namespaced, kind = "Same")]
struct Same {}

#[derive(DeepCopy)]
union Bits {
    a: u32,
    b: f32,
}

#[derive(DeepCopy)]
#[deep_copy(create = "pintle")]
struct Typo {}

fn main() {}
