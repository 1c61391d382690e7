//! Label selectors against Go's answers, and round trips. Go: `pkg/labels/{selector,labels}_test.go`,
//! `pkg/apis/meta/v1/helpers_test.go`.

use std::collections::BTreeMap;

use super::*;
use crate::Map;
use crate::parse_error::{cases, random};

const OPERATORS: [Operator; 9] = [
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

fn answer(operation: &str, arguments: &[String]) -> Result<Vec<String>, ParseError> {
    let texts = |from: usize| arguments[from..].iter().map(|text| Str::new(text));
    Ok(match operation {
        "parse" => {
            let selector = Selector::parse(&arguments[0])?;
            let labels: BTreeMap<&str, &str> =
                arguments[1..].chunks(2).map(|pair| (pair[0].as_str(), pair[1].as_str())).collect();
            let mut out = vec![selector.to_string(), selector.is_empty().to_string()];
            for requirement in selector.requirements().unwrap() {
                let values: Vec<&str> = requirement.values().iter().map(Str::as_str).collect();
                let (key, operator) = (requirement.key(), requirement.operator());
                out.push(format!("{key}|{operator}|{}", values.join(",")));
                let exact = selector.requires_exact_match(key);
                out.push(format!("{} {}", exact.is_some(), exact.unwrap_or_default()));
            }
            out.push(selector.matches(&labels).to_string());
            out
        }
        "requirement" => {
            let operator = OPERATORS.into_iter().find(|one| one.as_str() == arguments[1]).unwrap();
            vec![Requirement::new(arguments[0].as_str(), operator, texts(2))?.to_string()]
        }
        "label_selector" => {
            let mut parts = LabelSelector::default();
            if !arguments[0].is_empty() {
                parts.match_labels.insert(Str::new(&arguments[0]), Str::new(&arguments[1]));
            }
            if arguments[2] != "-" {
                parts.match_expressions.push(LabelSelectorRequirement {
                    key: Str::new(&arguments[2]),
                    operator: Str::new(&arguments[3]),
                    values: texts(4).collect(),
                });
            }
            vec![Selector::from_label_selector(Some(&parts))?.to_string()]
        }
        _ => panic!("unknown operation {operation}"),
    })
}

#[test]
fn agrees_with_go() {
    let cases = cases(include_str!("../../testdata/leaf/labels.jsonl"));
    assert!(cases.len() > 200);
    for (operation, arguments, expect) in cases {
        let got =
            answer(&operation, &arguments).unwrap_or_else(|error| vec![format!("error: {error}")]);
        assert_eq!(got, expect, "{operation} {arguments:?}");
    }
}

#[test]
fn everything_and_nothing() {
    let none: [(&str, &str); 0] = [];
    let (everything, nothing) = (Selector::everything(), Selector::nothing());
    assert!(everything.matches(&none) && everything.is_empty() && !everything.is_nothing());
    assert!(!nothing.matches(&none) && !nothing.is_empty() && nothing.is_nothing());
    assert_eq!((everything.to_string(), nothing.to_string()), (String::new(), String::new()));
    assert_eq!((everything.requirements(), nothing.requirements()), (Some(&[][..]), None));
    let exists = Requirement::new("a", Operator::Exists, [""; 0]).unwrap();
    assert!(nothing.with([exists.clone()]).is_nothing());
    assert_eq!(everything.with([exists]).to_string(), "a");
    assert!(Selector::from_label_selector(None).unwrap().is_nothing());
    let empty = LabelSelector::default();
    assert!(Selector::from_label_selector(Some(&empty)).unwrap().is_empty());
}

#[test]
fn errors_name_the_field() {
    let path = FieldPath::new("spec").child("selector");
    let error = Selector::parse_at("a=b c,é", &path).unwrap_err().to_string();
    assert_eq!(error, "found 'c', expected: ',' or 'end of string'");
    let error = Selector::parse_at("a=é", &path).unwrap_err().to_string();
    assert!(
        error.starts_with(
            "unable to parse requirement: spec.selector.values[0][a]: Invalid value: \"é\": "
        ),
        "{error}"
    );
}

#[test]
fn sets() {
    let labels: Map<Str> =
        [("b", "2"), ("a", "1")].into_iter().map(|(k, v)| (Str::new(k), Str::new(v))).collect();
    let borrowed = SetSelector(&labels);
    assert_eq!(borrowed.to_string(), "a=1,b=2");
    assert_eq!(borrowed.to_selector().to_string(), "a=1,b=2");
    assert_eq!(Selector::from_validated_set(&labels).unwrap(), Selector::from_set(&labels));
    assert!(borrowed.matches(&labels) && Selector::from_set(&labels).matches(&labels));
    assert!(!borrowed.matches(&[("a", "1"), ("b", "x")]) && !borrowed.matches(&[("a", "1")]));
    assert_eq!(
        (borrowed.requires_exact_match("a"), borrowed.requires_exact_match("c")),
        (Some("1"), None)
    );
    assert!(Selector::from_validated_set(&[("a b", "1")]).is_err());
    assert_eq!(Selector::from_set(&[("a b", "1")]).to_string(), "a b=1");
    let none: [(&str, &str); 0] = [];
    assert!(SetSelector(&none).is_empty() && SetSelector(&none).matches(&labels));
}

#[test]
fn printed_selectors_read_back() {
    let mut random = random(7);
    let words = ["a", "b", "in", "notin", "x.io/n", "1", "-", "z_Z.0"];
    for _ in 0..3000 {
        let requirements: Vec<Requirement> = (0..random(4))
            .filter_map(|_| {
                let operator = OPERATORS[random(9) as usize];
                let first = random(8) as usize; // the others differ: reading makes a set
                let values: Vec<&str> =
                    (0..random(3) as usize).map(|i| words[(first + i) % 8]).collect();
                Requirement::new(words[random(6) as usize], operator, values).ok()
            })
            .collect();
        let selector = Selector::new(requirements);
        let text = selector.to_string();
        let read = Selector::parse(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(read.to_string(), text);
        for labels in
            [[("a", "1"), ("b", "in")], [("in", "a"), ("notin", "1")], [("a", "b"), ("x.io/n", "")]]
        {
            assert_eq!(read.matches(&labels), selector.matches(&labels), "{text}");
        }
    }
}
