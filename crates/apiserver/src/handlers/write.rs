//! Create and update: what the server sets, checks and keeps.
//!
//! Go counterpart: `registry.Store.Create` and `Update`, `rest.BeforeCreate` and `BeforeUpdate`.

use std::sync::Arc;

use pintle_apimachinery::validation::FieldError;
use serde_json::{Map, Value};

use super::options::{WriteOptions, parse_uint};
use super::{Item, Request};
use crate::core::Entry;
use crate::object::{Object, Stored, at, metadata, metadata_mut, set_text, strings, text};
use crate::registry::{definition_warnings, finalizer_warnings, name_of};
use crate::status::{ApiError, ApiResult};
use crate::storage::{Compare, Op, Revision, Storage, Txn};
use crate::{kinds, managed, validate};

/// How an update treats the object it is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// Everything but the status (where there is a status subresource).
    Main,
    /// Only the status.
    Status,
    /// Only a namespace's `spec.finalizers`.
    Finalize,
    /// Only the conditions of a CertificateSigningRequest.
    Approval,
}

/// Bytes of a custom resource. Go: etcd's `--max-request-bytes`, less what is written beside it.
const MAX_STORED: usize = (3 << 19) - 512;

/// Attempts to find a free name for `metadata.generateName`.
const NAME_ATTEMPTS: usize = 8;

