//! Single values against a schema: types, enums, texts and numbers.
//!
//! Go counterpart: the validators of `k8s.io/kube-openapi/pkg/validation/validate` for types,
//! strings, numbers, formats and enums.

use pintle_apimachinery::validation::{BadValue, FieldError};
use serde_json::{Number, Value};

use super::schema_check::{Found, RAW, field, flag, invalid, list, plain, text};
use super::schema_formats::{fits_format, is_text_format, matches_pattern};
use crate::status::quote;

/// The largest whole number that a float holds for certain.
const WHOLE: f64 = 9_007_199_254_740_991.0;

/// The types that a schema allows.
fn types(schema: &Value) -> Vec<&str> {
    match text(schema, "type") {
        _ if flag(schema, "x-kubernetes-int-or-string") => vec!["integer", "string"],
        "" => vec![],
        own => vec![own],
    }
}

/// The format of a schema, where it is one of those of its type that are known.
fn format(schema: &Value) -> &str {
    let format = text(schema, "format");
    if flag(schema, RAW) {
        return format;
    }
    let known = match types(schema).as_slice() {
        ["integer"] => matches!(format, "int32" | "int64"),
        ["number"] => matches!(format, "float" | "double"),
        [] | ["string"] | [_, _] => is_text_format(format),
        _ => false,
    };
    if known { format } else { "" }
}

/// Whether a schema has a format that is looked at.
pub(super) fn is_format(schema: &Value) -> bool {
    !format(schema).is_empty()
}

fn wrong_type(path: &str, wanted: &str, shown: &str) -> Found {
    let detail = format!("{path} in body must be of type {wanted}: {}", quote(shown));
    Found::of(FieldError::type_invalid(field(path), shown, detail))
}

/// Whether a float is a whole number, or so near that it is taken for one.
fn is_whole(number: f64) -> bool {
    if !number.is_finite() || number.abs() > WHOLE {
        return false;
    }
    let rounded = number.round();
    number == rounded || (rounded != 0.0 && (number - rounded).abs() < 1e-9 * rounded.abs())
}

pub(super) fn of_type(schema: &Value, value: &Value, path: &str) -> Found {
    let wanted = types(schema);
    let fits = || Found { count: 1, ..Found::default() };
    // A type, and the format that Go takes the value to have.
    let (actual, own) = match value {
        Value::Null
            if wanted.is_empty() || flag(schema, "nullable") || wanted.contains(&"null") =>
        {
            return fits();
        }
        Value::Null => return wrong_type(path, &wanted.join(","), "null"),
        Value::Bool(_) => ("boolean", ""),
        Value::Number(number) if number.as_i64().is_none() => ("number", "float64"),
        Value::Number(_) => ("integer", "int64"),
        Value::String(_) => ("string", ""),
        Value::Array(_) => ("array", ""),
        Value::Object(_) => ("object", ""),
    };
    let format = format(schema);
    let has = |kind: &str| wanted.contains(&kind);
    let float = value.as_f64().unwrap_or_default();
    let matches = has(actual)
        || (actual == "number" && has("integer") && is_whole(float))
        || (actual == "integer" && has("number"));
    let listed = matches!(value, Value::String(_) | Value::Array(_));
    if !(listed || format.is_empty() || matches || own == format) {
        return wrong_type(path, format, own);
    }
    // A text or a list with a format is left to the format.
    let numeric = has("number") || has("integer");
    if (!numeric && !format.is_empty() && listed) || matches {
        return fits();
    }
    wrong_type(path, &wanted.join(","), actual)
}

/// What a text's format says; none where the schema has none for texts.
pub(super) fn of_format(schema: &Value, own: &str, path: &str) -> Option<Found> {
    let format = Some(format(schema)).filter(|format| is_text_format(format))?;
    Some(match fits_format(format, own) {
        true => Found::default(),
        false => wrong_type(path, format, own),
    })
}

