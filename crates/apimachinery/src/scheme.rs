//! [`Scheme`]: which Rust type a kind is, and what is done with its objects.
//! Go: `runtime.Scheme`.
use crate::conversion::Conversion;
use crate::validation::FieldErrors;
use crate::{
    AnyKind, AnyUnstructured, Codec, Decoder, Envelope, Error, Format, GroupVersion,
    GroupVersionKind, INTERNAL_VERSION, Kind,
};
use std::any::{Any, TypeId};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

type DecodeFn = fn(&[u8], Format, &mut Decoder) -> Result<Box<dyn AnyKind>, Error>;
type DefaultFn = Arc<dyn Fn(&mut dyn AnyKind) + Send + Sync>;
type ValidateFn = Arc<dyn Fn(&dyn AnyKind, Option<&dyn AnyKind>) -> FieldErrors + Send + Sync>;
type LabelFn = Arc<dyn Fn(&str, &str) -> Result<(String, String), Error> + Send + Sync>;

#[derive(Clone)]
struct Entry {
    decode: DecodeFn,
    type_id: TypeId,
    type_name: &'static str,
}

fn entry_of<T: AnyKind + Codec>() -> Entry {
    Entry {
        decode: |b, f, cx| T::decode(b, f, cx).map(|t| Box::new(t) as Box<dyn AnyKind>),
        type_id: TypeId::of::<T>(),
        type_name: std::any::type_name::<T>(),
    }
}

/// Kinds and their types, both ways; and per type, defaults, validation and conversions.
///
/// A type may have several kinds; a type registered as unversioned (`Status`) is the same in every
/// version. Types of the internal version ([`INTERNAL_VERSION`]) are the hub of conversions:
/// [`Scheme::convert`].
///
/// ```
/// use pintle_apimachinery::{AnyKind, Format, PartialObjectMetadata, Scheme, Status};
/// let mut scheme = Scheme::new();
/// scheme.register::<Status>();
/// let body = br#"{"kind":"Status","apiVersion":"v1","reason":"NotFound","code":404}"#;
/// let object = scheme.decode(body, Format::Json)?;
/// let status = object.into_any().downcast::<Status>().unwrap();
/// assert_eq!(status.reason, "NotFound");
/// assert_eq!(scheme.kinds_of::<Status>()[0].kind, "Status");
/// assert!(scheme.kinds_of::<PartialObjectMetadata>().is_empty());
/// # Ok::<(), pintle_apimachinery::Error>(())
/// ```
#[derive(Clone, Default)]
pub struct Scheme {
    kinds: BTreeMap<GroupVersionKind, Entry>,
    types: HashMap<TypeId, Vec<GroupVersionKind>>,
    unversioned: HashMap<TypeId, GroupVersionKind>,
    priority: BTreeMap<String, Vec<GroupVersion>>,
    observed: Vec<GroupVersion>,
    defaults: HashMap<TypeId, DefaultFn>,
    validations: HashMap<TypeId, ValidateFn>,
    labels: HashMap<GroupVersionKind, LabelFn>,
    pub(crate) conversions: HashMap<(TypeId, TypeId), Conversion>,
}

