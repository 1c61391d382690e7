//! Points in time and durations as API objects hold them.
//! Go: `Time`, `MicroTime` and `Duration` of `k8s.io/apimachinery/pkg/apis/meta/v1`.
//!
//! ```
//! use pintle_apimachinery::{Duration, MicroTime, Time};
//!
//! let created = Time::parse("2026-07-23T09:07:48.9+02:00")?;
//! assert_eq!(created.to_string(), "2026-07-23T07:07:48Z");
//! assert_eq!(MicroTime::parse("2026-07-23T07:07:48.000001Z")?.micros(), 1);
//! assert_eq!(Duration::parse("1.5h")?.to_string(), "1h30m0s");
//! assert!(Time::default().is_zero());
//! # Ok::<(), pintle_apimachinery::ParseError>(())
//! ```
//!
//! Times are in UTC. The default is Go's zero time, the beginning of year 1, which JSON shows as `null` and
//! protobuf as an empty message.

mod civil;
mod duration;
#[cfg(test)]
mod tests;

use std::cmp::Ordering;
use std::fmt;
use std::num::NonZeroI64;
use std::str::FromStr;
use std::time::{SystemTime, UNIX_EPOCH};

pub use self::duration::Duration;
use crate::parse_error::ParseError;

/// The beginning of year 1 in seconds since 1970.
const YEAR_ONE: i64 = -62_135_596_800;

/// Seconds since 1970 in a form that leaves a bit pattern free, so that an `Option` needs no more space. The
/// one value that cannot be held is `i64::MIN`, long before there was anything to time.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Seconds(NonZeroI64);

/// How `i64::MIN + 1` is held.
const EARLIEST: NonZeroI64 = NonZeroI64::new((i64::MIN + 1) ^ i64::MIN).unwrap();

impl Seconds {
    const fn new(unix: i64) -> Seconds {
        match NonZeroI64::new(unix ^ i64::MIN) {
            Some(held) => Seconds(held),
            None => Seconds(EARLIEST),
        }
    }

    const fn unix(self) -> i64 {
        self.0.get() ^ i64::MIN
    }
}

/// A point in time with a precision of one second.
///
/// Go keeps what is finer in memory, but never writes it; here it is cut off at once.
/// Go: `metav1.Time`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Time(Seconds);

impl Time {
    /// The time that Go calls zero, the beginning of year 1.
    pub const ZERO: Time = Time(Seconds::new(YEAR_ONE));

    /// The time now.
    pub fn now() -> Time {
        Time::from(SystemTime::now())
    }

    /// From seconds since 1970. Go: `Unix`.
    pub const fn from_unix(seconds: i64) -> Time {
        Time(Seconds::new(seconds))
    }

    /// Seconds since 1970; the `seconds` of the protobuf message, whose `nanos` are always 0.
    pub const fn unix(self) -> i64 {
        self.0.unix()
    }

    /// Whether this is the zero time.
    pub const fn is_zero(self) -> bool {
        self.unix() == YEAR_ONE
    }

    /// Reads an RFC 3339 time as leniently as Go does: any offset, any fraction (cut off), also after a comma,
    /// and an hour of one digit; but capital `T` and `Z`, and no leap second.
    ///
    /// # Errors
    /// With the message of Go's `time.Parse`.
    pub fn parse(text: &str) -> Result<Time, ParseError> {
        civil::parse(text, civil::SECONDS).map(|(seconds, _)| Time::from_unix(seconds))
    }

    /// The seconds that lie between, negative if the other is later.
    pub fn seconds_since(self, earlier: Time) -> i64 {
        self.unix().saturating_sub(earlier.unix())
    }

    /// Later by this many seconds, which may be negative; saturating.
    #[must_use]
    pub fn plus_seconds(self, seconds: i64) -> Time {
        Time::from_unix(self.unix().saturating_add(seconds))
    }

    /// As the standard library's time; `None` if it cannot hold it.
    pub fn to_system_time(self) -> Option<SystemTime> {
        system_time(self.unix(), 0)
    }

    /// As jiff's time; `None` before the year -9999 or after 9999. Needs feature `jiff`.
    #[cfg(any(test, feature = "jiff"))]
    pub fn to_jiff(self) -> Option<jiff::Timestamp> {
        jiff::Timestamp::new(self.unix(), 0).ok()
    }

    /// Appends the text without quotes: `2026-07-23T07:07:48Z`.
    pub fn write_to(self, out: &mut Vec<u8>) {
        civil::print(self.unix(), None, out);
    }
}

/// A point in time with a precision of one microsecond. Go: `metav1.MicroTime`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct MicroTime {
    seconds: Seconds,
    micros: u32,
}

impl MicroTime {
    /// The time that Go calls zero, the beginning of year 1.
    pub const ZERO: MicroTime = MicroTime { seconds: Seconds::new(YEAR_ONE), micros: 0 };

    /// The time now.
    pub fn now() -> MicroTime {
        MicroTime::from(SystemTime::now())
    }

    /// From seconds since 1970 and nanoseconds, which may be negative or more than a second; what is finer than
    /// a microsecond is cut off. Also how the protobuf message is read. Go: `UnixMicro`.
    pub const fn from_unix(seconds: i64, nanos: i64) -> MicroTime {
        let micros = nanos / 1000; // toward zero
        let seconds = seconds.saturating_add(micros.div_euclid(1_000_000));
        MicroTime { seconds: Seconds::new(seconds), micros: micros.rem_euclid(1_000_000) as u32 }
    }

