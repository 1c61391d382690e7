//! Options of requests, and their form as query parameters.
//! Go: the `*Options` types of `k8s.io/apimachinery/pkg/apis/meta/v1`, and `ParameterCodec`.
//!
//! Each has `to_query`, which a client calls, and `from_query`, which a server calls: unknown parameters are
//! ignored, and the conversions and their errors are those of Go. Whether a combination makes sense is for
//! [`validate`](ListOptions::validate) to say.
//!
//! ```
//! use pintle_apimachinery::{ListOptions, QueryPairs};
//!
//! let options = ListOptions::labels("app=web").fields("spec.nodeName=n1").limit(500);
//! assert_eq!(options.query_string(), "fieldSelector=spec.nodeName%3Dn1&labelSelector=app%3Dweb&limit=500");
//!
//! let read = ListOptions::from_query(&QueryPairs::parse("labelSelector=app%3Dweb&limit=10&pretty=1"))?;
//! assert_eq!(read, ListOptions::labels("app=web").limit(10));
//! # Ok::<(), pintle_apimachinery::ParseError>(())
//! ```

use std::fmt;

use crate::Str;
use crate::parse_error::{ParseError, parse_int};
use crate::query::QueryPairs;

/// The only value that `dryRun` may have: every stage of the request runs, nothing is stored.
/// Go: `metav1.DryRunAll`.
pub const DRY_RUN_ALL: &str = "All";

/// What a list or watch returns. Go: `metav1.ListOptions`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListOptions {
    /// Only objects whose labels match, in the syntax of [`labels::Selector`](crate::labels::Selector).
    pub label_selector: Str,
    /// Only objects whose fields match, in the syntax of [`fields::Selector`](crate::fields::Selector).
    pub field_selector: Str,
    /// Follow changes instead of returning a list. Clients set this in their `watch` methods.
    pub watch: bool,
    /// Ask for events that only carry a resource version.
    pub allow_watch_bookmarks: bool,
    /// The version to list at or watch from. Empty: the newest; `0`: any.
    pub resource_version: Str,
    /// How `resource_version` binds a list: empty, `Exact` or `NotOlderThan`; see [`ResourceVersionMatch`].
    pub resource_version_match: Str,
    /// How long the server may work on a list or keep a watch open, in seconds.
    pub timeout_seconds: Option<i64>,
    /// The most objects a page holds; 0 for no limit.
    pub limit: i64,
    /// Where the next page begins: what the page before gave as `metadata.continue`. Go: `Continue`.
    pub continue_token: Str,
    /// Begin a watch with the objects there are, closed by a bookmark that is annotated
    /// `k8s.io/initial-events-end`.
    pub send_initial_events: Option<bool>,
    /// Only objects of one shard; alpha in Kubernetes 1.37.
    pub shard_selector: Str,
}

/// How a resource version binds a list. Go: `metav1.ResourceVersionMatch`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ResourceVersionMatch {
    /// At least as new as the version given.
    NotOlderThan,
    /// Exactly the version given.
    Exact,
}

/// What becomes of the objects that an object owns when it is deleted. Go: `metav1.DeletionPropagation`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DeletionPropagation {
    /// They stay.
    Orphan,
    /// They are deleted afterwards.
    Background,
    /// They are deleted first; until then the owner stays, with a deletion timestamp.
    Foreground,
}

/// Options of a get. Go: `metav1.GetOptions`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GetOptions {
    /// Empty: the newest; `0`: any version, for instance from a cache; else at least this version.
    pub resource_version: Str,
}

/// Options of a create. Go: `metav1.CreateOptions`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CreateOptions {
    /// [`DRY_RUN_ALL`], or nothing.
    pub dry_run: Vec<Str>,
    /// The name under which managed fields record the caller.
    pub field_manager: Str,
    /// What happens to unknown and duplicate fields: `Ignore`, `Warn` (the default) or `Strict`.
    pub field_validation: Str,
}

/// Options of an update. Go: `metav1.UpdateOptions`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UpdateOptions {
    /// [`DRY_RUN_ALL`], or nothing.
    pub dry_run: Vec<Str>,
    /// The name under which managed fields record the caller.
    pub field_manager: Str,
    /// What happens to unknown and duplicate fields: `Ignore`, `Warn` (the default) or `Strict`.
    pub field_validation: Str,
}