impl Scheme {
    /// A scheme that knows no kind.
    pub fn new() -> Self {
        Self::default()
    }
    /// Adds a kind under its own name. Go: `AddKnownTypes`.
    ///
    /// # Panics
    /// When the name is taken by another type: two types for one kind are a mistake of the
    /// program. [`Scheme::try_register_as`] gives an error instead.
    pub fn register<T: Kind>(&mut self) -> &mut Self {
        self.must_insert(T::GROUP, T::VERSION, T::KIND, entry_of::<T>());
        self
    }
    fn must_insert(
        &mut self,
        group: &'static str,
        version: &'static str,
        kind: &'static str,
        entry: Entry,
    ) {
        if let Err(e) = self.insert(GroupVersionKind::from_static(group, version, kind), entry) {
            panic!("{e}");
        }
    }
    /// Adds a type under any name; a type may have several. Go: `AddKnownTypeWithName`.
    ///
    /// # Errors
    /// The name is taken by another type.
    pub fn try_register_as<T: AnyKind + Codec>(
        &mut self,
        gvk: GroupVersionKind,
    ) -> Result<(), Error> {
        self.insert(gvk, entry_of::<T>())
    }
    /// Adds a kind that is the same in every version of every group, and is never converted.
    /// Go: `AddUnversionedTypes`.
    ///
    /// # Errors
    /// The name, or the kind as an unversioned one, is taken by another type.
    pub fn register_unversioned<T: Kind>(&mut self) -> Result<(), Error> {
        let gvk = T::gvk_of();
        let taken = self
            .unversioned
            .iter()
            .find(|(id, known)| known.kind == gvk.kind && **id != TypeId::of::<T>());
        if let Some((_, known)) = taken {
            return Err(Error::invalid(format!(
                "{known} has been registered as unversioned kind {:?} already",
                known.kind
            )));
        }
        self.insert(gvk.clone(), entry_of::<T>())?;
        self.unversioned.insert(TypeId::of::<T>(), gvk);
        Ok(())
    }
    /// The part that does not depend on the type, compiled once.
    fn insert(&mut self, gvk: GroupVersionKind, entry: Entry) -> Result<(), Error> {
        if gvk.version.is_empty() {
            return Err(Error::invalid(format!("version is required on all types: {gvk}")));
        }
        if let Some(old) = self.kinds.get(&gvk) {
            if old.type_id == entry.type_id {
                return Ok(());
            }
            return Err(Error::invalid(format!(
                "the scheme has {gvk} as {} already and cannot take it as {}",
                old.type_name, entry.type_name
            )));
        }
        let gv = gvk.group_version();
        if gv.version != INTERNAL_VERSION && !self.observed.contains(&gv) {
            self.observed.push(gv);
        }
        self.types.entry(entry.type_id).or_default().push(gvk.clone());
        self.kinds.insert(gvk, entry);
        Ok(())
    }
    /// Adds the kinds of meta/v1 that belong to no group: Status, discovery, request options, and
    /// those of meta.k8s.io. Go: `metav1.AddToGroupVersion` and `AddMetaToScheme`.
    pub fn register_meta(&mut self) -> &mut Self {
        use crate::meta_v1 as m;
        self.register::<m::CreateOptions>()
            .register::<m::DeleteOptions>()
            .register::<m::GetOptions>()
            .register::<m::ListOptions>()
            .register::<m::PatchOptions>()
            .register::<m::UpdateOptions>()
            .register::<m::Table>()
            .register::<m::TableOptions>()
            .register::<m::PartialObjectMetadata>()
            .register::<m::PartialObjectMetadataList>();
        let results = [
            self.register_unversioned::<m::Status>(),
            self.register_unversioned::<m::APIVersions>(),
            self.register_unversioned::<m::APIGroup>(),
            self.register_unversioned::<m::APIGroupList>(),
            self.register_unversioned::<m::APIResourceList>(),
        ];
        for result in results {
            if let Err(e) = result {
                panic!("{e}");
            }
        }
        self
    }
    /// Whether the kind is known. Go: `Recognizes`.
    pub fn recognizes(&self, gvk: &GroupVersionKind) -> bool {
        self.kinds.contains_key(gvk)
    }
    /// The names of a type, in the order they were added. Go: `ObjectKinds`.
    pub fn kinds_of<T: 'static>(&self) -> &[GroupVersionKind] {
        self.names(TypeId::of::<T>())
    }
    pub(crate) fn names(&self, id: TypeId) -> &[GroupVersionKind] {
        self.types.get(&id).map_or(&[], |v| v)
    }
    /// The names of an object's type. Go: `ObjectKinds`.
    ///
    /// # Errors
    /// The type is not in the scheme ([`Error::is_not_registered`]).
    pub fn object_kinds(&self, object: &dyn AnyKind) -> Result<Vec<GroupVersionKind>, Error> {
        if let Some(gvk) = untyped(object) {
            return match gvk {
                gvk if gvk.kind.is_empty() => Err(crate::unstructured::missing_kind()),
                gvk if gvk.version.is_empty() => Err(crate::unstructured::missing_version()),
                gvk => Ok(vec![gvk]),
            };
        }
        match self.names((object as &dyn Any).type_id()) {
            [] => Err(Error::not_registered(format!(
                "no kind is registered for the type of {} in this scheme",
                object.gvk()
            ))),
            names => Ok(names.to_vec()),
        }
    }
    /// Whether the type of an object is the same in every version; none when it is not known.
    /// Go: `IsUnversioned`.
    pub fn is_unversioned(&self, object: &dyn AnyKind) -> Option<bool> {
        let id = (object as &dyn Any).type_id();
        self.types.get(&id).map(|_| self.unversioned.contains_key(&id))
    }
    /// Every known kind, in order. Go: `AllKnownTypes`.
    pub fn kinds(&self) -> impl Iterator<Item = &GroupVersionKind> {
        self.kinds.keys()
    }
    /// The Rust type of a kind, for messages.
    pub fn type_name(&self, gvk: &GroupVersionKind) -> Option<&'static str> {
        self.kinds.get(gvk).map(|e| e.type_name)
    }
    /// Puts the versions of one group in order; those not named follow as they were registered.
    /// Go: `SetVersionPriority`.
    ///
    /// # Errors
    /// The versions are not of one group, or the internal version is among them.
    pub fn set_version_priority(&mut self, versions: &[GroupVersion]) -> Result<(), Error> {
        let wrong = |v: &&GroupVersion| v.version.is_empty() || v.version == INTERNAL_VERSION;
        if let Some(v) = versions.iter().find(wrong) {
            return Err(Error::invalid(format!("internal versions cannot be prioritized: {v}")));
        }
        let mut groups: Vec<&str> = versions.iter().map(|v| &*v.group).collect();
        groups.sort_unstable();
        groups.dedup();
        let [group] = groups[..] else {
            return Err(Error::invalid(format!(
                "must register versions for exactly one group: {}",
                groups.join(", ")
            )));
        };
        self.priority.insert(group.to_owned(), versions.to_vec());
        Ok(())
    }
    /// The versions of a group, the most preferred first. Go: `PrioritizedVersionsForGroup`.
    pub fn versions_of_group(&self, group: &str) -> Vec<GroupVersion> {
        let mut out = self.priority.get(group).cloned().unwrap_or_default();
        for v in self.observed.iter().filter(|v| v.group == group) {
            if !out.contains(v) {
                out.push(v.clone());
            }
        }
        out
    }
    /// All versions, those of a group in their order. Go: `PrioritizedVersionsAllGroups`.
    pub fn versions(&self) -> Vec<GroupVersion> {
        let mut out: Vec<_> = self.priority.values().flatten().cloned().collect();
        for v in &self.observed {
            if !out.contains(v) {
                out.push(v.clone());
            }
        }
        out
    }
    /// The most preferred version of each group. Go: `PreferredVersionAllGroups`.
    pub fn preferred_versions(&self) -> Vec<GroupVersion> {
        let mut out: Vec<GroupVersion> = Vec::new();
        for v in self.versions() {
            if !out.iter().any(|known| known.group == v.group) {
                out.push(v);
            }
        }
        out
    }
    /// Whether any kind of the group is known. Go: `IsGroupRegistered`.
    pub fn has_group(&self, group: &str) -> bool {
        self.observed.iter().any(|v| v.group == group)
    }
    /// Whether any kind of the version is known. Go: `IsVersionRegistered`.
    pub fn has_version(&self, version: &GroupVersion) -> bool {
        self.observed.contains(version)
    }

    /// Sets what gives objects of `T` their defaults. Go: `AddTypeDefaultingFunc`.
    ///
    /// ```
    /// use pintle_apimachinery::{Format, Scheme, meta_v1::DeleteOptions};
    /// let mut scheme = Scheme::new();
    /// scheme.register_meta();
    /// scheme.add_defaulting(|o: &mut DeleteOptions| {
    ///     o.grace_period_seconds.get_or_insert(30);
    /// });
    /// let mut object = scheme.decode(br#"{"kind":"DeleteOptions","apiVersion":"v1"}"#, Format::Json)?;
    /// scheme.set_defaults(&mut *object);
    /// let options = object.into_any().downcast::<DeleteOptions>().unwrap();
    /// assert_eq!(options.grace_period_seconds, Some(30));
    /// # Ok::<(), pintle_apimachinery::Error>(())
    /// ```
    pub fn add_defaulting<T: AnyKind>(
        &mut self,
        set: impl Fn(&mut T) + Send + Sync + 'static,
    ) -> &mut Self {
        let erased = move |object: &mut dyn AnyKind| {
            if let Some(t) = (object as &mut dyn Any).downcast_mut() {
                set(t);
            }
        };
        self.defaults.insert(TypeId::of::<T>(), Arc::new(erased));
        self
    }
    /// Gives an object its defaults; nothing happens when none are known for its type.
    /// Go: `Default`.
    pub fn set_defaults(&self, object: &mut dyn AnyKind) {
        if let Some(set) = self.defaults.get(&(&*object as &dyn Any).type_id()) {
            set(object);
        }
    }
    /// Sets what validates objects of `T`, given the one before on an update.
    /// Go: `AddValidationFunc`.
    pub fn add_validation<T: AnyKind>(
        &mut self,
        check: impl Fn(&T, Option<&T>) -> FieldErrors + Send + Sync + 'static,
    ) -> &mut Self {
        let erased = move |object: &dyn AnyKind, old: Option<&dyn AnyKind>| match object
            .as_any()
            .downcast_ref::<T>()
        {
            Some(t) => check(t, old.and_then(|o| o.as_any().downcast_ref())),
            None => FieldErrors::default(),
        };
        self.validations.insert(TypeId::of::<T>(), Arc::new(erased));
        self
    }
    /// What is wrong with an object, and with the change from `old` to it; none when nothing
    /// validates its type. Go: `Validate`, `ValidateUpdate`.
    pub fn validate(&self, object: &dyn AnyKind, old: Option<&dyn AnyKind>) -> Option<FieldErrors> {
        let check = self.validations.get(&(object as &dyn Any).type_id())?;
        Some(check(object, old))
    }
    /// Sets how field selectors of a kind are turned into those of its internal version.
    /// Go: `AddFieldLabelConversionFunc`.
    ///
    /// # Errors
    /// Those of `convert`, when asked, for labels it does not know.
    pub fn add_field_label_conversion(
        &mut self,
        gvk: GroupVersionKind,
        convert: impl Fn(&str, &str) -> Result<(String, String), Error> + Send + Sync + 'static,
    ) -> &mut Self {
        self.labels.insert(gvk, Arc::new(convert));
        self
    }
    /// Label and value of a field selector in the internal version. Without a function for the
    /// kind, name and namespace are known. Go: `ConvertFieldLabel`.
    ///
    /// # Errors
    /// The kind has no such label.
    ///
    /// ```
    /// use pintle_apimachinery::{GroupVersionKind, Scheme};
    /// let foo = GroupVersionKind::from_static("example.com", "v1", "Foo");
    /// let e = Scheme::new().convert_field_label(&foo, "spec.node", "a").unwrap_err();
    /// assert_eq!(
    ///     e.to_string(),
    ///     r#""spec.node" is not a known field selector: only "metadata.name", "metadata.namespace""#
    /// );
    /// ```
    pub fn convert_field_label(
        &self,
        gvk: &GroupVersionKind,
        label: &str,
        value: &str,
    ) -> Result<(String, String), Error> {
        match self.labels.get(gvk) {
            Some(convert) => convert(label, value),
            None if matches!(label, "metadata.name" | "metadata.namespace") => {
                Ok((label.to_owned(), value.to_owned()))
            }
            None => Err(Error::invalid(format!(
                "{} is not a known field selector: only \"metadata.name\", \"metadata.namespace\"",
                crate::parse_error::quote(label)
            ))),
        }
    }

    /// The kind that encoded bytes say they are.
    /// Go: `MetaFactory.Interpret`.
    ///
    /// # Errors
    /// They do not say, or are not of this format.
    pub fn kind_of_bytes(bytes: &[u8], format: Format) -> Result<GroupVersionKind, Error> {
        let gvk = Self::partial_kind_of_bytes(bytes, format)?;
        complete(gvk, bytes, format)
    }
    /// The kind that encoded bytes say they are, parts of which may be empty.
    pub(crate) fn partial_kind_of_bytes(
        bytes: &[u8],
        format: Format,
    ) -> Result<GroupVersionKind, Error> {
        let (api_version, kind) = match format {
            Format::Protobuf => {
                let e = Envelope::parse(bytes)?;
                (e.api_version.to_owned(), e.kind.to_owned())
            }
            Format::Json => crate::codec::peek_json_kind(crate::codec::text(bytes)?)?,
            Format::Yaml => crate::codec::peek_json_kind(&crate::codec::yaml_to_json(bytes)?)?,
            Format::Cbor => {
                let o = crate::codec::cbor_typed(bytes, &crate::reflect::TYPE_META)?;
                let text = |key: &str| o.get(key).and_then(|v| v.as_str()).unwrap_or("");
                (text("apiVersion").to_owned(), text("kind").to_owned())
            }
        };
        Ok(GroupVersion::parse(&api_version)?.with_kind(kind))
    }
    /// Decodes an object to its type.
    ///
    /// # Errors
    /// The kind is not known ([`Error::is_not_registered`]), or the bytes are not of it.
    pub fn decode(&self, bytes: &[u8], format: Format) -> Result<Box<dyn AnyKind>, Error> {
        self.decode_as(&Self::kind_of_bytes(bytes, format)?, bytes, format)
    }
    /// Decodes an object to the type of `gvk`.
    pub(crate) fn decode_as(
        &self,
        gvk: &GroupVersionKind,
        bytes: &[u8],
        format: Format,
    ) -> Result<Box<dyn AnyKind>, Error> {
        let entry = self.entry(gvk).ok_or_else(|| not_registered(gvk))?;
        (entry.decode)(bytes, format, &mut Decoder::new())
    }
    /// An empty object of a kind. Go: `New`.
    ///
    /// # Errors
    /// The kind is not known ([`Error::is_not_registered`]).
    pub fn new_object(&self, gvk: &GroupVersionKind) -> Result<Box<dyn AnyKind>, Error> {
        self.decode_as(gvk, b"{}", Format::Json)
    }
    fn entry(&self, gvk: &GroupVersionKind) -> Option<&Entry> {
        let unversioned = || {
            let known = self.unversioned.values().find(|known| known.kind == gvk.kind)?;
            self.kinds.get(known)
        };
        self.kinds.get(gvk).or_else(unversioned)
    }
    pub(crate) fn type_of(&self, gvk: &GroupVersionKind) -> Option<TypeId> {
        self.entry(gvk).map(|e| e.type_id)
    }
    /// Decodes an object to its type, or to an [`Unstructured`](crate::Unstructured) or
    /// [`UnstructuredList`](crate::UnstructuredList) when the kind is not known.
    ///
    /// # Errors
    /// The bytes are not an object; or they are protobuf of an unknown kind, which nobody can read
    /// without its type.
    pub fn decode_or_unstructured(
        &self,
        bytes: &[u8],
        format: Format,
    ) -> Result<Box<dyn AnyKind>, Error> {
        match self.decode(bytes, format) {
            Err(e) if e.is_not_registered() && format != Format::Protobuf => {
                AnyUnstructured::decode(bytes, format).map(AnyUnstructured::into_any_kind)
            }
            other => other,
        }
    }
}

