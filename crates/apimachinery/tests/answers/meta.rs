//! What ours says to the questions of `internal/answer/meta.go`, in the shape of Go's answers. The
//! comparison with Go (`cargo xtask conformance apimachinery`) uses this file too.

use pintle_apimachinery::labels::Selector;
use pintle_apimachinery::meta::{
    self, Conditions, DefaultRestMapper, FirstHitRestMapper, GroupResources, MultiRestMapper,
    PrinterColumn, PriorityRestMapper, RestMapper, RestMapping, RestScope, ShortcutRestMapper,
    Shortcuts, TableColumns, discovery_rest_mapper,
};
use pintle_apimachinery::util::Aggregate;
use pintle_apimachinery::validation::{FieldError, FieldErrors, FieldPath};
use pintle_apimachinery::version::compare_resource_versions;
use pintle_apimachinery::{
    BareResponse, Condition, CreateOptions, DeleteOptions, Error, GroupKind, GroupResource,
    GroupVersion, GroupVersionKind, GroupVersionResource, IntOrString, LabelSelector, List,
    ListOptions, Map, PatchOptions, PatchType, Preconditions, Status, Str, Time, UpdateOptions,
};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex, PoisonError};

type Answer = Result<Value, String>;

/// Our answer to a question; `None` if it is not one of these.
pub(crate) fn answer(function: &str, input: &Value) -> Option<Answer> {
    Some(match function {
        "intstr.parse" => intstr_parse(input),
        "intstr.scale" => intstr_scale(input),
        "resourceversion.compare" => resource_version(input),
        "labelselector.parse" => label_selector_parse(input),
        "labelselector.convert" => label_selector_convert(input),
        "labelselector.fromLabels" => label_selector_from_labels(input),
        "options.list" => options_list(input),
        "options.write" => options_write(input),
        "options.delete" => options_delete(input),
        "status.new" => status_new(input),
        "status.predicates" => status_predicates(input),
        "conditions.edit" => conditions_edit(input),
        "restmapper.ask" => rest_mapper_ask(input),
        "restmapper.guess" => rest_mapper_guess(input),
        "restmapper.category" => rest_mapper_category(input),
        "table.convert" => table_convert(input),
        "errors.aggregate" => errors_aggregate(input),
        _ => return None,
    })
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

fn number(value: &Value, key: &str) -> i64 {
    value[key].as_i64().unwrap_or_default()
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().map_or(&[], |list| list)
}

fn str_list(value: &Value, key: &str) -> Vec<Str> {
    list(value, key).iter().map(|item| item.as_str().unwrap_or_default().into()).collect()
}

fn bad(error: impl std::fmt::Display) -> String {
    format!("bad input of the test: {error}")
}

fn typed<T: serde::de::DeserializeOwned>(value: &Value) -> Result<T, String> {
    serde_json::from_value(value.clone()).map_err(bad)
}

fn json_of<T: serde::Serialize>(value: &T) -> Value {
    serde_json::to_value(value).unwrap_or_else(|e| json!(bad(e)))
}

fn message(error: impl std::fmt::Display) -> String {
    error.to_string()
}

fn intstr_parse(input: &Value) -> Answer {
    let value = IntOrString::parse(input.as_str().unwrap_or_default());
    let type_ = i32::from(matches!(value, IntOrString::String(_)));
    Ok(json!({"type": type_, "string": value.to_string(), "value": value.int_value()}))
}

fn intstr_scale(input: &Value) -> Answer {
    let of: IntOrString = match &input["of"] {
        Value::String(text) => text.as_str().into(),
        of => i32::try_from(of.as_i64().unwrap_or_default()).map_err(bad)?.into(),
    };
    let up = input["up"] == true;
    of.scaled_value(number(input, "total"), up).map(Value::from).map_err(message)
}

fn resource_version(input: &Value) -> Answer {
    let side = |i: usize| input[i].as_str().unwrap_or_default();
    compare_resource_versions(side(0), side(1)).map(|o| (o as i8).into()).map_err(message)
}

fn label_selector_parse(input: &Value) -> Answer {
    let selector = LabelSelector::parse(input.as_str().unwrap_or_default()).map_err(message)?;
    Ok(json_of(&selector))
}

fn labels_of(map: &Map<Str>) -> Value {
    let entry = |(k, v): (&Str, &Str)| (k.to_string(), Value::from(v.as_str()));
    Value::Object(map.iter().map(entry).collect())
}

fn label_selector_convert(input: &Value) -> Answer {
    let selector: Option<LabelSelector> = typed(input)?;
    let mut errors = Vec::new();
    let mut out = json!({
        "selector": "", "empty": false, "nothing": false,
        "format": meta::format_label_selector(selector.as_ref()),
    });
    match Selector::from_label_selector(selector.as_ref()) {
        Ok(selector) => {
            out["selector"] = selector.to_string().into();
            out["empty"] = selector.is_empty().into();
            out["nothing"] = selector.is_nothing().into();
        }
        Err(error) => errors.push(error.to_string()),
    }
    out["map"] = match selector.as_ref().map(LabelSelector::to_labels) {
        None => Value::Null,
        Some(Ok(labels)) => labels_of(&labels),
        Some(Err(error)) => {
            errors.push(error.to_string());
            Value::Null
        }
    };
    out["errors"] = errors.into();
    Ok(out)
}

fn label_selector_from_labels(input: &Value) -> Answer {
    if input.is_null() {
        return Ok(Value::Null); // Go's nil map; a set of ours is always there.
    }
    let labels: std::collections::BTreeMap<String, String> = typed(input)?;
    Ok(json_of(&LabelSelector::from_labels(&labels)))
}

fn problems(errors: &FieldErrors) -> Value {
    errors.iter().map(|e| Value::from(e.to_string())).collect()
}

fn options_list(input: &Value) -> Answer {
    let from = &input["options"];
    // Go's internal type has Go's names of the fields.
    let mut options = ListOptions {
        watch: from["Watch"] == true,
        resource_version: text(from, "ResourceVersion").into(),
        resource_version_match: text(from, "ResourceVersionMatch").into(),
        continue_token: text(from, "Continue").into(),
        send_initial_events: from["SendInitialEvents"].as_bool(),
        limit: number(from, "Limit"),
        ..ListOptions::default()
    };
    let watch_list = input["watchList"] == true;
    if input["default"] == true {
        options.set_defaults(watch_list);
    }
    Ok(json!({
        "problems": problems(&options.validate(watch_list)),
        "match": options.resource_version_match.as_str(),
        "sendInitialEvents": options.send_initial_events,
    }))
}

fn options_write(input: &Value) -> Answer {
    let (dry_run, force) = (str_list(input, "dryRun"), input["force"].as_bool());
    let field_manager: Str = text(input, "fieldManager").into();
    let field_validation: Str = text(input, "fieldValidation").into();
    let errors = match text(input, "kind") {
        "create" => CreateOptions { dry_run, field_manager, field_validation }.validate(),
        "update" => UpdateOptions { dry_run, field_manager, field_validation }.validate(),
        _ => {
            let patch = PatchType::from_content_type(text(input, "patchType"))
                .ok_or_else(|| bad("patchType"))?;
            PatchOptions { dry_run, force, field_manager, field_validation }.validate(patch)
        }
    };
    Ok(problems(&errors))
}

fn options_delete(input: &Value) -> Answer {
    let some = |value: &Value| value.as_str().map(Str::new);
    let preconditions = input["preconditions"].as_object().map(|p| Preconditions {
        uid: p.get("uid").and_then(some),
        resource_version: p.get("resourceVersion").and_then(some),
    });
    let flag = "ignoreStoreReadErrorWithClusterBreakingPotential";
    let options = DeleteOptions {
        grace_period_seconds: input["gracePeriodSeconds"].as_i64(),
        preconditions,
        orphan_dependents: input["orphanDependents"].as_bool(),
        propagation_policy: some(&input["propagationPolicy"]),
        dry_run: str_list(input, "dryRun"),
        ignore_store_read_error_with_cluster_breaking_potential: input[flag].as_bool(),
    };
    Ok(problems(&options.validate()))
}

fn invalid_fields(input: &Value) -> FieldErrors {
    let (name, why) = (text(input, "name"), text(input, "text"));
    let error = |(i, field): (usize, &Value)| {
        let path = FieldPath::new(field.as_str().unwrap_or_default());
        match i % 3 {
            0 => FieldError::required(&path, why),
            1 => FieldError::invalid(&path, name, why),
            _ => FieldError::duplicate(path.index(i), name),
        }
    };
    list(input, "invalidFields").iter().enumerate().map(error).collect()
}

fn status_new(input: &Value) -> Answer {
    let (group, of) = (text(input, "group").to_owned(), text(input, "resource").to_owned());
    let kind = GroupKind::new(group.clone(), of.clone());
    let resource = GroupResource::new(group, of);
    let (name, why, verb) = (text(input, "name"), text(input, "text"), text(input, "verb"));
    let retry = i32::try_from(number(input, "retryAfter")).map_err(bad)?;
    let code = || u16::try_from(number(input, "code")).map_err(bad);
    let status = match text(input, "of") {
        "NotFound" => Status::not_found(&resource, name),
        "AlreadyExists" => Status::already_exists(&resource, name),
        "GenerateNameConflict" => Status::generate_name_conflict(&resource, name, retry),
        "Unauthorized" => Status::unauthorized(why),
        "Forbidden" => Status::forbidden(&resource, name, why),
        "Conflict" => Status::conflict(&resource, name, why),
        "ApplyConflict" => Status::apply_conflict(
            list(input, "causes").iter().map(typed).collect::<Result<Vec<_>, _>>()?,
            why,
        ),
        "Gone" => Status::gone(why),
        "ResourceExpired" => Status::resource_expired(why),
        "Invalid" => Status::invalid(&kind, name, &invalid_fields(input)),
        "BadRequest" => Status::bad_request(why),
        "TooManyRequests" => Status::too_many_requests(why, retry),
        "TooManyRequestsError" => Status::too_many_requests_error(why),
        "ServiceUnavailable" => Status::service_unavailable(why),
        "MethodNotSupported" => Status::method_not_supported(&resource, verb),
        "ServerTimeout" => Status::server_timeout(&resource, verb, retry),
        "InternalError" => Status::internal_error(why),
        "Timeout" => Status::timeout(why, retry),
        "RequestEntityTooLarge" => Status::request_entity_too_large(why),
        "GenericServerResponse" => Status::from_response(&BareResponse {
            resource: &resource,
            name,
            retry_after_seconds: retry,
            is_unexpected: input["isUnexpected"] == true,
            ..BareResponse::new(code()?, verb, why)
        }),
        "ClientError" => Status::client_error(code()?, verb, name, why),
        other => return Err(bad(other)),
    };
    let mut out = json_of(&status);
    if let Some(members) = out.as_object_mut() {
        // A kind of ours always says what it is; Go's in memory does not.
        members.remove("kind");
        members.remove("apiVersion");
    }
    Ok(out)
}

fn status_predicates(input: &Value) -> Answer {
    let status: Status = typed(input)?;
    let error = Error::from(status);
    let all = [
        ("NotFound", error.is_not_found()),
        ("AlreadyExists", error.is_already_exists()),
        ("Conflict", error.is_conflict()),
        ("Invalid", error.is_invalid()),
        ("Gone", error.is_gone()),
        ("ResourceExpired", error.is_resource_expired()),
        ("NotAcceptable", error.is_not_acceptable()),
        ("UnsupportedMediaType", error.is_unsupported_media_type()),
        ("MethodNotSupported", error.is_method_not_supported()),
        ("ServiceUnavailable", error.is_service_unavailable()),
        ("BadRequest", error.is_bad_request()),
        ("Unauthorized", error.is_unauthorized()),
        ("Forbidden", error.is_forbidden()),
        ("Timeout", error.is_timeout()),
        ("ServerTimeout", error.is_server_timeout()),
        ("InternalError", error.is_internal_error()),
        ("TooManyRequests", error.is_too_many_requests()),
        ("RequestEntityTooLarge", error.is_request_entity_too_large()),
        ("UnexpectedServerError", error.is_unexpected_server_error()),
        ("StoreReadError", error.is_store_read_error()),
    ];
    let holds: Vec<&str> = all.iter().filter(|(_, holds)| *holds).map(|(name, _)| *name).collect();
    let mut out = json!({"holds": holds, "reason": error.reason()});
    if let Some(seconds) = error.status().and_then(Status::suggested_delay) {
        out["delay"] = seconds.into();
    }
    if let Some(cause) = error.cause("FieldValueInvalid") {
        out["cause"] = json_of(cause);
    }
    Ok(out)
}

/// The time that stands for the clock of Go's program.
const NOW: Time = Time::from_unix(4_000_000_000);

fn conditions_edit(input: &Value) -> Answer {
    let mut all: List<Condition> =
        list(input, "conditions").iter().map(typed).collect::<Result<Vec<_>, _>>()?.into();
    let mut changed = Vec::new();
    for edit in list(input, "edits") {
        changed.push(if edit["set"].is_null() {
            all.remove_condition(text(edit, "remove"))
        } else {
            all.set_condition(typed(&edit["set"])?, NOW)
        });
    }
    let shown = |c: &Condition| {
        let when = c.last_transition_time;
        let when = if when == NOW { "now".to_owned() } else { when.to_string() };
        json!({
            "type": c.type_.as_str(), "status": c.status.as_str(), "reason": c.reason.as_str(),
            "message": c.message.as_str(), "observedGeneration": c.observed_generation,
            "lastTransitionTime": when,
        })
    };
    let ask = text(input, "ask");
    Ok(json!({
        "conditions": all.iter().map(shown).collect::<Vec<_>>(),
        "changed": changed,
        "true": all.is_condition_true(ask),
        "false": all.is_condition_false(ask),
        "unknown": all.has_condition(ask, "Unknown"),
        "found": all.condition(ask).is_some(),
    }))
}

type Warnings = Arc<Mutex<Vec<String>>>;

/// What a server serves.
fn groups(input: &Value) -> Result<Vec<GroupResources>, String> {
    let group = |value: &Value| -> Result<GroupResources, String> {
        let resources = value["resources"].as_object().into_iter().flatten();
        Ok(GroupResources {
            group: typed(&value["group"])?,
            resources: resources
                .map(|(version, all)| Ok((version.as_str().into(), typed(all)?)))
                .collect::<Result<_, String>>()?,
        })
    };
    list(input, "groups").iter().map(group).collect()
}

fn mapper(input: &Value, warnings: &Warnings) -> Result<Box<dyn RestMapper>, String> {
    let own = |value: &Value, key: &str| text(value, key).to_owned();
    let multi = || -> Result<MultiRestMapper, String> {
        let of = list(input, "of").iter().map(|of| mapper(of, warnings));
        Ok(MultiRestMapper(of.collect::<Result<_, _>>()?))
    };
    let pairs = |key: &str| -> Vec<(String, String)> {
        let side = |pair: &Value, i: usize| pair[i].as_str().unwrap_or_default().to_owned();
        list(input, key).iter().map(|pair| (side(pair, 0), side(pair, 1))).collect()
    };
    Ok(match text(input, "type") {
        "default" => {
            let versions = pairs("versions").into_iter().map(|(g, v)| GroupVersion::new(g, v));
            let mut mapper = DefaultRestMapper::new(versions);
            for kind in list(input, "kinds") {
                let scope =
                    if kind["Root"] == true { RestScope::Root } else { RestScope::Namespace };
                let version = GroupVersion::new(own(kind, "Group"), own(kind, "Version"));
                let gvk = version.with_kind(own(kind, "Kind"));
                if text(kind, "Plural").is_empty() {
                    mapper.add(gvk, scope);
                } else {
                    let plural = version.with_resource(own(kind, "Plural"));
                    let singular = version.with_resource(own(kind, "Singular"));
                    mapper.add_specific(gvk, plural, singular, scope);
                }
            }
            Box::new(mapper)
        }
        "multi" => Box::new(multi()?),
        "firsthit" => Box::new(FirstHitRestMapper(multi()?)),
        "priority" => Box::new(PriorityRestMapper {
            delegate: multi()?,
            resources: pairs("priority")
                .into_iter()
                .map(|(g, v)| GroupVersionResource::new(g, v, meta::ANY))
                .collect(),
            kinds: pairs("priority")
                .into_iter()
                .map(|(g, v)| GroupVersionKind::new(g, v, meta::ANY))
                .collect(),
        }),
        "discovery" => Box::new(discovery_rest_mapper(&groups(input)?)),
        "shortcuts" => {
            let delegate = mapper(input["of"].get(0).unwrap_or(&Value::Null), warnings)?;
            let warnings = warnings.clone();
            let short = ShortcutRestMapper::new(delegate, Shortcuts::new(&groups(input)?));
            Box::new(short.on_warning(move |text| {
                let mut warnings = warnings.lock().unwrap_or_else(PoisonError::into_inner);
                warnings.push(text.to_owned());
            }))
        }
        other => return Err(bad(other)),
    })
}

fn mapping(mapping: &RestMapping) -> Value {
    let scope = if mapping.scope == RestScope::Root { "root" } else { "namespace" };
    json!({
        "resource": mapping.resource.to_string(), "kind": mapping.kind.to_string(), "scope": scope,
    })
}

fn rest_mapper_ask(input: &Value) -> Answer {
    let warnings = Warnings::default();
    let mapper = mapper(&input["mapper"], &warnings)?;
    let (group, name) = (text(input, "group").to_owned(), text(input, "name").to_owned());
    let resource =
        GroupVersionResource::new(group.clone(), text(input, "version").to_owned(), name.clone());
    let kind = GroupKind::new(group, name.clone());
    let versions = str_list(input, "versions");
    let versions: Vec<&str> = versions.iter().map(Str::as_str).collect();
    fn all<T: ToString>(found: &[T]) -> Value {
        found.iter().map(|item| Value::from(item.to_string())).collect()
    }
    let answer = match text(input, "method") {
        "KindFor" => mapper.kind_for(&resource).map(|k| k.to_string().into()),
        "KindsFor" => mapper.kinds_for(&resource).map(|k| all(&k)),
        "ResourceFor" => mapper.resource_for(&resource).map(|r| r.to_string().into()),
        "ResourcesFor" => mapper.resources_for(&resource).map(|r| all(&r)),
        "RESTMapping" => mapper.rest_mapping(&kind, &versions).map(|m| mapping(&m)),
        "RESTMappings" => {
            mapper.rest_mappings(&kind, &versions).map(|all| all.iter().map(mapping).collect())
        }
        _ => mapper.singular_of(&name).map(Value::from),
    };
    let answer = answer.map(|answer| match text(&input["mapper"], "type") {
        "shortcuts" => {
            let warnings = warnings.lock().unwrap_or_else(PoisonError::into_inner);
            json!({"answer": answer, "warnings": *warnings})
        }
        _ => answer,
    });
    answer.map_err(|error| {
        let what = match (error.is_no_match(), error.is_ambiguous()) {
            (true, _) => "no match: ",
            (_, true) => "ambiguous: ",
            _ => "",
        };
        format!("{what}{error}")
    })
}

fn rest_mapper_category(input: &Value) -> Answer {
    let shortcuts = Shortcuts::new(&groups(input)?);
    let found = shortcuts.category(text(input, "category"));
    Ok(found.iter().map(|resource| Value::from(resource.to_string())).collect())
}

fn rest_mapper_guess(input: &Value) -> Answer {
    let kind = GroupVersionKind::new("g", "v", input.as_str().unwrap_or_default().to_owned());
    let (plural, singular) = meta::guess_resource(&kind);
    Ok(json!([plural.to_string(), singular.to_string()]))
}

fn table_convert(input: &Value) -> Answer {
    let columns = list(input, "columns").iter().map(|column| PrinterColumn {
        name: text(column, "name").into(),
        type_: text(column, "type").into(),
        format: text(column, "format").into(),
        description: text(column, "description").into(),
        priority: number(column, "priority") as i32,
        json_path: text(column, "jsonPath").into(),
    });
    let columns = TableColumns::new(columns).map_err(message)?;
    let cells = columns.cells(&input["object"], Time::now()).map_err(message)?;
    let cells: Vec<Value> = cells.iter().map(|cell| cell.get().unwrap_or_default()).collect();
    let mut definitions = json_of(columns.definitions());
    definitions[0]["description"] = "".into();
    Ok(json!({"columns": definitions, "cells": cells}))
}

fn errors_aggregate(input: &Value) -> Answer {
    let texts: Vec<String> = typed(input)?;
    let all: Aggregate<String> = texts.into_iter().collect();
    if all.errors().is_empty() {
        return Ok(Value::Null);
    }
    let shown = all.to_string();
    let kept = all.filter_out(|error| error.starts_with('a'));
    Ok(json!({"message": shown, "kept": kept.to_string()}))
}
