//! Names and paths as a server would check them, with what to write instead.

type Check = Result<(), String>;

/// A label of DNS: `foos`. Go: `IsDNS1035Label`.
pub(crate) fn label(what: &str, s: &str) -> Check {
    let right = s.len() <= 63
        && s.starts_with(|c: char| c.is_ascii_lowercase())
        && !s.ends_with('-')
        && s.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if right {
        return Ok(());
    }
    let fixed: String = s
        .chars()
        .map(|c| if c == '_' || c == ' ' { '-' } else { c.to_ascii_lowercase() })
        .filter(|c| c.is_ascii_alphanumeric() || *c == '-')
        .collect();
    let fixed = fixed.trim_start_matches(|c: char| !c.is_ascii_lowercase()).trim_end_matches('-');
    let hint = if fixed.is_empty() || fixed.len() > 63 {
        String::new()
    } else {
        format!(", as in {fixed:?}")
    };
    Err(format!(
        "{what} {s:?} must be lower case letters, digits and dashes, beginning with a letter{hint}"
    ))
}

/// A group: `example.com`.
pub(crate) fn group(s: &str) -> Check {
    let segment = |s: &str| {
        !s.is_empty()
            && s.len() <= 63
            && !s.starts_with('-')
            && !s.ends_with('-')
            && s.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    if s.len() <= 253 && s.contains('.') && s.split('.').all(segment) {
        return Ok(());
    }
    Err(format!(
        "group {s:?} must be a domain in lower case with a dot in it, as in \"example.com\""
    ))
}

/// A version: `v1`, `v1beta2`.
pub(crate) fn version(s: &str) -> Check {
    let number =
        |s: &str| !s.is_empty() && !s.starts_with('0') && s.bytes().all(|b| b.is_ascii_digit());
    let right = s.strip_prefix('v').is_some_and(|rest| {
        ["alpha", "beta"]
            .iter()
            .find_map(|stage| rest.split_once(stage))
            .map_or_else(|| number(rest), |(major, minor)| number(major) && number(minor))
    });
    if right && s.len() <= 63 {
        return Ok(());
    }
    Err(format!("version {s:?} must be like \"v1\", \"v1beta1\" or \"v1alpha1\""))
}

/// A kind: `Foo`.
pub(crate) fn kind(what: &str, s: &str) -> Check {
    let right = s.len() <= 63
        && s.starts_with(|c: char| c.is_ascii_uppercase())
        && s.bytes().all(|b| b.is_ascii_alphanumeric());
    if right {
        return Ok(());
    }
    Err(format!("{what} {s:?} must be letters and digits, beginning with a capital, as in \"Foo\""))
}

/// A JSON path: `.spec.replicas`, `.status.conditions[?(@.type=="Ready")].status`.
pub(crate) fn json_path(s: &str) -> Check {
    let wrong =
        |why: &str| Err(format!("JSON path {s:?} {why}; write it as in \".spec.replicas\""));
    if s.contains(['{', '}']) {
        return wrong("has braces, which belong to kubectl's templates");
    }
    if !s.starts_with('.') || s.len() == 1 {
        return wrong("must begin with a dot and a field");
    }
    let (mut depth, mut quote, mut before) = (0usize, None, ' ');
    for c in s.chars() {
        match (quote, c) {
            (Some(q), c) if c == q && before != '\\' => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') if depth > 0 => quote = Some(c),
            (None, '\'' | '"' | ' ') if depth == 0 => {
                return wrong("has quotes or blanks outside of brackets");
            }
            (None, '[') if depth == 0 && before == '.' => {
                return wrong("has a dot before a bracket");
            }
            (None, '[' | '(') => depth += 1,
            (None, ']' | ')') if depth == 0 => return wrong("has a bracket that was not opened"),
            (None, ']' | ')') => depth -= 1,
            _ => {}
        }
        before = c;
    }
    if depth > 0 || quote.is_some() {
        return wrong("has a bracket or quote that is not closed");
    }
    if s.ends_with('.') {
        return wrong("ends with a dot");
    }
    Ok(())
}

/// A JSON path of a scale subresource or selectable field: fields alone, under one of `roots`.
pub(crate) fn field_path(s: &str, roots: &[&str]) -> Check {
    let segment = |f: &str| {
        !f.is_empty() && f.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
    };
    let under = roots.iter().any(|r| s.strip_prefix(r).is_some_and(|rest| rest.starts_with('.')));
    if under && s[1..].split('.').all(segment) {
        return Ok(());
    }
    let examples: Vec<String> = roots.iter().map(|r| format!("\"{r}.replicas\"")).collect();
    Err(format!(
        "JSON path {s:?} must name a field without brackets, as in {}",
        examples.join(" or ")
    ))
}

/// One of a few words.
pub(crate) fn one_of(what: &str, s: &str, allowed: &[&str]) -> Check {
    if allowed.contains(&s) {
        return Ok(());
    }
    Err(format!("{what} {s:?} must be one of: {}", allowed.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions() {
        for v in ["v1", "v10", "v1alpha1", "v2beta12"] {
            assert_eq!(version(v), Ok(()), "{v}");
        }
        for v in [
            "", "1", "v", "v0", "v1alpha", "v1alpha0", "v1gamma1", "V1", "v1.2", "valpha1",
            "v1beta1x",
        ] {
            assert!(version(v).is_err(), "{v}");
        }
    }

    #[test]
    fn groups_and_names() {
        for g in ["example.com", "a.b-c.io", "1x.y"] {
            assert_eq!(group(g), Ok(()), "{g}");
        }
        for g in ["", "example", "Example.com", "a..b", "a.", ".a", "-a.b", "a b.c"] {
            assert!(group(g).is_err(), "{g}");
        }
        assert_eq!(label("plural", "foos"), Ok(()));
        assert!(label("plural", "My_Foos").unwrap_err().ends_with("as in \"my-foos\""));
        assert!(label("plural", "7").unwrap_err().ends_with("a letter"));
        assert!(kind("kind", "foo").is_err() && kind("kind", "Foo-Bar").is_err());
        assert_eq!(kind("kind", "HTTPRoute2"), Ok(()));
    }

    #[test]
    fn json_paths() {
        for p in [
            ".spec",
            ".spec.replicas",
            ".a['b c'].d[0]",
            r#".status.conditions[?(@.type=="Ready")].status"#,
            ".a[*].b",
            r".metadata.annotations.example\.com/x",
        ] {
            assert_eq!(json_path(p), Ok(()), "{p}");
        }
        for p in ["", ".", "spec", "{.spec}", ".a[0", ".a]", ".a.[0]", ".a b", ".a['x]", ".a."] {
            assert!(json_path(p).is_err(), "{p}");
        }
        assert_eq!(field_path(".spec.replicas", &[".spec"]), Ok(()));
        for p in ["spec.replicas", ".spec", ".specs.x", ".status.x", ".spec.a[0]", ".spec..a"] {
            assert!(field_path(p, &[".spec"]).is_err(), "{p}");
        }
    }
}
