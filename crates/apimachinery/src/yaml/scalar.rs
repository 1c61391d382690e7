//! The scalars among YAML tokens: blocks, quoted and plain text.
use super::scan::{Mark, R, Scanner, Tok, Token, is_blank, is_blankz, is_break, is_breakz};

impl Scanner {
    pub(super) fn block_scalar(&mut self, literal: bool) -> R<()> {
        let start = self.at;
        self.skip();
        let (mut chomp, mut increment) = (None, 0);
        for _ in 0..2 {
            match self.c(0) {
                c @ ('+' | '-') if chomp.is_none() => chomp = Some(c),
                '0' if increment == 0 => {
                    return Err(self.fault(start, "found an indentation indicator equal to 0"));
                }
                c @ '1'..='9' if increment == 0 => increment = c as isize - '0' as isize,
                _ => break,
            }
            self.skip();
        }
        self.blanks();
        self.comment();
        if !is_breakz(self.c(0)) {
            return Err(self.fault(start, "did not find expected comment or line break"));
        }
        self.line_break();
        let mut indent = if increment > 0 { self.indent.max(0) + increment } else { 0 };
        let (mut s, mut leading, mut trailing) = (String::new(), "", String::new());
        let mut end = self.at;
        self.block_breaks(&mut indent, &mut trailing, start, &mut end)?;
        let mut leading_blank = false;
        while self.at.column as isize == indent && self.c(0) != '\0' {
            let blank = is_blank(self.c(0));
            if !literal && !leading_blank && !blank && leading == "\n" {
                if trailing.is_empty() {
                    s.push(' ');
                }
            } else {
                s.push_str(leading);
            }
            s.push_str(&trailing);
            trailing.clear();
            leading_blank = blank;
            while !is_breakz(self.c(0)) {
                self.read(&mut s);
            }
            leading = self.line_break();
            self.block_breaks(&mut indent, &mut trailing, start, &mut end)?;
        }
        if chomp != Some('-') {
            s.push_str(leading);
        }
        if chomp == Some('+') {
            s.push_str(&trailing);
        }
        self.tokens.push_back(Token { tok: Tok::Scalar(s, false), start, end });
        Ok(())
    }
    fn block_breaks(
        &mut self,
        indent: &mut isize,
        breaks: &mut String,
        start: Mark,
        end: &mut Mark,
    ) -> R<()> {
        *end = self.at;
        let mut most = 0;
        loop {
            let inside = |s: &Self| *indent == 0 || (s.at.column as isize) < *indent;
            while inside(self) && self.c(0) == ' ' {
                self.skip();
            }
            most = most.max(self.at.column as isize);
            if inside(self) && self.c(0) == '\t' {
                let what = "found a tab character where an indentation space is expected";
                return Err(self.fault(start, what));
            }
            if !is_break(self.c(0)) {
                break;
            }
            breaks.push_str(self.line_break());
            *end = self.at;
        }
        if *indent == 0 {
            *indent = most.max(self.indent + 1).max(1);
        }
        Ok(())
    }
    pub(super) fn quoted(&mut self, single: bool) -> R<()> {
        let start = self.at;
        let quote = if single { '\'' } else { '"' };
        self.skip();
        let mut s = String::new();
        loop {
            if self.is_document_mark() {
                return Err(self.fault(start, "found unexpected document indicator"));
            }
            if self.c(0) == '\0' {
                return Err(self.fault(start, "found unexpected end of stream"));
            }
            let mut folded = false;
            while !is_blankz(self.c(0)) {
                let c = self.c(0);
                if single && c == quote && self.c(1) == quote {
                    s.push(quote);
                    self.skip();
                    self.skip();
                } else if c == quote {
                    break;
                } else if !single && c == '\\' && is_break(self.c(1)) {
                    self.skip();
                    self.line_break();
                    folded = true;
                    break;
                } else if !single && c == '\\' {
                    self.escape(start, &mut s)?;
                } else {
                    self.read(&mut s);
                }
            }
            if self.c(0) == quote {
                break;
            }
            self.fold(&mut s, folded);
        }
        self.skip();
        self.tokens.push_back(Token { tok: Tok::Scalar(s, false), start, end: self.at });
        Ok(())
    }
    /// White space and line breaks inside a quoted scalar.
    fn fold(&mut self, s: &mut String, mut folded: bool) {
        let (mut leading, mut trailing, mut spaces) = ("", String::new(), String::new());
        loop {
            let c = self.c(0);
            if is_blank(c) {
                if !folded {
                    spaces.push(c);
                }
                self.skip();
            } else if is_break(c) {
                if folded {
                    trailing.push_str(self.line_break());
                } else {
                    spaces.clear();
                    leading = self.line_break();
                    folded = true;
                }
            } else {
                break;
            }
        }
        if !folded {
            s.push_str(&spaces);
        } else if leading == "\n" {
            s.push_str(if trailing.is_empty() { " " } else { &trailing });
        } else {
            s.push_str(leading);
            s.push_str(&trailing);
        }
    }
    fn escape(&mut self, start: Mark, s: &mut String) -> R<()> {
        let mut digits = 0;
        match self.c(1) {
            '0' => s.push('\0'),
            'a' => s.push('\x07'),
            'b' => s.push('\x08'),
            't' | '\t' => s.push('\t'),
            'n' => s.push('\n'),
            'v' => s.push('\x0b'),
            'f' => s.push('\x0c'),
            'r' => s.push('\r'),
            'e' => s.push('\x1b'),
            c @ (' ' | '"' | '\'' | '\\') => s.push(c),
            'N' => s.push('\u{85}'),
            '_' => s.push('\u{a0}'),
            'L' => s.push('\u{2028}'),
            'P' => s.push('\u{2029}'),
            'x' => digits = 2,
            'u' => digits = 4,
            'U' => digits = 8,
            _ => return Err(self.fault(start, "found unknown escape character")),
        }
        self.skip();
        self.skip();
        let mut value = 0u64;
        for _ in 0..digits {
            let Some(d) = self.c(0).to_digit(16) else {
                return Err(self.fault(start, "did not find expected hexdecimal number"));
            };
            value = value * 16 + u64::from(d);
            self.skip();
        }
        if digits > 0 {
            match u32::try_from(value).ok().and_then(char::from_u32) {
                Some(c) => s.push(c),
                None => {
                    let what = "found invalid Unicode character escape code";
                    return Err(self.fault(start, what));
                }
            }
        }
        Ok(())
    }
    pub(super) fn plain(&mut self) -> R<()> {
        let (start, mut end) = (self.at, self.at);
        let indent = self.indent + 1;
        let (mut s, mut leading, mut trailing) = (String::new(), "", String::new());
        let mut spaces = String::new();
        let mut folded = false;
        loop {
            if self.is_document_mark() || self.c(0) == '#' {
                break;
            }
            while !is_blankz(self.c(0)) {
                let c = self.c(0);
                if (c == ':' && is_blankz(self.c(1)))
                    || (self.flow > 0 && matches!(c, ',' | '?' | '[' | ']' | '{' | '}'))
                {
                    break;
                }
                if folded {
                    if leading == "\n" {
                        s.push_str(if trailing.is_empty() { " " } else { &trailing });
                    } else {
                        s.push_str(leading);
                        s.push_str(&trailing);
                    }
                    trailing.clear();
                    folded = false;
                } else {
                    s.push_str(&spaces);
                }
                spaces.clear();
                self.read(&mut s);
                end = self.at;
            }
            if !is_blank(self.c(0)) && !is_break(self.c(0)) {
                break;
            }
            loop {
                let c = self.c(0);
                if is_blank(c) {
                    if folded && (self.at.column as isize) < indent && c == '\t' {
                        let what = "found a tab character that violates indentation";
                        return Err(self.fault(start, what));
                    }
                    if !folded {
                        spaces.push(c);
                    }
                    self.skip();
                } else if is_break(c) {
                    if folded {
                        trailing.push_str(self.line_break());
                    } else {
                        spaces.clear();
                        leading = self.line_break();
                        folded = true;
                    }
                } else {
                    break;
                }
            }
            if self.flow == 0 && (self.at.column as isize) < indent {
                break;
            }
        }
        self.tokens.push_back(Token { tok: Tok::Scalar(s, true), start, end });
        if folded {
            self.key_allowed = true;
        }
        Ok(())
    }
}
