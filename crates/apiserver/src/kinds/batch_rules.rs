//! Validation of the kinds of `batch`.
//!
//! Go counterpart: `k8s.io/kubernetes/pkg/apis/batch/validation`.

use std::collections::BTreeSet;

use pintle_apimachinery::validation::{
    BadValue, FieldError, FieldErrors, FieldPath, dns1123_label, domain_prefixed_path, label_key,
};
use serde_json::Value;

use super::apps_rules::matches;
use super::check::{Node, same, struct_shown};
use super::core::pod::template;
use super::cron;
use super::tree::Fields;

/// What a Job's Pods are labelled with, in old names and in new ones: the Job's UID and its name.
pub(super) const UID_LABELS: [&str; 2] = ["controller-uid", "batch.kubernetes.io/controller-uid"];
pub(super) const NAME_LABELS: [&str; 2] = ["job-name", "batch.kubernetes.io/job-name"];

/// The rules of a Job.
pub(super) fn job(new: &Fields, old: Option<&Fields>) -> FieldErrors {
    let mut e = FieldErrors::default();
    let (meta, spec) = (Node::of(new, "metadata"), Node::of(new, "spec"));
    if old.is_none() {
        generated_selector(&meta, &spec, &mut e);
    }
    job_spec(&spec, &mut e);
    let selector = spec.get("selector");
    if selector.is_set() {
        selector.selector(&mut e);
    } else {
        e.push(selector.required(""));
    }
    let labels = spec.get("template").get("metadata").get("labels");
    if matches(&selector, &labels) == Some(false) {
        let bad = if labels.is_set() { labels.bad() } else { BadValue::NULL };
        let detail = "`selector` does not match template `labels`";
        e.push(FieldError::invalid(labels.path(), bad, detail));
    }
    match old {
        None => {
            let completions = spec.get("completions").int();
            let name = meta.get("name");
            if spec.get("completionMode").text() == "Indexed" && completions > 0 {
                let host = format!("{}-{}", name.text(), completions - 1);
                if !dns1123_label(&host).is_empty() {
                    e.push(name.invalid(format!(
                        "will not able to create pod with invalid DNS label: {host}"
                    )));
                }
            }
        }
        Some(old) => job_update(&spec, &Node::of(old, "spec"), &mut e),
    }
    e
}

fn generated_selector(meta: &Node<'_>, spec: &Node<'_>, e: &mut FieldErrors) {
    if spec.get("manualSelector").flag() || !spec.get("selector").is_set() {
        return;
    }
    let labels = spec.get("template").get("metadata").get("labels");
    let (uid, name) = (meta.get("uid").text(), meta.get("name").text());
    // As Go shows it: at the metadata of the template, under the name of the labels.
    let mut has = |label: &str, value: &str| {
        let own = labels.get(label);
        if !own.is_set() {
            let path = labels.path().key(label);
            e.push(FieldError::required(path, format!("must be '{value}'")));
        } else if own.text() != value {
            let path = labels.path().key(label);
            let map = labels.bad();
            e.push(FieldError::invalid(path, map, format!("must be '{value}'")));
        }
    };
    for at in 0..2 {
        has(UID_LABELS[at], uid);
        has(NAME_LABELS[at], name);
    }
    let expected = serde_json::json!({
        UID_LABELS[0]: uid, UID_LABELS[1]: uid, NAME_LABELS[0]: name, NAME_LABELS[1]: name,
    });
    let selector = spec.get("selector");
    if matches(&selector, &Node::new(&expected, FieldPath::nil())) == Some(false) {
        e.push(selector.invalid("`selector` not auto-generated"));
    }
}

