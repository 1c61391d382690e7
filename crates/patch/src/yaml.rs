//! Objects as Go's `sigs.k8s.io/yaml` writes them, for the message of a conflict.
//!
//! Written here and not by a library because the message is compared with Go's byte for byte:
//! the order of keys, the choice of quotes and where long lines are folded are this format's own.

use std::cmp::Ordering;
use std::fmt::Write as _;

use serde_json::{Map, Value};

/// Lines are folded at the first space beyond this column.
const WIDTH: usize = 80;

/// The YAML text of an object. Go: `mergepatch.ToYAMLOrError`.
pub(crate) fn print(object: &Map<String, Value>) -> String {
    let mut out = String::new();
    if object.is_empty() {
        out.push_str("{}\n");
    } else {
        write_members(&mut out, object, 0);
    }
    out
}

fn indent(out: &mut String, level: usize) {
    out.extend(std::iter::repeat_n("  ", level));
}

/// Members, the first of them where the line stands now.
fn write_members(out: &mut String, object: &Map<String, Value>, level: usize) {
    let mut members: Vec<_> = object.iter().collect();
    members.sort_by(|(a, _), (b, _)| natural(a, b));
    for (i, (key, value)) in members.into_iter().enumerate() {
        if i > 0 {
            indent(out, level);
        }
        write_string(out, key, level, true);
        out.push(':');
        match value {
            Value::Object(inner) if !inner.is_empty() => {
                out.push('\n');
                indent(out, level + 1);
                write_members(out, inner, level + 1);
            }
            // Lists in objects are not indented.
            Value::Array(items) if !items.is_empty() => {
                out.push('\n');
                indent(out, level);
                write_items(out, items, level);
            }
            scalar => {
                out.push(' ');
                write_scalar(out, scalar, level + 1);
                out.push('\n');
            }
        }
    }
}

fn write_items(out: &mut String, items: &[Value], level: usize) {
    for (i, item) in items.iter().enumerate() {
        if i > 0 {
            indent(out, level);
        }
        out.push_str("- ");
        match item {
            Value::Object(inner) if !inner.is_empty() => write_members(out, inner, level + 1),
            Value::Array(inner) if !inner.is_empty() => write_items(out, inner, level + 1),
            scalar => {
                write_scalar(out, scalar, level + 1);
                out.push('\n');
            }
        }
    }
}

fn write_scalar(out: &mut String, value: &Value, level: usize) {
    match value {
        Value::Null => out.push_str("null"),
        Value::String(text) => write_string(out, text, level, false),
        Value::Array(_) => out.push_str("[]"),
        Value::Object(_) => out.push_str("{}"),
        Value::Number(number) if number.is_f64() => {
            // Whole numbers lose their point on the way through JSON.
            let value = number.as_f64().unwrap_or_default();
            if value.fract() == 0.0 && value.abs() < 1e21 {
                let _ = write!(out, "{value:.0}");
            } else {
                out.push_str(&crate::go_print(&Value::from(value)));
            }
        }
        other => {
            let _ = write!(out, "{other}");
        }
    }
}

/// Order of keys in which numbers inside them count as numbers, and letters come last.
fn natural(a: &str, b: &str) -> Ordering {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let Some(at) = a.iter().zip(&b).position(|(a, b)| a != b) else { return a.len().cmp(&b.len()) };
    let (x, y) = (a[at], b[at]);
    match (x.is_alphabetic(), y.is_alphabetic()) {
        (true, true) => return x.cmp(&y),
        (true, false) => return Ordering::Greater,
        (false, true) => return Ordering::Less,
        (false, false) => {}
    }
    // Zeros after other digits are part of the number before them.
    let inside = (x == '0' || y == '0')
        && a[..at]
            .iter()
            .rev()
            .take_while(|digit| digit.is_ascii_digit())
            .any(|digit| *digit != '0');
    let number = |text: &[char]| {
        let digits = text.iter().take_while(|c| c.is_ascii_digit());
        digits.fold((i64::from(inside), 0), |(value, length), digit| {
            let digit = i64::from(u32::from(*digit) - u32::from('0'));
            (value.wrapping_mul(10).wrapping_add(digit), length + 1)
        })
    };
    number(&a[at..]).cmp(&number(&b[at..])).then(x.cmp(&y))
}

fn column(out: &str) -> usize {
    out[out.rfind('\n').map_or(0, |at| at + 1)..].chars().count()
}

fn printable(c: char) -> bool {
    matches!(c, '\n' | '\t' | ' '..='~' | '\u{85}' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}')
        && c != '\u{feff}'
}

