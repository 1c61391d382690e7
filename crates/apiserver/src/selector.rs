//! Label and field selectors of list and watch requests, on what is kept beside stored objects.
//!
//! Go counterpart: `k8s.io/apiserver/pkg/storage.SelectionPredicate`.

use pintle_apimachinery::{fields, labels};

use crate::object::Summary;
use crate::registry::Resource;
use crate::status::{ApiError, ApiResult};

/// Which objects a request is about.
#[derive(Clone, Debug)]
pub(crate) struct Selector {
    labels: labels::Selector,
    fields: Vec<Term>,
}

#[derive(Clone, Debug)]
struct Term {
    field: Field,
    value: String,
    equal: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    Name,
    Namespace,
    /// Index in the resource's table.
    Other(usize),
}

impl Selector {
    /// Everything.
    pub(crate) fn all() -> Self {
        Selector { labels: labels::Selector::everything(), fields: Vec::new() }
    }

    /// Parses both selectors for a resource.
    pub(crate) fn parse(labels: &str, fields: &str, resource: &Resource) -> ApiResult<Self> {
        let refused = |text: &str| ApiError::bad_request(text);
        let labels = labels::Selector::parse(labels).map_err(|error| refused(error.message()))?;
        let parsed = fields::Selector::parse(fields).map_err(|error| refused(error.message()))?;
        let mut terms = Vec::new();
        for requirement in parsed.requirements() {
            let field = match requirement.field.as_str() {
                "metadata.name" => Field::Name,
                "metadata.namespace" => Field::Namespace,
                other => {
                    let selectable = resource.selectable();
                    match selectable.iter().position(|(label, _)| *label == other) {
                        Some(index) => Field::Other(index),
                        None => {
                            return Err(refused(
                                &resource.behaviour.unknown_label.replace("{}", other),
                            ));
                        }
                    }
                }
            };
            let value = requirement.value.to_string();
            terms.push(Term { field, value, equal: requirement.equal });
        }
        Ok(Selector { labels, fields: terms })
    }

    /// Narrows the selection to one name.
    pub(crate) fn also_named(&mut self, name: &str) {
        self.fields.push(Term { field: Field::Name, value: name.to_owned(), equal: true });
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.labels.is_empty() && self.fields.is_empty()
    }

    pub(crate) fn matches(&self, object: &Summary) -> bool {
        self.labels.matches(object.labels.as_slice())
            && self.fields.iter().all(|term| {
                let value = match term.field {
                    Field::Name => object.name.as_str(),
                    Field::Namespace => object.namespace.as_str(),
                    Field::Other(index) => object.fields.get(index).map_or("", String::as_str),
                };
                (value == term.value) == term.equal
            })
    }
}
