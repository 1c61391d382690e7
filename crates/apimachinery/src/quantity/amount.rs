//! Exact decimal numbers, as far as quantities need them. Go: `int64Amount` and `gopkg.in/inf.v0`.
//!
//! Nearly every amount is a 128-bit coefficient with a power of ten. Only where Go's unbounded decimals make
//! a difference (texts of forty digits and more, repeated multiplication) the coefficient is a list of
//! decimal digits; the few operations on it are plain schoolbook ones.

use std::cmp::Ordering;

/// How far two summands may be apart before the smaller one is dropped: a bound on memory.
const MAX_SPAN: i64 = 4096;

/// A decimal number in its one normal form: no zeros at the end of the coefficient, zero as (0, 0), and a
/// list of digits only if the coefficient does not fit.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Amount {
    /// `coefficient` * 10^`exponent`.
    Small { coefficient: i128, exponent: i64 },
    /// The same with the digits of the coefficient, the highest first.
    Big { negative: bool, digits: Vec<u8>, exponent: i64 },
}

use Amount::{Big, Small};

impl Amount {
    pub(super) const ZERO: Amount = Small { coefficient: 0, exponent: 0 };

    pub(super) fn new(mut coefficient: i128, mut exponent: i64) -> Amount {
        if coefficient == 0 {
            return Amount::ZERO;
        }
        if coefficient == i128::MIN {
            // Has no opposite; as digits it has.
            return Big { negative: true, digits: decimal_digits(coefficient), exponent };
        }
        if let Ok(mut small) = i64::try_from(coefficient) {
            while small % 10 == 0 {
                small /= 10;
                exponent += 1;
            }
            return Small { coefficient: small.into(), exponent };
        }
        while coefficient % 10 == 0 {
            coefficient /= 10;
            exponent += 1;
        }
        Small { coefficient, exponent }
    }

    /// From decimal digits (values 0 to 9), the highest first.
    pub(super) fn from_digits(negative: bool, mut digits: Vec<u8>, mut exponent: i64) -> Amount {
        while digits.last() == Some(&0) {
            digits.pop();
            exponent += 1;
        }
        let zeros = digits.iter().take_while(|digit| **digit == 0).count();
        digits.drain(..zeros);
        let fold = |value: i128, digit: &u8| value.checked_mul(10)?.checked_add((*digit).into());
        match digits.iter().try_fold(0, fold) {
            Some(value) => Amount::new(if negative { -value } else { value }, exponent),
            None => Big { negative, digits, exponent },
        }
    }

    pub(super) fn sign(&self) -> i32 {
        match self {
            Small { coefficient, .. } => coefficient.signum() as i32,
            Big { negative, .. } => 1 - 2 * i32::from(*negative),
        }
    }

    pub(super) fn negate(self) -> Amount {
        match self {
            Small { coefficient, exponent } => Small { coefficient: -coefficient, exponent },
            Big { negative, digits, exponent } => Big { negative: !negative, digits, exponent },
        }
    }

    pub(super) fn exponent(&self) -> i64 {
        match self {
            Small { exponent, .. } | Big { exponent, .. } => *exponent,
        }
    }

    /// The digits of the coefficient without its sign.
    pub(super) fn digits(&self) -> Vec<u8> {
        match self {
            Small { coefficient, .. } => decimal_digits(*coefficient),
            Big { digits, .. } => digits.clone(),
        }
    }

    /// The coefficient that the number has with this smaller exponent, if it fits.
    fn coefficient_at(&self, at: i64) -> Option<i128> {
        match self {
            Small { coefficient, exponent } => {
                let power = u32::try_from(*exponent - at).ok().filter(|power| *power <= 38)?;
                coefficient.checked_mul(10i128.pow(power))
            }
            Big { .. } => None,
        }
    }

    pub(super) fn add(&self, other: &Amount) -> Amount {
        if self.sign() == 0 || other.sign() == 0 {
            return if self.sign() == 0 { other } else { self }.clone();
        }
        let exponent = self.exponent().min(other.exponent());
        if let (Some(a), Some(b)) = (self.coefficient_at(exponent), other.coefficient_at(exponent))
            && let Some(sum) = a.checked_add(b)
        {
            return Amount::new(sum, exponent);
        }
        let (larger, smaller) = match self.cmp_magnitude(other) {
            Ordering::Less => (other, self),
            _ => (self, other),
        };
        if (larger.exponent() - smaller.exponent()).abs() > MAX_SPAN {
            return larger.clone();
        }
        let (mut a, b) = (larger.digits_at(exponent), smaller.digits_at(exponent));
        let same_sign = larger.sign() == smaller.sign();
        let mut carry = 0i8;
        let lowest_first = b.iter().rev().chain(std::iter::repeat(&0));
        for (digit, other) in a.iter_mut().rev().zip(lowest_first) {
            let other = *other as i8;
            let mut sum = *digit as i8 + carry + if same_sign { other } else { -other };
            carry = sum.div_euclid(10);
            sum = sum.rem_euclid(10);
            *digit = sum as u8;
        }
        if carry > 0 {
            a.insert(0, carry as u8);
        }
        Amount::from_digits(larger.sign() < 0, a, exponent)
    }

    fn digits_at(&self, exponent: i64) -> Vec<u8> {
        let mut digits = self.digits();
        digits.resize(digits.len() + (self.exponent() - exponent) as usize, 0);
        digits
    }

    pub(super) fn multiply(&self, factor: i64) -> Amount {
        if let Small { coefficient, exponent } = self
            && let Some(product) = coefficient.checked_mul(factor.into())
        {
            return Amount::new(product, *exponent);
        }
        let negative = (self.sign() < 0) != (factor < 0);
        let digits = multiply_digits(self.digits(), factor.unsigned_abs());
        Amount::from_digits(negative, digits, self.exponent())
    }

