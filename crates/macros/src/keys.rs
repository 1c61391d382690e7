//! Keys of an attribute: what each looks like, and what is said of one that does not.
use proc_macro2::Span;
use syn::meta::ParseNestedMeta;
use syn::{Error, LitBool, LitInt, LitStr, Result, Token};

/// A key and an example of its use.
pub(crate) type Known = (&'static str, &'static str);

/// The key that is being read.
pub(crate) struct Key<'a, 'b> {
    pub(crate) name: &'static str,
    pub(crate) span: Span,
    example: &'static str,
    meta: &'a ParseNestedMeta<'b>,
}

/// A value and where it is.
pub(crate) struct Spanned<T> {
    pub(crate) value: T,
    pub(crate) span: Span,
}

impl<'a, 'b> Key<'a, 'b> {
    /// The next key, which must be one of `known`; `whole` names what the keys belong to.
    pub(crate) fn of(
        meta: &'a ParseNestedMeta<'b>,
        known: &'static [Known],
        whole: &str,
    ) -> Result<Self> {
        let name = meta.path.get_ident().map(ToString::to_string).unwrap_or_default();
        let span = meta.path.segments.first().map_or_else(Span::call_site, |s| s.ident.span());
        if let Some((name, example)) = known.iter().find(|(k, _)| *k == name) {
            return Ok(Key { name, span, example, meta });
        }
        let close = known.iter().map(|(k, _)| *k).find(|k| alike(k, &name));
        let hint = close.map_or_else(String::new, |k| format!("did you mean `{k}`? "));
        let names: Vec<&str> = known.iter().map(|(k, _)| *k).collect();
        Err(Error::new(
            span,
            format!("{whole} has no key `{name}`; {hint}the keys are: {}", names.join(", ")),
        ))
    }
    pub(crate) fn error(&self, message: impl std::fmt::Display) -> Error {
        Error::new(self.span, message)
    }
    fn wrong(&self, at: Span) -> Error {
        Error::new(at, format!("write `{}`", self.example))
    }
    fn value<T: syn::parse::Parse>(&self) -> Result<T> {
        if !self.meta.input.peek(Token![=]) {
            return Err(self.wrong(self.span));
        }
        let value = self.meta.value()?;
        let at = value.span();
        value.parse().map_err(|_| self.wrong(at))
    }
    /// `key = "text"`.
    pub(crate) fn text(&self) -> Result<Spanned<String>> {
        let lit: LitStr = self.value()?;
        Ok(Spanned { value: lit.value(), span: lit.span() })
    }
    /// `key = Type`, or `key = "path"` as a type.
    pub(crate) fn parsed<T: syn::parse::Parse>(&self) -> Result<T> {
        self.value()
    }
    /// `key = true`.
    pub(crate) fn bool(&self) -> Result<bool> {
        Ok(self.value::<LitBool>()?.value)
    }
    /// `key = 1`.
    pub(crate) fn number(&self) -> Result<i32> {
        let lit: LitInt = self.value()?;
        lit.base10_parse().map_err(|_| self.wrong(lit.span()))
    }
    /// `key`, alone.
    pub(crate) fn flag(&self) -> Result<()> {
        if self.meta.input.is_empty() || self.meta.input.peek(Token![,]) {
            return Ok(());
        }
        Err(self.wrong(self.span))
    }
    /// `key`, alone, or `key = "text"`.
    pub(crate) fn flag_or_text(&self) -> Result<Option<String>> {
        if self.meta.input.peek(Token![=]) {
            return Ok(Some(self.text()?.value));
        }
        self.flag().map(|()| None)
    }
    /// `key("a", "b")`.
    pub(crate) fn list(&self) -> Result<Vec<Spanned<String>>> {
        if !self.meta.input.peek(syn::token::Paren) {
            return Err(self.wrong(self.span));
        }
        let content;
        syn::parenthesized!(content in self.meta.input);
        let mut list = Vec::new();
        while !content.is_empty() {
            let at = content.span();
            let lit: LitStr = content.parse().map_err(|_| self.wrong(at))?;
            list.push(Spanned { value: lit.value(), span: lit.span() });
            if !content.is_empty() {
                content.parse::<Token![,]>().map_err(|_| self.wrong(at))?;
            }
        }
        if list.is_empty() { Err(self.wrong(self.span)) } else { Ok(list) }
    }
    /// `key(inner = ..., ...)`.
    pub(crate) fn nested(
        &self,
        known: &'static [Known],
        mut each: impl FnMut(&Key<'_, '_>) -> Result<()>,
    ) -> Result<()> {
        if !self.meta.input.peek(syn::token::Paren) {
            return Err(self.wrong(self.span));
        }
        let whole = format!("`{}(...)`", self.name);
        self.meta.parse_nested_meta(|inner| each(&Key::of(&inner, known, &whole)?))
    }
    /// An inner key that must be there.
    pub(crate) fn need<T>(&self, value: Option<T>, inner: &str) -> Result<T> {
        value.ok_or_else(|| {
            self.error(format!("`{}(...)` lacks `{inner}`; write `{}`", self.name, self.example))
        })
    }
    /// Stores a value that may be given once.
    pub(crate) fn once<T>(&self, place: &mut Option<T>, value: T) -> Result<()> {
        if place.is_some() {
            return Err(self.error(format!("`{}` is given twice", self.name)));
        }
        *place = Some(value);
        Ok(())
    }
}

/// Whether two names differ little: in case, underscores, a letter.
fn alike(a: &str, b: &str) -> bool {
    let plain = |s: &str| s.replace(['_', '-'], "").to_ascii_lowercase().into_bytes();
    let (a, b) = (plain(a), plain(b));
    let same_start = a.iter().zip(&b).take_while(|(x, y)| x == y).count();
    let same_end = a.iter().rev().zip(b.iter().rev()).take_while(|(x, y)| x == y).count();
    let longest = a.len().max(b.len());
    a.len().abs_diff(b.len()) <= 1 && longest > 2 && same_start + same_end + 1 >= longest
}
