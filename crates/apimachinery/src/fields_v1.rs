//! [`FieldsV1`]: what a manager owns of an object, kept opaque and small.
//!
//! A server sends kilobytes of it with every Pod, nearly the same for each, and few programs look
//! at it. So it is kept as the difference to an earlier one of the same shape and put together
//! again when somebody asks.
use crate::rep::Bytes;
use std::borrow::Cow;

/// `metav1.FieldsV1`: the set of fields a manager owns, as JSON text.
///
/// Opaque: [`FieldsV1::raw`] gives the text. Nil by default.
///
/// ```
/// use pintle_apimachinery::FieldsV1;
/// let fields = FieldsV1::new(r#"{"f:metadata":{"f:labels":{".":{}}}}"#);
/// assert_eq!(&*fields.raw(), br#"{"f:metadata":{"f:labels":{".":{}}}}"#);
/// assert!(FieldsV1::default().is_nil() && !fields.is_nil());
/// ```
#[derive(Clone, Default)]
pub struct FieldsV1 {
    base: Bytes,
    /// Nil: the text is `base`. Else a list of (copy, skip, insert) against it.
    delta: Bytes,
}

impl FieldsV1 {
    /// From JSON text such as `{"f:spec":{"f:replicas":{}}}`. The text is not checked.
    pub fn new(text: &str) -> Self {
        FieldsV1 { base: text.into(), delta: Bytes::new() }
    }
    pub(crate) fn from_raw(raw: &[u8], cache: Option<&mut FieldsCache>) -> Self {
        match cache {
            Some(cache) => cache.make(raw),
            None => FieldsV1 { base: raw.into(), delta: Bytes::new() },
        }
    }
    /// Whether there is no set at all (as opposed to an empty one).
    pub fn is_nil(&self) -> bool {
        self.base.is_nil()
    }
    /// The JSON text.
    pub fn raw(&self) -> Cow<'_, [u8]> {
        if self.delta.is_nil() {
            return Cow::Borrowed(&self.base);
        }
        let mut out = Vec::with_capacity(self.base.len() + 64);
        let (mut at, mut rest) = (0, &*self.delta);
        while !rest.is_empty() {
            let copy = get(&mut rest);
            out.extend_from_slice(&self.base[at..at + copy]);
            at += copy + get(&mut rest);
            let n = get(&mut rest);
            out.extend_from_slice(&rest[..n]);
            rest = &rest[n..];
        }
        out.extend_from_slice(&self.base[at..]);
        Cow::Owned(out)
    }
    /// Whether the text is `raw`, without putting it together.
    pub(crate) fn is(&self, raw: &[u8]) -> bool {
        if self.delta.is_nil() {
            return *self.base == *raw;
        }
        let (mut at, mut done, mut rest) = (0, 0, &*self.delta);
        while !rest.is_empty() {
            let copy = get(&mut rest);
            if raw.get(done..done + copy) != Some(&self.base[at..at + copy]) {
                return false;
            }
            done += copy;
            at += copy + get(&mut rest);
            let n = get(&mut rest);
            if raw.get(done..done + n) != Some(&rest[..n]) {
                return false;
            }
            done += n;
            rest = &rest[n..];
        }
        raw.get(done..) == Some(&self.base[at..])
    }
}

impl PartialEq for FieldsV1 {
    fn eq(&self, other: &Self) -> bool {
        (self.base.ptr_eq(&other.base)
            && self.delta.is_nil() == other.delta.is_nil()
            && self.delta == other.delta)
            || self.is(&other.raw())
    }
}

impl std::fmt::Debug for FieldsV1 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.raw()))
    }
}

/// Most texts that are kept as bases.
const BASES: usize = 32;
/// Most bytes of differences: more is not worth it.
const MAX_DELTA: usize = 500;
/// Texts tried per value before it becomes a base itself.
const MAX_TRIES: usize = 4;

/// Texts that others are kept as differences to. Belongs to one decoder.
#[derive(Default)]
pub(crate) struct FieldsCache {
    /// Most recently used first, with a key that similar texts share.
    bases: Vec<(u64, Bytes)>,
    /// The last texts made, whole: the next object's are often the same.
    recent: Vec<FieldsV1>,
    scratch: Vec<u8>,
}

/// Most values in `FieldsCache::recent`.
const RECENT: usize = 8;

