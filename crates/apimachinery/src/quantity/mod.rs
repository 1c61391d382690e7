//! Amounts of resources, such as `100m` CPUs or `1536Mi` of memory.
//! Go: `k8s.io/apimachinery/pkg/api/resource`.
//!
//! A [`Quantity`] is eight bytes: it holds its text, as Go would marshal it, and computes from it. Reading
//! a text that is already canonical is therefore one check and one copy, which is what decoding mostly does.
//!
//! ```
//! use pintle_apimachinery::{QuantityFormat, Quantity};
//!
//! let mut memory: Quantity = "1.5Gi".parse()?;
//! assert_eq!(memory.to_string(), "1536Mi");
//! memory += &"512Mi".parse()?;
//! assert_eq!((memory.to_string().as_str(), memory.value()), ("2Gi", 2_147_483_648));
//!
//! let cpu = Quantity::from_milli(250, QuantityFormat::DecimalSI);
//! assert_eq!((cpu.as_str(), cpu.milli_value(), cpu.value()), ("250m", 250, 1)); // rounded up
//! assert!(cpu < "1".parse()?);
//! assert_eq!("1000m".parse::<Quantity>()?, "1".parse()?);
//! # Ok::<(), pintle_apimachinery::ParseError>(())
//! ```

mod amount;
mod scan;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::{Add, AddAssign, Mul, MulAssign, Neg, Sub, SubAssign};
use std::str::FromStr;

use crate::Str;
use crate::parse_error::ParseError;
use amount::Amount;

/// How a quantity writes large and small amounts. Go: `resource.QuantityFormat`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum QuantityFormat {
    /// With a power of ten: `12e6`.
    DecimalExponent,
    /// With the suffixes `Ki`, `Mi`, `Gi`, `Ti`, `Pi`, `Ei`: `12Mi` is 12 * 2^20.
    BinarySI,
    /// With the suffixes `n`, `u`, `m`, `k`, `M`, `G`, `T`, `P`, `E`: `12M` is 12 * 10^6.
    DecimalSI,
}

/// An amount of a resource: an exact decimal number with the format it is written in.
/// Go: `resource.Quantity`.
///
/// Equality, order and hash are those of the number: `1000m` equals `1`, `1k` equals `1e3`.
/// [`same_text`](Quantity::same_text) tells these apart. The default is 0.
///
/// # The text that is kept
/// Go keeps the text it has read if it takes it for canonical, and so does this: `+5`, `05`, `5.` and `1.500`
/// stay as they are, while `1.0` becomes `1` and `0.5Ki` becomes `512`. More digits than nano (nine after the
/// point) are rounded up, away from zero. Binary amounts are capped at 2^63-1.
///
/// # Where this differs from Go, on purpose
/// - [`value`](Quantity::value), [`milli_value`](Quantity::milli_value) and
///   [`scaled_value`](Quantity::scaled_value) saturate at the bounds of `i64`, and always round away from
///   zero. Go wraps around, or gives 0, beyond the bounds, and adds one to some negative fractions.
/// - Amounts beyond the largest suffix stay what they are: `1000E` becomes `1e21`, where Go writes `1`;
///   1024Ei (as a sum) is written `1024Ei`, where Go writes `1`. -2^63 is written out in the binary format, as
///   the `-8Ei` that Go may write is read as one more.
/// - Exponents must fit in 32 bits; Go cuts them off silently, so that it takes `1e4294967296` for 1.
/// - [`as_i64`](Quantity::as_i64) and [`as_f64_approx`](Quantity::as_f64_approx) depend on the amount only,
///   not on how it came about: the first gives the integer whenever there is one that fits, the second the
///   nearest float.
/// - [`from_scaled`](Quantity::from_scaled) below nano rounds up to nano, as parsing does.
/// - Sums of amounts that are more than 4,096 decimal places apart are the larger one.
// The text is followed by a marker where it alone does not tell the format, as in 512 of format BinarySI.
// Empty is Go's zero value.
#[derive(Clone, Default)]
pub struct Quantity(Str);

impl Quantity {
    /// 10^-9, as a scale; the finest that a quantity can hold.
    pub const NANO: i32 = -9;
    /// 10^-6, as a scale.
    pub const MICRO: i32 = -6;
    /// 10^-3, as a scale.
    pub const MILLI: i32 = -3;
    /// 10^3, as a scale.
    pub const KILO: i32 = 3;
    /// 10^6, as a scale.
    pub const MEGA: i32 = 6;
    /// 10^9, as a scale.
    pub const GIGA: i32 = 9;
    /// 10^12, as a scale.
    pub const TERA: i32 = 12;
    /// 10^15, as a scale.
    pub const PETA: i32 = 15;
    /// 10^18, as a scale.
    pub const EXA: i32 = 18;

