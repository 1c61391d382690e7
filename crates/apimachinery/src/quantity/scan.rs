//! Reading and writing the text of quantities. Go: `parseQuantityString`, `ParseQuantity`,
//! `CanonicalizeBytes` and the suffix table.

use super::QuantityFormat;
use super::amount::Amount;
use crate::Str;
use crate::parse_error::ParseError;

const FORMAT_WRONG: &str =
    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
const NUMERIC: &str = "unable to parse numeric part of quantity";
const SUFFIX: &str = "unable to parse quantity's suffix";

/// Follows a text whose format is not the one it looks like.
const MARKERS: [(char, QuantityFormat); 3] = [
    ('\x01', QuantityFormat::DecimalExponent),
    ('\x02', QuantityFormat::BinarySI),
    ('\x03', QuantityFormat::DecimalSI),
];

const DECIMAL_SUFFIXES: [(&str, i64); 10] = [
    ("n", -9),
    ("u", -6),
    ("m", -3),
    ("", 0),
    ("k", 3),
    ("M", 6),
    ("G", 9),
    ("T", 12),
    ("P", 15),
    ("E", 18),
];
const BINARY_SUFFIXES: [&str; 7] = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];

/// What became of a text.
pub(super) enum Parsed {
    /// It is kept.
    Verbatim,
    /// It is to be written anew.
    Amount(Amount, QuantityFormat),
}

/// Whether a text is of the common kind that is certainly kept: an unsigned integer with a suffix that is as
/// large as it can be. `false` says nothing.
#[inline]
pub(super) fn is_plainly_canonical(text: &[u8]) -> bool {
    let Some((first @ b'1'..=b'9', mut rest)) = text.split_first() else {
        return text == b"0";
    };
    let mut value = u64::from(first - b'0');
    while let [digit @ b'0'..=b'9', after @ ..] = rest {
        value = value.wrapping_mul(10).wrapping_add(u64::from(digit - b'0'));
        rest = after;
    }
    let digits = text.len() - rest.len();
    match rest {
        [] | [b'm' | b'k' | b'M' | b'G' | b'T' | b'P' | b'E' | b'u' | b'n'] => {
            digits <= 18 && value % 1000 != 0
        }
        [prefix, b'i'] => {
            let thousands = match prefix {
                b'K' => 1,
                b'M' => 2,
                b'G' => 3,
                b'T' => 4,
                _ => return false,
            };
            digits + 3 * thousands <= 14 && value % 1024 != 0
        }
        _ => false,
    }
}

/// The format that a marker stands for.
#[inline]
pub(super) fn format_of_marker(byte: u8) -> Option<QuantityFormat> {
    MARKERS.iter().find(|(marker, _)| *marker == char::from(byte)).map(|(_, format)| *format)
}

/// A text taken apart.
struct Scan<'a> {
    negative: bool,
    /// The digits before the point, without zeros in front.
    whole: &'a [u8],
    /// The digits after the point.
    fraction: &'a [u8],
    /// Whether there was any digit at all.
    has_digits: bool,
    suffix: &'a str,
}

