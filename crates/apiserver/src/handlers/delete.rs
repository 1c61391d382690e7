//! Deletes: preconditions, grace, finalizers, propagation.
//!
//! Go counterpart: `registry.Store.Delete`, `DeleteCollection` and `rest.BeforeDelete`.

use pintle_apimachinery::validation::{BadValue, FieldError};
use serde_json::{Map, Value};

use super::body::{Media, parse};
use super::options::{dry_run, finish};
use super::{Answer, Item, Reply, Request};
use crate::core::Entry;
use crate::object::{Object, at, metadata, metadata_mut, strings, text};
use crate::registry::{CLEANUP_FINALIZER, mark_terminating};
use crate::status::{ApiError, ApiResult, Details, Target, deleted, quote};
use crate::storage::{Compare, Op, Storage, Txn};

pub(crate) const ORPHAN: &str = "orphan";
pub(crate) const FOREGROUND: &str = "foregroundDeletion";

/// Said when a Job is deleted without a word about its Pods.
const JOB_WARNING: &str = "child pods are preserved by default when jobs are deleted; set \
    propagationPolicy=Background to remove them or set propagationPolicy=Orphan to suppress this \
    warning";

/// What happens to dependents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Propagation {
    Background,
    Foreground,
    Orphan,
}

/// Options of a delete.
#[derive(Clone, Debug, Default)]
pub(crate) struct DeleteOptions {
    pub(crate) uid: Option<String>,
    pub(crate) version: Option<String>,
    pub(crate) propagation: Option<Propagation>,
    pub(crate) grace: Option<i64>,
    pub(crate) dry_run: bool,
    /// `ignoreStoreReadErrorWithClusterBreakingPotential`: only of what cannot be read.
    pub(crate) unreadable: bool,
}

/// How one delete ended.
pub(crate) enum Outcome {
    /// The object is gone; this is its last state.
    Gone(Item),
    /// The object waits for finalizers or its grace period.
    Waiting(Item),
}

