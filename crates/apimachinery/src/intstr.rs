//! A number or a text, as ports and rollout limits have them.
//! Go: `k8s.io/apimachinery/pkg/util/intstr`.
//!
//! ```
//! use pintle_apimachinery::IntOrString;
//!
//! let limit = IntOrString::parse("33%");
//! assert_eq!(limit, "33%".into());
//! assert_eq!((limit.scaled_value(10, true)?, limit.scaled_value(10, false)?), (4, 3));
//! assert_eq!(IntOrString::parse("8080"), 8080.into());
//! # Ok::<(), pintle_apimachinery::ParseError>(())
//! ```

use std::fmt;
use std::str::FromStr;

use crate::Str;
use crate::parse_error::{ParseError, parse_int, quote, scan_int};

/// A 32-bit number or a text. The default is 0.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum IntOrString {
    /// A number.
    Int(i32),
    /// A text, such as a percentage or the name of a port.
    String(Str),
}

impl IntOrString {
    /// A number if the text is one that fits in 32 bits, else the text itself.
    pub fn parse(text: &str) -> IntOrString {
        match parse_int(text, "").map(i32::try_from) {
            Ok(Ok(number)) => IntOrString::Int(number),
            _ => IntOrString::String(Str::new(text)),
        }
    }

    /// The number, or the number that the text is, or 0. Beyond 64 bits it is the nearest number that fits.
    /// Go: `IntValue`.
    pub fn int_value(&self) -> i64 {
        let text = match self {
            IntOrString::Int(number) => return i64::from(*number),
            IntOrString::String(text) => text.as_str(),
        };
        scan_int(text).unwrap_or_else(Option::unwrap_or_default)
    }

    /// The number; or, for a percentage, that share of `total`, rounded up or down.
    /// Go: `GetScaledValueFromIntOrPercent`.
    ///
    /// # Errors
    /// `invalid value for IntOrString: ...` if this is a text that is not an integer followed by `%`.
    pub fn scaled_value(&self, total: i64, round_up: bool) -> Result<i64, ParseError> {
        let text = match self {
            IntOrString::Int(number) => return Ok(i64::from(*number)),
            IntOrString::String(text) => text.as_str(),
        };
        let invalid = |what: &dyn fmt::Display| {
            ParseError::new(format!("invalid value for IntOrString: {what}"))
        };
        let Some(number) = text.strip_suffix('%') else {
            return Err(invalid(&"invalid type: string is not a percentage"));
        };
        let percent = parse_int(number, "Atoi")
            .map_err(|error| invalid(&format_args!("invalid value {}: {error}", quote(text))))?;
        // In floating point, as Go does, so that huge totals round alike.
        let share = percent as f64 * total as f64 / 100.0;
        Ok(if round_up { share.ceil() } else { share.floor() } as i64)
    }

    /// The fields of the protobuf message: type (0 or 1), number and text.
    pub fn to_proto(&self) -> (i64, i32, &str) {
        match self {
            IntOrString::Int(number) => (0, *number, ""),
            IntOrString::String(text) => (1, 0, text.as_str()),
        }
    }

    /// From the fields of the protobuf message; a type other than 1 is a number.
    pub fn from_proto(kind: i64, number: i32, text: Str) -> IntOrString {
        if kind == 1 { IntOrString::String(text) } else { IntOrString::Int(number) }
    }
}

impl Default for IntOrString {
    fn default() -> IntOrString {
        IntOrString::Int(0)
    }
}

impl From<i32> for IntOrString {
    fn from(number: i32) -> IntOrString {
        IntOrString::Int(number)
    }
}

impl From<&str> for IntOrString {
    /// The text itself, even if it is a number; see [`IntOrString::parse`].
    fn from(text: &str) -> IntOrString {
        IntOrString::String(Str::new(text))
    }
}

impl From<Str> for IntOrString {
    /// The text itself, even if it is a number; see [`IntOrString::parse`].
    fn from(text: Str) -> IntOrString {
        IntOrString::String(text)
    }
}

