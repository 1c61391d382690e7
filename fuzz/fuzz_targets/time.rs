//! Time, MicroTime and Duration: printed, they read back as the same.
#![no_main]
use libfuzzer_sys::fuzz_target;
use pintle_apimachinery::{Duration, MicroTime, Time};

fuzz_target!(|input: (&str, i64, i64)| {
    let (text, seconds, nanos) = input;
    if let Ok(time) = text.parse::<Time>() {
        // An offset may lead out of the four-digit years.
        if (-62_167_219_200..253_402_300_800).contains(&time.unix()) {
            assert_eq!(time.to_string().parse(), Ok(time));
        }
    }
    if let Ok(time) = text.parse::<MicroTime>() {
        if (-62_167_219_200..253_402_300_800).contains(&time.unix()) {
            assert_eq!(time.to_string().parse(), Ok(time));
        }
    }
    if let Ok(duration) = text.parse::<Duration>() {
        assert_eq!(duration.to_string().parse(), Ok(duration));
    }
    assert_eq!(Duration::from_nanos(nanos).to_string().parse(), Ok(Duration::from_nanos(nanos)));
    let _ =
        (Time::from_unix(seconds).to_string(), MicroTime::from_unix(seconds, nanos).to_string());
});
