//! [`Path`]: steps from an object to a field.
use super::PathElement;
use std::fmt;
use std::ops::Deref;

/// The way from an object to one of its fields. Go: `fieldpath.Path`.
///
/// ```
/// use pintle_structured_merge::{Path, PathElement};
/// use serde_json::json;
/// let path = Path::from_iter([
///     "spec".into(), "containers".into(), PathElement::key([("name", json!("web"))]), "image".into(),
/// ]);
/// assert_eq!(path.to_string(), r#".spec.containers[name="web"].image"#);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Path(Vec<PathElement>);

impl Path {
    /// The path that has no steps: the object itself.
    pub fn new() -> Self {
        Path::default()
    }
    /// A path of field names.
    pub fn fields<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        names.into_iter().map(PathElement::from).collect()
    }
    /// One step more.
    pub fn push(&mut self, element: PathElement) {
        self.0.push(element);
    }
    /// Takes the last step off.
    pub fn pop(&mut self) -> Option<PathElement> {
        self.0.pop()
    }
}

impl Deref for Path {
    type Target = [PathElement];
    fn deref(&self) -> &[PathElement] {
        &self.0
    }
}
impl FromIterator<PathElement> for Path {
    fn from_iter<I: IntoIterator<Item = PathElement>>(elements: I) -> Self {
        Path(elements.into_iter().collect())
    }
}
impl From<Vec<PathElement>> for Path {
    fn from(elements: Vec<PathElement>) -> Self {
        Path(elements)
    }
}
impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|e| e.fmt(f))
    }
}
