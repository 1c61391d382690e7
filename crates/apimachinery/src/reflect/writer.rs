//! JSON text as Go's `encoding/json` writes it, HTML escaping included.
use std::io;

/// Bytes that cannot stand in a string as they are.
static ESCAPED: [bool; 256] = {
    let mut t = [false; 256];
    let mut i = 0;
    while i < 0x20 {
        t[i] = true;
        i += 1;
    }
    t[b'"' as usize] = true;
    t[b'\\' as usize] = true;
    t[b'<' as usize] = true;
    t[b'>' as usize] = true;
    t[b'&' as usize] = true;
    // First byte of U+2028 and U+2029.
    t[0xe2] = true;
    t
};

/// A string.
#[inline]
pub fn put_str(out: &mut Vec<u8>, s: &str) {
    out.reserve(s.len() + 2);
    out.push(b'"');
    if s.bytes().any(|c| ESCAPED[c as usize]) {
        put_escaped(out, s);
    } else {
        out.extend_from_slice(s.as_bytes());
    }
    out.push(b'"');
}

/// Writes what is JSON already as Go does it: without white space, and with what HTML would take
/// for its own escaped.
pub(crate) fn put_raw(out: &mut Vec<u8>, raw: &[u8]) {
    let odd = |b: &u8| matches!(b, b' ' | b'\t' | b'\n' | b'\r' | b'<' | b'>' | b'&' | 0xe2);
    // Without leaving early, so that many bytes are looked at at once.
    if !raw.chunks(64).any(|c| c.iter().fold(false, |found, b| found | odd(b))) {
        return out.extend_from_slice(raw);
    }
    let (mut quoted, mut escaped) = (false, false);
    let mut rest = raw;
    while let Some((&b, tail)) = rest.split_first() {
        rest = tail;
        match b {
            b'<' | b'>' | b'&' => out.extend_from_slice(format!("\\u{b:04x}").as_bytes()),
            0xe2 if matches!(tail, [0x80, 0xa8 | 0xa9, ..]) => {
                out.extend_from_slice(format!("\\u202{:x}", tail[1] & 15).as_bytes());
                rest = &tail[2..];
            }
            b' ' | b'\t' | b'\n' | b'\r' if !quoted => {}
            _ => out.push(b),
        }
        quoted ^= b == b'"' && !escaped;
        escaped = b == b'\\' && !escaped;
    }
}

#[inline(never)]
fn put_escaped(out: &mut Vec<u8>, s: &str) {
    let b = s.as_bytes();
    let mut done = 0;
    let mut i = 0;
    while i < b.len() {
        let c = b[i];
        if !ESCAPED[c as usize] {
            i += 1;
            continue;
        }
        let mut width = 1;
        let mut unicode = [b'\\', b'u', b'0', b'0', 0, 0];
        let escape: &[u8] = match c {
            b'"' => b"\\\"",
            b'\\' => b"\\\\",
            b'\n' => b"\\n",
            b'\r' => b"\\r",
            b'\t' => b"\\t",
            0x08 => b"\\b",
            0x0c => b"\\f",
            0xe2 => match &b[i..] {
                [_, 0x80, 0xa8, ..] => {
                    width = 3;
                    b"\\u2028"
                }
                [_, 0x80, 0xa9, ..] => {
                    width = 3;
                    b"\\u2029"
                }
                _ => {
                    i += 1;
                    continue;
                }
            },
            _ => {
                unicode[4] = b"0123456789abcdef"[(c >> 4) as usize];
                unicode[5] = b"0123456789abcdef"[(c & 15) as usize];
                &unicode
            }
        };
        out.extend_from_slice(&b[done..i]);
        out.extend_from_slice(escape);
        i += width;
        done = i;
    }
    out.extend_from_slice(&b[done..]);
}

/// An integer.
pub fn put_i64(out: &mut Vec<u8>, v: i64) {
    let mut digits = [0u8; 20];
    let mut at = digits.len();
    let mut rest = v.unsigned_abs();
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if v < 0 {
        out.push(b'-');
    }
    out.extend_from_slice(&digits[at..]);
}

/// A boolean.
pub fn put_bool(out: &mut Vec<u8>, v: bool) {
    out.extend_from_slice(if v { b"true" } else { b"false" });
}