impl Request<'_> {
    /// Creates an object of the request's namespace.
    pub(crate) fn create(&self, mut object: Object, options: WriteOptions) -> ApiResult<Item> {
        let resource = self.resource;
        let meta = metadata_mut(&mut object);
        for key in ["selfLink", "deletionTimestamp", "deletionGracePeriodSeconds"] {
            meta.remove(key);
        }
        self.manage(None, &mut object);
        let meta = metadata_mut(&mut object);
        // What is no version at all is not looked at, and without a write none is.
        let version = text(meta, "resourceVersion").parse::<Revision>();
        let versioned = !options.dry_run && version.is_ok_and(|version| version > 0);
        meta.remove("resourceVersion");
        meta.insert("creationTimestamp".to_owned(), self.core.now().into());
        meta.insert("uid".to_owned(), self.core.uid().into());
        self.check_namespace(&mut object)?;
        if let Some(custom) = &resource.custom
            && custom.terminating
        {
            let why = "create not allowed while custom resource definition is terminating";
            return Err(ApiError::forbidden(resource.target(name_of(&object)), why));
        }
        let named = match name_of(&object) {
            "" => text(metadata(&object), "generateName"),
            name => name,
        };
        self.namespace_accepts(named)?;
        let generate = text(metadata(&object), "generateName").to_owned();
        let generated = name_of(&object).is_empty() && !generate.is_empty();
        for attempt in 1.. {
            let mut object = object.clone();
            if generated {
                let name = self.core.generate_name(&generate);
                set_text(metadata_mut(&mut object), "name", &name);
            }
            match self.create_named(object, options, versioned) {
                Err(error) if generated && error.is_already_exists() => {
                    if attempt == NAME_ATTEMPTS {
                        let name = generate.as_str();
                        return Err(ApiError::generate_name_conflict(resource.target(name)));
                    }
                }
                result => return result,
            }
        }
        unreachable!("the loop ends by returning")
    }

    fn create_named(
        &self,
        mut object: Object,
        options: WriteOptions,
        versioned: bool,
    ) -> ApiResult<Item> {
        let resource = self.resource;
        let name = name_of(&object).to_owned();
        self.admit(&mut object, None)?;
        let _addresses = self.give_addresses(&mut object, None)?;
        kinds::prepare_create(resource, &mut object);
        self.default_custom(&mut object);
        let errors = validate::object(resource, &object, None, false);
        if !errors.is_empty() {
            return Err(ApiError::invalid(&resource.group, &resource.kind, &name, &errors));
        }
        self.admit_valid(&object, None)?;
        if versioned {
            return Err(ApiError::unknown(
                "resourceVersion should not be set on objects to be created",
            ));
        }
        let warnings = self.warnings(&object, None);
        let stored = self.encode(object)?;
        let key = self.key(&name);
        let taken = || {
            let error = ApiError::already_exists(resource.target(&name));
            Err(match self.core.store.get(&self.key(&name)) {
                Some(entry) if entry.value.summary.deleting => {
                    error.prefixed("object is being deleted: ")
                }
                _ => error,
            })
        };
        if options.dry_run {
            return match self.core.store.get(&key) {
                Some(_) => taken(),
                None => Ok(Item { stored, version: None, warnings }),
            };
        }
        match self.commit(&key, 0, Op::Put(key.clone(), stored)) {
            Some(entry) => Ok(Item { warnings, ..Item::of(&entry) }),
            None => taken(),
        }
    }

    /// PUT of one object; answers whether it was created.
    pub(crate) fn put(
        &self,
        object: Object,
        part: Part,
        options: WriteOptions,
    ) -> ApiResult<(Item, bool)> {
        let resource = self.resource;
        let mut probe = object.clone();
        self.check_namespace(&mut probe)?;
        self.check_name(&probe)?;
        let name = self.info.name.as_str();
        let uid = text(metadata(&object), "uid").to_owned();
        let may_create = resource.behaviour.create_on_update && part == Part::Main;
        self.update(name, part, options, may_create, &mut |old| {
            let record = old.map_or("", |old| text(metadata(old), "uid"));
            if !uid.is_empty() && uid != record {
                let why = format!(
                    "StorageError: invalid object, Code: 4, Key: {}, ResourceVersion: 0, \
                     AdditionalErrorMsg: Precondition failed: UID in precondition: {uid}, UID in \
                     object meta: {record}",
                    self.key(name)
                );
                return Err(ApiError::conflict(resource.target(name), &why));
            }
            Ok(object.clone())
        })
    }

    /// Updates one object. `change` is given the stored object, in the request's version and with
    /// its resource version, or `None` when there is none and it may be created.
    ///
    /// Answers the new object and whether it was created. When the update removes the last
    /// finalizer of an object being deleted, the object is deleted.
    pub(crate) fn update(
        &self,
        name: &str,
        part: Part,
        options: WriteOptions,
        may_create: bool,
        change: &mut dyn FnMut(Option<&Object>) -> ApiResult<Object>,
    ) -> ApiResult<(Item, bool)> {
        let resource = self.resource;
        let key = self.key(name);
        loop {
            let Some(entry) = self.core.store.get(&key) else {
                if !may_create {
                    return Err(ApiError::not_found(resource.target(name)));
                }
                let mut object = change(None)?;
                metadata_mut(&mut object).remove("resourceVersion");
                return Ok((self.create(object, options)?, true));
            };
            let old = resource.object(&entry.value, Some(entry.mod_revision));
            let mut shown = old.clone();
            resource.convert_from_storage(&mut shown);
            let new = change(Some(&shown))?;
            match self.update_once(name, &key, part, options, &entry, old, new)? {
                Some(item) => return Ok((item, false)),
                // Somebody else was faster: again, on what is there now.
                None => continue,
            }
        }
    }

    #[allow(clippy::too_many_arguments)]
    fn update_once(
        &self,
        name: &str,
        key: &str,
        part: Part,
        options: WriteOptions,
        entry: &Entry,
        old: Object,
        mut new: Object,
    ) -> ApiResult<Option<Item>> {
        let resource = self.resource;
        let behaviour = &resource.behaviour;
        self.check_version(name, &new, entry.mod_revision)?;
        self.check_namespace(&mut new)?;
        self.manage(Some(&old), &mut new);
        let mut object = match part {
            Part::Main => {
                if resource.has_status() {
                    match old.get("status") {
                        Some(status) => new.insert("status".to_owned(), status.clone()),
                        None => new.remove("status"),
                    };
                }
                new
            }
            Part::Status => {
                let mut object = old.clone();
                match new.shift_remove("status") {
                    Some(status) => object.insert("status".to_owned(), status),
                    None => object.shift_remove("status"),
                };
                if let Some(meta) = new.shift_remove("metadata") {
                    object.insert("metadata".to_owned(), meta);
                }
                let old_meta = metadata(&old);
                let meta = metadata_mut(&mut object);
                for key in behaviour.status_keeps {
                    match old_meta.get(*key) {
                        Some(value) => meta.insert((*key).to_owned(), value.clone()),
                        None => meta.shift_remove(*key),
                    };
                }
                object
            }
            Part::Finalize => {
                match old.get("status") {
                    Some(status) => new.insert("status".to_owned(), status.clone()),
                    None => new.remove("status"),
                };
                new
            }
            Part::Approval => {
                super::certificates::approved(&old, &mut new, &self.core.now());
                new
            }
        };
        let _addresses = match part {
            Part::Main => {
                self.admit(&mut object, Some(&old))?;
                kinds::count(resource, &mut object, &old);
                self.give_addresses(&mut object, Some(&old))?
            }
            Part::Status => {
                kinds::prepare_status(resource, &mut object, &old, &self.core.now());
                None
            }
            Part::Finalize | Part::Approval => None,
        };
        match (part, behaviour.prepare_update, behaviour.prepare_finalize) {
            (Part::Main, Some(prepare), _) | (Part::Finalize, _, Some(prepare)) => {
                prepare(&mut object, &old);
            }
            _ => {}
        }
        let old_meta = metadata(&old);
        let meta = metadata_mut(&mut object);
        meta.remove("resourceVersion");
        meta.remove("selfLink");
        if text(meta, "uid").is_empty() {
            set_text(meta, "uid", text(old_meta, "uid"));
        }
        for key in ["creationTimestamp", "deletionTimestamp", "generation"] {
            // A deletion time that the object did not have is refused below.
            match old_meta.get(key) {
                Some(value) => {
                    meta.insert(key.to_owned(), value.clone());
                }
                None if key != "deletionTimestamp" => {
                    meta.remove(key);
                }
                None => {}
            }
        }
        if let Some(grace) = old_meta.get("deletionGracePeriodSeconds") {
            meta.entry("deletionGracePeriodSeconds").or_insert_with(|| grace.clone());
        }
        self.default_custom(&mut object);
        if kinds::counts(resource, &object, &old)
            || (part == Part::Main
                && behaviour.counts_annotations
                && metadata(&object).get("annotations") != old_meta.get("annotations"))
        {
            let generation = old_meta.get("generation").and_then(Value::as_i64).unwrap_or(0);
            metadata_mut(&mut object).insert("generation".to_owned(), (generation + 1).into());
        }
        let mut errors = validate::object(resource, &object, Some(&old), part == Part::Status);
        if part == Part::Finalize {
            errors.extend(validate::spec_finalizers(&object));
        }
        if !errors.is_empty() {
            return Err(ApiError::invalid(&resource.group, &resource.kind, name, &errors));
        }
        if part == Part::Main {
            self.admit_valid(&object, Some(&old))?;
        }
        managed::keep_times(&mut object, &old);
        let gone = deletes(&object, old_meta, behaviour.spec_finalizers);
        let warnings = match part {
            Part::Main => self.warnings(&object, Some(&old)),
            _ => Vec::new(),
        };
        let stored = self.encode(object)?;
        if options.dry_run {
            return Ok(Some(Item { stored, version: Some(entry.mod_revision), warnings }));
        }
        if gone {
            let deleted = self.commit(key, entry.mod_revision, Op::Delete(key.to_owned()));
            // The answer is the object as sent, with the version it was deleted at.
            let version = Some(entry.mod_revision);
            return Ok(deleted.map(|_| Item { stored, version, warnings }));
        }
        if stored.same(&entry.value) {
            return Ok(Some(Item { warnings, ..Item::of(entry) }));
        }
        let written = self.commit(key, entry.mod_revision, Op::Put(key.to_owned(), stored));
        Ok(written.map(|entry| Item { warnings, ..Item::of(&entry) }))
    }

    /// Does one write if the key is still at `revision`; `None` when it is not.
    pub(crate) fn commit(
        &self,
        key: &str,
        revision: Revision,
        op: Op<Arc<Stored>>,
    ) -> Option<Entry> {
        let compare = vec![Compare::ModRevision(key.to_owned(), revision)];
        let txn = Txn { compare, success: vec![op], failure: vec![] };
        let response = self.core.store.txn(txn);
        if !response.succeeded {
            return None;
        }
        let entry = response.kvs.into_iter().next().flatten();
        self.core.after_write(self.resource);
        entry
    }

    /// The object in the form it is stored in.
    pub(crate) fn encode(&self, object: Object) -> ApiResult<Arc<Stored>> {
        let resource = self.resource;
        if let Some(custom) = &resource.custom {
            let mut object = object;
            custom.store(&mut object);
            let fields = resource.field_values(&object);
            let stored = Stored::custom(&object, fields, custom.stored_id());
            // As etcd bounds its requests. Nothing else can be as large: built-in kinds that
            // hold data bound it themselves.
            return match stored.weight() > MAX_STORED {
                true => Err(ApiError::unknown("etcdserver: request is too large")),
                false => Ok(stored),
            };
        }
        let (api_version, kind) = (resource.storage_api_version(), &resource.kind);
        let typed = &self.core.typed;
        let mut object =
            typed.normalize_stored(object, &api_version, kind).map_err(ApiError::internal)?;
        if resource.converts()
            && let Some(desc) = typed.desc(&api_version, kind)
        {
            // It was read in another version, with the defaults of that.
            kinds::default(&mut object, desc, &api_version, &self.core.now());
            object = typed.normalize(object, &api_version, kind).map_err(ApiError::internal)?;
        }
        let fields = resource.field_values(&object);
        Ok(Stored::new(&object, fields))
    }

    /// The namespace of the object is that of the request, or none.
    fn check_namespace(&self, object: &mut Object) -> ApiResult<()> {
        let wanted = self.namespace().to_owned();
        let meta = metadata_mut(object);
        if !self.resource.namespaced {
            // Sent for what is in no namespace, it is not looked at.
            meta.shift_remove("namespace");
            return Ok(());
        }
        let given = text(meta, "namespace");
        if given.is_empty() {
            set_text(meta, "namespace", &wanted);
            return Ok(());
        }
        if given != wanted {
            return Err(ApiError::bad_request(
                "the namespace of the provided object does not match the namespace sent on the \
                 request",
            ));
        }
        Ok(())
    }

    fn check_version(&self, name: &str, new: &Object, current: Revision) -> ApiResult<()> {
        let resource = self.resource;
        let given = text(metadata(new), "resourceVersion");
        let given: Revision = match given {
            "" => 0,
            given => given.parse().map_err(|_| ApiError::unknown(parse_uint(given)))?,
        };
        if given == 0 {
            if resource.behaviour.unconditional_update {
                return Ok(());
            }
            let error = FieldError::invalid(
                "metadata.resourceVersion",
                0,
                "must be specified for an update",
            );
            return Err(ApiError::invalid(&resource.group, &resource.plural, name, &[error]));
        }
        if given != current {
            return Err(ApiError::modified(resource.target(name)));
        }
        Ok(())
    }

    /// Fills in what a custom resource's schema has as defaults.
    fn default_custom(&self, object: &mut Object) {
        let custom = self.resource.custom.as_ref();
        if let Some(schema) = custom.and_then(|custom| custom.schema.as_ref()) {
            schema.default(object);
        }
    }

    /// What is told of an object that is written, beside that it is.
    fn warnings(&self, object: &Object, old: Option<&Object>) -> Vec<String> {
        let resource = self.resource;
        if resource.custom.is_some() {
            return finalizer_warnings(object, old);
        }
        match (resource.group.as_str(), resource.plural.as_str()) {
            ("apiextensions.k8s.io", "customresourcedefinitions") => {
                definition_warnings(object, old)
            }
            _ => Vec::new(),
        }
    }
}

/// Whether an update ends the deletion of an object: it has no finalizer left, and its grace
/// period is over.
fn deletes(new: &Object, old_meta: &Map<String, Value>, spec_finalizers: bool) -> bool {
    let grace = old_meta.get("deletionGracePeriodSeconds").and_then(Value::as_i64).unwrap_or(0);
    let spec_done = !spec_finalizers
        || !matches!(at(new, "spec.finalizers"), Some(Value::Array(list)) if !list.is_empty());
    old_meta.contains_key("deletionTimestamp")
        && grace == 0
        && strings(metadata(new), "finalizers").is_empty()
        && spec_done
}
