//! YAML tokens: the scanner of YAML 1.1, as libyaml and Go's port of it understand it.
use std::collections::VecDeque;

/// A place in the text; lines and columns count from 0.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Mark {
    pub(super) index: usize,
    pub(super) line: usize,
    pub(super) column: usize,
}

/// What is wrong, and in which line, counted from 1, when it is known.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) line: usize,
    pub(super) what: String,
}

pub(super) type R<T> = Result<T, Fault>;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Tok {
    StreamEnd,
    Version(u8, u8),
    TagDirective(String, String),
    DocumentStart,
    DocumentEnd,
    BlockSequence,
    BlockMapping,
    BlockEnd,
    FlowSequence,
    FlowSequenceEnd,
    FlowMapping,
    FlowMappingEnd,
    BlockEntry,
    FlowEntry,
    Key,
    Value,
    Alias(String),
    Anchor(String),
    Tag(String, String),
    /// Text, and whether it is plain.
    Scalar(String, bool),
}

#[derive(Debug)]
pub(super) struct Token {
    pub(super) tok: Tok,
    pub(super) start: Mark,
    pub(super) end: Mark,
}

#[derive(Clone, Copy, Default)]
struct SimpleKey {
    possible: bool,
    /// Whether the token waits for what comes behind it. As in Go, no longer once the flow
    /// collection that it begins is closed.
    waits: bool,
    required: bool,
    token: usize,
    mark: Mark,
}

/// Deepest nesting of flow collections and of indentation.
const MAX_LEVEL: usize = 1000;

pub(super) struct Scanner {
    chars: Vec<char>,
    pub(super) at: Mark,
    pub(super) indent: isize,
    indents: Vec<isize>,
    pub(super) key_allowed: bool,
    keys: Vec<SimpleKey>,
    pub(super) flow: usize,
    pub(super) tokens: VecDeque<Token>,
    taken: usize,
    ended: bool,
}

pub(super) fn is_break(c: char) -> bool {
    matches!(c, '\r' | '\n' | '\u{85}' | '\u{2028}' | '\u{2029}')
}
pub(super) fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t')
}
pub(super) fn is_breakz(c: char) -> bool {
    is_break(c) || c == '\0'
}
pub(super) fn is_blankz(c: char) -> bool {
    is_blank(c) || is_breakz(c)
}
fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-')
}

impl Scanner {
    pub(super) fn new(text: &str) -> R<Self> {
        let mut chars = Vec::with_capacity(text.len() + 4);
        for c in text.strip_prefix('\u{feff}').unwrap_or(text).chars() {
            let allowed = matches!(c,
                '\t' | '\n' | '\r' | ' '..='~' | '\u{85}' | '\u{a0}'..='\u{fffd}' | '\u{10000}'..);
            if !allowed {
                return Err(Fault { line: 0, what: "control characters are not allowed".into() });
            }
            chars.push(c);
        }
        // Looking ahead never leaves the text.
        chars.extend(['\0'; 4]);
        Ok(Scanner {
            chars,
            at: Mark::default(),
            indent: -1,
            indents: Vec::new(),
            key_allowed: true,
            keys: vec![SimpleKey::default()],
            flow: 0,
            tokens: VecDeque::new(),
            taken: 0,
            ended: false,
        })
    }
    /// The next token, which stays.
    pub(super) fn peek(&mut self) -> R<&Token> {
        loop {
            if !self.tokens.is_empty() {
                let head = self.keys.iter().position(|k| k.waits && k.token == self.taken);
                match head {
                    None => break,
                    Some(i) if !self.is_valid(i)? => break,
                    Some(_) => {}
                }
            }
            self.fetch()?;
        }
        Ok(&self.tokens[0])
    }
    /// Takes the token that [`Scanner::peek`] has shown.
    pub(super) fn take(&mut self) -> Option<Token> {
        let token = self.tokens.pop_front()?;
        self.taken += 1;
        Some(token)
    }

