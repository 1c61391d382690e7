//! Version numbers of programs. Go: `k8s.io/apimachinery/pkg/util/version`.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use crate::parse_error::{ParseError, quote};

/// The version of a program, such as `v1.37.2` or `1.37.0-alpha.3+d34db33f`: semantic (see
/// <https://semver.org>), or only numbers with anything after them, which is then forgotten.
///
/// Versions are compared by their numbers, where a missing number is 0, and two semantic ones also
/// by what comes before a release. Build metadata does not count. So equality is not that of the
/// text, and there is no `Hash`.
///
/// ```
/// use pintle_apimachinery::version::Version;
/// let server = Version::parse("v1.37.2-gke.100")?;
/// assert_eq!((server.major(), server.minor(), server.patch()), (1, 37, 2));
/// assert!(server.at_least(&Version::major_minor(1, 37)));
/// assert!(server < Version::parse_semantic("1.37.2")?);
/// assert!(Version::parse_semantic("1.37").is_err());
/// assert_eq!(Version::parse_generic("1.37")?, Version::parse_generic("1.37.0.0")?);
/// # Ok::<(), pintle_apimachinery::ParseError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Version {
    components: Vec<u64>,
    semantic: bool,
    pre_release: String,
    build_metadata: String,
}

impl Version {
    /// Reads a semantic version; white space around it and a `v` before it are fine.
    /// Go: `ParseSemantic`.
    ///
    /// # Errors
    /// With Go's message if it is not one.
    pub fn parse_semantic(text: &str) -> Result<Version, ParseError> {
        parse(text, true)
    }

    /// Reads two or more numbers with dots between them, and ignores what follows. White space
    /// before them and a `v` are fine. Go: `ParseGeneric`.
    ///
    /// # Errors
    /// With Go's message if there are not that many, or the first begins with a zero.
    pub fn parse_generic(text: &str) -> Result<Version, ParseError> {
        parse(text, false)
    }

    /// Reads a semantic version, or else a generic one. Go: `Parse`.
    ///
    /// # Errors
    /// As [`parse_generic`](Self::parse_generic).
    pub fn parse(text: &str) -> Result<Version, ParseError> {
        parse(text, true).or_else(|_| parse(text, false))
    }

    /// Reads a generic version and keeps its first two numbers. Go: `ParseMajorMinor`.
    ///
    /// # Errors
    /// As [`parse_generic`](Self::parse_generic).
    pub fn parse_major_minor(text: &str) -> Result<Version, ParseError> {
        let version = parse(text, false)?;
        Ok(Version::major_minor(version.major(), version.minor()))
    }

    /// A version of two numbers. Go: `MajorMinor`.
    pub fn major_minor(major: u64, minor: u64) -> Version {
        Version {
            components: vec![major, minor],
            semantic: false,
            pre_release: String::new(),
            build_metadata: String::new(),
        }
    }

    /// The highest of several versions, of which those with a major number above 1 and those that
    /// cannot be read do not count. Go: `HighestSupportedVersion`.
    ///
    /// # Errors
    /// If there is none, or its major number is 0.
    pub fn highest_supported(versions: &[&str]) -> Result<Version, ParseError> {
        if versions.is_empty() {
            return Err(ParseError::new("empty array for supported versions"));
        }
        let mut highest: Option<Version> = None;
        let mut problem = None;
        for text in versions.iter().rev() {
            match parse(text, false) {
                Err(error) => problem = Some(error),
                Ok(version) if version.major() > 1 => {}
                Ok(version) if highest.as_ref().is_none_or(|highest| *highest < version) => {
                    highest = Some(version);
                }
                Ok(_) => {}
            }
        }
        match highest {
            None => {
                let problem = problem.map_or("<nil>".to_owned(), |problem| problem.to_string());
                Err(ParseError::new(format!(
                    "could not find a highest supported version from versions ([{}]) reported: {problem}",
                    versions.join(" ")
                )))
            }
            Some(version) if version.major() != 1 => Err(ParseError::new(format!(
                "highest supported version reported is {version}, must be v1.x"
            ))),
            Some(version) => Ok(version),
        }
    }

