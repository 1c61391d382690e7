//! Why a patch failed. Go: `mergepatch.IsConflict`, `IsPreconditionFailed`, and the way
//! kube-apiserver sorts the errors of `strategicpatch` into answers.

use std::fmt;

use pintle_apimachinery::Error;

/// Why a patch failed, for those who must tell the cases apart. See [`reason`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// The patch, or the document, is not one: a server answers 400.
    Malformed,
    /// The patch is well formed and does not apply: a server answers 422.
    NotApplicable,
    /// Neither of the above: a directive that is not understood, a field that the schema does not
    /// have, an element without its merge key. kube-apiserver answers 500.
    Unsuitable,
    /// What is to be changed was changed by somebody else too. Go: `mergepatch.ErrConflict`.
    Conflict,
    /// A precondition does not hold. Go: `mergepatch.ErrPreconditionFailed`.
    PreconditionFailed,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Reason::Malformed => "the patch is malformed",
            Reason::NotApplicable => "the patch does not apply",
            Reason::Unsuitable => "the patch does not suit the object",
            Reason::Conflict => "the object was changed in a conflicting way",
            Reason::PreconditionFailed => "a precondition of the patch does not hold",
        })
    }
}

impl std::error::Error for Reason {}

/// Why a function of this crate failed; `None` for errors from elsewhere.
///
/// ```
/// use pintle_patch::{JsonPatch, Reason, reason};
/// use serde_json::json;
///
/// let patch = JsonPatch::from_value(json!([{"op": "remove", "path": "/nope"}]))?;
/// let error = patch.apply(&mut json!({})).unwrap_err();
/// assert_eq!(reason(&error), Some(Reason::NotApplicable));
/// assert_eq!(
///     error.to_string(),
///     "error in remove for path: '/nope': Unable to remove nonexistent key: nope: missing value",
/// );
/// # Ok::<(), pintle_apimachinery::Error>(())
/// ```
pub fn reason(error: &Error) -> Option<Reason> {
    std::error::Error::source(error)?.downcast_ref().copied()
}

#[cold]
pub(crate) fn fail(reason: Reason, message: impl Into<String>) -> Error {
    Error::invalid(message).with_source(reason)
}
