//! Interim.
use std::fmt;
use std::num::NonZeroI64;
const OFF: i64 = 62_135_596_801;
/// Time.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(NonZeroI64);
impl Default for Time {
    fn default() -> Self {
        Time(NonZeroI64::MIN.max(NonZeroI64::new(1).unwrap()))
    }
}
impl Time {
    /// .
    pub fn from_unix(s: i64) -> Self {
        Time(NonZeroI64::new(s.saturating_add(OFF)).unwrap_or(NonZeroI64::new(2).unwrap()))
    }
    /// .
    pub fn unix(&self) -> i64 {
        self.0.get() - OFF
    }
    /// .
    pub fn is_zero(&self) -> bool {
        *self == Time::default()
    }
    /// .
    pub fn now() -> Self {
        Time::from_unix(jiff::Timestamp::now().as_second())
    }
    /// .
    pub fn parse(s: &str) -> Result<Self, crate::ParseError> {
        s.parse::<jiff::Timestamp>()
            .map(|t| Time::from_unix(t.as_second()))
            .map_err(|e| crate::ParseError::new(e.to_string()))
    }
}
impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_second(self.unix()) {
            Ok(t) => t.fmt(f),
            Err(_) => f.write_str("?"),
        }
    }
}
impl fmt::Debug for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
/// MicroTime.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MicroTime(NonZeroI64);
const MOFF: i64 = OFF * 1_000_000;
impl Default for MicroTime {
    fn default() -> Self {
        MicroTime(NonZeroI64::new(1_000_000).unwrap())
    }
}
impl MicroTime {
    /// .
    pub fn from_unix_micros(s: i64) -> Self {
        MicroTime(NonZeroI64::new(s.saturating_add(MOFF)).unwrap_or(NonZeroI64::new(2).unwrap()))
    }
    /// .
    pub fn unix_micros(&self) -> i64 {
        self.0.get() - MOFF
    }
    /// .
    pub fn is_zero(&self) -> bool {
        *self == MicroTime::default()
    }
    /// .
    pub fn now() -> Self {
        MicroTime::from_unix_micros(jiff::Timestamp::now().as_microsecond())
    }
    /// .
    pub fn parse(s: &str) -> Result<Self, crate::ParseError> {
        s.parse::<jiff::Timestamp>()
            .map(|t| MicroTime::from_unix_micros(t.as_microsecond()))
            .map_err(|e| crate::ParseError::new(e.to_string()))
    }
}
impl fmt::Display for MicroTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_microsecond(self.unix_micros()) {
            Ok(t) => write!(f, "{t:.6}"),
            Err(_) => f.write_str("?"),
        }
    }
}
impl fmt::Debug for MicroTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
/// Duration.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct Duration(i64);
impl Duration {
    /// .
    pub fn from_nanos(n: i64) -> Self {
        Duration(n)
    }
    /// .
    pub fn as_nanos(&self) -> i64 {
        self.0
    }
    /// .
    pub fn parse(s: &str) -> Result<Self, crate::ParseError> {
        s.trim_end_matches('s')
            .parse::<f64>()
            .map(|f| Duration((f * 1e9) as i64))
            .map_err(|e| crate::ParseError::new(e.to_string()))
    }
}
impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}s", self.0 as f64 / 1e9)
    }
}
