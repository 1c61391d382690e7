//! Options in the query, checked as Kubernetes checks them.
//!
//! Go counterpart: the validation of `metav1` and `metainternalversion` options.

use pintle_apimachinery::validation::{BadValue, FieldError, FieldPath, validate_field_manager};

use crate::request::Query;
use crate::status::{ApiError, ApiResult, quote};
use crate::storage::Revision;

const GROUP: &str = "meta.k8s.io";

/// Reads a resource version; empty is `None`.
///
/// # Errors
/// Go's text of what is wrong.
pub(crate) fn resource_version(text: &str) -> Result<Option<Revision>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|_| {
        format!("resourceVersion: Invalid value: {}: {}", quote(text), parse_uint(text))
    })
}

/// Go's text for a number that is none.
pub(crate) fn parse_uint(text: &str) -> String {
    format!("strconv.ParseUint: parsing {}: invalid syntax", quote(text))
}

/// What options of writes say.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct WriteOptions {
    pub(crate) dry_run: bool,
    pub(crate) validation: FieldValidation,
}

/// What happens to fields that are not known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum FieldValidation {
    Ignore,
    #[default]
    Warn,
    Strict,
}

/// Reads `dryRun`, `fieldManager` and `fieldValidation`; `kind` is `CreateOptions` and so on.
pub(crate) fn write_options(query: &Query, kind: &str) -> ApiResult<WriteOptions> {
    let mut errors = Vec::new();
    let dry_run = dry_run(&query.all("dryRun"), &mut errors);
    let manager = query.get("fieldManager");
    errors.extend(validate_field_manager(&FieldPath::new("fieldManager"), manager));
    let validation = match query.get("fieldValidation") {
        "" | "Warn" => FieldValidation::Warn,
        "Ignore" => FieldValidation::Ignore,
        "Strict" => FieldValidation::Strict,
        other => {
            errors.push(FieldError::not_supported(
                "fieldValidation",
                other,
                &["", "Ignore", "Strict", "Warn"],
            ));
            FieldValidation::Warn
        }
    };
    if kind == "PatchOptions" && query.find("force").is_some() {
        errors.push(FieldError::forbidden("force", "may not be specified for non-apply patch"));
    }
    finish(kind, &errors)?;
    Ok(WriteOptions { dry_run, validation })
}

pub(crate) fn dry_run(values: &[&str], errors: &mut Vec<FieldError>) -> bool {
    if values.iter().any(|value| *value != "All") {
        errors.push(FieldError::not_supported("dryRun", BadValue::list(values), &["All"]));
    }
    !values.is_empty()
}

pub(crate) fn finish(kind: &str, errors: &[FieldError]) -> ApiResult<()> {
    if errors.is_empty() { Ok(()) } else { Err(ApiError::invalid(GROUP, kind, "", errors)) }
}

/// How a list's resource version is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Match {
    Unset,
    Exact,
    NotOlderThan,
}

/// What options of lists and watches say.
#[derive(Clone, Debug)]
pub(crate) struct ListOptions {
    pub(crate) version: String,
    pub(crate) matching: Match,
    pub(crate) limit: usize,
    pub(crate) continue_token: String,
    pub(crate) bookmarks: bool,
    pub(crate) send_initial_events: Option<bool>,
    pub(crate) timeout_seconds: u64,
}

pub(crate) fn list_options(query: &Query, watch: bool) -> ApiResult<ListOptions> {
    let version = query.get("resourceVersion");
    let matching = query.get("resourceVersionMatch");
    let continue_token = query.get("continue");
    let send_initial_events = query.flag("sendInitialEvents");
    let mut errors = Vec::new();
    let not_older = "NotOlderThan";
    let field = "resourceVersionMatch";
    let mut forbid = |field: &str, why: &str| errors.push(FieldError::forbidden(field, why));
    if watch {
        if send_initial_events.is_some() && matching != not_older {
            forbid(
                field,
                "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan",
            );
        }
        if !matching.is_empty() && send_initial_events.is_none() {
            forbid(
                field,
                "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided",
            );
        }
        // A watch without a version is taken for one with initial events.
        let implied = send_initial_events.is_none() && matches!(version, "" | "0");
        if (!matching.is_empty() || implied) && !continue_token.is_empty() {
            forbid(field, "resourceVersionMatch is forbidden when continue is provided");
        }
        if !matching.is_empty() && matching != not_older {
            errors.push(FieldError::not_supported(field, BadValue::named(matching), &[not_older]));
        }
    } else {
        if !matching.is_empty() && version.is_empty() {
            forbid(field, "resourceVersionMatch is forbidden unless resourceVersion is provided");
        }
        if !matching.is_empty() && !continue_token.is_empty() {
            forbid(field, "resourceVersionMatch is forbidden when continue is provided");
        }
        if matching == "Exact" && version == "0" {
            forbid(field, "resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"");
        }
        if !matches!(matching, "" | "Exact" | "NotOlderThan") {
            errors.push(FieldError::not_supported(
                field,
                BadValue::named(matching),
                &["Exact", not_older, ""],
            ));
        }
        if send_initial_events.is_some() {
            let why = "sendInitialEvents is forbidden for list";
            errors.push(FieldError::forbidden("sendInitialEvents", why));
        }
    }
    let limit = query.integer("limit")?;
    let timeout = query.integer("timeoutSeconds")?;
    finish("ListOptions", &errors)?;
    Ok(ListOptions {
        version: version.to_owned(),
        matching: match matching {
            "Exact" => Match::Exact,
            "NotOlderThan" => Match::NotOlderThan,
            _ => Match::Unset,
        },
        limit: usize::try_from(limit).unwrap_or(0),
        continue_token: continue_token.to_owned(),
        bookmarks: query.flag("allowWatchBookmarks") == Some(true),
        send_initial_events,
        timeout_seconds: u64::try_from(timeout).unwrap_or(0),
    })
}
