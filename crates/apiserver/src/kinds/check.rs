//! What validation reads objects through: a value of the tree together with its path.
//!
//! Go counterpart: `field.Path` in the signatures of `k8s.io/kubernetes/pkg/apis/*/validation`.

use pintle_apimachinery::Quantity;
use pintle_apimachinery::validation::{self, BadValue, FieldError, FieldErrors, FieldPath};
use serde_json::Value;

use super::tree::Fields;

/// A value, or that there is none, and its path.
#[derive(Clone, Debug)]
pub(crate) struct Node<'a> {
    value: &'a Value,
    path: FieldPath,
}

static NULL: Value = Value::Null;

impl<'a> Node<'a> {
    /// A value at a path.
    pub(crate) fn new(value: &'a Value, path: FieldPath) -> Node<'a> {
        Node { value, path }
    }

    /// A field of a whole object.
    pub(crate) fn of(object: &'a Fields, name: &str) -> Node<'a> {
        Node::new(object.get(name).unwrap_or(&NULL), FieldPath::new(name))
    }

    /// A field.
    pub(crate) fn get(&self, name: &str) -> Node<'a> {
        self.shown(name, name)
    }

    /// A field that errors show under another name.
    pub(crate) fn shown(&self, name: &str, shown: &str) -> Node<'a> {
        Node::new(self.peek(name), self.path.child(shown))
    }

