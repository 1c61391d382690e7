//! Paths: where a decoding error lies in JSON text, and the JSON paths of printer columns.

/// The path of the value at, or just before, byte `end` of `text`.
pub(super) fn path_at(root: &str, text: &str, end: usize) -> String {
    enum Step {
        Key(String),
        Index(usize),
    }
    let bytes = &text.as_bytes()[..end.min(text.len())];
    let mut steps: Vec<Step> = Vec::new();
    let mut expects_key = false;
    let mut i = 0;
    while i < bytes.len() {
        match bytes[i] {
            b'"' => {
                let start = i + 1;
                i = start;
                while i < bytes.len() && bytes[i] != b'"' {
                    i += if bytes[i] == b'\\' { 2 } else { 1 };
                }
                if let (true, Some(Step::Key(key))) = (expects_key, steps.last_mut()) {
                    *key = text.get(start..i.min(bytes.len())).unwrap_or_default().to_owned();
                    expects_key = false;
                }
            }
            b'{' => {
                steps.push(Step::Key(String::new()));
                expects_key = true;
            }
            b'[' => steps.push(Step::Index(0)),
            b'}' | b']' => {
                steps.pop();
                expects_key = false;
            }
            b',' => match steps.last_mut() {
                Some(Step::Key(_)) => expects_key = true,
                Some(Step::Index(n)) => *n += 1,
                None => {}
            },
            _ => {}
        }
        i += 1;
    }
    if matches!(bytes.last(), Some(b'{' | b'[')) {
        steps.pop(); // the value that begins here is the wrong one, not what is in it
    }
    let mut path = root.to_owned();
    for step in steps {
        match step {
            Step::Key(key) if key.is_empty() => {}
            Step::Key(key) => {
                path.push('.');
                path.push_str(&key);
            }
            Step::Index(n) => path.push_str(&format!("[{n}]")),
        }
    }
    path
}

/// A step of a JSON path.
#[derive(Debug, PartialEq)]
pub(super) enum Step {
    /// A member.
    Field(String),
    /// One element, several, or those that a filter picks.
    Element,
}

/// The steps of a JSON path such as `.status.conditions[?(@.type=="Ready")].status`; `None` when
/// it is not one, or searches at any depth (`..`).
pub(super) fn steps(json_path: &str) -> Option<Vec<Step>> {
    let mut steps = Vec::new();
    let mut rest = json_path;
    while !rest.is_empty() {
        if let Some(name) = rest.strip_prefix('.') {
            let mut field = String::new();
            let mut chars = name.char_indices();
            let mut end = name.len();
            while let Some((at, c)) = chars.next() {
                match c {
                    '\\' => field.push(chars.next()?.1),
                    '.' | '[' => {
                        end = at;
                        break;
                    }
                    c => field.push(c),
                }
            }
            if field.is_empty() {
                return None;
            }
            steps.push(if field == "*" { Step::Element } else { Step::Field(field) });
            rest = &name[end..];
        } else {
            let inner = rest.strip_prefix('[')?;
            let end = bracket_end(inner)?;
            steps.push(match inner[..end].trim().as_bytes() {
                [q @ (b'\'' | b'"'), name @ .., last] if q == last => {
                    Step::Field(String::from_utf8_lossy(name).replace('\\', ""))
                }
                _ => Step::Element,
            });
            rest = &inner[end + 1..];
        }
    }
    Some(steps)
}

/// Where the bracket closes.
fn bracket_end(inner: &str) -> Option<usize> {
    let (mut depth, mut quote) = (0, None);
    for (at, c) in inner.char_indices() {
        match (quote, c) {
            (Some(q), c) if q == c => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(c),
            (None, '[') => depth += 1,
            (None, ']') if depth == 0 => return Some(at),
            (None, ']') => depth -= 1,
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places() {
        let text = r#"{"a":1,"list":[{"x":"y,[{"},{"deep":{"k":7}}],"z":null}"#;
        for (before, expect) in [
            ("1", "spec.a"),
            ("\"y,[{\"", "spec.list[0].x"),
            ("7", "spec.list[1].deep.k"),
            ("\"deep\":{", "spec.list[1].deep"),
            ("null", "spec.z"),
            ("7}", "spec.list[1].deep"),
        ] {
            let end = text.find(before).unwrap() + before.len();
            assert_eq!(path_at("spec", text, end), expect, "{before}");
        }
        assert_eq!(path_at("spec", text, text.len()), "spec");
        assert_eq!(path_at("spec", text, usize::MAX), "spec");
    }

    #[test]
    fn json_paths() {
        let fields = |p: &str| {
            steps(p).map(|s| {
                s.iter()
                    .map(|s| match s {
                        Step::Field(f) => f.clone(),
                        Step::Element => "[]".into(),
                    })
                    .collect::<Vec<_>>()
                    .join("/")
            })
        };
        assert_eq!(fields(".spec.replicas").as_deref(), Some("spec/replicas"));
        assert_eq!(
            fields(r#".status.conditions[?(@.type=="a]b")].status"#).as_deref(),
            Some("status/conditions/[]/status")
        );
        assert_eq!(fields(".a['b.c'].d").as_deref(), Some("a/b.c/d"));
        assert_eq!(fields(r".a.b\.c").as_deref(), Some("a/b.c"));
        assert_eq!(fields(".a..b"), None);
        assert_eq!(fields("spec"), None);
        assert_eq!(fields(".a[0"), None);
        assert_eq!(fields(".a\\"), None);
    }
}
