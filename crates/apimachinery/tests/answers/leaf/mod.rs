//! What ours says to the questions that Go's side answers (`tests/control-plane/internal/answer`). The comparison
//! with Go (`cargo xtask conformance apimachinery`) uses these files too.

use serde_json::Value;
use std::collections::BTreeMap;

pub(crate) mod declarative;
mod field;
pub(crate) mod object_meta;
pub(crate) mod quantity;
pub(crate) mod selectors;
mod times;
mod validation;

/// What a function returned: its output, or the text of its error.
pub(crate) type Answer = Result<Value, String>;

/// Our answer to a question; `None` if it is not one of these.
pub(crate) fn answer(function: &str, input: &Value) -> Option<Answer> {
    let of = [
        quantity::answer,
        selectors::answer,
        times::answer,
        validation::answer,
        field::answer,
        object_meta::answer,
        declarative::answer,
    ];
    of.iter().find_map(|answer| answer(function, input))
}

/// An object whose members are texts.
fn text_map(v: &Value) -> BTreeMap<String, String> {
    let pairs = v.as_object().into_iter().flatten();
    pairs.filter_map(|(k, v)| Some((k.clone(), v.as_str()?.to_owned()))).collect()
}
