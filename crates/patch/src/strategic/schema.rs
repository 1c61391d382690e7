//! How fields merge: the one thing that strategic merge patch must know of a type.

use std::borrow::Cow;

use pintle_apimachinery::Error;

use crate::error::{Reason, fail};
use crate::go::go_print;

/// What a strategic merge patch knows of the type it patches: a position in the type, from which
/// it is led to the types of members. Go: `strategicpatch.LookupPatchMeta`.
///
/// [`TypeSchema`](crate::TypeSchema) has it from Rust types, [`OpenApiSchema`](crate::OpenApiSchema)
/// from a server's documents.
///
/// ```
/// use pintle_api::core_v1::PodSpec;
/// use pintle_patch::{PatchSchema, TypeSchema};
///
/// let (container, containers) = TypeSchema::of::<PodSpec>().list("containers")?;
/// assert_eq!((&*containers.strategy, &*containers.merge_key), ("merge", "name"));
/// assert_eq!(container.list("ports")?.1.merge_key, "containerPort");
/// # Ok::<(), pintle_apimachinery::Error>(())
/// ```
pub trait PatchSchema: Copy {
    /// The type of the member `key`, whose value is an object. Go:
    /// `LookupPatchMetadataForStruct`.
    ///
    /// # Errors
    /// This is no type with members, or has no such member.
    fn object(self, key: &str) -> Result<(Self, FieldMeta), Error>;

    /// The type of the elements of the member `key`, whose value is a list. Go:
    /// `LookupPatchMetadataForSlice`.
    ///
    /// # Errors
    /// As [`PatchSchema::object`], or the member is no list.
    fn list(self, key: &str) -> Result<(Self, FieldMeta), Error>;

    /// What kind of type this is, for messages. Go: `Name`.
    fn name(self) -> Cow<'static, str>;
}

/// How a field merges. Go: `strategicpatch.PatchMeta`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldMeta {
    /// `merge`, `replace` or `retainKeys`, or one of the first two and `retainKeys` with a comma;
    /// empty for none.
    pub strategy: Cow<'static, str>,
    /// The member that tells elements of a list apart; empty for none.
    pub merge_key: Cow<'static, str>,
}

/// A strategy, taken apart. Go: `extractRetainKeysPatchStrategy`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Strategy {
    pub(super) retain_keys: bool,
    pub(super) merge: bool,
    pub(super) replace: bool,
}

impl FieldMeta {
    pub(super) fn strategy(&self) -> Result<Strategy, Error> {
        const RETAIN: &str = "retainKeys";
        let (retain_keys, other) = match (&*self.strategy, self.strategy.split_once(',')) {
            (RETAIN, _) => (true, ""),
            (other, None) => (false, other),
            (_, Some((RETAIN, other)) | Some((other, RETAIN))) if !other.contains(',') => {
                (true, other)
            }
            (all, Some(_)) => {
                let all: serde_json::Value = all.split(',').collect();
                let message = format!("unexpected patch strategy: {}", go_print(&all));
                return Err(fail(Reason::Unsuitable, message));
            }
        };
        Ok(Strategy { retain_keys, merge: other == "merge", replace: other == "replace" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strategies() {
        let of = |text: &'static str| {
            let meta = FieldMeta { strategy: text.into(), ..FieldMeta::default() };
            meta.strategy().map(|s| (s.retain_keys, s.merge, s.replace)).map_err(|e| e.to_string())
        };
        assert_eq!(of(""), Ok((false, false, false)));
        assert_eq!(of("merge"), Ok((false, true, false)));
        assert_eq!(of("replace"), Ok((false, false, true)));
        assert_eq!(of("retainKeys"), Ok((true, false, false)));
        assert_eq!(of("merge,retainKeys"), Ok((true, true, false)));
        assert_eq!(of("retainKeys,replace"), Ok((true, false, true)));
        assert_eq!(of("merge,replace"), Err("unexpected patch strategy: [merge replace]".into()));
        assert_eq!(of("retainKeys,a,b"), Err("unexpected patch strategy: [retainKeys a b]".into()));
    }
}
