use super::*;
#[test]
fn smoke() {
    assert_eq!("0.5Ki".parse::<Quantity>().unwrap().as_str(), "512");
}
