//! A reader of JSON with the habits and the messages of json-iterator, which Go reads field sets
//! with. Where it is lenient (`null` for a string, anything but quotes after a comma that is
//! `null`), so is this; numbers become floats.
use serde_json::{Map, Number, Value};

/// Where reading stands, and the first error.
///
/// A text is read in chunks, as Go does from a reader: messages show what the chunk holds.
pub(crate) struct Iter<'a> {
    rest: &'a [u8],
    buf: &'a [u8],
    head: usize,
    depth: usize,
    limit: usize,
    reader: bool,
    error: Option<Stop>,
}

#[derive(Debug, PartialEq)]
enum Stop {
    End,
    Message(String),
}

/// Bytes of a chunk.
const CHUNK: usize = 4096;

impl<'a> Iter<'a> {
    /// Reads bytes that are all there.
    pub(crate) fn of_bytes(bytes: &'a [u8], limit: usize) -> Self {
        Iter { rest: &[], buf: bytes, head: 0, depth: 0, limit, reader: false, error: None }
    }

    /// Reads in chunks.
    pub(crate) fn of_reader(bytes: &'a [u8], limit: usize) -> Self {
        Iter { rest: bytes, buf: &[], head: 0, depth: 0, limit, reader: true, error: None }
    }

    /// The error, unless it is the end of the input.
    pub(crate) fn failed(&self) -> Option<&str> {
        match &self.error {
            Some(Stop::Message(m)) => Some(m),
            _ => None,
        }
    }

    /// Checks that nothing follows. The error is `None` where Go has `io.EOF`.
    pub(crate) fn finish(&mut self) -> Result<(), String> {
        self.what_is_next();
        match &self.error {
            None => {
                self.report("managedFields parsing", "unexpected trailing data after JSON object");
            }
            Some(Stop::End) => return Ok(()),
            Some(Stop::Message(_)) => {}
        }
        Err(self.failed().unwrap_or_default().to_owned())
    }

    /// Sets an error of the caller's; an earlier one stays.
    pub(crate) fn report(&mut self, operation: &str, message: &str) {
        if self.failed().is_some() {
            return;
        }
        let at = self.head.min(self.buf.len());
        let window = |n: usize| {
            let (from, to) = (at.saturating_sub(n), (at + n).min(self.buf.len()));
            shown(&self.buf[from..to])
        };
        let (near, around) = (window(10), window(50));
        self.error = Some(Stop::Message(format!(
            "{operation}: {message}, error found in #{} byte of ...|{near}|..., bigger context ...|{around}|...",
            at - at.saturating_sub(10),
        )));
    }

    fn load_more(&mut self) -> bool {
        if self.reader && !self.rest.is_empty() {
            let n = self.rest.len().min(CHUNK);
            (self.buf, self.rest) = self.rest.split_at(n);
            self.head = 0;
            return true;
        }
        if self.error.is_none() {
            if !self.reader {
                self.head = self.buf.len();
            }
            self.error = Some(Stop::End);
        }
        false
    }

    /// The next byte that is not white space; 0 at the end.
    fn next_token(&mut self) -> u8 {
        loop {
            for i in self.head..self.buf.len() {
                let c = self.buf[i];
                if !matches!(c, b' ' | b'\n' | b'\t' | b'\r') {
                    self.head = i + 1;
                    return c;
                }
            }
            if !self.load_more() {
                return 0;
            }
        }
    }

    fn unread(&mut self) {
        if self.error.is_none() {
            self.head = self.head.saturating_sub(1);
        }
    }

    fn read_byte(&mut self) -> u8 {
        if self.head >= self.buf.len() && !self.load_more() {
            return 0;
        }
        let c = self.buf[self.head];
        self.head += 1;
        c
    }

    fn what_is_next(&mut self) -> u8 {
        let c = self.next_token();
        self.unread();
        c
    }

    fn expect_bytes(&mut self, operation: &str, bytes: &str) {
        for b in bytes.bytes() {
            if self.read_byte() != b {
                self.report(operation, &format!("expect {bytes}"));
                return;
            }
        }
    }

    fn null_rest(&mut self) {
        self.expect_bytes("skipThreeBytes", "ull");
    }

    fn enter(&mut self) -> bool {
        self.depth += 1;
        if self.depth > self.limit {
            self.report("incrementDepth", "exceeded max depth");
            return false;
        }
        true
    }

    /// Calls `each` with every key of an object, to read the value. Go: `ReadMapCB`.
    pub(crate) fn read_map(&mut self, each: &mut dyn FnMut(&mut Self, String)) {
        self.members("ReadMapCB", true, each);
    }

