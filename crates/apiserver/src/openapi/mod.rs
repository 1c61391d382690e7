//! OpenAPI: what there is, for people and tools; version 2 as one document, version 3 as one for
//! each group and version.
//!
//! Go counterpart: `k8s.io/kube-openapi/pkg/handler` and `handler3`, and the builders behind them.
//! Documents are made when somebody asks for them and kept until what they tell changes. Their tags
//! follow from what they are made of, so that the index of version 3 is there without making any.
//! Descriptions are those of the authors of custom resources; built-in types have none.

mod custom;
mod definitions;
mod paths;
mod protobuf;
mod render;

use std::collections::HashMap;
use std::io::Write;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use pintle_apimachinery::Time;
use serde_json::{Map, Value, json};

use self::definitions::{META, Spec};
use self::paths::{Answer, Paths};
use crate::core::Core;
use crate::registry::{Group, Resource, Table, Version};

const RELEASE: &str = "1.37";
const JSON: &[&str] = &["application/json"];
const SETS: &[&str] = &["application/jwk-set+json"];

/// What of a request decides its answer.
pub(crate) struct Question<'a> {
    /// What follows `/openapi/`.
    pub(crate) path: &'a str,
    pub(crate) accept: &'a str,
    pub(crate) encoding: &'a str,
    pub(crate) if_none_match: &'a str,
    /// The `hash` of the query.
    pub(crate) hash: &'a str,
}

/// An answer: status, type, further headers, body.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) code: u16,
    pub(crate) content_type: Option<&'static str>,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Bytes,
}