fn is_break(c: char) -> bool {
    matches!(c, '\r' | '\n' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

fn write_string(out: &mut String, text: &str, level: usize, key: bool) {
    let breaks = text.contains(is_break);
    // Characters that only double quotes can show, and spaces before line breaks.
    let special = text.chars().any(|c| !printable(c))
        || text.chars().zip(text.chars().skip(1)).any(|(a, b)| a == ' ' && is_break(b));
    let spaced = text.starts_with(' ') || text.ends_with(' ');
    if text.contains('\n') && !key && !special && !text.ends_with(' ') {
        return write_literal(out, text, level);
    }
    if text.contains('\n') || special || breaks && key || !stays_text(text) {
        return write_double_quoted(out, text, level, key);
    }
    let folds = |out: &String, before: Option<char>, after: Option<char>| {
        !key && before != Some(' ') && after != Some(' ') && column(out) > WIDTH
    };
    let quoted = breaks || spaced || indicators(text);
    if quoted {
        out.push('\'');
    }
    let mut before = None;
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        let inner = !quoted || before.is_some() && rest.peek().is_some();
        if c == ' ' && inner && folds(out, before, rest.peek().copied()) {
            out.push('\n');
            indent(out, level);
        } else {
            if c == '\'' && quoted {
                out.push('\'');
            }
            out.push(c);
        }
        before = Some(c);
    }
    if quoted {
        out.push('\'');
    }
}

/// Whether a text would not be plain for what stands in it.
fn indicators(text: &str) -> bool {
    if text.starts_with("---") || text.starts_with("...") {
        return true;
    }
    let mut before = ' ';
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        let blank_after = rest.peek().is_none_or(|next| matches!(next, ' ' | '\t'));
        let indicates = match c {
            ':' => blank_after,
            '#' => matches!(before, ' ' | '\t'),
            _ => false,
        };
        if indicates {
            return true;
        }
        before = c;
    }
    let mut chars = text.chars();
    match chars.next() {
        Some(
            '#' | ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%'
            | '@' | '`',
        ) => true,
        Some('?' | ':' | '-') => chars.next().is_none_or(|next| matches!(next, ' ' | '\t')),
        _ => false,
    }
}

fn write_literal(out: &mut String, text: &str, level: usize) {
    out.push('|');
    if text.starts_with([' ', '\n']) {
        out.push('2');
    }
    match text.strip_suffix('\n') {
        None => out.push('-'),
        Some(rest) if rest.is_empty() || rest.ends_with('\n') => out.push('+'),
        Some(_) => {}
    }
    // The line break after the last line is written by the caller.
    for line in text.strip_suffix('\n').unwrap_or(text).split('\n') {
        out.push('\n');
        if !line.is_empty() {
            indent(out, level);
            out.push_str(line);
        }
    }
}

fn write_double_quoted(out: &mut String, text: &str, level: usize, key: bool) {
    out.push('"');
    let mut before = None;
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '"' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            '\0' => out.push_str("\\0"),
            '\x07' => out.push_str("\\a"),
            '\x08' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\x0b' => out.push_str("\\v"),
            '\x0c' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            '\x1b' => out.push_str("\\e"),
            '\u{85}' => out.push_str("\\N"),
            '\u{a0}' => out.push_str("\\_"),
            '\u{2028}' => out.push_str("\\L"),
            '\u{2029}' => out.push_str("\\P"),
            ' ' if !key
                && before.is_some_and(|before| before != ' ')
                && rest.peek().is_some()
                && column(out) > WIDTH =>
            {
                out.push('\n');
                indent(out, level);
                if rest.peek() == Some(&' ') {
                    out.push('\\');
                }
            }
            c if printable(c) => out.push(c),
            c if u32::from(c) <= 0xff => {
                let _ = write!(out, "\\x{:02X}", u32::from(c));
            }
            c if u32::from(c) <= 0xffff => {
                let _ = write!(out, "\\u{:04X}", u32::from(c));
            }
            c => {
                let _ = write!(out, "\\U{:08X}", u32::from(c));
            }
        }
        before = Some(c);
    }
    out.push('"');
}

/// Whether a plain text is read back as a text.
fn stays_text(text: &str) -> bool {
    const WORDS: [&str; 11] =
        ["", "~", "null", "true", "false", "yes", "no", "on", "off", "y", "n"];
    let lower = text.to_ascii_lowercase();
    let cased = text == lower
        || text == text.to_ascii_uppercase()
        || text[..1] == text[..1].to_ascii_uppercase() && text[1..] == lower[1..];
    if cased && WORDS.contains(&lower.as_str()) {
        return false;
    }
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if text == "<<"
        || matches!(text, ".nan" | ".NaN" | ".NAN")
        || matches!(unsigned, ".inf" | ".Inf" | ".INF")
    {
        return false;
    }
    !(is_number(text) || is_base_60(unsigned) || is_time(text))
}

