//! What was produced as an answer: headers, formats, errors.
//!
//! Go counterpart: `k8s.io/apiserver/pkg/endpoints/handlers/responsewriters`.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Response, StatusCode};
use serde_json::Value;

use crate::body::Body;
use crate::encode::{self, Encoder, Format};
use crate::handlers::{self, Reply};
use crate::negotiate::{self, Form, Offer, negotiate};
use crate::openapi;
use crate::service::{Exchange, Produced};
use crate::status::{ApiError, ApiResult};
use crate::transform::Transform;

/// Answers that are longer are compressed for clients that take it.
const GZIP_FROM: usize = 128 << 10;

/// Compressed as Go's server does it: rather fast than small.
fn gzip(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    // Writing to a vector does not fail.
    let _ = encoder.write_all(bytes);
    encoder.finish().unwrap_or_default()
}

/// Says that the answer's type is not to be guessed.
fn no_sniff(headers: &mut HeaderMap) {
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
}

impl Exchange<'_> {
    /// The answer of a fault: a watch is accepted before it is told that it expired.
    pub(crate) fn refused(&self, error: ApiError) -> Response<Body> {
        if self.info.verb == "watch"
            && error.code() == 410
            && let Ok(resource) = self.find()
            && let Ok(format) =
                negotiate(self.header(header::ACCEPT), Offer::Watch(resource.custom.is_none()))
        {
            let watch = handlers::watch::Watch::failed(self.core, &resource, error);
            return self.respond(Ok(Produced::Answer(
                resource,
                format,
                Reply::Watch(watch).into(),
            )));
        }
        self.error(&error)
    }

    pub(crate) fn respond(&self, result: ApiResult<Produced>) -> Response<Body> {
        match result.and_then(|response| self.encode(response)) {
            Ok(response) => response,
            Err(error) => self.error(&error),
        }
    }

    fn encode(&self, response: Produced) -> ApiResult<Response<Body>> {
        let internal = ApiError::internal;
        match response {
            Produced::Answer(resource, (format, form), answer) => {
                let encoder = Encoder { core: self.core, resource: &resource, format };
                let transform = Transform::new(self.core, &resource, form, &self.query);
                let (code, bytes) = match answer.reply {
                    Reply::Object(code, item) if form != Form::Whole => {
                        let value = transform.object(&item)?;
                        (code, encode::value(self.core, format, &value).map_err(internal)?)
                    }
                    Reply::List(page) if form != Form::Whole => {
                        let value = transform.list(&page)?;
                        (200, encode::value(self.core, format, &value).map_err(internal)?)
                    }
                    Reply::Object(code, item) => (code, encoder.object(&item).map_err(internal)?),
                    Reply::List(page) => (200, encoder.list(&page).map_err(internal)?),
                    Reply::Value(code, value) => {
                        let value = transform.value(value)?;
                        (code, encode::value(self.core, format, &value).map_err(internal)?)
                    }
                    Reply::Watch(mut watch) => {
                        watch.set_format(format, transform);
                        let content_type = match format {
                            Format::Protobuf => "application/vnd.kubernetes.protobuf;stream=watch",
                            _ => "application/json",
                        };
                        return Ok(self.build(200, content_type, Body::watch(watch), &[]));
                    }
                };
                Ok(self.bytes(code, format, bytes, &answer.warnings))
            }
            Produced::Value(value) => {
                negotiate::route(self.header(header::ACCEPT), false)?;
                let (format, _) = negotiate(self.header(header::ACCEPT), Offer::Builtin)?;
                let bytes = encode::value(self.core, format, &value);
                let (format, bytes) = match bytes {
                    Ok(bytes) => (format, bytes),
                    // What has no protobuf is written in JSON.
                    Err(_) => (Format::Json, value.to_string().into_bytes()),
                };
                Ok(self.bytes(200, format, bytes, &[]))
            }
            Produced::Aggregated(value) => Ok(self.aggregated(&value)),
            Produced::OpenApi(reply) => Ok(self.openapi(reply)),
            Produced::Document(content_type, value) => {
                let body = Body::full(value.to_string());
                Ok(self.build(200, content_type, body, &[]))
            }
            Produced::Pretty(value) => {
                let text = serde_json::to_string_pretty(&value).unwrap_or_default();
                Ok(self.build(200, "application/json", Body::full(text), &[]))
            }
            Produced::Text(text) => {
                let body = Body::full(text);
                let mut response = self.build(200, "text/plain; charset=utf-8", body, &[]);
                // The checks one by one are answered without it.
                if self.info.path.trim_matches('/').split('/').count() == 1 {
                    no_sniff(response.headers_mut());
                }
                Ok(response)
            }
        }
    }

    /// A document, with what caches need to know of it.
    fn openapi(&self, reply: openapi::Reply) -> Response<Body> {
        let body = Body::full(reply.body);
        let content_type = reply.content_type.unwrap_or_default();
        let mut response = self.build(reply.code, content_type, body, &[]);
        let headers = response.headers_mut();
        if reply.content_type.is_none() {
            headers.remove(header::CONTENT_TYPE);
        }
        for (name, value) in &reply.headers {
            let Ok(value) = HeaderValue::from_str(value) else { continue };
            if *name == "vary" {
                headers.append(header::VARY, value);
            } else {
                headers.insert(HeaderName::from_static(name), value);
            }
        }
        response
    }

    /// Aggregated discovery, which clients may keep as long as its tag is the same.
    fn aggregated(&self, value: &Value) -> Response<Body> {
        let wanted = negotiate::aggregated(self.header(header::ACCEPT));
        let (content_type, body) = match wanted {
            Some(Format::Protobuf) => (
                "application/vnd.kubernetes.protobuf;g=apidiscovery.k8s.io;v=v2;\
                 as=APIGroupDiscoveryList",
                encode::value(self.core, Format::Protobuf, value).unwrap_or_default(),
            ),
            _ => (
                "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList",
                value.to_string().into_bytes(),
            ),
        };
        let mut hasher = DefaultHasher::new();
        // The same for every format.
        value.to_string().hash(&mut hasher);
        let tag = format!("\"{:016X}\"", hasher.finish());
        let known = self.header(header::IF_NONE_MATCH) == tag;
        let (code, body) =
            if known { (304, Body::full(Bytes::new())) } else { (200, Body::full(body)) };
        let mut response = self.build(code, content_type, body, &[]);
        let headers = response.headers_mut();
        if known {
            headers.remove(header::CONTENT_TYPE);
        }
        if let Ok(tag) = HeaderValue::from_str(&tag) {
            headers.insert(header::ETAG, tag);
        }
        headers.insert(header::VARY, HeaderValue::from_static("Accept"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public"));
        response
    }

    fn error(&self, error: &ApiError) -> Response<Body> {
        if error.is_plain() {
            let body = Body::full(error.message().to_owned());
            let mut response = self.build(error.code(), "text/plain; charset=utf-8", body, &[]);
            if error.code() == 500 {
                response.headers_mut().remove(header::CACHE_CONTROL);
            }
            no_sniff(response.headers_mut());
            return response;
        }
        let status = error.status();
        let format = negotiate(self.header(header::ACCEPT), Offer::Builtin);
        // Errors are never in another form, and in JSON when that was asked for.
        let format = match format {
            Ok((format, Form::Whole)) => format,
            _ => Format::Json,
        };
        // A Status that cannot be written in another form is written in JSON.
        let (format, bytes) = match encode::value(self.core, format, &status) {
            Ok(bytes) => (format, bytes),
            Err(_) => (Format::Json, status.to_string().into_bytes()),
        };
        let mut response = self.bytes(error.code(), format, bytes, error.warnings());
        if let Some(seconds) = error.retry_after_seconds()
            && matches!(error.code(), 429 | 500..)
        {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        if error.is_sniff_proof() {
            no_sniff(response.headers_mut());
        }
        response
    }

    fn bytes(
        &self,
        code: u16,
        format: Format,
        mut bytes: Vec<u8>,
        warnings: &[String],
    ) -> Response<Body> {
        if format == Format::Json {
            if self.wants_pretty()
                && let Some(pretty) = encode::pretty(&bytes)
            {
                bytes = pretty;
            }
            bytes.push(b'\n');
        }
        if bytes.len() <= GZIP_FROM || !self.takes_gzip() {
            return self.build(code, format.content_type(), Body::full(bytes), warnings);
        }
        let mut response =
            self.build(code, format.content_type(), Body::full(gzip(&bytes)), warnings);
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        headers.append(header::VARY, HeaderValue::from_static("Accept-Encoding"));
        response
    }

    /// Whether the client takes answers in gzip: one that says how much it likes it does not.
    fn takes_gzip(&self) -> bool {
        let accepted = self.header(header::ACCEPT_ENCODING).split(',');
        accepted.into_iter().any(|encoding| encoding.trim() == "gzip")
    }

    /// Indentation is for people: on request, and for their tools.
    fn wants_pretty(&self) -> bool {
        self.query.flag("pretty").unwrap_or_else(|| {
            let agent = self.header(header::USER_AGENT);
            ["curl", "Wget", "Mozilla/5.0"].iter().any(|tool| agent.starts_with(tool))
        })
    }

    fn build(
        &self,
        code: u16,
        content_type: &'static str,
        body: Body,
        warnings: &[String],
    ) -> Response<Body> {
        // An answer to HEAD has no body.
        let head = self.parts.method == http::Method::HEAD;
        let mut response = Response::new(if head { Body::full(Bytes::new()) } else { body });
        *response.status_mut() =
            StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers: &mut HeaderMap = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache, private"));
        if let Ok(id) = HeaderValue::from_str(&self.core.uid()) {
            headers.insert(HeaderName::from_static("audit-id"), id);
        }
        for warning in self.deprecated.get().into_iter().chain(warnings) {
            let text = warning.replace('\\', "\\\\").replace('"', "\\\"");
            if let Ok(value) = HeaderValue::from_str(&format!("299 - \"{text}\"")) {
                headers.append(header::WARNING, value);
            }
        }
        response
    }
}