/// Options of a patch. Go: `metav1.PatchOptions`, and `metav1.ApplyOptions` for server-side apply.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PatchOptions {
    /// [`DRY_RUN_ALL`], or nothing.
    pub dry_run: Vec<Str>,
    /// Take fields over from other managers; only for server-side apply.
    pub force: Option<bool>,
    /// The name under which managed fields record the caller; server-side apply requires it.
    pub field_manager: Str,
    /// What happens to unknown and duplicate fields: `Ignore`, `Warn` (the default) or `Strict`.
    pub field_validation: Str,
}

/// Options of a delete; sent as the body of the request ([`to_json`](DeleteOptions::to_json)).
/// Go: `metav1.DeleteOptions`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeleteOptions {
    /// Seconds until the object is removed; `None` for the kind's default, 0 for now.
    pub grace_period_seconds: Option<i64>,
    /// What must hold of the object for it to be deleted.
    pub preconditions: Option<Preconditions>,
    /// Deprecated in favour of the propagation policy, and exclusive with it.
    pub orphan_dependents: Option<bool>,
    /// What becomes of owned objects; see [`DeletionPropagation`]. `None` for the kind's default.
    pub propagation_policy: Option<Str>,
    /// [`DRY_RUN_ALL`], or nothing.
    pub dry_run: Vec<Str>,
    /// Delete even if the stored object cannot be read. This loses data and skips finalizers.
    pub ignore_store_read_error_with_cluster_breaking_potential: Option<bool>,
}

/// What must hold of an object for a request to go ahead. Go: `metav1.Preconditions`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Preconditions {
    /// The UID the object must have.
    pub uid: Option<Str>,
    /// The resource version the object must have.
    pub resource_version: Option<Str>,
}

impl ResourceVersionMatch {
    /// The text of the option.
    pub const fn as_str(self) -> &'static str {
        match self {
            ResourceVersionMatch::NotOlderThan => "NotOlderThan",
            ResourceVersionMatch::Exact => "Exact",
        }
    }
}

impl DeletionPropagation {
    /// The text of the option.
    pub const fn as_str(self) -> &'static str {
        match self {
            DeletionPropagation::Orphan => "Orphan",
            DeletionPropagation::Background => "Background",
            DeletionPropagation::Foreground => "Foreground",
        }
    }

    /// The policy of this text, if it is one.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Orphan, Self::Background, Self::Foreground]
            .into_iter()
            .find(|policy| policy.as_str() == name)
    }
}

macro_rules! text_of_option {
    ($($type:ident)+) => {$(
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl From<$type> for Str {
            fn from(option: $type) -> Str {
                Str::new(option.as_str())
            }
        }
    )+};
}
text_of_option!(ResourceVersionMatch DeletionPropagation);

