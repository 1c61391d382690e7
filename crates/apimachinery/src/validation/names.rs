//! Whether texts are valid as names, keys, labels and the like.
//! Go: `k8s.io/apimachinery/pkg/util/validation` and `pkg/api/validate/content`.

use super::{FieldError, FieldErrors, FieldPath};

const LABEL_MAX: usize = 63;
const SUBDOMAIN_MAX: usize = 253;
const ANNOTATIONS_MAX: usize = 256 << 10;

/// A shape that a text must have: its test, and how Go's message describes it.
pub(super) struct Shape {
    pub(super) matches: fn(&[u8]) -> bool,
    pub(super) message: &'static str,
    pub(super) regex: &'static str,
    pub(super) examples: &'static [&'static str],
}

impl Shape {
    pub(super) fn check(&self, text: &str, prefix: &str, problems: &mut Vec<String>) {
        if !(self.matches)(text.as_bytes()) {
            problems.push(format!("{prefix}{}", self.description()));
        }
    }

    #[cold]
    fn description(&self) -> String {
        let mut examples = String::new();
        for (i, example) in self.examples.iter().enumerate() {
            examples += &format!("{}'{example}', ", if i > 0 { " or " } else { "e.g. " });
        }
        format!("{} ({examples}regex used for validation is '{}')", self.message, self.regex)
    }
}

const DNS1123_LABEL: Shape = Shape {
    matches: |text| edges_and_middle(text, lower_or_digit, |c| lower_or_digit(c) || c == b'-'),
    message: "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character",
    regex: "[a-z0-9]([-a-z0-9]*[a-z0-9])?",
    examples: &["my-name", "123-abc"],
};
const DNS1123_SUBDOMAIN: Shape = Shape {
    matches: |text| text.split(|c| *c == b'.').all(DNS1123_LABEL.matches),
    message: "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character",
    regex: r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*",
    examples: &["example.com"],
};
const CASELESS_SUBDOMAIN: Shape = Shape {
    matches: |text| (DNS1123_SUBDOMAIN.matches)(&lower_ascii(text)),
    message: "an RFC 1123 subdomain must consist of alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character",
    regex: DNS1123_SUBDOMAIN.regex,
    examples: &["Example.com"],
};
const UNDERSCORE_SUBDOMAIN: Shape = Shape {
    matches: |text| {
        text.split(|c| *c == b'.').all(|label| {
            let label = label.strip_prefix(b"_").unwrap_or(label);
            edges_and_middle(label, lower_or_digit, |c| lower_or_digit(c) || c == b'-' || c == b'_')
        })
    },
    message: "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', and must start and end with an alphanumeric character",
    regex: r"_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?(\._?[a-z0-9]([-_a-z0-9]*[a-z0-9])?)*",
    examples: &["example.com"],
};
const DNS1035_LABEL: Shape = Shape {
    matches: |text| {
        text.first().is_some_and(u8::is_ascii_lowercase) && (DNS1123_LABEL.matches)(text)
    },
    message: "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character",
    regex: "[a-z]([-a-z0-9]*[a-z0-9])?",
    examples: &["my-name", "abc-123"],
};
const WILDCARD_SUBDOMAIN: Shape = Shape {
    matches: |text| text.strip_prefix(b"*.").is_some_and(DNS1123_SUBDOMAIN.matches),
    message: "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character",
    regex: r"\*\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*",
    examples: &["*.example.com"],
};
const LABEL_NAME: Shape = Shape {
    matches: |text| edges_and_middle(text, |c| c.is_ascii_alphanumeric(), label_character),
    message: "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
    regex: "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]",
    examples: &["MyName", "my.name", "123-abc"],
};
const LABEL_VALUE: Shape = Shape {
    matches: |text| text.is_empty() || (LABEL_NAME.matches)(text),
    message: "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
    regex: "(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?",
    examples: &["MyValue", "my_value", "12345"],
};
const C_IDENTIFIER: Shape = Shape {
    matches: |text| {
        !text.first().is_none_or(u8::is_ascii_digit)
            && text.iter().all(|c| c.is_ascii_alphanumeric() || *c == b'_')
    },
    message: "a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric characters or '_'",
    regex: "[A-Za-z_][A-Za-z0-9_]*",
    examples: &["my_name", "MY_NAME", "MyName"],
};
const PERCENT: Shape = Shape {
    matches: |text| {
        let digits = text.strip_suffix(b"%");
        digits.is_some_and(|digits| !digits.is_empty() && digits.iter().all(u8::is_ascii_digit))
    },
    message: "a valid percent string must be a numeric string followed by an ending '%'",
    regex: "[0-9]+%",
    examples: &["1%", "93%"],
};
const HTTP_HEADER_NAME: Shape = Shape {
    matches: |text| {
        !text.is_empty() && text.iter().all(|c| c.is_ascii_alphanumeric() || *c == b'-')
    },
    message: "a valid HTTP header must consist of alphanumeric characters or '-'",
    regex: "[-A-Za-z0-9]+",
    examples: &["X-Header-Name"],
};
const ENV_VAR_NAME: Shape = Shape {
    matches: |text| {
        !text.first().is_none_or(u8::is_ascii_digit) && text.iter().all(|c| label_character(*c))
    },
    message: "a valid environment variable name must consist of alphabetic characters, digits, '_', '-', or '.', and must not start with a digit",
    regex: "[-._a-zA-Z][-._a-zA-Z0-9]*",
    examples: &["my.env-name", "MY_ENV.NAME", "MyEnvName1"],
};
const CONFIG_MAP_KEY: Shape = Shape {
    matches: |text| !text.is_empty() && text.iter().all(|c| label_character(*c)),
    message: "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
    regex: "[-._a-zA-Z0-9]+",
    examples: &["key.name", "KEY_NAME", "key-name"],
};
const HTTP_PATH: Shape = Shape {
    matches: |text| {
        let allowed = |c: &u8| c.is_ascii_alphanumeric() || b"/-._~%!$&'()*+,;=:".contains(c);
        !text.is_empty() && text.iter().all(allowed)
    },
    message: "Invalid path",
    regex: r"[A-Za-z0-9/\-._~%!$&'()*+,;=:]+",
    examples: &[],
};

