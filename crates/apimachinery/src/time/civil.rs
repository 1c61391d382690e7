//! RFC 3339 texts and the calendar. Go: `time.Parse` and `Time.AppendFormat` with the layouts
//! `time.RFC3339` and `metav1.RFC3339Micro`.

use crate::parse_error::ParseError;

/// The layout of `Time`.
pub(super) const SECONDS: &str = "2006-01-02T15:04:05Z07:00";
/// The layout of `MicroTime`.
pub(super) const MICROS: &str = "2006-01-02T15:04:05.000000Z07:00";

const DAY: i64 = 86_400;

/// Seconds since 1970 and nanoseconds.
pub(super) fn parse(text: &str, layout: &'static str) -> Result<(i64, u32), ParseError> {
    let mut reader = Reader { text, layout, rest: text.as_bytes() };
    if let Some(time) = reader.plain() {
        return Ok(time);
    }
    reader.time()
}

struct Reader<'a> {
    text: &'a str,
    layout: &'static str,
    rest: &'a [u8],
}

impl Reader<'_> {
    /// What nearly every text is: `2026-07-23T07:07:48Z`.
    fn plain(&self) -> Option<(i64, u32)> {
        let &[
            y1,
            y2,
            y3,
            y4,
            b'-',
            m1,
            m2,
            b'-',
            d1,
            d2,
            b'T',
            h1,
            h2,
            b':',
            n1,
            n2,
            b':',
            s1,
            s2,
            b'Z',
        ] = self.rest
        else {
            return None;
        };
        let mut valid = self.layout.len() == SECONDS.len();
        let mut number = |digits: &[u8]| {
            digits.iter().fold(0, |value, digit| {
                valid &= digit.is_ascii_digit();
                value * 10 + i64::from(digit.wrapping_sub(b'0'))
            })
        };
        let (year, month, day) = (number(&[y1, y2, y3, y4]), number(&[m1, m2]), number(&[d1, d2]));
        let (hour, minute, second) = (number(&[h1, h2]), number(&[n1, n2]), number(&[s1, s2]));
        valid &= (1..=12).contains(&month) && hour < 24 && minute < 60 && second < 60;
        valid &= day >= 1 && day <= days_in(month, year);
        valid.then(|| {
            (days_since_1970(year, month, day) * DAY + hour * 3600 + minute * 60 + second, 0)
        })
    }

    /// Element by element, as Go does it, which decides the message of the error.
    fn time(&mut self) -> Result<(i64, u32), ParseError> {
        let year = match self.rest {
            [first, _, _, _, ..] if first.is_ascii_digit() => match digits(&self.rest[..4]) {
                Some(year) => year,
                None => return Err(self.cannot(self.rest, "2006")),
            },
            _ => return Err(self.cannot(self.rest, "2006")),
        };
        self.rest = &self.rest[4..];
        self.literal("-")?;
        let month = self.number("01", true)?;
        if !(1..=12).contains(&month) {
            return Err(self.wrong("month out of range"));
        }
        self.literal("-")?;
        let day = self.number("02", true)?;
        self.literal("T")?;
        let hour = self.number("15", false)?;
        if hour >= 24 {
            return Err(self.wrong("hour out of range"));
        }
        self.literal(":")?;
        let minute = self.number("04", true)?;
        if minute >= 60 {
            return Err(self.wrong("minute out of range"));
        }
        self.literal(":")?;
        let second = self.number("05", true)?;
        if second >= 60 {
            return Err(self.wrong("second out of range"));
        }
        let nanos = if self.layout == MICROS { self.six_digits()? } else { self.any_fraction() };
        let offset = self.offset()?;
        if !self.rest.is_empty() {
            return Err(self.wrong(&format!("extra text: {}", quote(self.rest))));
        }
        if day < 1 || day > days_in(month, year) {
            return Err(self.wrong("day out of range"));
        }
        let days = days_since_1970(year, month, day);
        Ok((days * DAY + hour * 3600 + minute * 60 + second - offset, nanos))
    }

    fn literal(&mut self, text: &'static str) -> Result<(), ParseError> {
        match self.rest.strip_prefix(text.as_bytes()) {
            Some(rest) => self.rest = rest,
            None => return Err(self.cannot(self.rest, text)),
        }
        Ok(())
    }

    /// Two digits, or one if that is not `fixed`.
    fn number(&mut self, element: &'static str, fixed: bool) -> Result<i64, ParseError> {
        let (value, length) = match *self.rest {
            [a, b, ..] if a.is_ascii_digit() && b.is_ascii_digit() => (two(a, b), 2),
            [a, ..] if a.is_ascii_digit() && !fixed => (i64::from(a - b'0'), 1),
            _ => return Err(self.cannot(self.rest, element)),
        };
        self.rest = &self.rest[length..];
        Ok(value)
    }

    /// A fraction of any length, or none.
    fn any_fraction(&mut self) -> u32 {
        let [b'.' | b',', digits @ ..] = self.rest else { return 0 };
        let length = digits.iter().take_while(|digit| digit.is_ascii_digit()).count();
        if length > 0 {
            self.rest = &digits[length..];
        }
        let nine = digits[..length].iter().chain(std::iter::repeat(&b'0')).take(9);
        nine.fold(0, |nanos, digit| nanos * 10 + u32::from(digit - b'0'))
    }

    /// A fraction of six characters. As in Go, the first of them may be a sign.
    fn six_digits(&mut self) -> Result<u32, ParseError> {
        const ELEMENT: &str = ".000000";
        let Some(([b'.' | b',', fraction @ ..], rest)) = self.rest.split_at_checked(7) else {
            return Err(self.cannot(self.rest, ELEMENT));
        };
        let unsigned = match fraction {
            [b'+' | b'-', unsigned @ ..] => unsigned,
            unsigned => unsigned,
        };
        let Some(value) = digits(unsigned) else {
            return Err(self.cannot(self.rest, ELEMENT));
        };
        if fraction[0] == b'-' && value > 0 {
            return Err(self.wrong("fractional second out of range"));
        }
        self.rest = rest;
        Ok(value as u32 * 1000)
    }

    /// The seconds that the clock is ahead of UTC.
    fn offset(&mut self) -> Result<i64, ParseError> {
        const ELEMENT: &str = "Z07:00";
        if let Some(rest) = self.rest.strip_prefix(b"Z") {
            self.rest = rest;
            return Ok(0);
        }
        let &[sign, h1, h2, b':', m1, m2, ref rest @ ..] = self.rest else {
            return Err(self.cannot(self.rest, ELEMENT));
        };
        let pair = |a: u8, b: u8| (a.is_ascii_digit() && b.is_ascii_digit()).then(|| two(a, b));
        let (hour, minute) = (pair(h1, h2), pair(h1, h2).and_then(|_| pair(m1, m2)));
        if hour.is_some_and(|hour| hour > 24) {
            // Go looks at the minute first, and names it if it is wrong as well.
            let minute = minute.is_some_and(|minute| minute > 60);
            let part = if minute { "minute" } else { "hour" };
            return Err(self.wrong(&format!("time zone offset {part} out of range")));
        }
        if minute.is_some_and(|minute| minute > 60) {
            return Err(self.wrong("time zone offset minute out of range"));
        }
        let (Some(hour), Some(minute), b'+' | b'-') = (hour, minute, sign) else {
            return Err(self.cannot(self.rest, ELEMENT));
        };
        self.rest = rest;
        let offset = hour * 3600 + minute * 60;
        Ok(if sign == b'-' { -offset } else { offset })
    }

    #[cold]
    fn cannot(&self, at: &[u8], element: &str) -> ParseError {
        let text = quote(self.text.as_bytes());
        ParseError::new(format!(
            "parsing time {text} as \"{}\": cannot parse {} as \"{element}\"",
            self.layout,
            quote(at)
        ))
    }

    #[cold]
    fn wrong(&self, what: &str) -> ParseError {
        ParseError::new(format!("parsing time {}: {what}", quote(self.text.as_bytes())))
    }
}