/// Methods that set one field each, named as the field.
macro_rules! setters {
    ($($(#[$doc:meta])* $field:ident: Str,)*) => {
        $($(#[$doc])* #[must_use] pub fn $field(mut self, $field: impl Into<Str>) -> Self { self.$field = $field.into(); self })*
    };
}

impl ListOptions {
    /// Everything.
    pub fn new() -> Self {
        Self::default()
    }

    /// Only objects whose labels match this selector; text or a [`labels::Selector`](crate::labels::Selector).
    pub fn labels(selector: impl Into<Str>) -> Self {
        ListOptions { label_selector: selector.into(), ..Self::default() }
    }

    /// Only objects whose fields match this selector; text or a [`fields::Selector`](crate::fields::Selector).
    #[must_use]
    pub fn fields(self, selector: impl Into<Str>) -> Self {
        self.field_selector(selector)
    }

    setters! {
        /// Sets the label selector.
        label_selector: Str,
        /// Sets the field selector.
        field_selector: Str,
        /// Sets the version to list at or watch from.
        resource_version: Str,
        /// Sets how the resource version binds; text or a [`ResourceVersionMatch`].
        resource_version_match: Str,
        /// Sets where the page begins.
        continue_token: Str,
        /// Sets the shard selector.
        shard_selector: Str,
    }

    /// Sets the most objects a page holds.
    #[must_use]
    pub fn limit(mut self, limit: i64) -> Self {
        self.limit = limit;
        self
    }

    /// Sets how long the server may take, in seconds.
    #[must_use]
    pub fn timeout_seconds(mut self, seconds: i64) -> Self {
        self.timeout_seconds = Some(seconds);
        self
    }

    /// Follow changes instead of returning a list.
    #[must_use]
    pub fn watch(mut self) -> Self {
        self.watch = true;
        self
    }

    /// Ask for bookmarks.
    #[must_use]
    pub fn allow_watch_bookmarks(mut self) -> Self {
        self.allow_watch_bookmarks = true;
        self
    }

    /// Begin a watch with the objects there are, as informers do: also sets what Go requires with it, a match
    /// of `NotOlderThan` and bookmarks.
    #[must_use]
    pub fn send_initial_events(mut self) -> Self {
        self.send_initial_events = Some(true);
        self.resource_version_match(ResourceVersionMatch::NotOlderThan).allow_watch_bookmarks()
    }

    /// Fills in what a server with watch-list assumes of a watch that says neither from where nor how to
    /// begin. Go: `internalversion.SetListOptionsDefaults`.
    pub fn set_defaults(&mut self, watch_list_enabled: bool) {
        let legacy = self.resource_version.is_empty() || self.resource_version.as_str() == "0";
        let silent = self.send_initial_events.is_none() && self.resource_version_match.is_empty();
        if watch_list_enabled && self.watch && legacy && silent {
            self.send_initial_events = Some(true);
            self.resource_version_match = ResourceVersionMatch::NotOlderThan.into();
        }
    }

    /// Appends these options to a query. What is at its default is left out. Go: `EncodeParameters`.
    pub fn to_query(&self, query: &mut QueryPairs) {
        put(query, "labelSelector", &self.label_selector);
        put(query, "fieldSelector", &self.field_selector);
        put_true(query, "watch", self.watch);
        put_true(query, "allowWatchBookmarks", self.allow_watch_bookmarks);
        put(query, "resourceVersion", &self.resource_version);
        put(query, "resourceVersionMatch", &self.resource_version_match);
        put_some(query, "timeoutSeconds", self.timeout_seconds);
        put_some(query, "limit", (self.limit != 0).then_some(self.limit));
        put(query, "continue", &self.continue_token);
        put_some(query, "sendInitialEvents", self.send_initial_events);
        put(query, "shardSelector", &self.shard_selector);
    }

    /// Reads the options from a query. Go: `DecodeParameters`.
    ///
    /// # Errors
    /// If `limit` or `timeoutSeconds` is not a 64-bit integer, in the words of Go's `strconv`.
    pub fn from_query(query: &QueryPairs) -> Result<Self, ParseError> {
        Ok(ListOptions {
            label_selector: text(query, "labelSelector"),
            field_selector: text(query, "fieldSelector"),
            watch: boolean(query, "watch").unwrap_or(false),
            allow_watch_bookmarks: boolean(query, "allowWatchBookmarks").unwrap_or(false),
            resource_version: text(query, "resourceVersion"),
            resource_version_match: text(query, "resourceVersionMatch"),
            timeout_seconds: integer(query, "timeoutSeconds")?,
            limit: integer(query, "limit")?.unwrap_or(0),
            continue_token: text(query, "continue"),
            send_initial_events: boolean(query, "sendInitialEvents"),
            shard_selector: text(query, "shardSelector"),
        })
    }
}

impl GetOptions {
    setters! {
        /// Sets the version.
        resource_version: Str,
    }

    /// Appends these options to a query. What is at its default is left out. Go: `EncodeParameters`.
    pub fn to_query(&self, query: &mut QueryPairs) {
        put(query, "resourceVersion", &self.resource_version);
    }

    /// Reads the options from a query. Go: `DecodeParameters`.
    ///
    /// # Errors
    /// None; a `Result` as its siblings have.
    pub fn from_query(query: &QueryPairs) -> Result<Self, ParseError> {
        Ok(GetOptions { resource_version: text(query, "resourceVersion") })
    }
}

macro_rules! write_options {
    ($($type:ident)+) => {$(
        impl $type {
            setters! {
                /// Sets the name under which managed fields record the caller.
                field_manager: Str,
                /// Sets what happens to unknown and duplicate fields: `Ignore`, `Warn` or `Strict`.
                field_validation: Str,
            }

            /// Run every stage of the request, but store nothing.
            #[must_use]
            pub fn dry_run(mut self) -> Self {
                self.dry_run = vec![Str::new(DRY_RUN_ALL)];
                self
            }

            /// Appends these options to a query. What is at its default is left out. Go: `EncodeParameters`.
            pub fn to_query(&self, query: &mut QueryPairs) {
                put_all(query, "dryRun", &self.dry_run);
                put(query, "fieldManager", &self.field_manager);
                put(query, "fieldValidation", &self.field_validation);
            }

            /// Reads the options from a query. Go: `DecodeParameters`.
            ///
            /// # Errors
            /// None; a `Result` as its siblings have.
            pub fn from_query(query: &QueryPairs) -> Result<Self, ParseError> {
                Ok($type {
                    dry_run: texts(query, "dryRun"),
                    field_manager: text(query, "fieldManager"),
                    field_validation: text(query, "fieldValidation"),
                })
            }
        }
    )+};
}
write_options!(CreateOptions UpdateOptions);

impl PatchOptions {
    /// The options of a server-side apply by this manager.
    pub fn apply(field_manager: impl Into<Str>) -> Self {
        PatchOptions { field_manager: field_manager.into(), ..Self::default() }
    }

    setters! {
        /// Sets the name under which managed fields record the caller.
        field_manager: Str,
        /// Sets what happens to unknown and duplicate fields: `Ignore`, `Warn` or `Strict`.
        field_validation: Str,
    }

    /// Take fields over from other managers.
    #[must_use]
    pub fn force(mut self) -> Self {
        self.force = Some(true);
        self
    }

    /// Run every stage of the request, but store nothing.
    #[must_use]
    pub fn dry_run(mut self) -> Self {
        self.dry_run = vec![Str::new(DRY_RUN_ALL)];
        self
    }

    /// Appends these options to a query. What is at its default is left out. Go: `EncodeParameters`.
    pub fn to_query(&self, query: &mut QueryPairs) {
        put_all(query, "dryRun", &self.dry_run);
        put_some(query, "force", self.force);
        put(query, "fieldManager", &self.field_manager);
        put(query, "fieldValidation", &self.field_validation);
    }

    /// Reads the options from a query. Go: `DecodeParameters`.
    ///
    /// # Errors
    /// None; a `Result` as its siblings have.
    pub fn from_query(query: &QueryPairs) -> Result<Self, ParseError> {
        Ok(PatchOptions {
            dry_run: texts(query, "dryRun"),
            force: boolean(query, "force"),
            field_manager: text(query, "fieldManager"),
            field_validation: text(query, "fieldValidation"),
        })
    }
}

impl DeleteOptions {
    /// Delete owned objects afterwards.
    pub fn background() -> Self {
        Self::default().propagation_policy(DeletionPropagation::Background)
    }

    /// Delete owned objects first.
    pub fn foreground() -> Self {
        Self::default().propagation_policy(DeletionPropagation::Foreground)
    }

    /// Keep owned objects.
    pub fn orphan() -> Self {
        Self::default().propagation_policy(DeletionPropagation::Orphan)
    }

    /// Sets what becomes of owned objects; text or a [`DeletionPropagation`].
    #[must_use]
    pub fn propagation_policy(mut self, policy: impl Into<Str>) -> Self {
        self.propagation_policy = Some(policy.into());
        self
    }

    /// Sets the seconds until the object is removed.
    #[must_use]
    pub fn grace_period_seconds(mut self, seconds: i64) -> Self {
        self.grace_period_seconds = Some(seconds);
        self
    }

    /// Sets what must hold of the object.
    #[must_use]
    pub fn preconditions(mut self, preconditions: Preconditions) -> Self {
        self.preconditions = Some(preconditions);
        self
    }

    /// Run every stage of the request, but store nothing.
    #[must_use]
    pub fn dry_run(mut self) -> Self {
        self.dry_run = vec![Str::new(DRY_RUN_ALL)];
        self
    }

    /// The body of a delete request: JSON with `kind` and `apiVersion` `v1`, which every group accepts.
    pub fn to_json(&self) -> String {
        use serde_json::{Map, Value};
        let mut body = Map::new();
        body.insert("kind".into(), "DeleteOptions".into());
        body.insert("apiVersion".into(), "v1".into());
        let mut put =
            |key: &str, value: Option<Value>| value.map(|value| body.insert(key.into(), value));
        put("gracePeriodSeconds", self.grace_period_seconds.map(Value::from));
        put("preconditions", self.preconditions.as_ref().map(Preconditions::to_value));
        put("orphanDependents", self.orphan_dependents.map(Value::from));
        put(
            "propagationPolicy",
            self.propagation_policy.as_ref().map(|policy| policy.as_str().into()),
        );
        let dry_run = || self.dry_run.iter().map(|stage| Value::from(stage.as_str())).collect();
        put("dryRun", (!self.dry_run.is_empty()).then(dry_run));
        put(
            "ignoreStoreReadErrorWithClusterBreakingPotential",
            self.ignore_store_read_error_with_cluster_breaking_potential.map(Value::from),
        );
        Value::Object(body).to_string()
    }

    /// Appends these options to a query, for the rare server that wants them there; the preconditions become
    /// `uid` and `resourceVersion`.
    pub fn to_query(&self, query: &mut QueryPairs) {
        put_some(query, "gracePeriodSeconds", self.grace_period_seconds);
        if let Some(preconditions) = &self.preconditions {
            put_some(query, "uid", preconditions.uid.as_ref().map(Str::as_str));
            put_some(
                query,
                "resourceVersion",
                preconditions.resource_version.as_ref().map(Str::as_str),
            );
        }
        put_some(query, "orphanDependents", self.orphan_dependents);
        put_some(query, "propagationPolicy", self.propagation_policy.as_ref().map(Str::as_str));
        put_all(query, "dryRun", &self.dry_run);
        put_some(
            query,
            "ignoreStoreReadErrorWithClusterBreakingPotential",
            self.ignore_store_read_error_with_cluster_breaking_potential,
        );
    }

    /// Reads the options from a query: what a server uses when a delete has no body.
    ///
    /// # Errors
    /// If `gracePeriodSeconds` is not a 64-bit integer, in the words of Go's `strconv`.
    pub fn from_query(query: &QueryPairs) -> Result<Self, ParseError> {
        let some = |key| Some(text(query, key)).filter(|value| !value.is_empty());
        let preconditions =
            Preconditions { uid: some("uid"), resource_version: some("resourceVersion") };
        Ok(DeleteOptions {
            grace_period_seconds: integer(query, "gracePeriodSeconds")?,
            preconditions: (preconditions != Preconditions::default()).then_some(preconditions),
            orphan_dependents: boolean(query, "orphanDependents"),
            propagation_policy: query.get("propagationPolicy").map(Str::new),
            dry_run: texts(query, "dryRun"),
            ignore_store_read_error_with_cluster_breaking_potential: boolean(
                query,
                "ignoreStoreReadErrorWithClusterBreakingPotential",
            ),
        })
    }
}

impl Preconditions {
    /// The object must have this UID. Go: `NewUIDPreconditions`.
    pub fn uid(uid: impl Into<Str>) -> Self {
        Preconditions { uid: Some(uid.into()), resource_version: None }
    }

    /// The object must have this resource version. Go: `NewRVDeletionPrecondition`.
    pub fn resource_version(version: impl Into<Str>) -> Self {
        Preconditions { uid: None, resource_version: Some(version.into()) }
    }

    fn to_value(&self) -> serde_json::Value {
        let fields = [("uid", &self.uid), ("resourceVersion", &self.resource_version)];
        let present = |(key, value): (&str, &Option<Str>)| {
            value.as_ref().map(|value| (key.to_owned(), serde_json::Value::from(value.as_str())))
        };
        serde_json::Value::Object(fields.into_iter().filter_map(present).collect())
    }
}

macro_rules! query_strings {
    ($($type:ident)+) => {$(
        impl $type {
            /// These options alone as the text after `?`, sorted by key and percent-encoded.
            pub fn query_string(&self) -> String {
                let mut query = QueryPairs::new();
                self.to_query(&mut query);
                query.encode()
            }
        }
    )+};
}
query_strings!(ListOptions GetOptions CreateOptions UpdateOptions PatchOptions DeleteOptions);

fn put(query: &mut QueryPairs, key: &'static str, value: &Str) {
    if !value.is_empty() {
        query.push(key, value.as_str());
    }
}

fn put_true(query: &mut QueryPairs, key: &'static str, value: bool) {
    if value {
        query.push(key, "true");
    }
}

fn put_some(query: &mut QueryPairs, key: &'static str, value: Option<impl ToString>) {
    if let Some(value) = value {
        query.push(key, value.to_string());
    }
}

fn put_all(query: &mut QueryPairs, key: &'static str, values: &[Str]) {
    for value in values {
        put(query, key, value);
    }
}

fn text(query: &QueryPairs, key: &str) -> Str {
    query.get(key).map(Str::new).unwrap_or_default()
}

fn texts(query: &QueryPairs, key: &str) -> Vec<Str> {
    query.get_all(key).map(Str::new).collect()
}

fn integer(query: &QueryPairs, key: &str) -> Result<Option<i64>, ParseError> {
    query.get(key).map(|value| parse_int(value, "ParseInt")).transpose()
}

/// Anything but `0` and `false` (in any case) is true, the empty text too.
fn boolean(query: &QueryPairs, key: &str) -> Option<bool> {
    // Go folds case by Unicode, where the long s is an s.
    let folded = |c: char| if c == 'ſ' { 's' } else { c.to_ascii_lowercase() };
    query.get(key).map(|value| value != "0" && !value.chars().map(folded).eq("false".chars()))
}

#[cfg(test)]
mod tests;