/// As Go's case folding of ASCII letters sees a text: the Kelvin sign is a k, the long s an s.
fn lower_ascii(text: &[u8]) -> Vec<u8> {
    let folded = String::from_utf8_lossy(text).replace('\u{212a}', "k").replace('\u{17f}', "s");
    folded.to_ascii_lowercase().into_bytes()
}

fn lower_or_digit(c: u8) -> bool {
    c.is_ascii_lowercase() || c.is_ascii_digit()
}

fn label_character(c: u8) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_' | b'.')
}

fn edges_and_middle(text: &[u8], edge: fn(u8) -> bool, middle: fn(u8) -> bool) -> bool {
    match text {
        [] => false,
        [only] => edge(*only),
        [first, inner @ .., last] => {
            edge(*first) && edge(*last) && inner.iter().all(|c| middle(*c))
        }
    }
}

fn characters(text: &str, most: usize, problems: &mut Vec<String>) {
    if text.len() > most {
        problems.push(format!("must be no more than {most} characters"));
    }
}

/// Whether this is a label key (a qualified name): a name, with a DNS subdomain and a slash before it if wanted.
/// Go: `IsQualifiedName`, `IsLabelKey`.
pub fn label_key(text: &str) -> Vec<String> {
    let mut problems = Vec::new();
    let name = match text.split_once('/') {
        None => text,
        Some((_, name)) if name.contains('/') => {
            let shape = LABEL_NAME.description();
            problems.push(format!(
                "a valid label key {shape} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
            ));
            return problems;
        }
        Some(("", name)) => {
            problems.push("prefix part must be non-empty".to_owned());
            name
        }
        Some((prefix, name)) => {
            if prefix.len() > SUBDOMAIN_MAX {
                problems.push(format!("prefix part must be no more than {SUBDOMAIN_MAX} bytes"));
            }
            DNS1123_SUBDOMAIN.check(prefix, "prefix part ", &mut problems);
            name
        }
    };
    if name.is_empty() {
        problems.push("name part must be non-empty".to_owned());
    } else if name.len() > LABEL_MAX {
        problems.push(format!("name part must be no more than {LABEL_MAX} bytes"));
    }
    LABEL_NAME.check(name, "name part ", &mut problems);
    problems
}

