//! Formats of texts. Go: `strfmt.go`.

use crate::parse_error::quote;
use crate::validation::{self, FieldError, FieldErrors, FieldPath};

fn all(path: &FieldPath, value: &str, problems: Vec<String>, origin: &'static str) -> FieldErrors {
    let problems = problems.into_iter();
    problems.map(|text| FieldError::invalid(path, value, text).with_origin(origin)).collect()
}

/// A DNS label: `k8s-short-name`. Go: `ShortName`.
pub fn short_name(path: &FieldPath, value: &str) -> FieldErrors {
    // This one counts bytes where the older function of the same rule counts characters.
    let problems = validation::dns1123_label(value).into_iter().map(in_bytes);
    all(path, value, problems.collect(), "format=k8s-short-name")
}

/// A DNS subdomain: `k8s-long-name`. Go: `LongName`.
pub fn long_name(path: &FieldPath, value: &str) -> FieldErrors {
    let problems = validation::dns1123_subdomain(value).into_iter().map(in_bytes);
    all(path, value, problems.collect(), "format=k8s-long-name")
}

fn in_bytes(problem: String) -> String {
    match problem.strip_suffix(" characters") {
        Some(rest) if rest.starts_with("must be no more than ") => format!("{rest} bytes"),
        _ => problem,
    }
}

/// A DNS subdomain in letters of either case: `k8s-long-name-caseless`. Not for new fields.
/// Go: `LongNameCaseless`.
pub fn long_name_caseless(path: &FieldPath, value: &str) -> FieldErrors {
    let problems = validation::dns1123_subdomain_caseless(value);
    all(path, value, problems, "format=k8s-long-name-caseless")
}

/// A label key: `k8s-label-key`. Go: `LabelKey`.
pub fn label_key(path: &FieldPath, value: &str) -> FieldErrors {
    all(path, value, validation::label_key(value), "format=k8s-label-key")
}

/// A label key with a prefix: `k8s-prefixed-label-key`. Go: `PrefixedLabelKey`.
pub fn prefixed_label_key(path: &FieldPath, value: &str) -> FieldErrors {
    all(path, value, validation::prefixed_label_key(value), "format=k8s-prefixed-label-key")
}

/// A label value: `k8s-label-value`. Go: `LabelValue`.
pub fn label_value(path: &FieldPath, value: &str) -> FieldErrors {
    all(path, value, validation::label_value(value), "format=k8s-label-value")
}

/// A segment of a URL path: `k8s-path-segment-name`. Go: `PathSegmentName`.
pub fn path_segment_name(path: &FieldPath, value: &str) -> FieldErrors {
    all(path, value, validation::path_segment_name(value), "format=k8s-path-segment-name")
}

/// A UUID in lower case: `k8s-uuid`. Go: `UUID`.
pub fn uuid(path: &FieldPath, value: &str) -> FieldErrors {
    let valid = value.len() == 36
        && value.bytes().enumerate().all(|(at, c)| match at {
            8 | 13 | 18 | 23 => c == b'-',
            _ => matches!(c, b'0'..=b'9' | b'a'..=b'f'),
        });
    if valid {
        return FieldErrors::default();
    }
    let detail = "must be a lowercase UUID in 8-4-4-4-12 format";
    FieldError::invalid(path, value, detail).with_origin("format=k8s-uuid").into()
}

/// DNS subdomains with slashes between them: `k8s-resource-pool-name`. Go: `ResourcePoolName`.
pub fn resource_pool_name(path: &FieldPath, value: &str) -> FieldErrors {
    let mut errors = FieldErrors::default();
    if value.len() > 253 {
        errors.push(FieldError::too_long(path, 253));
    }
    for (i, part) in value.split('/').enumerate() {
        if part.is_empty() {
            let detail = format!("segment {i}: must not be empty");
            errors.push(FieldError::invalid(path, value, detail));
        } else {
            errors.extend(long_name(path, part).prefix_detail(&format!("segment {i}: ")));
        }
    }
    errors.with_origin("format=k8s-resource-pool-name")
}

/// The name of a resource that is not Kubernetes' own, such as `example.com/gpu`:
/// `k8s-extended-resource-name`. Go: `ExtendedResourceName`.
pub fn extended_resource_name(path: &FieldPath, value: &str) -> FieldErrors {
    const OWN: &str = "kubernetes.io/";
    const QUOTA: &str = "requests.";
    let mut problems = Vec::new();
    if !value.contains('/') {
        let text = "a name must be a domain-prefixed path, such as 'example.com/my-prop'";
        problems.push(text.to_owned());
    } else if value.contains(OWN) {
        problems.push(format!("must not have {} domain", quote(OWN)));
    }
    if value.starts_with(QUOTA) {
        problems.push(format!("must not have {} prefix", quote(QUOTA)));
    }
    problems.extend(validation::label_key(&format!("{QUOTA}{value}")));
    all(path, value, problems, "format=k8s-extended-resource-name")
}

/// A DNS subdomain, a slash and an identifier: `k8s-resource-fully-qualified-name`.
/// Go: `ResourceFullyQualifiedName`.
pub fn resource_fully_qualified_name(path: &FieldPath, value: &str) -> FieldErrors {
    let mut errors = FieldErrors::default();
    // As in Go, more than one slash is not looked at any closer.
    match value.split('/').collect::<Vec<_>>()[..] {
        [name] => errors.extend(identifier(path, name)),
        [prefix, name] => {
            if prefix.is_empty() {
                errors.push(FieldError::invalid(path, "", "prefix must not be empty"));
            } else {
                if prefix.len() > 63 {
                    errors.push(FieldError::too_long(path, 63));
                }
                errors.extend(long_name(path, prefix).prefix_detail("prefix: "));
            }
            if name.is_empty() {
                errors.push(FieldError::invalid(path, "", "name must not be empty"));
            } else {
                errors.extend(identifier(path, name));
            }
        }
        _ => {}
    }
    if !value.contains('/') {
        let detail = "a fully qualified name must be a domain and a name separated by a slash";
        errors.push(FieldError::invalid(path, value, detail));
    }
    errors.with_origin("format=k8s-resource-fully-qualified-name")
}

fn identifier(path: &FieldPath, name: &str) -> FieldErrors {
    const MOST: usize = 32;
    let mut errors = FieldErrors::default();
    if name.len() > MOST {
        errors.push(FieldError::too_long(path, MOST));
    }
    errors.extend(all(path, name, validation::c_identifier(name), ""));
    errors
}
