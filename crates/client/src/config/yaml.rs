//! Reading a YAML tree by hand, so that every complaint names the field it is about.
//!
//! Kubeconfig files are written by people and by many tools; serde's own messages name a line but
//! seldom the field. No Go counterpart: Go's loader goes through its Scheme.

use serde_json::{Map, Value};

/// One value of the file, with the path that leads to it.
#[derive(Clone)]
pub(super) struct Node<'a> {
    value: &'a Value,
    path: String,
}

/// The fields of a mapping; those never asked for are reported as unknown.
pub(super) struct Fields<'a> {
    map: Option<&'a Map<String, Value>>,
    path: String,
    known: Vec<&'static str>,
}

/// What is wrong with a file, without the file's name.
pub(super) type Complaint = String;

impl<'a> Node<'a> {
    pub(super) fn root(value: &'a Value) -> Self {
        Node { value, path: String::new() }
    }

    pub(super) fn path(&self) -> &str {
        &self.path
    }

    fn complain(&self, wanted: &str) -> Complaint {
        let found = match self.value {
            Value::Null => "empty",
            Value::Bool(_) => "a boolean",
            Value::Number(_) => "a number",
            Value::String(_) => "a string",
            Value::Array(_) => "a list",
            Value::Object(_) => "a mapping",
        };
        let hint = match (wanted, self.value) {
            ("a string", Value::Bool(_) | Value::Number(_)) => "; put it in quotes",
            _ => "",
        };
        let at = if self.path.is_empty() { "the file" } else { &self.path };
        format!("{at} must be {wanted}, not {found}{hint}")
    }

    /// A mapping; nothing at all is an empty one.
    pub(super) fn fields(&self) -> Result<Fields<'a>, Complaint> {
        let map = match self.value {
            Value::Null => None,
            Value::Object(map) => Some(map),
            _ => return Err(self.complain("a mapping")),
        };
        Ok(Fields { map, path: self.path.clone(), known: Vec::new() })
    }

    /// A list; nothing at all is an empty one.
    pub(super) fn items(&self) -> Result<Vec<Node<'a>>, Complaint> {
        match self.value {
            Value::Null => Ok(Vec::new()),
            Value::Array(items) => Ok(items
                .iter()
                .enumerate()
                .map(|(i, value)| Node { value, path: format!("{}[{i}]", self.path) })
                .collect()),
            _ => Err(self.complain("a list")),
        }
    }

    pub(super) fn string(&self) -> Result<String, Complaint> {
        match self.value {
            Value::Null => Ok(String::new()),
            Value::String(s) => Ok(s.clone()),
            _ => Err(self.complain("a string")),
        }
    }

    /// Anything.
    pub(super) fn json(&self) -> Value {
        self.value.clone()
    }

    pub(super) fn boolean(&self) -> Result<bool, Complaint> {
        match self.value {
            Value::Null => Ok(false),
            Value::Bool(b) => Ok(*b),
            _ => Err(self.complain("true or false")),
        }
    }
}

impl<'a> Fields<'a> {
    pub(super) fn get(&mut self, name: &'static str) -> Option<Node<'a>> {
        self.known.push(name);
        let value = self.map?.get(name)?;
        Some(Node { value, path: self.path_of(name) })
    }

    pub(super) fn path_of(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    pub(super) fn string(&mut self, name: &'static str) -> Result<String, Complaint> {
        self.get(name).map_or(Ok(String::new()), |node| node.string())
    }

    pub(super) fn boolean(&mut self, name: &'static str) -> Result<bool, Complaint> {
        self.get(name).map_or(Ok(false), |node| node.boolean())
    }

    pub(super) fn strings(&mut self, name: &'static str) -> Result<Vec<String>, Complaint> {
        let Some(node) = self.get(name) else { return Ok(Vec::new()) };
        node.items()?.iter().map(Node::string).collect()
    }

    /// Bytes written in base64, as every `...-data` field is.
    pub(super) fn bytes(&mut self, name: &'static str) -> Result<Vec<u8>, Complaint> {
        use base64::Engine;
        let text: String = self.string(name)?.split_ascii_whitespace().collect();
        base64::engine::general_purpose::STANDARD
            .decode(text)
            .map_err(|e| format!("{} is not valid base64: {e}", self.path_of(name)))
    }

    /// Every key with its value, for mappings whose keys the user chooses.
    pub(super) fn entries(&self) -> Vec<(String, Node<'a>)> {
        let mut out = Vec::new();
        for (key, value) in self.map.into_iter().flatten() {
            out.push((key.clone(), Node { value, path: self.path_of(key) }));
        }
        out
    }

    /// Adds the keys nobody asked for to `unknown`, each with the known field it resembles.
    pub(super) fn finish(self, unknown: &mut Vec<UnknownField>) {
        for (key, _) in self.map.into_iter().flatten() {
            if self.known.contains(&key.as_str()) {
                continue;
            }
            let resembles = self
                .known
                .iter()
                .map(|known| (distance(key, known), *known))
                .filter(|(d, known)| *d <= 2 && known.len() > 3)
                .min()
                .map(|(_, known)| known);
            unknown.push(UnknownField { path: self.path_of(key), resembles });
        }
    }
}

/// A field this library does not know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownField {
    /// Where it is, like `clusters[0].cluster.sever`.
    pub path: String,
    /// The known field it was probably meant to be.
    pub resembles: Option<&'static str>,
}

/// Levenshtein distance of two short names.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, cb) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(ca != *cb);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances() {
        assert_eq!(distance("server", "server"), 0);
        assert_eq!(distance("sever", "server"), 1);
        assert_eq!(distance("severr", "server"), 2);
        assert_eq!(distance("", "abc"), 3);
    }
}