/// What a Job and a template of Jobs share.
fn job_spec(spec: &Node<'_>, e: &mut FieldErrors) {
    const INDEXED: &str = "requires indexed completion mode";
    let per_index = spec.get("backoffLimitPerIndex");
    let failed = spec.get("maxFailedIndexes");
    for key in [
        "parallelism",
        "completions",
        "activeDeadlineSeconds",
        "backoffLimit",
        "ttlSecondsAfterFinished",
        "backoffLimitPerIndex",
        "maxFailedIndexes",
    ] {
        if spec.get(key).is_set() {
            spec.get(key).nonnegative(e);
        }
    }
    if failed.is_set() && !per_index.is_set() {
        e.push(per_index.required("when maxFailedIndexes is specified"));
    }
    let manager = spec.get("managedBy");
    if manager.is_set() {
        e.extend(domain_prefixed_path(manager.path(), manager.text()));
        if manager.len() > 63 {
            e.push(manager.too_long(63));
        }
    }
    let mode = spec.get("completionMode");
    if mode.is_set() {
        mode.supported(e, &["NonIndexed", "Indexed"]);
        if mode.text() == "Indexed" {
            indexed(spec, e);
        }
    }
    if !mode.is_set() || mode.text() == "NonIndexed" {
        for limit in [&per_index, &failed] {
            if limit.is_set() {
                e.push(limit.invalid(INDEXED));
            }
        }
    }
    failure_policy(spec, e);
    let success = spec.get("successPolicy");
    if success.is_set() {
        if mode.text() == "Indexed" {
            success_policy(spec, &success, e);
        } else {
            let rules = success.get("rules");
            let shown = rules.items().map(|rule| {
                let value = |name: &str| match rule.get(name) {
                    value if value.is_set() => value.bad(),
                    _ => BadValue::NULL,
                };
                let fields = [
                    ("SucceededIndexes", value("succeededIndexes")),
                    ("SucceededCount", value("succeededCount")),
                ];
                struct_shown(&fields).as_str().to_owned()
            });
            let shown = match rules.is_set() {
                true => BadValue::json(format!("[{}]", shown.collect::<Vec<_>>().join(","))),
                false => BadValue::NULL,
            };
            let shown = struct_shown(&[("Rules", shown)]);
            e.push(FieldError::invalid(success.path(), shown, INDEXED));
        }
    }
    let replacement = spec.get("podReplacementPolicy");
    if replacement.is_set() {
        if spec.get("podFailurePolicy").is_set() {
            replacement.supported(e, &["Failed"]);
        } else {
            replacement.supported(e, &["Failed", "TerminatingOrFailed"]);
        }
    }
    template(&spec.get("template"), e);
    let restart = spec.get("template").get("spec").get("restartPolicy");
    match restart.text() {
        "" | "Always" => e.push(restart.required("valid values: \"OnFailure\", \"Never\"")),
        "Never" => {}
        "OnFailure" => {
            if spec.get("podFailurePolicy").is_set() {
                let detail = "only \"Never\" is supported when podFailurePolicy is specified";
                e.push(restart.invalid(detail));
            }
        }
        _ => e.push(restart.unsupported(&["OnFailure", "Never"])),
    }
}

fn indexed(spec: &Node<'_>, e: &mut FieldErrors) {
    const MOST: i64 = 100_000;
    const HIGH: i64 = 10_000;
    let (completions, parallelism) = (spec.get("completions"), spec.get("parallelism"));
    let failed = spec.get("maxFailedIndexes");
    if !completions.is_set() {
        e.push(completions.required("when completion mode is Indexed"));
    }
    if parallelism.int() > MOST {
        let detail =
            format!("must be less than or equal to {MOST} when completion mode is Indexed");
        e.push(parallelism.invalid(detail));
    }
    if completions.is_set() && failed.is_set() && failed.int() > completions.int() {
        e.push(failed.invalid("must be less than or equal to completions"));
    }
    if failed.int() > MOST {
        e.push(failed.invalid(format!("must be less than or equal to {MOST}")));
    }
    if completions.int() > MOST && spec.get("backoffLimitPerIndex").is_set() {
        if !failed.is_set() {
            let detail = format!("must be specified when completions is above {MOST}");
            e.push(failed.required(&detail));
        }
        for limit in [&parallelism, &failed] {
            if limit.int() > HIGH {
                e.push(limit.invalid(format!(
                    "must be less than or equal to {HIGH} when completions are above {MOST} and \
                     used with backoff limit per index"
                )));
            }
        }
    }
}

fn failure_policy(spec: &Node<'_>, e: &mut FieldErrors) {
    let rules = spec.get("podFailurePolicy").get("rules");
    if rules.len() > 20 {
        e.push(FieldError::too_many(rules.path(), rules.len(), 20));
    }
    let pod = spec.get("template").get("spec");
    let names: BTreeSet<&str> = ["containers", "initContainers"]
        .iter()
        .flat_map(|key| pod.get(key).items().collect::<Vec<_>>())
        .map(|container| container.get("name").text())
        .collect();
    for rule in rules.items() {
        let action = rule.get("action");
        match action.text() {
            "" => e.push(
                action.required("valid values: [\"Count\" \"FailIndex\" \"FailJob\" \"Ignore\"]"),
            ),
            "FailIndex" => {
                if !spec.get("backoffLimitPerIndex").is_set() {
                    e.push(action.invalid("requires the backoffLimitPerIndex to be set"));
                }
            }
            _ => action.supported(e, &["Count", "FailIndex", "FailJob", "Ignore"]),
        }
        let (codes, conditions) = (rule.get("onExitCodes"), rule.get("onPodConditions"));
        if codes.is_set() {
            exit_codes(&codes, &names, e);
        }
        if conditions.len() > 20 {
            e.push(FieldError::too_many(conditions.path(), conditions.len(), 20));
        }
        for pattern in conditions.items() {
            pattern.get("type").rule(e, label_key);
            let status = pattern.get("status");
            if status.is_empty() {
                e.push(status.required("valid values: [\"False\" \"True\" \"Unknown\"]"));
            } else {
                status.supported(e, &["False", "True", "Unknown"]);
            }
        }
        let omitted = |detail: &str| FieldError {
            bad_value: None,
            ..FieldError::invalid(rule.path(), "", detail)
        };
        match (codes.is_set(), !conditions.is_empty()) {
            (true, true) => {
                e.push(omitted("specifying both OnExitCodes and OnPodConditions is not supported"))
            }
            (false, false) => {
                e.push(omitted("specifying one of OnExitCodes and OnPodConditions is required"))
            }
            _ => {}
        }
    }
}

