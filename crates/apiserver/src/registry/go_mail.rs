//! Addresses of mail as Go reads them.
//!
//! Go counterpart: `ParseAddress` of `net/mail`: RFC 5322 without its obsolete parts, but that
//! groups and comments stand at the ends only.

/// Whether a text is one address, such as `a@b.c` or `"A B" <a@b.c>`.
pub(super) fn is_address(text: &str) -> bool {
    let mut parser = Parser(text);
    parser.blanks() && parser.address().is_some() && parser.blanks() && parser.0.is_empty()
}

struct Parser<'a>(&'a str);

fn is_atext(c: char, dot: bool) -> bool {
    match c {
        '.' => dot,
        '(' | ')' | '<' | '>' | '[' | ']' | ':' | ';' | '@' | '\\' | ',' | '"' => false,
        c => is_visible(c),
    }
}

fn is_visible(c: char) -> bool {
    ('!'..='~').contains(&c) || !c.is_ascii()
}

impl Parser<'_> {
    fn eat(&mut self, c: char) -> Option<()> {
        self.0 = self.0.strip_prefix(c)?;
        Some(())
    }

    /// Blanks, and comments between parentheses; false where one has no end.
    fn blanks(&mut self) -> bool {
        self.0 = self.0.trim_start_matches([' ', '\t']);
        while self.0.starts_with('(') {
            let (mut depth, mut end, mut escaped) = (0_u32, None, false);
            for (i, c) in self.0.char_indices() {
                match c {
                    _ if escaped => escaped = false,
                    '\\' => escaped = true,
                    '(' => depth += 1,
                    ')' => depth -= 1,
                    _ => {}
                }
                if depth == 0 {
                    end = Some(i + 1);
                    break;
                }
            }
            let Some(end) = end else { return false };
            self.0 = self.0[end..].trim_start_matches([' ', '\t']);
        }
        true
    }

    fn address(&mut self) -> Option<()> {
        let start = self.0;
        if self.plain().is_some() {
            return Some(());
        }
        self.0 = start;
        if !self.0.starts_with('<') {
            self.phrase()?;
        }
        self.0 = self.0.trim_start_matches([' ', '\t']);
        self.eat('<')?;
        self.plain()?;
        self.eat('>')
    }

    /// `local@domain`.
    fn plain(&mut self) -> Option<()> {
        self.0 = self.0.trim_start_matches([' ', '\t']);
        match self.0.starts_with('"') {
            true => self.quoted().filter(|text| !text.is_empty()).map(drop)?,
            false => self.atom(true)?,
        }
        self.eat('@')?;
        self.0 = self.0.trim_start_matches([' ', '\t']);
        match self.0.starts_with('[') {
            true => self.literal(),
            false => self.atom(true),
        }
    }

    /// Letters and signs, with dots between them.
    fn atom(&mut self, dots: bool) -> Option<()> {
        let end = self.0.find(|c| !is_atext(c, dots)).unwrap_or(self.0.len());
        let (atom, rest) = self.0.split_at(end);
        let dotted = atom.starts_with('.') || atom.ends_with('.') || atom.contains("..");
        if atom.is_empty() || (dots && dotted) {
            return None;
        }
        self.0 = rest;
        Some(())
    }

    fn quoted(&mut self) -> Option<String> {
        self.eat('"')?;
        let mut text = String::new();
        loop {
            let c = self.0.chars().next()?;
            self.0 = &self.0[c.len_utf8()..];
            match c {
                '"' => return Some(text),
                '\\' => {
                    let c =
                        self.0.chars().next().filter(|c| is_visible(*c) || " \t".contains(*c))?;
                    self.0 = &self.0[c.len_utf8()..];
                    text.push(c);
                }
                c if is_visible(c) || c == ' ' || c == '\t' => text.push(c),
                _ => return None,
            }
        }
    }

    /// `[127.0.0.1]`.
    fn literal(&mut self) -> Option<()> {
        let (inner, rest) = self.0.strip_prefix('[')?.split_once(']')?;
        self.0 = rest;
        inner.parse::<std::net::IpAddr>().ok().map(drop)
    }

    /// A name before an address.
    fn phrase(&mut self) -> Option<()> {
        let mut words = 0;
        loop {
            if !self.blanks() {
                return None;
            }
            let found = match self.0.starts_with('"') {
                true => self.quoted().map(drop),
                false => {
                    let end = self.0.find(|c| !is_atext(c, true)).unwrap_or(self.0.len());
                    let found = end > 0;
                    self.0 = &self.0[end..];
                    found.then_some(())
                }
            };
            match found {
                Some(()) => words += 1,
                None => return (words > 0).then_some(()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::is_address;

    #[test]
    fn addresses() {
        for (text, fits) in [
            ("a@b.c", true),
            ("a@b", true),
            ("a.b@c", true),
            ("a..b@c", false),
            (".a@b", false),
            ("\"a b\"@c", true),
            ("A B <a@b.c>", true),
            ("<a@b.c>", true),
            ("\"A\" <a@b.c>", true),
            ("a@[127.0.0.1]", true),
            ("a@", false),
            ("@b", false),
            ("a", false),
            ("", false),
            ("a@b c", false),
            ("a@b (c)", true),
            ("a@b, c@d", false),
            ("\u{e9}@b", true),
        ] {
            assert_eq!(is_address(text), fits, "{text}");
        }
    }
}
