//! Query parameters as a list of pairs: printed as Go's `url.Values.Encode` does (sorted by key, values in
//! order), read as `url.URL.Query` does.
//!
//! ```
//! use pintle_apimachinery::QueryPairs;
//!
//! let mut pairs = QueryPairs::new();
//! pairs.push("watch", "true");
//! pairs.push("labelSelector", "app in (web, db)");
//! assert_eq!(pairs.encode(), "labelSelector=app+in+%28web%2C+db%29&watch=true");
//! assert_eq!(QueryPairs::parse(&pairs.encode()).get("labelSelector"), Some("app in (web, db)"));
//! ```

use std::borrow::Cow;
use std::fmt;

/// Query parameters of a request. Go: `url.Values`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QueryPairs(Vec<(Cow<'static, str>, String)>);

impl QueryPairs {
    /// No parameters.
    pub const fn new() -> Self {
        QueryPairs(Vec::new())
    }

    /// Reads the part of a URL after `?`. As Go's servers do, a pair that is not well formed (a semicolon, an
    /// escape that is not two hex digits) is left out rather than an error. What is not UTF-8 becomes U+FFFD.
    pub fn parse(query: &str) -> Self {
        let pair = |pair: &str| {
            if pair.is_empty() || pair.contains(';') {
                return None;
            }
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            Some((Cow::Owned(unescape(key)?), unescape(value)?))
        };
        QueryPairs(query.split('&').filter_map(pair).collect())
    }

    /// Adds a parameter after those of the same key. Go: `Values.Add`.
    pub fn push(&mut self, key: impl Into<Cow<'static, str>>, value: impl Into<String>) {
        self.0.push((key.into(), value.into()));
    }

    /// The first value of this key. Go: `Values.Get`, which gives an empty text where this gives `None`.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.get_all(key).next()
    }

    /// All values of this key, in order.
    /// Go: indexing `url.Values`.
    pub fn get_all<'a, 'k>(&'a self, key: &'k str) -> impl Iterator<Item = &'a str> + use<'a, 'k> {
        self.iter().filter(move |(k, _)| *k == key).map(|(_, value)| value)
    }

    /// All pairs, in the order they were added.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (&**key, value.as_str()))
    }

    /// Removes all values of this key. Go: `Values.Del`.
    pub fn remove(&mut self, key: &str) {
        self.0.retain(|(k, _)| k != key);
    }

    /// The number of pairs.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The text after `?` in a URL: sorted by key, percent-encoded. Go: `Values.Encode`.
    pub fn encode(&self) -> String {
        let mut sorted: Vec<_> = self.iter().collect();
        sorted.sort_by_key(|(key, _)| *key); // stable: values of one key keep their order
        let mut out = String::new();
        for (key, value) in sorted {
            if !out.is_empty() {
                out.push('&');
            }
            escape_into(&mut out, key, true);
            out.push('=');
            escape_into(&mut out, value, true);
        }
        out
    }
}

impl fmt::Display for QueryPairs {
    /// The same as [`encode`](QueryPairs::encode).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.encode())
    }
}

impl<K: Into<Cow<'static, str>>, V: Into<String>> FromIterator<(K, V)> for QueryPairs {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        QueryPairs(pairs.into_iter().map(|(key, value)| (key.into(), value.into())).collect())
    }
}

/// Percent-encodes a key or value of a query; a space becomes `+`. Go: `url.QueryEscape`.
///
/// ```
/// assert_eq!(pintle_apimachinery::query_escape("a=b c/d~é"), "a%3Db+c%2Fd~%C3%A9");
/// ```
pub fn query_escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    escape_into(&mut out, text, true);
    out
}

/// Percent-encodes one segment of a path, so that it can hold anything, slashes too. Go: `url.PathEscape`.
///
/// ```
/// assert_eq!(pintle_apimachinery::path_escape("a b/c:d"), "a%20b%2Fc:d");
/// ```
pub fn path_escape(segment: &str) -> String {
    let mut out = String::with_capacity(segment.len());
    escape_into(&mut out, segment, false);
    out
}