/// Whether this is a label key with a prefix. Go: `IsPrefixedLabelKey`.
pub fn prefixed_label_key(text: &str) -> Vec<String> {
    let mut problems = label_key(text);
    if problems.is_empty() && !text.contains('/') {
        problems.push("must include a prefix (e.g. 'example.com/key')".to_owned());
    }
    problems
}

/// Whether this is a label value: at most 63 bytes. Go: `IsValidLabelValue`.
pub fn label_value(text: &str) -> Vec<String> {
    let mut problems = Vec::new();
    if text.len() > LABEL_MAX {
        problems.push(format!("must be no more than {LABEL_MAX} bytes"));
    }
    LABEL_VALUE.check(text, "", &mut problems);
    problems
}

/// Whether this is a DNS label, the form of names of namespaces. Go: `IsDNS1123Label`.
pub fn dns1123_label(text: &str) -> Vec<String> {
    let mut problems = Vec::new();
    characters(text, LABEL_MAX, &mut problems);
    if !(DNS1123_LABEL.matches)(text.as_bytes()) && (DNS1123_SUBDOMAIN.matches)(text.as_bytes()) {
        problems.push("must not contain dots".to_owned());
    } else {
        DNS1123_LABEL.check(text, "", &mut problems);
    }
    problems
}

/// Whether this is a DNS subdomain, the form of most names. Go: `IsDNS1123Subdomain`.
pub fn dns1123_subdomain(text: &str) -> Vec<String> {
    limited(text, SUBDOMAIN_MAX, &DNS1123_SUBDOMAIN)
}

/// Whether this is a DNS subdomain that may have underscores. Go: `IsDNS1123SubdomainWithUnderscore`.
pub fn dns1123_subdomain_with_underscore(text: &str) -> Vec<String> {
    limited(text, SUBDOMAIN_MAX, &UNDERSCORE_SUBDOMAIN)
}

/// Whether this is a DNS subdomain in letters of either case. Not for new fields.
/// Go: `IsDNS1123SubdomainCaseless`.
pub fn dns1123_subdomain_caseless(text: &str) -> Vec<String> {
    let mut problems = Vec::new();
    if text.len() > SUBDOMAIN_MAX {
        problems.push(format!("must be no more than {SUBDOMAIN_MAX} bytes"));
    }
    CASELESS_SUBDOMAIN.check(text, "", &mut problems);
    problems
}