    /// The same with the habits of `ReadObjectCB`: a missing colon is an error, and reading goes on.
    pub(crate) fn read_object(&mut self, each: &mut dyn FnMut(&mut Self, String)) {
        self.members("ReadObjectCB", false, each);
    }

    fn members(&mut self, name: &str, map: bool, each: &mut dyn FnMut(&mut Self, String)) {
        let mut c = self.next_token();
        match c {
            b'{' => {}
            b'n' => return self.null_rest(),
            c => return self.report(name, &format!("expect {{ or n, but found {}", one(c))),
        }
        if !self.enter() {
            return;
        }
        c = self.next_token();
        if c == b'}' {
            self.depth -= 1;
            return;
        }
        if c != b'"' {
            self.report(name, &format!("expect \" after {{, but found {}", one(c)));
            self.depth -= 1;
            return;
        }
        self.unread();
        loop {
            let field = self.read_string();
            let colon = self.next_token();
            if colon != b':' {
                // Go's message for maps names the byte before.
                let (name, found) = if map { (name, c) } else { ("ReadObject", colon) };
                self.report(
                    name,
                    &format!("expect : after object field, but found {}", one(found)),
                );
                if map {
                    self.depth -= 1;
                    return;
                }
            }
            each(self, field);
            c = self.next_token();
            if c != b',' {
                break;
            }
        }
        if c != b'}' {
            self.report(name, "object not ended with }");
        }
        self.depth = self.depth.saturating_sub(1);
    }

    fn read_array(&mut self, each: &mut dyn FnMut(&mut Self)) {
        let mut c = self.next_token();
        match c {
            b'[' => {}
            b'n' => return self.null_rest(),
            c => {
                return self.report("ReadArrayCB", &format!("expect [ or n, but found {}", one(c)));
            }
        }
        if !self.enter() {
            return;
        }
        c = self.next_token();
        if c != b']' {
            self.unread();
            loop {
                each(self);
                c = self.next_token();
                if c != b',' {
                    break;
                }
            }
            if c != b']' {
                let found = format!("expect ] in the end, but found {}", one(c));
                self.report("ReadArrayCB", &found);
            }
        }
        self.depth = self.depth.saturating_sub(1);
    }

    fn read_string(&mut self) -> String {
        match self.next_token() {
            b'"' => {}
            b'n' => {
                self.null_rest();
                return String::new();
            }
            c => {
                self.report("ReadString", &format!("expects \" or n, but found {}", one(c)));
                return String::new();
            }
        }
        for i in self.head..self.buf.len() {
            match self.buf[i] {
                b'"' => {
                    let s = String::from_utf8_lossy(&self.buf[self.head..i]).into_owned();
                    self.head = i + 1;
                    return s;
                }
                b'\\' => break,
                c if c < b' ' => {
                    let found = format!("invalid control character found: {c}");
                    self.report("ReadString", &found);
                    return String::new();
                }
                _ => {}
            }
        }
        self.read_string_slowly()
    }

    fn read_string_slowly(&mut self) -> String {
        let mut s = Vec::new();
        while self.error.is_none() {
            match self.read_byte() {
                b'"' => return String::from_utf8_lossy(&s).into_owned(),
                b'\\' => {
                    let c = self.read_byte();
                    if !self.read_escaped(c, &mut s) {
                        s.clear();
                    }
                }
                c => s.push(c),
            }
        }
        self.report("readStringSlowPath", "unexpected end of input");
        String::new()
    }

