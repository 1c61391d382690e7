//! `pintle-differential --program P --tokens FILE --dir DIR [--record] [--only FAMILY,..]`: replays
//! every family on the embedded server and on real ones that it starts. Run it as
//! `cargo xtask conformance apiserver`.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitCode, Stdio};
use std::sync::Arc;

use pintle_differential::{
    Answers, Family, Profile, Report, TOKENS, Target, embedded, families, known, place, read,
    replay, transcript_of, write,
};

const USAGE: &str = "usage: pintle-differential --dir DIR [--program PROGRAM] [--record] \
                     [--only FAMILY,..] [--all]";

struct Options {
    program: Option<PathBuf>,
    dir: PathBuf,
    record: bool,
    only: Vec<String>,
    /// Shows what differs though it is known.
    all: bool,
}

fn main() -> ExitCode {
    let outcome = options().and_then(|options| {
        let runtime = tokio::runtime::Runtime::new().map_err(|e| e.to_string())?;
        runtime.block_on(run(&options))
    });
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(problem) => {
            eprintln!("differential: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn options() -> Result<Options, String> {
    let mut options =
        Options { program: None, dir: PathBuf::new(), record: false, only: Vec::new(), all: false };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or(USAGE);
        match argument.as_str() {
            "--program" => options.program = Some(value()?.into()),
            "--dir" => options.dir = value()?.into(),
            "--record" => options.record = true,
            "--all" => options.all = true,
            "--only" => options.only = value()?.split(',').map(str::to_owned).collect(),
            _ => return Err(USAGE.into()),
        }
    }
    if options.dir.as_os_str().is_empty() || (options.record && options.program.is_none()) {
        return Err(USAGE.into());
    }
    Ok(options)
}

/// Whether the embedded server agrees with the real one, beyond what is known.
async fn run(options: &Options) -> Result<bool, String> {
    let mut families = families(&place("scenarios"))?;
    let wanted = |name: &str| options.only.is_empty() || options.only.iter().any(|o| o == name);
    families.retain(|family| wanted(&family.name));
    if families.is_empty() {
        return Err(format!("no such family: {}", options.only.join(", ")));
    }
    let mut real = match &options.program {
        Some(program) => real_answers(&families, program, &options.dir).await?,
        None => BTreeMap::new(),
    };
    let mut stale = 0;
    for family in &families {
        let path = transcript_of(&family.name);
        if options.record {
            write(&path, &real[&family.name])?;
        } else if let Some(answers) = real.get(&family.name) {
            let mut report = Report::default();
            report.add(&family.name, &read(&path)?, answers, &[]);
            for difference in &report.differences {
                println!(
                    "the transcript is not what the real server says now (real: recorded, \
                          ours: now)\n{difference}"
                );
            }
            stale += report.differences.len();
        } else {
            real.insert(family.name.clone(), read(&path)?);
        }
    }
    let known = known(&place("known.yaml"))?;
    let mut report = Report::default();
    let ours = embedded(families.clone()).await?;
    for family in &families {
        let (real, ours) = (&real[&family.name], &ours[&family.name]);
        report.add(&family.name, real, ours, &known);
        if options.all {
            for difference in pintle_differential::compare(&family.name, real, ours) {
                println!("known: {difference}");
            }
        }
    }
    print!("{report}");
    for (entry, count) in known.iter().zip(&report.covered).filter(|(_, count)| **count > 0) {
        println!(
            "known ({count}): {} / {}: {}: {}",
            entry.family, entry.request, entry.path, entry.reason
        );
    }
    let ran = |family: &str| options.only.is_empty() || wanted(family);
    let obsolete = report.obsolete(&known, ran);
    for entry in &obsolete {
        println!(
            "known.yaml: {} / {}: {} differs no more: remove the entry",
            entry.family, entry.request, entry.path
        );
    }
    if stale > 0 {
        println!("{stale} places of the transcripts are not current: record them anew");
    }
    Ok(report.differences.is_empty() && obsolete.is_empty() && stale == 0)
}

/// Replays the families on real servers, one for each profile.
async fn real_answers(families: &[Family], program: &Path, dir: &Path) -> Result<Answers, String> {
    let mut answers = Answers::new();
    for profile in Profile::ALL {
        let mut these = families.iter().filter(|family| family.profile == profile).peekable();
        if these.peek().is_none() {
            continue;
        }
        let server = Server::start(program, dir, profile)?;
        let target = Target::real(&server.dir, program)?;
        let (alone, together): (Vec<&Family>, Vec<&Family>) = these.partition(|f| f.alone);
        // First, before the others leave anything behind.
        for family in alone {
            answers.insert(family.name.clone(), replay(family, &target).await?);
        }
        answers.extend(at_once(together, Arc::new(target)).await?);
    }
    Ok(answers)
}

/// Replays families on one server, several at a time: most of them wait for something.
async fn at_once(families: Vec<&Family>, target: Arc<Target>) -> Result<Answers, String> {
    const AT_ONCE: usize = 6;
    let mut running = tokio::task::JoinSet::new();
    let mut answers = Answers::new();
    let mut rest = families.into_iter().cloned();
    loop {
        while running.len() < AT_ONCE
            && let Some(family) = rest.next()
        {
            let target = Arc::clone(&target);
            running.spawn(async move {
                let started = std::time::Instant::now();
                let records = replay(&family, &target).await?;
                let took = started.elapsed().as_secs_f64();
                eprintln!("{} on the real server: {took:.1} s", family.name);
                Ok::<_, String>((family.name, records))
            });
        }
        let Some(done) = running.join_next().await else { return Ok(answers) };
        let (name, records) = done.map_err(|e| e.to_string())??;
        answers.insert(name, records);
    }
}

/// A control plane that runs until this is dropped.
struct Server {
    child: Child,
    dir: PathBuf,
    /// Held open: it says a word after each restart.
    _output: BufReader<ChildStdout>,
}

impl Server {
    fn start(program: &Path, dir: &Path, profile: Profile) -> Result<Server, String> {
        let dir = dir.join(profile.name());
        if dir.exists() {
            std::fs::remove_dir_all(&dir).map_err(|e| format!("{}: {e}", dir.display()))?;
        }
        let tokens = dir.with_extension("tokens.csv");
        std::fs::create_dir_all(dir.parent().unwrap_or(&dir)).map_err(|e| e.to_string())?;
        std::fs::write(&tokens, TOKENS).map_err(|e| format!("{}: {e}", tokens.display()))?;
        let mut command = Command::new(program);
        command.args(["serve", "--exit-with-stdin", "--dir"]).arg(&dir);
        command.arg("--token-auth-file").arg(&tokens);
        if profile != Profile::Controllers {
            command.arg("--controller-manager=false");
        }
        if profile == Profile::Uncached {
            command.arg("--watch-cache=false");
        }
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|e| format!("{}: {e}", program.display()))?;
        let mut output = BufReader::new(child.stdout.take().ok_or("no output")?);
        let mut line = String::new();
        output.read_line(&mut line).map_err(|e| e.to_string())?;
        let server = Server { child, dir, _output: output };
        match line.contains("\"ready\":true") {
            true => Ok(server),
            false => Err(format!("did not start; see {}/logs", server.dir.display())),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Its standard input ends, so it stops what it started and leaves.
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}
