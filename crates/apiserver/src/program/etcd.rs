//! What is left of etcd where the API server keeps its objects itself: a program that takes
//! etcd's flags, says that it is healthy, and keeps what API servers leave with it when they end.
//!
//! Go counterpart: `go.etcd.io/etcd/server/v3/etcdmain`. Test environments start one beside
//! kube-apiserver and wait for it.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use pintle_apimachinery::Error;
use tokio::net::TcpListener;

/// Names of flags, and whether they are switches.
const TABLE: &str = include_str!("etcd-flags.tsv");

/// What etcd says of itself.
pub(crate) const VERSION: &str = "3.7.0";

fn flags() -> impl Iterator<Item = (&'static str, bool)> {
    TABLE
        .lines()
        .filter_map(|line| line.split_once('\t'))
        .map(|(name, kind)| (name, kind == "bool"))
}

/// What flags ask for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    Help,
    Version,
    /// Serve at these URLs, and keep what is left here in a folder.
    Serve {
        urls: Vec<String>,
        dir: Option<PathBuf>,
    },
}

/// Reads etcd's flags: one dash or two, as Go's own package has it.
///
/// # Errors
/// In etcd's words: a flag is unknown or has no value.
pub(crate) fn parse(args: &[String]) -> Result<Wanted, String> {
    let mut urls = "http://localhost:2379".to_owned();
    let mut http_urls = String::new();
    let mut dir = None;
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        let Some(name) = arg.strip_prefix("--").or_else(|| arg.strip_prefix('-')) else {
            return Err(format!("'{arg}' is not a valid flag"));
        };
        let (name, value) = match name.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (name, None),
        };
        let Some((_, switch)) = flags().find(|(known, _)| *known == name) else {
            return Err(format!("flag provided but not defined: -{name}"));
        };
        let value = match value {
            Some(value) => value,
            None if switch => "true".to_owned(),
            None => {
                let next = args.next();
                next.cloned().ok_or_else(|| format!("flag needs an argument: -{name}"))?
            }
        };
        match name {
            "help" | "h" => return Ok(Wanted::Help),
            "version" if value == "true" => return Ok(Wanted::Version),
            "listen-client-urls" => urls = value,
            "listen-client-http-urls" => http_urls = value,
            "data-dir" => dir = Some(PathBuf::from(value)),
            _ => {}
        }
    }
    let all = urls.split(',').chain(http_urls.split(','));
    let urls = all.filter(|url| !url.is_empty()).map(str::to_owned).collect();
    Ok(Wanted::Serve { urls, dir })
}

/// What `--help` prints.
pub(crate) fn help() -> String {
    let mut out = "Usage:\n\n  etcd [flags]\n    Says that it is healthy. Objects are kept by the \
                   kube-apiserver beside it, in\n    memory, and left here when that ends.\n\nFlags, as etcd has them:\n"
        .to_owned();
    for (name, _) in flags() {
        out += &format!("  --{name}\n");
    }
    out
}

/// Serves until it is interrupted.
///
/// # Errors
/// A URL cannot be listened on.
pub(crate) async fn serve(urls: &[String], dir: Option<PathBuf>) -> Result<(), Error> {
    let shelf = Arc::new(Shelf { dir, kept: Mutex::default() });
    let interrupts = super::Interrupts::listen();
    let mut tasks = tokio::task::JoinSet::new();
    for url in urls {
        let Some(address) = url.strip_prefix("http://") else {
            return Err(Error::config(format!("{url}: only http:// URLs can be listened on")));
        };
        let listener = TcpListener::bind(address.trim_end_matches('/'))
            .await
            .map_err(|error| Error::transport(format!("cannot listen on {url}: {error}")))?;
        println!("serving on {url}");
        tasks.spawn(accept(listener, Arc::clone(&shelf)));
    }
    interrupts.wait().await;
    tasks.shutdown().await;
    Ok(())
}

