//! Field selectors against Go's answers. Go: `pkg/fields/{selector,fields}_test.go`.

use super::*;
use crate::parse_error::cases;

fn answer(operation: &str, arguments: &[String]) -> Result<Vec<String>, ParseError> {
    Ok(match operation {
        "parse" => {
            let selector = Selector::parse(&arguments[0])?;
            let fields: Vec<(&str, &str)> =
                arguments[1..].chunks(2).map(|pair| (pair[0].as_str(), pair[1].as_str())).collect();
            let mut out = vec![selector.to_string(), selector.is_empty().to_string()];
            for Requirement { field, equal, value } in selector.requirements() {
                out.push(format!("{field}|{}|{value}", if *equal { "=" } else { "!=" }));
                let exact = selector.requires_exact_match(field);
                out.push(format!("{} {}", exact.is_some(), exact.unwrap_or_default()));
            }
            out.push(selector.matches(&fields[..]).to_string());
            assert_eq!(Selector::parse(&selector.to_string())?.to_string(), selector.to_string());
            out
        }
        "escape" => {
            let unescaped = unescape_value(&arguments[0]);
            vec![
                escape_value(&arguments[0]),
                unescaped.unwrap_or_else(|error| format!("error: {error}")),
            ]
        }
        _ => panic!("unknown operation {operation}"),
    })
}

#[test]
fn agrees_with_go() {
    let cases = cases(include_str!("../../testdata/leaf/fields.jsonl"));
    assert!(cases.len() > 80);
    for (operation, arguments, expect) in cases {
        let got =
            answer(&operation, &arguments).unwrap_or_else(|error| vec![format!("error: {error}")]);
        assert_eq!(got, expect, "{operation} {arguments:?}");
    }
}

#[test]
fn everything_and_nothing() {
    let none: [(&str, &str); 0] = [];
    assert!(Selector::everything().matches(&none) && Selector::everything().is_empty());
    assert!(!Selector::nothing().matches(&none) && !Selector::nothing().is_empty());
    let both = Selector::equal("a", "1").and(Selector::not_equal("b", "2"));
    assert_eq!(both.to_string(), "a=1,b!=2");
    assert!(both.matches(&[("a", "1")]) && !both.matches(&[("a", "1"), ("b", "2")]));
    assert!(both.and(Selector::nothing()).is_nothing());
}

// Go: TestTransform
#[test]
fn transforms() {
    let selector = Selector::parse("a=1,b!=2,c=3").unwrap();
    let rewritten = selector.transform(|field, value| match field {
        "c" => Ok((Str::default(), Str::default())),
        "x" => Err("unknown"),
        _ => Ok((Str::from(format!("spec.{field}")), Str::new(value))),
    });
    assert_eq!(rewritten.unwrap().to_string(), "spec.a=1,spec.b!=2");
    let refused = selector.transform(|field, _| Err::<(Str, Str), _>(format!("no {field}")));
    assert_eq!(refused.unwrap_err(), "no a");
}