    fn component(&self, i: usize) -> u64 {
        self.components.get(i).copied().unwrap_or(0)
    }

    /// The first number.
    pub fn major(&self) -> u64 {
        self.component(0)
    }

    /// The second number.
    pub fn minor(&self) -> u64 {
        self.component(1)
    }

    /// The third number, or 0.
    pub fn patch(&self) -> u64 {
        self.component(2)
    }

    /// All numbers.
    pub fn components(&self) -> &[u64] {
        &self.components
    }

    /// What follows a hyphen in a semantic version, or nothing.
    pub fn pre_release(&self) -> &str {
        &self.pre_release
    }

    /// What follows a plus sign in a semantic version, or nothing.
    pub fn build_metadata(&self) -> &str {
        &self.build_metadata
    }

    fn with(&self, major: u64, minor: u64, patch: u64) -> Version {
        Version { components: vec![major, minor, patch], ..self.clone() }
    }

    /// The same with another first number; three numbers stay.
    #[must_use]
    pub fn with_major(&self, major: u64) -> Version {
        self.with(major, self.minor(), self.patch())
    }

    /// The same with another second number; three numbers stay.
    #[must_use]
    pub fn with_minor(&self, minor: u64) -> Version {
        self.with(self.major(), minor, self.patch())
    }

    /// The same with another third number; three numbers stay.
    #[must_use]
    pub fn with_patch(&self, patch: u64) -> Version {
        self.with(self.major(), self.minor(), patch)
    }

    /// The same with another pre-release; with an empty one, the same. It is not checked.
    #[must_use]
    pub fn with_pre_release(&self, pre_release: &str) -> Version {
        if pre_release.is_empty() {
            return self.clone();
        }
        let pre_release = pre_release.to_owned();
        Version { pre_release, ..self.with_patch(self.patch()) }
    }

    /// The same with other build metadata. They are not checked.
    #[must_use]
    pub fn with_build_metadata(&self, build_metadata: &str) -> Version {
        let build_metadata = build_metadata.to_owned();
        Version { build_metadata, ..self.with_patch(self.patch()) }
    }

    /// The first two numbers, with so much added to the second; it does not fall below 0, nor (where
    /// Go wraps) rise beyond 64 bits. Go: `OffsetMinor`, `AddMinor`, `SubtractMinor`.
    #[must_use]
    pub fn offset_minor(&self, offset: i64) -> Version {
        Version::major_minor(self.major(), self.minor().saturating_add_signed(offset))
    }

    /// Whether this is not less than the other.
    pub fn at_least(&self, least: &Version) -> bool {
        self.order(least) != Ordering::Less
    }

    /// Compares with a text, read as a semantic version if this is one. Go: `Compare`.
    ///
    /// # Errors
    /// If the text cannot be read.
    pub fn compare(&self, other: &str) -> Result<Ordering, ParseError> {
        Ok(self.order(&parse(other, self.semantic)?))
    }

    fn order(&self, other: &Version) -> Ordering {
        let longest = self.components.len().max(other.components.len());
        let numbers =
            (0..longest).map(|i| self.component(i).cmp(&other.component(i))).find(|o| o.is_ne());
        if let Some(order) = numbers {
            return order;
        }
        if !self.semantic || !other.semantic || self.pre_release == other.pre_release {
            return Ordering::Equal;
        }
        match (self.pre_release.is_empty(), other.pre_release.is_empty()) {
            (true, _) => return Ordering::Greater,
            (_, true) => return Ordering::Less,
            _ => {}
        }
        let (mut a, mut b) = (self.pre_release.split('.'), other.pre_release.split('.'));
        loop {
            match (a.next(), b.next()) {
                (Some(a), Some(b)) => {
                    let order = match (number(a), number(b)) {
                        (Some(a), Some(b)) => a.cmp(&b),
                        _ => a.cmp(b),
                    };
                    if order.is_ne() {
                        return order;
                    }
                }
                (a, b) => return a.is_some().cmp(&b.is_some()),
            }
        }
    }
}

fn digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

fn number(text: &str) -> Option<u64> {
    if digits(text) { text.parse().ok() } else { None }
}