fn is_number(text: &str) -> bool {
    if !text.starts_with(|c: char| matches!(c, '+' | '-' | '.' | '0'..='9')) {
        return false;
    }
    let plain = text.replace('_', "");
    let unsigned = plain.strip_prefix(['+', '-']).unwrap_or(&plain);
    let radix = |prefix: [&str; 2], radix: u32| {
        let digits = prefix.into_iter().find_map(|prefix| unsigned.strip_prefix(prefix));
        digits.is_some_and(|digits| {
            !digits.starts_with(['+', '-']) && u64::from_str_radix(digits, radix).is_ok()
        })
    };
    if radix(["0x", "0X"], 16) || radix(["0o", "0O"], 8) || radix(["0b", "0B"], 2) {
        return true;
    }
    // Digits, a point, digits, an exponent with a sign.
    let (mantissa, exponent) =
        unsigned.split_once(['e', 'E']).map_or((unsigned, None), |(m, e)| (m, Some(e)));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, part) = mantissa.split_once('.').map_or((mantissa, None), |(w, p)| (w, Some(p)));
    let mantissa = match part {
        Some(part) => digits(whole) && digits(part) && !part.is_empty(),
        None => digits(whole) && !whole.is_empty(),
    };
    mantissa
        && exponent.is_none_or(|exponent| {
            let digits_of = exponent.strip_prefix(['+', '-']);
            digits_of.is_some_and(|text| !text.is_empty() && digits(text))
        })
}

/// `1:30`, a number of base 60.
fn is_base_60(text: &str) -> bool {
    let (text, part) = text.split_once('.').unwrap_or((text, ""));
    let mut groups = text.split(':');
    let first = groups.next().unwrap_or_default();
    let group = |text: &str| matches!(text.as_bytes(), [b'0'..=b'9'] | [b'0'..=b'5', b'0'..=b'9']);
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_');
    first.starts_with(|c: char| c.is_ascii_digit())
        && digits(first)
        && digits(part)
        && text.contains(':')
        && groups.all(group)
}

/// `2026-01-31`, alone or with a time of day.
fn is_time(text: &str) -> bool {
    let mut parts = text.splitn(3, '-');
    let (Some(year), Some(month), Some(rest)) = (parts.next(), parts.next(), parts.next()) else {
        return false;
    };
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    let (day, clock) = rest.split_at(end);
    let within = |text: &str, low: u32, high: u32, longest: usize| {
        (1..=longest).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_digit())
            && text.parse().is_ok_and(|number: u32| (low..=high).contains(&number))
    };
    if year.len() != 4 || !within(year, 0, 9999, 4) || !within(month, 1, 12, 2) {
        return false;
    }
    let leap = year.parse().is_ok_and(|y: u32| y % 4 == 0 && (y % 100 != 0 || y % 400 == 0));
    let days = match month.trim_start_matches('0') {
        "2" => 28 + u32::from(leap),
        "4" | "6" | "9" | "11" => 30,
        _ => 31,
    };
    if !within(day, 1, days, 2) {
        return false;
    }
    let Some(separator) = clock.chars().next() else { return true };
    let clock = &clock[separator.len_utf8()..];
    // A zone is part of the forms with a T, and of those only.
    let clock = match separator {
        ' ' => clock,
        'T' | 't' => {
            let zone = clock.find(['Z', '+', '-']);
            let Some((clock, zone)) = zone.map(|at| clock.split_at(at)) else { return false };
            let offset = zone[1..].split_once(':').is_some_and(|(hours, minutes)| {
                hours.len() == 2
                    && minutes.len() == 2
                    && within(hours, 0, 24, 2)
                    && within(minutes, 0, 60, 2)
            });
            if zone != "Z" && (zone.starts_with('Z') || !offset) {
                return false;
            }
            clock
        }
        _ => return false,
    };
    let mut parts = clock.split(':');
    let (hour, minute, second) = (parts.next(), parts.next(), parts.next());
    let (Some(hour), Some(minute), Some(second), None) = (hour, minute, second, parts.next())
    else {
        return false;
    };
    let (second, part) = second.split_once(['.', ',']).unwrap_or((second, "0"));
    within(hour, 0, 23, 2)
        && within(minute, 0, 59, 2)
        && within(second, 0, 59, 2)
        && !part.is_empty()
        && part.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn check(value: Value, expect: &str) {
        let Value::Object(object) = value else { panic!("an object") };
        assert_eq!(print(&object), expect);
    }

    #[test]
    fn layout() {
        check(json!({}), "{}\n");
        check(
            json!({"b": [1, {"y": null, "x": [[], [2.5, 3.0]]}], "a10": {}, "a9": {"c": true}}),
            "a9:\n  c: true\na10: {}\nb:\n- 1\n- x:\n  - []\n  - - 2.5\n    - 3\n  \"y\": null\n",
        );
    }

    #[test]
    fn strings() {
        for (text, expect) in [
            ("plain text", "plain text"),
            ("", "\"\""),
            ("yes", "\"yes\""),
            ("12", "\"12\""),
            ("1:30", "\"1:30\""),
            ("2026-01-31", "\"2026-01-31\""),
            ("1.2.3", "1.2.3"),
            ("a: b", "'a: b'"),
            ("- x", "'- x'"),
            ("it's #1", "'it''s #1'"),
            (" x", "' x'"),
            ("a:b#c", "a:b#c"),
            ("one\ntwo", "|-\n  one\n  two"),
            ("one\n", "|\n  one"),
            ("tab\u{1}", "\"tab\\x01\""),
        ] {
            let mut object = Map::new();
            object.insert("k".to_owned(), text.into());
            assert_eq!(print(&object), format!("k: {expect}\n"), "{text:?}");
        }
    }
}
