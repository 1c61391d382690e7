//! Paths to fields. Go: `field.Path` of `k8s.io/apimachinery/pkg/util/validation/field`.

use std::fmt;

/// A path to a field, such as `spec.containers[0].env[HOME]`.
///
/// ```
/// use pintle_apimachinery::validation::FieldPath;
///
/// let containers = FieldPath::new("spec").child("containers");
/// assert_eq!(containers.index(0).child("env").key("HOME").to_string(), "spec.containers[0].env[HOME]");
/// assert_eq!(FieldPath::nil().to_string(), "<nil>");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FieldPath(String);

impl FieldPath {
    /// A path that begins with this field.
    pub fn new(name: impl Into<String>) -> FieldPath {
        let name = name.into();
        // Go cannot tell a field without a name from an element without an index.
        FieldPath(if name.is_empty() { "[]".to_owned() } else { name })
    }

    /// No path, which shows as Go's nil path does: `<nil>`.
    pub fn nil() -> FieldPath {
        FieldPath(String::new())
    }

    /// Whether this is [`nil`](FieldPath::nil).
    pub fn is_nil(&self) -> bool {
        self.0.is_empty()
    }

    /// A field of the object that this leads to.
    #[must_use]
    pub fn child(&self, name: &str) -> FieldPath {
        if name.is_empty() {
            return self.key("");
        }
        let dot = if self.0.is_empty() { "" } else { "." };
        FieldPath(format!("{}{dot}{name}", self.0))
    }

    /// An element of the list that this leads to.
    #[must_use]
    pub fn index(&self, index: usize) -> FieldPath {
        FieldPath(format!("{}[{index}]", self.0))
    }

    /// The value of a key in the map that this leads to.
    #[must_use]
    pub fn key(&self, key: &str) -> FieldPath {
        FieldPath(format!("{}[{key}]", self.0))
    }

    /// The text that field errors hold.
    pub(super) fn into_text(self) -> String {
        if self.0.is_empty() { "<nil>".to_owned() } else { self.0 }
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_empty() { "<nil>" } else { &self.0 })
    }
}

impl From<&FieldPath> for FieldPath {
    fn from(path: &FieldPath) -> FieldPath {
        path.clone()
    }
}

impl From<&str> for FieldPath {
    fn from(path: &str) -> FieldPath {
        FieldPath::new(path)
    }
}

impl From<String> for FieldPath {
    fn from(path: String) -> FieldPath {
        FieldPath::new(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Go: TestPath, TestPathMultiArg
    #[test]
    fn paths() {
        #[track_caller]
        fn check(path: FieldPath, expect: &str) {
            assert_eq!(path.to_string(), expect);
        }
        let root = || FieldPath::new("root");
        check(root(), "root");
        check(root().child("first").child("second"), "root.first.second");
        check(root().index(0), "root[0]");
        check(root().child("child").index(0).key("k").child("x"), "root.child[0][k].x");
        check(FieldPath::nil(), "<nil>");
        check(FieldPath::nil().child("key"), "key");
        check(FieldPath::nil().child("values").index(0).key("a/b"), "values[0][a/b]");
        check(FieldPath::nil().index(3), "[3]");
        check(FieldPath::new(""), "[]");
        check(root().child("").child("x"), "root[].x");
        check("a.b".into(), "a.b");
    }
}
