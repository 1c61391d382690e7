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
        Value::String(s) => text(s, out),
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

/// A text on one line.
fn text(s: &str, out: &mut String) {
    if !s.chars().all(is_printable) {
        return quoted(s, out);
    }
    if !matches!(resolve(s), Scalar::Text(_)) || is_base_60(s) {
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