impl Request<'_> {
    /// Reads the options from the body, or from the query when there is no body.
    pub(crate) fn delete_options(
        &self,
        body: &[u8],
        content_type: &str,
    ) -> ApiResult<DeleteOptions> {
        let media = match Media::of(content_type) {
            None if !body.is_empty() => return Err(super::body::unknown_media()),
            media => media.unwrap_or(Media::Json),
        };
        let sent = match (body.is_empty(), media) {
            (true, _) => self.delete_options_of_query()?,
            (_, Media::Protobuf) => {
                self.core.typed.delete_options(body).map_err(ApiError::bad_request)?
            }
            _ => parse(body, media).map_err(ApiError::bad_request)?.object,
        };
        let (kind, version) = (text(&sent, "kind"), text(&sent, "apiVersion"));
        if !matches!(kind, "" | "DeleteOptions") {
            return Err(ApiError::bad_request(format!(
                "no kind {} is registered for version {} in scheme \
                 \"pkg/apis/meta/internalversion/scheme/register.go:27\"",
                quote(kind),
                quote(version)
            )));
        }
        let mut errors = Vec::new();
        let propagation = match (sent.get("propagationPolicy"), sent.get("orphanDependents")) {
            (None | Some(Value::Null), None | Some(Value::Null)) => None,
            (None | Some(Value::Null), Some(orphan)) => Some(if *orphan == Value::Bool(true) {
                Propagation::Orphan
            } else {
                Propagation::Background
            }),
            (Some(policy), None | Some(Value::Null)) => match policy.as_str().unwrap_or_default() {
                "Background" => Some(Propagation::Background),
                "Foreground" => Some(Propagation::Foreground),
                "Orphan" => Some(Propagation::Orphan),
                other => {
                    errors.push(FieldError::not_supported(
                        "propagationPolicy",
                        BadValue::named(other),
                        &["Foreground", "Background", "Orphan", "nil"],
                    ));
                    None
                }
            },
            (Some(policy), Some(_)) => {
                errors.push(FieldError::invalid(
                    "propagationPolicy",
                    policy,
                    "orphanDependents and deletionPropagation cannot be both set",
                ));
                None
            }
        };
        let dry_run = dry_run(&strings(&sent, "dryRun"), &mut errors);
        finish("DeleteOptions", &errors)?;
        let precondition = |key: &str| {
            let value = sent.get("preconditions")?.get(key)?.as_str()?;
            Some(value.to_owned())
        };
        let grace = sent.get("gracePeriodSeconds").filter(|grace| !grace.is_null());
        let grace = grace.map(|grace| {
            grace.as_i64().ok_or_else(|| {
                ApiError::bad_request(format!(
                    "json: cannot unmarshal {} into Go struct field \
                 DeleteOptions.gracePeriodSeconds of type int64",
                    super::body::kind_of(grace)
                ))
            })
        });
        let grace = grace.transpose()?;
        Ok(DeleteOptions {
            uid: precondition("uid"),
            version: precondition("resourceVersion"),
            propagation,
            // A negative period is the shortest there is.
            grace: grace.map(|grace| if grace < 0 { 1 } else { grace }),
            dry_run,
            unreadable: sent.get("ignoreStoreReadErrorWithClusterBreakingPotential")
                == Some(&Value::Bool(true)),
        })
    }

    fn delete_options_of_query(&self) -> ApiResult<Object> {
        let mut sent = Map::new();
        let query = self.query;
        if query.find("propagationPolicy").is_some() {
            sent.insert("propagationPolicy".to_owned(), query.get("propagationPolicy").into());
        }
        if let Some(orphan) = query.flag("orphanDependents") {
            sent.insert("orphanDependents".to_owned(), orphan.into());
        }
        if query.find("gracePeriodSeconds").is_some() {
            let grace = query.integer("gracePeriodSeconds")?;
            sent.insert("gracePeriodSeconds".to_owned(), grace.into());
        }
        let unreadable = "ignoreStoreReadErrorWithClusterBreakingPotential";
        if let Some(flag) = query.flag(unreadable) {
            sent.insert(unreadable.to_owned(), flag.into());
        }
        let dry_run = query.all("dryRun");
        if !dry_run.is_empty() {
            sent.insert("dryRun".to_owned(), dry_run.into());
        }
        Ok(sent)
    }

    /// DELETE of one object.
    pub(crate) fn delete(&self, options: &DeleteOptions) -> ApiResult<Answer> {
        let resource = self.resource;
        let outcome = self.delete_named(&self.info.name, options)?;
        let job = (resource.group.as_str(), resource.plural.as_str()) == ("batch", "jobs");
        let mut answer: Answer = match outcome {
            Outcome::Waiting(item) => Reply::Object(200, item).into(),
            Outcome::Gone(item) if resource.behaviour.returns_deleted => {
                Reply::Object(200, item).into()
            }
            Outcome::Gone(item) => {
                let details = Details {
                    name: item.stored.summary.name.clone(),
                    group: resource.group.clone(),
                    kind: resource.plural.clone(),
                    uid: item.stored.summary.uid.clone(),
                    ..Details::default()
                };
                Reply::Value(200, deleted(&details)).into()
            }
        };
        if job && options.propagation.is_none() {
            answer.warnings.push(JOB_WARNING.to_owned());
        }
        Ok(answer)
    }

    /// Deletes one object of the request's namespace.
    pub(crate) fn delete_named(&self, name: &str, options: &DeleteOptions) -> ApiResult<Outcome> {
        if self.resource.plural == "priorityclasses" && crate::bootstrap::is_system_priority(name) {
            let why = "this is a system priority class and cannot be deleted";
            return Err(ApiError::forbidden(self.resource.target(name), why));
        }
        loop {
            let entry = self.read(name)?;
            self.check_preconditions(&entry, options)?;
            if options.unreadable {
                let why = format!(
                    "StorageError: invalid object, Code: 4, Key: {}, ResourceVersion: 0, \
                     AdditionalErrorMsg: unsafe deletion is not allowed because the object is \
                     decodable from storage",
                    self.key(name)
                );
                return Err(ApiError::conflict(self.resource.target(name), &why));
            }
            if let Some(outcome) = self.delete_once(name, &entry, options)? {
                return Ok(outcome);
            }
        }
    }

    /// One attempt; `None` when somebody else changed the object meanwhile.
    fn delete_once(
        &self,
        name: &str,
        entry: &Entry,
        options: &DeleteOptions,
    ) -> ApiResult<Option<Outcome>> {
        let resource = self.resource;
        let old = entry.value.object(None);
        let mut object = old.clone();
        let key = self.key(name);
        if resource.behaviour.spec_finalizers {
            return self.delete_namespace(name, entry, object, options);
        }
        let now = (self.core.clock)();
        let graceful = match self.grace(&mut object, options, now) {
            Grace::Pending => return Ok(Some(Outcome::Waiting(Item::of(entry)))),
            Grace::Waits => true,
            Grace::None => false,
        };
        self.set_finalizers(&mut object, options.propagation);
        let is_crd = resource.plural == "customresourcedefinitions";
        if is_crd && !metadata(&object).contains_key("deletionTimestamp") {
            add_finalizer(&mut object, CLEANUP_FINALIZER);
        }
        let waits = !strings(metadata(&object), "finalizers").is_empty();
        if is_crd {
            let now = now.to_string();
            if !metadata(&object).contains_key("deletionTimestamp") {
                mark_terminating(&mut object, &now);
                metadata_mut(&mut object).insert("deletionTimestamp".to_owned(), now.into());
            }
        } else if waits && !graceful {
            mark_deleting(&mut object, &now.to_string());
        }
        if resource.behaviour.graceful && !waits && !graceful {
            // It goes at once, and the answer says when.
            let meta = metadata_mut(&mut object);
            meta.insert("deletionTimestamp".to_owned(), now.to_string().into());
            meta.insert("deletionGracePeriodSeconds".to_owned(), 0.into());
            raise_generation(meta);
            let stored = self.encode(object)?;
            let gone = self.remove(&key, entry, options.dry_run)?;
            return Ok(gone.map(|outcome| match outcome {
                Outcome::Gone(item) => Outcome::Gone(Item { stored, ..item }),
                waiting => waiting,
            }));
        }
        if waits || graceful {
            let stored = self.encode(object)?;
            let item = if options.dry_run || stored.same(&entry.value) {
                Item { stored, version: Some(entry.mod_revision), warnings: Vec::new() }
            } else {
                match self.commit(&key, entry.mod_revision, Op::Put(key.clone(), stored)) {
                    Some(entry) => Item::of(&entry),
                    None => return Ok(None),
                }
            };
            return Ok(Some(Outcome::Waiting(item)));
        }
        self.remove(&key, entry, options.dry_run)
    }

    /// Removes an object for good; its last state carries the version of the deletion.
    pub(crate) fn remove(
        &self,
        key: &str,
        entry: &Entry,
        dry_run: bool,
    ) -> ApiResult<Option<Outcome>> {
        let mut item = Item::of(entry);
        if !dry_run {
            let compare = vec![Compare::ModRevision(key.to_owned(), entry.mod_revision)];
            let txn = Txn { compare, success: vec![Op::Delete(key.to_owned())], failure: vec![] };
            let response = self.core.store.txn(txn);
            if !response.succeeded {
                return Ok(None);
            }
            self.core.after_write(self.resource);
            let version = Some(response.revision);
            item = Item { version, ..Item::of(entry) };
        }
        Ok(Some(Outcome::Gone(item)))
    }

    pub(super) fn check_preconditions(
        &self,
        entry: &Entry,
        options: &DeleteOptions,
    ) -> ApiResult<()> {
        let resource = self.resource;
        let summary = &entry.value.summary;
        // Here Kubernetes names the kind and not the resource.
        let target =
            Target { group: &resource.group, resource: &resource.kind, name: &summary.name };
        if let Some(uid) = &options.uid
            && *uid != summary.uid
        {
            if resource.behaviour.spec_finalizers {
                // Namespaces check it themselves, in words of their own.
                let why = format!(
                    "Precondition failed: UID in precondition: {uid}, UID in object meta: {}",
                    summary.uid
                );
                return Err(ApiError::conflict(resource.target(&summary.name), &why));
            }
            let why = format!(
                "the UID in the precondition ({uid}) does not match the UID in record ({}). The \
                 object might have been deleted and then recreated",
                summary.uid
            );
            return Err(ApiError::conflict(target, &why));
        }
        if let Some(version) = &options.version
            && *version != entry.mod_revision.to_string()
        {
            let why = format!(
                "the ResourceVersion in the precondition ({version}) does not match the \
                 ResourceVersion in record ({}). The object might have been modified",
                entry.mod_revision
            );
            return Err(ApiError::conflict(target, &why));
        }
        Ok(())
    }

    /// Grace periods, which only Pods have.
    fn grace(
        &self,
        object: &mut Object,
        options: &DeleteOptions,
        now: pintle_apimachinery::Time,
    ) -> Grace {
        if !self.resource.behaviour.graceful {
            return Grace::None;
        }
        let later = |seconds: i64| {
            pintle_apimachinery::Time::from_unix(now.unix().saturating_add(seconds)).to_string()
        };
        let meta = metadata(object);
        if meta.contains_key("deletionTimestamp") {
            let current = meta.get("deletionGracePeriodSeconds").and_then(Value::as_i64);
            let current = current.unwrap_or(0);
            return match options.grace {
                _ if current == 0 => Grace::None,
                Some(shorter) if shorter < current => {
                    let meta = metadata_mut(object);
                    meta.insert("deletionTimestamp".to_owned(), later(shorter).into());
                    meta.insert("deletionGracePeriodSeconds".to_owned(), shorter.into());
                    if shorter == 0 { Grace::None } else { Grace::Waits }
                }
                _ => Grace::Pending,
            };
        }
        let period = options.grace.unwrap_or_else(|| {
            let own = at(object, "spec.terminationGracePeriodSeconds").and_then(Value::as_i64);
            own.unwrap_or(30)
        });
        let phase = at(object, "status.phase").and_then(Value::as_str).unwrap_or_default();
        let node = at(object, "spec.nodeName").and_then(Value::as_str).unwrap_or_default();
        // Nobody has to stop what runs nowhere or has ended.
        if period == 0 || node.is_empty() || matches!(phase, "Succeeded" | "Failed") {
            return Grace::None;
        }
        let meta = metadata_mut(object);
        meta.insert("deletionTimestamp".to_owned(), later(period).into());
        meta.insert("deletionGracePeriodSeconds".to_owned(), period.into());
        raise_generation(meta);
        Grace::Waits
    }

    /// Sets the finalizers of the garbage collector as the propagation policy asks.
    fn set_finalizers(&self, object: &mut Object, propagation: Option<Propagation>) {
        let finalizers = strings(metadata(object), "finalizers");
        let policy = propagation.unwrap_or_else(|| {
            if finalizers.contains(&ORPHAN) {
                Propagation::Orphan
            } else if finalizers.contains(&FOREGROUND) {
                Propagation::Foreground
            } else if self.resource.behaviour.orphans {
                Propagation::Orphan
            } else {
                Propagation::Background
            }
        });
        let others = finalizers.into_iter().filter(|name| ![ORPHAN, FOREGROUND].contains(name));
        let mut finalizers: Vec<Value> = others.map(Value::from).collect();
        match policy {
            Propagation::Background => {}
            Propagation::Foreground => finalizers.push(FOREGROUND.into()),
            Propagation::Orphan => finalizers.push(ORPHAN.into()),
        }
        let meta = metadata_mut(object);
        if finalizers.is_empty() {
            meta.remove("finalizers");
        } else {
            meta.insert("finalizers".to_owned(), finalizers.into());
        }
    }

    /// DELETE of a collection: one object after the other; what is deleted meanwhile is no error.
    ///
    /// # Cancel safety
    /// Objects deleted so far stay deleted.
    pub(crate) async fn delete_collection(&self, options: &DeleteOptions) -> ApiResult<Answer> {
        let answer = self.list().await?;
        if let Reply::List(page) = &answer.reply {
            for item in &page.items {
                let summary = &item.stored.summary;
                let info = crate::request::RequestInfo {
                    namespace: summary.namespace.clone(),
                    name: summary.name.clone(),
                    ..self.info.clone()
                };
                let one = Request { info: &info, ..*self };
                match one.delete_named(&summary.name, options) {
                    Err(error) if error.is_not_found() => {}
                    Err(error) => return Err(error),
                    Ok(_) => {}
                }
            }
        }
        Ok(answer)
    }

    /// Marks a namespace for deletion; the namespace controller ends it.
    fn delete_namespace(
        &self,
        name: &str,
        entry: &Entry,
        mut object: Object,
        options: &DeleteOptions,
    ) -> ApiResult<Option<Outcome>> {
        if ["default", "kube-system", "kube-public"].contains(&name) {
            let target = self.resource.target(name);
            return Err(ApiError::forbidden(target, "this namespace may not be deleted"));
        }
        let key = self.key(name);
        let finalizers = at(&object, "spec.finalizers").and_then(Value::as_array);
        let finished = finalizers.is_none_or(Vec::is_empty);
        if metadata(&object).contains_key("deletionTimestamp") {
            let own = strings(metadata(&object), "finalizers").is_empty();
            return if finished && own {
                self.remove(&key, entry, options.dry_run)
            } else {
                Ok(Some(Outcome::Waiting(Item::of(entry))))
            };
        }
        self.set_finalizers(&mut object, options.propagation);
        let now = self.core.now();
        metadata_mut(&mut object).insert("deletionTimestamp".to_owned(), now.into());
        object.insert("status".to_owned(), serde_json::json!({"phase": "Terminating"}));
        let stored = self.encode(object)?;
        if options.dry_run {
            let version = Some(entry.mod_revision);
            return Ok(Some(Outcome::Waiting(Item { stored, version, warnings: Vec::new() })));
        }
        let written = self.commit(&key, entry.mod_revision, Op::Put(key.clone(), stored));
        Ok(written.map(|entry| Outcome::Waiting(Item::of(&entry))))
    }
}

