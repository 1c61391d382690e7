//! What is wrong with JSON that decodes all the same: members that no field takes, and members
//! that are there twice. Go: the strict mode of `sigs.k8s.io/json`.
//!
//! It is a pass of its own over the text and the static table of the type, behind the decoding:
//! decoding without it costs nothing more, and nothing is compiled per type.
use super::error::R;
use super::{ANY, Desc, Field, INLINE, NOJSON, Parser, Type};
use crate::strict::StrictError;
use std::collections::HashSet;

/// Most errors that are collected, as in Go.
const MOST: usize = 100;
/// In the set of members seen: `kind` and `apiVersion`, behind all fields.
const KIND: usize = 254;
const API_VERSION: usize = 255;

/// What strictness objects to in JSON text of a type; without one, in any JSON: that members are
/// there twice. Go: the strict errors of `UnmarshalStrict` in `sigs.k8s.io/json`.
///
/// # Errors
/// The text is not JSON.
///
/// ```
/// use pintle_apimachinery::reflect::strict_json;
/// let found = strict_json(r#"{"spec":{"a":1,"a":2}}"#, None)?;
/// assert_eq!(found[0].to_string(), r#"duplicate field "spec.a""#);
/// # Ok::<(), Box<pintle_apimachinery::reflect::DecodeError>>(())
/// ```
pub fn strict_json(text: &str, desc: Option<&'static Desc>) -> R<Vec<StrictError>> {
    Checker::check(text, desc)
}

/// Finds what is unknown or there twice.
#[derive(Default)]
pub(crate) struct Checker {
    path: String,
    found: Vec<StrictError>,
}

impl Checker {
    /// Checks the whole of `text`, which decodes as a `desc`; without one, as any JSON.
    ///
    /// # Errors
    /// The text is not JSON, which decoding has found before.
    pub(crate) fn check(text: &str, desc: Option<&'static Desc>) -> R<Vec<StrictError>> {
        let mut c = Checker::default();
        let mut p = Parser::new(text);
        match desc {
            Some(d) => c.message(d, &mut p)?,
            None => c.any(&mut p)?,
        }
        Ok(c.found)
    }
    fn save(&mut self, duplicate: bool, name: &str) {
        if self.found.len() >= MOST {
            return;
        }
        let mut path = self.path.clone();
        if !path.is_empty() {
            path.push('.');
        }
        path.push_str(name);
        let e = if duplicate { StrictError::duplicate(path) } else { StrictError::unknown(path) };
        if !self.found.contains(&e) {
            self.found.push(e);
        }
    }
    /// Runs `inside` with `name` behind the path.
    fn at_key(&mut self, name: &str, inside: impl FnOnce(&mut Self) -> R<()>) -> R<()> {
        let mark = self.path.len();
        if mark > 0 {
            self.path.push('.');
        }
        self.path.push_str(name);
        inside(self)?;
        self.path.truncate(mark);
        Ok(())
    }
    fn message(&mut self, d: &'static Desc, p: &mut Parser<'_>) -> R<()> {
        if d.transparent {
            return self.typed(&d.fields[0].ty, p);
        }
        if p.peek()? != b'{' {
            return p.raw().map(drop);
        }
        let mut seen = [0u64; 4];
        let mut hint = 0;
        let mut more = p.open(b'{', b'}')?;
        while more {
            let key = p.key()?;
            let found = if let Some(i) = d.find(&key, hint) {
                hint = i + 1;
                Some((i, &d.fields[i]))
            } else {
                inlined(d, &key, &mut d.fields.len())
            };
            let type_meta = |name, bit| (d.kind.is_some() && key == name).then_some(bit);
            let bit = found.map(|f| f.0).or_else(|| type_meta("kind", KIND));
            match bit.or_else(|| type_meta("apiVersion", API_VERSION)) {
                None => {
                    self.save(false, &key);
                    p.raw()?;
                }
                Some(bit) => {
                    let (word, bit) = (&mut seen[(bit / 64) & 3], 1 << (bit % 64));
                    if *word & bit != 0 {
                        self.save(true, &key);
                    }
                    *word |= bit;
                    match found {
                        Some((_, f)) => {
                            self.at_key(f.name, |c| match f.flags & ANY {
                                0 => c.typed(&f.ty, p),
                                _ => c.any(p),
                            })?;
                        }
                        None => drop(p.raw()?),
                    }
                }
            }
            more = p.next(b'}')?;
        }
        Ok(())
    }
    fn typed(&mut self, t: &'static Type, p: &mut Parser<'_>) -> R<()> {
        match (t, p.peek()?) {
            (Type::Msg(d) | Type::Emb(d) | Type::OptMsg(d), _) => self.message(d, p),
            (Type::List(t), b'[') => self.elements(p, |c, p| c.typed(t, p)),
            (Type::Map(t), b'{') => self.entries(p, |c, p| c.typed(t, p)),
            _ => p.raw().map(drop),
        }
    }
    fn any(&mut self, p: &mut Parser<'_>) -> R<()> {
        match p.peek()? {
            b'{' => self.entries(p, Checker::any),
            b'[' => self.elements(p, Checker::any),
            _ => p.raw().map(drop),
        }
    }
    fn elements(
        &mut self,
        p: &mut Parser<'_>,
        mut each: impl FnMut(&mut Self, &mut Parser<'_>) -> R<()>,
    ) -> R<()> {
        use std::fmt::Write;
        let mark = self.path.len();
        let mut i = 0;
        let mut more = p.open(b'[', b']')?;
        while more {
            // Writing to a string does not fail.
            let _ = write!(self.path, "[{i}]");
            each(self, p)?;
            self.path.truncate(mark);
            i += 1;
            more = p.next(b']')?;
        }
        Ok(())
    }
    fn entries(
        &mut self,
        p: &mut Parser<'_>,
        mut each: impl FnMut(&mut Self, &mut Parser<'_>) -> R<()>,
    ) -> R<()> {
        let mut seen = HashSet::new();
        let mut more = p.open(b'{', b'}')?;
        while more {
            let key = p.key()?;
            if seen.contains(&key) {
                self.save(true, &key);
            }
            self.at_key(&key, |c| each(c, p))?;
            seen.insert(key);
            more = p.next(b'}')?;
        }
        Ok(())
    }
}

/// The field `key` of a struct inlined in `d`, and its place among all fields; `next` is the first
/// place that is free.
fn inlined(d: &'static Desc, key: &str, next: &mut usize) -> Option<(usize, &'static Field)> {
    for f in d.fields {
        let (true, Type::Msg(sub) | Type::Emb(sub) | Type::OptMsg(sub)) =
            (f.flags & INLINE != 0, f.ty)
        else {
            continue;
        };
        let base = *next;
        *next += sub.fields.len();
        if let Some(i) =
            sub.fields.iter().position(|f| f.name == key && f.flags & (INLINE | NOJSON) == 0)
        {
            return Some((base + i, &sub.fields[i]));
        }
        if let Some(found) = inlined(sub, key, next) {
            return Some(found);
        }
    }
    None
}
