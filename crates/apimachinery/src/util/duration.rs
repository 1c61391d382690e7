//! Spans of time for people. Go: `k8s.io/apimachinery/pkg/util/duration`.

use crate::Duration;

const SECOND: i64 = 1_000_000_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;

/// So many units as Go's `Hours` and its kin have it: in floating point, so that one nanosecond less
/// than a whole number may be that number.
fn float(nanos: i64, unit: i64) -> f64 {
    (nanos / unit) as f64 + (nanos % unit) as f64 / unit as f64
}

/// Text for a span that is negative or almost nothing: clocks differ by a second.
fn beginning(seconds: i64) -> Option<String> {
    match seconds {
        ..-1 => Some("<invalid>".to_owned()),
        -1 => Some("0s".to_owned()),
        _ => None,
    }
}

/// A number and a unit, and a smaller number and unit unless that is zero.
fn two(large: i64, unit: &str, small: i64, small_unit: &str) -> String {
    if small == 0 { format!("{large}{unit}") } else { format!("{large}{unit}{small}{small_unit}") }
}

/// A span with two or three significant figures, as `kubectl get` shows ages. Go: `HumanDuration`.
///
/// ```
/// use pintle_apimachinery::{Duration, util::human_duration};
/// assert_eq!(human_duration(Duration::from_secs(119)), "119s");
/// assert_eq!(human_duration(Duration::from_secs(121)), "2m1s");
/// assert_eq!(human_duration(Duration::from_secs(3 * 86_400 + 7_200)), "3d2h");
/// assert_eq!(human_duration(Duration::from_secs(-5)), "<invalid>");
/// ```
pub fn human_duration(duration: Duration) -> String {
    let nanos = duration.as_nanos();
    let seconds = float(nanos, SECOND) as i64;
    if let Some(text) = beginning(seconds) {
        return text;
    }
    let (minutes, hours) = (nanos / MINUTE, nanos / HOUR);
    let (days, years) = (hours / 24, hours / 24 / 365);
    match (minutes, hours) {
        _ if seconds < 120 => format!("{seconds}s"),
        (..10, _) => two(minutes, "m", nanos / SECOND % 60, "s"),
        (..180, _) => format!("{minutes}m"),
        (_, ..8) => two(hours, "h", minutes % 60, "m"),
        (_, ..48) => format!("{hours}h"),
        (_, ..192) => two(days, "d", hours % 24, "h"),
        (_, ..17_520) => format!("{days}d"),
        (_, ..70_080) => two(years, "y", days % 365, "d"),
        _ => format!("{years}y"),
    }
}

/// A span with one unit. Go: `ShortHumanDuration`.
///
/// ```
/// use pintle_apimachinery::{Duration, util::short_human_duration};
/// assert_eq!(short_human_duration(Duration::from_secs(119)), "1m");
/// assert_eq!(short_human_duration(Duration::from_secs(3 * 86_400 + 7_200)), "3d");
/// ```
pub fn short_human_duration(duration: Duration) -> String {
    let nanos = duration.as_nanos();
    let seconds = float(nanos, SECOND) as i64;
    if let Some(text) = beginning(seconds) {
        return text;
    }
    let (minutes, exact) = (float(nanos, MINUTE) as i64, float(nanos, HOUR));
    let hours = exact as i64;
    match (seconds, minutes, hours) {
        (..60, _, _) => format!("{seconds}s"),
        (_, ..60, _) => format!("{minutes}m"),
        (_, _, ..24) => format!("{hours}h"),
        (_, _, ..8_760) => format!("{}d", hours / 24),
        _ => format!("{}y", (exact / 24.0 / 365.0) as i64),
    }
}
