//! The same requests to the embedded API server and to a real one, and where the answers differ.
//!
//! A family of requests is a file of `scenarios/`; what the real server answered to it is kept in
//! `transcripts/`; differences that are known, each with its reason, are in `known.yaml`. The test
//! `fidelity` replays every family on the embedded server and compares with the transcripts;
//! `cargo xtask conformance apiserver` does the same with a real control plane beside it.
//!
//! This package does not test the server's code by itself, its speed, or what clients make of its
//! answers; it knows requests and answers only.

mod compare;
mod normalise;
mod run;
mod script;
mod stream;
mod target;
mod transcript;

use std::path::PathBuf;

pub use compare::{Difference, Known, compare, known};
pub use script::{Action, End, Family, Form, Profile, Step, Until, families};
pub use target::{Real, TOKENS, Target};
pub use transcript::{Record, read, write};

/// A folder or file of this package.
#[must_use]
pub fn place(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// The file that holds what the real server answered to a family.
#[must_use]
pub fn transcript_of(family: &str) -> PathBuf {
    place("transcripts").join(format!("{family}.txt"))
}

/// Replays a family on a server.
///
/// # Errors
/// A request got no answer, or a step could not be done.
///
/// # Cancel safety
/// Requests sent so far were sent.
pub async fn replay(family: &Family, target: &Target) -> Result<Vec<Record>, String> {
    let answers = run::run(family, target).await.map_err(|e| format!("{}: {e}", family.name))?;
    Ok(normalise::normalise(answers, &family.text))
}

/// What a server answered, by family.
pub type Answers = std::collections::BTreeMap<String, Vec<Record>>;

/// Replays families on embedded servers, each on its own, several at a time.
///
/// # Errors
/// As of [`replay`].
///
/// # Cancel safety
/// Families that were begun go on to their end.
pub async fn embedded(families: Vec<Family>) -> Result<Answers, String> {
    /// Most of them wait for something.
    const AT_ONCE: usize = 8;
    let mut running = tokio::task::JoinSet::new();
    let mut answers = Answers::new();
    let mut rest = families.into_iter();
    loop {
        while running.len() < AT_ONCE
            && let Some(family) = rest.next()
        {
            running.spawn(async move {
                let target = Target::embedded(family.profile).await?;
                let answers = replay(&family, &target).await?;
                Ok::<_, String>((family.name, answers))
            });
        }
        let Some(done) = running.join_next().await else { return Ok(answers) };
        let (name, records) = done.map_err(|e| e.to_string())??;
        answers.insert(name, records);
    }
}

/// What a comparison found.
#[derive(Debug, Default)]
pub struct Report {
    /// For each family: its name, requests, differences that are not known, and those that are.
    pub families: Vec<(String, usize, usize, usize)>,
    /// Differences that are not known.
    pub differences: Vec<Difference>,
    /// How many differences each entry of the list covers.
    pub covered: Vec<usize>,
}

impl Report {
    /// Adds the comparison of one family.
    pub fn add(&mut self, family: &str, real: &[Record], ours: &[Record], known: &[Known]) {
        self.covered.resize(known.len(), 0);
        let (mut new, mut old) = (0, 0);
        for difference in compare(family, real, ours) {
            let mut covered = false;
            for (entry, count) in known.iter().zip(&mut self.covered) {
                if entry.covers(&difference) {
                    *count += 1;
                    covered = true;
                }
            }
            if covered {
                old += 1;
            } else {
                new += 1;
                self.differences.push(difference);
            }
        }
        self.families.push((family.to_owned(), real.len(), new, old));
    }

    /// Entries of the list that cover nothing any more. `ran` tells whether a family was compared.
    #[must_use]
    pub fn obsolete<'a>(&self, known: &'a [Known], ran: impl Fn(&str) -> bool) -> Vec<&'a Known> {
        let counts = self.covered.iter().copied().chain(std::iter::repeat(0));
        let unused = known.iter().zip(counts).filter(|(_, count)| *count == 0);
        unused.map(|(entry, _)| entry).filter(|entry| ran(&entry.family)).collect()
    }
}

impl std::fmt::Display for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for difference in &self.differences {
            writeln!(f, "{difference}")?;
        }
        let (mut requests, mut new, mut old) = (0, 0, 0);
        for (family, r, n, o) in &self.families {
            writeln!(f, "{family}: {r} requests, {n} differ, {o} known")?;
            requests += r;
            new += n;
            old += o;
        }
        let families = self.families.len();
        writeln!(f, "{families} families, {requests} requests, {new} differ, {old} known")
    }
}