/// Whether this is an integer as people write it: no plus sign, no zero in front, no `-0`.
/// Go: `IsDecimalInteger`.
pub fn decimal_integer(text: &str) -> Vec<String> {
    let digits = text.strip_prefix('-').unwrap_or(text).as_bytes();
    let valid = match digits {
        [b'0'] => digits.len() == text.len(),
        [b'1'..=b'9', rest @ ..] => rest.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    match (text.is_empty(), valid) {
        (true, _) => vec!["must be non-empty".to_owned()],
        (false, true) => Vec::new(),
        (false, false) => vec!["must be a valid decimal integer in canonical form".to_owned()],
    }
}

/// Whether this is a DNS label that begins with a letter, the form of names of services. Go: `IsDNS1035Label`.
pub fn dns1035_label(text: &str) -> Vec<String> {
    limited(text, LABEL_MAX, &DNS1035_LABEL)
}

/// Whether this is `*.` and a DNS subdomain. Go: `IsWildcardDNS1123Subdomain`.
pub fn wildcard_dns1123_subdomain(text: &str) -> Vec<String> {
    limited(text, SUBDOMAIN_MAX, &WILDCARD_SUBDOMAIN)
}

/// Whether this is an identifier in C. Go: `IsCIdentifier`.
pub fn c_identifier(text: &str) -> Vec<String> {
    limited(text, usize::MAX, &C_IDENTIFIER)
}

/// Whether this is digits followed by a percent sign. Go: `IsValidPercent`.
pub fn percent(text: &str) -> Vec<String> {
    limited(text, usize::MAX, &PERCENT)
}

/// Whether this is the name of an HTTP header. Go: `IsHTTPHeaderName`.
pub fn http_header_name(text: &str) -> Vec<String> {
    limited(text, usize::MAX, &HTTP_HEADER_NAME)
}

/// Whether this is the name of an environment variable, in the strict sense. Go: `IsEnvVarName`.
pub fn env_var_name(text: &str) -> Vec<String> {
    let mut problems = limited(text, usize::MAX, &ENV_VAR_NAME);
    parent_directory(text, &mut problems);
    problems
}

/// Whether this is the name of an environment variable, in the sense of Kubernetes since 1.32.
/// Go: `IsRelaxedEnvVarName`.
pub fn relaxed_env_var_name(text: &str) -> Vec<String> {
    let mut problems = Vec::new();
    if text.is_empty() {
        problems.push("environment variable name must be non-empty".to_owned());
    }
    if !text.bytes().all(|c| (b' '..=b'~').contains(&c) && c != b'=') {
        let message = "a valid environment variable name must consist only of printable ASCII characters other than '='";
        problems.push(message.to_owned());
    }
    problems
}

/// Whether this is a key of a ConfigMap or Secret. Go: `IsConfigMapKey`.
pub fn config_map_key(text: &str) -> Vec<String> {
    let mut problems = limited(text, SUBDOMAIN_MAX, &CONFIG_MAP_KEY);
    parent_directory(text, &mut problems);
    problems
}

/// Whether this is the name of a port: at most 15 lower-case letters, digits and single hyphens, with a letter.
/// Go: `IsValidPortName`.
pub fn port_name(text: &str) -> Vec<String> {
    let mut problems = Vec::new();
    characters(text, 15, &mut problems);
    let bytes = text.as_bytes();
    let mut check = |valid: bool, message: &str| {
        if !valid {
            problems.push(message.to_owned());
        }
    };
    let allowed = !bytes.is_empty() && bytes.iter().all(|c| lower_or_digit(*c) || *c == b'-');
    check(allowed, "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)");
    check(bytes.iter().any(u8::is_ascii_lowercase), "must contain at least one letter (a-z)");
    check(!text.contains("--"), "must not contain consecutive hyphens");
    check(!text.starts_with('-') && !text.ends_with('-'), "must not begin or end with a hyphen");
    problems
}

/// Whether this is the number of a port. Go: `IsValidPortNum`.
pub fn port_number(port: i64) -> Vec<String> {
    in_range(port, 1, 65535)
}

/// Whether this is the number of a Unix group. Go: `IsValidGroupID`.
pub fn group_id(id: i64) -> Vec<String> {
    in_range(id, 0, i32::MAX.into())
}

/// Whether this is the number of a Unix user. Go: `IsValidUserID`.
pub fn user_id(id: i64) -> Vec<String> {
    in_range(id, 0, i32::MAX.into())
}

/// Whether this number is within bounds, both included. Go: `IsInRange`.
pub fn in_range(value: i64, least: i64, most: i64) -> Vec<String> {
    if (least..=most).contains(&value) {
        return Vec::new();
    }
    vec![format!("must be between {least} and {most}, inclusive")]
}

/// Whether this can be a segment of a URL path. Go: `IsPathSegmentName`.
pub fn path_segment_name(text: &str) -> Vec<String> {
    if matches!(text, "." | "..") {
        return vec![format!("may not be '{text}'")];
    }
    path_segment_prefix(text)
}

/// Whether this can be the beginning of a segment of a URL path. Go: `IsPathSegmentPrefix`.
pub fn path_segment_prefix(text: &str) -> Vec<String> {
    let found = ["/", "%"].into_iter().filter(|part| text.contains(part));
    found.map(|part| format!("may not contain '{part}'")).collect()
}

/// A name to which something will be appended (`generateName`), as it is to be validated: without the hyphen at
/// its end. Go: `maskTrailingDash` of `pkg/api/validation`, with its oddity of replacing two characters by one.
pub fn mask_trailing_dash(name: &str) -> std::borrow::Cow<'_, str> {
    if name.len() > 1 && name.ends_with('-') {
        // Two bytes go, as in Go. Where that cuts a character in two, its first bytes stay there; here something
        // stands for them that is no more valid.
        let most = name.len() - 2;
        let kept = &name[..name.floor_char_boundary(most)];
        return format!("{kept}{}a", "!".repeat(most - kept.len())).into();
    }
    name.into()
}

