//! Label and field selectors of list and watch requests.
//!
//! Go counterpart: `k8s.io/apimachinery/pkg/labels` and `pkg/fields`, with their error texts.

use crate::object::Summary;
use crate::registry::Resource;
use crate::status::{ApiError, ApiResult};

/// Which objects a request is about.
#[derive(Clone, Debug, Default)]
pub(crate) struct Selector {
    labels: Vec<Requirement>,
    fields: Vec<FieldTerm>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Requirement {
    key: String,
    operator: Operator,
    values: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    In,
    NotIn,
    Exists,
    DoesNotExist,
    GreaterThan,
    LessThan,
}

#[derive(Clone, Debug)]
struct FieldTerm {
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
    /// Parses both selectors for a resource.
    pub(crate) fn parse(labels: &str, fields: &str, resource: &Resource) -> ApiResult<Self> {
        let labels = Parser::new(labels).parse().map_err(ApiError::bad_request)?;
        let mut terms = Vec::new();
        for (label, value, equal) in parse_fields(fields).map_err(ApiError::bad_request)? {
            let field = match label.as_str() {
                "metadata.name" => Field::Name,
                "metadata.namespace" => Field::Namespace,
                other => {
                    let selectable = resource.selectable();
                    match selectable.iter().position(|(label, _)| *label == other) {
                        Some(index) => Field::Other(index),
                        None => {
                            let text = resource.behaviour.unknown_label.replace("{}", other);
                            return Err(ApiError::bad_request(text));
                        }
                    }
                }
            };
            terms.push(FieldTerm { field, value, equal });
        }
        Ok(Selector { labels, fields: terms })
    }

    /// Narrows the selection to one name.
    pub(crate) fn also_named(&mut self, name: &str) {
        self.fields.push(FieldTerm { field: Field::Name, value: name.to_owned(), equal: true });
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.labels.is_empty() && self.fields.is_empty()
    }

