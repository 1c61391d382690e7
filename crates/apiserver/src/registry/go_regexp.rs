//! Regular expressions as Go reads them: what is wrong with one in Go's words, and the same for the
//! engine that is used here.
//!
//! Go counterpart: `regexp/syntax` with Perl's flags. `\d`, `\w`, `\s` and `\b` know ASCII alone
//! there; in classes, brackets and signs stand for themselves.

use std::fmt::Write as _;

/// The most that a count of repetitions may be.
const MOST: i64 = 1000;
/// Classes by the names that POSIX has for them.
const POSIX: [&str; 14] = [
    "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct",
    "space", "upper", "word", "xdigit",
];
/// How deep groups may stand in one another.
const DEPTH: usize = 250;

/// An expression for the engine here.
///
/// # Errors
/// What Go says of an expression that is none.
pub(super) fn translate(pattern: &str) -> Result<String, String> {
    let mut parser = Parser { whole: pattern, out: String::new(), groups: Vec::new() };
    parser.run().map_err(|wrong| format!("error parsing regexp: {}: `{}`", wrong.0, wrong.1))?;
    Ok(parser.out)
}

/// What is wrong, and with which part.
struct Wrong<'a>(&'static str, &'a str);

type Parsed<'a, T> = Result<T, Wrong<'a>>;

struct Parser<'a> {
    whole: &'a str,
    out: String,
    /// Of what every open group stands in: the most that anything before it is repeated.
    groups: Vec<i64>,
}

fn starts(text: &str, index: usize, of: impl Fn(u8) -> bool) -> bool {
    text.as_bytes().get(index).is_some_and(|byte| of(*byte))
}

/// The text between two rests of the same text.
fn between<'a>(before: &'a str, after: &str) -> &'a str {
    before.get(..before.len() - after.len()).unwrap_or(before)
}

fn literal(c: char, out: &mut String) {
    match c {
        'a'..='z' | 'A'..='Z' | '0'..='9' => out.push(c),
        c => {
            let _ = write!(out, "\\x{{{:x}}}", u32::from(c));
        }
    }
}