fn escape_into(out: &mut String, text: &str, query: bool) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                out.push(byte as char)
            }
            b' ' if query => out.push('+'),
            b'$' | b'&' | b'+' | b'=' | b':' | b'@' if !query => out.push(byte as char),
            _ => {
                out.push('%');
                out.push(HEX[usize::from(byte >> 4)] as char);
                out.push(HEX[usize::from(byte & 15)] as char);
            }
        }
    }
}

/// Undoes [`query_escape`]; `None` if an escape is not two hex digits.
fn unescape(text: &str) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || (bytes.next()? as char).to_digit(16).map(|d| d as u8);
                digit()? << 4 | digit()?
            }
            other => other,
        });
    }
    Some(
        String::from_utf8(out)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    // Go: net/url TestEncodeQuery, TestParseQuery, TestQueryEscape
    #[test]
    fn encodes_sorted() {
        #[track_caller]
        fn check(pairs: &[(&'static str, &str)], expect: &str) {
            let pairs: QueryPairs = pairs.iter().map(|(k, v)| (*k, *v)).collect();
            assert_eq!(pairs.encode(), expect);
            assert_eq!(QueryPairs::parse(expect).encode(), expect);
        }
        check(&[], "");
        check(&[("q", "puppies"), ("oe", "utf8")], "oe=utf8&q=puppies");
        check(&[("q", "dogs"), ("q", "&"), ("q", "7")], "q=dogs&q=%26&q=7");
        check(&[("b", "2"), ("a", "x"), ("b", "1"), ("a", "")], "a=x&a=&b=2&b=1");
        check(
            &[("s", " ?&=#+%!<>#\"{}|\\^[]`☺\t:/@$'()*,;")],
            "s=+%3F%26%3D%23%2B%25%21%3C%3E%23%22%7B%7D%7C%5C%5E%5B%5D%60%E2%98%BA%09%3A%2F%40%24%27%28%29%2A%2C%3B",
        );
    }

    #[test]
    fn parses_leniently() {
        #[track_caller]
        fn check(query: &str, expect: &[(&str, &str)]) {
            assert_eq!(QueryPairs::parse(query).iter().collect::<Vec<_>>(), expect);
        }
        check("", &[]);
        check("a", &[("a", "")]);
        check("a=", &[("a", "")]);
        check("=a", &[("", "a")]);
        check("=", &[("", "")]);
        check("a=1&b=2", &[("a", "1"), ("b", "2")]);
        check("a=1&&a=2&a=banana", &[("a", "1"), ("a", "2"), ("a", "banana")]);
        check("ascii=%3Ckey%3A+0x90%3E", &[("ascii", "<key: 0x90>")]);
        check("a=1;b=2", &[]);
        check("a;b=1&c=3", &[("c", "3")]);
        check("a=%zz&b=2", &[("b", "2")]);
        check("a=%1&b=%", &[]);
        check("a=%ff&b=2", &[("a", "\u{fffd}"), ("b", "2")]);
        check("a=b=c", &[("a", "b=c")]);
        check("%61=%C3%a9", &[("a", "é")]);
    }

    #[test]
    fn gets_and_removes() {
        let mut pairs = QueryPairs::parse("dryRun=All&x=1&dryRun=");
        assert_eq!(pairs.get("dryRun"), Some("All"));
        assert_eq!(pairs.get_all("dryRun").collect::<Vec<_>>(), ["All", ""]);
        assert_eq!(pairs.get("y"), None);
        pairs.remove("dryRun");
        assert_eq!((pairs.len(), pairs.to_string().as_str()), (1, "x=1"));
    }

    #[test]
    fn escapes_path_segments() {
        assert_eq!(
            path_escape(" ?&=#+%!<>#\"{}|\\^[]`☺\t:/@$'()*,;"),
            "%20%3F&=%23+%25%21%3C%3E%23%22%7B%7D%7C%5C%5E%5B%5D%60%E2%98%BA%09:%2F@$%27%28%29%2A%2C%3B"
        );
    }
}
