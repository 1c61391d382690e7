//! A custom resource is an ordinary struct: one derive gives the kind, its codecs, its definition,
//! and all that clients and informers need.
//!
//! `cargo run --example 01-custom-resource`, or with `-- --kubeconfig FILE` on a cluster, where
//! the definition stays.
use pintle::testing::install;
use pintle::{Client, Codec, CustomResource, Error, Format};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::process::ExitCode;

/// A web site, and how much of it there should be.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[resource(group = "examples.pintle.dev", version = "v1alpha1", kind = "Site", namespaced,
           status = SiteStatus, short_name = "si",
           column(name = "Replicas", json_path = ".spec.replicas"))]
#[serde(rename_all = "camelCase")]
pub struct SiteSpec {
    /// Name of the Deployment that serves it.
    pub deployment_name: String,
    /// How many replicas serve it.
    #[schemars(range(min = 1, max = 10))]
    pub replicas: i32,
}

/// What there is of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct SiteStatus {
    /// How many replicas are available.
    pub available_replicas: i32,
}

pub(crate) async fn run(client: &Client, namespace: &str) -> Result<(), Error> {
    println!("# The definition, as `kubectl apply` takes it:\n{}", Site::crd_yaml()?);
    install::<Site>(client).await?;

    let sites = client.namespaced::<Site>(namespace);
    let spec = SiteSpec { deployment_name: "web".into(), replicas: 2 };
    let site = sites.create(&Site::new("one", spec)).await?;
    let mut yaml = Vec::new();
    site.encode(Format::Yaml, &mut yaml)?;
    println!("# A Site, as the server stored it:\n{}", String::from_utf8_lossy(&yaml));

    let spec = SiteSpec { deployment_name: "web".into(), replicas: 11 };
    let refused = sites.create(&Site::new("two", spec)).await.expect_err("10 is the maximum");
    assert!(refused.is_invalid());
    println!("# Another one is refused, since its schema says so:\n{refused}");
    Ok(())
}

#[tokio::main]
async fn main() -> ExitCode {
    pintle_examples::main_of(run).await
}
