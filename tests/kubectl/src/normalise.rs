//! Takes out of a text what differs between two runs: names of namespaces, versions, times, ages,
//! addresses.

/// The text without what differs by run.
pub(crate) fn normalise(text: &str, space: &str) -> String {
    let text = text.replace(space, "NS");
    let mut out = String::new();
    for line in text.split_inclusive('\n') {
        let (line, end) = match line.strip_suffix('\n') {
            Some(line) => (line, "\n"),
            None => (line, ""),
        };
        out += &self::line(line);
        out += end;
    }
    out
}

fn line(line: &str) -> String {
    let mut out = String::new();
    let mut changed = false;
    let mut rest = line;
    while let Some(first) = rest.chars().next() {
        let inside = first.is_ascii_alphanumeric();
        let end = rest.find(|c| is_part(c) != is_part(first)).unwrap_or(rest.len());
        let end = if inside || is_part(first) { end } else { first.len_utf8() };
        let (token, after) = rest.split_at(end.max(first.len_utf8()));
        match stand_in(token, &out) {
            Some(other) => {
                out += &other;
                changed = true;
            }
            None => out += token,
        }
        rest = after;
    }
    if changed { collapse(&out) } else { out }
}

fn is_part(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | ':' | '+')
}

/// What is written for a token that differs by run; `before` is the line up to it.
fn stand_in(token: &str, before: &str) -> Option<String> {
    let core = token.trim_end_matches([':', '.']);
    let tail = &token[core.len()..];
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let word = if is_uuid(core) {
        "UID"
    } else if is_time(core) {
        "TIME"
    } else if is_age(core) {
        "AGE"
    } else if is_local(core) {
        "ADDRESS"
    } else if core.starts_with("10.0.0.") || core.starts_with("10.96.") {
        "IP"
    } else if digits(core) && version_follows(before) {
        "VERSION"
    } else if core.starts_with("eyJ") {
        "TOKEN"
    } else {
        return None;
    };
    Some(format!("{word}{tail}"))
}

fn version_follows(before: &str) -> bool {
    let before = before.trim_end_matches([' ', '"', '\'', ':']).to_ascii_lowercase();
    before.ends_with("resourceversion") || before.ends_with("resource version")
}

fn is_uuid(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let hex = |part: &&str| part.bytes().all(|b| b.is_ascii_hexdigit());
    parts.iter().map(|p| p.len()).eq([8, 4, 4, 4, 12]) && parts.iter().all(hex)
}

/// `2026-11-24T00:00:00Z`, with or without a fraction.
fn is_time(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() >= 20
        && bytes[4] == b'-'
        && bytes[10] == b'T'
        && bytes[..4].iter().all(u8::is_ascii_digit)
        && text.ends_with('Z')
}

/// `5s`, `2m3s`.
fn is_age(text: &str) -> bool {
    let mut number = false;
    let fits = text.chars().all(|c| match c {
        '0'..='9' => {
            number = true;
            true
        }
        's' | 'm' | 'h' | 'd' | 'y' => std::mem::take(&mut number),
        _ => false,
    });
    fits && !number && !text.is_empty()
}

fn is_local(text: &str) -> bool {
    text.starts_with("127.0.0.1:") || text.starts_with("localhost:")
}

/// Columns are as wide as what is in them.
fn collapse(line: &str) -> String {
    let mut out = String::new();
    let mut spaces = 0;
    for c in line.chars() {
        if c == ' ' {
            spaces += 1;
            // The beginning of a line is its depth.
            if spaces <= 2 || out.trim().is_empty() {
                out.push(c);
            }
        } else {
            spaces = 0;
            out.push(c);
        }
    }
    out.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expect: &str) {
        assert_eq!(normalise(text, "s-x-new"), expect);
    }

    #[test]
    fn what_differs_is_taken_out() {
        check("a   1/1     5s    x\n", "a  1/1  AGE  x\n");
        check("a   1/1     x\n", "a   1/1     x\n");
        check("  uid: 01234567-89ab-cdef-0123-456789abcdef", "  uid: UID");
        check("resourceVersion: \"123\"", "resourceVersion: \"VERSION\"");
        check("at https://127.0.0.1:4321 in s-x-new", "at https://ADDRESS in NS");
        check("time: 2026-01-01T00:00:00Z", "time: TIME");
        check("port 80 of a1b2", "port 80 of a1b2");
    }
}
