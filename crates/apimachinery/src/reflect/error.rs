//! What went wrong while decoding, and where.
use std::borrow::Cow;
use std::fmt;

pub(crate) type R<T> = Result<T, Box<DecodeError>>;

/// A step of the path to the broken value, innermost first.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Seg {
    Field(&'static str),
    Index(usize),
    Key(String),
}

/// Why bytes could not be decoded: what was wrong, at which byte, in which field.
#[derive(Debug, PartialEq)]
pub struct DecodeError {
    what: Cow<'static, str>,
    offset: Option<usize>,
    path: Vec<Seg>,
    unexpected_end: bool,
}

impl DecodeError {
    #[cold]
    pub(crate) fn new(what: impl Into<Cow<'static, str>>) -> Box<Self> {
        Box::new(DecodeError {
            what: what.into(),
            offset: None,
            path: Vec::new(),
            unexpected_end: false,
        })
    }
    #[cold]
    pub(crate) fn at(what: impl Into<Cow<'static, str>>, offset: usize) -> Box<Self> {
        let mut e = Self::new(what);
        e.offset = Some(offset);
        e
    }
    #[cold]
    pub(crate) fn end(what: &'static str, offset: usize) -> Box<Self> {
        let mut e = Self::at(what, offset);
        e.unexpected_end = true;
        e
    }
    #[cold]
    pub(crate) fn inside(mut self: Box<Self>, seg: Seg) -> Box<Self> {
        if self.path.len() < 64 {
            self.path.push(seg);
        }
        self
    }
    /// What was wrong, without where.
    pub(crate) fn what(&self) -> &str {
        &self.what
    }
    /// Whether the input ended too early.
    pub fn is_unexpected_end(&self) -> bool {
        self.unexpected_end
    }
    /// The path of the field, such as `spec.containers[0].ports`; empty when it is the whole.
    pub fn path(&self) -> String {
        let mut s = String::new();
        for seg in self.path.iter().rev() {
            match seg {
                Seg::Field(f) => {
                    if !f.is_empty() {
                        if !s.is_empty() {
                            s.push('.');
                        }
                        s.push_str(f);
                    }
                }
                Seg::Index(i) => s.push_str(&format!("[{i}]")),
                Seg::Key(k) => s.push_str(&format!("[{k}]")),
            }
        }
        s
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path();
        if !path.is_empty() {
            write!(f, "{path}: ")?;
        }
        f.write_str(&self.what)?;
        if let Some(at) = self.offset {
            write!(f, " (at byte {at})")?;
        }
        Ok(())
    }
}
impl std::error::Error for DecodeError {}
