//! Paths of API requests, and percent encoding (Go: `rest.Request` path building).

/// Whether a byte may stand for itself in a path segment or a query value.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

fn push_encoded(out: &mut String, byte: u8) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    out.push('%');
    out.push(char::from(HEX[usize::from(byte >> 4)]));
    out.push(char::from(HEX[usize::from(byte & 15)]));
}

/// Appends a path segment; `:` and a few others of RFC 3986 stay as they are.
pub(crate) fn push_segment(out: &mut String, segment: &str) {
    for byte in segment.bytes() {
        if is_plain(byte)
            || matches!(
                byte,
                b':' | b'@'
                    | b'!'
                    | b'$'
                    | b'&'
                    | b'\''
                    | b'('
                    | b')'
                    | b'*'
                    | b'+'
                    | b','
                    | b';'
                    | b'='
            )
        {
            out.push(char::from(byte));
        } else {
            push_encoded(out, byte);
        }
    }
}

/// A key in a header's name: what a token may not hold, and `%`, is percent-encoded in lower case.
pub(crate) fn encode_header_key(key: &str) -> String {
    let mut out = String::with_capacity(key.len());
    for byte in key.bytes() {
        let token = byte.is_ascii_alphanumeric() || b"!#$&'*+-.^_`|~".contains(&byte);
        if token {
            out.push(char::from(byte));
        } else {
            push_encoded(&mut out, byte);
        }
    }
    out.to_ascii_lowercase()
}

/// Undoes percent encoding; what is not an encoding stays, what is not UTF-8 is replaced.
pub(crate) fn decode_percent(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut i = 0;
    while i < bytes.len() {
        let hex = |at: usize| bytes.get(at).and_then(|b| char::from(*b).to_digit(16));
        match (bytes[i], hex(i + 1), hex(i + 2)) {
            (b'%', Some(high), Some(low)) => {
                out.push(u8::try_from(high * 16 + low).unwrap_or(b'?'));
                i += 3;
            }
            (byte, ..) => {
                out.push(byte);
                i += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Why a text cannot be one segment of a path (Go: `rest.IsValidPathSegmentName`).
pub(crate) fn segment_fault(what: &str, text: &str) -> Option<String> {
    if text.is_empty() {
        Some(format!("{what} may not be empty"))
    } else if text == "." || text == ".." {
        Some(format!("{what} may not be {text:?}"))
    } else {
        let bad = text.chars().find(|c| matches!(c, '/' | '%'))?;
        Some(format!("{what} {text:?} may not contain {bad:?}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments() {
        for good in ["a", "system:node", "a.b-c", "...", "ä"] {
            assert_eq!(segment_fault("name", good), None, "{good}");
        }
        for (bad, why) in [
            ("", "name may not be empty"),
            (".", "name may not be \".\""),
            ("..", "name may not be \"..\""),
            ("a/b", "name \"a/b\" may not contain '/'"),
            ("a%2f", "name \"a%2f\" may not contain '%'"),
        ] {
            assert_eq!(segment_fault("name", bad).as_deref(), Some(why));
        }
        let mut out = String::new();
        push_segment(&mut out, "system:a b?#ä");
        assert_eq!(out, "system:a%20b%3F%23%C3%A4");
    }

    #[test]
    fn decoding() {
        assert_eq!(decode_percent("app%20in%20%28a%2Cb%29%26x%3D%25%2B"), "app in (a,b)&x=%+");
        assert_eq!(decode_percent("%4%zz%"), "%4%zz%");
    }
}
