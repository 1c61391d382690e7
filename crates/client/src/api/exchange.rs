//! Requests and answers as typed values: media types, falling back to JSON (Go:
//! `rest.Request.Body`, `runtime.ClientNegotiator`).

use super::endpoint::Endpoint;
use crate::request::{Request, Response};
use crate::{Client, Error};
use pintle_apimachinery::{Codec, Decoder, Format, ListDecoder, ObjectList, Unstructured};
use std::any::Any;

const JSON: &str = "application/json";
const PROTOBUF_OR_JSON: &str = "application/vnd.kubernetes.protobuf, application/json";

/// How many bytes of a list are decoded before it is worth looking for repetition.
const LONG: usize = 64 << 10;

/// What a request's answer is to be.
#[derive(Clone, Copy)]
pub(super) struct Wanted {
    /// The answer's type knows protobuf.
    pub(super) protobuf: bool,
}

impl Wanted {
    pub(super) fn of<R: Codec>() -> Self {
        Wanted { protobuf: R::PROTOBUF }
    }

    fn accept(self, endpoint: &Endpoint, client: &Client) -> &'static str {
        let possible = self.protobuf && endpoint.protobuf;
        if possible && !client.is_json_only(&endpoint.group_version) {
            PROTOBUF_OR_JSON
        } else {
            JSON
        }
    }
}

/// Sends a request without a body, or with one that is bytes already.
pub(super) async fn send(
    client: &Client,
    endpoint: &Endpoint,
    request: Request,
    wanted: Wanted,
) -> Result<Response, Error> {
    let accept = wanted.accept(endpoint, client);
    match client.request(request.clone().accept(accept)).await {
        Err(e) if accept == PROTOBUF_OR_JSON && e.is_not_acceptable() => {
            client.set_json_only(&endpoint.group_version);
            client.request(request.accept(JSON)).await
        }
        other => other,
    }
}

/// Sends a request with a value as its body.
pub(super) async fn send_value<B: Codec>(
    client: &Client,
    endpoint: &Endpoint,
    request: Request,
    body: &B,
    wanted: Wanted,
) -> Result<Response, Error> {
    let protobuf =
        B::PROTOBUF && endpoint.protobuf && !client.is_json_only(&endpoint.group_version);
    if protobuf {
        let request = with_value(request.clone(), body, Format::Protobuf)?;
        match client.request(request.accept(wanted.accept(endpoint, client))).await {
            Err(e) if e.is_unsupported_media_type() || e.is_not_acceptable() => {
                client.set_json_only(&endpoint.group_version);
            }
            other => return other,
        }
    }
    let request = with_value(request, body, Format::Json)?;
    client.request(request.accept(wanted.accept(endpoint, client))).await
}

fn with_value<B: Codec>(request: Request, body: &B, format: Format) -> Result<Request, Error> {
    let mut bytes = Vec::new();
    body.encode(format, &mut bytes)?;
    Ok(request.body(format.content_type(), bytes))
}

/// The format of an answer.
pub(super) fn format_of(response: &Response) -> Result<Format, Error> {
    let media_type = response.media_type();
    Format::from_content_type(media_type)
        .ok_or_else(|| crate::error::format(&response.asked, media_type))
}

/// Reads an answer to its end and decodes it.
pub(super) async fn decode<R: Codec>(response: Response) -> Result<R, Error> {
    let format = format_of(&response)?;
    let asked = response.asked.clone();
    let bytes = response.bytes().await?;
    R::decode(&bytes, format, &mut Decoder::new()).map_err(|e| asked.blame(e))
}

/// Decodes a list as it arrives, with the tables of `tables` or, for long ones, its own.
pub(super) async fn decode_list<R: Codec>(
    mut response: Response,
    endpoint: &Endpoint,
    tables: Option<&std::sync::Mutex<Decoder>>,
) -> Result<ObjectList<R>, Error> {
    let asked = response.asked.clone();
    let mut list = ListDecoder::new(format_of(&response)?);
    let mut own = Decoder::new();
    let (mut seen, mut interning) = (0, false);
    while let Some(chunk) = response.chunk().await? {
        seen += chunk.len();
        let fed = match tables {
            Some(tables) => {
                let mut tables = tables.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                list.feed(&chunk, &mut tables)
            }
            None => {
                if seen > LONG && !std::mem::replace(&mut interning, true) {
                    own = Decoder::interning();
                }
                list.feed(&chunk, &mut own)
            }
        };
        fed.map_err(|e| asked.blame(e))?;
    }
    let mut list = list.finish().map_err(|e| asked.blame(e))?;
    for item in &mut list.items {
        name_kind(item, endpoint);
    }
    Ok(list)
}

/// Items of a list of built-in kinds do not say their kind; dynamic ones must know it.
fn name_kind<R: 'static>(item: &mut R, endpoint: &Endpoint) {
    if let Some(item) = (item as &mut dyn Any).downcast_mut::<Unstructured>()
        && item.kind.is_empty()
    {
        item.kind = endpoint.resource.kind.as_str().into();
        item.api_version = endpoint.group_version.as_str().into();
    }
}
