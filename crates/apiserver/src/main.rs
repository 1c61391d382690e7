//! `pintle-apiserver`: an API server with nothing behind it, until it is interrupted.
//!
//! Go counterpart: `cmd/kube-apiserver`. Options: `--secure-port PORT`, `--kubeconfig-out FILE`.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;

use pintle_apimachinery::Error;
use pintle_apiserver::ApiServer;

const USAGE: &str = "usage: pintle-apiserver [--secure-port PORT] [--kubeconfig-out FILE]";

struct Options {
    port: u16,
    kubeconfig: Option<PathBuf>,
}

fn main() -> ExitCode {
    let options = match parse(std::env::args().skip(1)) {
        Ok(Some(options)) => options,
        Ok(None) => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        Err(problem) => {
            eprintln!("pintle-apiserver: {problem}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let result = match runtime {
        Ok(runtime) => runtime.block_on(serve(options)),
        Err(error) => Err(Error::other(format!("cannot start a runtime: {error}"))),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("pintle-apiserver: {error}");
            ExitCode::FAILURE
        }
    }
}

fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Option<Options>, String> {
    let mut options = Options { port: 0, kubeconfig: None };
    while let Some(argument) = arguments.next() {
        let (name, inline) = match argument.split_once('=') {
            Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
            None => (argument, None),
        };
        if matches!(name.as_str(), "-h" | "--help") {
            return Ok(None);
        }
        let mut value =
            || inline.clone().or_else(|| arguments.next()).ok_or(format!("{name} needs a value"));
        match name.as_str() {
            "--secure-port" => {
                let port = value()?;
                options.port = port.parse().map_err(|_| format!("{port} is no port"))?;
            }
            "--kubeconfig-out" => options.kubeconfig = Some(value()?.into()),
            other => return Err(format!("unknown flag: {other}")),
        }
    }
    Ok(Some(options))
}

async fn serve(options: Options) -> Result<(), Error> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, options.port));
    let server = ApiServer::builder().listen_on(address).start().await?;
    let (path, temporary) = match options.kubeconfig {
        Some(path) => (path, false),
        None => {
            let name = format!("pintle-apiserver-{}.kubeconfig", std::process::id());
            (std::env::temp_dir().join(name), true)
        }
    };
    write_private(&path, &server.kubeconfig()?)?;
    println!("serving on {}", server.url()?);
    println!("kubeconfig: {}", path.display());
    interrupted().await;
    if temporary {
        // Nothing is left behind; a file that is gone already is as good.
        let _ = std::fs::remove_file(&path);
    }
    server.shutdown().await;
    Ok(())
}

/// Writes a file that holds a key: only the owner may read it.
fn write_private(path: &std::path::Path, text: &str) -> Result<(), Error> {
    use std::io::Write;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
        .open(path)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(|error| Error::config(format!("cannot write {}: {error}", path.display())))
}

/// Waits for SIGINT or SIGTERM.
async fn interrupted() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let (Ok(mut interrupt), Ok(mut terminate)) =
            (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
        {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    let _ = tokio::signal::ctrl_c().await;
}