/// Only the first rule that is broken is told.
pub(super) fn of_text(schema: &Value, own: &str, path: &str) -> Found {
    let length = i64::try_from(own.chars().count()).unwrap_or(i64::MAX);
    let limit = |name: &str| schema.get(name).and_then(Value::as_i64);
    if let Some(most) = limit("maxLength").filter(|most| length > *most) {
        return Found::of(FieldError::too_long(field(path), usize::try_from(most).ok()));
    }
    if let Some(least) = limit("minLength").filter(|least| length < *least) {
        let detail = format!("{path} in body should be at least {least} chars long");
        return invalid(path, own, detail);
    }
    let pattern = text(schema, "pattern");
    if !pattern.is_empty() && !matches_pattern(pattern, own) {
        return invalid(path, own, format!("{path} in body should match '{pattern}'"));
    }
    Found::default()
}

/// A number of a schema or an object, as Go has it in its hands.
#[derive(Clone, Copy)]
enum Own {
    Int(i64),
    Float(f64),
}

impl Own {
    fn of(number: &Number) -> Own {
        match number.as_i64() {
            Some(whole) if !number.is_f64() => Own::Int(whole),
            _ => Own::Float(number.as_f64().unwrap_or_default()),
        }
    }

    #[allow(clippy::cast_precision_loss)]
    fn float(self) -> f64 {
        match self {
            Own::Int(whole) => whole as f64,
            Own::Float(float) => float,
        }
    }

    fn shown(self) -> BadValue {
        match self {
            Own::Int(whole) => whole.into(),
            Own::Float(float) => float.into(),
        }
    }

    /// Whether it can be of a type and format.
    fn fits(self, kind: &str, format: &str) -> bool {
        match (self, kind, format) {
            (Own::Int(whole), "integer", "int32") => i32::try_from(whole).is_ok(),
            (Own::Float(float), "integer", format) => {
                let (low, high) = match format {
                    "int32" => (f64::from(i32::MIN), f64::from(i32::MAX) + 1.0),
                    _ => (-9_223_372_036_854_775_808.0, 9_223_372_036_854_775_808.0),
                };
                float.fract() == 0.0 && float >= low && float < high
            }
            #[allow(clippy::cast_possible_truncation)]
            (own, _, "float") => (own.float() as f32).is_finite(),
            _ => true,
        }
    }
}

/// As Go's conversion on the machines it is run on.
#[allow(clippy::cast_possible_truncation)]
fn truncated(float: f64) -> i64 {
    let out = !(-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&float);
    if out { i64::MIN } else { float as i64 }
}

fn out_of_range(what: &str, kind: &str, format: &str, path: &str) -> FieldError {
    let how = match format {
        "" => "(default format)".to_owned(),
        format => format!("with format {format}"),
    };
    plain(format!("{what} value must be of type {kind} {how} in {path}"))
}

pub(super) fn of_number(schema: &Value, number: &Number, path: &str) -> Found {
    let mut found = Found { count: 1, ..Found::default() };
    let own = Own::of(number);
    let kinds = types(schema);
    let kind = match kinds.as_slice() {
        [kind @ ("integer" | "number")] => *kind,
        _ => "",
    };
    let format = match (kind, format(schema)) {
        ("integer", format @ ("int32" | "int64")) | ("number", format @ ("float" | "double")) => {
            format
        }
        _ => "",
    };
    if !own.fits(kind, format) {
        found.push(out_of_range("Checked", kind, format, path));
    }
    let bound = |name: &str| schema.get(name).and_then(Value::as_f64);
    if let Some(factor) = bound("multipleOf") {
        let fits = Own::Float(factor).fits(kind, format);
        if !fits {
            found.push(out_of_range("MultipleOf", kind, format, path));
        }
        found.merge(multiple(own, factor, fits, path));
    }
    for (name, exclusive, low) in
        [("minimum", "exclusiveMinimum", true), ("maximum", "exclusiveMaximum", false)]
    {
        let Some(limit) = bound(name) else { continue };
        let fits = Own::Float(limit).fits(kind, format);
        if !fits {
            let what = if low { "Minimum boundary" } else { "Maximum boundary" };
            found.push(out_of_range(what, kind, format, path));
        }
        let exclusive = flag(schema, exclusive);
        let (beyond, shown, told) = match own {
            Own::Int(own) if fits => {
                let limit = truncated(limit);
                let beyond = if low { own < limit } else { own > limit };
                (beyond || (exclusive && own == limit), BadValue::from(limit), own.into())
            }
            own => {
                let own = own.float();
                let beyond = if low { own < limit } else { own > limit };
                #[allow(clippy::float_cmp)]
                let at = exclusive && own == limit;
                (beyond || at, BadValue::from(limit), BadValue::from(own))
            }
        };
        if beyond {
            let than = if low { "greater than" } else { "less than" };
            let or = if exclusive { "" } else { " or equal to" };
            let detail = format!("{path} in body should be {than}{or} {}", shown.as_str());
            found.merge(Found::of(FieldError::invalid(field(path), told, detail)));
        }
    }
    found
}

