//! Questions that are answered and not kept: who somebody is, and what they may do.
//!
//! Go counterpart: `pkg/registry/authentication` and `pkg/registry/authorization`, with
//! `k8s.io/kubernetes/pkg/apis/authorization/validation`.

use pintle_apimachinery::validation::{BadValue, FieldError};
use serde_json::{Map, Value, json};

use super::{Item, Request};
use crate::auth::{User, Wish};
use crate::object::{Object, Stored, at, metadata, metadata_mut, set_text, strings, text};
use crate::status::{ApiError, ApiResult};

const AUTHORIZATION: &str = "authorization.k8s.io";

/// Whether a resource is such a question.
pub(crate) fn is_review(group: &str, plural: &str) -> bool {
    matches!(
        (group, plural),
        ("authentication.k8s.io", "selfsubjectreviews" | "tokenreviews")
            | (
                AUTHORIZATION,
                "localsubjectaccessreviews"
                    | "selfsubjectaccessreviews"
                    | "selfsubjectrulesreviews"
                    | "subjectaccessreviews"
            )
    )
}

impl Request<'_> {
    /// Answers a review that `user` sent.
    pub(crate) fn review(&self, mut object: Object, user: &User) -> ApiResult<Item> {
        let meta = metadata_mut(&mut object);
        meta.remove("creationTimestamp");
        if self.resource.namespaced {
            match text(meta, "namespace") {
                "" => set_text(meta, "namespace", self.namespace()),
                given if given != self.namespace() => {
                    return Err(ApiError::bad_request(
                        "the namespace of the provided object does not match the namespace sent \
                         on the request",
                    ));
                }
                _ => {}
            }
        } else {
            meta.shift_remove("namespace");
        }
        match self.resource.plural.as_str() {
            "selfsubjectreviews" => {
                let mut answer = Object::new();
                answer.insert("metadata".to_owned(), json!({"creationTimestamp": self.core.now()}));
                answer.insert("status".to_owned(), json!({"userInfo": user_info(user)}));
                return self.answer(answer);
            }
            "selfsubjectrulesreviews" => {
                if at(&object, "spec.namespace").and_then(Value::as_str).is_none_or(str::is_empty) {
                    return Err(ApiError::bad_request("no namespace on request"));
                }
                let mut answer = Object::new();
                answer.insert("metadata".to_owned(), json!({}));
                answer.insert("spec".to_owned(), json!({}));
                answer.insert("status".to_owned(), self.core.auth.mode.rules(user));
                return self.answer(answer);
            }
            _ => {}
        }
        self.manage(None, &mut object);
        let status = match self.resource.plural.as_str() {
            "tokenreviews" => self.token_review(&object)?,
            _ => self.access_review(&object, user)?,
        };
        object.insert("status".to_owned(), status);
        self.answer(object)
    }

    /// An object that is answered and not stored.
    fn answer(&self, object: Object) -> ApiResult<Item> {
        let expect = self.expect();
        let object = self
            .core
            .typed
            .normalize(object, &expect.api_version, expect.kind)
            .map_err(ApiError::internal)?;
        let stored = Stored::new(&object, Vec::new());
        Ok(Item { stored, version: None, warnings: Vec::new() })
    }

    fn token_review(&self, review: &Object) -> ApiResult<Value> {
        let empty = Map::new();
        let spec = review.get("spec").and_then(Value::as_object).unwrap_or(&empty);
        let token = text(spec, "token");
        if token.is_empty() {
            return Err(ApiError::bad_request(
                "token is required for TokenReview in authentication",
            ));
        }
        let auth = &self.core.auth;
        let mut wanted: Vec<String> =
            strings(spec, "audiences").into_iter().map(str::to_owned).collect();
        if wanted.is_empty() {
            wanted = auth.accounts.own_audiences();
        }
        Ok(match auth.token(self.core, token, &wanted) {
            Ok((user, audiences)) => json!({
                "authenticated": true,
                "user": user_info(&user),
                "audiences": audiences,
            }),
            Err(error) => json!({"user": {}, "error": error}),
        })
    }

    fn access_review(&self, review: &Object, user: &User) -> ApiResult<Value> {
        let oneself = self.resource.plural == "selfsubjectaccessreviews";
        let empty = Map::new();
        let spec = review.get("spec").and_then(Value::as_object).unwrap_or(&empty);
        let attributes = |key: &str| spec.get(key).and_then(Value::as_object);
        let (resource, path) =
            (attributes("resourceAttributes"), attributes("nonResourceAttributes"));
        let mut errors = Vec::new();
        if resource.is_some() == path.is_some() {
            let detail = "exactly one of nonResourceAttributes or resourceAttributes must be \
                          specified";
            errors.push(FieldError::invalid("spec", in_go(path), detail));
        }
        let groups = strings(spec, "groups");
        if !oneself && text(spec, "user").is_empty() && groups.is_empty() {
            let detail = "at least one of user or group must be specified";
            errors.push(FieldError::invalid("spec.user", "", detail));
        }
        if let Some(resource) = resource {
            for (key, is_label) in [("fieldSelector", false), ("labelSelector", true)] {
                if let Some(selector) = resource.get(key).and_then(Value::as_object) {
                    let path = format!("spec.resourceAttributes.{key}");
                    check_selector(selector, &path, is_label, &mut errors);
                }
            }
        }
        let meta = metadata(review);
        let mut about = meta.clone();
        about.remove("managedFields");
        about.remove("namespace");
        if !about.is_empty() {
            let mut shown = meta.clone();
            if !self.resource.namespaced {
                shown.remove("namespace");
            }
            let shown = BadValue::from(&self.metadata_in_order(shown));
            let detail = match self.resource.namespaced {
                true => "must be empty except for namespace",
                false => "must be empty",
            };
            errors.push(FieldError::invalid("metadata", shown, detail));
        }
        if self.resource.namespaced {
            let within = resource.map_or("", |resource| text(resource, "namespace"));
            if resource.is_some() && within != self.namespace() {
                errors.push(FieldError::invalid(
                    "spec.resourceAttributes.namespace",
                    within,
                    "must match metadata.namespace",
                ));
            }
            if path.is_some() {
                errors.push(FieldError::invalid(
                    "spec.nonResourceAttributes",
                    in_go(path),
                    "disallowed on this kind of request",
                ));
            }
        }
        if !errors.is_empty() {
            return Err(ApiError::invalid(AUTHORIZATION, "", "", &errors));
        }
        let asked = match oneself {
            true => user.clone(),
            false => User::new(text(spec, "user"), groups),
        };
        let wish = match (resource, path) {
            (Some(of), _) => Wish::Resource {
                verb: text(of, "verb"),
                group: text(of, "group"),
                resource: text(of, "resource"),
                subresource: text(of, "subresource"),
            },
            (None, Some(of)) => Wish::Path { verb: text(of, "verb"), path: text(of, "path") },
            (None, None) => return Err(ApiError::internal("a review without attributes")),
        };
        let decision = self.core.auth.mode.decide(&asked, &wish);
        let mut status = Map::new();
        status.insert("allowed".to_owned(), decision.allowed.into());
        set_text(&mut status, "reason", &decision.reason);
        Ok(Value::Object(status))
    }

    /// Metadata with its fields in the order of the type.
    fn metadata_in_order(&self, meta: Map<String, Value>) -> Value {
        let mut object = Object::new();
        object.insert("metadata".to_owned(), Value::Object(meta.clone()));
        let partial = ("meta.k8s.io/v1", "PartialObjectMetadata");
        match self.core.typed.normalize(object, partial.0, partial.1) {
            Ok(mut object) => object.shift_remove("metadata").unwrap_or_default(),
            Err(_) => Value::Object(meta),
        }
    }
}

