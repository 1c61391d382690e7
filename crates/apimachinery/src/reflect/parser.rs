//! A pull parser for JSON text.
//!
//! It accepts what Go's `encoding/json` accepts, with two differences: invalid UTF-8 is an error
//! instead of a replacement character (the text is checked once, before), and nesting is bounded
//! more tightly.
use super::error::{DecodeError, R};

/// Deepest nesting of objects and lists. Real objects stay below 60; the stack of a worker thread
/// holds far more.
pub(crate) const MAX_DEPTH: u32 = 200;

/// Reads JSON values from text, one token at a time.
pub struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: u32,
    scratch: String,
}

const LOW: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;

/// Marks (in the high bits) bytes of `x` that are `c`, exactly for the lowest one.
#[inline]
fn bytes_equal(x: u64, c: u8) -> u64 {
    let y = x ^ (LOW * c as u64);
    y.wrapping_sub(LOW) & !y & HIGH
}
/// Marks bytes of `x` below 0x20.
#[inline]
fn control_bytes(x: u64) -> u64 {
    x.wrapping_sub(LOW * 0x20) & !x & HIGH
}

/// The first quote or backslash of `b` at or behind `i`.
#[inline]
pub(crate) fn quote_or_escape(b: &[u8], mut i: usize) -> Option<usize> {
    while let Some(chunk) = b.get(i..i + 8) {
        let x = u64::from_le_bytes(chunk.try_into().expect("eight bytes"));
        let m = bytes_equal(x, b'"') | bytes_equal(x, b'\\');
        if m != 0 {
            return Some(i + (m.trailing_zeros() / 8) as usize);
        }
        i += 8;
    }
    b.get(i..)?.iter().position(|c| matches!(c, b'"' | b'\\')).map(|n| i + n)
}

