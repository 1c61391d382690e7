//! Converting objects between versions through an internal hub.
//! Go: `runtime.Scheme.Convert`, `conversion.Converter`.
use crate::scheme::{not_registered, untyped};
use crate::{AnyKind, Codec, Decoder, Error, Format, GroupVersion, GroupVersionKind, Object};
use crate::{Scheme, Str, Unstructured};
use serde_json::{Map, Value};
use std::any::{Any, TypeId};
use std::sync::Arc;

/// A conversion, its types erased.
pub(crate) type Conversion =
    Arc<dyn Fn(&dyn AnyKind) -> Result<Box<dyn AnyKind>, Error> + Send + Sync>;

/// The annotation that keeps what a version has no field for.
pub const CONVERSION_DATA: &str = "pintle.rs/conversion-data";

fn mistake() -> Error {
    Error::other("a conversion was asked for another type than it was registered for")
}

impl Scheme {
    /// Adds a conversion from `A` to `B`. For a hub and its versions, add both directions of each
    /// pair with the hub. Go: `AddConversionFunc`.
    ///
    /// ```
    /// use pintle_apimachinery::{AnyKind, Scheme, meta_v1::{GetOptions, ListOptions}};
    /// let mut scheme = Scheme::new();
    /// scheme.register_meta();
    /// scheme.add_conversion(|o: &GetOptions| {
    ///     Ok(ListOptions { resource_version: o.resource_version.clone(), ..Default::default() })
    /// });
    /// let options = GetOptions { resource_version: "7".into(), ..Default::default() };
    /// let list: ListOptions = scheme.convert(&options)?;
    /// assert_eq!(list.resource_version, "7");
    /// # Ok::<(), pintle_apimachinery::Error>(())
    /// ```
    pub fn add_conversion<A: AnyKind, B: AnyKind>(
        &mut self,
        convert: impl Fn(&A) -> Result<B, Error> + Send + Sync + 'static,
    ) -> &mut Self {
        let erased = move |object: &dyn AnyKind| {
            let a = object.as_any().downcast_ref::<A>().ok_or_else(mistake)?;
            convert(a).map(|b| Box::new(b) as Box<dyn AnyKind>)
        };
        let pair = (TypeId::of::<A>(), TypeId::of::<B>());
        self.conversions.insert(pair, Arc::new(erased));
        self
    }
    /// Adds both conversions between a hub and a version that has no field for some of what the
    /// hub has. What would get lost on the way down is kept in the annotation
    /// [`CONVERSION_DATA`] and put back on the way up, so that a round trip changes nothing; what
    /// was changed in the version between wins.
    ///
    /// A list is put back element by element, when it still has as many; else it stays as the
    /// version has it.
    pub fn add_lossless_conversion<Hub, Version>(
        &mut self,
        down: impl Fn(&Hub) -> Result<Version, Error> + Send + Sync + 'static,
        up: impl Fn(&Version) -> Result<Hub, Error> + Send + Sync + 'static,
    ) -> &mut Self
    where
        Hub: Object + Codec,
        Version: Object + Codec,
    {
        let (down, up) = (Arc::new(down), Arc::new(up));
        let (down_too, up_too) = (down.clone(), up.clone());
        self.add_conversion(move |hub: &Hub| {
            let mut version = down(hub)?;
            version.metadata_mut().annotations.remove(CONVERSION_DATA);
            let (full, left) = (json_of(hub)?, json_of(&up(&version)?)?);
            if full != left {
                let text = Str::from(Value::Object(full).to_string());
                version.metadata_mut().annotations.insert(CONVERSION_DATA.into(), text);
            }
            Ok(version)
        });
        self.add_conversion(move |version: &Version| {
            let mut hub = up_too(version)?;
            let Some(text) = hub.metadata_mut().annotations.remove(CONVERSION_DATA) else {
                return Ok(hub);
            };
            // Somebody else's annotation must not stop the conversion.
            let Ok(saved) = Hub::decode(text.as_bytes(), Format::Json, &mut Decoder::new()) else {
                return Ok(hub);
            };
            let base = json_of(&up_too(&down_too(&saved)?)?)?;
            let now = json_of(&hub)?;
            let merged = put_back(&base.into(), &json_of(&saved)?.into(), &now.into());
            let mut whole =
                Hub::decode(merged.to_string().as_bytes(), Format::Json, &mut Decoder::new())?;
            *whole.metadata_mut() = std::mem::take(hub.metadata_mut());
            Ok(whole)
        })
    }
    /// Converts an object to a type: as it is, by a conversion that was added, or by two with a
    /// hub between. An [`Unstructured`] is made from and into any registered type.
    /// Go: `Convert`.
    ///
    /// # Errors
    /// No such conversion is known ([`Error::is_not_registered`]), or it fails.
    pub fn convert<B: AnyKind>(&self, object: &dyn AnyKind) -> Result<B, Error> {
        let converted =
            self.convert_to_type(object, TypeId::of::<B>(), std::any::type_name::<B>())?;
        converted.into_any().downcast().map(|b| *b).map_err(|_| mistake())
    }
    fn convert_to_type(
        &self,
        object: &dyn AnyKind,
        to: TypeId,
        name: &str,
    ) -> Result<Box<dyn AnyKind>, Error> {
        if to == TypeId::of::<Unstructured>() {
            return Ok(Box::new(Unstructured::from_typed(object)?));
        }
        if let Some(gvk) = untyped(object) {
            let typed = self.to_typed(object, &gvk)?;
            return if typed.as_any().type_id() == to {
                Ok(typed)
            } else {
                self.convert_to_type(&*typed, to, name)
            };
        }
        let from = (object as &dyn Any).type_id();
        if let Some(direct) = self.conversions.get(&(from, to)) {
            return direct(object);
        }
        if from == to {
            return copy(object, self);
        }
        // Two steps: every pair that starts here, and goes on from where it ends.
        let mut hubs: Vec<TypeId> = self
            .conversions
            .keys()
            .filter(|(a, hub)| *a == from && self.conversions.contains_key(&(*hub, to)))
            .map(|(_, hub)| *hub)
            .collect();
        // The internal version is the hub, when there are several ways.
        let internal =
            |hub: &TypeId| self.names(*hub).iter().any(|n| n.version == crate::INTERNAL_VERSION);
        hubs.sort_by_key(|hub| (!internal(hub), self.names(*hub).first().cloned()));
        match hubs.first() {
            Some(hub) => {
                let between = self.conversions[&(from, *hub)](object)?;
                self.conversions[&(*hub, to)](&*between)
            }
            None => Err(Error::not_registered(format!(
                "converting {} to {name}: unknown conversion",
                object.gvk()
            ))),
        }
    }
    /// Converts an object to its kind in one of `versions`, the first one that knows it. An
    /// object that is of one of them, or unversioned, stays as it is. Go: `ConvertToVersion`.
    ///
    /// # Errors
    /// None of the versions has the kind, or the conversion is not known or fails.
    pub fn convert_to_version(
        &self,
        object: Box<dyn AnyKind>,
        versions: &[GroupVersion],
    ) -> Result<Box<dyn AnyKind>, Error> {
        if let Some(gvk) = untyped(&*object) {
            let typed = self.to_typed(&*object, &gvk)?;
            return self.convert_to_version(typed, versions);
        }
        let names = self.object_kinds(&*object)?;
        if self.is_unversioned(&*object) == Some(true) {
            return Ok(object);
        }
        let Some(target) = choose(&names, versions, self) else {
            let list: Vec<String> = versions.iter().map(ToString::to_string).collect();
            return Err(Error::not_registered(format!(
                "{} is not suitable for converting to {:?} in this scheme",
                names[0],
                list.join(",")
            )));
        };
        if names.contains(&target) {
            return Ok(object);
        }
        let to = self.type_of(&target).ok_or_else(|| not_registered(&target))?;
        self.convert_to_type(&*object, to, &target.to_string())
    }
    fn to_typed(
        &self,
        object: &dyn AnyKind,
        gvk: &GroupVersionKind,
    ) -> Result<Box<dyn AnyKind>, Error> {
        let mut json = Vec::new();
        object.encode_any(Format::Json, &mut json)?;
        let wrong = |e: Error| {
            if e.is_not_registered() {
                return e;
            }
            e.context(format!("unable to convert unstructured object to {gvk}"))
        };
        self.decode_as(gvk, &json, Format::Json).map_err(wrong)
    }
}

