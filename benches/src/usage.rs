//! CPU time and memory of this process, from `/proc`.
use std::fs;

/// CPU time used so far, user and system, in seconds.
///
/// # Panics
/// Where `/proc` is not Linux's.
pub fn cpu_seconds() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").expect("/proc/self/stat");
    // Behind the name in parentheses; utime and stime are fields 14 and 15, in hundredths.
    let rest = stat.rsplit_once(") ").expect("a process name").1;
    let ticks = |i: usize| rest.split(' ').nth(i).and_then(|t| t.parse::<f64>().ok()).unwrap_or(0.0);
    (ticks(11) + ticks(12)) / 100.0
}

/// Resident memory now and at its peak, in MiB.
///
/// # Panics
/// Where `/proc` is not Linux's.
pub fn resident_mib() -> (f64, f64) {
    let status = fs::read_to_string("/proc/self/status").expect("/proc/self/status");
    let of = |key: &str| {
        status
            .lines()
            .find_map(|l| l.strip_prefix(key)?.trim().strip_suffix("kB")?.trim().parse::<f64>().ok())
            .unwrap_or(0.0)
            / 1024.0
    };
    (of("VmRSS:"), of("VmHWM:"))
}
