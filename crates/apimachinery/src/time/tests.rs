//! Times and durations against Go's answers, and round trips. Go: `pkg/apis/meta/v1/{time,micro_time,
//! duration}_test.go`.

use super::*;
use crate::parse_error::{cases, random};

fn json(text: String, zero: bool) -> String {
    if zero { "null".to_owned() } else { format!("\"{text}\"") }
}

fn answer(operation: &str, arguments: &[String]) -> Result<Vec<String>, ParseError> {
    let number = |i: usize| arguments[i].parse::<i64>().unwrap();
    Ok(match operation {
        "time" => {
            let time = Time::parse(&arguments[0])?;
            vec![json(time.to_string(), time.is_zero()), time.unix().to_string()]
        }
        "micro" => {
            let time = MicroTime::parse(&arguments[0])?;
            vec![json(time.to_string(), time.is_zero()), time.unix().to_string()]
        }
        "unix" => {
            let (time, micro) =
                (Time::from_unix(number(0)), MicroTime::from_unix(number(0), number(1)));
            vec![
                json(time.to_string(), time.is_zero()),
                json(micro.to_string(), micro.is_zero()),
                format!("{} {}", micro.unix(), micro.nanos()),
            ]
        }
        "duration" => {
            let duration = Duration::parse(&arguments[0])?;
            vec![duration.to_string(), duration.as_nanos().to_string()]
        }
        "nanos" => vec![Duration::from_nanos(number(0)).to_string()],
        _ => panic!("unknown operation {operation}"),
    })
}

#[test]
fn agrees_with_go() {
    let cases = cases(include_str!("../../testdata/leaf/time.jsonl"));
    assert!(cases.len() > 400);
    for (operation, arguments, expect) in cases {
        let got =
            answer(&operation, &arguments).unwrap_or_else(|error| vec![format!("error: {error}")]);
        assert_eq!(got, expect, "{operation} {arguments:?}");
    }
}

#[test]
fn terms_do_not_wrap() {
    let twice = "9223372036854775808ns9223372036854775808ns";
    assert_eq!(
        Duration::parse(twice).unwrap_err().to_string(),
        format!("time: invalid duration \"{twice}\"")
    );
}

#[test]
fn options_cost_nothing() {
    use std::mem::size_of;
    assert_eq!((size_of::<Time>(), size_of::<Option<Time>>()), (8, 8));
    assert_eq!((size_of::<MicroTime>(), size_of::<Option<MicroTime>>()), (16, 16));
    assert_eq!(Time::from_unix(i64::MIN), Time::from_unix(i64::MIN + 1));
    assert_eq!(
        (Time::from_unix(i64::MIN).unix(), Time::from_unix(i64::MAX).unix()),
        (-i64::MAX, i64::MAX)
    );
    assert!(Time::from_unix(-1) < Time::from_unix(0) && Time::from_unix(0) < Time::from_unix(1));
}

#[test]
fn converts() {
    #[track_caller]
    fn check(nanos: i128, seconds: i64, micros: u32) {
        let jiff = jiff::Timestamp::from_nanosecond(nanos).unwrap();
        let system = SystemTime::from(jiff);
        let micro = MicroTime::from_unix(seconds, i64::from(micros) * 1000);
        assert_eq!(
            (Time::from(jiff), Time::from(system)),
            (Time::from_unix(seconds), Time::from_unix(seconds))
        );
        assert_eq!((MicroTime::from(jiff), MicroTime::from(system)), (micro, micro));
        assert_eq!(MicroTime::from(micro.to_jiff().unwrap()), micro);
        assert_eq!(MicroTime::from(micro.to_system_time().unwrap()), micro);
        assert_eq!(Time::from(micro).to_jiff().unwrap().as_second(), seconds);
        assert_eq!(micro.to_jiff(), micro.to_string().parse().ok());
    }
    check(0, 0, 0);
    check(1, 0, 0);
    check(1_999_999_999, 1, 999_999);
    check(-1, -1, 999_999);
    check(-1_000_000_000, -1, 0);
    check(-1_000_000_001, -2, 999_999);
    check(1_790_000_000_123_456_789, 1_790_000_000, 123_456);
    assert_eq!(Time::from_unix(i64::MAX).to_jiff(), None);
    assert_eq!(Time::from_unix(5).seconds_since(Time::from_unix(7)), -2);
    assert_eq!(Time::ZERO.plus_seconds(60).to_string(), "0001-01-01T00:01:00Z");
}

#[test]
fn texts_read_back() {
    let mut random = random(11);
    for _ in 0..4000 {
        let seconds = (random(1 << 31) * 146 + random(146)) as i64 - 62_167_219_200;
        let (time, micro) =
            (Time::from_unix(seconds), MicroTime::from_unix(seconds, random(1_000_000_000) as i64));
        assert_eq!(Time::parse(&time.to_string()), Ok(time));
        assert_eq!(MicroTime::parse(&micro.to_string()), Ok(micro));
        assert_eq!(
            time.to_jiff().unwrap().to_string(),
            time.to_string(),
            "jiff agrees on the calendar"
        );
        let nanos = ((random(1 << 31) << 31 | random(1 << 31)) as i64 >> random(62))
            * [1, -1][random(2) as usize];
        let duration = Duration::from_nanos(nanos);
        assert_eq!(Duration::parse(&duration.to_string()), Ok(duration));
    }
}