/// What is known of a user, as reviews tell it.
fn user_info(user: &User) -> Value {
    let mut info = Map::new();
    set_text(&mut info, "username", &user.name);
    set_text(&mut info, "uid", &user.uid);
    if !user.groups.is_empty() {
        info.insert("groups".to_owned(), user.groups.clone().into());
    }
    if !user.extra.is_empty() {
        let extra = user.extra.iter().map(|(key, values)| (key.clone(), values.clone().into()));
        info.insert("extra".to_owned(), Value::Object(extra.collect()));
    }
    Value::Object(info)
}

/// Attributes of a path as the internal type shows them.
fn in_go(path: Option<&Map<String, Value>>) -> BadValue {
    match path {
        Some(path) => {
            BadValue::from(&json!({"Path": text(path, "path"), "Verb": text(path, "verb")}))
        }
        None => BadValue::NULL,
    }
}

/// Selectors say what they select in one of two ways, with requirements that are some.
fn check_selector(
    selector: &Map<String, Value>,
    path: &str,
    is_label: bool,
    errors: &mut Vec<FieldError>,
) {
    let raw = text(selector, "rawSelector");
    let empty = Vec::new();
    let requirements = selector.get("requirements").and_then(Value::as_array).unwrap_or(&empty);
    if !raw.is_empty() && !requirements.is_empty() {
        let detail = "may not specified at the same time as requirements";
        errors.push(FieldError::invalid(format!("{path}.rawSelector"), raw, detail));
    }
    if raw.is_empty() && requirements.is_empty() {
        let detail = format!("when {path} is specified, requirements or rawSelector is required");
        errors.push(FieldError::required(format!("{path}.requirements"), detail));
    }
    for (at, requirement) in requirements.iter().enumerate() {
        let Some(requirement) = requirement.as_object() else { continue };
        let path = format!("{path}.requirements[{at}]");
        let (key, values) = (text(requirement, "key"), strings(requirement, "values"));
        if !is_label && key.is_empty() {
            errors.push(FieldError::required(format!("{path}.key"), "must be specified"));
        }
        let operator = text(requirement, "operator");
        match operator {
            "In" | "NotIn" if values.is_empty() => errors.push(FieldError::required(
                format!("{path}.values"),
                "must be specified when `operator` is 'In' or 'NotIn'",
            )),
            "Exists" | "DoesNotExist" if !values.is_empty() => errors.push(FieldError::forbidden(
                format!("{path}.values"),
                "may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
            )),
            _ => {}
        }
        if is_label {
            let problems = pintle_apimachinery::validation::label_key(key);
            let wrong = |problem| FieldError::invalid(format!("{path}.key"), key, problem);
            errors.extend(problems.into_iter().map(wrong));
        }
    }
}
