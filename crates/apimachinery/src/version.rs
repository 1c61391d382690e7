//! The order of API versions and of resource versions, and the version numbers of programs.
//! Go: `k8s.io/apimachinery/pkg/version`, `k8s.io/apimachinery/pkg/util/resourceversion` and
//! `k8s.io/apimachinery/pkg/util/version`.
//!
//! ```
//! use pintle_apimachinery::version::{compare_kube_versions, compare_resource_versions};
//! use std::cmp::Ordering;
//!
//! let mut versions = ["v1beta1", "v10", "foo1", "v2", "v1alpha2", "v11alpha2"];
//! versions.sort_by(|a, b| compare_kube_versions(b, a)); // the best first
//! assert_eq!(versions, ["v10", "v2", "v1beta1", "v11alpha2", "v1alpha2", "foo1"]);
//!
//! assert_eq!(compare_resource_versions("999", "1000")?, Ordering::Less);
//! # Ok::<(), pintle_apimachinery::ParseError>(())
//! ```

use std::cmp::Ordering;

use crate::parse_error::ParseError;

mod number;
pub use self::number::Version;

/// How stable a version is, the least first.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Stability {
    Alpha,
    Beta,
    General,
}

/// Compares two API versions, the greater being the preferred one: `v2` > `v1` > `v1beta2` > `v1beta1` >
/// `v3alpha1`, and all of these > other names, which are the greater the earlier they are in the alphabet.
/// Go: `CompareKubeAwareVersionStrings`.
pub fn compare_kube_versions(a: &str, b: &str) -> Ordering {
    match (kube_version(a), kube_version(b)) {
        (Some(a), Some(b)) => a.cmp(&b),
        (None, None) => b.cmp(a),
        (a, b) => a.is_some().cmp(&b.is_some()),
    }
}

/// Stability, major and minor number of `v1`, `v1beta2` or `v1alpha3`; `None` for anything else.
fn kube_version(version: &str) -> Option<(Stability, i64, i64)> {
    let number = |text: &str| -> Option<i64> {
        let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if plain { text.parse().ok() } else { None }
    };
    let rest = version.strip_prefix('v')?;
    let stages = [("alpha", Stability::Alpha), ("beta", Stability::Beta)];
    for (name, stability) in stages {
        if let Some((major, minor)) = rest.split_once(name) {
            return Some((stability, number(major)?, number(minor)?));
        }
    }
    Some((Stability::General, number(rest)?, 0))
}

/// Compares two resource versions of the same resource, which may have any number of digits.
/// Go: `CompareResourceVersion`.
///
/// # Errors
/// `resource version is not well formed: ...` for a text that is not a decimal number, is `0`, or begins
/// with a zero.
pub fn compare_resource_versions(a: &str, b: &str) -> Result<Ordering, ParseError> {
    for version in [a, b] {
        let digits = version.bytes().all(|byte| byte.is_ascii_digit());
        if version.is_empty() || version.starts_with('0') || !digits {
            return Err(ParseError::new(format!("resource version is not well formed: {version}")));
        }
    }
    Ok(a.len().cmp(&b.len()).then_with(|| a.cmp(b)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use Ordering::{Equal, Greater, Less};

    // Go: TestCompareKubeAwareVersionStrings
    #[test]
    fn kube_versions() {
        #[track_caller]
        fn check(a: &str, b: &str, expect: Ordering) {
            assert_eq!(compare_kube_versions(a, b), expect, "{a} {b}");
            assert_eq!(compare_kube_versions(b, a), expect.reverse(), "{b} {a}");
        }
        for (a, b) in
            [("v1", "v1"), ("v01", "v1"), ("v01beta1", "v1beta01"), ("foo", "foo"), ("", "")]
        {
            check(a, b, Equal);
        }
        for (a, b) in [
            ("v1", "v2"),
            ("v2", "v10"),
            ("v12alpha1", "v11beta1"),
            ("v1beta1", "v1"),
            ("v2beta1", "v1"),
            ("v3beta1", "v10"),
            ("v1alpha1", "v1alpha2"),
            ("v1alpha2", "v1alpha10"),
            ("v1alpha10", "v2alpha1"),
            ("v1alpha10", "v2"),
            ("v1alpha10", "v1beta1"),
            ("v1beta9", "v1beta10"),
            ("foo10", "foo1"),
            ("foo2", "foo10"),
            ("version", "v1alpha1"),
            ("v", "v1alpha1"),
            ("v1gamma1", "v1alpha1"),
            ("v1alpha", "v1alpha1"),
            ("valpha1", "v1alpha1"),
            ("v1alpha1beta1", "v1alpha1"),
            ("v1.0", "v1alpha1"),
            ("V1", "v1alpha1"),
            ("v+1", "v1alpha1"),
            ("v1 ", "v1alpha1"),
            ("v99999999999999999999", "v1alpha1"),
            ("v1alpha99999999999999999999", "v1alpha1"),
            ("foo", "bar"),
            ("a", ""),
        ] {
            check(a, b, Less);
        }
    }

    // Go: TestCompareResourceVersion
    #[test]
    fn resource_versions() {
        #[track_caller]
        fn check(a: &str, b: &str, expect: Result<Ordering, &str>) {
            let expect =
                expect.map_err(|version| format!("resource version is not well formed: {version}"));
            assert_eq!(compare_resource_versions(a, b).map_err(|e| e.to_string()), expect);
        }
        check("1", "1", Ok(Equal));
        check("1", "2", Ok(Less));
        check("2", "1", Ok(Greater));
        check("9", "10", Ok(Less));
        check("100", "99", Ok(Greater));
        check("18446744073709551615", "18446744073709551616", Ok(Less));
        check(
            "340282366920938463463374607431768211456",
            "340282366920938463463374607431768211455",
            Ok(Greater),
        );
        check(
            "999999999999999999999999999999999999999",
            "1000000000000000000000000000000000000000",
            Ok(Less),
        );
        check("0", "1", Err("0"));
        check("1", "0", Err("0"));
        check("", "", Err(""));
        check("01", "1", Err("01"));
        check("1", "-1", Err("-1"));
        check("+1", "1", Err("+1"));
        check("a", "b", Err("a"));
        check("1", "1a", Err("1a"));
        check("1", " 1", Err(" 1"));
        check("1", "１", Err("１"));
    }
}