/// Whether this is a DNS subdomain of at least three labels. Go: `IsFullyQualifiedName`.
pub fn fully_qualified_name(path: &FieldPath, name: &str) -> FieldErrors {
    let problem = if name.is_empty() {
        FieldError::required(path, "")
    } else if let problems @ [_, ..] = &*dns1123_subdomain(name) {
        FieldError::invalid(path, name, problems.join(","))
    } else if name.split('.').count() < 3 {
        FieldError::invalid(
            path,
            name,
            "should be a domain with at least three segments separated by dots",
        )
    } else {
        return FieldErrors::default();
    };
    [problem].into_iter().collect()
}

/// Whether this is a DNS subdomain of at least two labels; a dot at the end is fine.
/// Go: `IsFullyQualifiedDomainName`.
pub fn fully_qualified_domain_name(path: &FieldPath, name: &str) -> FieldErrors {
    let domain = name.strip_suffix('.').unwrap_or(name);
    let problem = if name.is_empty() {
        Some(FieldError::required(path, ""))
    } else if let problems @ [_, ..] = &*dns1123_subdomain(domain) {
        Some(FieldError::invalid(path, domain, problems.join(",")))
    } else if !domain.contains('.') {
        let detail = "should be a domain with at least two segments separated by dots";
        Some(FieldError::invalid(path, domain, detail))
    } else {
        let invalid = |label: &str| match &*dns1123_label(label) {
            [] => None,
            problems => Some(FieldError::invalid(path, label, problems.join(","))),
        };
        domain.split('.').find_map(invalid)
    };
    problem.into_iter().collect()
}

/// Whether this is a DNS subdomain, a slash and a path, such as `acme.io/foo`. Go: `IsDomainPrefixedPath`.
pub fn domain_prefixed_path(path: &FieldPath, text: &str) -> FieldErrors {
    if text.is_empty() {
        return [FieldError::required(path, "")].into_iter().collect();
    }
    let (host, rest) = match text.split_once('/') {
        Some((host, rest)) if !host.is_empty() && !rest.is_empty() => (host, rest),
        _ => {
            let detail = r#"must be a domain-prefixed path (such as "acme.io/foo")"#;
            return [FieldError::invalid(path, text, detail)].into_iter().collect();
        }
    };
    let of_host =
        dns1123_subdomain(host).into_iter().map(|problem| FieldError::invalid(path, host, problem));
    let of_rest = limited(rest, usize::MAX, &HTTP_PATH).into_iter();
    of_host.chain(of_rest.map(|problem| FieldError::invalid(path, rest, problem))).collect()
}

