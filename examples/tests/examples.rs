//! Runs what each example runs, and the tests inside them.
#![allow(dead_code, unreachable_pub)] // they are programs

#[path = "../04-controller.rs"]
mod controller;
#[path = "../01-custom-resource.rs"]
mod custom_resource;
#[path = "../05-errors.rs"]
mod errors;
#[path = "../03-informers.rs"]
mod informers;
#[path = "../02-typed-client.rs"]
mod typed_client;

use pintle::Error;
use pintle_examples::on_embedded;

#[tokio::test]
async fn custom_resource_01() -> Result<(), Error> {
    on_embedded(custom_resource::run).await
}

#[tokio::test]
async fn typed_client_02() -> Result<(), Error> {
    on_embedded(typed_client::run).await
}

#[tokio::test]
async fn informers_03() -> Result<(), Error> {
    on_embedded(informers::run).await
}

#[tokio::test]
async fn controller_04() -> Result<(), Error> {
    on_embedded(controller::run).await
}

#[tokio::test]
async fn errors_05() -> Result<(), Error> {
    errors::run().await
}