impl Reply {
    fn empty(code: u16, headers: Vec<(&'static str, String)>) -> Self {
        Reply { code, content_type: None, headers, body: Bytes::new() }
    }
}

/// The documents that were asked for.
#[derive(Default)]
pub(crate) struct Documents(Mutex<HashMap<String, Arc<Document>>>);

/// One document in the forms that were asked for.
struct Document {
    tag: String,
    made: Time,
    json: Bytes,
    protobuf: OnceLock<Bytes>,
    gzip: OnceLock<Bytes>,
}

impl Documents {
    /// The document at a path, made now if it is not there as it should be.
    fn get(&self, path: &str, tag: &str, now: Time, make: impl FnOnce() -> Value) -> Arc<Document> {
        let cached = || {
            let documents = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            documents.get(path).filter(|document| document.tag == tag).cloned()
        };
        if let Some(document) = cached() {
            return document;
        }
        // Two that ask at once both make it; nobody waits for the other.
        let document = Arc::new(Document {
            tag: tag.to_owned(),
            made: now,
            json: make().to_string().into(),
            protobuf: OnceLock::new(),
            gzip: OnceLock::new(),
        });
        let mut documents = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        documents.insert(path.to_owned(), Arc::clone(&document));
        document
    }
}

/// Answers a request below `/openapi/`; `None` for a path that is none of its own.
pub(crate) fn serve(core: &Core, question: &Question<'_>) -> Option<Reply> {
    let table = core.registry.table();
    match question.path {
        "v2" => Some(version_2(core, &table, question)),
        "v3" => Some(index(core, &table)),
        path => Some(version_3(core, &table, path.strip_prefix("v3/")?, question)),
    }
}

/// The types of an answer: what is asked for, what it is, whether it is protobuf.
type Offer = (&'static str, &'static str, bool);

const OFFER_V2: [Offer; 3] = [
    ("application/json", "application/json", false),
    (
        "application/com.github.proto-openapi.spec.v2@v1.0+protobuf",
        "application/com.github.proto-openapi.spec.v2.v1.0+protobuf",
        true,
    ),
    (
        "application/com.github.proto-openapi.spec.v2.v1.0+protobuf",
        "application/com.github.proto-openapi.spec.v2.v1.0+protobuf",
        true,
    ),
];
const OFFER_V3: [Offer; 3] = [
    ("application/json", "application/json", false),
    (
        "application/com.github.proto-openapi.spec.v3@v1.0+protobuf",
        "application/com.github.proto-openapi.spec.v3.v1.0+protobuf",
        true,
    ),
    (
        "application/com.github.proto-openapi.spec.v3.v1.0+protobuf",
        "application/com.github.proto-openapi.spec.v3.v1.0+protobuf",
        true,
    ),
];

/// The first type that is taken.
fn negotiate(accept: &str, offers: &[Offer]) -> Option<(&'static str, bool)> {
    let accept = if accept.trim().is_empty() { "*/*" } else { accept };
    let mut clauses: Vec<(f32, &str)> = accept
        .split(',')
        .map(|clause| {
            let mut parts = clause.split(';').map(str::trim);
            let media = parts.next().unwrap_or_default();
            let quality = parts.find_map(|part| part.strip_prefix("q=")?.parse().ok());
            (quality.unwrap_or(1.0), media)
        })
        .collect();
    clauses.sort_by(|a, b| b.0.total_cmp(&a.0));
    clauses.into_iter().find_map(|(_, media)| {
        let fits = |offer: &&Offer| media == "*/*" || media == "application/*" || media == offer.0;
        offers.iter().find(fits).map(|offer| (offer.1, offer.2))
    })
}

fn version_2(core: &Core, table: &Table, question: &Question<'_>) -> Reply {
    let mut headers = vec![("vary", "Accept-Encoding".to_owned()), ("vary", "Accept".to_owned())];
    let Some((content_type, protobuf)) = negotiate(question.accept, &OFFER_V2) else {
        return Reply::empty(406, headers);
    };
    let tag = tag("v2", resources(table));
    let document = core.openapi.get("v2", &tag, (core.clock)(), || document_2(table));
    headers.push(("etag", format!("\"{tag}\"")));
    if matches(question.if_none_match, &tag) {
        return Reply::empty(304, headers);
    }
    let mut body = document.bytes(protobuf, Spec::V2);
    if !protobuf && question.encoding.split(',').any(|e| e.trim().starts_with("gzip")) {
        body = document.gzip.get_or_init(|| gzip(&body)).clone();
        headers.push(("content-encoding", "gzip".to_owned()));
    }
    document.reply(content_type, headers, body)
}

/// What of version 3 there is.
fn index(core: &Core, table: &Table) -> Reply {
    let entries = names(table).into_iter().map(|(path, resources)| {
        let hash = tag(&path, resources.into_iter());
        let address = format!("/openapi/v3/{path}?hash={hash}");
        (path, json!({ "serverRelativeURL": address }))
    });
    let body = json!({ "paths": Value::Object(entries.collect()) });
    let headers = vec![("last-modified", http_date((core.clock)().unix(), "GMT"))];
    let content_type = Some("text/plain; charset=utf-8");
    Reply { code: 200, content_type, headers, body: body.to_string().into() }
}

fn version_3(core: &Core, table: &Table, path: &str, question: &Question<'_>) -> Reply {
    let Some(resources) = names(table).remove(path) else { return Reply::empty(404, Vec::new()) };
    let mut headers = vec![("vary", "Accept".to_owned())];
    let Some((content_type, protobuf)) = negotiate(question.accept, &OFFER_V3) else {
        return Reply::empty(406, headers);
    };
    let tag = tag(path, resources.iter().copied());
    headers.push(("etag", format!("\"{tag}\"")));
    if question.hash != tag && !question.hash.is_empty() {
        headers.push(("location", format!("/openapi/v3/{path}?hash={tag}")));
        let mut reply = Reply::empty(301, headers);
        reply.content_type = Some(content_type);
        return reply;
    }
    let now = (core.clock)();
    if question.hash == tag {
        const YEAR: i64 = 365 * 86_400;
        headers.push(("cache-control", "public, immutable".to_owned()));
        headers.push(("expires", http_date(now.unix() + YEAR, "UTC")));
    }
    if matches(question.if_none_match, &tag) {
        return Reply::empty(304, headers);
    }
    let document = core.openapi.get(path, &tag, now, || document_3(path, &resources));
    let body = document.bytes(protobuf, Spec::V3);
    document.reply(content_type, headers, body)
}

impl Document {
    fn bytes(&self, protobuf: bool, spec: Spec) -> Bytes {
        if !protobuf {
            return self.json.clone();
        }
        let make = || match serde_json::from_slice(&self.json) {
            Ok(value) => protobuf::encode(&value, spec).into(),
            Err(_) => Bytes::new(),
        };
        self.protobuf.get_or_init(make).clone()
    }

