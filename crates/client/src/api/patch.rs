//! The four kinds of patch (Go: `types.PatchType` and its body).

use crate::Error;
use pintle_apimachinery::{AnyKind, Format, PatchType};
use serde::Serialize;

/// A patch: how to change an object without sending the whole of it.
///
/// ```
/// use pintle_client::Patch;
/// use serde_json::json;
///
/// let scale = Patch::merge(json!({"spec": {"replicas": 3}}));
/// let rename = Patch::json(json!([{"op": "replace", "path": "/spec/x", "value": "y"}]));
/// # let _ = (scale, rename);
/// ```
#[derive(Clone, Debug)]
pub struct Patch {
    pub(crate) kind: PatchType,
    /// The body, or why there is none; told when the patch is sent.
    body: Result<Vec<u8>, String>,
}

impl Patch {
    fn of(kind: PatchType, body: &impl Serialize) -> Self {
        let body = serde_json::to_vec(body).map_err(|e| e.to_string());
        Patch { kind, body }
    }

    /// A list of operations, RFC 6902.
    pub fn json(operations: impl Serialize) -> Self {
        Self::of(PatchType::Json, &operations)
    }

    /// A partial object that is merged, RFC 7386: lists are replaced, `null` removes.
    pub fn merge(partial: impl Serialize) -> Self {
        Self::of(PatchType::Merge, &partial)
    }

    /// A partial object whose lists are merged by key; built-in kinds only.
    pub fn strategic(partial: impl Serialize) -> Self {
        Self::of(PatchType::Strategic, &partial)
    }

    /// Server-side apply: a partial object that says what its field manager wants. It must hold
    /// `apiVersion`, `kind` and `metadata.name`.
    pub fn apply(partial: impl Serialize) -> Self {
        Self::of(PatchType::Apply, &partial)
    }

    /// Server-side apply of a typed object: it owns every field that the object sends, so leave
    /// alone what others should decide.
    pub fn apply_object(object: &dyn AnyKind) -> Self {
        let mut body = Vec::new();
        let encoded = object.encode_any(Format::Json, &mut body);
        Patch { kind: PatchType::Apply, body: encoded.map(|()| body).map_err(|e| e.to_string()) }
    }

    /// A patch whose body is at hand.
    pub fn raw(kind: PatchType, body: Vec<u8>) -> Self {
        Patch { kind, body: Ok(body) }
    }

    pub(crate) fn bytes(&self) -> Result<Vec<u8>, Error> {
        self.body.clone().map_err(|e| Error::encode(format!("the patch cannot be written: {e}")))
    }
}