    pub(super) fn c(&self, ahead: usize) -> char {
        self.chars.get(self.at.index + ahead).copied().unwrap_or('\0')
    }
    pub(super) fn skip(&mut self) {
        self.at.index += 1;
        self.at.column += 1;
    }
    pub(super) fn read(&mut self, into: &mut String) {
        into.push(self.c(0));
        self.skip();
    }
    /// Takes a line break; the text it stands for.
    pub(super) fn line_break(&mut self) -> &'static str {
        let c = self.c(0);
        if !is_break(c) {
            return "";
        }
        self.at.index += if c == '\r' && self.c(1) == '\n' { 2 } else { 1 };
        self.at.column = 0;
        self.at.line += 1;
        match c {
            '\u{2028}' => "\u{2028}",
            '\u{2029}' => "\u{2029}",
            _ => "\n",
        }
    }
    pub(super) fn fault(&self, context: Mark, what: &str) -> Fault {
        let line = if self.at.line > 0 { self.at.line + 1 } else { context.line };
        Fault { line, what: what.into() }
    }
    fn is_valid(&mut self, i: usize) -> R<bool> {
        let k = self.keys[i];
        if !k.possible {
            return Ok(false);
        }
        if k.mark.line < self.at.line || k.mark.index + 1024 < self.at.index {
            if k.required {
                return Err(self.fault(k.mark, "could not find expected ':'"));
            }
            self.keys[i].possible = false;
            return Ok(false);
        }
        Ok(true)
    }
    fn last_key(&mut self) -> &mut SimpleKey {
        if self.keys.is_empty() {
            self.keys.push(SimpleKey::default());
        }
        let last = self.keys.len() - 1;
        &mut self.keys[last]
    }
    fn save_key(&mut self) -> R<()> {
        if self.key_allowed {
            let required = self.flow == 0 && self.indent == self.at.column as isize;
            let token = self.taken + self.tokens.len();
            let key = SimpleKey { possible: true, waits: true, required, token, mark: self.at };
            self.remove_key()?;
            *self.last_key() = key;
        }
        Ok(())
    }
    fn remove_key(&mut self) -> R<()> {
        let k = *self.last_key();
        if k.possible && k.required {
            return Err(self.fault(k.mark, "could not find expected ':'"));
        }
        let key = self.last_key();
        if key.possible {
            (key.possible, key.waits) = (false, false);
        }
        Ok(())
    }
    /// Puts a token before the one of that number; behind all others, when that is taken already.
    fn insert(&mut self, number: usize, token: Token) {
        match number.checked_sub(self.taken) {
            Some(at) if at <= self.tokens.len() => self.tokens.insert(at, token),
            _ => self.tokens.push_back(token),
        }
    }
    fn roll(&mut self, column: usize, number: Option<usize>, tok: Tok, mark: Mark) -> R<()> {
        if self.flow > 0 || self.indent >= column as isize {
            return Ok(());
        }
        self.indents.push(self.indent);
        self.indent = column as isize;
        if self.indents.len() > MAX_LEVEL {
            return Err(self.fault(mark, "exceeded max depth"));
        }
        let token = Token { tok, start: mark, end: mark };
        match number {
            Some(n) => self.insert(n, token),
            None => self.tokens.push_back(token),
        }
        Ok(())
    }
    fn unroll(&mut self, column: isize) {
        if self.flow > 0 {
            return;
        }
        while self.indent > column {
            self.tokens.push_back(Token { tok: Tok::BlockEnd, start: self.at, end: self.at });
            self.indent = self.indents.pop().unwrap_or(-1);
        }
    }
    /// A token of the next `width` characters.
    fn mark_token(&mut self, tok: Tok, width: usize) {
        let start = self.at;
        (0..width).for_each(|_| self.skip());
        self.tokens.push_back(Token { tok, start, end: self.at });
    }
    pub(super) fn is_document_mark(&self) -> bool {
        let (a, b, c) = (self.c(0), self.c(1), self.c(2));
        self.at.column == 0
            && (matches!((a, b, c), ('-', '-', '-')) || matches!((a, b, c), ('.', '.', '.')))
            && is_blankz(self.c(3))
    }
    fn fetch(&mut self) -> R<()> {
        self.pass_to_token();
        self.unroll(self.at.column as isize);
        let (c, next) = (self.c(0), self.c(1));
        if c == '\0' {
            if self.at.column != 0 {
                self.at.column = 0;
                self.at.line += 1;
            }
            self.unroll(-1);
            if self.ended {
                self.mark_token(Tok::StreamEnd, 0);
                return Ok(());
            }
            self.ended = true;
            self.remove_key()?;
            self.key_allowed = false;
            self.mark_token(Tok::StreamEnd, 0);
            return Ok(());
        }
        if self.at.column == 0 && c == '%' {
            self.unroll(-1);
            self.remove_key()?;
            self.key_allowed = false;
            return self.directive();
        }
        if self.is_document_mark() {
            self.unroll(-1);
            self.remove_key()?;
            self.key_allowed = false;
            self.mark_token(if c == '-' { Tok::DocumentStart } else { Tok::DocumentEnd }, 3);
            return Ok(());
        }
        match c {
            '[' | '{' => {
                self.save_key()?;
                let token = self.taken + self.tokens.len();
                self.keys.push(SimpleKey { token, mark: self.at, ..SimpleKey::default() });
                self.flow += 1;
                if self.flow > MAX_LEVEL {
                    return Err(self.fault(self.at, "exceeded max depth"));
                }
                self.key_allowed = true;
                self.mark_token(if c == '[' { Tok::FlowSequence } else { Tok::FlowMapping }, 1);
            }
            ']' | '}' => {
                self.remove_key()?;
                if self.flow > 0 {
                    self.flow -= 1;
                    if let Some(closed) = self.keys.pop() {
                        let begun = |k: &&mut SimpleKey| k.token == closed.token;
                        if let Some(k) = self.keys.iter_mut().find(begun) {
                            k.waits = false;
                        }
                    }
                }
                self.key_allowed = false;
                let tok = if c == ']' { Tok::FlowSequenceEnd } else { Tok::FlowMappingEnd };
                self.mark_token(tok, 1);
            }
            ',' => {
                self.remove_key()?;
                self.key_allowed = true;
                self.mark_token(Tok::FlowEntry, 1);
            }
            '-' if is_blankz(next) => {
                if self.flow == 0 {
                    if !self.key_allowed {
                        return Err(self.fault(
                            self.at,
                            "block sequence entries are not allowed in this context",
                        ));
                    }
                    self.roll(self.at.column, None, Tok::BlockSequence, self.at)?;
                }
                self.remove_key()?;
                self.key_allowed = true;
                self.mark_token(Tok::BlockEntry, 1);
            }
            '?' if self.flow > 0 || is_blankz(next) => {
                if self.flow == 0 {
                    if !self.key_allowed {
                        let what = "mapping keys are not allowed in this context";
                        return Err(self.fault(self.at, what));
                    }
                    self.roll(self.at.column, None, Tok::BlockMapping, self.at)?;
                }
                self.remove_key()?;
                self.key_allowed = self.flow == 0;
                self.mark_token(Tok::Key, 1);
            }
            ':' if self.flow > 0 || is_blankz(next) => self.value()?,
            '*' | '&' => {
                self.save_key()?;
                self.key_allowed = false;
                self.anchor(c == '&')?;
            }
            '!' => {
                self.save_key()?;
                self.key_allowed = false;
                self.tag()?;
            }
            '|' | '>' if self.flow == 0 => {
                self.remove_key()?;
                self.key_allowed = true;
                self.block_scalar(c == '|')?;
            }
            '\'' | '"' => {
                self.save_key()?;
                self.key_allowed = false;
                self.quoted(c == '\'')?;
            }
            _ => {
                let indicator = "-?:,[]{}#&*!|>'\"%@`".contains(c) || is_blankz(c);
                let plain = !indicator
                    || (c == '-' && !is_blank(next))
                    || (self.flow == 0 && matches!(c, '?' | ':') && !is_blankz(next));
                if !plain {
                    let what = "found character that cannot start any token";
                    return Err(self.fault(self.at, what));
                }
                self.save_key()?;
                self.key_allowed = false;
                self.plain()?;
            }
        }
        Ok(())
    }
    fn value(&mut self) -> R<()> {
        self.last_key();
        let last = self.keys.len() - 1;
        if self.is_valid(last)? {
            let key = self.keys[last];
            let token = Token { tok: Tok::Key, start: key.mark, end: key.mark };
            self.insert(key.token, token);
            self.roll(key.mark.column, Some(key.token), Tok::BlockMapping, key.mark)?;
            (self.keys[last].possible, self.keys[last].waits) = (false, false);
            self.key_allowed = false;
        } else {
            if self.flow == 0 {
                if !self.key_allowed {
                    let what = "mapping values are not allowed in this context";
                    return Err(self.fault(self.at, what));
                }
                self.roll(self.at.column, None, Tok::BlockMapping, self.at)?;
            }
            self.key_allowed = self.flow == 0;
        }
        self.mark_token(Tok::Value, 1);
        Ok(())
    }
    fn pass_to_token(&mut self) {
        loop {
            if self.at.column == 0 && self.c(0) == '\u{feff}' {
                self.skip();
            }
            while self.c(0) == ' ' || (self.c(0) == '\t' && (self.flow > 0 || !self.key_allowed)) {
                self.skip();
            }
            self.comment();
            if !is_break(self.c(0)) {
                return;
            }
            self.line_break();
            if self.flow == 0 {
                self.key_allowed = true;
            }
        }
    }
    pub(super) fn blanks(&mut self) {
        while is_blank(self.c(0)) {
            self.skip();
        }
    }
    pub(super) fn comment(&mut self) {
        if self.c(0) == '#' {
            while !is_breakz(self.c(0)) {
                self.skip();
            }
        }
    }
    fn directive(&mut self) -> R<()> {
        let start = self.at;
        self.skip();
        let mut name = String::new();
        while is_word(self.c(0)) {
            self.read(&mut name);
        }
        if name.is_empty() {
            return Err(self.fault(start, "could not find expected directive name"));
        }
        if !is_blankz(self.c(0)) {
            return Err(self.fault(start, "found unexpected non-alphabetical character"));
        }
        let tok = match name.as_str() {
            "YAML" => {
                self.blanks();
                let major = self.version(start)?;
                if self.c(0) != '.' {
                    let what = "did not find expected digit or '.' character";
                    return Err(self.fault(start, what));
                }
                self.skip();
                Tok::Version(major, self.version(start)?)
            }
            "TAG" => {
                self.blanks();
                let handle = self.tag_handle(true, start)?;
                if !is_blank(self.c(0)) {
                    return Err(self.fault(start, "did not find expected whitespace"));
                }
                self.blanks();
                let prefix = self.tag_uri("", start)?;
                if !is_blankz(self.c(0)) {
                    let what = "did not find expected whitespace or line break";
                    return Err(self.fault(start, what));
                }
                Tok::TagDirective(handle, prefix)
            }
            _ => return Err(self.fault(start, "found unknown directive name")),
        };
        let end = self.at;
        self.blanks();
        self.comment();
        if !is_breakz(self.c(0)) {
            return Err(self.fault(start, "did not find expected comment or line break"));
        }
        self.line_break();
        self.tokens.push_back(Token { tok, start, end });
        Ok(())
    }
    fn version(&mut self, start: Mark) -> R<u8> {
        let (mut v, mut digits) = (0, 0);
        while let Some(d) = self.c(0).to_digit(10) {
            digits += 1;
            if digits > 2 {
                return Err(self.fault(start, "found extremely long version number"));
            }
            v = v * 10 + d as u8;
            self.skip();
        }
        if digits == 0 {
            return Err(self.fault(start, "did not find expected version number"));
        }
        Ok(v)
    }
    fn anchor(&mut self, anchor: bool) -> R<()> {
        let start = self.at;
        self.skip();
        let mut name = String::new();
        while is_word(self.c(0)) {
            self.read(&mut name);
        }
        let c = self.c(0);
        if name.is_empty() || !(is_blankz(c) || "?:,]}%@`".contains(c)) {
            let what = "did not find expected alphabetic or numeric character";
            return Err(self.fault(start, what));
        }
        let tok = if anchor { Tok::Anchor(name) } else { Tok::Alias(name) };
        self.tokens.push_back(Token { tok, start, end: self.at });
        Ok(())
    }
    fn tag(&mut self) -> R<()> {
        let start = self.at;
        let tok = if self.c(1) == '<' {
            self.skip();
            self.skip();
            let uri = self.tag_uri("", start)?;
            if self.c(0) != '>' {
                return Err(self.fault(start, "did not find the expected '>'"));
            }
            self.skip();
            Tok::Tag(String::new(), uri)
        } else {
            let handle = self.tag_handle(false, start)?;
            if handle.len() > 1 && handle.ends_with('!') {
                Tok::Tag(handle, self.tag_uri("", start)?)
            } else {
                let suffix = self.tag_uri(&handle, start)?;
                if suffix.is_empty() {
                    Tok::Tag(String::new(), "!".into())
                } else {
                    Tok::Tag("!".into(), suffix)
                }
            }
        };
        if !is_blankz(self.c(0)) {
            return Err(self.fault(start, "did not find expected whitespace or line break"));
        }
        self.tokens.push_back(Token { tok, start, end: self.at });
        Ok(())
    }
    fn tag_handle(&mut self, directive: bool, start: Mark) -> R<String> {
        if self.c(0) != '!' {
            return Err(self.fault(start, "did not find expected '!'"));
        }
        let mut s = String::new();
        self.read(&mut s);
        while is_word(self.c(0)) {
            self.read(&mut s);
        }
        if self.c(0) == '!' {
            self.read(&mut s);
        } else if directive && s != "!" {
            return Err(self.fault(start, "did not find expected '!'"));
        }
        Ok(s)
    }
    fn tag_uri(&mut self, head: &str, start: Mark) -> R<String> {
        let mut s = head.get(1..).unwrap_or("").to_owned();
        let mut found = !head.is_empty();
        loop {
            let c = self.c(0);
            if c == '%' {
                self.uri_escapes(start, &mut s)?;
            } else if is_word(c) || (c != '\0' && ";/?:@&=+$,.!~*'()[]".contains(c)) {
                self.read(&mut s);
            } else {
                break;
            }
            found = true;
        }
        if found { Ok(s) } else { Err(self.fault(start, "did not find expected tag URI")) }
    }
    /// The octets of one character.
    fn uri_escapes(&mut self, start: Mark, s: &mut String) -> R<()> {
        let mut octets = Vec::new();
        let mut left = 1;
        while left > 0 {
            let digits = (self.c(1).to_digit(16), self.c(2).to_digit(16));
            let ('%', (Some(high), Some(low))) = (self.c(0), digits) else {
                return Err(self.fault(start, "did not find URI escaped octet"));
            };
            let octet = (high * 16 + low) as u8;
            if octets.is_empty() {
                left = match octet {
                    0..=0x7f => 1,
                    0xc0..=0xdf => 2,
                    0xe0..=0xef => 3,
                    0xf0..=0xf7 => 4,
                    _ => {
                        let what = "found an incorrect leading UTF-8 octet";
                        return Err(self.fault(start, what));
                    }
                };
            }
            octets.push(octet);
            (0..3).for_each(|_| self.skip());
            left -= 1;
        }
        s.push_str(&String::from_utf8_lossy(&octets));
        Ok(())
    }
}
