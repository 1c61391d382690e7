//! What ours says of selectors to the questions of `internal/answer/leaf.go`, in the shape of Go's answers.

use super::{Answer, text_map};
use pintle_apimachinery::labels::{
    LabelSet, Operator, Requirement, Selector, SetSelector, format_labels, labels_conflict,
    merge_labels, parse_labels,
};
use pintle_apimachinery::{LabelSelector, fields};
use serde_json::{Value, json};

/// Our answer to a question; `None` if it is not one of these.
pub(crate) fn answer(function: &str, input: &Value) -> Option<Answer> {
    match function.split_once('.')?.0 {
        "labels" => Some(of_labels(function, input)),
        "fields" => Some(of_fields(function, input)),
        _ => None,
    }
}

pub(crate) const OPERATORS: &[Operator] = &[
    Operator::DoesNotExist,
    Operator::Equals,
    Operator::DoubleEquals,
    Operator::In,
    Operator::NotEquals,
    Operator::NotIn,
    Operator::Exists,
    Operator::GreaterThan,
    Operator::LessThan,
];

fn of_labels(function: &str, input: &Value) -> Answer {
    let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
    let parse = |v: &Value| Selector::parse(&text(v)).map_err(|e| e.to_string());
    Ok(match function {
        "labels.parse" => {
            let selector = parse(input)?;
            let requirements: Vec<Value> = selector
                .requirements()
                .unwrap_or_default()
                .iter()
                .map(|r| {
                    let values: Vec<&str> = r.values().iter().map(|v| v.as_str()).collect();
                    json!({"key": r.key(), "operator": r.operator().as_str(), "values": values})
                })
                .collect();
            json!({
                "canonical": selector.to_string(),
                "empty": selector.is_empty(),
                "requirements": requirements,
            })
        }
        "labels.matches" => parse(&input["selector"])?.matches(&text_map(&input["set"])).into(),
        "labels.requirement" => {
            let operator = text(&input["operator"]);
            let operator = OPERATORS.iter().find(|o| o.as_str() == operator);
            let values = input["values"].as_array().into_iter().flatten().map(text);
            let operator = *operator.ok_or("no such operator")?;
            let made = Requirement::new(text(&input["key"]), operator, values);
            let made = made.map_err(|e| e.to_string())?;
            json!({"text": made.to_string(), "matches": made.matches(&text_map(&input["set"]))})
        }
        "labels.exact" => {
            json!(parse(&input["selector"])?.requires_exact_match(&text(&input["key"])))
        }
        "labels.set" => {
            let (a, b) = (text_map(&input[0]), text_map(&input[1]));
            // Go shows a set in the order of its texts, `a-b=1` before `a=1`.
            let shown = |text: String| if text == "<none>" { String::new() } else { text };
            let mut out = json!({
                "selector": Selector::from_set(&a).to_string(),
                "text": shown(format_labels(&a)),
                "borrowed": SetSelector(&a).to_string(),
                "matches": SetSelector(&a).matches(&b),
                "formatted": format_labels(&a),
                "conflict": labels_conflict(&a, &b),
                "merged": shown(format_labels(&merge_labels(&a, &b))),
            });
            match Selector::from_validated_set(&a) {
                Ok(s) => out["validated"] = s.to_string().into(),
                Err(e) => out["error"] = e.to_string().into(),
            }
            out
        }
        "labels.text" => {
            let labels = parse_labels(&text(input)).map_err(|e| e.to_string())?;
            let pair = |(key, value): (&str, &str)| (key.to_owned(), Value::from(value));
            Value::Object(LabelSet::iter(&labels).map(pair).collect())
        }
        "labels.ofLabelSelector" => {
            let given: Option<LabelSelector> =
                serde_json::from_value(input.clone()).map_err(|e| e.to_string())?;
            let selector = Selector::from_label_selector(given.as_ref());
            let selector = selector.map_err(|e| e.to_string())?;
            json!({
                "canonical": selector.to_string(),
                "empty": selector.is_empty(),
                "selectable": selector.requirements().is_some(),
            })
        }
        _ => return Err(format!("no function {function}")),
    })
}

fn of_fields(function: &str, input: &Value) -> Answer {
    if function == "fields.escape" {
        let text = input.as_str().unwrap_or_default();
        let mut out = json!({"escaped": fields::escape_value(text)});
        match fields::unescape_value(text) {
            Ok(plain) => out["unescaped"] = plain.into(),
            Err(e) => out["error"] = e.to_string().into(),
        }
        return Ok(out);
    }
    let text = match function {
        "fields.parse" => input.as_str(),
        _ => input["selector"].as_str(),
    };
    let selector = fields::Selector::parse(text.unwrap_or_default()).map_err(|e| e.to_string())?;
    if function == "fields.matches" {
        return Ok(selector.matches(&text_map(&input["set"])).into());
    }
    if function == "fields.exact" {
        let key = input["key"].as_str().unwrap_or_default();
        return Ok(json!(selector.requires_exact_match(key)));
    }
    let requirements: Vec<Value> = selector
        .requirements()
        .iter()
        .map(|r| {
            let operator = if r.equal { "=" } else { "!=" };
            json!({"key": r.field.as_str(), "operator": operator, "values": [r.value.as_str()]})
        })
        .collect();
    Ok(json!({
        "canonical": selector.to_string(),
        "empty": selector.is_empty(),
        "requirements": requirements,
    }))
}
