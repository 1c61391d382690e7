//! [`Bytes`]: a shared byte string that may be nil.
use super::List;

/// A Go `[]byte`: nil (the default) or bytes, eight bytes in place, shared on clone.
///
/// `Debug` prints only the length: these are where Secrets keep their values.
///
/// ```
/// use pintle_apimachinery::Bytes;
/// let key = Bytes::from("secret");
/// assert_eq!(&*key, b"secret");
/// assert!(!format!("{key:?}").contains("secret"));
/// assert!(Bytes::default().is_nil() && key.clone().ptr_eq(&key));
/// ```
#[derive(Clone, Default, PartialEq, Eq, Hash)]
#[repr(transparent)]
pub struct Bytes(List<u8>);

impl Bytes {
    /// The nil byte string.
    pub const fn new() -> Self {
        Bytes(List::new())
    }
    /// Whether it is nil, not merely empty.
    pub fn is_nil(&self) -> bool {
        self.0.is_nil()
    }
    /// The bytes.
    pub fn as_slice(&self) -> &[u8] {
        self.0.as_slice()
    }
    /// Whether both share the same bytes in memory.
    pub fn ptr_eq(&self, other: &Self) -> bool {
        self.0.ptr_eq(&other.0)
    }
}
impl std::ops::Deref for Bytes {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        self.as_slice()
    }
}
impl AsRef<[u8]> for Bytes {
    fn as_ref(&self) -> &[u8] {
        self
    }
}
impl From<&[u8]> for Bytes {
    fn from(b: &[u8]) -> Self {
        Bytes(b.into())
    }
}
impl From<Vec<u8>> for Bytes {
    fn from(b: Vec<u8>) -> Self {
        Bytes(b.into())
    }
}
impl From<&str> for Bytes {
    fn from(s: &str) -> Self {
        Bytes(s.as_bytes().into())
    }
}
impl From<String> for Bytes {
    fn from(s: String) -> Self {
        Bytes(s.into_bytes().into())
    }
}
impl std::fmt::Debug for Bytes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "<{} bytes>", self.len())
    }
}
