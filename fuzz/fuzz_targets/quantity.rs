//! Quantities: what is read is written, and read again as the same; arithmetic never panics and keeps its laws.
#![no_main]
use libfuzzer_sys::fuzz_target;
use pintle_apimachinery::Quantity;

fuzz_target!(|input: (&str, &str, i64, i8)| {
    let (a, b, factor, scale) = input;
    let _ = Quantity::from_json(a);
    let (Ok(a), Ok(b)) = (a.parse::<Quantity>(), b.parse::<Quantity>()) else { return };
    let again: Quantity = a.as_str().parse().expect("reads what it wrote");
    assert!(again == a && again.same_text(&a));
    let sum = a.clone() + &b;
    assert_eq!(sum, b.clone() + &a);
    // Amounts that are far apart are as good as the larger one.
    let near = |q: &Quantity| !q.as_str().trim_end_matches('E').contains(['e', 'E']);
    if near(&a) && near(&b) {
        assert_eq!(sum - &b, a);
    }
    assert_eq!((a.clone() - &b).sign(), a.cmp(&b) as i32);
    let _ = (a.value(), a.milli_value(), a.as_i64(), a.as_f64_approx(), a.cmp_i64(factor));
    let _ = a.clone() * factor;
    let mut rounded = a.clone();
    let exact = rounded.round_up(scale.into());
    assert_eq!(exact, rounded == a);
});