impl<'a> Scan<'a> {
    fn new(text: &'a str) -> Result<Scan<'a>, ParseError> {
        let bytes = text.as_bytes();
        let signed = usize::from(matches!(bytes.first(), Some(b'+' | b'-')));
        let negative = bytes.first() == Some(&b'-');
        let whole = signed + run(&bytes[signed..], |byte| byte == b'0');
        let point = whole + run(&bytes[whole..], |byte| byte.is_ascii_digit());
        let mut number = point;
        let mut fraction: &[u8] = &[];
        if bytes.get(point) == Some(&b'.') {
            number = point + 1 + run(&bytes[point + 1..], |byte| byte.is_ascii_digit());
            fraction = &bytes[point + 1..number];
        }
        let letters = |byte: u8| b"eEinumkKMGTP".contains(&byte);
        let mut end = number + run(&bytes[number..], letters);
        if end < bytes.len() {
            end += usize::from(matches!(bytes[end], b'+' | b'-'));
            end += run(&bytes[end..], |byte| byte.is_ascii_digit());
            if end < bytes.len() {
                return Err(ParseError::new(FORMAT_WRONG));
            }
        }
        Ok(Scan {
            negative,
            whole: &bytes[whole..point],
            fraction,
            has_digits: point > signed || !fraction.is_empty() || whole == bytes.len(),
            suffix: &text[number..],
        })
    }

    /// Everything before the suffix as a number, times 10^`exponent`.
    fn amount(&self, exponent: i64) -> Amount {
        let exponent = exponent.saturating_sub(self.fraction.len() as i64);
        let digits = || self.whole.iter().chain(self.fraction).map(|byte| byte - b'0');
        if self.whole.len() + self.fraction.len() <= 18 {
            let value = digits().fold(0, |value, digit| value * 10 + i64::from(digit));
            return Amount::new(if self.negative { -value } else { value }.into(), exponent);
        }
        Amount::from_digits(self.negative, digits().collect(), exponent)
    }
}

fn run(bytes: &[u8], is_member: impl Fn(u8) -> bool) -> usize {
    bytes.iter().take_while(|byte| is_member(**byte)).count()
}

/// The format, power of ten and power of two of a suffix.
fn interpret(suffix: &str) -> Option<(QuantityFormat, i64, u32)> {
    if let Some((_, power)) = DECIMAL_SUFFIXES.iter().find(|(name, _)| *name == suffix) {
        return Some((QuantityFormat::DecimalSI, *power, 0));
    }
    if let Some(index) = BINARY_SUFFIXES.iter().position(|name| *name == suffix) {
        return Some((QuantityFormat::BinarySI, 0, 10 * index as u32));
    }
    let exponent = suffix.strip_prefix(['e', 'E'])?;
    Some((QuantityFormat::DecimalExponent, exponent.parse().ok()?, 0))
}

/// Reads a text from outside: decides whether it is kept, else rounds and caps as Go does.
pub(super) fn parse(text: &str) -> Result<Parsed, ParseError> {
    if text.is_empty() {
        return Err(ParseError::new(FORMAT_WRONG));
    }
    let scan = Scan::new(text)?;
    let suffix = interpret(scan.suffix).filter(|(_, power, _)| i32::try_from(*power).is_ok());
    let (mut format, power, shift) = suffix.ok_or_else(|| ParseError::new(SUFFIX))?;

    // Go holds what is short enough in 64 bits, and keeps the text only then.
    let (whole, fraction) = (scan.whole.len().max(1), scan.fraction.len());
    let binary = format == QuantityFormat::BinarySI;
    let short = match binary {
        true => fraction == 0 && whole + 3 * (shift as usize / 10) <= 14,
        false => whole + fraction <= 18 && power - fraction as i64 >= -9,
    };
    let amount = scan.amount(power).shift_left(shift);
    if short {
        let digits = || scan.whole.iter().chain(scan.fraction);
        let keep = match binary {
            true => {
                digits().fold(0u64, |value, digit| value * 10 + u64::from(digit - b'0')) % 8 != 0
            }
            false => {
                let zeros = digits().rev().take_while(|digit| **digit == b'0').count();
                (power - fraction as i64) % 3 == 0 && zeros < 3 && !scan.whole.is_empty()
            }
        };
        return Ok(if keep { Parsed::Verbatim } else { Parsed::Amount(amount, format) });
    }
    if !scan.has_digits {
        return Err(ParseError::new(NUMERIC));
    }

    let (mut amount, _) = amount.round_up(-9);
    if binary {
        let cap = Amount::new(i64::MAX.into(), 0);
        let magnitude = if scan.negative { amount.clone().negate() } else { amount.clone() };
        if magnitude > cap {
            amount = if scan.negative { cap.negate() } else { cap };
        } else if magnitude.sign() > 0 && magnitude < Amount::new(1, 0) {
            format = QuantityFormat::DecimalSI; // rather than rounding
        }
    }
    Ok(Parsed::Amount(amount, format))
}

/// Reads a text that a quantity holds: exactly, and with its marker. Also the power of ten of its last digit.
pub(super) fn read(text: &str) -> (Amount, QuantityFormat, i64) {
    if let Some(plain) = read_plain(text.as_bytes()) {
        return plain;
    }
    let marked = text.as_bytes().last().and_then(|last| format_of_marker(*last));
    let text = if marked.is_some() { &text[..text.len() - 1] } else { text };
    let parts =
        Scan::new(text).ok().and_then(|scan| interpret(scan.suffix).map(|suffix| (scan, suffix)));
    // Only texts that were read or written here are held, so there are always parts.
    let Some((scan, (format, power, shift))) = parts else {
        return (Amount::ZERO, QuantityFormat::DecimalSI, 0);
    };
    let written = power - scan.fraction.len() as i64;
    (scan.amount(power).shift_left(shift), marked.unwrap_or(format), written)
}

/// What nearly every quantity is: a short integer with a suffix.
#[inline]
fn read_plain(text: &[u8]) -> Option<(Amount, QuantityFormat, i64)> {
    let mut value = 0i64;
    let mut rest = text;
    while let [digit @ b'0'..=b'9', after @ ..] = rest {
        value = value.wrapping_mul(10).wrapping_add(i64::from(digit - b'0'));
        rest = after;
    }
    let digits = text.len() - rest.len();
    if digits == 0 || digits > 18 {
        return None;
    }
    let power = match rest {
        [] => 0,
        [b'm'] => -3,
        [b'k'] => 3,
        [b'M'] => 6,
        [b'G'] => 9,
        [prefix, b'i'] => {
            let thousands = b"KMGT".iter().position(|known| known == prefix)? + 1;
            if digits + 3 * thousands > 14 {
                return None;
            }
            let amount = Amount::new((value << (10 * thousands)).into(), 0);
            return Some((amount, QuantityFormat::BinarySI, 0));
        }
        _ => return None,
    };
    Some((Amount::new(value.into(), power), QuantityFormat::DecimalSI, power))
}

/// Writes the canonical text, with a marker if it does not tell the format.
pub(super) fn print(amount: &Amount, format: QuantityFormat) -> Str {
    let (mut text, shown) = print_as(amount, format);
    if shown != format {
        text.extend(
            MARKERS.iter().find(|(_, marked)| *marked == format).map(|(marker, _)| *marker),
        );
    }
    Str::new(&text)
}

/// The canonical text and the format that it shows.
fn print_as(amount: &Amount, format: QuantityFormat) -> (String, QuantityFormat) {
    if amount.sign() == 0 {
        return ("0".to_owned(), QuantityFormat::DecimalSI);
    }
    let sign = if amount.sign() < 0 { "-" } else { "" };
    let kibi = Amount::new(1024, 0);
    let small = || if amount.sign() < 0 { amount.clone().negate() } else { amount.clone() } < kibi;
    if format == QuantityFormat::BinarySI
        && !small()
        && let Some((digits, times)) = amount.factors_of_1024(6)
    {
        let suffix = BINARY_SUFFIXES[times as usize];
        let shown = if times == 0 { QuantityFormat::DecimalSI } else { QuantityFormat::BinarySI };
        return (join(sign, &digits, suffix), shown);
    }

    let exponent = amount.exponent();
    let zeros = exponent.rem_euclid(3);
    let mut digits = amount.digits();
    digits.resize(digits.len() + zeros as usize, 0);
    let power = exponent - zeros;
    if power == 0 {
        return (join(sign, &digits, ""), QuantityFormat::DecimalSI);
    }
    let suffix = DECIMAL_SUFFIXES.iter().find(|(_, of)| *of == power);
    match suffix.filter(|_| format != QuantityFormat::DecimalExponent) {
        Some((suffix, _)) => (join(sign, &digits, suffix), QuantityFormat::DecimalSI),
        None => (join(sign, &digits, &format!("e{power}")), QuantityFormat::DecimalExponent),
    }
}

fn join(sign: &str, digits: &[u8], suffix: &str) -> String {
    let mut text = String::with_capacity(sign.len() + digits.len() + suffix.len() + 1);
    text.push_str(sign);
    text.extend(digits.iter().map(|digit| (digit + b'0') as char));
    text.push_str(suffix);
    text
}
