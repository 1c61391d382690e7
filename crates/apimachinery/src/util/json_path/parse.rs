//! Reading a path. Go: `parser.go`.

use serde_json::Value;

use super::Node;
use crate::ParseError;

/// How deeply filters and unions may nest.
const DEEPEST: usize = 32;

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
    nodes: Vec<Node>,
}

fn fail<T>(message: impl Into<String>) -> Result<T, ParseError> {
    Err(ParseError::new(message.into()))
}

/// The nodes of a path.
pub(super) fn parse(text: &str, depth: usize) -> Result<Vec<Node>, ParseError> {
    if depth > DEEPEST {
        return fail("the path nests too deeply");
    }
    let mut parser = Parser { text, at: 0, depth, nodes: Vec::new() };
    while parser.at < text.len() {
        parser.step()?;
    }
    Ok(parser.nodes)
}

/// Whether a character ends the name of a field.
fn ends_name(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n' | '.' | ',' | '[' | ']' | '$' | '@' | '{' | '}')
}

fn in_word(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

impl<'a> Parser<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn next(&mut self) -> Option<char> {
        let c = self.rest().chars().next()?;
        self.at += c.len_utf8();
        Some(c)
    }

    fn step(&mut self) -> Result<(), ParseError> {
        if self.rest().starts_with("[?(") {
            return self.filter();
        }
        if self.rest().starts_with("..") {
            if self.nodes.last() == Some(&Node::Recursive) {
                return fail("invalid multiple recursive descent");
            }
            self.at += 2;
            self.nodes.push(Node::Recursive);
            return if self.rest().starts_with(in_word) { self.field() } else { Ok(()) };
        }
        let begin = self.at;
        match self.next() {
            None | Some('\r' | '\n') => return fail("unclosed action"),
            Some(' ' | '@' | '$') => {}
            Some('[') => return self.array(),
            Some(quote @ ('"' | '\'')) => return self.quoted(begin, quote),
            Some('.') => return self.field(),
            Some(c) if c == '+' || c == '-' || c.is_numeric() => return self.number(begin),
            Some(c) if in_word(c) => {
                let word_end = self.rest().find(ends_name).unwrap_or(self.rest().len());
                self.at += word_end;
                self.nodes.push(match &self.text[begin..self.at] {
                    "true" => Node::Literal(Value::Bool(true)),
                    "false" => Node::Literal(Value::Bool(false)),
                    word => Node::Identifier(word.to_owned()),
                });
            }
            Some(c) => return fail(format!("unrecognized character in action: {c:?}")),
        }
        Ok(())
    }

    /// The name of a field, in which a backslash takes away the meaning of what follows.
    fn field(&mut self) -> Result<(), ParseError> {
        let begin = self.at;
        while let Some(c) = self.next() {
            if c == '\\' {
                // At the end it would take away the meaning of the brace that Go has there.
                if self.next().is_none() {
                    return fail("unclosed action");
                }
            } else if ends_name(c) {
                self.at -= c.len_utf8();
                break;
            }
        }
        self.nodes.push(match &self.text[begin..self.at] {
            "*" => Node::Wildcard,
            name => Node::Field(name.replace('\\', "")),
        });
        Ok(())
    }

    fn number(&mut self, begin: usize) -> Result<(), ParseError> {
        let rest = self.rest();
        self.at += rest.find(|c: char| c != '.' && !c.is_numeric()).unwrap_or(rest.len());
        let text = &self.text[begin..self.at];
        let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
        let decimal = digits.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        let value = match (text.parse::<i64>(), text.parse::<f64>()) {
            (Ok(whole), _) if decimal => Value::from(whole),
            (_, Ok(float)) if decimal && float.is_finite() => Value::from(float),
            _ => return fail(format!("cannot parse number {text}")),
        };
        self.nodes.push(Node::Literal(value));
        Ok(())
    }

    fn quoted(&mut self, begin: usize, quote: char) -> Result<(), ParseError> {
        loop {
            match self.next() {
                None | Some('\n') => return fail("unterminated quoted string"),
                Some(c) if c == quote && !self.text[..self.at - 1].ends_with('\\') => break,
                Some(_) => {}
            }
        }
        let inner = &self.text[begin + 1..self.at - 1];
        match unquote(inner, quote) {
            Some(text) => self.nodes.push(Node::Literal(Value::String(text))),
            None => {
                let whole = &self.text[begin..self.at];
                return fail(format!("unquote string {whole} error invalid syntax"));
            }
        }
        Ok(())
    }

    fn array(&mut self) -> Result<(), ParseError> {
        let Some(end) =
            self.rest().find([']', '\n']).filter(|i| self.rest()[*i..].starts_with(']'))
        else {
            return fail("unterminated array");
        };
        let text = &self.rest()[..end];
        self.at += end + 1;
        if text.contains(',') {
            let part = |part: &str| parse(&format!("[{}]", part.trim_matches(' ')), self.depth + 1);
            let parts = text.split(',').map(part).collect::<Result<_, _>>()?;
            self.nodes.push(Node::Union(parts));
            return Ok(());
        }
        let key = text.strip_prefix('\'').and_then(|text| text.strip_suffix('\''));
        if let Some(key) = key.filter(|key| !key.contains('\'')) {
            self.nodes.extend(parse(&format!(".{key}"), self.depth + 1)?);
            return Ok(());
        }
        self.nodes.push(slice(if text == "*" { ":" } else { text })?);
        Ok(())
    }

    fn filter(&mut self) -> Result<(), ParseError> {
        self.at += 3;
        let begin = self.at;
        let (mut quote, mut closed) = (None, false);
        loop {
            match self.next() {
                None | Some('\n') => return fail("unterminated filter"),
                Some(c @ ('"' | '\'')) => match quote {
                    None => quote = Some(c),
                    Some(open) if open == c && !self.text[..self.at - 1].ends_with('\\') => {
                        closed = true;
                    }
                    Some(_) => {}
                },
                Some(')') if quote.is_some() == closed => break,
                Some(_) => {}
            }
        }
        let text = &self.text[begin..self.at - 1];
        if self.next() != Some(']') {
            return fail("unclosed array expect ]");
        }
        let depth = self.depth + 1;
        let is_operator = |c: char| matches!(c, '!' | '<' | '>' | '=');
        let split = text.find(is_operator).filter(|at| *at > 0).and_then(|at| {
            let (left, rest) = text.split_at(at);
            let length = rest.find(|c| !is_operator(c)).unwrap_or(rest.len());
            // The operator leaves something for the right side.
            let length = if length == rest.len() { length.checked_sub(1)? } else { length };
            (length > 0).then(|| (left, &rest[..length], &rest[length..]))
        });
        self.nodes.push(match split {
            Some((left, operator, right)) => {
                Node::Filter(parse(left, depth)?, operator.to_owned(), parse(right, depth)?)
            }
            None => Node::Exists(parse(text, depth)?),
        });
        Ok(())
    }
}

