//! Names made at random. Go: `SimpleNameGenerator` of `k8s.io/apiserver/pkg/storage/names`, `String`
//! and `SafeEncodeString` of `k8s.io/apimachinery/pkg/util/rand`.

/// The characters of made-up names: no vowels and nothing that looks like one, so that no words
/// come of it.
/// Go: `alphanums` of `util/rand`.
pub const NAME_ALPHABET: &str = "bcdfghjklmnpqrstvwxz2456789";

/// How much of `generateName` a name keeps, in bytes: with the suffix it is a DNS label.
const KEPT: usize = 63 - SUFFIX;
const SUFFIX: usize = 5;

/// `length` characters of [`NAME_ALPHABET`], each as likely as any other, from a source of random
/// bits. Go: `rand.String`.
pub fn random_suffix(length: usize, mut random: impl FnMut() -> u64) -> String {
    let letters = NAME_ALPHABET.as_bytes();
    // A source that never gives a number below the limit would not be random; it gets a letter
    // anyway rather than an endless loop.
    let limit = u64::MAX - u64::MAX % letters.len() as u64;
    let mut letter = || {
        let drawn = (0..64).map(|_| random()).find(|n| *n < limit).unwrap_or(0);
        char::from(letters[(drawn % letters.len() as u64) as usize])
    };
    (0..length).map(|_| letter()).collect()
}

/// A name from `metadata.generateName`: at most 58 bytes of it (never part of a character, where Go
/// cuts anywhere) and five random characters.
///
/// ```
/// use pintle_apimachinery::util::generate_name;
/// let mut state = 1_u64;
/// let name = generate_name("web-", || {
///     state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
///     state
/// });
/// assert!(name.starts_with("web-") && name.len() == 9);
/// ```
pub fn generate_name(base: &str, random: impl FnMut() -> u64) -> String {
    let mut kept = base.len().min(KEPT);
    while !base.is_char_boundary(kept) {
        kept -= 1;
    }
    format!("{}{}", &base[..kept], random_suffix(SUFFIX, random))
}

/// The text with each character replaced by one of [`NAME_ALPHABET`], as for the hash in the name
/// of a ReplicaSet. Go: `SafeEncodeString`.
///
/// ```
/// assert_eq!(pintle_apimachinery::util::safe_encode("1234567890"), "56789bcdf4");
/// ```
pub fn safe_encode(text: &str) -> String {
    let letters = NAME_ALPHABET.as_bytes();
    text.chars().map(|c| char::from(letters[c as usize % letters.len()])).collect()
}