    /// The value of a field.
    pub(crate) fn peek(&self, name: &str) -> &'a Value {
        self.value.get(name).unwrap_or(&NULL)
    }

    /// The same value at another path.
    pub(crate) fn at(&self, path: FieldPath) -> Node<'a> {
        Node::new(self.value, path)
    }

    pub(crate) fn path(&self) -> &FieldPath {
        &self.path
    }

    pub(crate) fn value(&self) -> &'a Value {
        self.value
    }

    /// The elements of a list.
    pub(crate) fn items(&self) -> impl Iterator<Item = Node<'a>> + use<'a> {
        let path = self.path.clone();
        let items = self.value.as_array().map(Vec::as_slice).unwrap_or_default();
        items.iter().enumerate().map(move |(i, item)| Node::new(item, path.index(i)))
    }

    /// The entries of a map by their keys.
    pub(crate) fn entries(&self) -> Vec<(&'a str, Node<'a>)> {
        let members = self.value.as_object().into_iter().flatten();
        let mut entries: Vec<_> = members
            .map(|(key, value)| (key.as_str(), Node::new(value, self.path.key(key))))
            .collect();
        entries.sort_by_key(|(key, _)| *key);
        entries
    }

    /// Texts of a list.
    pub(crate) fn texts(&self) -> Vec<&'a str> {
        let items = self.value.as_array().into_iter().flatten();
        items.map(|item| item.as_str().unwrap_or_default()).collect()
    }

    pub(crate) fn text(&self) -> &'a str {
        self.value.as_str().unwrap_or_default()
    }

    pub(crate) fn int(&self) -> i64 {
        self.value.as_i64().unwrap_or_default()
    }

    /// A number behind a pointer.
    pub(crate) fn some_int(&self) -> Option<i64> {
        self.value.as_i64()
    }

    pub(crate) fn flag(&self) -> bool {
        self.value.as_bool().unwrap_or_default()
    }

    pub(crate) fn quantity(&self) -> Quantity {
        Quantity::parse(self.text()).unwrap_or_default()
    }

    /// Whether there is a value.
    pub(crate) fn is_set(&self) -> bool {
        !self.value.is_null()
    }

    pub(crate) fn len(&self) -> usize {
        match self.value {
            Value::Array(items) => items.len(),
            Value::Object(members) => members.len(),
            Value::String(text) => text.len(),
            _ => 0,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The value as messages show it.
    pub(crate) fn bad(&self) -> BadValue {
        match self.value {
            Value::Null => BadValue::NULL,
            value => BadValue::from(value),
        }
    }

    /// A label selector as messages show it: in the order of its type.
    pub(crate) fn selector_shown(&self) -> BadValue {
        let mut parts = Vec::new();
        for key in ["matchLabels", "matchExpressions"] {
            match self.peek(key) {
                Value::Null => {}
                Value::Array(items) => {
                    let items: Vec<String> = items.iter().map(requirement_shown).collect();
                    parts.push(format!("\"{key}\":[{}]", items.join(",")));
                }
                value => parts.push(format!("\"{key}\":{}", BadValue::from(value).as_str())),
            }
        }
        BadValue::json(format!("{{{}}}", parts.join(",")))
    }

    /// The value of a type made of strings.
    fn named(&self) -> BadValue {
        match self.value {
            Value::String(text) => BadValue::named(text),
            Value::Null => BadValue::from(""),
            value => BadValue::from(value),
        }
    }

    pub(crate) fn required(&self, detail: &str) -> FieldError {
        FieldError::required(&self.path, detail)
    }

    pub(crate) fn forbidden(&self, detail: impl Into<String>) -> FieldError {
        FieldError::forbidden(&self.path, detail)
    }

    /// What is missing shows as the zero value of a text.
    pub(crate) fn invalid(&self, detail: impl Into<String>) -> FieldError {
        let bad = if self.is_set() { self.bad() } else { BadValue::from("") };
        FieldError::invalid(&self.path, bad, detail)
    }

    /// As [`invalid`](Node::invalid) for a number, which shows as 0 when it is missing.
    pub(crate) fn invalid_int(&self, detail: impl Into<String>) -> FieldError {
        FieldError::invalid(&self.path, self.int(), detail)
    }

    pub(crate) fn unsupported(&self, supported: &[&str]) -> FieldError {
        FieldError::not_supported(&self.path, self.named(), supported)
    }

    pub(crate) fn duplicate(&self) -> FieldError {
        FieldError::duplicate(&self.path, self.bad())
    }

    pub(crate) fn not_found(&self) -> FieldError {
        FieldError::not_found(&self.path, self.invalid("").bad_value.unwrap_or(BadValue::NULL))
    }

    pub(crate) fn too_long(&self, most: usize) -> FieldError {
        FieldError::too_long(&self.path, most)
    }

    /// Checks a text by a rule.
    pub(crate) fn rule(&self, e: &mut FieldErrors, rule: fn(&str) -> Vec<String>) {
        e.extend(rule(self.text()).into_iter().map(|problem| self.invalid(problem)));
    }

    /// Checks a name by a rule.
    pub(crate) fn name(&self, e: &mut FieldErrors, rule: fn(&str, bool) -> Vec<String>) {
        e.extend(rule(self.text(), false).into_iter().map(|problem| self.invalid(problem)));
    }

    /// Checks a text that is given, and by a rule.
    pub(crate) fn required_rule(&self, e: &mut FieldErrors, rule: fn(&str) -> Vec<String>) {
        if self.text().is_empty() {
            e.push(self.required(""));
        } else {
            self.rule(e, rule);
        }
    }

    /// Checks that a text is given.
    pub(crate) fn given(&self, e: &mut FieldErrors) {
        if self.is_empty() {
            e.push(self.required(""));
        }
    }

    /// Checks that a text is given and one of these.
    pub(crate) fn one_of(&self, e: &mut FieldErrors, supported: &[&str]) {
        if self.text().is_empty() {
            e.push(self.required(""));
        } else {
            self.supported(e, supported);
        }
    }

    /// Checks that a text is one of these.
    pub(crate) fn supported(&self, e: &mut FieldErrors, supported: &[&str]) {
        if !supported.contains(&self.text()) {
            e.push(self.unsupported(supported));
        }
    }

    /// Checks that a number is at least 0.
    pub(crate) fn nonnegative(&self, e: &mut FieldErrors) {
        e.extend(validation::validate_nonnegative(&self.path, self.int()));
    }

    /// Checks a number by a rule.
    pub(crate) fn number(&self, e: &mut FieldErrors, rule: fn(i64) -> Vec<String>) {
        e.extend(rule(self.int()).into_iter().map(|problem| self.invalid_int(problem)));
    }

    /// Checks that a number lies between two others.
    pub(crate) fn within(&self, e: &mut FieldErrors, least: i64, most: i64) {
        if !(least..=most).contains(&self.int()) {
            e.push(self.invalid_int(range(least, most)));
        }
    }

    /// Checks a map of labels.
    pub(crate) fn labels(&self, e: &mut FieldErrors) {
        let entries = self.entries();
        let pairs = entries.iter().map(|(key, value)| (*key, value.text()));
        e.extend(validation::validate_labels(&self.path, pairs));
    }

    /// Checks a label selector; nothing is none.
    pub(crate) fn selector(&self, e: &mut FieldErrors) {
        if let Some(selector) = self.label_selector() {
            let leniency = validation::SelectorLeniency::default();
            e.extend(validation::validate_label_selector(&self.path, &selector, leniency));
        }
    }

    /// Checks a label selector, of which values that are no label values may be kept where `old`
    /// had such.
    pub(crate) fn selector_over(&self, e: &mut FieldErrors, old: Option<&Node<'_>>) {
        let Some(selector) = self.label_selector() else { return };
        let leniency = validation::SelectorLeniency::default();
        let kept = old.and_then(Node::label_selector).is_some_and(|old| {
            !validation::validate_label_selector(&self.path, &old, leniency).is_empty()
        });
        let leniency = validation::SelectorLeniency { invalid_values: kept, ..leniency };
        e.extend(validation::validate_label_selector(&self.path, &selector, leniency));
    }

    /// A field that has changed although it must not, as declarative rules tell it.
    pub(crate) fn immutable_declared(&self, e: &mut FieldErrors, old: &Node<'_>) {
        if !same(self.value, old.value) {
            e.push(FieldError::invalid(&self.path, BadValue::NULL, validation::FIELD_IMMUTABLE));
        }
    }

    /// The label selector that this is.
    pub(crate) fn label_selector(&self) -> Option<pintle_apimachinery::LabelSelector> {
        if !self.is_set() {
            return None;
        }
        serde_json::from_value(self.value.clone()).ok()
    }

    /// Checks a port by number or by name.
    pub(crate) fn port(&self, e: &mut FieldErrors) {
        match self.value {
            Value::String(_) => self.rule(e, validation::port_name),
            _ => self.number(e, validation::port_number),
        }
    }

    /// Checks that a field has not changed.
    pub(crate) fn immutable(&self, e: &mut FieldErrors, old: &Node<'_>) {
        if !same(self.value, old.value) {
            let is_selector =
                ["matchLabels", "matchExpressions"].iter().any(|key| self.value.get(key).is_some());
            let bad = if is_selector { self.selector_shown() } else { self.bad() };
            e.push(FieldError::invalid(&self.path, bad, validation::FIELD_IMMUTABLE));
        }
    }
}

/// A struct of Go's internal types as messages show it, whose fields have no JSON names.
pub(crate) fn struct_shown(fields: &[(&str, BadValue)]) -> BadValue {
    let fields: Vec<String> =
        fields.iter().map(|(name, value)| format!("\"{name}\":{}", value.as_str())).collect();
    BadValue::json(format!("{{{}}}", fields.join(",")))
}

fn requirement_shown(requirement: &Value) -> String {
    let text = |key: &str| BadValue::named(requirement[key].as_str().unwrap_or_default());
    let (key, operator) = (text("key"), text("operator"));
    let values = match &requirement["values"] {
        Value::Null => String::new(),
        values => format!(",\"values\":{}", BadValue::from(values).as_str()),
    };
    format!("{{\"key\":{},\"operator\":{}{values}}}", key.as_str(), operator.as_str())
}

/// The text of a rule about a number.
pub(crate) fn range(least: i64, most: i64) -> String {
    format!("must be between {least} and {most}, inclusive")
}

/// Whether two values are the same to Go's `Semantic.DeepEqual`: nothing is an empty list or map.
pub(crate) fn same(a: &Value, b: &Value) -> bool {
    let empty = |v: &Value| match v {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        _ => false,
    };
    match (a, b) {
        (Value::Object(x), Value::Object(y)) => {
            x.iter().all(|(k, v)| same(v, y.get(k).unwrap_or(&NULL)))
                && y.iter().all(|(k, v)| x.contains_key(k) || same(v, &NULL))
        }
        (Value::Array(x), Value::Array(y)) => {
            x.len() == y.len() && x.iter().zip(y).all(|(a, b)| same(a, b))
        }
        _ => a == b || (empty(a) && empty(b) && !a.is_object() && !b.is_object()),
    }
}