/// `begin:end:step`, each of which may be missing.
fn slice(text: &str) -> Result<Node, ParseError> {
    let parts: Vec<&str> = text.split(':').collect();
    let well_formed =
        |part: &&str| part.strip_prefix('-').unwrap_or(part).bytes().all(|b| b.is_ascii_digit());
    if parts.len() > 3 || !parts.iter().all(well_formed) {
        return fail(format!("invalid array index {text}"));
    }
    let mut numbers = [None; 3];
    for (number, part) in numbers.iter_mut().zip(&parts).filter(|(_, part)| !part.is_empty()) {
        *number = match part.parse() {
            Ok(parsed) => Some(parsed),
            Err(_) => return fail(format!("array index {part} is not a number")),
        };
    }
    let derived = parts.len() == 1;
    if derived {
        numbers[1] = Some(numbers[0].unwrap_or(0_i64).saturating_add(1));
    }
    Ok(Node::Slice(numbers, derived))
}

/// The text in quotes, with Go's escapes.
fn unquote(text: &str, quote: char) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c == quote {
            return None;
        }
        if c != '\\' {
            out.push(c);
            continue;
        }
        let escape = chars.next()?;
        let mut code = |digits: usize, radix: u32, first: Option<char>| {
            let mut value = first.map_or(Some(0), |c| c.to_digit(radix))?;
            for _ in 0..digits {
                value = value.checked_mul(radix)?.checked_add(chars.next()?.to_digit(radix)?)?;
            }
            Some(value)
        };
        out.push(match escape {
            'a' => '\x07',
            'b' => '\x08',
            'f' => '\x0c',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\x0b',
            '\\' => '\\',
            '\'' | '"' if escape == quote => quote,
            'x' => char::from_u32(code(2, 16, None)?)?,
            'u' => char::from_u32(code(4, 16, None)?)?,
            'U' => char::from_u32(code(8, 16, None)?)?,
            '0'..='7' => char::from_u32(code(2, 8, Some(escape))?).filter(|c| *c <= '\u{ff}')?,
            _ => return None,
        });
    }
    Some(out)
}