/// The kind to convert to. Go: `GroupVersions.KindForGroupVersionKinds`.
fn choose(
    names: &[GroupVersionKind],
    versions: &[GroupVersion],
    scheme: &Scheme,
) -> Option<GroupVersionKind> {
    let exact = names.iter().find(|n| versions.contains(&n.group_version()));
    let same_group = || {
        let known = |n: &GroupVersionKind, v: &GroupVersion| {
            let target = v.with_kind(n.kind.clone());
            (n.group == v.group && scheme.recognizes(&target)).then_some(target)
        };
        versions.iter().find_map(|v| names.iter().find_map(|n| known(n, v)))
    };
    exact.cloned().or_else(same_group)
}

fn copy(object: &dyn AnyKind, scheme: &Scheme) -> Result<Box<dyn AnyKind>, Error> {
    let mut json = Vec::new();
    object.encode_any(Format::Json, &mut json)?;
    scheme.decode_as(&object.gvk(), &json, Format::Json)
}

/// The JSON of an object, without what its kind says.
fn json_of(object: &dyn AnyKind) -> Result<Map<String, Value>, Error> {
    let mut o = Unstructured::from_typed(object)?.to_object();
    if let Some(annotations) = o.get_mut("metadata").and_then(|m| m.get_mut("annotations"))
        && let Some(annotations) = annotations.as_object_mut()
    {
        annotations.shift_remove(CONVERSION_DATA);
        if annotations.is_empty()
            && let Some(Value::Object(m)) = o.get_mut("metadata")
        {
            m.shift_remove("annotations");
        }
    }
    Ok(o)
}

/// What `now` is with the difference between `base` and `saved` put back.
fn put_back(base: &Value, saved: &Value, now: &Value) -> Value {
    if base == saved {
        return now.clone();
    }
    if base == now {
        return saved.clone();
    }
    match (base, saved, now) {
        (Value::Object(b), Value::Object(s), Value::Object(n)) => {
            let mut out = n.clone();
            for (key, lost) in s {
                match (b.get(key), n.get(key)) {
                    (None, None) => {
                        out.insert(key.clone(), lost.clone());
                    }
                    (Some(b), Some(n)) => {
                        out.insert(key.clone(), put_back(b, lost, n));
                    }
                    // Given in the version since, or taken away there.
                    _ => {}
                }
            }
            for key in b.keys() {
                // What the way down made up, and nobody changed.
                if !s.contains_key(key) && b.get(key) == n.get(key) {
                    out.shift_remove(key);
                }
            }
            Value::Object(out)
        }
        (Value::Array(b), Value::Array(s), Value::Array(n))
            if b.len() == s.len() && b.len() == n.len() =>
        {
            let each = b.iter().zip(s).zip(n).map(|((b, s), n)| put_back(b, s, n));
            Value::Array(each.collect())
        }
        _ => now.clone(),
    }
}

#[cfg(test)]
mod tests;