impl FromStr for IntOrString {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<IntOrString, Self::Err> {
        Ok(IntOrString::parse(text))
    }
}

impl fmt::Display for IntOrString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            IntOrString::Int(number) => fmt::Display::fmt(number, f),
            IntOrString::String(text) => f.pad(text.as_str()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Go: TestParse, TestIntOrStringIntValue, TestString
    #[test]
    fn parses() {
        #[track_caller]
        fn check(text: &str, expect: impl Into<IntOrString>, value: i64) {
            let parsed = IntOrString::parse(text);
            assert_eq!(parsed, expect.into());
            assert_eq!(parsed.int_value(), value);
            let (kind, number, string) = parsed.to_proto();
            assert_eq!(IntOrString::from_proto(kind, number, Str::new(string)), parsed);
        }
        check("0", 0, 0);
        check("-1", -1, -1);
        check("+5", 5, 5);
        check("007", 7, 7);
        check("2147483647", i32::MAX, 2147483647);
        check("-2147483648", i32::MIN, -2147483648);
        check("2147483648", "2147483648", 2147483648);
        check("99999999999999999999", "99999999999999999999", i64::MAX);
        check("-99999999999999999999", "-99999999999999999999", i64::MIN);
        check("", "", 0);
        check("80a", "80a", 0);
        check("1.5", "1.5", 0);
        check("10%", "10%", 0);
        check(" 1", " 1", 0);
        check("http", "http", 0);
        assert_eq!(
            IntOrString::from("80").to_string() + &IntOrString::from(-7).to_string(),
            "80-7"
        );
        assert_eq!(IntOrString::default(), 0.into());
    }

    // Go: TestGetScaledValueFromIntOrPercent
    #[test]
    fn scales() {
        #[track_caller]
        fn check(of: impl Into<IntOrString>, total: i64, up: i64, down: i64) {
            let of = of.into();
            assert_eq!(of.scaled_value(total, true).unwrap(), up);
            assert_eq!(of.scaled_value(total, false).unwrap(), down);
        }
        check(123, 0, 123, 123);
        check(-1, 10, -1, -1);
        check("90%", 100, 90, 90);
        check("90%", 95, 86, 85);
        check("33%", 10, 4, 3);
        check("0%", 5, 0, 0);
        check("100%", 7, 7, 7);
        check("1%", 1, 1, 0);
        check("101%", 1, 2, 1);
        check("-10%", 25, -2, -3);
        check("+10%", 25, 3, 2);
        check("010%", 10, 1, 1);
        check("50%", 0, 0, 0);
        check("50%", -3, -1, -2);
    }

    #[test]
    fn says_what_is_wrong() {
        #[track_caller]
        fn check(of: &str, expect: &str) {
            let error = IntOrString::from(of).scaled_value(100, true).unwrap_err().to_string();
            assert_eq!(error, format!("invalid value for IntOrString: {expect}"));
        }
        check("90", "invalid type: string is not a percentage");
        check("", "invalid type: string is not a percentage");
        check("nan", "invalid type: string is not a percentage");
        check("%", r#"invalid value "%": strconv.Atoi: parsing "": invalid syntax"#);
        check("a%", r#"invalid value "a%": strconv.Atoi: parsing "a": invalid syntax"#);
        check("1%%", r#"invalid value "1%%": strconv.Atoi: parsing "1%": invalid syntax"#);
        check("1.5%", r#"invalid value "1.5%": strconv.Atoi: parsing "1.5": invalid syntax"#);
        check(" 1%", r#"invalid value " 1%": strconv.Atoi: parsing " 1": invalid syntax"#);
        check(
            "99999999999999999999%",
            r#"invalid value "99999999999999999999%": strconv.Atoi: parsing "99999999999999999999": value out of range"#,
        );
        check("é%", r#"invalid value "é%": strconv.Atoi: parsing "é": invalid syntax"#);
    }
}
