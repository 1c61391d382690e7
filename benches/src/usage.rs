//! CPU time and memory of this process. Included by path in the peers too.
use rustix::time::{ClockId, clock_gettime};
use std::fs;

/// CPU time used so far by all threads, user and system, in seconds.
pub fn cpu_seconds() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
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
            .find_map(|l| {
                l.strip_prefix(key)?.trim().strip_suffix("kB")?.trim().parse::<f64>().ok()
            })
            .unwrap_or(0.0)
            / 1024.0
    };
    (of("VmRSS:"), of("VmHWM:"))
}
