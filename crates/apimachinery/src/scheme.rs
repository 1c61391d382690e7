//! [`Scheme`]: which Rust type a kind is. Go: `runtime.Scheme`.
use crate::{
    AnyKind, Codec, Decoder, Envelope, Error, Format, GroupVersionKind, Kind, Unstructured,
};
use std::any::TypeId;
use std::collections::{BTreeMap, HashMap};

type DecodeFn = fn(&[u8], Format, &mut Decoder) -> Result<Box<dyn AnyKind>, Error>;

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

/// Kinds and their types, both ways.
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
    /// The part that does not depend on the type, compiled once.
    fn insert(&mut self, gvk: GroupVersionKind, entry: Entry) -> Result<(), Error> {
        if let Some(old) = self.kinds.get(&gvk) {
            if old.type_id == entry.type_id {
                return Ok(());
            }
            return Err(Error::invalid(format!(
                "the scheme has {gvk} as {} already and cannot take it as {}",
                old.type_name, entry.type_name
            )));
        }
        self.types.entry(entry.type_id).or_default().push(gvk.clone());
        self.kinds.insert(gvk, entry);
        Ok(())
    }
    /// Adds the kinds of meta/v1 that belong to no group: Status, discovery, request options, and
    /// those of meta.k8s.io. Go: `metav1.AddToGroupVersion` and `AddMetaToScheme`.
    pub fn register_meta(&mut self) -> &mut Self {
        use crate::meta_v1 as m;
        self.register::<m::Status>()
            .register::<m::APIVersions>()
            .register::<m::APIGroup>()
            .register::<m::APIGroupList>()
            .register::<m::APIResourceList>()
            .register::<m::CreateOptions>()
            .register::<m::DeleteOptions>()
            .register::<m::GetOptions>()
            .register::<m::ListOptions>()
            .register::<m::PatchOptions>()
            .register::<m::UpdateOptions>()
            .register::<m::Table>()
            .register::<m::TableOptions>()
            .register::<m::PartialObjectMetadata>()
            .register::<m::PartialObjectMetadataList>()
    }
    /// Whether the kind is known. Go: `Recognizes`.
    pub fn recognizes(&self, gvk: &GroupVersionKind) -> bool {
        self.kinds.contains_key(gvk)
    }
    /// The names of a type, in the order they were added. Go: `ObjectKinds`.
    pub fn kinds_of<T: 'static>(&self) -> &[GroupVersionKind] {
        self.types.get(&TypeId::of::<T>()).map_or(&[], |v| v)
    }
    /// Every known kind, in order.
    pub fn kinds(&self) -> impl Iterator<Item = &GroupVersionKind> {
        self.kinds.keys()
    }
    /// The Rust type of a kind, for messages.
    pub fn type_name(&self, gvk: &GroupVersionKind) -> Option<&'static str> {
        self.kinds.get(gvk).map(|e| e.type_name)
    }
    /// The kind that encoded bytes say they are.
    ///
    /// # Errors
    /// They do not say, or are not of this format.
    pub fn kind_of_bytes(bytes: &[u8], format: Format) -> Result<GroupVersionKind, Error> {
        let (api_version, kind) = match format {
            Format::Protobuf => {
                let e = Envelope::parse(bytes)?;
                (e.api_version.to_owned(), e.kind.to_owned())
            }
            Format::Json => crate::codec::peek_json_kind(crate::codec::text(bytes)?)?,
            Format::Yaml => crate::codec::peek_json_kind(&crate::codec::yaml_to_json(bytes)?)?,
        };
        if kind.is_empty() {
            return Err(Error::decode("Object 'Kind' is missing"));
        }
        if api_version.is_empty() {
            return Err(Error::decode("Object 'apiVersion' is missing"));
        }
        Ok(GroupVersionKind::from_api_version_and_kind(&api_version, kind))
    }
    /// Decodes an object to its type.
    ///
    /// # Errors
    /// The kind is not known ([`Error::is_not_registered`]), or the bytes are not of it.
    pub fn decode(&self, bytes: &[u8], format: Format) -> Result<Box<dyn AnyKind>, Error> {
        let gvk = Self::kind_of_bytes(bytes, format)?;
        let entry = self.kinds.get(&gvk).ok_or_else(|| {
            Error::not_registered(format!(
                "no kind {:?} is registered for version {:?} in this scheme",
                gvk.kind,
                gvk.api_version()
            ))
        })?;
        (entry.decode)(bytes, format, &mut Decoder::new())
    }
    /// Decodes an object to its type, or to [`Unstructured`] when the kind is not known.
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
                let u: Unstructured = Codec::decode(bytes, format, &mut Decoder::new())?;
                Ok(Box::new(u))
            }
            other => other,
        }
    }
}

impl std::fmt::Debug for Scheme {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scheme").field("kinds", &self.kinds.len()).finish()
    }
}
