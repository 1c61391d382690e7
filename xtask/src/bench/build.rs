//! `cargo xtask bench build`: clean builds of the same small controller with pintle and with
//! kube-rs, and of all types with pintle-api and k8s-openapi; the same flags, cargo's defaults.
use super::machine;
use super::table::{Table, goal, ratio};
use crate::process::{flag, only, output};
use crate::root;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

/// A package to build, in a workspace.
#[derive(Clone, Copy)]
struct Program {
    name: &'static str,
    /// The folder of its workspace, from the root.
    folder: &'static str,
    package: &'static str,
    /// The crate with the types, for its library.
    types: &'static str,
}

const OURS: Program = Program {
    name: "pintle",
    folder: "benches/build/controller",
    package: "own-controller",
    types: "pintle_api",
};
const KUBE_RS: Program = Program {
    name: "kube-rs 5",
    folder: "benches/peers",
    package: "peer-controller",
    types: "k8s_openapi",
};
const OUR_TYPES: Program = Program {
    name: "pintle-api, all features",
    folder: "benches/build/types",
    package: "own-types",
    types: "pintle_api",
};
const K8S_OPENAPI: Program = Program {
    name: "k8s-openapi 0.29",
    folder: "benches/peers",
    package: "peer-types",
    types: "k8s_openapi",
};

#[derive(Clone, Copy, PartialEq)]
enum How {
    Check,
    Debug,
    Release,
}

/// What one build cost.
struct Cost {
    cpu: f64,
    wall: f64,
}

/// `[--types | --controller] [--release]`: with `--release` only the release builds, which is a
/// third of the time.
pub(super) fn command(args: &[String]) -> Result<(), String> {
    only(args, &[], &["--types", "--controller", "--release"])?;
    let hows: &[How] = if flag(args, "--release") {
        &[How::Release]
    } else {
        &[How::Check, How::Debug, How::Release]
    };
    if !flag(args, "--types") {
        controllers(hows)?;
    }
    if !flag(args, "--controller") {
        types(hows)?;
    }
    Ok(())
}

fn controllers(hows: &[How]) -> Result<(), String> {
    let mut rows = Vec::new();
    for program in [OURS, KUBE_RS] {
        let debug = match hows.contains(&How::Debug) {
            true => Some(program.build(How::Debug)?),
            false => None,
        };
        let release = program.build(How::Release)?;
        rows.push((program, debug, release, program.crates()?, program.stripped()?));
        program.clean();
    }
    println!(
        "\n## Clean builds of one small controller\n\n{}. CPU time of cargo and its children.\n",
        machine()
    );
    let columns = ["", "debug CPU s", "", "release CPU s", "", "wall s", "crates", "", "MB", ""];
    let mut table = Table::new(&columns);
    let base = &rows[0];
    for (program, debug, release, crates, size) in &rows {
        let (shown, times) = match (debug, &base.1) {
            (Some(d), Some(b)) => (format!("{:.1}", d.cpu), ratio(d.cpu, b.cpu)),
            _ => (String::new(), String::new()),
        };
        table.row(vec![
            program.name.into(),
            shown,
            times,
            format!("{:.1}", release.cpu),
            ratio(release.cpu, base.2.cpu),
            format!("{:.0}", release.wall),
            crates.to_string(),
            ratio(*crates as f64, base.3 as f64),
            format!("{size:.2}"),
            ratio(*size, base.4),
        ]);
    }
    table.print();
    println!("\nGoals:");
    let (own, peer) = (&rows[0], &rows[1]);
    goal("release CPU against half of kube-rs'", peer.2.cpu / 2.0, own.2.cpu, "s");
    goal("crates, normal and build", 110.0, own.3 as f64, "");
    goal("stripped release binary", 6.0, own.4, "MB");
    Ok(())
}

fn types(hows: &[How]) -> Result<(), String> {
    let mut rows = Vec::new();
    for program in [OUR_TYPES, K8S_OPENAPI] {
        let mut costs = Vec::new();
        for &how in hows {
            let whole = program.build(how)?;
            // Without the crates below, which both need and which are not the subject.
            program.forget_types(how)?;
            costs.push((program.measure(how)?, whole));
        }
        rows.push((program, costs, program.library()?, program.stripped()?));
        program.clean();
    }
    println!(
        "\n## All built-in types\n\n{}. CPU seconds of the crate with the types and a program that uses five of them, and (with everything below).\n",
        machine()
    );
    let mut columns = vec![String::new()];
    for how in hows {
        columns.extend([how.name().to_owned(), String::new()]);
    }
    columns.extend(["release rlib MB".to_owned(), "stripped MB".to_owned()]);
    let mut table = Table::new(&columns.iter().map(String::as_str).collect::<Vec<_>>());
    for (program, costs, rlib, size) in &rows {
        let mut row = vec![program.name.to_owned()];
        for (cost, base) in costs.iter().zip(&rows[0].1) {
            row.push(format!("{:.1} ({:.1})", cost.0.cpu, cost.1.cpu));
            row.push(ratio(cost.0.cpu, base.0.cpu));
        }
        row.extend([format!("{rlib:.1}"), format!("{size:.2}")]);
        table.row(row);
    }
    table.print();
    println!("\nGoals:");
    let (own, peer) = (&rows[0], &rows[1]);
    for ((how, own), peer) in hows.iter().zip(&own.1).zip(&peer.1) {
        let name = how.name();
        goal(&format!("{name}, half of k8s-openapi's CPU"), peer.0.cpu / 2.0, own.0.cpu, "s");
        let with = format!("{name} with everything below, half of k8s-openapi's CPU");
        goal(&with, peer.1.cpu / 2.0, own.1.cpu, "s");
    }
    goal("release rlib, k8s-openapi's", peer.2, own.2, "MB");
    goal("stripped release binary, k8s-openapi's", peer.3, own.3, "MB");
    Ok(())
}