/// What Go's regular expressions take for white space.
fn is_space(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\x0c' | '\r' | ' ')
}

fn parse(text: &str, semantic: bool) -> Result<Version, ParseError> {
    let fail = |message: String| Err(ParseError::new(message));
    let trimmed = text.trim_start_matches(is_space);
    let trimmed = trimmed.strip_prefix('v').unwrap_or(trimmed);
    let mut end = trimmed.bytes().take_while(u8::is_ascii_digit).count();
    // What follows must be on the same line.
    if end == 0 || trimmed.contains('\n') {
        return fail(format!("could not parse {} as version", quote(text)));
    }
    while let Some(rest) = trimmed[end..].strip_prefix('.') {
        match rest.bytes().take_while(u8::is_ascii_digit).count() {
            0 => break,
            more => end += 1 + more,
        }
    }
    let (numbers, extra) = trimmed.split_at(end);
    let parts: Vec<&str> = numbers.split('.').collect();
    if if semantic { parts.len() != 3 } else { parts.len() < 2 } {
        return fail(format!("illegal version string {}", quote(text)));
    }
    let zero_prefixed = |part: &str| part.starts_with('0') && part != "0";
    let zero = |part: &str| {
        fail(format!("illegal zero-prefixed version component {} in {}", quote(part), quote(text)))
    };
    let mut components = Vec::with_capacity(parts.len());
    for (i, part) in parts.into_iter().enumerate() {
        if (i == 0 || semantic) && zero_prefixed(part) {
            return zero(part);
        }
        match part.parse() {
            Ok(number) => components.push(number),
            Err(_) => {
                let part = quote(part);
                return fail(format!(
                    "illegal non-numeric version component {part} in {}: strconv.ParseUint: parsing {part}: value out of range",
                    quote(text)
                ));
            }
        }
    }
    let mut version =
        Version { components, semantic, pre_release: String::new(), build_metadata: String::new() };
    if semantic && !extra.is_empty() {
        let Some((pre_release, build_metadata)) = extras(extra) else {
            return fail(format!(
                "could not parse pre-release/metadata ({extra}) in version {}",
                quote(text)
            ));
        };
        for part in pre_release.split('.').filter(|part| number(part).is_some()) {
            if zero_prefixed(part) {
                return zero(part);
            }
        }
        version.pre_release = pre_release.to_owned();
        version.build_metadata = build_metadata.to_owned();
    }
    Ok(version)
}

/// Pre-release and build metadata: identifiers with dots between them after `-` and `+`, and nothing
/// but white space after them.
fn extras(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_end_matches(is_space);
    let well_formed = |text: &str| {
        let in_identifier = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
        text.split('.').all(|part| !part.is_empty() && part.bytes().all(in_identifier))
    };
    let (pre_release, build_metadata) = match text.split_once('+') {
        Some((pre_release, build)) if well_formed(build) => (pre_release, build),
        Some(_) => return None,
        None => (text, ""),
    };
    let pre_release = match pre_release.strip_prefix('-') {
        Some(pre_release) if well_formed(pre_release) => pre_release,
        None if pre_release.is_empty() => "",
        _ => return None,
    };
    Some((pre_release, build_metadata))
}

impl FromStr for Version {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Version, ParseError> {
        Version::parse(text)
    }
}

/// The numbers, the pre-release and the build metadata; of a generic version only the numbers.
impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, component) in self.components.iter().enumerate() {
            write!(f, "{}{component}", if i > 0 { "." } else { "" })?;
        }
        for (mark, text) in [('-', &self.pre_release), ('+', &self.build_metadata)] {
            if !text.is_empty() {
                write!(f, "{mark}{text}")?;
            }
        }
        Ok(())
    }
}

/// Whether neither is greater. Versions that are not all semantic, or all not, need not be
/// transitive: `1.0.0-a` and `1.0.0-b` both equal the generic `1.0`.
impl PartialEq for Version {
    fn eq(&self, other: &Version) -> bool {
        self.order(other).is_eq()
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Version) -> Option<Ordering> {
        Some(self.order(other))
    }
}
