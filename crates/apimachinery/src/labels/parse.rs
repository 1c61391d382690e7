//! Reading label selectors. Go: `Lexer` and `Parser` of `labels/selector.go`, whose messages this has.
//!
//! ```text
//! selector    = [ requirement { "," requirement } ]
//! requirement = [ "!" ] key | key ( "in" | "notin" ) "(" [ value { "," value } ] ")"
//!             | key ( "=" | "==" | "!=" | ">" | "<" ) [ value ]
//! ```

use std::collections::BTreeSet;

use super::requirement::{Operator, Requirement, key_error};
use crate::Str;
use crate::parse_error::ParseError;
use crate::validation::FieldPath;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Token {
    End,
    Close,
    Comma,
    Not,
    DoubleEquals,
    Equals,
    GreaterThan,
    Identifier,
    In,
    LessThan,
    NotEquals,
    NotIn,
    Open,
}

pub(super) fn parse(text: &str, path: &FieldPath) -> Result<Vec<Requirement>, ParseError> {
    let mut parser = Parser { text, next: (Token::End, ""), path };
    parser.advance();
    parser.selector()
}

struct Parser<'a> {
    text: &'a str,
    /// The token that comes next; `text` is what follows it.
    next: (Token, &'a str),
    path: &'a FieldPath,
}

impl<'a> Parser<'a> {
    fn selector(&mut self) -> Result<Vec<Requirement>, ParseError> {
        let mut requirements = Vec::new();
        loop {
            match self.peek() {
                (Token::Identifier | Token::Not, _) => {}
                (Token::End, _) => return Ok(requirements),
                (_, found) => {
                    return Err(unexpected(found, ", expected: !, identifier, or 'end of string'"));
                }
            }
            let requirement = self.requirement().map_err(|error| {
                ParseError::new(format!("unable to parse requirement: {error}"))
            })?;
            requirements.push(requirement);
            match self.take() {
                (Token::End, _) => return Ok(requirements),
                (Token::Comma, _) => match self.peek() {
                    (Token::Identifier | Token::Not, _) => {}
                    (_, found) => {
                        return Err(unexpected(found, ", expected: identifier after ','"));
                    }
                },
                (_, found) => return Err(unexpected(found, ", expected: ',' or 'end of string'")),
            }
        }
    }

    fn requirement(&mut self) -> Result<Requirement, ParseError> {
        let mut token = self.take();
        let negated = token.0 == Token::Not;
        if negated {
            token = self.take();
        }
        let (Token::Identifier, key) = token else {
            return Err(unexpected(token.1, ", expected: identifier"));
        };
        if let Some(error) = key_error(key, || self.path.clone()) {
            return Err(ParseError::new(error.to_string()));
        }
        let build =
            |operator, values| Requirement::checked(key, operator, values, self.path, false);
        if negated {
            return build(Operator::DoesNotExist, Vec::new());
        }
        if matches!(self.peek().0, Token::End | Token::Comma) {
            return build(Operator::Exists, Vec::new());
        }
        let operator = self.operator()?;
        let values = match operator {
            Operator::In | Operator::NotIn => self.values()?.into_iter().map(Str::new).collect(),
            _ => vec![Str::new(self.exact_value()?)],
        };
        Requirement::checked(key, operator, values, self.path, false)
    }

    fn operator(&mut self) -> Result<Operator, ParseError> {
        let (token, found) = self.next;
        self.advance();
        Ok(match token {
            Token::In => Operator::In,
            Token::NotIn => Operator::NotIn,
            Token::Equals => Operator::Equals,
            Token::DoubleEquals => Operator::DoubleEquals,
            Token::NotEquals => Operator::NotEquals,
            Token::GreaterThan => Operator::GreaterThan,
            Token::LessThan => Operator::LessThan,
            _ => return Err(unexpected(found, ", expected: in, notin, =, ==, !=, gt, lt")),
        })
    }

    /// What stands in parentheses. Nothing at all, and nothing beside a comma, is the empty value.
    fn values(&mut self) -> Result<BTreeSet<&'a str>, ParseError> {
        let (token, found) = self.take();
        if token != Token::Open {
            return Err(unexpected(found, " expected: '('"));
        }
        match self.peek() {
            (Token::Identifier | Token::Comma, _) => {}
            (Token::Close, _) => {
                self.advance();
                return Ok(BTreeSet::from([""]));
            }
            (_, found) => return Err(unexpected(found, ", expected: ',', ')' or identifier")),
        }
        let mut values = BTreeSet::new();
        loop {
            match self.take() {
                (Token::Identifier, value) => {
                    values.insert(value);
                    match self.peek() {
                        (Token::Comma | Token::Close, _) => {}
                        (_, found) => return Err(unexpected(found, ", expected: ',' or ')'")),
                    }
                }
                (Token::Comma, _) => {
                    if values.is_empty() || matches!(self.peek().0, Token::Comma | Token::Close) {
                        values.insert("");
                    }
                }
                (_, found) => return Err(unexpected(found, ", expected: ',', or identifier")),
            }
            if self.peek().0 == Token::Close {
                self.advance();
                return Ok(values);
            }
        }
    }

    fn exact_value(&mut self) -> Result<&'a str, ParseError> {
        if matches!(self.peek().0, Token::End | Token::Comma) {
            return Ok("");
        }
        match self.take() {
            (Token::Identifier, value) => Ok(value),
            (_, found) => Err(unexpected(found, ", expected: identifier")),
        }
    }

    /// The next token where `in` and `notin` are ordinary words.
    fn peek(&self) -> (Token, &'a str) {
        match self.next {
            (Token::In | Token::NotIn, word) => (Token::Identifier, word),
            other => other,
        }
    }

    fn take(&mut self) -> (Token, &'a str) {
        let token = self.peek();
        self.advance();
        token
    }

    fn advance(&mut self) {
        let text = self.text.trim_start_matches([' ', '\t', '\r', '\n']);
        let symbols = [
            ("==", Token::DoubleEquals),
            ("!=", Token::NotEquals),
            ("=", Token::Equals),
            ("!", Token::Not),
            ("(", Token::Open),
            (")", Token::Close),
            (",", Token::Comma),
            (">", Token::GreaterThan),
            ("<", Token::LessThan),
        ];
        let (token, length) = match symbols.iter().find(|(symbol, _)| text.starts_with(symbol)) {
            Some((symbol, token)) => (*token, symbol.len()),
            // As in Go, a NUL ends the text.
            None if text.is_empty() || text.starts_with('\0') => (Token::End, 0),
            None => {
                let ends = [' ', '\t', '\r', '\n', '=', '!', '(', ')', ',', '>', '<', '\0'];
                let length = text.find(ends).unwrap_or(text.len());
                match &text[..length] {
                    "in" => (Token::In, length),
                    "notin" => (Token::NotIn, length),
                    _ => (Token::Identifier, length),
                }
            }
        };
        self.next = (token, &text[..length]);
        let rest = &text[length..];
        // Go's lexer swallows a NUL that follows a token directly.
        self.text =
            if token == Token::End { rest } else { rest.strip_prefix('\0').unwrap_or(rest) };
    }
}

fn unexpected(found: &str, expected: &str) -> ParseError {
    ParseError::new(format!("found '{found}'{expected}"))
}