    /// `false` when there is an error.
    fn read_escaped(&mut self, mut c: u8, s: &mut Vec<u8>) -> bool {
        loop {
            let plain = match c {
                b'"' | b'\\' | b'/' => c,
                b'b' => 8,
                b'f' => 12,
                b'n' => b'\n',
                b'r' => b'\r',
                b't' => b'\t',
                b'u' => {
                    let first = self.read_u4();
                    if !(0xd800..0xe000).contains(&first) {
                        push(first, s);
                        return true;
                    }
                    c = self.read_byte();
                    if self.error.is_some() {
                        return false;
                    }
                    if c != b'\\' {
                        self.unread();
                        push(first, s);
                        return true;
                    }
                    c = self.read_byte();
                    if self.error.is_some() {
                        return false;
                    }
                    if c != b'u' {
                        push(first, s);
                        continue;
                    }
                    let second = self.read_u4();
                    if self.error.is_some() {
                        return false;
                    }
                    if first < 0xdc00 && (0xdc00..0xe000).contains(&second) {
                        push(0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00), s);
                    } else {
                        push(first, s);
                        push(second, s);
                    }
                    return true;
                }
                _ => {
                    self.report("readEscapedChar", "invalid escape char after \\");
                    return false;
                }
            };
            s.push(plain);
            return true;
        }
    }

    fn read_u4(&mut self) -> u32 {
        let mut n = 0;
        for _ in 0..4 {
            let c = self.read_byte();
            if self.error.is_some() {
                return n;
            }
            match (c as char).to_digit(16) {
                Some(d) => n = n * 16 + d,
                None => {
                    self.report("readU4", &format!("expects 0~9 or a~f, but found {}", one(c)));
                    return n;
                }
            }
        }
        n
    }

    /// Any value. Go: `Read`.
    pub(crate) fn read(&mut self) -> Value {
        match self.what_is_next() {
            b'"' => Value::String(self.read_string()),
            b'-' | b'0'..=b'9' => {
                let f = self.read_float(64);
                Number::from_f64(f).map_or(Value::Null, Value::Number)
            }
            b'n' => {
                self.expect_bytes("skipFourBytes", "null");
                Value::Null
            }
            b't' | b'f' => {
                if self.next_token() == b't' {
                    self.expect_bytes("skipThreeBytes", "rue");
                    Value::Bool(true)
                } else {
                    self.expect_bytes("skipFourBytes", "alse");
                    Value::Bool(false)
                }
            }
            b'[' => {
                let mut list = Vec::new();
                self.read_array(&mut |iter| list.push(iter.read()));
                Value::Array(list)
            }
            b'{' => {
                let mut map = Map::new();
                self.read_map(&mut |iter, key| {
                    let v = iter.read();
                    map.insert(key, v);
                });
                Value::Object(map)
            }
            _ => {
                self.report("Read", "unexpected value type: 0");
                Value::Null
            }
        }
    }

    fn read_float(&mut self, bits: u8) -> f64 {
        if self.next_token() == b'-' {
            return -self.read_positive(bits);
        }
        self.unread();
        self.read_positive(bits)
    }

    fn read_positive(&mut self, bits: u8) -> f64 {
        let name = if bits == 64 { "readFloat64" } else { "readFloat32" };
        match self.buf.get(self.head) {
            Some(b',' | b']' | b'}' | b' ' | b'\t' | b'\n') => {
                self.report(name, "empty number");
                return 0.0;
            }
            Some(b'.') => {
                self.report(name, "leading dot is invalid");
                return 0.0;
            }
            Some(b'0') if self.buf.get(self.head + 1).is_some_and(u8::is_ascii_digit) => {
                self.report(name, "leading zero is invalid");
                return 0.0;
            }
            _ => {}
        }
        let text = self.number_text();
        if self.failed().is_some() {
            return 0.0;
        }
        if let Some(wrong) = wrong_float(&text) {
            self.report(&format!("{name}SlowPath"), wrong);
            return 0.0;
        }
        match parse_float(&text, bits) {
            Ok(f) => f,
            Err(message) => {
                self.error = Some(Stop::Message(message));
                0.0
            }
        }
    }

    fn number_text(&mut self) -> String {
        let mut text = String::new();
        'load: loop {
            for i in self.head..self.buf.len() {
                match self.buf[i] {
                    c @ (b'+' | b'-' | b'.' | b'e' | b'E' | b'0'..=b'9') => text.push(c as char),
                    _ => {
                        self.head = i;
                        break 'load;
                    }
                }
            }
            if !self.load_more() {
                break;
            }
        }
        if self.failed().is_none() && text.is_empty() {
            self.report("readNumberAsString", "invalid number");
        }
        text
    }

    /// Passes over a value. Go: `Skip`.
    pub(crate) fn skip(&mut self) {
        match self.next_token() {
            b'"' => {
                if !self.try_skip_string() {
                    self.unread();
                    self.read_string();
                }
            }
            b'n' => self.null_rest(),
            b't' => self.expect_bytes("skipThreeBytes", "rue"),
            b'f' => self.expect_bytes("skipFourBytes", "alse"),
            b'0' => {
                self.unread();
                self.read_float(32);
            }
            b'-' | b'1'..=b'9' => self.skip_number(),
            b'[' => {
                self.unread();
                self.read_array(&mut Self::skip);
            }
            b'{' => {
                self.unread();
                self.read_object(&mut |iter, _| iter.skip());
            }
            c => self.report("Skip", &format!("do not know how to skip: {c}")),
        }
    }

    fn try_skip_string(&mut self) -> bool {
        for i in self.head..self.buf.len() {
            match self.buf[i] {
                b'"' => {
                    self.head = i + 1;
                    return true;
                }
                b'\\' => return false,
                c if c < b' ' => {
                    let found = format!("invalid control character found: {c}");
                    self.report("trySkipString", &found);
                    return true;
                }
                _ => {}
            }
        }
        false
    }

    fn skip_number(&mut self) {
        if self.try_skip_number() {
            return;
        }
        self.unread();
        if self.failed().is_some() {
            return;
        }
        self.read_float(64);
        if self.failed().is_some() {
            // Go tries again with numbers of any size, which find nothing left to read.
            self.error = None;
            self.number_text();
        }
    }

    fn try_skip_number(&mut self) -> bool {
        let mut dot = false;
        for i in self.head..self.buf.len() {
            match self.buf[i] {
                b'0'..=b'9' => {}
                b'.' => {
                    if dot {
                        self.report("validateNumber", "more than one dot found in number");
                        return true;
                    }
                    match self.buf.get(i + 1) {
                        None => return false,
                        Some(b'0'..=b'9') => dot = true,
                        Some(_) => {
                            self.report("validateNumber", "missing digit after dot");
                            return true;
                        }
                    }
                }
                b',' | b']' | b'}' | b' ' | b'\t' | b'\n' | b'\r' => {
                    if self.head == i {
                        return false;
                    }
                    self.head = i;
                    return true;
                }
                _ => return false,
            }
        }
        false
    }
}

