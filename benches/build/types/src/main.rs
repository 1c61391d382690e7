//! Reads and writes five kinds, as small programs do.
use pintle_api::apps_v1::Deployment;
use pintle_api::batch_v1::Job;
use pintle_api::core_v1::{Pod, Service};
use pintle_api::networking_v1::Ingress;
use pintle_apimachinery::{Codec, Decoder, Error, Format};

fn again<T: Codec>(text: &str) -> Result<Vec<u8>, Error> {
    let mut out = Vec::new();
    T::decode(text.as_bytes(), Format::Json, &mut Decoder::new())?.encode(Format::Json, &mut out)?;
    Ok(out)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let text = std::io::read_to_string(std::io::stdin())?;
    let kind = std::env::args().nth(1).unwrap_or_default();
    let again = match kind.as_str() {
        "Deployment" => again::<Deployment>(&text)?,
        "Ingress" => again::<Ingress>(&text)?,
        "Job" => again::<Job>(&text)?,
        "Service" => again::<Service>(&text)?,
        _ => again::<Pod>(&text)?,
    };
    println!("{}", String::from_utf8(again)?);
    Ok(())
}
