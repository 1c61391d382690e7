//! What ours says of quantities to the questions of `internal/answer/leaf.go`, in the shape of Go's answers.

use super::Answer;
use pintle_apimachinery::{Quantity, QuantityFormat};
use serde_json::{Value, json};

/// Our answer to a question; `None` if it is not one of these.
pub(crate) fn answer(function: &str, input: &Value) -> Option<Answer> {
    function.starts_with("quantity.").then(|| of_quantities(function, input))
}

fn of_quantities(function: &str, input: &Value) -> Answer {
    let parse = |text: &Value| {
        Quantity::parse(text.as_str().unwrap_or_default()).map_err(|e| e.to_string())
    };
    let number = |name: &str| input[name].as_i64().unwrap_or_default();
    let scale = number("scale") as i32;
    Ok(match function {
        "quantity.parse" => {
            let q = parse(input)?;
            json!({
                "canonical": q.as_str(), "format": format!("{:?}", q.format()), "sign": q.sign(),
                "value": q.value(), "milliValue": q.milli_value(), "float": q.as_f64_approx(),
                "decimal": plain(q.as_str()),
            })
        }
        "quantity.operations" => {
            let q = parse(&input["text"])?;
            let mut rounded = q.clone();
            let exact = rounded.round_up(scale);
            let factor = number("factor");
            json!({
                "decimal": plain(q.as_str()),
                "negated": written(&-q.clone()),
                "rounded": written(&rounded),
                "exact": exact,
                "multiplied": written(&(q.clone() * factor)),
                "scaled": q.scaled_value(scale),
                "compare": q.cmp_i64(factor) as i32,
                "zero": q.is_zero(),
                "int": q.as_i64(),
                "slow": q.as_f64_approx(),
                "approximate": q.as_f64_approx(),
            })
        }
        "quantity.arithmetic" => {
            let (a, b) = (parse(&input[0])?, parse(&input[1])?);
            let (sum, difference) = (a.clone() + &b, a.clone() - &b);
            json!({
                "sum": written(&sum),
                "difference": written(&difference),
                "doubled": written(&(sum.clone() + &sum)),
                "compare": a.cmp(&b) as i32,
                "equal": a == b,
            })
        }
        "quantity.json" => {
            let q = Quantity::from_json(input.as_str().unwrap_or_default());
            format!("\"{}\"", q.map_err(|e| e.to_string())?).into()
        }
        "quantity.new" => {
            use QuantityFormat::{BinarySI, DecimalExponent, DecimalSI};
            let value = number("value");
            json!({
                "scaled": written(&Quantity::from_scaled(value, scale)),
                "binary": written(&Quantity::from_i64(value, BinarySI)),
                "decimal": written(&Quantity::from_i64(value, DecimalSI)),
                "milli": written(&Quantity::from_milli(value, BinarySI)),
                "exponent": written(&Quantity::from_milli(value, DecimalExponent)),
            })
        }
        _ => return Err(format!("no function {function}")),
    })
}

fn written(q: &Quantity) -> Value {
    json!({"text": q.as_str(), "format": format!("{:?}", q.format()), "decimal": plain(q.as_str())})
}

/// The number that a canonical text means in plain notation, found without the crate's help.
pub(crate) fn plain(text: &str) -> String {
    let end = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
    let (number, suffix) = text.split_at(end);
    let negative = number.starts_with('-');
    let number = number.trim_start_matches(['-', '+']);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let mut digits: Vec<u8> = whole.bytes().chain(fraction.bytes()).map(|b| b - b'0').collect();
    let binary = ["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"].iter().position(|s| *s == suffix);
    for _ in 0..binary.map_or(0, |i| i + 1) {
        let mut carry = 0;
        for digit in digits.iter_mut().rev() {
            carry += u32::from(*digit) * 1024;
            *digit = (carry % 10) as u8;
            carry /= 10;
        }
        while carry > 0 {
            digits.insert(0, (carry % 10) as u8);
            carry /= 10;
        }
    }
    let power: i64 = match suffix {
        "n" => -9,
        "u" => -6,
        "m" => -3,
        "k" => 3,
        "M" => 6,
        "G" => 9,
        "T" => 12,
        "P" => 15,
        "E" => 18,
        _ => suffix.strip_prefix(['e', 'E']).map_or(0, |e| e.parse().unwrap_or(0)),
    };
    let point = digits.len() as i64 - fraction.len() as i64 + power;
    let mut out: String = digits.iter().map(|d| char::from(b'0' + d)).collect();
    if point <= 0 {
        out.insert_str(0, &"0".repeat(1 + point.unsigned_abs() as usize));
    } else if point > out.len() as i64 {
        out += &"0".repeat(point as usize - out.len());
    }
    let at = point.max(1) as usize;
    let (whole, fraction) = out.split_at(at);
    let whole = whole.trim_start_matches('0');
    let fraction = fraction.trim_end_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    let sign = if negative && (whole, fraction) != ("0", "") { "-" } else { "" };
    let dot = if fraction.is_empty() { "" } else { "." };
    format!("{sign}{whole}{dot}{fraction}")
}