    /// Reads a quantity. Go: `ParseQuantity`.
    ///
    /// # Errors
    /// With the message of Go's `ErrFormatWrong`, `ErrNumeric` or `ErrSuffix`.
    #[inline]
    pub fn parse(text: &str) -> Result<Quantity, ParseError> {
        if scan::is_plainly_canonical(text.as_bytes()) {
            return Ok(Quantity(Str::new(text)));
        }
        Quantity::parse_slowly(text, None)
    }

    /// Reads a quantity from a text that is already a [`Str`], which is shared if it is kept.
    ///
    /// # Errors
    /// As [`parse`](Quantity::parse).
    #[inline]
    pub fn parse_shared(text: &Str) -> Result<Quantity, ParseError> {
        if scan::is_plainly_canonical(text.as_bytes()) {
            return Ok(Quantity(text.clone()));
        }
        Quantity::parse_slowly(text, Some(text))
    }

    /// Reads what stands in JSON: a string, a number or `null`. As in Go, white space around the quantity is
    /// ignored, inside the quotes too, and escapes in the string are not undone. Go: `UnmarshalJSON`.
    ///
    /// # Errors
    /// As [`parse`](Quantity::parse).
    pub fn from_json(json: &str) -> Result<Quantity, ParseError> {
        if json == "null" {
            return Ok(Quantity::default());
        }
        let inner = json.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
        Quantity::parse(inner.unwrap_or(json).trim())
    }

    /// This many whole units. Go: `NewQuantity`.
    pub fn from_i64(value: i64, format: QuantityFormat) -> Quantity {
        Quantity::of(&Amount::new(value.into(), 0), format)
    }

    /// This many thousandths. Go: `NewMilliQuantity`.
    pub fn from_milli(value: i64, format: QuantityFormat) -> Quantity {
        Quantity::of(&Amount::new(value.into(), -3), format)
    }

    /// `value` * 10^`scale`, in [`QuantityFormat::DecimalSI`]. Go: `NewScaledQuantity`.
    pub fn from_scaled(value: i64, scale: i32) -> Quantity {
        let amount = Amount::new(value.into(), scale.into());
        Quantity::of(&amount.round_up(Quantity::NANO.into()).0, QuantityFormat::DecimalSI)
    }

    /// The text, as it stands in JSON and protobuf. Go: `String`.
    #[inline]
    pub fn as_str(&self) -> &str {
        match self.0.as_bytes().last() {
            None => "0",
            Some(&last) if last < b' ' => &self.0.as_str()[..self.0.len() - 1],
            Some(_) => self.0.as_str(),
        }
    }

    /// The format that results of arithmetic are written in.
    pub fn format(&self) -> QuantityFormat {
        match self.0.as_bytes().last() {
            None => QuantityFormat::DecimalExponent,
            Some(&last) => scan::format_of_marker(last).unwrap_or_else(|| self.read().1),
        }
    }