fn multiple(own: Own, factor: f64, fits: bool, path: &str) -> Found {
    let (positive, is_multiple, shown, told) = match own {
        Own::Int(own) if fits => {
            let factor = truncated(factor);
            let is_multiple = factor > 0 && own % factor == 0;
            (factor > 0, is_multiple, BadValue::from(factor), BadValue::from(own))
        }
        own => {
            let own_float = own.float();
            let times = if factor < 1.0 { 1.0 / factor * own_float } else { own_float / factor };
            let told = match own {
                Own::Int(_) if !fits => BadValue::from(own_float),
                own => own.shown(),
            };
            (factor > 0.0, is_whole(times), BadValue::from(factor), told)
        }
    };
    let detail = match (positive, is_multiple) {
        (true, true) => return Found::default(),
        (true, false) => format!("{path} in body should be a multiple of {}", shown.as_str()),
        (false, _) => {
            let shown_factor = shown.as_str();
            let detail =
                format!("factor MultipleOf declared for {path} must be positive: {shown_factor}");
            return Found::of(FieldError::invalid(field(path), shown.clone(), detail));
        }
    };
    Found::of(FieldError::invalid(field(path), told, detail))
}

/// Whether a value is one of an enum, after Go's conversion to its type.
fn equals(allowed: &Value, value: &Value) -> bool {
    match (allowed, value) {
        (Value::Null, _) => false,
        (Value::Number(a), Value::Number(b)) => match (Own::of(a), Own::of(b)) {
            (Own::Int(a), Own::Int(b)) => a == b,
            (Own::Int(a), Own::Float(b)) => a == truncated(b),
            #[allow(clippy::float_cmp)]
            (Own::Float(a), b) => a == b.float(),
        },
        // A number becomes the character of that number.
        (Value::String(a), Value::Number(b)) if b.as_i64().is_some() => {
            let code = b.as_u64().and_then(|code| u32::try_from(code).ok());
            let mut buffer = [0; 4];
            let c = code.and_then(char::from_u32).unwrap_or('\u{fffd}');
            *a == *c.encode_utf8(&mut buffer)
        }
        (a, b) => a == b,
    }
}

pub(super) fn of_enum(schema: &Value, value: &Value, path: &str) -> Found {
    let allowed = list(schema, "enum");
    if allowed.is_empty() || allowed.iter().any(|allowed| equals(allowed, value)) {
        return Found::default();
    }
    let shown: Vec<String> = allowed
        .iter()
        .map(|value| match value {
            Value::String(text) => text.clone(),
            // Within a list numbers show as in JSON.
            value => {
                let list = BadValue::from(&Value::Array(vec![value.clone()]));
                list.as_str()[1..list.as_str().len() - 1].to_owned()
            }
        })
        .collect();
    Found::of(FieldError::not_supported(field(path), value, &shown))
}
