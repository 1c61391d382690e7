//! Writing YAML: blocks, members sorted, strings quoted where they would be read as something
//! else, as `sigs.k8s.io/yaml` does.
use super::value::shortest;
use super::value::{Scalar, resolve};
use serde_json::Value;

/// Appends a document.
pub(super) fn document(v: &Value, out: &mut String) {
    if is_block(v) {
        block(v, 0, false, out);
    } else {
        scalar(v, 2, out);
        out.push('\n');
    }
}

/// Whether a value has lines of its own.
fn is_block(v: &Value) -> bool {
    match v {
        Value::Object(o) => !o.is_empty(),
        Value::Array(a) => !a.is_empty(),
        _ => false,
    }
}

fn indent(n: usize, out: &mut String) {
    out.extend(std::iter::repeat_n(' ', n));
}

/// A mapping or sequence, from a new line on; `inline` when the first line is begun.
fn block(v: &Value, depth: usize, inline: bool, out: &mut String) {
    let mut begun = inline;
    let mut start = |out: &mut String| {
        if !std::mem::take(&mut begun) {
            indent(depth, out);
        }
    };
    match v {
        Value::Object(o) => {
            let mut members: Vec<_> = o.iter().collect();
            members.sort_unstable_by(|a, b| a.0.cmp(b.0));
            for (name, v) in members {
                start(out);
                key(name, depth, out);
                if is_block(v) {
                    out.push('\n');
                    // Sequences stand below their key, not to the right of it.
                    let deeper = if v.is_array() { depth } else { depth + 2 };
                    block(v, deeper, false, out);
                } else {
                    out.push(' ');
                    scalar(v, depth + 2, out);
                    out.push('\n');
                }
            }
        }
        Value::Array(a) => {
            for v in a {
                start(out);
                out.push_str("- ");
                if is_block(v) {
                    block(v, depth + 2, true, out);
                } else {
                    scalar(v, depth + 2, out);
                    out.push('\n');
                }
            }
        }
        _ => {}
    }
}

fn key(name: &str, depth: usize, out: &mut String) {
    // Longer ones cannot be simple keys.
    if name.len() > 120 || name.contains('\n') {
        out.push_str("? ");
        quoted(name, out);
        out.push('\n');
        indent(depth, out);
    } else {
        text(name, out);
    }
    out.push(':');
}

fn scalar(v: &Value, depth: usize, out: &mut String) {
    match v {
        Value::Null => out.push_str("null"),
        Value::Bool(b) => out.push_str(if *b { "true" } else { "false" }),
        Value::Number(n) => match n.as_f64() {
            // Digits without a point would be a whole number, and one too large for readers.
            Some(f) if n.is_f64() => out.push_str(&shortest(&format!("{f:e}"), &f.to_string())),
            _ => out.push_str(&n.to_string()),
        },
        Value::String(s) if is_literal(s) => literal(s, depth, out),
        Value::String(s) => folded(s, depth, out),
        Value::Array(_) => out.push_str("[]"),
        Value::Object(_) => out.push_str("{}"),
    }
}

/// Whether a text of several lines can stand as it is.
fn is_literal(s: &str) -> bool {
    s.contains('\n')
        && !s.starts_with([' ', '\n', '\t'])
        && s.chars().all(|c| c == '\n' || is_printable(c))
        && !s.trim_end_matches('\n').is_empty()
}

fn literal(s: &str, depth: usize, out: &mut String) {
    let body = s.trim_end_matches('\n');
    let breaks = s.len() - body.len();
    out.push_str(match breaks {
        0 => "|-",
        1 => "|",
        _ => "|+",
    });
    for line in body.split('\n') {
        out.push('\n');
        if !line.is_empty() {
            indent(depth, out);
            out.push_str(line);
        }
    }
    out.extend(std::iter::repeat_n('\n', breaks.saturating_sub(1)));
}

fn is_printable(c: char) -> bool {
    matches!(c, ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fefe}' | '\u{ff00}'..='\u{fffd}' | '\u{10000}'..)
        && !matches!(c, '\u{2028}' | '\u{2029}')
}

/// Lines are folded at the first single space after so many columns.
const WIDTH: usize = 80;

/// A text that is no key: long lines are folded, and go on `depth` columns to the right.
fn folded(s: &str, depth: usize, out: &mut String) {
    let start = out.len();
    text(s, out);
    let column = out[..start].rsplit('\n').next().unwrap_or_default().chars().count();
    if column + out.len() - start <= WIDTH {
        return;
    }
    let whole = out.split_off(start);
    // Inside double quotes a space that begins a line is written with a backslash.
    let escapes = whole.starts_with('"');
    let marks = usize::from(whole.starts_with(['"', '\'']));
    let chars: Vec<char> = whole.chars().collect();
    let last = chars.len() - marks;
    let (mut column, mut after_space) = (column, false);
    for (at, c) in chars.iter().copied().enumerate() {
        let next = chars.get(at + 1).copied();
        let inside = at > marks && at + 1 < last;
        if c == ' ' && !after_space && inside && column > WIDTH && (escapes || next != Some(' ')) {
            out.push('\n');
            indent(depth, out);
            column = depth;
            if escapes && next == Some(' ') {
                out.push('\\');
                column += 1;
            }
        } else {
            out.push(c);
            column += 1;
        }
        after_space = c == ' ';
    }
}