    fn reply(
        &self,
        content_type: &'static str,
        mut headers: Vec<(&'static str, String)>,
        body: Bytes,
    ) -> Reply {
        headers.push(("accept-ranges", "bytes".to_owned()));
        headers.push(("last-modified", http_date(self.made.unix(), "GMT")));
        Reply { code: 200, content_type: Some(content_type), headers, body }
    }
}

/// Whether one of the tags a client has is this one.
fn matches(if_none_match: &str, tag: &str) -> bool {
    let own = |known: &str| known.trim().trim_start_matches("W/").trim_matches('"') == tag;
    if_none_match.trim() == "*" || if_none_match.split(',').any(own)
}

/// Bytes, compressed.
pub(crate) fn gzip(bytes: &[u8]) -> Bytes {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::new(1));
    // Writing to a vector cannot fail.
    let _ = encoder.write_all(bytes);
    encoder.finish().unwrap_or_default().into()
}

fn resources(table: &Table) -> impl Iterator<Item = &Resource> {
    let versions = table.groups.iter().flat_map(|group| &group.versions);
    versions.flat_map(|version| &version.resources).map(AsRef::as_ref)
}

/// A group and version of custom resources only.
fn is_custom(version: &Version) -> bool {
    version.resources.iter().all(|resource| resource.custom.is_some())
}

/// The documents of version 3 by their paths, and the resources of each.
fn names(table: &Table) -> std::collections::BTreeMap<String, Vec<&Resource>> {
    let plain = [".well-known/openid-configuration", "api", "apis", "openid/v1/jwks", "version"];
    let mut out: std::collections::BTreeMap<_, _> =
        plain.into_iter().map(|path| (path.to_owned(), Vec::new())).collect();
    for group in &table.groups {
        let custom = group.versions.iter().all(is_custom);
        if !group.name.is_empty() && !custom {
            out.insert(format!("apis/{}", group.name), Vec::new());
        }
        for version in &group.versions {
            let path = paths::base(&group.name, &version.version);
            let resources = version.resources.iter().map(AsRef::as_ref).collect();
            out.insert(path.trim_start_matches('/').to_owned(), resources);
        }
    }
    out
}

/// What is told of these resources, in a few letters.
fn tag<'a>(path: &str, resources: impl Iterator<Item = &'a Resource>) -> String {
    static BUILTIN: OnceLock<Vec<u8>> = OnceLock::new();
    let builtin = BUILTIN.get_or_init(|| digest(definitions::text().as_bytes()));
    let mut text = builtin.clone();
    for part in [env!("CARGO_PKG_VERSION"), path] {
        text.extend_from_slice(part.as_bytes());
        text.push(0);
    }
    for resource in resources {
        for part in [&resource.group, &resource.version, &resource.plural, &resource.kind] {
            text.extend_from_slice(part.as_bytes());
            text.push(0);
        }
        if let Some(custom) = &resource.custom {
            // What else is in a definition is of no account here.
            if let Some(spec) = custom.definition.get("spec") {
                text.extend_from_slice(spec.to_string().as_bytes());
            }
        }
    }
    digest(&text).iter().map(|byte| format!("{byte:02X}")).collect()
}

fn digest(bytes: &[u8]) -> Vec<u8> {
    let suite = rustls::crypto::ring::cipher_suite::TLS13_AES_256_GCM_SHA384;
    let Some(suite) = suite.tls13() else { return Vec::new() };
    suite.common.hash_provider.hash(bytes).as_ref().to_vec()
}

fn document_2(table: &Table) -> Value {
    let mut paths = Paths::new();
    let mut own = Map::new();
    add_plain(&mut paths);
    for group in &table.groups {
        add_group(group, &mut paths);
    }
    for resource in resources(table) {
        paths::add(resource, &mut paths);
        if resource.custom.is_some() {
            custom::add(resource, Spec::V2, &mut own);
        }
    }
    let (items, parameters) = (render::paths(&paths, Spec::V2), render::shared_parameters(&paths));
    let definitions = definitions::closure(&[&items, &parameters], own, Spec::V2, None);
    json!({
        "swagger": "2.0",
        "info": {"title": "Kubernetes", "version": RELEASE},
        "paths": items,
        "definitions": definitions,
        "parameters": parameters,
        "securityDefinitions": {"BearerToken": security()},
        "security": [{"BearerToken": []}],
    })
}

fn security() -> Value {
    json!({
        "type": "apiKey",
        "description": "Bearer Token authentication",
        "name": "authorization",
        "in": "header",
    })
}

fn add_group(group: &Group, paths: &mut Paths) {
    if group.versions.iter().all(is_custom) {
        return;
    }
    paths::add_discovery(&group.name, None, paths);
    for version in &group.versions {
        paths::add_discovery(&group.name, Some(&version.version), paths);
    }
}