    /// Whether this is the default, which no parsed text gives: Go's zero value.
    #[inline]
    pub fn is_unset(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether both are written the same, which is finer than being equal.
    #[inline]
    pub fn same_text(&self, other: &Quantity) -> bool {
        self.as_str() == other.as_str()
    }

    /// Whether the amount is zero.
    pub fn is_zero(&self) -> bool {
        self.sign() == 0
    }

    /// -1, 0 or 1 for a negative amount, zero and a positive amount.
    pub fn sign(&self) -> i32 {
        self.amount().sign()
    }

    /// The amount in whole units, rounded up, away from zero; saturating. Go: `Value`, which wraps.
    pub fn value(&self) -> i64 {
        self.scaled_value(0)
    }

    /// The amount in thousandths, rounded up, away from zero; saturating. Go: `MilliValue`, which wraps.
    pub fn milli_value(&self) -> i64 {
        self.scaled_value(Quantity::MILLI)
    }

    /// The amount in units of 10^`scale`, rounded up, away from zero; saturating. Go: `ScaledValue`, which
    /// wraps.
    pub fn scaled_value(&self, scale: i32) -> i64 {
        self.amount().scaled_value(scale.into())
    }

    /// The amount, if it is an integer that fits. Go: `AsInt64`.
    pub fn as_i64(&self) -> Option<i64> {
        self.amount().as_i64()
    }

    /// The nearest float; infinite beyond its range. Go: `AsFloat64Slow` and `AsApproximateFloat64`, which
    /// can be off in the last digit.
    pub fn as_f64_approx(&self) -> f64 {
        self.amount().to_f64()
    }

    /// Rounds up, away from zero, to a multiple of 10^`scale`. Returns whether nothing was lost.
    pub fn round_up(&mut self, scale: i32) -> bool {
        let (amount, format, written) = self.read_with_scale();
        if written >= i64::from(scale) {
            return true; // the text stays, canonical or not
        }
        let (rounded, exact) = amount.round_up(scale.into());
        *self = Quantity::of(&rounded, format);
        exact
    }

    /// Compares with a number of whole units. Go: `CmpInt64`.
    pub fn cmp_i64(&self, value: i64) -> Ordering {
        self.amount().cmp(&Amount::new(value.into(), 0))
    }

    #[cold]
    fn parse_slowly(text: &str, shared: Option<&Str>) -> Result<Quantity, ParseError> {
        Ok(match scan::parse(text)? {
            scan::Parsed::Verbatim => Quantity(shared.cloned().unwrap_or_else(|| Str::new(text))),
            scan::Parsed::Amount(amount, format) => Quantity::of(&amount, format),
        })
    }

    fn of(amount: &Amount, format: QuantityFormat) -> Quantity {
        Quantity(scan::print(amount, format))
    }

    fn amount(&self) -> Amount {
        self.read().0
    }

    fn read(&self) -> (Amount, QuantityFormat) {
        let (amount, format, _) = self.read_with_scale();
        (amount, format)
    }

    /// The amount, the format and the power of ten of the last digit as written.
    fn read_with_scale(&self) -> (Amount, QuantityFormat, i64) {
        if self.0.is_empty() {
            return (Amount::ZERO, QuantityFormat::DecimalExponent, 0);
        }
        scan::read(self.0.as_str())
    }
}

impl FromStr for Quantity {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Quantity, ParseError> {
        Quantity::parse(text)
    }
}

/// Whole units in [`QuantityFormat::DecimalSI`].
impl From<i64> for Quantity {
    fn from(value: i64) -> Quantity {
        Quantity::from_i64(value, QuantityFormat::DecimalSI)
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl PartialEq for Quantity {
    fn eq(&self, other: &Quantity) -> bool {
        self.0 == other.0 || self.amount() == other.amount()
    }
}

impl Eq for Quantity {}

impl PartialOrd for Quantity {
    fn partial_cmp(&self, other: &Quantity) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Quantity {
    fn cmp(&self, other: &Quantity) -> Ordering {
        if self.0 == other.0 { Ordering::Equal } else { self.amount().cmp(&other.amount()) }
    }
}

impl Hash for Quantity {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.amount().hash(state);
    }
}

/// Adds. Zero takes over the format of what is added to it. Go: `Add`.
impl AddAssign<&Quantity> for Quantity {
    fn add_assign(&mut self, other: &Quantity) {
        let ((a, format), (b, other_format)) = (self.read(), other.read());
        *self = Quantity::of(&a.add(&b), if a.sign() == 0 { other_format } else { format });
    }
}

/// Subtracts. Zero takes over the format of what is subtracted from it. Go: `Sub`.
impl SubAssign<&Quantity> for Quantity {
    fn sub_assign(&mut self, other: &Quantity) {
        let ((a, format), (b, other_format)) = (self.read(), other.read());
        *self =
            Quantity::of(&a.add(&b.negate()), if a.sign() == 0 { other_format } else { format });
    }
}

/// Multiplies; exact, whatever the size. Go: `Mul`.
impl MulAssign<i64> for Quantity {
    fn mul_assign(&mut self, factor: i64) {
        let (amount, format) = self.read();
        *self = Quantity::of(&amount.multiply(factor), format);
    }
}

/// Turns the sign around. Go: `Neg`.
impl Neg for Quantity {
    type Output = Quantity;

    fn neg(self) -> Quantity {
        let (amount, format) = self.read();
        Quantity::of(&amount.negate(), format)
    }
}

impl Add<&Quantity> for Quantity {
    type Output = Quantity;

    fn add(mut self, other: &Quantity) -> Quantity {
        self += other;
        self
    }
}

impl Sub<&Quantity> for Quantity {
    type Output = Quantity;

    fn sub(mut self, other: &Quantity) -> Quantity {
        self -= other;
        self
    }
}

impl Mul<i64> for Quantity {
    type Output = Quantity;

    fn mul(mut self, factor: i64) -> Quantity {
        self *= factor;
        self
    }
}

/// The sum, in the format of the first that is not zero.
impl<'a> std::iter::Sum<&'a Quantity> for Quantity {
    fn sum<I: Iterator<Item = &'a Quantity>>(quantities: I) -> Quantity {
        quantities.fold(Quantity::default(), |sum, quantity| sum + quantity)
    }
}

/// For messages: the text as it is written.
impl<'a> From<&'a Quantity> for Cow<'a, str> {
    fn from(quantity: &'a Quantity) -> Cow<'a, str> {
        Cow::Borrowed(quantity.as_str())
    }
}