enum Grace {
    /// Deleted at once.
    None,
    /// The period starts, or is shortened.
    Waits,
    /// A period is running that this delete does not shorten.
    Pending,
}

fn raise_generation(meta: &mut Map<String, Value>) {
    if let Some(generation) = meta.get("generation").and_then(Value::as_i64)
        && generation > 0
    {
        meta.insert("generation".to_owned(), (generation + 1).into());
    }
}

fn mark_deleting(object: &mut Object, now: &str) {
    let meta = metadata_mut(object);
    if !meta.contains_key("deletionTimestamp") {
        raise_generation(meta);
        meta.insert("deletionTimestamp".to_owned(), now.into());
    } else if text(meta, "deletionTimestamp") > now {
        meta.insert("deletionTimestamp".to_owned(), now.into());
    }
    meta.insert("deletionGracePeriodSeconds".to_owned(), 0.into());
}

fn add_finalizer(object: &mut Object, name: &str) {
    let meta = metadata_mut(object);
    let mut finalizers: Vec<Value> =
        strings(meta, "finalizers").into_iter().map(Value::from).collect();
    if !finalizers.iter().any(|finalizer| finalizer == name) {
        finalizers.push(name.into());
        meta.insert("finalizers".to_owned(), finalizers.into());
    }
}
