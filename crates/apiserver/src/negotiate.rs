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

/// The form of an answer.
///
/// # Errors
/// 406 when the client takes none of what is offered. Transformed forms (`as=Table`,
/// `as=PartialObjectMetadata`) are not offered.
pub(crate) fn negotiate(accept: &str, offer: Offer) -> ApiResult<Format> {
    for clause in clauses(accept) {
        let transformed = clause.parameters.iter().any(|(key, _)| *key == "as");
        if transformed {
            continue;
        }
        let format = match clause.media {
            "application/json" | "*/*" | "application/*" => Some(Format::Json),
            "application/yaml" if !matches!(offer, Offer::Watch(_)) => Some(Format::Yaml),
            "application/vnd.kubernetes.protobuf"
                if matches!(offer, Offer::Builtin | Offer::Watch(true)) =>
            {
                Some(Format::Protobuf)
            }
            _ => None,
        };
        if let Some(format) = format {
            return Ok(format);
        }
    }
    Err(ApiError::not_acceptable(&ALL))
}

/// Whether the client takes aggregated discovery, in the version there is.
pub(crate) fn aggregated(accept: &str) -> bool {
    let clauses = clauses(accept);
    let Some(first) = clauses.iter().find(|clause| {
        let parameter = |name: &str| {
            clause.parameters.iter().find(|(key, _)| *key == name).map(|(_, value)| *value)
        };
        let plain = parameter("as").is_none();
        clause.media == "application/json"
            && (plain
                || (parameter("as") == Some("APIGroupDiscoveryList")
                    && parameter("g") == Some("apidiscovery.k8s.io")
                    && parameter("v") == Some("v2")))
    }) else {
        return false;
    };
    first.parameters.iter().any(|(key, _)| *key == "as")
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
        assert_eq!(negotiate(accept, offer).ok(), expect, "{accept}");
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
        check("application/json;as=Table;v=v1;g=meta.k8s.io", Offer::Builtin, None);
        check(
            "application/json;as=Table;v=v1;g=meta.k8s.io,application/json",
            Offer::Builtin,
            Some(Format::Json),
        );
    }

    #[test]
    fn aggregated_discovery_in_version_2() {
        let v2 = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
        let beta = "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList";
        assert!(aggregated(&format!("{v2},{beta},application/json")));
        assert!(!aggregated(&format!("{beta},application/json")));
        assert!(!aggregated("application/json"));
        assert!(!aggregated(""));
    }
}