impl<'a> Parser<'a> {
    /// Reads from the start of `text`.
    pub fn new(text: &'a str) -> Self {
        Parser { text, at: 0, depth: 0, scratch: String::new() }
    }
    #[inline]
    fn bytes(&self) -> &'a [u8] {
        self.text.as_bytes()
    }
    pub(crate) fn position(&self) -> usize {
        self.at
    }
    pub(crate) fn seek(&mut self, at: usize) {
        self.at = at;
    }
    pub(crate) fn text(&self) -> &'a str {
        self.text
    }
    /// The first byte of the next token, white space passed over.
    ///
    /// # Errors
    /// The text ends.
    #[inline]
    pub fn peek(&mut self) -> R<u8> {
        loop {
            match self.bytes().get(self.at) {
                Some(b' ' | b'\n' | b'\t' | b'\r') => self.at += 1,
                Some(&c) => return Ok(c),
                None => return Err(self.end()),
            }
        }
    }
    #[cold]
    fn end(&self) -> Box<DecodeError> {
        DecodeError::end("unexpected end of JSON input", self.at)
    }
    #[cold]
    pub(crate) fn unexpected(&self, wanted: &str) -> Box<DecodeError> {
        match self.text.get(self.at..).and_then(|t| t.chars().next()) {
            None => self.end(),
            Some(c) => DecodeError::at(format!("invalid character {c:?}, {wanted}"), self.at),
        }
    }
    /// Takes the byte `c`.
    ///
    /// # Errors
    /// Another token follows.
    #[inline]
    pub fn expect(&mut self, c: u8) -> R<()> {
        if self.peek()? != c {
            return Err(self.unexpected(&format!("expected {:?}", c as char)));
        }
        self.at += 1;
        Ok(())
    }
    #[inline]
    fn literal(&mut self, word: &str) -> bool {
        let found = self.bytes()[self.at..].starts_with(word.as_bytes());
        if found {
            self.at += word.len();
        }
        found
    }
    /// Takes `null` when it is next.
    ///
    /// # Errors
    /// The text ends, or something like `nul` follows.
    #[inline]
    pub fn null(&mut self) -> R<bool> {
        if self.peek()? != b'n' {
            return Ok(false);
        }
        if self.literal("null") { Ok(true) } else { Err(self.unexpected("expected null")) }
    }
    /// `true` or `false`.
    ///
    /// # Errors
    /// Another value follows.
    pub fn bool(&mut self) -> R<bool> {
        match self.peek()? {
            b't' if self.literal("true") => Ok(true),
            b'f' if self.literal("false") => Ok(false),
            _ => Err(self.mismatch("a boolean")),
        }
    }
    /// An error for a value of the wrong type.
    #[cold]
    pub(crate) fn mismatch(&mut self, wanted: &str) -> Box<DecodeError> {
        let found = match self.peek() {
            Ok(b'"') => "a string",
            Ok(b'{') => "an object",
            Ok(b'[') => "an array",
            Ok(b't' | b'f') => "a boolean",
            Ok(b'-' | b'0'..=b'9') => "a number",
            Ok(b'n') => "null",
            Ok(_) => return self.unexpected("expected a value"),
            Err(e) => return e,
        };
        DecodeError::at(format!("{found} where {wanted} is expected"), self.at)
    }
    /// The text of a number, checked against JSON's grammar.
    ///
    /// # Errors
    /// Another value follows, or the number is malformed.
    pub fn number(&mut self) -> R<&'a str> {
        if !matches!(self.peek()?, b'-' | b'0'..=b'9') {
            return Err(self.mismatch("a number"));
        }
        let (b, start) = (self.bytes(), self.at);
        let mut i = start + usize::from(b[start] == b'-');
        let digits = |i: &mut usize| {
            let from = *i;
            while b.get(*i).is_some_and(u8::is_ascii_digit) {
                *i += 1;
            }
            *i > from
        };
        let zero = b.get(i) == Some(&b'0');
        let mut ok =
            digits(&mut i) && !(zero && b[start..i].len() > 1 + usize::from(b[start] == b'-'));
        if ok && b.get(i) == Some(&b'.') {
            i += 1;
            ok = digits(&mut i);
        }
        if ok && matches!(b.get(i), Some(b'e' | b'E')) {
            i += 1;
            if matches!(b.get(i), Some(b'+' | b'-')) {
                i += 1;
            }
            ok = digits(&mut i);
        }
        if !ok {
            self.at = i;
            return Err(self.unexpected("in a number"));
        }
        self.at = i;
        Ok(&self.text[start..i])
    }
    /// An integer. Fractions and exponents are errors, as in Go.
    ///
    /// # Errors
    /// Another value follows, or it does not fit.
    #[inline]
    pub fn int(&mut self) -> R<i64> {
        let c = self.peek()?;
        // Up to 18 digits cannot overflow and need no second look.
        if c.is_ascii_digit() && c != b'0' {
            let b = self.bytes();
            let mut i = self.at;
            let mut v = 0i64;
            while let Some(d) = b.get(i).map(|c| c.wrapping_sub(b'0'))
                && d < 10
                && i - self.at < 18
            {
                v = v * 10 + i64::from(d);
                i += 1;
            }
            if !matches!(b.get(i), Some(b'0'..=b'9' | b'.' | b'e' | b'E')) {
                self.at = i;
                return Ok(v);
            }
        }
        let start = self.at;
        let text = self.number()?;
        text.parse()
            .map_err(|_| DecodeError::at(format!("number {text} is not a 64-bit integer"), start))
    }
    /// A 32-bit integer.
    ///
    /// # Errors
    /// As [`Parser::int`].
    #[inline]
    pub fn int32(&mut self) -> R<i32> {
        let start = self.at;
        let v = self.int()?;
        i32::try_from(v)
            .map_err(|_| DecodeError::at(format!("number {v} is not a 32-bit integer"), start))
    }
    /// A floating-point number.
    ///
    /// # Errors
    /// Another value follows, or it is out of range.
    pub fn f64(&mut self) -> R<f64> {
        let start = self.at;
        let text = self.number()?;
        match text.parse::<f64>() {
            Ok(v) if v.is_finite() => Ok(v),
            _ => Err(DecodeError::at(format!("number {text} is out of range"), start)),
        }
    }
    /// End of the string that starts at `i` (behind the quote), and whether it has escapes.
    #[inline]
    fn string_end(&self, mut i: usize) -> R<(usize, bool)> {
        let b = self.bytes();
        let mut escaped = false;
        loop {
            if let Some(chunk) = b.get(i..i + 8) {
                let x = u64::from_le_bytes(chunk.try_into().expect("eight bytes"));
                let m = bytes_equal(x, b'"') | bytes_equal(x, b'\\') | control_bytes(x);
                if m == 0 {
                    i += 8;
                    continue;
                }
                i += (m.trailing_zeros() / 8) as usize;
            }
            match b.get(i) {
                Some(b'"') => return Ok((i, escaped)),
                Some(b'\\') => {
                    escaped = true;
                    i += 2;
                }
                Some(0..0x20) => {
                    return Err(DecodeError::at("control character in a string", i));
                }
                Some(_) => i += 1,
                None => return Err(DecodeError::end("unexpected end of JSON input", b.len())),
            }
        }
    }
    /// A string.
    ///
    /// # Errors
    /// Another value follows, or the string is malformed.
    #[inline]
    pub fn string(&mut self) -> R<&str> {
        if self.peek()? != b'"' {
            return Err(self.mismatch("a string"));
        }
        let start = self.at + 1;
        let (end, escaped) = self.string_end(start)?;
        self.at = end + 1;
        if escaped { self.unescape(start, end) } else { Ok(&self.text[start..end]) }
    }
    /// A member's name, with the colon behind it. A name without escapes borrows from the text.
    ///
    /// # Errors
    /// As [`Parser::string`].
    #[inline]
    pub fn key(&mut self) -> R<std::borrow::Cow<'a, str>> {
        if self.peek()? != b'"' {
            return Err(self.unexpected("expected a member name"));
        }
        let start = self.at + 1;
        let (end, escaped) = self.string_end(start)?;
        self.at = end + 1;
        let key = if escaped {
            self.unescape(start, end)?.to_owned().into()
        } else {
            self.text[start..end].into()
        };
        self.expect(b':')?;
        Ok(key)
    }
    #[inline(never)]
    fn unescape(&mut self, start: usize, end: usize) -> R<&str> {
        self.scratch.clear();
        let mut rest = &self.text[start..end];
        while let Some(i) = rest.find('\\') {
            self.scratch.push_str(&rest[..i]);
            let at = end - rest.len() + i;
            let bad = || DecodeError::at("invalid escape in a string", at);
            let escape = *rest.as_bytes().get(i + 1).ok_or_else(bad)?;
            rest = rest.get(i + 2..).ok_or_else(bad)?;
            self.scratch.push(match escape {
                b'"' => '"',
                b'\\' => '\\',
                b'/' => '/',
                b'b' => '\u{8}',
                b'f' => '\u{c}',
                b'n' => '\n',
                b'r' => '\r',
                b't' => '\t',
                b'u' => {
                    let hi = hex4(rest).ok_or_else(bad)?;
                    rest = &rest[4..];
                    let mut code = hi;
                    if (0xd800..0xdc00).contains(&hi)
                        && let Some(lo) = rest.strip_prefix("\\u").and_then(hex4)
                        && (0xdc00..0xe000).contains(&lo)
                    {
                        code = 0x10000 + ((hi - 0xd800) << 10) + (lo - 0xdc00);
                        rest = &rest[6..];
                    }
                    // A lone surrogate becomes the replacement character, as in Go.
                    char::from_u32(code).unwrap_or('\u{fffd}')
                }
                _ => return Err(bad()),
            });
        }
        self.scratch.push_str(rest);
        Ok(&self.scratch)
    }
    /// Passes over one value and returns its text. Strings and brackets are matched; what is
    /// between them is not checked further.
    ///
    /// # Errors
    /// The text ends, or no value follows.
    pub fn raw(&mut self) -> R<&'a str> {
        let c = self.peek()?;
        let start = self.at;
        match c {
            b'"' => self.at = self.string_end(start + 1)?.0 + 1,
            b'{' | b'[' => self.at = self.container_end(start)?,
            b't' | b'f' => {
                self.bool()?;
            }
            b'n' => {
                self.null()?;
            }
            b'-' | b'0'..=b'9' => {
                self.number()?;
            }
            _ => return Err(self.unexpected("expected a value")),
        }
        Ok(&self.text[start..self.at])
    }
    /// Where the object or list that starts at `i` ends.
    fn container_end(&self, mut i: usize) -> R<usize> {
        let b = self.bytes();
        let mut depth = 0u32;
        loop {
            match b.get(i) {
                None => return Err(DecodeError::end("unexpected end of JSON input", b.len())),
                Some(b'"') => i = self.string_end(i + 1)?.0,
                Some(b'{' | b'[') => {
                    depth += 1;
                    if depth > 10_000 {
                        return Err(DecodeError::at("nested too deeply", i));
                    }
                }
                Some(b'}' | b']') => {
                    depth -= 1;
                    if depth == 0 {
                        return Ok(i + 1);
                    }
                }
                Some(_) => {}
            }
            i += 1;
        }
    }
    /// Passes over a string, which is next, and checks its escapes.
    #[inline]
    fn skip_string(&mut self) -> R<()> {
        let start = self.at + 1;
        let (end, escaped) = self.string_end(start)?;
        if escaped {
            self.check_escapes(start, end)?;
        }
        self.at = end + 1;
        Ok(())
    }
    #[inline(never)]
    fn check_escapes(&self, start: usize, end: usize) -> R<()> {
        let b = &self.bytes()[..end];
        let mut i = start;
        while i < end {
            if b[i] != b'\\' {
                i += 1;
                continue;
            }
            i += match b.get(i + 1) {
                Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => 2,
                Some(b'u') if self.text.get(i + 2..end).and_then(hex4).is_some() => 6,
                _ => return Err(DecodeError::at("invalid escape in a string", i)),
            };
        }
        Ok(())
    }
    #[inline]
    fn skip_key(&mut self) -> R<()> {
        if self.peek()? != b'"' {
            return Err(self.unexpected("expected a member name"));
        }
        self.skip_string()?;
        self.expect(b':')
    }
    /// Passes over one value, checking all of it.
    ///
    /// # Errors
    /// The value is malformed.
    pub fn skip(&mut self) -> R<()> {
        let outer = self.depth;
        // Which of the containers around are objects.
        let mut objects = [false; MAX_DEPTH as usize + 1];
        loop {
            let more = match self.peek()? {
                b'{' if self.open(b'{', b'}')? => {
                    objects[self.depth as usize] = true;
                    self.skip_key()?;
                    true
                }
                b'[' if self.open(b'[', b']')? => {
                    objects[self.depth as usize] = false;
                    true
                }
                // Empty ones were passed over.
                b'{' | b'[' => false,
                b'"' => {
                    self.skip_string()?;
                    false
                }
                _ => {
                    self.raw()?;
                    false
                }
            };
            if more {
                continue;
            }
            // Behind a value: the ends of what is around it.
            loop {
                if self.depth == outer {
                    return Ok(());
                }
                let is_object = objects[self.depth as usize];
                if self.next(if is_object { b'}' } else { b']' })? {
                    if is_object {
                        self.skip_key()?;
                    }
                    break;
                }
            }
        }
    }
    /// Passes over one value, checking all of it, and returns its text.
    ///
    /// # Errors
    /// The value is malformed.
    pub fn checked(&mut self) -> R<&'a str> {
        self.peek()?;
        let start = self.at;
        self.skip()?;
        Ok(&self.text[start..self.at])
    }
    /// What is left of the text, from the next token on.
    ///
    /// # Errors
    /// The text ends.
    pub fn rest(&mut self) -> R<&'a str> {
        self.peek()?;
        Ok(&self.text[self.at..])
    }
    /// Enters an object or list: whether it has a first member or element.
    ///
    /// # Errors
    /// Another value follows, or the nesting is too deep.
    #[inline]
    pub fn open(&mut self, open: u8, close: u8) -> R<bool> {
        if self.peek()? != open {
            return Err(self.mismatch(if open == b'{' { "an object" } else { "an array" }));
        }
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(DecodeError::at(
                format!("nested more than {MAX_DEPTH} levels deep"),
                self.at,
            ));
        }
        self.at += 1;
        if self.peek()? == close {
            self.at += 1;
            self.depth -= 1;
            return Ok(false);
        }
        Ok(true)
    }
    /// Behind a member or element: whether another follows.
    ///
    /// # Errors
    /// Neither a comma nor the end follows.
    #[inline]
    pub fn next(&mut self, close: u8) -> R<bool> {
        let c = self.peek()?;
        if c == b',' {
            self.at += 1;
            Ok(true)
        } else if c == close {
            self.at += 1;
            self.depth -= 1;
            Ok(false)
        } else {
            Err(self.unexpected(&format!("expected ',' or {:?}", close as char)))
        }
    }
    /// Checks that nothing but white space is left.
    ///
    /// # Errors
    /// Something is left.
    pub fn finish(&mut self) -> R<()> {
        match self.peek() {
            Err(_) => Ok(()),
            Ok(_) => Err(self.unexpected("after the top-level value")),
        }
    }
}

fn hex4(s: &str) -> Option<u32> {
    let digits = s.as_bytes().get(..4)?;
    digits.iter().try_fold(0, |v, &c| Some(v * 16 + (c as char).to_digit(16)?))
}
