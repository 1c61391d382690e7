//! Which form of answer a client takes.
//!
//! Go counterpart: `k8s.io/apiserver/pkg/endpoints/handlers/negotiation`.

use crate::encode::Format;
use crate::status::{ApiError, ApiResult};

/// One clause of an `Accept` header.
struct Clause<'a> {
    media: &'a str,
    parameters: Vec<(&'a str, &'a str)>,
    quality: f32,
}

/// What kind of answer is negotiated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Offer {
    /// Built-in objects: JSON, YAML, protobuf.
    Builtin,
    /// Custom resources: JSON, YAML.
    Custom,
    /// Streams of events; the flag says whether protobuf is offered.
    Watch(bool),
}

const ALL: [&str; 3] =
    ["application/json", "application/yaml", "application/vnd.kubernetes.protobuf"];

/// What streams are written in.
const STREAMS: [&str; 2] =
    ["application/json;stream=watch", "application/vnd.kubernetes.protobuf;stream=watch"];

/// What of an object is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// All of it.
    Whole,
    /// Its metadata, as `PartialObjectMetadata`, or a list of these, of a version.
    Metadata { list: bool, version: &'static str },
    /// A row of a table of a version.
    Table { version: &'static str },
}

/// The form of an answer.
///
/// # Errors
/// 406 when the client takes none of what is offered.
pub(crate) fn negotiate(accept: &str, offer: Offer) -> ApiResult<(Format, Form)> {
    let watch = matches!(offer, Offer::Watch(_));
    for clause in clauses(accept) {
        let Some(form) = form(&clause) else { continue };
        if watch && clause.media == "application/yaml" {
            // There is such a form, but not of streams.
            return Err(ApiError::not_acceptable(&STREAMS));
        }
        let format = match clause.media {
            "application/json" | "*/*" | "application/*" => Some(Format::Json),
            "application/yaml" => Some(Format::Yaml),
            "application/vnd.kubernetes.protobuf"
                if matches!(offer, Offer::Builtin | Offer::Watch(true))
                    // Tables have no protobuf.
                    && !matches!(form, Form::Table { .. }) =>
            {
                Some(Format::Protobuf)
            }
            _ => None,
        };
        if let Some(format) = format {
            return Ok((format, form));
        }
    }
    Err(ApiError::not_acceptable(&ALL))
}

/// What a clause asks for; `None` for what is not offered.
fn form(clause: &Clause<'_>) -> Option<Form> {
    let parameter = |name: &str| {
        clause.parameters.iter().find(|(key, _)| *key == name).map(|(_, value)| *value)
    };
    let Some(kind) = parameter("as") else { return Some(Form::Whole) };
    let version = match parameter("v") {
        Some("v1") => "meta.k8s.io/v1",
        Some("v1beta1") => "meta.k8s.io/v1beta1",
        _ => return None,
    };
    match kind {
        _ if parameter("g") != Some("meta.k8s.io") => None,
        "Table" => Some(Form::Table { version }),
        "PartialObjectMetadata" => Some(Form::Metadata { list: false, version }),
        "PartialObjectMetadataList" => Some(Form::Metadata { list: true, version }),
        _ => None,
    }
}

/// Whether a route of built-in resources is chosen at all: it must offer one of the types by name,
/// or the client take everything. Go: go-restful's `Produces`.
///
/// # Errors
/// 406 with the text of the router.
pub(crate) fn route(accept: &str, streams: bool) -> ApiResult<()> {
    let mut offered = ALL.to_vec();
    if streams {
        offered.extend(STREAMS);
    }
    let accept = if accept.trim().is_empty() { "*/*" } else { accept };
    let mut media = accept.split(',').map(|clause| clause.split(';').next().unwrap_or_default());
    if media.any(|media| media.trim() == "*/*" || ALL.contains(&media.trim())) {
        return Ok(());
    }
    Err(ApiError::not_acceptable_route(&offered))
}

/// The format in which the client takes aggregated discovery, in the version there is.
pub(crate) fn aggregated(accept: &str) -> Option<Format> {
    clauses(accept).iter().find_map(|clause| {
        let format = match clause.media {
            "application/json" => Format::Json,
            "application/vnd.kubernetes.protobuf" => Format::Protobuf,
            _ => return None,
        };
        let parameter = |name: &str| {
            clause.parameters.iter().find(|(key, _)| *key == name).map(|(_, value)| *value)
        };
        // What comes first is what is wanted: discovery as it was is for everybody.
        match parameter("as") {
            None => Some(None),
            Some("APIGroupDiscoveryList")
                if parameter("g") == Some("apidiscovery.k8s.io")
                    && parameter("v") == Some("v2") =>
            {
                Some(Some(format))
            }
            Some(_) => None,
        }
    })?
}

/// Clauses by falling quality, in the order given.
fn clauses(accept: &str) -> Vec<Clause<'_>> {
    let accept = if accept.trim().is_empty() { "*/*" } else { accept };
    let mut clauses: Vec<Clause<'_>> = accept
        .split(',')
        .map(|clause| {
            let mut parts = clause.split(';').map(str::trim);
            let media = parts.next().unwrap_or_default();
            let parameters: Vec<_> = parts.filter_map(|part| part.split_once('=')).collect();
            let quality = parameters.iter().find(|(key, _)| *key == "q");
            let quality = quality.and_then(|(_, value)| value.parse().ok()).unwrap_or(1.0);
            Clause { media, parameters, quality }
        })
        .filter(|clause| clause.quality > 0.0)
        .collect();
    clauses.sort_by(|a, b| b.quality.total_cmp(&a.quality));
    clauses
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(accept: &str, offer: Offer, expect: Option<Format>) {
        assert_eq!(negotiate(accept, offer).ok().map(|(format, _)| format), expect, "{accept}");
    }

    #[test]
    fn the_first_clause_that_is_offered_wins() {
        let protobuf = "application/vnd.kubernetes.protobuf";
        check("", Offer::Builtin, Some(Format::Json));
        check("*/*", Offer::Builtin, Some(Format::Json));
        check(protobuf, Offer::Builtin, Some(Format::Protobuf));
        check(protobuf, Offer::Custom, None);
        check(&format!("{protobuf},application/json"), Offer::Custom, Some(Format::Json));
        check(&format!("{protobuf},application/json"), Offer::Builtin, Some(Format::Protobuf));
        check(&format!("{protobuf};q=0.5, application/json"), Offer::Builtin, Some(Format::Json));
        check("application/yaml", Offer::Custom, Some(Format::Yaml));
        check("application/yaml", Offer::Watch(true), None);
        check("application/json;stream=watch", Offer::Watch(false), Some(Format::Json));
        check("text/plain", Offer::Builtin, None);
        check("application/json;as=Table;v=v9;g=meta.k8s.io", Offer::Builtin, None);
        check(
            "application/json;as=Table;v=v1;g=meta.k8s.io,application/json",
            Offer::Builtin,
            Some(Format::Json),
        );
    }

    #[test]
    fn forms() {
        let form = |accept: &str| negotiate(accept, Offer::Builtin).ok().map(|(_, form)| form);
        let version = "meta.k8s.io/v1";
        let table = "as=Table;v=v1;g=meta.k8s.io";
        assert_eq!(form(&format!("application/json;{table}")), Some(Form::Table { version }));
        assert_eq!(form(&format!("application/vnd.kubernetes.protobuf;{table}")), None);
        assert_eq!(
            form("application/vnd.kubernetes.protobuf;as=PartialObjectMetadata;v=v1;g=meta.k8s.io"),
            Some(Form::Metadata { list: false, version })
        );
        assert_eq!(form("application/json;as=Table;v=v1"), None);
    }

    #[test]
    fn routes() {
        assert!(route("text/html,*/*;q=0.8", false).is_ok());
        assert!(route("application/json;as=Table", true).is_ok());
        assert!(route("application/*", false).is_err());
        assert!(route("", true).is_ok());
    }

    #[test]
    fn aggregated_discovery_in_version_2() {
        let v2 = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
        let beta = "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList";
        assert_eq!(aggregated(&format!("{v2},{beta},application/json")), Some(Format::Json));
        let protobuf = v2.replace("application/json", "application/vnd.kubernetes.protobuf");
        assert_eq!(aggregated(&format!("{protobuf},{v2}")), Some(Format::Protobuf));
        assert_eq!(aggregated(&format!("{beta},application/json")), None);
        assert_eq!(aggregated("application/json"), None);
        assert_eq!(aggregated(""), None);
    }
}
