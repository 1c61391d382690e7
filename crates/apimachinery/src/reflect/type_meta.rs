//! Kind and apiVersion of an object inside another. Go: `metav1.TypeMeta`.
//!
//! What an object is at the outermost is known of its type, and written by every codec. An object
//! inside another (a claim among the templates of a StatefulSet, an item of a list) may say it too,
//! and keeps what it says: in its metadata, or, where it has none, in a field of its own. Both are
//! eight bytes, and nothing as long as nothing is said.
use super::{Desc, FieldMut, FieldRef, Form, Message, TYPEMETA, Type};
use crate::rep::Str;

crate::message! {
    /// Kind and apiVersion that an object inside another says of itself, empty where it says nothing.
    /// They are in JSON, YAML and CBOR, not in protobuf.
    ///
    /// ```
    /// use pintle_apimachinery::{Codec, Decoder, Format, meta_v1};
    /// let text = br#"{"kind":"APIGroupList","apiVersion":"v1","groups":[{"kind":"APIGroup","name":"apps","versions":null}]}"#;
    /// let list = meta_v1::APIGroupList::decode(text, Format::Json, &mut Decoder::new())?;
    /// assert_eq!(list.groups[0].type_meta.kind, "APIGroup");
    /// let mut again = Vec::new();
    /// list.encode(Format::Json, &mut again)?;
    /// assert!(String::from_utf8_lossy(&again).contains(r#"[{"kind":"APIGroup","name":"apps","#));
    /// # Ok::<(), pintle_apimachinery::Error>(())
    /// ```
    pub struct TypeMeta TYPE_META "TypeMeta" [255, 0, 1] Form::Part;
    /// `kind`: string.
    kind: Str = "kind" 1 OMITEMPTY;
    /// `apiVersion`: string.
    api_version: Str = "apiVersion" 2 OMITEMPTY;
}

/// Where a kind keeps it: a field, or a field of one of its fields.
fn place(d: &'static Desc) -> Option<(usize, Option<usize>)> {
    let of = |d: &Desc| d.fields.iter().rposition(|f| f.flags & TYPEMETA != 0);
    d.kind?;
    if let Some(i) = of(d) {
        return Some((i, None));
    }
    d.fields.iter().enumerate().find_map(|(i, f)| match f.ty {
        Type::Msg(inner) if f.name == "metadata" => Some((i, Some(of(inner)?))),
        _ => None,
    })
}

/// What `m`, which is inside another, says of itself.
pub(crate) fn get(m: &dyn Message) -> Option<&TypeMeta> {
    let field = match place(m.desc())? {
        (i, None) => m.field(i),
        (i, Some(inner)) => match m.field(i) {
            FieldRef::Msg(metadata) => metadata.field(inner),
            _ => return None,
        },
    };
    match field {
        FieldRef::Msg(said) => said.downcast_ref(),
        _ => None,
    }
}

/// [`get`], for writing.
fn get_mut(m: &mut dyn Message) -> Option<&mut TypeMeta> {
    let field = match place(m.desc())? {
        (i, None) => m.field_mut(i),
        (i, Some(inner)) => match m.field_mut(i) {
            FieldMut::Msg(metadata) => metadata.field_mut(inner),
            _ => return None,
        },
    };
    match field {
        FieldMut::OptMsg(said) => said.into_message().downcast_mut(),
        _ => None,
    }
}

/// Whether `key` says what an object is.
pub(crate) fn is_key(key: &str) -> bool {
    matches!(key, "kind" | "apiVersion")
}

/// Sets what `m`, which is inside another, says of itself; `key` is one of the two.
pub(crate) fn set(m: &mut dyn Message, key: &str, value: Str) {
    if let Some(said) = get_mut(m) {
        *(if key == "kind" { &mut said.kind } else { &mut said.api_version }) = value;
    }
}

/// Members that say what `m`, which is inside another, is; in Go's order.
pub(crate) fn members(m: &dyn Message) -> impl Iterator<Item = (&'static str, &str)> {
    let said = m.desc().kind.and_then(|_| get(m));
    let both = said.map(|t| [("kind", t.kind.as_str()), ("apiVersion", t.api_version.as_str())]);
    both.into_iter().flatten().filter(|(_, v)| !v.is_empty())
}