/// Paths that are about no group.
fn add_plain(paths: &mut Paths) {
    let groups = Answer::Definition(format!("{META}APIGroupList"));
    paths::add_plain("/apis/", "getAPIVersions", "apis", paths::BUILTIN, groups, paths);
    let id = "getServiceAccountIssuerOpenIDConfiguration";
    let path = "/.well-known/openid-configuration/";
    paths::add_plain(path, id, "WellKnown", JSON, Answer::Text, paths);
    let id = "getServiceAccountIssuerOpenIDKeyset";
    paths::add_plain("/openid/v1/jwks/", id, "openid", SETS, Answer::Text, paths);
    let info = Answer::Definition("io.k8s.apimachinery.pkg.version.Info".to_owned());
    paths::add_plain("/version/", "getCodeVersion", "version", JSON, info, paths);
}

fn document_3(path: &str, resources: &[&Resource]) -> Value {
    let mut paths = Paths::new();
    let mut own = Map::new();
    let parts: Vec<&str> = path.split('/').collect();
    let home = match parts.as_slice() {
        ["api", version] => Some(("", *version)),
        ["apis", group, version] => Some((*group, *version)),
        _ => None,
    };
    let custom = !resources.is_empty() && resources.iter().all(|r| r.custom.is_some());
    match (home, parts.as_slice()) {
        (Some((group, version)), _) if !custom => {
            paths::add_discovery(group, Some(version), &mut paths);
        }
        (Some(_), _) => {}
        (None, ["api"]) => paths::add_discovery("", None, &mut paths),
        (None, ["apis", group]) => paths::add_discovery(group, None, &mut paths),
        _ => {
            add_plain(&mut paths);
            paths.retain(|at, _| at.trim_matches('/') == path);
        }
    }
    for resource in resources {
        paths::add(resource, &mut paths);
        if resource.custom.is_some() {
            custom::add(resource, Spec::V3, &mut own);
        }
    }
    let items = render::paths(&paths, Spec::V3);
    let home = home.filter(|_| !custom);
    let schemas = definitions::closure(&[&items], own, Spec::V3, home);
    let mut components = Map::new();
    if !schemas.is_empty() {
        components.insert("schemas".to_owned(), schemas.into());
    }
    let info = if custom {
        json!({"title": "Kubernetes CRD Swagger", "version": "v0.1.0"})
    } else {
        components.insert("securitySchemes".to_owned(), json!({"BearerToken": security()}));
        json!({"title": "Kubernetes", "version": RELEASE})
    };
    json!({"openapi": "3.0.0", "info": info, "paths": items, "components": components})
}

/// A time as HTTP writes it.
fn http_date(unix: i64, zone: &str) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (days, second) = (unix.div_euclid(86_400), unix.rem_euclid(86_400));
    // Years that begin in March, so that the odd day is the last one.
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 2 } else { month - 10 };
    let year = year + era * 400 + i64::from(month < 2);
    let name = |names: &[&'static str], index: i64| {
        usize::try_from(index).ok().and_then(|index| names.get(index)).copied().unwrap_or_default()
    };
    format!(
        "{}, {day:02} {} {year:04} {:02}:{:02}:{:02} {zone}",
        name(&DAYS, days.rem_euclid(7)),
        name(&MONTHS, month),
        second / 3_600,
        second / 60 % 60,
        second % 60
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates() {
        assert_eq!(http_date(0, "GMT"), "Thu, 01 Jan 1970 00:00:00 GMT");
        assert_eq!(http_date(951_782_400, "GMT"), "Tue, 29 Feb 2000 00:00:00 GMT");
        assert_eq!(http_date(1_795_479_919, "UTC"), "Tue, 24 Nov 2026 00:25:19 UTC");
    }

    #[test]
    fn types() {
        let v3 = |accept: &str| negotiate(accept, &OFFER_V3);
        assert_eq!(v3(""), Some(("application/json", false)));
        assert_eq!(v3("text/html"), None);
        let protobuf = "application/com.github.proto-openapi.spec.v3@v1.0+protobuf";
        let answered = "application/com.github.proto-openapi.spec.v3.v1.0+protobuf";
        assert_eq!(v3(protobuf), Some((answered, true)));
        assert_eq!(v3(&format!("application/json;q=0.5,{protobuf}")), Some((answered, true)));
    }

    #[test]
    fn tags() {
        assert!(matches("\"A\", W/\"B\"", "B"));
        assert!(!matches("", "B"));
    }
}