impl How {
    fn name(self) -> &'static str {
        match self {
            How::Check => "check",
            How::Debug => "debug",
            How::Release => "release",
        }
    }
}

impl Program {
    fn target(&self) -> PathBuf {
        root().join("target").join("bench-build").join(self.package)
    }

    fn clean(&self) {
        let _ = fs::remove_dir_all(self.target());
    }

    fn cargo(&self, args: &[&str]) -> Command {
        let mut c = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        c.args(args).current_dir(root().join(self.folder));
        c.env("CARGO_TARGET_DIR", self.target()).env("CARGO_INCREMENTAL", "0");
        // Cargo's own defaults, whatever the workspace says.
        c.env("CARGO_PROFILE_RELEASE_LTO", "false");
        c.env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16");
        for wrapper in ["RUSTC_WRAPPER", "RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS"] {
            c.env_remove(wrapper);
        }
        c
    }

    /// Builds from nothing.
    fn build(&self, how: How) -> Result<Cost, String> {
        // What must come from the network comes before the clock runs.
        output(&mut self.cargo(&["fetch", "--quiet"]))?;
        self.clean();
        self.measure(how)
    }

    /// Builds what is missing.
    fn measure(&self, how: How) -> Result<Cost, String> {
        let verb = if how == How::Check { "check" } else { "build" };
        let mut c = self.cargo(&[verb, "--quiet", "--package", self.package]);
        if how == How::Release {
            c.arg("--release");
        }
        eprintln!(
            "  {verb} {} {}",
            self.package,
            if how == How::Release { "--release" } else { "" }
        );
        c.stdout(Stdio::null());
        let (cpu, began) = (children_cpu()?, Instant::now());
        let status = c.status().map_err(|e| format!("cargo: {e}"))?;
        if !status.success() {
            return Err(format!("{} cannot be built: {status}", self.package));
        }
        Ok(Cost { cpu: children_cpu()? - cpu, wall: began.elapsed().as_secs_f64() })
    }

    /// Has cargo forget the crate with the types and the program.
    fn forget_types(&self, how: How) -> Result<(), String> {
        for package in [self.types.replace('_', "-"), self.package.to_owned()] {
            let mut c = self.cargo(&["clean", "--quiet", "--package", &package]);
            if how == How::Release {
                c.arg("--release");
            }
            output(&mut c)?;
        }
        Ok(())
    }

    /// Megabytes of the release library of the crate with the types.
    fn library(&self) -> Result<f64, String> {
        let deps = self.target().join("release").join("deps");
        let prefix = format!("lib{}-", self.types);
        let entries = fs::read_dir(&deps).map_err(|e| format!("{}: {e}", deps.display()))?;
        let sizes = entries.flatten().filter(|e| {
            let name = e.file_name().to_string_lossy().into_owned();
            name.starts_with(&prefix) && name.ends_with(".rlib")
        });
        sizes
            .filter_map(|e| Some(e.metadata().ok()?.len() as f64 / 1e6))
            .reduce(f64::max)
            .ok_or_else(|| format!("no {prefix}*.rlib in {}", deps.display()))
    }

    /// Megabytes of the release binary without symbols.
    fn stripped(&self) -> Result<f64, String> {
        let binary = self.target().join("release").join(self.package);
        let to = binary.with_extension("stripped");
        output(Command::new("strip").arg("-o").args([&to, &binary]))?;
        size(&to)
    }

    /// The packages of normal and build dependencies, without itself.
    fn crates(&self) -> Result<usize, String> {
        let text = output(&mut self.cargo(&[
            "tree",
            "--package",
            self.package,
            "--edges",
            "normal,build",
            "--prefix",
            "none",
            "--format",
            "{p}",
        ]))?;
        let packages: BTreeSet<&str> =
            text.lines().map(|l| l.trim_end_matches(" (*)")).filter(|l| !l.is_empty()).collect();
        Ok(packages.len() - 1)
    }
}

fn size(path: &Path) -> Result<f64, String> {
    let it = fs::metadata(path).map_err(|e| format!("{}: {e}", path.display()))?;
    Ok(it.len() as f64 / 1e6)
}

/// CPU seconds of all children that have ended and been waited for, and of theirs.
fn children_cpu() -> Result<f64, String> {
    let stat =
        fs::read_to_string("/proc/self/stat").map_err(|e| format!("/proc/self/stat: {e}"))?;
    let rest = stat.rsplit_once(") ").ok_or("/proc/self/stat cannot be read")?.1;
    // cutime and cstime are fields 16 and 17 of all, in hundredths.
    let ticks =
        |i: usize| rest.split(' ').nth(i).and_then(|t| t.parse::<f64>().ok()).unwrap_or(0.0);
    Ok((ticks(13) + ticks(14)) / 100.0)
}