fn exit_codes(codes: &Node<'_>, names: &BTreeSet<&str>, e: &mut FieldErrors) {
    let operator = codes.get("operator");
    if operator.is_empty() {
        e.push(operator.required("valid values: [\"In\" \"NotIn\"]"));
    } else {
        operator.supported(e, &["In", "NotIn"]);
    }
    let container = codes.get("containerName");
    if container.is_set() && !names.contains(container.text()) {
        let detail = "must be one of the container or initContainer names in the pod template";
        e.push(container.invalid(detail));
    }
    let values = codes.get("values");
    if values.is_empty() {
        let shown = if values.is_set() { BadValue::json("[]") } else { BadValue::NULL };
        e.push(FieldError::invalid(values.path(), shown, "at least one value is required"));
    } else if values.len() > 255 {
        e.push(FieldError::too_many(values.path(), values.len(), 255));
    }
    let (mut ordered, mut seen) = (true, BTreeSet::new());
    let mut last: Option<i64> = None;
    for value in values.items() {
        let code = value.int();
        if operator.text() == "In" && code == 0 {
            e.push(value.invalid_int("must not be 0 for the In operator"));
        }
        if !seen.insert(code) {
            e.push(FieldError::duplicate(value.path(), code));
        }
        ordered &= last.is_none_or(|last| last <= code);
        last = Some(code);
    }
    if !ordered {
        e.push(values.invalid("must be ordered"));
    }
}

fn success_policy(spec: &Node<'_>, policy: &Node<'_>, e: &mut FieldErrors) {
    let rules = policy.get("rules");
    if rules.is_empty() {
        e.push(
            rules.required(
                "at least one rules must be specified when the successPolicy is specified",
            ),
        );
    }
    if rules.len() > 20 {
        e.push(FieldError::too_many(rules.path(), rules.len(), 20));
    }
    for rule in rules.items() {
        let (count, indexes) = (rule.get("succeededCount"), rule.get("succeededIndexes"));
        if !count.is_set() && !indexes.is_set() {
            e.push(
                rule.required(
                    "at least one of succeededCount or succeededIndexes must be specified",
                ),
            );
        }
        if count.is_set() {
            count.nonnegative(e);
            let completions = spec.get("completions").int();
            if count.int() > completions {
                e.push(count.invalid(format!(
                    "must be less than or equal to {completions} (the number of specified \
                     completions)"
                )));
            }
        }
    }
}

fn job_update(spec: &Node<'_>, old: &Node<'_>, e: &mut FieldErrors) {
    let completions = spec.get("completions");
    if spec.get("completionMode").text() != "Indexed" {
        completions.immutable(e, &old.get("completions"));
    } else if completions.is_set() && !same(completions.value(), old.get("completions").value()) {
        let parallelism = spec.get("parallelism").int();
        let tandem = "can only be modified in tandem with spec.parallelism";
        if completions.int() != parallelism {
            e.push(completions.invalid(tandem));
        }
    }
    spec.get("selector").immutable(e, &old.get("selector"));
    let (new, before) = (spec.get("template"), old.get("template"));
    if !same(new.value(), before.value()) {
        e.push(new.invalid("field is immutable"));
    }
    for key in
        ["completionMode", "podFailurePolicy", "backoffLimitPerIndex", "managedBy", "successPolicy"]
    {
        spec.get(key).immutable(e, &old.get(key));
    }
}

