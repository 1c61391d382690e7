//! The content types of patches. Go: `k8s.io/apimachinery/pkg/types.PatchType`.
//!
//! ```
//! use pintle_apimachinery::PatchType;
//!
//! assert_eq!(PatchType::Merge.content_type(), "application/merge-patch+json");
//! assert_eq!(PatchType::from_content_type("application/apply-patch+yaml"), Some(PatchType::Apply));
//! ```

use std::fmt;

/// How the body of a patch request is to be understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PatchType {
    /// A list of operations, RFC 6902. Go: `JSONPatchType`.
    Json,
    /// A partial document, RFC 7386. Go: `MergePatchType`.
    Merge,
    /// A partial document whose lists merge by key; built-in types only. Go: `StrategicMergePatchType`.
    Strategic,
    /// Server-side apply with a YAML or JSON body. Go: `ApplyYAMLPatchType`, `ApplyPatchType`.
    Apply,
    /// Server-side apply with a CBOR body. Go: `ApplyCBORPatchType`.
    ApplyCbor,
}

impl PatchType {
    /// Every patch type, in the order of declaration.
    pub const ALL: [PatchType; 5] = [
        PatchType::Json,
        PatchType::Merge,
        PatchType::Strategic,
        PatchType::Apply,
        PatchType::ApplyCbor,
    ];

    /// The media type that a request carries.
    pub const fn content_type(self) -> &'static str {
        match self {
            PatchType::Json => "application/json-patch+json",
            PatchType::Merge => "application/merge-patch+json",
            PatchType::Strategic => "application/strategic-merge-patch+json",
            PatchType::Apply => "application/apply-patch+yaml",
            PatchType::ApplyCbor => "application/apply-patch+cbor",
        }
    }

    /// The patch type of a media type; parameters after `;` and surrounding spaces are ignored.
    pub fn from_content_type(content_type: &str) -> Option<PatchType> {
        let media_type = content_type.split(';').next().unwrap_or_default().trim();
        PatchType::ALL.into_iter().find(|patch| patch.content_type() == media_type)
    }

    /// Whether this is server-side apply, in either encoding.
    pub const fn is_apply(self) -> bool {
        matches!(self, PatchType::Apply | PatchType::ApplyCbor)
    }
}

impl fmt::Display for PatchType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.content_type())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_types_read_back() {
        for patch in PatchType::ALL {
            assert_eq!(PatchType::from_content_type(patch.content_type()), Some(patch));
            assert_eq!(
                PatchType::from_content_type(&format!(" {patch} ; charset=utf-8")),
                Some(patch)
            );
        }
        assert_eq!(PatchType::from_content_type("application/json"), None);
        assert_eq!(PatchType::from_content_type(""), None);
    }
}