impl FieldsCache {
    fn make(&mut self, raw: &[u8]) -> FieldsV1 {
        if let Some(i) = self.recent.iter().position(|f| f.is(raw)) {
            return self.recent[i].clone();
        }
        let made = self.make_fresh(raw);
        if self.recent.len() == RECENT {
            self.recent.pop();
        }
        self.recent.insert(0, made.clone());
        made
    }
    fn make_fresh(&mut self, raw: &[u8]) -> FieldsV1 {
        let key = crate::reflect::hash_bytes(&raw[..raw.len().min(32)]);
        let mut tries = 0;
        for i in 0..self.bases.len() {
            if self.bases[i].0 != key {
                continue;
            }
            tries += 1;
            if tries > MAX_TRIES {
                break;
            }
            if diff(&self.bases[i].1, raw, &mut self.scratch) {
                let base = self.bases.remove(i);
                let text = base.1.clone();
                self.bases.insert(0, base);
                return if self.scratch.is_empty() {
                    FieldsV1 { base: text, delta: Bytes::new() }
                } else {
                    FieldsV1 { base: text, delta: self.scratch.as_slice().into() }
                };
            }
        }
        let text = Bytes::from(raw);
        if self.bases.len() == BASES {
            self.bases.pop();
        }
        self.bases.insert(0, (key, text.clone()));
        FieldsV1 { base: text, delta: Bytes::new() }
    }
}

fn put(out: &mut Vec<u8>, mut v: usize) {
    while v >= 128 {
        out.push(v as u8 | 128);
        v >>= 7;
    }
    out.push(v as u8);
}

/// Reads what [`put`] wrote. Only ever called on this module's own deltas.
fn get(rest: &mut &[u8]) -> usize {
    let (mut v, mut shift) = (0, 0);
    while let Some((&b, tail)) = rest.split_first() {
        *rest = tail;
        v |= usize::from(b & 127) << shift;
        shift += 7;
        if b < 128 {
            break;
        }
    }
    v
}

fn common(a: &[u8], b: &[u8]) -> usize {
    let (mut n, max) = (0, a.len().min(b.len()));
    while n + 8 <= max {
        let word = |s: &[u8]| u64::from_le_bytes(s[n..n + 8].try_into().expect("eight bytes"));
        let x = word(a) ^ word(b);
        if x != 0 {
            return n + (x.trailing_zeros() / 8) as usize;
        }
        n += 8;
    }
    while n < max && a[n] == b[n] {
        n += 1;
    }
    n
}

/// Writes how `raw` differs from `base`; the two meet again at the ends of JSON strings. `false`
/// when the difference is too large.
fn diff(base: &[u8], raw: &[u8], out: &mut Vec<u8>) -> bool {
    out.clear();
    let quote = |s: &[u8], from: usize| {
        let mut i = from;
        while i < s.len() && !(s[i] == b'"' && (i == 0 || s[i - 1] != b'\\')) {
            i += 1;
        }
        i
    };
    let (mut i, mut j) = (0, 0);
    loop {
        let n = common(&base[i..], &raw[j..]);
        let (at_base, at_raw) = (i + n, j + n);
        if at_base == base.len() && at_raw == raw.len() {
            return true;
        }
        let (end_base, end_raw) = (quote(base, at_base), quote(raw, at_raw));
        let insert = &raw[at_raw..end_raw];
        if out.len() + insert.len() + 12 > MAX_DELTA
            || (end_base == base.len()) != (end_raw == raw.len())
        {
            return false;
        }
        put(out, n);
        put(out, end_base - at_base);
        put(out, insert.len());
        out.extend_from_slice(insert);
        i = end_base;
        j = end_raw;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn round_trip(cache: &mut FieldsCache, text: &str) -> FieldsV1 {
        let f = FieldsV1::from_raw(text.as_bytes(), Some(cache));
        assert_eq!(String::from_utf8_lossy(&f.raw()), text);
        assert!(f.is(text.as_bytes()));
        assert!(!f.is(format!("{text} ").as_bytes()));
        f
    }

    #[test]
    fn similar_texts_are_kept_as_differences() {
        let mut cache = FieldsCache::default();
        let text = |ip: &str| {
            format!(
                r#"{{"f:status":{{"f:podIPs":{{"k:{{\"ip\":\"{ip}\"}}":{{".":{{}},"f:ip":{{}}}}}},"f:phase":{{}}}}}}"#
            )
        };
        let first = round_trip(&mut cache, &text("10.0.0.1"));
        for i in 2..60 {
            let f = round_trip(&mut cache, &text(&format!("10.0.{i}.{}", i * 3)));
            assert!(f.base.ptr_eq(&first.base));
            assert!(f.delta.len() < 40);
            assert_ne!(f, first);
        }
        assert_eq!(round_trip(&mut cache, &text("10.0.0.1")), first);
    }

    #[test]
    fn odd_texts_survive() {
        let mut cache = FieldsCache::default();
        for t in [
            "{}",
            "",
            "\"",
            r#"{"a":"\""}"#,
            r#"{"a":"\"b"}"#,
            r#"{"a":""}"#,
            "{\"a\":1}",
            "{\"a\":1}x\"",
        ] {
            round_trip(&mut cache, t);
            round_trip(&mut cache, t);
        }
    }
}
