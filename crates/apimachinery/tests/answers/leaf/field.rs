//! What ours says of field paths and errors to the questions of `internal/answer/validation.go`, in the shape of
//! Go's answers.

use super::Answer;
use super::validation::found;
use pintle_apimachinery::validation::{BadValue, FieldError, FieldErrors, FieldPath};
use serde_json::{Value, json};

/// Our answer to a question; `None` if it is not one of these.
pub(crate) fn answer(function: &str, input: &Value) -> Option<Answer> {
    function.starts_with("field.").then(|| of_fields(function, input))
}

fn error(case: &Value) -> Option<FieldError> {
    let path = FieldPath::new(case["field"].as_str()?);
    let detail = case["detail"].as_str()?;
    let number = |name: &str| usize::try_from(case[name].as_i64().unwrap_or_default()).ok();
    let bound = number("bound");
    let value = match &case["value"] {
        Value::String(text) if case["named"] == true => BadValue::named(text),
        // Without a type every number is a float in Go.
        Value::Number(number) => number.as_f64()?.into(),
        other => BadValue::from(other),
    };
    Some(match case["kind"].as_str()? {
        "NotFound" => FieldError::not_found(path, value),
        "Required" => FieldError::required(path, detail),
        "Duplicate" => FieldError::duplicate(path, value),
        "Invalid" => FieldError::invalid(path, value, detail),
        "TypeInvalid" => FieldError::type_invalid(path, value, detail),
        "NotSupported" => {
            let values: Vec<&str> =
                case["values"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            FieldError::not_supported(path, value, &values)
        }
        "Forbidden" => FieldError::forbidden(path, detail),
        "TooLong" => FieldError::too_long(path, bound),
        "TooLongCharacters" => FieldError::too_long_characters(path, bound),
        "TooShort" => FieldError::too_short(path, bound),
        "TooMany" => FieldError::too_many(path, number("actual"), bound),
        "TooFew" => FieldError::too_few(path, number("actual").unwrap_or_default(), bound),
        _ => FieldError::internal(path, detail),
    })
}

fn of_fields(function: &str, input: &Value) -> Answer {
    let items = input.as_array().into_iter().flatten();
    if function == "field.path" {
        let mut path = FieldPath::nil();
        for (kind, value) in items.filter_map(Value::as_object).flatten() {
            let text = value.as_str().unwrap_or_default();
            path = match kind.as_str() {
                "new" => FieldPath::new(text),
                "child" => path.child(text),
                "index" => path.index(value.as_u64().unwrap_or_default() as usize),
                _ => path.key(text),
            };
        }
        return Ok(path.to_string().into());
    }
    let errors: Option<FieldErrors> = items.map(error).collect();
    let errors = errors.ok_or("a case that is not one")?;
    let bodies: Vec<String> = errors.iter().map(FieldError::body).collect();
    let mut out = json!({"bodies": bodies});
    if !errors.is_empty() {
        out["all"] = errors.to_string().into();
    }
    out["errors"] = found(errors);
    Ok(out)
}
