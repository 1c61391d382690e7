//! Quantities against Go's answers, the deliberate differences, and laws over random amounts.
//! Go: `pkg/api/resource/{quantity,amount,math,scale_int}_test.go`.

use super::*;
use crate::parse_error::{cases, random};

#[track_caller]
fn q(text: &str) -> Quantity {
    text.parse().unwrap_or_else(|error| panic!("{text:?}: {error}"))
}

fn answer(operation: &str, arguments: &[String]) -> Result<Vec<String>, ParseError> {
    let number = |i: usize| arguments[i].parse::<i64>().unwrap();
    Ok(match operation {
        "parse" => {
            let (one, factor) = (Quantity::parse(&arguments[0])?, number(1));
            assert!(one.same_text(&Quantity::parse_shared(&Str::new(&arguments[0]))?));
            let (mut whole, mut kilo) = (one.clone(), one.clone());
            let exact = whole.round_up(0);
            kilo.round_up(Quantity::KILO);
            let (mantissa, power) = {
                let float = format!("{:e}", one.as_f64_approx());
                let (mantissa, power) = float.split_once('e').unwrap();
                (mantissa.to_owned(), power.parse::<i32>().unwrap())
            };
            vec![
                one.to_string(),
                format!("{:?}", one.format()),
                one.sign().to_string(),
                (-one.clone()).to_string(),
                whole.to_string(),
                exact.to_string(),
                kilo.to_string(),
                (one.clone() * factor).to_string(),
                one.value().to_string(),
                one.milli_value().to_string(),
                one.scaled_value(Quantity::GIGA).to_string(),
                format!("{mantissa}e{}{:02}", if power < 0 { '-' } else { '+' }, power.abs()),
                (one.cmp_i64(factor) as i32).to_string(),
            ]
        }
        "arithmetic" => {
            let (a, b) = (Quantity::parse(&arguments[0])?, Quantity::parse(&arguments[1])?);
            let (sum, difference) = (a.clone() + &b, a.clone() - &b);
            vec![
                sum.to_string(),
                difference.to_string(),
                (a.cmp(&b) as i32).to_string(),
                format!("{:?}", sum.format()),
                format!("{:?}", difference.format()),
                (difference + &b).to_string(),
                (sum.clone() + &sum).to_string(),
            ]
        }
        "json" => vec![format!("\"{}\"", Quantity::from_json(&arguments[0])?)],
        "new" => vec![
            Quantity::from_scaled(number(0), number(1) as i32).to_string(),
            Quantity::from_i64(number(0), QuantityFormat::BinarySI).to_string(),
            Quantity::from_milli(number(0), QuantityFormat::BinarySI).to_string(),
            Quantity::from_milli(number(0), QuantityFormat::DecimalExponent).to_string(),
        ],
        _ => panic!("unknown operation {operation}"),
    })
}

#[test]
fn agrees_with_go() {
    let cases = cases(include_str!("../../testdata/leaf/quantity.jsonl"));
    assert!(cases.len() > 350);
    for (operation, arguments, expect) in cases {
        let got =
            answer(&operation, &arguments).unwrap_or_else(|error| vec![format!("error: {error}")]);
        assert_eq!(got, expect, "{operation} {arguments:?}");
    }
}

#[test]
fn saturates_where_go_wraps() {
    #[track_caller]
    fn check(text: &str, value: i64, milli: i64) {
        assert_eq!((q(text).value(), q(text).milli_value()), (value, milli));
    }
    check("9223372036854775808", i64::MAX, i64::MAX);
    check("-9223372036854775809", i64::MIN, i64::MIN);
    check("1E", 1_000_000_000_000_000_000, i64::MAX);
    check("10E", i64::MAX, i64::MAX);
    check("8Ei", i64::MAX, i64::MAX);
    check("1e99", i64::MAX, i64::MAX);
    check("1e2147483647", i64::MAX, i64::MAX);
    check("-1e99", i64::MIN, i64::MIN);
    check("-0.1n", -1, -1);
    check("-0.5Ki", -512, -512_000);
    assert_eq!(q("1e99").as_i64(), None);
    assert_eq!(q("1000m").as_i64(), Some(1));
    assert_eq!(q("1001m").as_i64(), None);
}