/// The rules of a CronJob.
pub(super) fn cron_job(new: &Fields, old: Option<&Fields>) -> FieldErrors {
    let mut e = FieldErrors::default();
    let spec = Node::of(new, "spec");
    let before = old.map(|old| Node::of(old, "spec"));
    let (schedule, zone) = (spec.get("schedule"), spec.get("timeZone"));
    if !schedule.is_empty() {
        let text = schedule.text();
        if let Err(problem) = cron::check(text) {
            e.push(schedule.invalid(problem));
        }
        let had = before.as_ref().is_some_and(|old| old.get("schedule").text().contains("TZ"));
        if text.contains("TZ") {
            if had && zone.is_set() {
                e.push(
                    schedule
                        .invalid("cannot use both timeZone field and TZ or CRON_TZ in schedule"),
                );
            } else if !had {
                e.push(
                    schedule.invalid(
                        "cannot use TZ or CRON_TZ in schedule, use timeZone field instead",
                    ),
                );
            }
        }
    }
    if spec.get("startingDeadlineSeconds").is_set() {
        spec.get("startingDeadlineSeconds").nonnegative(&mut e);
    }
    if before.as_ref().is_none_or(|old| old.peek("timeZone") != zone.value()) && zone.is_set() {
        time_zone(&zone, &mut e);
    }
    spec.get("concurrencyPolicy").one_of(&mut e, &["Allow", "Forbid", "Replace"]);
    let inner = spec.get("jobTemplate").get("spec");
    job_spec(&inner, &mut e);
    if inner.get("selector").is_set() {
        e.push(inner.get("selector").invalid("`selector` will be auto-generated"));
    }
    if inner.get("manualSelector").flag() {
        let manual = inner.get("manualSelector");
        e.push(FieldError::not_supported(manual.path(), true, &["nil", "false"]));
    }
    for key in ["successfulJobsHistoryLimit", "failedJobsHistoryLimit"] {
        if spec.get(key).is_set() {
            spec.get(key).nonnegative(&mut e);
        }
    }
    let name = Node::of(new, "metadata").get("name");
    if old.is_none() && name.len() > 52 {
        e.push(name.invalid("must be no more than 52 characters"));
    }
    // The schema says it, after all else.
    schedule.given(&mut e);
    e
}

const AREAS: &str = "Africa America Antarctica Arctic Asia Atlantic Australia Brazil Canada Chile \
    Etc Europe Indian Mexico Pacific US";
const ALONE: &str = "CET CST6CDT Cuba EET EST EST5EDT Egypt Eire Factory GB GB-Eire GMT GMT+0 \
    GMT-0 GMT0 Greenwich HST Hongkong Iceland Iran Israel Jamaica Japan Kwajalein Libya MET MST \
    MST7MDT NZ NZ-CHAT Navajo PRC PST8PDT Poland Portugal ROC ROK Singapore Turkey UCT UTC \
    Universal W-SU WET Zulu";

fn time_zone(zone: &Node<'_>, e: &mut FieldErrors) {
    let text = zone.text();
    if text.is_empty() {
        e.push(zone.invalid("timeZone must be nil or non-empty string"));
        return;
    }
    let part = |part: &str| {
        !part.is_empty()
            && part.len() <= 14
            && part.bytes().all(|c| c.is_ascii_alphanumeric() || b".-_+".contains(&c))
            && !matches!(part, "." | "..")
            && !part.starts_with('-')
    };
    let unknown = format!("unknown time zone {text}");
    if !text.split('/').all(part) {
        e.push(FieldError::invalid(zone.path(), BadValue::named(text), unknown));
        return;
    }
    if text.eq_ignore_ascii_case("local") {
        e.push(zone.invalid(
            "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones",
        ));
    }
    // Without a database of zones, those of a known area, and the few that stand alone, are taken.
    let known = match text.split_once('/') {
        Some((area, _)) => AREAS.split_whitespace().any(|known| known == area),
        None => ALONE.split_whitespace().any(|known| known == text),
    };
    if !known {
        e.push(FieldError::invalid(zone.path(), BadValue::named(text), unknown));
    }
}

/// Labels and selector that a Job without a selector of its own gets.
pub(super) fn generate_selector(job: &mut Fields) {
    use super::tree::{child, text};
    let (uid, name) = {
        let meta = child(job, "metadata");
        (text(meta, "uid").to_owned(), text(meta, "name").to_owned())
    };
    let spec = child(job, "spec");
    if spec.get("manualSelector") == Some(&Value::Bool(true)) {
        return;
    }
    let labels = child(child(child(spec, "template"), "metadata"), "labels");
    for (keys, value) in [(NAME_LABELS, &name), (UID_LABELS, &uid)] {
        for key in keys {
            labels.entry(key).or_insert_with(|| value.as_str().into());
        }
    }
    let labels = Value::Object(labels.clone());
    let selected = child(child(spec, "selector"), "matchLabels");
    selected.entry(UID_LABELS[1]).or_insert_with(|| uid.as_str().into());
    // When it is read back, a Job without labels has those of its template.
    let meta = child(job, "metadata");
    if super::tree::is_empty(meta.get("labels")) {
        meta.insert("labels".to_owned(), labels);
    }
}
