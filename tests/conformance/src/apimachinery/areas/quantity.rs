//! Quantities: parse, print, compare, add, subtract, multiply, round, scale.
use super::leaf::quantity::plain;
use crate::apimachinery::area::{Answer, Area, Case, differences};
use crate::apimachinery::rng::Rng;
use serde_json::{Value, json};

pub(crate) struct Quantities;

const DIGITS: &[&str] = &["0", "0", "0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];
const PIECES: &[&str] = &[
    "0", "1", "5", "9", ".", "-", "+", "e", "E", "i", "n", "u", "m", "k", "K", "M", "G", "T", "P",
    " ", "x", "é",
];
const SUFFIXES: &[&str] =
    &["", "n", "u", "m", "k", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];

fn text(rng: &mut Rng) -> String {
    let mut out = (*rng.pick(&["", "", "", "", "-", "+"])).to_owned();
    let whole = *rng.pick(&[1, 2, 3, 4, 6, 10, 18, 19, 20, 25, 45]);
    out += &rng.text(DIGITS, whole);
    if rng.chance(33) {
        out.push('.');
        let fraction = *rng.pick(&[0, 1, 2, 3, 3, 6, 9, 10, 12, 25]);
        out += &rng.text(DIGITS, fraction);
    }
    match rng.below(12) {
        0 | 1 => {}
        2 => {
            out += *rng.pick(&["e", "E"]);
            out += *rng.pick(&["", "", "-", "+"]);
            out += &rng.text(DIGITS, 2);
        }
        _ => out += *rng.pick(SUFFIXES),
    }
    if rng.chance(15) {
        out = rng.mutate(&out, PIECES);
    }
    // Go writes out all zeros of a number with such an exponent, or forgets its upper half.
    let exponent = out.rfind(['e', 'E']).map_or("", |i| &out[i + 1..]);
    match exponent.bytes().filter(u8::is_ascii_digit).count() {
        4..20 => "1e5".into(),
        _ => out,
    }
}

impl Area for Quantities {
    fn name(&self) -> &'static str {
        "quantity"
    }

    fn generate(&self, rng: &mut Rng) -> Case {
        match rng.below(8) {
            0 | 1 => Case::new("quantity.parse", text(rng)),
            2 | 3 => {
                let factor = if rng.chance(50) { rng.integer() } else { rng.between(-20, 80) };
                let scale = if rng.chance(80) { rng.between(-9, 9) } else { rng.between(-20, 30) };
                let input = json!({"text": text(rng), "factor": factor, "scale": scale});
                Case::new("quantity.operations", input)
            }
            4 | 5 => {
                let a = text(rng);
                let b = if rng.chance(5) { a.clone() } else { text(rng) };
                Case::new("quantity.arithmetic", json!([a, b]))
            }
            6 => {
                let inner = text(rng);
                let odd = [
                    "null",
                    "true",
                    "{}",
                    "\"",
                    "\"\"",
                    "\"\\u0031\"",
                    "1.5e3",
                    "\"\u{a0}5\u{2003}\"",
                ];
                Case::new(
                    "quantity.json",
                    match rng.below(6) {
                        0 => inner,
                        1 => format!("\" {inner}\""),
                        2 => format!("\"{inner}"),
                        3 => (*rng.pick(&odd)).to_owned(),
                        _ => format!("\"{inner}\""),
                    },
                )
            }
            _ => {
                let input = json!({"value": rng.integer(), "scale": rng.between(-9, 18)});
                Case::new("quantity.new", input)
            }
        }
    }

    fn ours(&self, case: &Case) -> Answer {
        super::leaf_answer(case)
    }

    fn deliberate(&self, case: &Case, ours: &Answer, go: &Answer) -> Option<&'static str> {
        const NO_SUFFIX: &str =
            "Go has no suffix for amounts of 1e21 (binary: 1024Ei) and more, and drops it";
        let (Ok(a), Ok(b)) = (ours, go) else { return None };
        if case.function == "quantity.json" {
            let number = |v: &Value| v.as_str().map(|s| plain(s.trim_matches(['"', ' '])));
            let exact = number(&case.input)?;
            return (number(a)? == exact && number(b)? != exact).then_some(NO_SUFFIX);
        }
        let mut reason = None;
        for (path, ours, theirs) in differences(a, b) {
            // The exact amount is never in question: Go says it, too.
            let (parent, name) = path.rsplit_once('.')?;
            let holder = parent.strip_prefix('.').map_or(b, |parent| &b[parent]);
            let exact = holder["decimal"].as_str()?;
            reason = Some(match name {
                "canonical" | "text" => {
                    let (ours, theirs) = (ours.as_str()?, theirs.as_str()?);
                    if plain(ours) != exact {
                        return None;
                    }
                    match (theirs, plain(theirs) == exact) {
                        ("-8Ei", true) => {
                            "-8Ei is read as one more than -2^63, so ours writes the number"
                        }
                        (_, true) => return None,
                        (_, false) => NO_SUFFIX,
                    }
                }
                "value" | "milliValue" | "scaled" => {
                    let scale = match name {
                        "value" => 0,
                        "milliValue" => -3,
                        _ => case.input["scale"].as_i64()?,
                    };
                    let (right, fits) = rounded(exact, scale)?;
                    if ours.as_i64()? != right {
                        return None;
                    }
                    match fits {
                        false => "beyond 64 bits Go wraps around or gives 0; ours saturates",
                        true => {
                            "Go wraps around on the way, or adds one to some negative fractions"
                        }
                    }
                }
                "int" => {
                    let right = rounded(exact, 0).filter(|(_, fits)| *fits && !exact.contains('.'));
                    if ours.as_i64()? != right?.0 || !theirs.is_null() {
                        return None;
                    }
                    "Go's AsInt64 depends on how the amount came about; ours finds every integer that fits"
                }
                "float" | "approximate" | "slow" => {
                    let nearest: f64 = exact.parse().ok()?;
                    // JSON has no infinity, so both write null for it.
                    if ours.as_f64() != Some(nearest).filter(|f| f.is_finite()) {
                        return None;
                    }
                    "Go's floats may be off in the last digit; ours is the nearest"
                }
                _ => return None,
            });
        }
        reason
    }
}

