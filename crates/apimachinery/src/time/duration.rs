//! Durations in Go's syntax. Go: `metav1.Duration`, `time.ParseDuration`, `time.Duration.String`.

use std::fmt;
use std::str::FromStr;

use super::civil::quote;
use crate::parse_error::ParseError;

const SECOND: u64 = 1_000_000_000;
/// The magnitude of `i64::MIN`.
const LIMIT: u64 = 1 << 63;

/// A signed span of time in nanoseconds, at most about 292 years. Written as `1h2m3.5s`.
/// Go: `time.Duration` and `metav1.Duration`.
///
/// ```
/// use pintle_apimachinery::Duration;
/// let time: Duration = "1h2m3.5s".parse()?;
/// assert_eq!(time.as_secs_f64(), 3723.5);
/// assert_eq!(Duration::from_secs(90).to_string(), "1m30s");
/// # Ok::<(), pintle_apimachinery::ParseError>(())
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Duration(i64);

impl Duration {
    /// No time at all.
    pub const ZERO: Duration = Duration(0);

    /// From nanoseconds.
    pub const fn from_nanos(nanos: i64) -> Duration {
        Duration(nanos)
    }

    /// From seconds, saturating.
    pub const fn from_secs(seconds: i64) -> Duration {
        Duration(seconds.saturating_mul(SECOND as i64))
    }

    /// The nanoseconds; the field of the protobuf message.
    pub const fn as_nanos(self) -> i64 {
        self.0
    }

    /// The seconds, with their fraction; the same float that Go's `Seconds` gives.
    pub fn as_secs_f64(self) -> f64 {
        let second = SECOND as i64;
        (self.0 / second) as f64 + (self.0 % second) as f64 / 1e9
    }

    /// Whether this is zero.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// As the standard library's duration; `None` if it is negative.
    pub fn to_std(self) -> Option<std::time::Duration> {
        u64::try_from(self.0).ok().map(std::time::Duration::from_nanos)
    }

    /// Reads numbers with units (`ns`, `us`, `µs`, `ms`, `s`, `m`, `h`) after an optional sign, such as `-1.5h`
    /// or `1h15m30.918s`; or `0`. Go: `time.ParseDuration`, which wraps around where terms add up to 2^64.
    ///
    /// # Errors
    /// With Go's message: `time: invalid duration "..."`, `time: missing unit in duration "..."` or
    /// `time: unknown unit "..." in duration "..."`.
    pub fn parse(text: &str) -> Result<Duration, ParseError> {
        let fail = |what: &str| ParseError::new(format!("time: {what} {}", quote(text.as_bytes())));
        let invalid = || fail("invalid duration");
        let mut rest = text.strip_prefix(['+', '-']).unwrap_or(text);
        if rest == "0" {
            return Ok(Duration::ZERO);
        }
        if rest.is_empty() {
            return Err(invalid());
        }
        let mut total = 0u64;
        while !rest.is_empty() {
            let (whole, after) = leading_digits(rest);
            let (fraction, after) = match after.strip_prefix('.') {
                Some(after) => leading_digits(after),
                None => ("", after),
            };
            if whole.is_empty() && fraction.is_empty() {
                return Err(invalid());
            }
            let number =
                |value: u64, digit: u8| value.checked_mul(10)?.checked_add(u64::from(digit - b'0'));
            let value = whole.bytes().try_fold(0, number).filter(|value| *value <= LIMIT);
            let value = value.ok_or_else(invalid)?;
            let end = after.find(|c: char| c == '.' || c.is_ascii_digit()).unwrap_or(after.len());
            let (unit, next) = after.split_at(end);
            if unit.is_empty() {
                return Err(fail("missing unit in duration"));
            }
            let nanos = nanos_of(unit).ok_or_else(|| {
                fail(&format!("unknown unit {} in duration", quote(unit.as_bytes())))
            })?;
            let whole =
                value.checked_mul(nanos).filter(|value| *value <= LIMIT).ok_or_else(invalid)?;
            let term = whole + fraction_of(fraction, nanos);
            total = total
                .checked_add(term)
                .filter(|total| term <= LIMIT && *total <= LIMIT)
                .ok_or_else(invalid)?;
            rest = next;
        }
        if text.starts_with('-') {
            return Ok(Duration(0i64.wrapping_sub_unsigned(total)));
        }
        i64::try_from(total).map(Duration).map_err(|_| invalid())
    }
}

fn leading_digits(text: &str) -> (&str, &str) {
    text.split_at(text.bytes().take_while(u8::is_ascii_digit).count())
}

fn nanos_of(unit: &str) -> Option<u64> {
    Some(match unit {
        "ns" => 1,
        // The micro sign and the Greek letter.
        "us" | "\u{b5}s" | "\u{3bc}s" => 1_000,
        "ms" => 1_000_000,
        "s" => SECOND,
        "m" => 60 * SECOND,
        "h" => 3600 * SECOND,
        _ => return None,
    })
}

/// The nanoseconds of a fraction of a unit, cut off; through floating point, as Go does it, from as many digits
/// as fit.
fn fraction_of(digits: &str, nanos: u64) -> u64 {
    let (mut value, mut scale) = (0u64, 1f64);
    for digit in digits.bytes() {
        if value > (LIMIT - 1) / 10 {
            break;
        }
        let next = value * 10 + u64::from(digit - b'0');
        if next > LIMIT {
            break;
        }
        (value, scale) = (next, scale * 10.0);
    }
    if value > 0 { (value as f64 * (nanos as f64 / scale)) as u64 } else { 0 }
}

impl FromStr for Duration {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Duration, ParseError> {
        Duration::parse(text)
    }
}

impl TryFrom<std::time::Duration> for Duration {
    type Error = std::num::TryFromIntError;

    fn try_from(duration: std::time::Duration) -> Result<Duration, Self::Error> {
        i64::try_from(duration.as_nanos()).map(Duration)
    }
}

/// As Go prints it: `1h2m3.5s`, `1.5ms`, `0s`.
impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanos = self.0.unsigned_abs();
        let mut text = String::with_capacity(24);
        if self.0 < 0 {
            text.push('-');
        }
        match nanos {
            0 => text.push_str("0s"),
            1..1_000 => decimal(&mut text, nanos, 0, "ns"),
            1_000..1_000_000 => decimal(&mut text, nanos, 3, "µs"),
            1_000_000..SECOND => decimal(&mut text, nanos, 6, "ms"),
            _ => {
                let minutes = nanos / (60 * SECOND);
                if minutes >= 60 {
                    decimal(&mut text, minutes / 60, 0, "h");
                }
                if minutes > 0 {
                    decimal(&mut text, minutes % 60, 0, "m");
                }
                decimal(&mut text, nanos % (60 * SECOND), 9, "s");
            }
        }
        f.pad(&text)
    }
}

impl fmt::Debug for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Appends `value` / 10^`places` without zeros at the end, and the unit.
fn decimal(text: &mut String, value: u64, places: u32, unit: &str) {
    let power = 10u64.pow(places);
    text.push_str(&(value / power).to_string());
    if !value.is_multiple_of(power) {
        let fraction = format!("{:0width$}", value % power, width = places as usize);
        text.push('.');
        text.push_str(fraction.trim_end_matches('0'));
    }
    text.push_str(unit);
}
