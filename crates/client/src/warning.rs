//! Warnings that a server attaches to its answers (Go: `rest.WarningHandler`,
//! `net.ParseWarningHeaders`).

use http::header::{HeaderMap, WARNING};
use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

/// Gets the warnings of the server: a deprecated API, an unknown field.
///
/// Any `Fn(&str)` is one. It is called while a response is being received and should be quick.
pub trait WarningHandler: Send + Sync + 'static {
    /// Handles the text of one warning.
    fn warning(&self, text: &str);
}

impl<F: Fn(&str) + Send + Sync + 'static> WarningHandler for F {
    fn warning(&self, text: &str) {
        self(text);
    }
}

/// The handler of a client that has been given no other: logs each text once.
#[derive(Default)]
pub(crate) struct LogOnce(Mutex<HashSet<String>>);

/// How many texts are remembered; past that, all are forgotten.
const REMEMBERED: usize = 512;

impl WarningHandler for LogOnce {
    fn warning(&self, text: &str) {
        let is_new = {
            let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if seen.len() >= REMEMBERED {
                seen.clear();
            }
            seen.insert(text.to_owned())
        };
        if is_new {
            tracing::warn!(target: "pintle_client::warning", "{text}");
        }
    }
}

/// Hands every warning of a response to a handler.
pub(crate) fn handle(headers: &HeaderMap, handler: &dyn WarningHandler) {
    for value in headers.get_all(WARNING) {
        // Servers write UTF-8 here, though HTTP asks for ASCII.
        for text in parse(&String::from_utf8_lossy(value.as_bytes())) {
            handler.warning(&text);
        }
    }
}

/// The texts of code 299 in a header: `299 - "text" ["date"], ...`. What is malformed ends it.
fn parse(mut header: &str) -> Vec<String> {
    let mut out = Vec::new();
    loop {
        header = header.trim_start_matches([' ', '\t', ',']);
        let Some((code, rest)) = header.split_once(' ') else { break };
        let Some((_agent, rest)) = rest.trim_start().split_once(' ') else { break };
        let Some((text, rest)) = quoted(rest.trim_start()) else { break };
        if code == "299" && !text.is_empty() {
            out.push(text);
        }
        // A date may follow.
        let rest = rest.trim_start();
        header = quoted(rest).map_or(rest, |(_, rest)| rest);
    }
    out
}

/// A quoted string at the start of a text, and what follows it. Control characters are dropped.
fn quoted(text: &str) -> Option<(String, &str)> {
    let body = text.strip_prefix('"')?;
    let mut out = String::new();
    let mut escaped = false;
    for (i, c) in body.char_indices() {
        match c {
            '"' if !escaped => return Some((out, &body[i + 1..])),
            '\\' if !escaped => {
                escaped = true;
                continue;
            }
            c if c.is_control() => {}
            c => out.push(c),
        }
        escaped = false;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(header: &str, expect: &[&str]) {
        assert_eq!(parse(header), expect, "{header}");
    }

    #[test]
    fn headers() {
        check("299 - \"unknown field \\\"spec.x\\\"\"", &["unknown field \"spec.x\""]);
        check("299 - \"a\", 299 - \"b, c\"", &["a", "b, c"]);
        check("299 - \"a\" \"Wed, 21 Oct 2015 07:28:00 GMT\", 299 host:80 \"b\"", &["a", "b"]);
        check("199 - \"other code\", 299 - \"ours\"", &["ours"]);
        check("299 - \"\"", &[]);
        check("299 - \"not closed", &[]);
        check("299 -", &[]);
        check("299", &[]);
        check("", &[]);
        check("299 - \"bell\u{7} and é\"", &["bell and é"]);
    }

    #[test]
    fn each_text_is_logged_once() {
        let log = LogOnce::default();
        for text in ["a", "b", "a"] {
            log.warning(text);
        }
        assert_eq!(log.0.lock().unwrap().len(), 2);
        for i in 0..2 * REMEMBERED {
            log.warning(&i.to_string());
        }
        assert!(log.0.lock().unwrap().len() <= REMEMBERED);
    }
}
