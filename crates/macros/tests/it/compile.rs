//! Misuse is a compile error that says what to write. `TRYBUILD=overwrite` writes the expectations.

#[test]
fn misuse() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
