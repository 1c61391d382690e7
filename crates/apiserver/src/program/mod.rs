//! The program: what it is called as, what it is asked for, and serving until it is interrupted.

mod assets;
mod etcd;
mod flags;
mod keep;
mod options;

use std::path::Path;
use std::process::ExitCode;

use pintle_apimachinery::Error;

use self::flags::Given;
use self::options::Options;

/// The name the program was called by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Called {
    Itself,
    KubeApiserver,
}

impl Called {
    fn name(self) -> &'static str {
        match self {
            Called::Itself => "pintle-apiserver",
            Called::KubeApiserver => "kube-apiserver",
        }
    }
}

/// Runs the program; `args` start with its name.
pub(crate) fn main(args: &[String]) -> ExitCode {
    let (program, rest) = match args.split_first() {
        Some((program, rest)) => (program.as_str(), rest),
        None => ("", args),
    };
    let name = Path::new(program).file_stem().and_then(|name| name.to_str()).unwrap_or_default();
    let result = match (name, rest) {
        ("etcd", rest) => return etcd_main(rest),
        ("kube-apiserver", rest) => apiserver(Called::KubeApiserver, rest),
        (_, [first, dir]) if first == "assets" => assets::write(dir.as_ref())
            .map(|()| println!("KUBEBUILDER_ASSETS={dir}"))
            .map_err(|error| error.to_string()),
        (_, [first, ..]) if first == "assets" => {
            Err("usage: pintle-apiserver assets DIR".to_owned())
        }
        (_, rest) => apiserver(Called::Itself, rest),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("Error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn apiserver(called: Called, args: &[String]) -> Result<(), String> {
    let given = Given::parse(args, called.name())?;
    if given.switch("help") == Some(true) {
        print!("{}", options::help(called));
        return Ok(());
    }
    if given.last("version").is_some_and(|wanted| wanted != "false") {
        match called {
            Called::Itself => {
                println!("pintle-apiserver {} (Kubernetes v1.37.2)", env!("CARGO_PKG_VERSION"))
            }
            Called::KubeApiserver => println!("Kubernetes v1.37.2"),
        }
        return Ok(());
    }
    let options = Options::new(&given, called).map_err(|error| error.to_string())?;
    if !options.meaningless.is_empty() {
        let names = options.meaningless.join(", ");
        eprintln!("{}: accepted, but without meaning here: {names}", called.name());
    }
    run(serve(options, called)).map_err(|error| error.to_string())
}

fn etcd_main(args: &[String]) -> ExitCode {
    match etcd::parse(args) {
        Ok(etcd::Wanted::Help) => print!("{}", etcd::help()),
        Ok(etcd::Wanted::Version) => {
            println!("etcd Version: {}", etcd::VERSION);
            println!("Git SHA: pintle-apiserver {}", env!("CARGO_PKG_VERSION"));
        }
        Ok(etcd::Wanted::Serve { urls, dir }) => {
            if let Err(error) = run(async move { etcd::serve(&urls, dir).await }) {
                eprintln!("Error: {error}");
                return ExitCode::FAILURE;
            }
        }
        Err(error) => {
            eprint!("{error}\n{}", etcd::help());
            return ExitCode::from(2);
        }
    }
    ExitCode::SUCCESS
}

fn run(work: impl Future<Output = Result<(), Error>>) -> Result<(), Error> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime =
        runtime.map_err(|error| Error::other(format!("cannot start a runtime: {error}")))?;
    runtime.block_on(work)
}

async fn serve(options: Options, called: Called) -> Result<(), Error> {
    let interrupts = Interrupts::listen();
    let mut builder = options.builder;
    if let Some(place) = &options.kept
        && let Some(snapshot) = keep::load(place).await
    {
        builder = builder.snapshot(snapshot);
    }
    let server = builder.start().await?;
    if let Some(dir) = &options.keep_certificate {
        let failed = |error: std::io::Error| {
            Error::config(format!("cannot write to {}: {error}", dir.display()))
        };
        std::fs::create_dir_all(dir).map_err(failed)?;
        let (certificate, key) = server.tls_identity()?;
        std::fs::write(dir.join("apiserver.crt"), certificate).map_err(failed)?;
        write_private(&dir.join("apiserver.key"), &key)?;
    }
    let mut temporary = None;
    let path = match (options.kubeconfig, called) {
        (Some(path), _) => Some(path),
        (None, Called::Itself) => {
            let name = format!("pintle-apiserver-{}.kubeconfig", std::process::id());
            let path = std::env::temp_dir().join(name);
            temporary = Some(path.clone());
            Some(path)
        }
        (None, Called::KubeApiserver) => None,
    };
    if let Some(path) = &path {
        write_private(path, &server.kubeconfig()?)?;
    }
    println!("serving on {}", server.url()?);
    if let Some(path) = &path {
        println!("kubeconfig: {}", path.display());
    }
    interrupts.wait().await;
    if !options.delay.is_zero() {
        // Whoever is impatient says so again.
        let again = Interrupts::listen();
        let _ = tokio::time::timeout(options.delay, again.wait()).await;
    }
    if let Some(path) = temporary {
        // Nothing is left behind; a file that is gone already is as good.
        let _ = std::fs::remove_file(&path);
    }
    match &options.kept {
        Some(place) => keep::save(place, server.into_snapshot().await).await,
        None => server.shutdown().await,
    }
    Ok(())
}

/// Writes a file that holds a key: only the owner may read it.
fn write_private(path: &Path, text: &str) -> Result<(), Error> {
    write_owned(path, text.as_bytes())
        .map_err(|error| Error::config(format!("cannot write {}: {error}", path.display())))
}

/// Writes a file that only the owner may read.
fn write_owned(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    use std::io::Write;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(bytes)
}

/// SIGINT and SIGTERM, listened to from when this is made: whoever reads that the program serves
/// may end it at once.
struct Interrupts {
    #[cfg(unix)]
    signals: Option<[tokio::signal::unix::Signal; 2]>,
}

impl Interrupts {
    fn listen() -> Self {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            let interrupt = signal(SignalKind::interrupt());
            let signals = interrupt.and_then(|one| Ok([one, signal(SignalKind::terminate())?]));
            Interrupts { signals: signals.ok() }
        }
        #[cfg(not(unix))]
        Interrupts {}
    }

    /// Waits for one of them.
    async fn wait(self) {
        #[cfg(unix)]
        if let Some([mut interrupt, mut terminate]) = self.signals {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
        let _ = tokio::signal::ctrl_c().await;
    }
}