/// Whether this is a label key with a prefix, such as `acme.io/foo`. Go: `IsDomainPrefixedKey`.
pub fn domain_prefixed_key(path: &FieldPath, key: &str) -> FieldErrors {
    if key.is_empty() {
        return FieldError::required(path, "").into();
    }
    let mut problems = label_key(key);
    if problems.is_empty() && !key.contains('/') {
        problems.push(r#"must be a domain-prefixed key (such as "acme.io/foo")"#.to_owned());
    }
    problems.into_iter().map(|problem| FieldError::invalid(path, key, problem)).collect()
}

/// How the names of a kind of object are checked: the name, and whether something is to be appended to it.
/// Go: `ValidateNameFunc`.
pub type NameRule = fn(&str, bool) -> Vec<String>;

/// The rule of most kinds: a DNS subdomain. Go: `NameIsDNSSubdomain`.
pub fn name_is_dns_subdomain(name: &str, prefix: bool) -> Vec<String> {
    if prefix { dns1123_subdomain(&mask_trailing_dash(name)) } else { dns1123_subdomain(name) }
}

/// The rule of namespaces and others: a DNS label. Go: `NameIsDNSLabel`.
pub fn name_is_dns_label(name: &str, prefix: bool) -> Vec<String> {
    if prefix { dns1123_label(&mask_trailing_dash(name)) } else { dns1123_label(name) }
}

/// The rule of services: a DNS label that begins with a letter. Go: `NameIsDNS1035Label`.
pub fn name_is_dns1035_label(name: &str, prefix: bool) -> Vec<String> {
    if prefix { dns1035_label(&mask_trailing_dash(name)) } else { dns1035_label(name) }
}

/// The rule of roles and others: what can stand between slashes. Go: `path.ValidatePathSegmentName`.
pub fn name_is_path_segment(name: &str, prefix: bool) -> Vec<String> {
    if prefix { path_segment_prefix(name) } else { path_segment_name(name) }
}

/// Validates a label key. Go: `ValidateLabelName`.
pub fn validate_label_name(path: &FieldPath, key: &str) -> FieldErrors {
    let problems = label_key(key).into_iter();
    let invalid = |problem| FieldError::invalid(path, key, problem);
    problems.map(|problem| invalid(problem).with_origin("format=k8s-label-key")).collect()
}

/// Validates the labels of an object. Go: `ValidateLabels`.
pub fn validate_labels<'a>(
    path: &FieldPath,
    labels: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> FieldErrors {
    let mut errors = FieldErrors::default();
    for (key, value) in labels {
        errors.extend(validate_label_name(path, key));
        let problems = label_value(value).into_iter();
        let invalid = |problem| FieldError::invalid(path, value, problem);
        errors
            .extend(problems.map(|problem| invalid(problem).with_origin("format=k8s-label-value")));
    }
    errors
}

/// Validates the annotations of an object: keys as label keys in any case, and 256 KiB in all.
/// Go: `ValidateAnnotations`.
pub fn validate_annotations<'a>(
    path: &FieldPath,
    annotations: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> FieldErrors {
    let mut errors = FieldErrors::default();
    let mut size = 0;
    for (key, value) in annotations {
        size += key.len() + value.len();
        let problems = label_key(&go_lowercase(key)).into_iter();
        let invalid = |problem| FieldError::invalid(path, key, problem);
        errors.extend(problems.map(|problem| invalid(problem).with_origin("format=k8s-label-key")));
    }
    if size > ANNOTATIONS_MAX {
        errors.push(FieldError::too_long(path, ANNOTATIONS_MAX));
    }
    errors
}

/// Go lowers each character on its own, so that an I with a dot becomes a plain i.
fn go_lowercase(text: &str) -> std::borrow::Cow<'_, str> {
    if text.bytes().all(|c| c.is_ascii() && !c.is_ascii_uppercase()) {
        return text.into();
    }
    text.replace('\u{130}', "i").to_lowercase().into()
}

fn limited(text: &str, most: usize, shape: &Shape) -> Vec<String> {
    let mut problems = Vec::new();
    characters(text, most, &mut problems);
    shape.check(text, "", &mut problems);
    problems
}

fn parent_directory(text: &str, problems: &mut Vec<String>) {
    match text {
        "." | ".." => problems.push(format!("must not be '{text}'")),
        _ if text.starts_with("..") => problems.push("must not start with '..'".to_owned()),
        _ => {}
    }
}