/// A part of the text as Go's message has it once it is JSON: a character that is cut is a
/// replacement for each of its bytes.
fn shown(bytes: &[u8]) -> String {
    let mut out = String::new();
    for chunk in bytes.utf8_chunks() {
        out.push_str(chunk.valid());
        out.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
    }
    out
}

/// A byte as Go puts it into a message.
fn one(c: u8) -> String {
    String::from_utf8_lossy(&[c]).into_owned()
}

fn push(code: u32, s: &mut Vec<u8>) {
    let c = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
    s.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
}

fn wrong_float(text: &str) -> Option<&'static str> {
    if text.is_empty() {
        return Some("empty number");
    }
    if text.starts_with('-') {
        return Some("-- is not valid");
    }
    match text.split_once('.')?.1.bytes().next() {
        None => Some("dot can not be last character"),
        Some(b'0'..=b'9') => None,
        Some(_) => Some("missing digit after dot"),
    }
}

fn parse_float(text: &str, bits: u8) -> Result<f64, String> {
    let wrong = |what: &str| Err(format!("strconv.ParseFloat: parsing \"{text}\": {what}"));
    let parsed = if bits == 64 { text.parse() } else { text.parse().map(|f: f32| f64::from(f)) };
    match parsed {
        Ok(f) if f.is_infinite() => wrong("value out of range"),
        Ok(f) => Ok(f),
        Err(_) => wrong("invalid syntax"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn check(text: &str, expect: Result<Value, &str>) {
        let mut iter = Iter::of_bytes(text.as_bytes(), 5);
        let v = iter.read();
        let got = match iter.failed() {
            Some(e) => Err(e.to_owned()),
            None => iter.finish().map(|()| v),
        };
        match expect {
            Ok(v) => assert_eq!(got, Ok(v)),
            Err(part) => {
                let e = got.unwrap_err();
                assert!(e.contains(part), "{e}");
            }
        }
    }

    #[test]
    fn values() {
        check("1", Ok(json!(1.0)));
        check(" -2.50 ", Ok(json!(-2.5)));
        check(r#""a\u00e9\ud83d\ude00\ud800x""#, Ok(json!("aé😀\u{fffd}x")));
        check("[1, {\"a\": null}, true]", Ok(json!([1.0, {"a": null}, true])));
        check("[]", Ok(json!([])));
        check("01", Err("readFloat64: leading zero is invalid"));
        check("1.", Err("dot can not be last character"));
        check("1e400", Err("value out of range"));
        check("1 2", Err("unexpected trailing data after JSON object"));
        check("", Err("Read: unexpected value type: 0"));
        check("[[[[[[]]]]]]", Err("incrementDepth: exceeded max depth"));
        check("nul", Err("skipFourBytes: expect null"));
        check("{1:2}", Err("ReadMapCB: expect \" after {, but found 1"));
        check("\"a", Err("readStringSlowPath: unexpected end of input"));
    }

    #[test]
    fn messages_show_where() {
        check(
            "[tru]",
            Err(
                "expect rue, error found in #5 byte of ...|[tru]|..., bigger context ...|[tru]|...",
            ),
        );
    }
}