fn two(a: u8, b: u8) -> i64 {
    i64::from(a - b'0') * 10 + i64::from(b - b'0')
}

fn digits(bytes: &[u8]) -> Option<i64> {
    bytes.iter().try_fold(0, |value, digit| {
        digit.is_ascii_digit().then(|| value * 10 + i64::from(digit - b'0'))
    })
}

/// Quotes as the time package of Go does: every byte beyond ASCII by itself.
pub(super) fn quote(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() + 2);
    out.push('"');
    for &byte in bytes {
        match byte {
            b'"' | b'\\' => out.extend(['\\', byte as char]),
            b' '..=0x7f => out.push(byte as char),
            _ => out.push_str(&format!("\\x{byte:02x}")),
        }
    }
    out.push('"');
    out
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_in(month: i64, year: i64) -> i64 {
    match month {
        2 => 28 + i64::from(is_leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01 in the Gregorian calendar, also before it was. The year is taken to begin in March, so
/// that the leap day is its last.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// Year, month and day of the days since 1970-01-01.
fn date(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (era * 400 + year_of_era + i64::from(month <= 2), month, day)
}

/// Appends the text in UTC, with six digits after the second if there are microseconds.
pub(super) fn print(unix: i64, micros: Option<u32>, out: &mut Vec<u8>) {
    let (year, month, day) = date(unix.div_euclid(DAY));
    let second = unix.rem_euclid(DAY);
    if year < 0 {
        out.push(b'-');
    }
    if year.abs() > 9999 {
        out.extend_from_slice(year.unsigned_abs().to_string().as_bytes());
    } else {
        padded(year.unsigned_abs(), 4, out);
    }
    let parts = [
        (b'-', month),
        (b'-', day),
        (b'T', second / 3600),
        (b':', second / 60 % 60),
        (b':', second % 60),
    ];
    for (before, value) in parts {
        out.push(before);
        padded(value as u64, 2, out);
    }
    if let Some(micros) = micros {
        out.push(b'.');
        padded(micros.into(), 6, out);
    }
    out.push(b'Z');
}

fn padded(mut value: u64, width: usize, out: &mut Vec<u8>) {
    let begin = out.len();
    out.resize(begin + width, b'0');
    for digit in out[begin..].iter_mut().rev() {
        *digit = b'0' + (value % 10) as u8;
        value /= 10;
    }
}
