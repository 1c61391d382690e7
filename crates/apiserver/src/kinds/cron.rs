//! Schedules of CronJobs.
//!
//! Go counterpart: `cron.ParseStandard` of `github.com/robfig/cron/v3`.

/// A field: its least and greatest number, and names for them.
type Field = (u32, u32, &'static [&'static str]);

const MONTHS: &[&str] =
    &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const DAYS: &[&str] = &["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

const FIELDS: [Field; 5] =
    [(0, 59, &[]), (0, 23, &[]), (1, 31, &[]), (1, 12, MONTHS), (0, 6, DAYS)];

/// Whether this is a schedule.
///
/// # Errors
/// What is wrong with it, in the words of Go's library.
pub(super) fn check(schedule: &str) -> Result<(), String> {
    let mut rest = schedule;
    if rest.is_empty() {
        return Err("empty spec string".to_owned());
    }
    if rest.starts_with("TZ=") || rest.starts_with("CRON_TZ=") {
        let Some((zone, fields)) = rest.split_once(' ') else {
            return Err("invalid schedule format: runtime error: slice bounds out of range [:-1]"
                .to_owned());
        };
        let _ = zone;
        rest = fields.trim();
    }
    if rest.starts_with('@') {
        return descriptor(rest);
    }
    let fields: Vec<&str> = rest.split_whitespace().collect();
    if fields.len() != 5 {
        return Err(format!(
            "expected exactly 5 fields, found {}: [{}]",
            fields.len(),
            fields.join(" ")
        ));
    }
    // Go looks at the fields from the minute on, and tells of the first that is wrong.
    for (text, field) in fields.into_iter().zip(FIELDS) {
        for part in text.split(',').filter(|part| !part.is_empty()) {
            range(part, field)?;
        }
    }
    Ok(())
}

fn descriptor(text: &str) -> Result<(), String> {
    const KNOWN: [&str; 7] =
        ["@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"];
    if KNOWN.contains(&text) {
        return Ok(());
    }
    if let Some(every) = text.strip_prefix("@every ") {
        let parsed = serde_json::from_value::<pintle_apimachinery::Duration>(every.into());
        return parsed.map(|_| ()).map_err(|_| {
            format!("failed to parse duration {text}: time: invalid duration {every:?}")
        });
    }
    Err(format!("unrecognized descriptor: {text}"))
}

fn number(text: &str, expression: &str) -> Result<u32, String> {
    match text.parse::<i64>() {
        Ok(number) if number < 0 => {
            Err(format!("negative number ({number}) not allowed: {expression}"))
        }
        Ok(number) => Ok(u32::try_from(number).unwrap_or(u32::MAX)),
        Err(_) => Err(format!(
            "failed to parse int from {expression}: strconv.Atoi: parsing {text:?}: invalid syntax"
        )),
    }
}

fn value(text: &str, names: &[&str]) -> Result<u32, String> {
    let lower = text.to_lowercase();
    match names.iter().position(|name| *name == lower) {
        // Months are counted from 1, days from 0.
        Some(at) => Ok(at as u32 + u32::from(names.len() == 12)),
        None => number(text, text),
    }
}

fn range(text: &str, (least, most, names): Field) -> Result<(), String> {
    let steps: Vec<&str> = text.split('/').collect();
    let ends: Vec<&str> = steps[0].split('-').collect();
    let single = ends.len() == 1;
    let (mut start, mut end) = (least, most);
    if !matches!(ends[0], "*" | "?") {
        start = value(ends[0], names)?;
        match ends.len() {
            1 => end = start,
            2 => end = value(ends[1], names)?,
            _ => return Err(format!("too many hyphens: {text}")),
        }
    }
    let step = match steps.len() {
        1 => 1,
        2 => {
            let step = number(steps[1], steps[1])?;
            if single && !matches!(ends[0], "*" | "?") {
                end = most;
            }
            step
        }
        _ => return Err(format!("too many slashes: {text}")),
    };
    if start < least {
        return Err(format!("beginning of range ({start}) below minimum ({least}): {text}"));
    }
    if end > most {
        return Err(format!("end of range ({end}) above maximum ({most}): {text}"));
    }
    if start > end {
        return Err(format!("beginning of range ({start}) beyond end of range ({end}): {text}"));
    }
    if step == 0 {
        return Err(format!("step of range should be a positive number: {text}"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schedules() {
        #[track_caller]
        fn check_one(text: &str, expect: Result<(), &str>) {
            assert_eq!(check(text), expect.map_err(str::to_owned), "{text}");
        }
        check_one("*/5 * * * *", Ok(()));
        check_one("0 22 * JAN-mar Mon,fri", Ok(()));
        check_one("@daily", Ok(()));
        check_one("@every 1h30m", Ok(()));
        check_one("@never", Err("unrecognized descriptor: @never"));
        check_one("* * * *", Err("expected exactly 5 fields, found 4: [* * * *]"));
        check_one("60 * * * *", Err("end of range (60) above maximum (59): 60"));
        check_one("* * 0 * *", Err("beginning of range (0) below minimum (1): 0"));
        check_one("5-1 * * * *", Err("beginning of range (5) beyond end of range (1): 5-1"));
        check_one("*/0 * * * *", Err("step of range should be a positive number: */0"));
        check_one("1/2/3 * * * *", Err("too many slashes: 1/2/3"));
        check_one(
            "x * * * *",
            Err("failed to parse int from x: strconv.Atoi: parsing \"x\": invalid syntax"),
        );
    }
}