    /// Times 2^`power`.
    pub(super) fn shift_left(self, power: u32) -> Amount {
        if power == 0 { self } else { self.multiply(1 << power) }
    }

    /// Rounded away from zero to a multiple of 10^`scale`, and whether that changed nothing.
    pub(super) fn round_up(self, scale: i64) -> (Amount, bool) {
        let exponent = self.exponent();
        if exponent >= scale || self.sign() == 0 {
            return (self, true);
        }
        // The normal form has no zeros at the end, so digits that matter are lost: one is added.
        let drop = usize::try_from(scale - exponent).unwrap_or(usize::MAX);
        let rounded = match self {
            Small { coefficient, .. } => {
                let power = u32::try_from(drop).ok().and_then(|drop| 10i128.checked_pow(drop));
                let kept = power.map_or(0, |power| coefficient / power);
                Amount::new(kept + coefficient.signum(), scale)
            }
            Big { negative, mut digits, .. } => {
                digits.truncate(digits.len().saturating_sub(drop));
                let one = Amount::new(if negative { -1 } else { 1 }, scale);
                Amount::from_digits(negative, digits, scale).add(&one)
            }
        };
        (rounded, false)
    }

    /// In units of 10^`scale`, rounded away from zero, saturating.
    pub(super) fn scaled_value(self, scale: i64) -> i64 {
        let limit = if self.sign() < 0 { i64::MIN } else { i64::MAX };
        let (rounded, _) = self.round_up(scale);
        rounded
            .coefficient_at(scale)
            .and_then(|value| i64::try_from(value).ok())
            .unwrap_or_else(|| if rounded.sign() == 0 { 0 } else { limit })
    }

    pub(super) fn as_i64(&self) -> Option<i64> {
        if self.sign() == 0 {
            return Some(0);
        }
        if self.exponent() < 0 {
            return None;
        }
        self.coefficient_at(0).and_then(|value| value.try_into().ok())
    }

    pub(super) fn to_f64(&self) -> f64 {
        // The standard library rounds correctly from text, and takes any exponent.
        let text: String = self.digits().iter().map(|digit| (digit + b'0') as char).collect();
        let value: f64 = format!("{text}e{}", self.exponent()).parse().unwrap_or(f64::INFINITY);
        if self.sign() < 0 { -value } else { value }
    }

    /// The integer divided by 1024 as often as that is exact, at most `most` times; `None` if this is not an
    /// integer or far too large to write out.
    pub(super) fn factors_of_1024(&self, most: u32) -> Option<(Vec<u8>, u32)> {
        let exponent = self.exponent();
        if !(0..=MAX_SPAN).contains(&exponent) {
            return None;
        }
        let mut times = 0;
        if let Some(mut value) = self.coefficient_at(0) {
            // The least 64-bit number is written out, as in Go: `-8Ei` would be read as one more.
            while value % 1024 == 0 && times < most && value != i64::MIN.into() {
                value /= 1024;
                times += 1;
            }
            return Some((Amount::new(value, 0).digits_at(0), times));
        }
        let mut digits = self.digits_at(0);
        while times < most {
            let (quotient, remainder) = divide_digits(&digits, 1024);
            if remainder != 0 {
                break;
            }
            digits = quotient;
            times += 1;
        }
        Some((digits, times))
    }

    /// The power of ten that the number is just below.
    fn magnitude(&self) -> i64 {
        match self {
            Small { coefficient: 0, .. } => i64::MIN,
            Small { coefficient, exponent } => {
                exponent + 1 + i64::from(coefficient.unsigned_abs().ilog10())
            }
            Big { digits, exponent, .. } => exponent + digits.len() as i64,
        }
    }

    fn cmp_magnitude(&self, other: &Amount) -> Ordering {
        // At the same magnitude numbers without zeros at the end compare as texts do.
        let digits = || self.digits().cmp(&other.digits());
        self.magnitude().cmp(&other.magnitude()).then_with(digits)
    }
}

impl Ord for Amount {
    fn cmp(&self, other: &Amount) -> Ordering {
        let exponent = self.exponent().min(other.exponent());
        if let (Some(a), Some(b)) = (self.coefficient_at(exponent), other.coefficient_at(exponent))
        {
            return a.cmp(&b);
        }
        self.sign().cmp(&other.sign()).then_with(|| {
            let magnitude = self.cmp_magnitude(other);
            if self.sign() < 0 { magnitude.reverse() } else { magnitude }
        })
    }
}

impl PartialOrd for Amount {
    fn partial_cmp(&self, other: &Amount) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

fn decimal_digits(number: i128) -> Vec<u8> {
    let mut digits = number.unsigned_abs().to_string().into_bytes();
    digits.iter_mut().for_each(|digit| *digit -= b'0');
    digits
}

fn multiply_digits(mut digits: Vec<u8>, factor: u64) -> Vec<u8> {
    let mut carry = 0u128;
    for digit in digits.iter_mut().rev() {
        carry += u128::from(*digit) * u128::from(factor);
        *digit = (carry % 10) as u8;
        carry /= 10;
    }
    let mut head: Vec<u8> = Vec::new();
    while carry > 0 {
        head.push((carry % 10) as u8);
        carry /= 10;
    }
    head.reverse();
    head.extend(digits);
    head
}

fn divide_digits(digits: &[u8], divisor: u32) -> (Vec<u8>, u32) {
    let mut remainder = 0;
    let step = |digit: &u8| {
        let value = remainder * 10 + u32::from(*digit);
        remainder = value % divisor;
        (value / divisor) as u8
    };
    let quotient: Vec<u8> = digits.iter().map(step).skip_while(|digit| *digit == 0).collect();
    (quotient, remainder)
}