#[test]
fn writes_what_has_no_suffix() {
    #[track_caller]
    fn check(quantity: Quantity, text: &str, format: QuantityFormat) {
        assert_eq!((quantity.as_str(), quantity.format()), (text, format));
        assert_eq!(quantity, q(text), "reads back as the same number");
    }
    use QuantityFormat::{BinarySI, DecimalExponent, DecimalSI};
    check(q("1000E"), "1e21", DecimalSI);
    check(q("1000E") - &q("999E"), "1E", DecimalSI);
    check(q("1E") * 1000, "1e21", DecimalSI);
    check(q("4Ei") + &q("3Ei"), "7Ei", BinarySI);
    check(Quantity::from_i64(i64::MIN, BinarySI), "-9223372036854775808", BinarySI);
    check(Quantity::from_i64(512, BinarySI) + &q("512"), "1Ki", BinarySI);
    check(q("0.5Ki") + &q("0.5Ki"), "1Ki", BinarySI);
    check(q("10e-1") + &q("999"), "1e3", DecimalExponent);
    check(Quantity::from_scaled(1, -12), "1n", DecimalSI);
    check(Quantity::from_scaled(-1, -12), "-1n", DecimalSI);
    assert_eq!((q("1Ei") * 2048).to_string(), "2048Ei");
}

#[test]
fn exponents_are_bounded() {
    for text in ["1e2147483648", "1e4294967296", "1e-2147483649", "1e9223372036854775808"] {
        let error = text.parse::<Quantity>().unwrap_err().to_string();
        assert_eq!(error, "unable to parse quantity's suffix", "{text}");
    }
    let huge = q("1e2147483646");
    assert_eq!((huge.clone() + &q("1")).as_str(), "1e2147483646");
    assert_eq!((q("1Ki") + &huge).as_str(), "1e2147483646");
    assert_eq!((-huge.clone()).cmp(&q("-1")), Ordering::Less);
    assert_eq!(q("1234567890123456789e2147483646"), huge.clone() * 1_234_567_890_123_456_789);
    assert_eq!(huge.as_f64_approx(), f64::INFINITY);
    assert_eq!(q("1e-2147483646").as_str(), "1e-9");
}

#[test]
fn zero_and_default() {
    let unset = Quantity::default();
    assert!(unset.is_unset() && unset.is_zero() && !q("0").is_unset());
    assert_eq!((unset.as_str(), unset.clone()), ("0", q("0")));
    assert_eq!((unset.clone() + &q("1Ki")).as_str(), "1Ki");
    assert_eq!(["100m", "1", "1Ki"].map(q).iter().sum::<Quantity>().as_str(), "1025100m");
    assert_eq!(std::mem::size_of::<Option<Quantity>>(), 8);
}

#[test]
fn equality_is_numeric() {
    use std::collections::HashSet;
    let equal: HashSet<Quantity> =
        ["1k", "1e3", "1000", "+1000", "1000000m", "1000.0"].map(q).into();
    assert_eq!(equal.len(), 1);
    assert!(!q("1k").same_text(&q("1e3")));
    assert!(q("1Ki") > q("1k") && q("-1Ki") < q("-1k"));
}

/// A text of a number, often with more digits than 64 and 128 bits hold.
fn random_text(random: &mut impl FnMut(u64) -> u64) -> String {
    let mut text = ["", "-"][random(2) as usize].to_owned();
    for _ in 0..=[2, 5, 18, 40, 60][random(5) as usize] {
        text.push(char::from(b'0' + random(10) as u8));
    }
    if random(3) == 0 {
        text.push('.');
        (0..random(9)).for_each(|_| text.push(char::from(b'0' + random(10) as u8)));
    }
    text + ["", "m", "k", "M", "G", "e3", "e-2", "E", "u", "n"][random(10) as usize]
}

#[test]
fn laws_hold() {
    let mut random = random(0x9E37_79B9);
    for _ in 0..4000 {
        let [a, b, c] = [(); 3].map(|()| q(&random_text(&mut random)));
        assert_eq!(a.clone() + &b, b.clone() + &a, "{a} {b}");
        assert_eq!((a.clone() + &b) - &b, a, "{a} {b}");
        assert_eq!((a.clone() + &b) + &c, a.clone() + &(b.clone() + &c), "{a} {b} {c}");
        assert_eq!(a.clone() + &a, a.clone() * 2, "{a}");
        assert_eq!(a.cmp(&b), (a.clone() - &b).sign().cmp(&0), "{a} {b}");
        assert_eq!(q(a.as_str()), a, "{a} reads back");
        assert_eq!(q(a.as_str()).as_str(), a.as_str(), "canonical is stable");
        let mut rounded = a.clone();
        let exact = rounded.round_up(0);
        assert_eq!(exact, rounded == a, "{a}");
        assert!(if a.sign() < 0 { rounded <= a } else { rounded >= a }, "{a}");
        let factor = random(1 << 30) as i64 - (1 << 29);
        assert_eq!(
            (a.clone() + &b) * factor,
            a.clone() * factor + &(b.clone() * factor),
            "{a} {b} {factor}"
        );
    }
}
