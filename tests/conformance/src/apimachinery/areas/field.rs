//! Field paths and the texts of field errors.
use super::validation::found;
use crate::apimachinery::area::{Answer, Area, Case};
use crate::apimachinery::rng::Rng;
use pintle_apimachinery::validation::{BadValue, FieldError, FieldErrors, FieldPath};
use serde_json::{Value, json};

pub(crate) struct Fields;

fn text(rng: &mut Rng) -> String {
    let odd = [
        "<", "\"", "\\", "\n", "é", "\u{200b}", "\u{7f}", "\u{2028}", "\u{1}", "🙂", "a",
        "\u{e000}",
    ];
    if rng.chance(50) {
        rng.text(&odd, 4)
    } else {
        (*rng.pick(&["spec", "a", "b.c", "", "0"])).to_owned()
    }
}

fn value(rng: &mut Rng, depth: usize) -> Value {
    match rng.below(if depth > 1 { 6 } else { 8 }) {
        0 => Value::Null,
        1 => rng.chance(50).into(),
        // As in Go's decoding without a type, every number is a float.
        2 => (rng.between(-1 << 52, 1 << 52) as f64).into(),
        3 => (rng.between(-1000, 1000) as f64 * 10f64.powi(rng.between(-30, 30) as i32)).into(),
        4 | 5 => text(rng).into(),
        6 => (0..rng.below(3)).map(|_| value(rng, depth + 1)).collect(),
        _ => (0..rng.below(3)).map(|_| (text(rng), value(rng, depth + 1))).collect(),
    }
}

const KINDS: &[&str] = &[
    "NotFound",
    "Required",
    "Duplicate",
    "Invalid",
    "TypeInvalid",
    "NotSupported",
    "Forbidden",
    "TooLong",
    "TooLongCharacters",
    "TooShort",
    "TooMany",
    "TooFew",
    "Internal",
];

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
                case["values"].as_array()?.iter().filter_map(Value::as_str).collect();
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

impl Area for Fields {
    fn name(&self) -> &'static str {
        "field"
    }

    fn generate(&self, rng: &mut Rng) -> Case {
        if rng.chance(30) {
            let mut steps: Vec<Value> = Vec::new();
            if rng.chance(70) {
                steps.push(json!({"new": text(rng)}));
            }
            for _ in 0..rng.below(6) {
                steps.push(match rng.below(3) {
                    0 => json!({"child": text(rng)}),
                    1 => json!({"index": rng.below(12)}),
                    _ => json!({"key": text(rng)}),
                });
            }
            return Case::new("field.path", steps);
        }
        let mut errors: Vec<Value> = Vec::new();
        for _ in 0..rng.below(4) {
            if rng.chance(20) && !errors.is_empty() {
                let again = rng.pick(&errors).clone();
                errors.push(again);
                continue;
            }
            let kind = *rng.pick(KINDS);
            let values: Vec<String> = (0..rng.below(3)).map(|_| text(rng)).collect();
            let actual = if kind == "TooFew" { rng.between(0, 3) } else { rng.between(-1, 3) };
            errors.push(json!({
                "kind": kind, "field": text(rng), "value": value(rng, 0), "named": rng.chance(30),
                "detail": text(rng), "bound": rng.between(-1, 3), "actual": actual, "values": values,
            }));
        }
        Case::new("field.errors", errors)
    }

    fn ours(&self, case: &Case) -> Answer {
        let items = case.input.as_array().into_iter().flatten();
        if case.function == "field.path" {
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
}
