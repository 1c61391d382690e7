//! Takes out of a text what differs between two runs: names of namespaces, versions, times, ages,
//! addresses.

/// The text without what differs by run.
pub(crate) fn normalise(text: &str, space: &str) -> String {
    let text = text.replace(space, "NS");
    let mut changed = false;
    let lines: Vec<String> = text
        .split('\n')
        .filter(|line| !is_anothers_group(line))
        .map(|line| {
            let line = without_log_head(line);
            let (line, here) = self::line(&long_times(line));
            changed |= here;
            line
        })
        .collect();
    if changed {
        // Columns are as wide as what is in them.
        return lines.iter().map(|line| collapse(line)).collect::<Vec<_>>().join("\n");
    }
    lines.join("\n")
}

/// Whether a line is the group of a scenario that runs beside this one, of all that a server has.
fn is_anothers_group(line: &str) -> bool {
    line.starts_with("s-") && line.contains(".example.com/")
}

/// Leaves out the time and process of a line of klog.
fn without_log_head(line: &str) -> &str {
    let bytes = line.as_bytes();
    let log = bytes.len() > 5
        && matches!(bytes[0], b'I' | b'W' | b'E')
        && bytes[1..5].iter().all(u8::is_ascii_digit)
        && bytes[5] == b' ';
    match line.find(".go:") {
        Some(at) if log => line[..at].rfind(' ').map_or(line, |start| &line[start + 1..]),
        _ => line,
    }
}

/// Takes out times of more than one word: `Tue, 24 Nov 2026 01:42:37 +0000` and
/// `2026-11-24 01:42:02.9 +0000`.
fn long_times(line: &str) -> String {
    const DAYS: [&str; 7] = ["Mon, ", "Tue, ", "Wed, ", "Thu, ", "Fri, ", "Sat, ", "Sun, "];
    let Some(end) = line.find(" +0000") else { return line.to_owned() };
    let day = DAYS.iter().filter_map(|day| line[..end].rfind(day)).max();
    let start = day.or_else(|| line[..end].rfind('\t').map(|tab| tab + 1));
    match start {
        Some(start) => format!("{}TIME{}", &line[..start], &line[end + " +0000".len()..]),
        None => line.to_owned(),
    }
}

fn line(line: &str) -> (String, bool) {
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
    (out, changed)
}

fn is_part(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | ':' | '+' | '_')
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
    } else if core.starts_with("10.0.") || core.starts_with("10.96.") {
        "IP"
    } else if let Some((port, node)) = core.split_once(':')
        && digits(port)
        && is_node_port(node)
    {
        return Some(format!("{port}:NODEPORT{tail}"));
    } else if is_node_port(core) {
        "NODEPORT"
    } else if core.len() == 64 && core.bytes().all(|b| b.is_ascii_hexdigit()) {
        "HASH"
    } else if core.starts_with("LIVE-") || core.starts_with("MERGED-") {
        return Some(core.split('-').next().unwrap_or_default().to_owned() + tail);
    } else if core.starts_with("kubectl-edit-") {
        "FILE"
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

/// Services get theirs at random.
fn is_node_port(text: &str) -> bool {
    text.len() == 5 && text.parse().is_ok_and(|port: u32| (30_000..32_768).contains(&port))
}

fn is_local(text: &str) -> bool {
    text.starts_with("127.0.0.1:") || text.starts_with("localhost:")
}

/// The line with no more than two spaces at a place, but for its depth.
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
        check("NAME      AGE\na     5s", "NAME  AGE\na  AGE");
        check("  uid: 01234567-89ab-cdef-0123-456789abcdef", "  uid: UID");
        check("resourceVersion: \"123\"", "resourceVersion: \"VERSION\"");
        check("at https://127.0.0.1:4321 in s-x-new", "at https://ADDRESS in NS");
        check("time: 2026-01-01T00:00:00Z", "time: TIME");
        check("port 80 of a1b2", "port 80 of a1b2");
        check("W1124 01:42:07.112866   25319 prune.go:71] x", "prune.go:71] x");
        check("Created:  Tue, 24 Nov 2026 01:42:37 +0000", "Created:  TIME");
        check("80:31543/TCP", "80:NODEPORT/TCP");
        check("LIVE-742234721/v1.ConfigMap", "LIVE/v1.ConfigMap");
        check("s-x-new.example.com/v1\ns-y-old.example.com/v1\nv1", "NS.example.com/v1\nv1");
    }
}
