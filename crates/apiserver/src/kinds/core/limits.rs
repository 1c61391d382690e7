//! Validation of LimitRanges.
//!
//! Go counterpart: `ValidateLimitRange` in `k8s.io/kubernetes/pkg/apis/core/validation`.

use std::collections::{BTreeMap, BTreeSet};

use pintle_apimachinery::Quantity;
use pintle_apimachinery::validation::{BadValue, FieldError, FieldErrors, label_key};

use super::super::check::Node;
use super::super::tree::Fields;
use super::resources::{container_name, may_overcommit, resource_name};

/// Above this, amounts are compared without their fractions.
const MOST_MILLI: i64 = i64::MAX / 1000;

/// The rules of a LimitRange.
pub(crate) fn limit_range(new: &Fields, _: Option<&Fields>) -> FieldErrors {
    let mut e = FieldErrors::default();
    let mut seen = BTreeSet::new();
    for limit in Node::of(new, "spec").get("limits").items() {
        let kind = limit.get("type");
        type_name(&kind, &mut e);
        if !seen.insert(kind.text()) {
            e.push(FieldError::duplicate(kind.path(), BadValue::named(kind.text())));
        }
        item(&limit, kind.text(), &mut e);
    }
    e
}

fn type_name(kind: &Node<'_>, e: &mut FieldErrors) {
    let problems = label_key(kind.text());
    let shown = BadValue::named(kind.text());
    if !problems.is_empty() {
        e.extend(problems.into_iter().map(|p| FieldError::invalid(kind.path(), shown.clone(), p)));
    } else if !kind.text().contains('/')
        && !["Pod", "Container", "PersistentVolumeClaim"].contains(&kind.text())
    {
        let detail = "must be a standard limit type or fully qualified";
        e.push(FieldError::invalid(kind.path(), shown, detail));
    }
}

fn item(limit: &Node<'_>, kind: &str, e: &mut FieldErrors) {
    const POD: &str = "may not be specified when `type` is 'Pod'";
    let mut keys = BTreeSet::new();
    let mut amounts: BTreeMap<&str, BTreeMap<&str, Quantity>> = BTreeMap::new();
    let mut list = |field: &'static str, e: &mut FieldErrors| {
        for (name, value) in limit.get(field).entries() {
            if matches!(kind, "Pod" | "Container") {
                container_name(&value, name, e);
            } else {
                resource_name(&value, name, e);
            }
            keys.insert(name);
            amounts.entry(field).or_default().insert(name, value.quantity());
        }
    };
    list("max", e);
    list("min", e);
    for field in ["default", "defaultRequest"] {
        if kind != "Pod" {
            list(field, e);
        } else if !limit.get(field).is_empty() {
            e.push(limit.get(field).forbidden(POD));
        }
    }
    if kind == "PersistentVolumeClaim"
        && ["min", "max"].iter().all(|field| !limit.get(field).get("storage").is_set())
    {
        let detail =
            "either minimum or maximum storage value is required, but neither was provided";
        e.push(limit.get("limits").required(detail));
    }
    list("maxLimitRequestRatio", e);
    for key in keys {
        let of = |field: &str| amounts.get(field).and_then(|list| list.get(key));
        amounts_agree(limit, key, of, e);
    }
}

fn amounts_agree<'a>(
    limit: &Node<'_>,
    key: &str,
    of: impl Fn(&str) -> Option<&'a Quantity>,
    e: &mut FieldErrors,
) {
    let mut wrong = |field: &str, shown: &Quantity, detail: String| {
        let path = limit.path().child(field).key(key);
        e.push(FieldError::invalid(path, shown.as_str(), detail));
    };
    // Which must not be greater than which, in whose field this is told, and which is shown.
    let rules = [
        ("min", "max", "min", 0, "min value {} is greater than max value {}"),
        (
            "min",
            "defaultRequest",
            "defaultRequest",
            1,
            "min value {} is greater than default request value {}",
        ),
        (
            "defaultRequest",
            "max",
            "defaultRequest",
            0,
            "default request value {} is greater than max value {}",
        ),
        (
            "defaultRequest",
            "default",
            "defaultRequest",
            0,
            "default request value {} is greater than default limit value {}",
        ),
        ("min", "default", "default", 0, "min value {} is greater than default value {}"),
        ("default", "max", "default", 1, "default value {} is greater than max value {}"),
    ];
    for (less, more, field, shown, text) in rules {
        if let (Some(less), Some(more)) = (of(less), of(more))
            && less > more
        {
            let detail = text.replacen("{}", less.as_str(), 1).replacen("{}", more.as_str(), 1);
            wrong(field, if shown == 0 { less } else { more }, detail);
        }
    }
    const RATIO: &str = "maxLimitRequestRatio";
    if let Some(ratio) = of(RATIO) {
        if *ratio < Quantity::from(1) {
            wrong(RATIO, ratio, format!("ratio {} is less than 1", ratio.as_str()));
        }
        if let (Some(min), Some(max)) = (of("min"), of("max")) {
            let small = [ratio, min, max].iter().all(|amount| amount.value() < MOST_MILLI);
            let (value, least, most) = if small {
                (ratio.milli_value() as f64 / 1000.0, min.milli_value(), max.milli_value())
            } else {
                (ratio.value() as f64, min.value(), max.value())
            };
            let bound = most as f64 / least as f64;
            if value > bound {
                let shown = match bound {
                    f64::NEG_INFINITY => "-Inf".to_owned(),
                    bound => format!("{bound:.6}"),
                };
                let detail = format!("ratio {} is greater than max/min = {shown}", ratio.as_str());
                wrong(RATIO, ratio, detail);
            }
        }
    }
    if let (Some(default), Some(request)) = (of("default"), of("defaultRequest"))
        && !may_overcommit(key)
        && default != request
    {
        let detail = format!(
            "default value {} must equal to defaultRequest value {} in {key}",
            default.as_str(),
            request.as_str()
        );
        wrong("defaultRequest", request, detail);
    }
}