/// A plain decimal in units of 10^`scale`, rounded away from zero and held within 64 bits; and
/// whether it fits.
fn rounded(decimal: &str, scale: i64) -> Option<(i64, bool)> {
    let negative = decimal.starts_with('-');
    let number = decimal.trim_start_matches('-');
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits = format!("{whole}{fraction}");
    let point = whole.len() as i64 - scale;
    let (kept, lost) = match usize::try_from(point) {
        Err(_) => ("0".to_owned(), digits.as_str()),
        Ok(point) if point >= digits.len() => {
            (format!("{digits}{}", "0".repeat(point - digits.len())), "")
        }
        Ok(point) => (digits[..point].to_owned(), &digits[point..]),
    };
    let up = i128::from(lost.bytes().any(|b| b != b'0'));
    let kept = kept.trim_start_matches('0');
    let bound = if negative { i64::MIN } else { i64::MAX };
    if kept.len() > 30 {
        return Some((bound, false));
    }
    let value = if kept.is_empty() { 0 } else { kept.parse::<i128>().ok()? } + up;
    let value = if negative { -value } else { value };
    Some(i64::try_from(value).map_or((bound, false), |v| (v, true)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_notation() {
        #[track_caller]
        fn check(text: &str, expect: &str) {
            assert_eq!(plain(text), expect);
        }
        check("0", "0");
        check("-0", "0");
        check("1500m", "1.5");
        check("-5n", "-0.000000005");
        check("1.5Ki", "1536");
        check("2Ei", "2305843009213693952");
        check("1e21", "1000000000000000000000");
        check("25e-1", "2.5");
        check("+05", "5");
        check("5.", "5");
        check("120k", "120000");
    }

    #[test]
    fn rounding() {
        assert_eq!(rounded("1.5", 0), Some((2, true)));
        assert_eq!(rounded("-1.5", 0), Some((-2, true)));
        assert_eq!(rounded("0.0001", -3), Some((1, true)));
        assert_eq!(rounded("12345", 3), Some((13, true)));
        assert_eq!(rounded("1", 9), Some((1, true)));
        assert_eq!(rounded("9223372036854775808", 0), Some((i64::MAX, false)));
        assert_eq!(rounded("-9223372036854775808", 0), Some((i64::MIN, true)));
    }
}
