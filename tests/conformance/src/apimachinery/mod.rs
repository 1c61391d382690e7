//! Compares pintle-apimachinery with Go, answer by answer: generates cases from a seed, asks both,
//! and reports the first disagreement of each kind, made small.
mod area;
mod areas;
mod oracle;
mod rng;
mod shrink;
pub(crate) mod tables;

use area::{Answer, Area, Case};
use oracle::{Oracle, Reply};
use rng::Rng;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::PathBuf;
use std::time::Instant;

/// What to run.
pub(crate) struct Plan {
    /// The Go program.
    pub(crate) program: PathBuf,
    pub(crate) seed: u64,
    /// Cases an area.
    pub(crate) cases: u64,
    /// Areas by name; every area when empty.
    pub(crate) only: Vec<String>,
}

/// How many cases go to Go at once.
const BATCH: u64 = 64;
/// How often a case is made smaller before it is good enough.
const ROUNDS: usize = 400;
/// How many smaller cases are tried at once.
const TRIES: usize = 200;
/// How many cases that differ are asked again, to see whether Go answers them always alike.
const AGAIN: usize = 1000;
/// How many kinds of disagreement are shown for an area.
const SHOWN: usize = 20;

/// The names of all areas.
pub(crate) fn names() -> Vec<&'static str> {
    areas::ALL.iter().map(|a| a.name()).collect()
}

/// Runs the areas and prints what came out; the number of cases that differ without a reason.
pub(crate) fn run(plan: &Plan) -> Result<u64, String> {
    let all = names();
    if let Some(unknown) = plan.only.iter().find(|n| !all.contains(&n.as_str())) {
        return Err(format!("no area {unknown}; there are: {}", all.join(", ")));
    }
    let mut oracle = Oracle::start(&plan.program)?;
    println!("seed {}, {} cases an area", plan.seed, plan.cases);
    // A panic of ours is an answer that differs; its text is in the report.
    std::panic::set_hook(Box::new(|_| {}));
    let mut failed = 0;
    let mut meant = String::new();
    for area in areas::ALL {
        if plan.only.is_empty() || plan.only.iter().any(|n| n == area.name()) {
            failed += compare(*area, plan, &mut oracle, &mut meant)?;
        }
    }
    drop(std::panic::take_hook());
    if !meant.is_empty() {
        print!("deliberate differences:\n{meant}");
    }
    Ok(failed)
}

/// A kind of disagreement: its first case and how many there are.
struct Kind {
    count: u64,
    index: u64,
    case: Case,
    ours: Answer,
    go: Answer,
}