    pub(crate) fn matches(&self, object: &Summary) -> bool {
        let label = |key: &str| {
            object.labels.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
        };
        self.labels.iter().all(|requirement| requirement.matches(label(&requirement.key)))
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

impl Requirement {
    fn matches(&self, value: Option<&str>) -> bool {
        let holds = |value: &str| self.values.iter().any(|wanted| wanted == value);
        let compare = |value: &str| -> Option<std::cmp::Ordering> {
            let value: i64 = value.parse().ok()?;
            let bound: i64 = self.values.first()?.parse().ok()?;
            Some(value.cmp(&bound))
        };
        match self.operator {
            Operator::In => value.is_some_and(holds),
            Operator::NotIn => !value.is_some_and(holds),
            Operator::Exists => value.is_some(),
            Operator::DoesNotExist => value.is_none(),
            Operator::GreaterThan => value.and_then(compare) == Some(std::cmp::Ordering::Greater),
            Operator::LessThan => value.and_then(compare) == Some(std::cmp::Ordering::Less),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    End,
    Open,
    Close,
    Comma,
    Not,
    Equals,
    DoubleEquals,
    NotEquals,
    Greater,
    Less,
    In,
    NotIn,
    Word(String),
}

struct Parser<'a> {
    text: &'a str,
}

impl<'a> Parser<'a> {
    fn new(text: &'a str) -> Self {
        Parser { text }
    }

    /// The next token with the text it was made of.
    fn next(&mut self) -> (Token, &'a str) {
        self.text = self.text.trim_start_matches([' ', '\t', '\r', '\n']);
        let symbols = [
            ("==", Token::DoubleEquals),
            ("!=", Token::NotEquals),
            ("=", Token::Equals),
            ("!", Token::Not),
            ("(", Token::Open),
            (")", Token::Close),
            (",", Token::Comma),
            (">", Token::Greater),
            ("<", Token::Less),
        ];
        for (symbol, token) in symbols {
            if let Some(rest) = self.text.strip_prefix(symbol) {
                let taken = &self.text[..symbol.len()];
                self.text = rest;
                return (token, taken);
            }
        }
        let end = self
            .text
            .find([' ', '\t', '\r', '\n', '=', '!', '(', ')', ',', '>', '<'])
            .unwrap_or(self.text.len());
        let (word, rest) = self.text.split_at(end);
        self.text = rest;
        let token = match word {
            "" => Token::End,
            "in" => Token::In,
            "notin" => Token::NotIn,
            word => Token::Word(word.to_owned()),
        };
        (token, word)
    }

    fn peek(&self) -> (Token, &'a str) {
        Parser { text: self.text }.next()
    }

    fn parse(mut self) -> Result<Vec<Requirement>, String> {
        let mut requirements = Vec::new();
        loop {
            match self.peek() {
                (Token::Word(_) | Token::Not, _) => {
                    requirements.push(
                        self.requirement()
                            .map_err(|error| format!("unable to parse requirement: {error}"))?,
                    );
                    match self.next() {
                        (Token::End, _) => return Ok(requirements),
                        (Token::Comma, _) => match self.peek() {
                            (Token::Word(_) | Token::Not, _) => {}
                            (_, found) => {
                                return Err(format!(
                                    "found '{found}', expected: identifier after ','"
                                ));
                            }
                        },
                        (_, found) => {
                            return Err(format!(
                                "found '{found}', expected: ',' or 'end of string'"
                            ));
                        }
                    }
                }
                (Token::End, _) => return Ok(requirements),
                (_, found) => {
                    return Err(format!(
                        "found '{found}', expected: !, identifier, or 'end of string'"
                    ));
                }
            }
        }
    }

    fn requirement(&mut self) -> Result<Requirement, String> {
        let negated = self.peek().0 == Token::Not;
        if negated {
            self.next();
        }
        let key = match self.next() {
            (Token::Word(word), _) => word,
            (_, found) => return Err(format!("found '{found}', expected: identifier")),
        };
        if let Some(problem) = crate::validate::qualified_name(&key).into_iter().next() {
            return Err(format!("key: Invalid value: {}: {problem}", crate::status::quote(&key)));
        }
        let bare = matches!(self.peek().0, Token::End | Token::Comma);
        if negated || bare {
            let operator = if negated { Operator::DoesNotExist } else { Operator::Exists };
            if !bare {
                let (_, found) = self.next();
                return Err(format!("found '{found}', expected: ',' or 'end of string'"));
            }
            return Ok(Requirement { key, operator, values: Vec::new() });
        }
        let (token, found) = self.next();
        let operator = match token {
            Token::In | Token::Equals | Token::DoubleEquals => Operator::In,
            Token::NotIn | Token::NotEquals => Operator::NotIn,
            Token::Greater => Operator::GreaterThan,
            Token::Less => Operator::LessThan,
            _ => {
                return Err(format!(
                    "found '{found}', expected: in, notin, =, ==, !=, gt, lt, !, exists"
                ));
            }
        };
        let values = match token {
            Token::In | Token::NotIn => self.values()?,
            _ => vec![self.exact_value()?],
        };
        if matches!(operator, Operator::GreaterThan | Operator::LessThan)
            && values.iter().any(|value| value.parse::<i64>().is_err())
        {
            return Err(format!(
                "values[0]: Invalid value: {}: for 'Gt', 'Lt' operators, the value must be an \
                 integer",
                crate::status::quote(&values[0])
            ));
        }
        for (index, value) in values.iter().enumerate() {
            if let Some(problem) = crate::validate::label_value(value).into_iter().next() {
                return Err(format!(
                    "values[{index}][{key}]: Invalid value: {}: {problem}",
                    crate::status::quote(value)
                ));
            }
        }
        Ok(Requirement { key, operator, values })
    }

    /// A value after `=`; the words `in` and `notin` are values here.
    fn exact_value(&mut self) -> Result<String, String> {
        match self.peek().0 {
            Token::End | Token::Comma => Ok(String::new()),
            Token::Word(_) | Token::In | Token::NotIn => Ok(self.next().1.to_owned()),
            _ => Err(format!("found '{}', expected: identifier", self.next().1)),
        }
    }

    fn values(&mut self) -> Result<Vec<String>, String> {
        let (token, found) = self.next();
        if token != Token::Open {
            return Err(format!("found '{found}' expected: '('"));
        }
        let mut values = Vec::new();
        loop {
            match self.peek() {
                (Token::Word(_) | Token::In | Token::NotIn, _) => {
                    values.push(self.next().1.to_owned());
                    match self.next() {
                        (Token::Comma, _) => {}
                        (Token::Close, _) => return Ok(values),
                        (_, found) => {
                            return Err(format!("found '{found}', expected: ',' or ')'"));
                        }
                    }
                }
                (Token::Comma | Token::Close, _) => {
                    values.push(String::new());
                    if self.next().0 == Token::Close {
                        return Ok(values);
                    }
                }
                (_, found) => {
                    return Err(format!("found '{found}', expected: ',', ')' or identifier"));
                }
            }
        }
    }
}

/// Terms `label=value`, `label==value`, `label!=value`, separated by commas; a backslash escapes
/// `\`, `,` and `=` in values.
fn parse_fields(text: &str) -> Result<Vec<(String, String, bool)>, String> {
    let mut terms = Vec::new();
    for part in split_terms(text) {
        if part.is_empty() {
            continue;
        }
        let unknown = || format!("invalid selector: '{text}'; can't understand '{part}'");
        let at = part.find('=').ok_or_else(unknown)?;
        let (label, value, equal) = match (part[..at].strip_suffix('!'), &part[at + 1..]) {
            (Some(label), value) => (label, value, false),
            (None, value) => (&part[..at], value.strip_prefix('=').unwrap_or(value), true),
        };
        terms.push((label.to_owned(), unescape(value)?, equal));
    }
    Ok(terms)
}

fn split_terms(text: &str) -> Vec<&str> {
    let (mut parts, mut start, mut escaped) = (Vec::new(), 0, false);
    for (index, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            ',' => {
                parts.push(&text[start..index]);
                start = index + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

fn unescape(value: &str) -> Result<String, String> {
    let mut out = String::with_capacity(value.len());
    let mut chars = value.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some(c @ ('\\' | ',' | '=')) => out.push(c),
                Some(c) => {
                    return Err(format!("invalid field selector: invalid escape sequence: \\{c}"));
                }
                None => {
                    return Err("invalid field selector: invalid escape sequence: \\".to_owned());
                }
            },
            ',' | '=' => {
                return Err(format!("invalid field selector: unescaped character in value: {c}"));
            }
            c => out.push(c),
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(selector: &str, labels: &[(&str, &str)], expect: bool) {
        let requirements = Parser::new(selector).parse().expect("a valid selector");
        let get = |key: &str| labels.iter().find(|(name, _)| *name == key).map(|(_, v)| *v);
        let matches = requirements.iter().all(|r| r.matches(get(&r.key)));
        assert_eq!(matches, expect, "{selector} on {labels:?}");
    }

    #[test]
    fn label_selectors_match() {
        let labels = [("app", "web"), ("tier", "7"), ("a.b/c", "")];
        check("", &labels, true);
        check("app=web", &labels, true);
        check("app == web, tier!=8", &labels, true);
        check("app!=web", &labels, false);
        check("app in (db,web)", &labels, true);
        check("app notin (db)", &labels, true);
        check("app notin (web)", &labels, false);
        check("other notin (web)", &labels, true);
        check("app", &labels, true);
        check("!app", &labels, false);
        check("!other", &labels, true);
        check("tier>6,tier<8", &labels, true);
        check("tier>7", &labels, false);
        check("a.b/c=", &labels, true);
        check("a.b/c in (,x)", &labels, true);
        check("other!=x", &labels, true);
    }

    #[track_caller]
    fn check_error(selector: &str, expect: &str) {
        assert_eq!(Parser::new(selector).parse().expect_err("an error"), expect);
    }

    #[test]
    fn bad_label_selectors_say_why() {
        check_error("a,,", "found ',', expected: identifier after ','");
        check_error("a=b c", "found 'c', expected: ',' or 'end of string'");
        check_error("=x", "found '=', expected: !, identifier, or 'end of string'");
        check_error("a in b", "unable to parse requirement: found 'b' expected: '('");
    }

    #[test]
    fn field_terms() {
        let terms = parse_fields("metadata.name=a\\,b,type!=x,s==y").expect("valid");
        assert_eq!(
            terms,
            [
                ("metadata.name".to_owned(), "a,b".to_owned(), true),
                ("type".to_owned(), "x".to_owned(), false),
                ("s".to_owned(), "y".to_owned(), true),
            ]
        );
        assert_eq!(
            parse_fields("x").expect_err("no operator"),
            "invalid selector: 'x'; can't understand 'x'"
        );
    }
}
