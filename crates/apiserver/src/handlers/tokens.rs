//! Tokens for ServiceAccounts: the subresource `token`.
//!
//! Go counterpart: `pkg/registry/core/serviceaccount/storage/token.go`.

use pintle_apimachinery::validation::FieldError;
use serde_json::{Map, Value, json};

use super::{Answer, Reply, Request};
use crate::auth::{Claims, EXTENDED, PROJECTED, Reference};
use crate::object::{Object, at, metadata, metadata_mut, strings, text};
use crate::status::{ApiError, ApiResult, Target};

const GROUP: &str = "authentication.k8s.io";
const KIND: &str = "TokenRequest";

impl Request<'_> {
    /// Issues a token as a TokenRequest wants it.
    pub(crate) fn token_request(&self, mut object: Object) -> ApiResult<Answer> {
        let (name, namespace) = (self.info.name.as_str(), self.namespace());
        {
            let given = text(metadata(&object), "namespace");
            if !given.is_empty() && given != namespace {
                return Err(ApiError::bad_request(
                    "the namespace of the provided object does not match the namespace sent on \
                     the request",
                ));
            }
        }
        let spec = object.entry("spec").or_insert_with(|| json!({}));
        let seconds = spec.get("expirationSeconds").and_then(Value::as_i64);
        let mut seconds = seconds.unwrap_or(3_600);
        spec["expirationSeconds"] = seconds.into();
        self.manage_posted(&mut object);
        let meta = metadata_mut(&mut object);
        let given = text(meta, "name");
        if !given.is_empty() && given != name {
            let detail = "must match the service account name if specified";
            let error = FieldError::invalid("metadata.name", given, detail);
            return Err(ApiError::invalid(GROUP, KIND, name, &[error]));
        }
        let account = self.read(name)?.value.object(None);
        let uid = text(metadata(&account), "uid").to_owned();
        let given = text(meta, "uid");
        if !given.is_empty() && given != uid {
            let why = format!(
                "the UID in the token request ({given}) does not match the UID of the service \
                 account ({uid})"
            );
            return Err(ApiError::conflict(Target { group: GROUP, resource: KIND, name }, &why));
        }
        meta.insert("name".to_owned(), name.into());
        meta.insert("namespace".to_owned(), namespace.into());
        meta.insert("uid".to_owned(), uid.as_str().into());
        meta.insert("creationTimestamp".to_owned(), self.core.now().into());
        let accounts = &self.core.auth.accounts;
        let spec = match object.get("spec") {
            Some(Value::Object(spec)) => spec.clone(),
            _ => Map::new(),
        };
        let mut audiences: Vec<String> =
            strings(&spec, "audiences").into_iter().map(str::to_owned).collect();
        if audiences.is_empty() {
            audiences = accounts.own_audiences();
        }
        check_seconds(seconds)?;
        let bound = match spec.get("boundObjectRef").and_then(Value::as_object) {
            Some(reference) => self.bound(reference, name)?,
            None => Vec::new(),
        };
        let mut warnings = Vec::new();
        if let Some(most) = accounts.max_seconds
            && seconds > most
        {
            warnings.push(format!(
                "requested expiration of {seconds} seconds shortened to {most} seconds"
            ));
            seconds = most;
        }
        let to_pod = bound.iter().any(|(what, _)| *what == "pod");
        let ours = accounts.own_audiences();
        let for_us = audiences.iter().all(|audience| ours.contains(audience));
        let projected = accounts.extend && to_pod && seconds == PROJECTED && for_us;
        let now = (self.core.clock)();
        let claims = Claims {
            namespace,
            account: Reference { name: name.to_owned(), uid },
            bound,
            audiences: audiences.clone(),
            seconds: if projected { EXTENDED } else { seconds },
            warn_after: projected.then_some(seconds),
            id: self.core.uid(),
            now,
        };
        let token = accounts
            .issue(&claims)
            .map_err(|error| ApiError::internal(format!("failed to generate token: {error}")))?;
        let spec = object.entry("spec").or_insert_with(|| json!({}));
        spec["audiences"] = audiences.into();
        spec["expirationSeconds"] = seconds.into();
        let until = now.plus_seconds(seconds).to_string();
        object.insert("status".to_owned(), json!({"token": token, "expirationTimestamp": until}));
        let expect = self.expect();
        let object = self
            .core
            .typed
            .normalize(object, &expect.api_version, expect.kind)
            .map_err(ApiError::internal)?;
        Ok(Answer { reply: Reply::Value(201, Value::Object(object)), warnings })
    }

    /// What a token is bound to, by what tokens call it.
    fn bound(
        &self,
        reference: &Map<String, Value>,
        account: &str,
    ) -> ApiResult<Vec<(&'static str, Reference)>> {
        let (version, kind, name) =
            (text(reference, "apiVersion"), text(reference, "kind"), text(reference, "name"));
        let (group, version) = version.split_once('/').unwrap_or(("", version));
        let (what, plural, namespace) = match (group, kind) {
            ("", "Pod") => ("pod", "pods", self.namespace()),
            ("", "Secret") => ("secret", "secrets", self.namespace()),
            ("", "Node") => ("node", "nodes", ""),
            _ => {
                return Err(ApiError::bad_request(format!(
                    "cannot bind token to object of type {group}/{version}, Kind={kind}"
                )));
            }
        };
        let object = self
            .find_object(plural, namespace, name)
            .ok_or_else(|| ApiError::not_found(Target { group: "", resource: plural, name }))?;
        let mut also = None;
        if what == "pod" {
            let runs_as = at(&object, "spec.serviceAccountName").and_then(Value::as_str);
            if runs_as.unwrap_or_default() != account {
                return Err(ApiError::bad_request(format!(
                    "cannot bind token for serviceaccount {} to pod running with different \
                     serviceaccount name.",
                    crate::status::quote(account)
                )));
            }
            let node = at(&object, "spec.nodeName").and_then(Value::as_str).unwrap_or_default();
            if !node.is_empty() {
                let found = self.find_object("nodes", "", node);
                let uid = found.map(|node| text(metadata(&node), "uid").to_owned());
                let uid = uid.unwrap_or_default();
                also = Some(("node", Reference { name: node.to_owned(), uid }));
            }
        }
        let uid = text(metadata(&object), "uid");
        let wanted = text(reference, "uid");
        if !wanted.is_empty() && wanted != uid {
            let why = format!(
                "the UID in the bound object reference ({wanted}) does not match the UID in \
                 record. The object might have been deleted and then recreated"
            );
            return Err(ApiError::conflict(Target { group, resource: kind, name }, &why));
        }
        let mut bound = vec![(what, Reference { name: name.to_owned(), uid: uid.to_owned() })];
        bound.extend(also);
        Ok(bound)
    }

    fn find_object(&self, plural: &str, namespace: &str, name: &str) -> Option<Object> {
        let key = match namespace {
            "" => format!("/registry/{plural}/{name}"),
            namespace => format!("/registry/{plural}/{namespace}/{name}"),
        };
        Some(self.core.store.get(&key)?.value.object(None))
    }
}

fn check_seconds(seconds: i64) -> ApiResult<()> {
    let detail = if seconds < 600 {
        "may not specify a duration less than 10 minutes"
    } else if seconds > 1 << 32 {
        "may not specify a duration larger than 2^32 seconds"
    } else {
        return Ok(());
    };
    let error = FieldError::invalid("spec.expirationSeconds", seconds, detail);
    Err(ApiError::invalid(GROUP, KIND, "", &[error]))
}