fn compare(
    area: &dyn Area,
    plan: &Plan,
    oracle: &mut Oracle,
    meant: &mut String,
) -> Result<u64, String> {
    let started = Instant::now();
    let mut next = 0;
    let batches = || {
        let range = next..plan.cases.min(next + BATCH);
        next = range.end;
        let make = |i| area.generate(&mut Rng::new(plan.seed, area.name(), i));
        (!range.is_empty()).then(|| range.map(make).collect())
    };
    let (mut accepted, mut varied, mut index) = (0_u64, 0_u64, 0_u64);
    let mut reasons: BTreeMap<&'static str, (u64, Case, Answer, Answer)> = BTreeMap::new();
    let mut found = Vec::new();
    oracle.stream(batches, |case, reply| {
        let at = index;
        index += 1;
        let ours = ours(area, &case);
        let (kind, go) = match reply {
            Reply::Answer(go) => {
                accepted += u64::from(go.is_ok());
                if area.same(&case, &ours, &go) {
                    return;
                }
                if let Some(reason) = area.deliberate(&case, &ours, &go) {
                    reasons.entry(reason).or_insert((0, case, ours, go)).0 += 1;
                    return;
                }
                (area.kind(&case, &ours, &go), go)
            }
            Reply::Bad(why) => (format!("{}: a bad request", case.function), Err(why)),
        };
        found.push((kind, Kind { count: 0, index: at, case, ours, go }));
    })?;
    let mut kinds: BTreeMap<String, Kind> = BTreeMap::new();
    for (at, (name, kind)) in found.into_iter().enumerate() {
        let right = |go: &Answer| area.same(&kind.case, &kind.ours, go);
        if at < AGAIN && oracle.ever(&kind.case, right)? {
            varied += 1;
        } else {
            kinds.entry(name).or_insert(kind).count += 1;
        }
    }
    let differ: u64 = kinds.values().map(|k| k.count).sum();
    let deliberate: u64 = reasons.values().map(|r| r.0).sum();
    println!(
        "{}: {} cases, {differ} differ ({deliberate} deliberate{}); Go accepts {}%, {:.1} s",
        area.name(),
        plan.cases,
        if varied > 0 { format!(", {varied} where Go varies") } else { String::new() },
        accepted * 100 / plan.cases.max(1),
        started.elapsed().as_secs_f64(),
    );
    let more = kinds.len().saturating_sub(SHOWN);
    for (name, found) in kinds.into_iter().take(SHOWN) {
        let Kind { count, index, case, ours, go } = found;
        let (case, ours, go) = small(area, oracle, &name, (case, ours, go))?;
        println!("  {name} ({count} cases, the first is number {index})");
        println!("    {} {}", case.function, case.input);
        println!("    ours {}", show(&ours));
        println!("    Go   {}", show(&go));
    }
    if more > 0 {
        println!("  ... and {more} more kinds");
    }
    for (reason, (count, case, ours, go)) in reasons {
        // Writing to a string does not fail.
        let _ = writeln!(meant, "  {}: {count} cases: {reason}", area.name());
        let _ = writeln!(meant, "    {} {}", case.function, case.input);
        match (&ours, &go) {
            (Ok(a), Ok(b)) => {
                for (path, a, b) in area::differences(a, b).into_iter().take(3) {
                    let _ = writeln!(meant, "    {path} ours {a}, Go {b}");
                }
            }
            _ => {
                let _ = writeln!(meant, "    ours {}\n    Go   {}", show(&ours), show(&go));
            }
        }
    }
    Ok(differ)
}

fn show(answer: &Answer) -> String {
    match answer {
        Ok(v) => v.to_string(),
        Err(e) => format!("error: {e}"),
    }
}

/// Our answer; a panic is an error that no Go answer equals.
fn ours(area: &dyn Area, case: &Case) -> Answer {
    let answer = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| area.ours(case)));
    answer.unwrap_or_else(|p| {
        let text = p.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| p.downcast_ref::<&str>().copied());
        Err(format!("pintle panics: {}", text.unwrap_or("")))
    })
}

/// The smallest case found that disagrees in the same way.
fn small(
    area: &dyn Area,
    oracle: &mut Oracle,
    kind: &str,
    found: (Case, Answer, Answer),
) -> Result<(Case, Answer, Answer), String> {
    let mut found = found;
    for _ in 0..ROUNDS {
        let mut smaller = area.shrink(&found.0);
        smaller.truncate(TRIES);
        if smaller.is_empty() {
            break;
        }
        let replies = oracle.ask(smaller)?;
        let next = replies.into_iter().find_map(|(case, reply)| {
            let Reply::Answer(go) = reply else { return None };
            let ours = ours(area, &case);
            let still = !area.same(&case, &ours, &go)
                && area.deliberate(&case, &ours, &go).is_none()
                && area.kind(&case, &ours, &go) == kind;
            still.then_some((case, ours, go))
        });
        match next {
            Some(next) => found = next,
            None => break,
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn areas_have_names_of_their_own() {
        let mut names = names();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }

    #[test]
    fn cases_come_from_the_seed_and_answers_never_panic() {
        for area in areas::ALL {
            let case = |i| area.generate(&mut Rng::new(7, area.name(), i));
            for i in 0..50 {
                let made = case(i);
                assert_eq!(made, case(i), "{}", area.name());
                let answer = ours(*area, &made);
                assert!(
                    !matches!(&answer, Err(e) if e.starts_with("pintle panics")),
                    "{}: {made:?}: {answer:?}",
                    area.name()
                );
            }
        }
    }
}