impl<'a> Parser<'a> {
    fn run(&mut self) -> Parsed<'a, ()> {
        let mut rest = self.whole;
        let mut last = "";
        let (mut atom, mut times, mut most_times) = (false, 1_i64, 1_i64);
        while let Some(first) = rest.chars().next() {
            let mut repeat = "";
            let before = rest;
            match first {
                '(' if starts(rest, 1, |b| b == b'?') => {
                    let (after, opened) = self.flags(rest)?;
                    rest = after;
                    if opened {
                        self.open(&mut most_times)?;
                        atom = false;
                    }
                }
                '(' => {
                    self.out.push('(');
                    self.open(&mut most_times)?;
                    atom = false;
                    rest = &rest[1..];
                }
                '|' => {
                    self.out.push('|');
                    atom = false;
                    rest = &rest[1..];
                }
                ')' => {
                    let Some(outer) = self.groups.pop() else {
                        return Err(Wrong("unexpected )", self.whole));
                    };
                    self.out.push(')');
                    (atom, times) = (true, most_times);
                    most_times = most_times.max(outer);
                    rest = &rest[1..];
                }
                '*' | '+' | '?' => {
                    rest = Self::repeated(before, &rest[1..], last, atom)?;
                    repeat = before;
                    self.out.push_str(between(before, rest));
                }
                '{' => match Self::count(rest) {
                    None => {
                        literal('{', &mut self.out);
                        (atom, times) = (true, 1);
                        rest = &rest[1..];
                    }
                    Some((least, most, after)) => {
                        let wrong = Err(Wrong("invalid repeat count", between(before, after)));
                        if !(0..=MOST).contains(&least)
                            || most > MOST
                            || (most >= 0 && least > most)
                        {
                            return wrong;
                        }
                        rest = Self::repeated(before, after, last, atom)?;
                        repeat = before;
                        times = times.saturating_mul(least.max(most).max(1));
                        if times > MOST {
                            return Err(Wrong("invalid repeat count", between(before, rest)));
                        }
                        most_times = most_times.max(times);
                        self.out.push_str(between(before, rest));
                    }
                },
                '[' => {
                    rest = self.class(rest)?;
                    (atom, times) = (true, 1);
                }
                '\\' => {
                    rest = self.escaped(rest)?;
                    (atom, times) = (true, 1);
                }
                '^' | '$' | '.' => {
                    self.out.push(first);
                    (atom, times) = (true, 1);
                    rest = &rest[1..];
                }
                c => {
                    literal(c, &mut self.out);
                    (atom, times) = (true, 1);
                    rest = &rest[c.len_utf8()..];
                }
            }
            last = repeat;
        }
        match self.groups.is_empty() {
            true => Ok(()),
            false => Err(Wrong("missing closing )", self.whole)),
        }
    }

    fn open(&mut self, most_times: &mut i64) -> Parsed<'a, ()> {
        self.groups.push(std::mem::replace(most_times, 1));
        match self.groups.len() > DEPTH {
            true => Err(Wrong("expression nests too deeply", self.whole)),
            false => Ok(()),
        }
    }

    /// What follows a repetition, which may ask for as little as possible.
    fn repeated(before: &'a str, after: &'a str, last: &'a str, atom: bool) -> Parsed<'a, &'a str> {
        let after = after.strip_prefix('?').unwrap_or(after);
        if !last.is_empty() {
            return Err(Wrong("invalid nested repetition operator", between(last, after)));
        }
        match atom {
            true => Ok(after),
            false => Err(Wrong("missing argument to repetition operator", between(before, after))),
        }
    }

    /// `{2}`, `{2,}` or `{2,3}`: the least, the most or -1, and what follows.
    fn count(text: &'a str) -> Option<(i64, i64, &'a str)> {
        fn number(text: &str) -> Option<(i64, &str)> {
            let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
            let digits = &text[..end];
            if digits.is_empty() || (digits.len() > 1 && digits.starts_with('0')) {
                return None;
            }
            Some((digits.parse().ok().filter(|n| *n < 100_000_000).unwrap_or(-1), &text[end..]))
        }
        let (least, rest) = number(&text[1..])?;
        if let Some(after) = rest.strip_prefix('}') {
            return Some((least, least, after));
        }
        let rest = rest.strip_prefix(',')?;
        if let Some(after) = rest.strip_prefix('}') {
            return Some((least, -1, after));
        }
        let (most, rest) = number(rest)?;
        let least = if most < 0 { -1 } else { least };
        Some((least, most, rest.strip_prefix('}')?))
    }

    /// `(?...`: what follows, and whether a group was opened.
    fn flags(&mut self, text: &'a str) -> Parsed<'a, (&'a str, bool)> {
        let named = |prefix: &str| text.strip_prefix(prefix).filter(|rest| !rest.is_empty());
        if let Some(rest) = named("(?P<").or_else(|| named("(?<")) {
            let Some(end) = rest.find('>') else {
                return Err(Wrong("invalid named capture", text));
            };
            let name = &rest[..end];
            let word = |c: char| c == '_' || c.is_ascii_alphanumeric();
            if name.is_empty() || !name.chars().all(word) {
                return Err(Wrong("invalid named capture", between(text, &rest[end + 1..])));
            }
            // The name has no use here.
            self.out.push('(');
            return Ok((&rest[end + 1..], true));
        }
        let (mut negative, mut saw) = (false, false);
        let mut rest = &text[2..];
        while let Some(c) = rest.chars().next() {
            rest = &rest[c.len_utf8()..];
            match c {
                'i' | 'm' | 's' | 'U' => saw = true,
                '-' if !negative => (negative, saw) = (true, false),
                ':' | ')' if !negative || saw => {
                    let shown = between(text, rest);
                    if shown != "(?)" {
                        self.out.push_str(shown);
                    }
                    return Ok((rest, c == ':'));
                }
                _ => break,
            }
        }
        Err(Wrong("invalid or unsupported Perl syntax", between(text, rest)))
    }

    fn escaped(&mut self, text: &'a str) -> Parsed<'a, &'a str> {
        let after = text.get(2..);
        match (text.as_bytes().get(1), after) {
            (Some(b'A'), Some(after)) => {
                self.out.push_str("\\A");
                return Ok(after);
            }
            (Some(b'z'), Some(after)) => {
                self.out.push_str("\\z");
                return Ok(after);
            }
            (Some(b'b'), Some(after)) => {
                self.out.push_str("(?-u:\\b)");
                return Ok(after);
            }
            (Some(b'B'), Some(after)) => {
                // Here words have more letters than those of ASCII.
                self.out.push_str("\\B");
                return Ok(after);
            }
            (Some(b'C'), Some(_)) => return Err(Wrong("invalid escape sequence", &text[..2])),
            (Some(b'Q'), Some(after)) => {
                let (quoted, rest) = match after.find("\\E") {
                    Some(end) => (&after[..end], &after[end + 2..]),
                    None => (after, ""),
                };
                quoted.chars().for_each(|c| literal(c, &mut self.out));
                return Ok(rest);
            }
            _ => {}
        }
        let mut part = String::new();
        let rest = match Self::group(text, &mut part)? {
            Some(rest) => {
                let _ = write!(self.out, "[{part}]");
                rest
            }
            None => {
                let (c, rest) = Self::character(text)?;
                match c {
                    Some(c) => literal(c, &mut self.out),
                    None => self.out.push_str("[^\\x{0}-\\x{10ffff}]"),
                }
                rest
            }
        };
        Ok(rest)
    }

    /// `\p{Greek}`, `\d` and their like, as part of a class.
    fn group(text: &'a str, out: &mut String) -> Parsed<'a, Option<&'a str>> {
        let Some(kind) = text.strip_prefix('\\').and_then(|rest| rest.chars().next()) else {
            return Ok(None);
        };
        let known = match kind {
            'd' => "0-9",
            'D' => "[^0-9]",
            's' => "\\t\\n\\x0c\\r\\x20",
            'S' => "[^\\t\\n\\x0c\\r\\x20]",
            'w' => "0-9A-Za-z_",
            'W' => "[^0-9A-Za-z_]",
            'p' | 'P' => {
                let mut chars = text[2..].chars();
                let Some(first) = chars.next() else { return Ok(None) };
                let (name, rest) = if first == '{' {
                    let Some(end) = text.find('}') else {
                        return Err(Wrong("invalid character class range", text));
                    };
                    (&text[3..end], &text[end + 1..])
                } else {
                    (&text[2..2 + first.len_utf8()], chars.as_str())
                };
                let (negated, plain) = match name.strip_prefix('^') {
                    Some(plain) => (true, plain),
                    None => (false, name),
                };
                let sign = if negated == (kind == 'P') { 'p' } else { 'P' };
                let class = format!("\\{sign}{{{plain}}}");
                let named = plain.starts_with(|c: char| c.is_ascii_uppercase());
                if !named || regex::Regex::new(&class).is_err() {
                    return Err(Wrong("invalid character class range", between(text, rest)));
                }
                out.push_str(&class);
                return Ok(Some(rest));
            }
            _ => return Ok(None),
        };
        out.push_str(known);
        Ok(Some(&text[2..]))
    }

    /// A character after a backslash; none where no text can have it.
    fn character(text: &'a str) -> Parsed<'a, (Option<char>, &'a str)> {
        let mut chars = text[1..].chars();
        let Some(c) = chars.next() else {
            return Err(Wrong("trailing backslash at end of expression", ""));
        };
        let rest = chars.as_str();
        let octal = |rest: &str| rest.starts_with(|c| matches!(c, '0'..='7'));
        let code = match c {
            'a' => Some((7, rest)),
            'f' => Some((12, rest)),
            'n' => Some((10, rest)),
            'r' => Some((13, rest)),
            't' => Some((9, rest)),
            'v' => Some((11, rest)),
            '0'..='7' if c == '0' || octal(rest) => {
                let more = rest.bytes().take(2).take_while(|b| matches!(b, b'0'..=b'7')).count();
                let digits = rest.get(..more).unwrap_or_default();
                let all = format!("{c}{digits}");
                u32::from_str_radix(&all, 8).ok().map(|code| (code, &rest[more..]))
            }
            'x' => match rest.strip_prefix('{') {
                Some(inner) => inner.split_once('}').and_then(|(digits, rest)| {
                    let hex = digits.bytes().all(|b| b.is_ascii_hexdigit());
                    let code = u32::from_str_radix(digits, 16).ok().filter(|_| hex)?;
                    (code <= 0x10_ffff).then_some((code, rest))
                }),
                None => rest.get(..2).and_then(|digits| {
                    let hex = digits.bytes().all(|b| b.is_ascii_hexdigit());
                    Some((u32::from_str_radix(digits, 16).ok().filter(|_| hex)?, &rest[2..]))
                }),
            },
            c if c.is_ascii() && !c.is_ascii_alphanumeric() => Some((u32::from(c), rest)),
            _ => None,
        };
        match code {
            Some((code, rest)) => Ok((char::from_u32(code), rest)),
            None => {
                // The part that was read before it was seen to be none.
                let end = match c {
                    'x' => Self::hex_end(rest),
                    _ => 0,
                };
                Err(Wrong("invalid escape sequence", between(text, &rest[end..])))
            }
        }
    }

    /// How much of the digits after `\x` is read before they are seen to be none.
    fn hex_end(rest: &str) -> usize {
        let Some(inner) = rest.strip_prefix('{') else {
            return rest.chars().take(2).map(char::len_utf8).sum();
        };
        let mut code = 0_u32;
        for (index, c) in inner.char_indices() {
            let end = 1 + index + c.len_utf8();
            match c.to_digit(16) {
                Some(digit) => {
                    code = code * 16 + digit;
                    if code > 0x10_ffff {
                        return end;
                    }
                }
                None => return end,
            }
        }
        rest.len()
    }

    /// A class in brackets.
    fn class(&mut self, text: &'a str) -> Parsed<'a, &'a str> {
        let mut rest = &text[1..];
        self.out.push('[');
        if let Some(after) = rest.strip_prefix('^') {
            self.out.push('^');
            rest = after;
        }
        let mut first = true;
        let mut any = false;
        while first || !rest.starts_with(']') {
            first = false;
            if rest.len() > 2
                && rest.starts_with("[:")
                && let Some(end) = rest[2..].find(":]")
            {
                let (name, after) = rest.split_at(end + 4);
                let plain = name.trim_start_matches("[:").trim_start_matches('^');
                if !POSIX.contains(&plain.trim_end_matches(":]")) {
                    return Err(Wrong("invalid character class range", name));
                }
                self.out.push_str(name);
                (rest, any) = (after, true);
                continue;
            }
            let mut part = String::new();
            if let Some(after) = Self::group(rest, &mut part)? {
                self.out.push_str(&part);
                (rest, any) = (after, true);
                continue;
            }
            let range = rest;
            let (low, after) = Self::member(rest, text)?;
            rest = after;
            let mut high = low;
            if rest.len() >= 2 && rest.starts_with('-') && !rest[1..].starts_with(']') {
                let (last, after) = Self::member(&rest[1..], text)?;
                (high, rest) = (last, after);
                if high < low {
                    return Err(Wrong("invalid character class range", between(range, rest)));
                }
            }
            if let (Some(low), Some(high)) = (low, high) {
                literal(low, &mut self.out);
                self.out.push('-');
                literal(high, &mut self.out);
                any = true;
            }
        }
        if !any {
            // Nothing that a text can have.
            self.out.push_str("&&[^\\x{0}-\\x{10ffff}]");
        }
        self.out.push(']');
        Ok(&rest[1..])
    }

    fn member(rest: &'a str, class: &'a str) -> Parsed<'a, (Option<char>, &'a str)> {
        match rest.chars().next() {
            None => Err(Wrong("missing closing ]", class)),
            Some('\\') => Self::character(rest),
            Some(c) => Ok((Some(c), &rest[c.len_utf8()..])),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::translate;

    #[track_caller]
    fn wrong(pattern: &str, expect: &str) {
        let expect = format!("error parsing regexp: {expect}");
        assert_eq!(translate(pattern), Err(expect), "{pattern}");
    }

    #[test]
    fn mistakes_are_told_in_gos_words() {
        wrong("(", "missing closing ): `(`");
        wrong("a)", "unexpected ): `a)`");
        wrong("[a", "missing closing ]: `[a`");
        wrong("x[a", "missing closing ]: `[a`");
        wrong("*", "missing argument to repetition operator: `*`");
        wrong("a|*", "missing argument to repetition operator: `*`");
        wrong("a**", "invalid nested repetition operator: `**`");
        wrong("a{2}{3}", "invalid nested repetition operator: `{2}{3}`");
        wrong("a{1001}", "invalid repeat count: `{1001}`");
        wrong("a{3,2}", "invalid repeat count: `{3,2}`");
        wrong("((a{100}){100}){100}", "invalid repeat count: `{100}`");
        wrong("(?!a)", "invalid or unsupported Perl syntax: `(?!`");
        wrong("(?<=a)", "invalid named capture: `(?<=a)`");
        wrong("(?P<n", "invalid named capture: `(?P<n`");
        wrong("\\", "trailing backslash at end of expression: ``");
        wrong("\\y", "invalid escape sequence: `\\y`");
        wrong("\\1", "invalid escape sequence: `\\1`");
        wrong("[b-a]", "invalid character class range: `b-a`");
        wrong("[[:nope:]]", "invalid character class range: `[:nope:]`");
        wrong("\\pX", "invalid character class range: `\\pX`");
    }

    #[track_caller]
    fn finds(pattern: &str, text: &str, expect: bool) {
        let own = translate(pattern).expect("an expression");
        let regex = regex::Regex::new(&own).unwrap_or_else(|e| panic!("{pattern}: {own}: {e}"));
        assert_eq!(regex.is_match(text), expect, "{pattern} {text}");
    }

    #[test]
    fn expressions_mean_what_they_do_in_go() {
        finds("^a+$", "aa", true);
        finds("^\\d+$", "1", true);
        finds("^\\d+$", "\u{661}", false);
        finds("^\\w$", "\u{e9}", false);
        finds("^[^\\w]$", "\u{e9}", true);
        finds("^\\s$", "\u{b}", false);
        finds("^[[a]$", "[", true);
        finds("^[a&&b]+$", "a&b", true);
        finds("^[a-]+$", "a-", true);
        finds("^[]a]+$", "]a", true);
        finds("^a{,2}$", "a{,2}", true);
        finds("^(?i)ab$", "AB", true);
        finds("^(?:a|b)*?$", "abab", true);
        finds("^(?P<n>a)$", "a", true);
        finds("^\\Qa.b\\E$", "a.b", true);
        finds("^\\x41\\x{42}\\103$", "ABC", true);
        finds("^[[:alpha:]_]+$", "a_", true);
        finds("^\\p{Greek}$", "\u{3b1}", true);
        finds("a\\b", "a\u{e9}", true);
        finds("a$", "a\n", false);
        finds("^.$", "\n", false);
        finds("[^a]", "\n", true);
        finds("^(a{0,62}|b{2,63}(c){2,63})$", "a", true);
    }
}