/// The kind that an object without a type says it is.
pub(crate) fn untyped(object: &dyn AnyKind) -> Option<GroupVersionKind> {
    let any = object.as_any();
    (any.is::<crate::Unstructured>() || any.is::<crate::UnstructuredList>()).then(|| object.gvk())
}

/// The kind, or an error for what of it is missing; before that, one for what is no object at all.
pub(crate) fn complete(
    gvk: GroupVersionKind,
    bytes: &[u8],
    format: Format,
) -> Result<GroupVersionKind, Error> {
    if format == Format::Json && (gvk.kind.is_empty() || gvk.version.is_empty()) {
        let mut p = crate::reflect::Parser::new(crate::codec::text(bytes)?);
        p.skip()?;
        p.finish()?;
    }
    if gvk.kind.is_empty() {
        return Err(crate::unstructured::missing_kind());
    }
    if gvk.version.is_empty() {
        return Err(crate::unstructured::missing_version());
    }
    Ok(gvk)
}

pub(crate) fn not_registered(gvk: &GroupVersionKind) -> Error {
    Error::not_registered(format!(
        "no kind {:?} is registered for version {:?} in this scheme",
        gvk.kind,
        gvk.api_version()
    ))
}

impl std::fmt::Debug for Scheme {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scheme").field("kinds", &self.kinds.len()).finish()
    }
}
