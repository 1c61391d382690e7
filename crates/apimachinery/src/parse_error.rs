//! The error of the leaf parsers (group versions, quantities, times, selectors, query parameters), and
//! Go's way of quoting a string, which many of its messages contain. Go: the `error` values of
//! `fmt.Errorf` and `strconv`; `strconv.Quote`.

use std::borrow::Cow;
use std::fmt;

/// A text could not be read as the value asked for. Its message is the one Go gives for the same text.
///
/// ```
/// use pintle_apimachinery::GroupVersion;
///
/// let error = "apps/v1/extra".parse::<GroupVersion>().unwrap_err();
/// assert_eq!(error.to_string(), "unexpected GroupVersion string: apps/v1/extra");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ParseError(Cow<'static, str>);

impl ParseError {
    /// An error with this message.
    #[cold]
    pub fn new(message: impl Into<Cow<'static, str>>) -> ParseError {
        ParseError(message.into())
    }

    /// The message.
    pub fn message(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ParseError {}

/// Shows a text as Go's `%q` does: in double quotes, with Go's escapes.
pub(crate) struct Quoted<'a>(pub(crate) &'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write;
        f.write_char('"')?;
        for c in self.0.chars() {
            match c {
                '"' => f.write_str("\\\"")?,
                '\\' => f.write_str("\\\\")?,
                '\x07' => f.write_str("\\a")?,
                '\x08' => f.write_str("\\b")?,
                '\x0c' => f.write_str("\\f")?,
                '\n' => f.write_str("\\n")?,
                '\r' => f.write_str("\\r")?,
                '\t' => f.write_str("\\t")?,
                '\x0b' => f.write_str("\\v")?,
                c if is_print(c) => f.write_char(c)?,
                c if (c as u32) < 0x80 => write!(f, "\\x{:02x}", c as u32)?,
                c if (c as u32) < 0x1_0000 => write!(f, "\\u{:04x}", c as u32)?,
                c => write!(f, "\\U{:08x}", c as u32)?,
            }
        }
        f.write_char('"')
    }
}

/// Shorthand for `Quoted(text)`.
pub(crate) fn quote(text: &str) -> Quoted<'_> {
    Quoted(text)
}

/// Whether Go's `unicode.IsPrint` holds: letters, marks, numbers, punctuation, symbols and the ASCII space.
pub(crate) fn is_print(c: char) -> bool {
    if c.is_ascii() {
        return (' '..='~').contains(&c);
    }
    // std shows exactly the same classes unescaped; a mark is escaped only at the start of a text.
    let mut buffer = [b'a'; 5];
    let length = 1 + c.encode_utf8(&mut buffer[1..]).len();
    std::str::from_utf8(&buffer[..length]).is_ok_and(|text| text.escape_debug().nth(1) == Some(c))
}

/// Parses as Go's `strconv.ParseInt(text, 10, 64)` does.
///
/// # Errors
/// `strconv.ParseInt: parsing "x": invalid syntax`, or `value out of range`.
pub(crate) fn parse_int(text: &str, function: &str) -> Result<i64, ParseError> {
    scan_int(text).map_err(|limit| {
        let problem = if limit.is_some() { "value out of range" } else { "invalid syntax" };
        ParseError::new(format!("strconv.{function}: parsing {}: {problem}", quote(text)))
    })
}

/// As [`parse_int`]; the error is the limit that the number is beyond, if it is one. What follows
/// the digit with which it leaves 64 bits without a sign is not looked at.
pub(crate) fn scan_int(text: &str) -> Result<i64, Option<i64>> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let negative = text.starts_with('-');
    let limit = if negative { i64::MIN } else { i64::MAX };
    if digits.is_empty() {
        return Err(None);
    }
    let mut value = 0_u64;
    for byte in digits.bytes() {
        if !byte.is_ascii_digit() {
            return Err(None);
        }
        let next = value.checked_mul(10).and_then(|v| v.checked_add(u64::from(byte - b'0')));
        value = next.ok_or(Some(limit))?;
    }
    let signed =
        if negative { 0_i64.checked_sub_unsigned(value) } else { i64::try_from(value).ok() };
    signed.ok_or(Some(limit))
}

/// The cases of a file under `testdata/leaf`: operation, arguments, Go's answer.
#[cfg(test)]
pub(crate) fn cases(file: &str) -> Vec<(String, Vec<String>, Vec<String>)> {
    let texts = |value: &serde_json::Value| -> Vec<String> {
        value.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
    };
    let case = |line: &str| {
        let case: serde_json::Value = serde_json::from_str(line).unwrap();
        (case["of"].as_str().unwrap().to_owned(), texts(&case["in"]), texts(&case["out"]))
    };
    file.lines().map(case).collect()
}

/// Numbers that look random, for tests: the same for the same seed.
#[cfg(test)]
pub(crate) fn random(seed: u64) -> impl FnMut(u64) -> u64 {
    let mut state = seed | 1;
    move |below| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % below
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_as_go() {
        #[track_caller]
        fn check(text: &str, quoted: &str) {
            assert_eq!(quote(text).to_string(), quoted);
        }
        check("", r#""""#);
        check("a b", r#""a b""#);
        check("a\"\\", r#""a\"\\""#);
        check("\x00\x07\x08\x0c\n\r\t\x0b\x1b\x7f", r#""\x00\a\b\f\n\r\t\v\x1b\x7f""#);
        check("é日🙂", r#""é日🙂""#);
        check("e\u{301}\u{301}", "\"e\u{301}\u{301}\"");
        check("\u{a0}\u{200b}\u{feff}\u{e000}", r#""\u00a0\u200b\ufeff\ue000""#);
        check("\u{10ffff}", r#""\U0010ffff""#);
        check("'", r#""'""#);
    }

    #[test]
    fn parses_integers_as_go() {
        #[track_caller]
        fn check(text: &str, expect: Result<i64, &str>) {
            assert_eq!(
                parse_int(text, "ParseInt").map_err(|e| e.to_string()),
                expect.map_err(str::to_owned)
            );
        }
        check("0", Ok(0));
        check("+7", Ok(7));
        check("-007", Ok(-7));
        check("9223372036854775807", Ok(i64::MAX));
        check("-9223372036854775808", Ok(i64::MIN));
        check(
            "9223372036854775808",
            Err(r#"strconv.ParseInt: parsing "9223372036854775808": value out of range"#),
        );
        check(
            "9223372036854775808a",
            Err(r#"strconv.ParseInt: parsing "9223372036854775808a": invalid syntax"#),
        );
        check(
            "-99999999999999999999a",
            Err(r#"strconv.ParseInt: parsing "-99999999999999999999a": value out of range"#),
        );
        check("", Err(r#"strconv.ParseInt: parsing "": invalid syntax"#));
        check("+", Err(r#"strconv.ParseInt: parsing "+": invalid syntax"#));
        check("--1", Err(r#"strconv.ParseInt: parsing "--1": invalid syntax"#));
        check("1_0", Err(r#"strconv.ParseInt: parsing "1_0": invalid syntax"#));
        check(" 1", Err(r#"strconv.ParseInt: parsing " 1": invalid syntax"#));
        check("é", Err(r#"strconv.ParseInt: parsing "é": invalid syntax"#));
    }
}
