//! What a server fills in: a walk over an object along its type.
//!
//! Go counterpart: the `zz_generated.defaults.go` files of `k8s.io/kubernetes/pkg/apis`. They call
//! a type's own function first, then set the fields that have a default in the schema, then go
//! into the fields; so does this, with the fields' types from the schema and the functions that
//! each group's module names.

use pintle_apimachinery::Quantity;
use pintle_apimachinery::reflect::{Desc, Field, INLINE, NOJSON, Type};
use serde_json::{Map, Value};

use super::tree::{Fields, is_nil, is_zero};
use super::{
    admissionregistration, apiextensions, apps, autoscaling, batch, core, discovery, flowcontrol,
    networking, rbac, resource, scheduling, storage,
};

/// Sets what is missing in one value of a type.
pub(super) type Default = fn(&mut Fields);

/// What a walk knows.
struct Walk<'a> {
    group: &'a str,
    version: &'a str,
    /// The time, for the one field that has it as its default.
    now: &'a str,
}

/// Fills in the defaults of an object that has the form its type has.
pub(super) fn apply(
    object: &mut Fields,
    desc: &'static Desc,
    group: &str,
    version: &str,
    now: &str,
) {
    Walk { group, version, now }.message(desc, object);
}

impl Walk<'_> {
    fn function(&self, name: &str) -> Option<Default> {
        let own = match self.group {
            "" => None,
            "admissionregistration.k8s.io" => admissionregistration::default_of(name),
            "apiextensions.k8s.io" => apiextensions::default_of(name),
            "apps" => apps::default_of(name),
            "apiregistration.k8s.io" => apiextensions::service_default_of(name),
            "autoscaling" if self.version == "v1" => autoscaling::default_of_v1(name),
            "autoscaling" => autoscaling::default_of(name),
            "batch" => batch::default_of(name),
            "discovery.k8s.io" => discovery::default_of(name),
            "flowcontrol.apiserver.k8s.io" => return flowcontrol::default_of(name),
            "networking.k8s.io" => networking::default_of(name),
            "rbac.authorization.k8s.io" => rbac::default_of(name),
            "resource.k8s.io" => resource::default_of(name),
            "scheduling.k8s.io" => scheduling::default_of(name),
            "storage.k8s.io" => storage::default_of(name),
            _ => None,
        };
        own.or_else(|| core::default_of(name))
    }

    fn message(&self, desc: &'static Desc, object: &mut Fields) {
        if desc.name == "ObjectMeta" || desc.name == "JSONSchemaProps" {
            return;
        }
        if let Some(set) = self.function(desc.name) {
            set(object);
        }
        if desc.name == "DeviceTaint" && is_nil(object.get("timeAdded")) {
            object.insert("timeAdded".to_owned(), self.now.into());
        }
        for field in desc.fields {
            if field.flags & NOJSON == 0 {
                self.field(field, object);
            }
        }
    }

    fn field(&self, field: &'static Field, object: &mut Fields) {
        if field.flags & INLINE != 0 {
            if let Some(inner) = message(&field.ty) {
                self.message(inner, object);
            }
            return;
        }
        marker(field, object);
        match &field.ty {
            Type::Msg(desc) | Type::Emb(desc) if !desc.transparent => {
                match object.get_mut(field.name) {
                    Some(Value::Object(inner)) => self.message(desc, inner),
                    // A struct is there even where its JSON form leaves it out.
                    _ if self.function(desc.name).is_some() => {
                        let mut inner = Map::new();
                        self.message(desc, &mut inner);
                        if !inner.is_empty() {
                            object.insert(field.name.to_owned(), Value::Object(inner));
                        }
                    }
                    _ => {}
                }
            }
            ty => {
                if let Some(value) = object.get_mut(field.name) {
                    self.value(ty, value);
                }
            }
        }
    }

    fn value(&self, ty: &'static Type, value: &mut Value) {
        match (ty, value) {
            (Type::Msg(desc) | Type::Emb(desc) | Type::OptMsg(desc), value) => {
                if desc.transparent {
                    if let Some(only) = desc.fields.first() {
                        self.value(&only.ty, value);
                    }
                } else if let Value::Object(inner) = value {
                    self.message(desc, inner);
                }
            }
            (Type::List(inner), Value::Array(items)) => {
                for item in items {
                    self.value(inner, item);
                }
            }
            (Type::Map(Type::Leaf(leaf)), Value::Object(amounts)) if leaf.name == "Quantity" => {
                // Lists of resources, which the groups with Pods in them round up to thousandths.
                if matches!(self.group, "" | "apps" | "batch" | "storage.k8s.io") {
                    amounts.values_mut().for_each(round);
                }
            }
            (Type::Map(inner), Value::Object(members)) => {
                for (_, member) in members.iter_mut() {
                    self.value(inner, member);
                }
            }
            _ => {}
        }
    }
}

/// The message behind a type.
pub(super) fn message(ty: &'static Type) -> Option<&'static Desc> {
    match ty {
        Type::Msg(desc) | Type::Emb(desc) | Type::OptMsg(desc) if desc.transparent => {
            desc.fields.first().and_then(|field| message(&field.ty))
        }
        Type::Msg(desc) | Type::Emb(desc) | Type::OptMsg(desc) => Some(desc),
        Type::List(inner) | Type::Map(inner) => message(inner),
        _ => None,
    }
}

fn round(amount: &mut Value) {
    const MILLI: i32 = -3;
    if let Some(mut quantity) = amount.as_str().and_then(|text| Quantity::parse(text).ok())
        && !quantity.round_up(MILLI)
    {
        *amount = quantity.as_str().into();
    }
}

/// Sets the default that the schema has for a field.
fn marker(field: &'static Field, object: &mut Fields) {
    let text = field.facts.default;
    if text.is_empty() {
        return;
    }
    let pointer = matches!(
        field.ty,
        Type::OptStr
            | Type::OptI32
            | Type::OptI64
            | Type::OptBool
            | Type::OptF64
            | Type::OptMsg(_)
            | Type::OptLeaf(_)
    );
    let value = object.get(field.name);
    let missing = if pointer { is_nil(value) } else { is_zero(value) };
    if !missing {
        return;
    }
    if let Ok(default) = serde_json::from_str::<Value>(text)
        && (pointer || !is_zero(Some(&default)))
    {
        object.insert(field.name.to_owned(), default);
    }
}