    /// Whole seconds since 1970, rounded down; the `seconds` of the protobuf message.
    pub const fn unix(self) -> i64 {
        self.seconds.unix()
    }

    /// The microseconds after the whole second, less than a million.
    pub const fn micros(self) -> u32 {
        self.micros
    }

    /// The microseconds after the whole second as nanoseconds; the `nanos` of the protobuf message.
    pub const fn nanos(self) -> i32 {
        self.micros as i32 * 1000
    }

    /// Whether this is the zero time.
    pub const fn is_zero(self) -> bool {
        self.unix() == YEAR_ONE && self.micros == 0
    }

    /// Reads an RFC 3339 time with exactly six digits after the second, as Go does.
    ///
    /// # Errors
    /// With the message of Go's `time.Parse`.
    pub fn parse(text: &str) -> Result<MicroTime, ParseError> {
        let (seconds, nanos) = civil::parse(text, civil::MICROS)?;
        Ok(MicroTime::from_unix(seconds, nanos.into()))
    }

    /// As the standard library's time; `None` if it cannot hold it.
    pub fn to_system_time(self) -> Option<SystemTime> {
        system_time(self.unix(), self.nanos() as u32)
    }

    /// As jiff's time; `None` before the year -9999 or after 9999. Needs feature `jiff`.
    #[cfg(any(test, feature = "jiff"))]
    pub fn to_jiff(self) -> Option<jiff::Timestamp> {
        // jiff wants both parts to have the same sign.
        let second = jiff::Timestamp::new(self.unix(), 0).ok()?;
        second.checked_add(jiff::SignedDuration::from_micros(self.micros.into())).ok()
    }

    /// Appends the text without quotes: `2026-07-23T07:07:48.000001Z`.
    pub fn write_to(self, out: &mut Vec<u8>) {
        civil::print(self.unix(), Some(self.micros), out);
    }
}

fn system_time(seconds: i64, nanos: u32) -> Option<SystemTime> {
    let whole = std::time::Duration::from_secs(seconds.unsigned_abs());
    let second =
        if seconds < 0 { UNIX_EPOCH.checked_sub(whole) } else { UNIX_EPOCH.checked_add(whole) };
    second?.checked_add(std::time::Duration::from_nanos(nanos.into()))
}

/// Seconds since 1970, rounded down, and the nanoseconds after them.
fn since_epoch(time: SystemTime) -> (i64, u32) {
    let seconds =
        |duration: std::time::Duration| i64::try_from(duration.as_secs()).unwrap_or(i64::MAX);
    match time.duration_since(UNIX_EPOCH) {
        Ok(after) => (seconds(after), after.subsec_nanos()),
        Err(before) => {
            let before = before.duration();
            match before.subsec_nanos() {
                0 => (-seconds(before), 0),
                nanos => (-seconds(before) - 1, 1_000_000_000 - nanos),
            }
        }
    }
}

macro_rules! common {
    ($($type:ident)+) => {$(
        impl Default for $type {
            fn default() -> $type {
                $type::ZERO
            }
        }

        impl PartialOrd for $type {
            fn partial_cmp(&self, other: &$type) -> Option<Ordering> {
                Some(self.cmp(other))
            }
        }

        impl FromStr for $type {
            type Err = ParseError;

            fn from_str(text: &str) -> Result<$type, ParseError> {
                $type::parse(text)
            }
        }

        /// The text as in JSON; the zero time too, which JSON shows as `null`.
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let mut text = Vec::with_capacity(32);
                self.write_to(&mut text);
                f.pad(std::str::from_utf8(&text).map_err(|_| fmt::Error)?)
            }
        }

        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
    )+};
}
common!(Time MicroTime);

impl Ord for Time {
    fn cmp(&self, other: &Time) -> Ordering {
        self.unix().cmp(&other.unix())
    }
}

impl Ord for MicroTime {
    fn cmp(&self, other: &MicroTime) -> Ordering {
        (self.unix(), self.micros).cmp(&(other.unix(), other.micros))
    }
}

impl From<SystemTime> for Time {
    /// Cuts off what is finer than a second, toward the past.
    fn from(time: SystemTime) -> Time {
        Time::from_unix(since_epoch(time).0)
    }
}

impl From<SystemTime> for MicroTime {
    /// Cuts off what is finer than a microsecond, toward the past.
    fn from(time: SystemTime) -> MicroTime {
        let (seconds, nanos) = since_epoch(time);
        MicroTime::from_unix(seconds, nanos.into())
    }
}

#[cfg(any(test, feature = "jiff"))]
impl From<jiff::Timestamp> for Time {
    /// Cuts off what is finer than a second, toward the past.
    fn from(time: jiff::Timestamp) -> Time {
        Time::from_unix(time.as_second() - i64::from(time.subsec_nanosecond() < 0))
    }
}

#[cfg(any(test, feature = "jiff"))]
impl From<jiff::Timestamp> for MicroTime {
    /// Cuts off what is finer than a microsecond, toward the past.
    fn from(time: jiff::Timestamp) -> MicroTime {
        let micros = time.as_nanosecond().div_euclid(1000);
        let seconds = micros.div_euclid(1_000_000);
        MicroTime::from_unix(seconds as i64, (micros.rem_euclid(1_000_000) * 1000) as i64)
    }
}

impl From<Time> for MicroTime {
    fn from(time: Time) -> MicroTime {
        MicroTime::from_unix(time.unix(), 0)
    }
}

impl From<MicroTime> for Time {
    /// Cuts off the microseconds.
    fn from(time: MicroTime) -> Time {
        Time::from_unix(time.unix())
    }
}
