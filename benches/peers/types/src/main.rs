//! Reads and writes five kinds, as small programs do.
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{Pod, Service};
use k8s_openapi::api::networking::v1::Ingress;
use serde_json::{from_str, to_string};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let text = std::io::read_to_string(std::io::stdin())?;
    let kind = std::env::args().nth(1).unwrap_or_default();
    let again = match kind.as_str() {
        "Deployment" => to_string(&from_str::<Deployment>(&text)?)?,
        "Ingress" => to_string(&from_str::<Ingress>(&text)?)?,
        "Job" => to_string(&from_str::<Job>(&text)?)?,
        "Service" => to_string(&from_str::<Service>(&text)?)?,
        _ => to_string(&from_str::<Pod>(&text)?)?,
    };
    println!("{again}");
    Ok(())
}