/// Whether readers of YAML 1.1 take a text for a time: a date, alone or with a time of day.
fn is_timestamp(s: &str) -> bool {
    fn number(s: &str, least: usize, most: usize) -> Option<(u32, &str)> {
        let digits = s.bytes().take_while(u8::is_ascii_digit).count().min(most);
        let (number, rest) = s.split_at(digits);
        (digits >= least).then_some((number.parse().ok()?, rest))
    }
    fn date(s: &str) -> Option<&str> {
        let (year, rest) = number(s, 4, 4)?;
        let (month, rest) = number(rest.strip_prefix('-')?, 1, 2)?;
        let (day, rest) = number(rest.strip_prefix('-')?, 1, 2)?;
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let days = match month {
            2 if leap => 29,
            2 => 28,
            4 | 6 | 9 | 11 => 30,
            1..=12 => 31,
            _ => return None,
        };
        (1..=days).contains(&day).then_some(rest)
    }
    fn clock(s: &str) -> Option<&str> {
        let (hour, rest) = number(s, 1, 2)?;
        let (minute, rest) = number(rest.strip_prefix(':')?, 1, 2)?;
        let (second, rest) = number(rest.strip_prefix(':')?, 1, 2)?;
        let rest = match rest.strip_prefix(['.', ',']) {
            Some(fraction) => number(fraction, 1, 9)?.1,
            None => rest,
        };
        (hour < 24 && minute < 60 && second < 60).then_some(rest)
    }
    fn zone(s: &str) -> Option<&str> {
        if let Some(rest) = s.strip_prefix('Z') {
            return Some(rest);
        }
        let (hour, rest) = number(s.strip_prefix(['+', '-'])?, 2, 2)?;
        let (minute, rest) = number(rest.strip_prefix(':')?, 2, 2)?;
        (hour <= 24 && minute < 60).then_some(rest)
    }
    let whole = date(s).and_then(|rest| match rest.chars().next() {
        None => Some(rest),
        Some('T' | 't') => zone(clock(&rest[1..])?),
        Some(' ') => clock(&rest[1..]),
        _ => None,
    });
    whole == Some("")
}

/// A text on one line.
fn text(s: &str, out: &mut String) {
    if !s.chars().all(is_printable) {
        return quoted(s, out);
    }
    if !matches!(resolve(s), Scalar::Text(_)) || is_base_60(s) || is_timestamp(s) {
        return quoted(s, out);
    }
    let first = s.chars().next().unwrap_or(' ');
    let plain = !s.starts_with(' ')
        && !s.ends_with(' ')
        && !"#,[]{}&*!|>'\"%@`=".contains(first)
        && !(matches!(first, '-' | '?' | ':') && (s.len() == 1 || s[1..].starts_with(' ')))
        && !s.contains(": ")
        && !s.contains(" #")
        && !s.ends_with(':')
        && !s.starts_with("---")
        && !s.starts_with("...")
        && s != "<<";
    if plain {
        out.push_str(s);
    } else {
        out.push('\'');
        out.push_str(&s.replace('\'', "''"));
        out.push('\'');
    }
}

/// Whether other readers of YAML 1.1 would take a text for a number of base 60.
fn is_base_60(s: &str) -> bool {
    s.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-'))
        && s.contains(':')
        && s.chars().skip(1).all(|c| c.is_ascii_digit() || matches!(c, ':' | '_' | '.'))
}

fn quoted(s: &str, out: &mut String) {
    use std::fmt::Write;
    out.push('"');
    for c in s.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if is_printable(c) => out.push(c),
            c => {
                // Writing to a string does not fail.
                let code = u32::from(c);
                let _ = match code {
                    0..=0xff => write!(out, "\\x{code:02X}"),
                    0x100..=0xffff => write!(out, "\\u{code:04X}"),
                    _ => write!(out, "\\U{code:08X}"),
                };
            }
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn yaml(value: Value) -> String {
        let mut out = String::new();
        document(&value, &mut out);
        out
    }

    #[test]
    fn times_are_quoted() {
        for text in ["2026-01-02T03:04:05Z", "2026-1-2", "2026-01-02 03:04:05.5"] {
            assert_eq!(yaml(json!({"t": text})), format!("t: \"{text}\"\n"));
        }
        for text in ["2026-13-02", "2026-02-30", "2026-01-02T03:04:05", "2026-01-02x"] {
            assert_eq!(yaml(json!({"t": text})), format!("t: {text}\n"));
        }
    }

    #[test]
    fn long_lines_are_folded() {
        let words = "word ".repeat(18);
        let words = words.trim_end();
        let folded = yaml(json!({"a": words}));
        assert_eq!(folded, format!("a: {}\n  word word\n", &words[..16 * 5 - 1]));
        let colon = format!("a: {words}");
        let folded = yaml(json!([colon]));
        assert!(
            folded.starts_with("- 'a: word") && folded.contains("word\n  word word'"),
            "{folded}"
        );
    }
}