/// A floating-point number as Go prints it: shortest form, exponent outside 1e-6..1e21.
///
/// JSON has no form for infinities and NaN; they become `null`.
pub fn put_f64(out: &mut Vec<u8>, v: f64) {
    use io::Write;
    if !v.is_finite() {
        out.extend_from_slice(b"null");
        return;
    }
    if let Some(even) = even_digits(v) {
        out.extend_from_slice(even.as_bytes());
        return;
    }
    let abs = v.abs();
    let written = if abs != 0.0 && !(1e-6..1e21).contains(&abs) {
        // Go writes a sign and, for large exponents, no leading zero: 1e+21, 1e-7.
        let s = format!("{v:e}");
        let s = if s.contains("e-") { s } else { s.replace('e', "e+") };
        out.write_all(s.as_bytes())
    } else {
        write!(out, "{v}")
    };
    debug_assert!(written.is_ok(), "writing to memory does not fail");
}

/// Writes what serde can write, with strings and numbers as Go has them.
///
/// # Errors
/// The value says so, or a map's key is no string.
pub(crate) fn put_serde(
    out: &mut Vec<u8>,
    value: &(impl serde::Serialize + ?Sized),
) -> Result<(), serde_json::Error> {
    value.serialize(&mut serde_json::Serializer::with_formatter(out, AsGo))
}

/// Has serde write as Go does.
struct AsGo;

impl serde_json::ser::Formatter for AsGo {
    fn write_f64<W: ?Sized + io::Write>(&mut self, w: &mut W, v: f64) -> io::Result<()> {
        let mut out = Vec::new();
        put_f64(&mut out, v);
        w.write_all(&out)
    }
    fn write_f32<W: ?Sized + io::Write>(&mut self, w: &mut W, v: f32) -> io::Result<()> {
        let abs = v.abs();
        if abs != 0.0 && !(1e-6..1e21).contains(&abs) {
            let s = format!("{v:e}");
            let s = if s.contains("e-") { s } else { s.replace('e', "e+") };
            w.write_all(s.as_bytes())
        } else {
            write!(w, "{v}")
        }
    }
    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        w: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        // What JSON must escape is no part of a fragment; what HTML would take for its own is.
        if !fragment.bytes().any(|c| ESCAPED[c as usize]) {
            return w.write_all(fragment.as_bytes());
        }
        let mut out = Vec::new();
        put_escaped(&mut out, fragment);
        w.write_all(&out)
    }
}

/// The text of a number that lies in the middle between two shortest forms: Go takes the one that
/// ends in an even digit, where the standard library may take the other.
#[cold]
fn even_digits(v: f64) -> Option<String> {
    let shortest = format!("{v:e}");
    let (mantissa, exponent) = shortest.split_once('e')?;
    let last = mantissa.bytes().next_back()?;
    if mantissa.len() < 16 || last & 1 == 0 {
        return None;
    }
    let digits = mantissa.bytes().filter(u8::is_ascii_digit).count();
    // The exact value: a five and nothing behind the digit below.
    let exact = format!("{v:.*e}", digits + 30);
    let (exact, _) = exact.split_once('e')?;
    let below = format!("{}{}", &mantissa[..mantissa.len() - 1], (last - 1) as char);
    let rest = exact.strip_prefix(&below)?.strip_prefix('5')?;
    if rest.bytes().any(|b| b != b'0') {
        return None;
    }
    let even: f64 = format!("{below}e{exponent}").parse().ok()?;
    if even != v {
        return None;
    }
    // As text without the exponent, where Go writes none.
    let exponent: i32 = exponent.parse().ok()?;
    if !(-6..21).contains(&exponent) {
        let sign = if exponent < 0 { "" } else { "+" };
        return Some(format!("{below}e{sign}{exponent}"));
    }
    let sign = if v < 0.0 { "-" } else { "" };
    let all: String = below.chars().filter(char::is_ascii_digit).collect();
    let point = exponent + 1;
    Some(if point <= 0 {
        format!("{sign}0.{}{all}", "0".repeat(point.unsigned_abs() as usize))
    } else if (point as usize) < all.len() {
        format!("{sign}{}.{}", &all[..point as usize], &all[point as usize..])
    } else {
        format!("{sign}{all}{}", "0".repeat(point as usize - all.len()))
    })
}