async fn accept(listener: TcpListener, shelf: Arc<Shelf>) {
    let mut connections = tokio::task::JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => if let Ok((stream, _)) = accepted {
                let shelf = Arc::clone(&shelf);
                connections.spawn(async move {
                    let service = service_fn(|request| answer(request, Arc::clone(&shelf)));
                    // A failed connection is the client's to notice.
                    let _ = hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                });
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

/// What API servers left, by name.
#[derive(Default)]
struct Shelf {
    dir: Option<PathBuf>,
    kept: Mutex<BTreeMap<String, Bytes>>,
}

impl Shelf {
    fn file(&self, name: &str) -> Option<PathBuf> {
        Some(self.dir.as_ref()?.join("pintle").join(format!("{name}.json")))
    }

    fn get(&self, name: &str) -> Option<Bytes> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned();
        kept.or_else(|| std::fs::read(self.file(name)?).ok().map(Bytes::from))
    }

    /// Keeps it in memory, whatever the disk says.
    fn put(&self, name: &str, body: Bytes) -> std::io::Result<()> {
        let written = match self.file(name) {
            Some(path) => {
                let next = path.with_extension("next");
                let folder = path.parent().map_or(Ok(()), std::fs::create_dir_all);
                folder
                    .and_then(|()| super::write_owned(&next, &body))
                    .and_then(|()| std::fs::rename(&next, &path))
            }
            None => Ok(()),
        };
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.insert(name.to_owned(), body);
        written
    }
}

async fn answer(
    request: Request<Incoming>,
    shelf: Arc<Shelf>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let path = request.uri().path().to_owned();
    let name = path
        .strip_prefix(super::keep::PATH)
        .filter(|name| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    let (code, body) = match name {
        Some(name) if request.method() == Method::PUT => {
            match request.into_body().collect().await {
                Ok(body) => match shelf.put(name, body.to_bytes()) {
                    Ok(()) => (StatusCode::NO_CONTENT, Bytes::new()),
                    Err(error) => (StatusCode::INSUFFICIENT_STORAGE, error.to_string().into()),
                },
                // What did not come whole is not kept.
                Err(_) => (StatusCode::BAD_REQUEST, Bytes::new()),
            }
        }
        Some(name) => match shelf.get(name) {
            Some(kept) => (StatusCode::OK, kept),
            None => (StatusCode::NOT_FOUND, Bytes::new()),
        },
        None => {
            let (code, text) = body(&path);
            (code, text.into())
        }
    };
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = code;
    Ok(response)
}

fn body(path: &str) -> (http::StatusCode, String) {
    let body = match path {
        "/health" => "{\"health\":\"true\",\"reason\":\"\"}".to_owned(),
        "/livez" | "/readyz" => "ok\n".to_owned(),
        "/version" => {
            format!("{{\"etcdserver\":\"{VERSION}\",\"etcdcluster\":\"3.7.0\",\"storage\":\"\"}}")
        }
        _ => return (http::StatusCode::NOT_FOUND, "404 page not found\n".to_owned()),
    };
    (http::StatusCode::OK, body)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(args: &[&str]) -> Result<Wanted, String> {
        let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
        super::parse(&args)
    }

    #[test]
    fn flags_are_those_of_etcd() {
        let args = [
            "--data-dir=/d",
            "-listen-client-urls",
            "http://127.0.0.1:1",
            "--unsafe-no-fsync",
            "--listen-peer-urls=http://127.0.0.1:2",
            "--advertise-client-urls=http://127.0.0.1:1",
        ];
        let urls = vec!["http://127.0.0.1:1".to_owned()];
        let wanted = Wanted::Serve { urls, dir: Some("/d".into()) };
        assert_eq!(parse(&args), Ok(wanted));
        assert_eq!(parse(&["--version"]), Ok(Wanted::Version));
        assert_eq!(parse(&["--help"]), Ok(Wanted::Help));
        let fails = |arg: &str| parse(&[arg]).expect_err("an error");
        assert_eq!(fails("--nosuch"), "flag provided but not defined: -nosuch");
        assert_eq!(fails("--data-dir"), "flag needs an argument: -data-dir");
        assert!(help().contains("\n  --unsafe-no-fsync\n"));
    }

    #[test]
    fn it_is_healthy() {
        assert_eq!(body("/health").1, "{\"health\":\"true\",\"reason\":\"\"}");
        assert!(body("/version").1.contains("\"etcdserver\":\"3.7.0\""));
        assert_eq!(body("/v3/kv/range").0, 404);
    }
}
