//! The servers that requests go to: the embedded one in process, the real one over TLS.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use pintle_apiserver::{ApiServer, Controllers, User};

use crate::script::Profile;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::net::TcpStream;
use tower_service::Service as _;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A body of either server.
pub(crate) type Body = UnsyncBoxBody<Bytes, BoxError>;

/// Users that both servers know, by token.
pub const TOKENS: &str = "differential-admin,admin,1,\"system:masters\"\n\
                          differential-jane,jane,2,\"developers\"\n";

/// A server to send requests to.
pub enum Target {
    /// In this process.
    Embedded(Box<ApiServer>),
    /// The control plane that Go builds.
    Real(Real),
}

/// How to reach a control plane that runs.
pub struct Real {
    address: String,
    tls: tokio_rustls::TlsConnector,
    dir: PathBuf,
    program: PathBuf,
}

fn user(name: &str, uid: &str, group: &str) -> User {
    let mut user = User::new(name, [group]);
    user.uid = uid.to_owned();
    user
}

impl Target {
    /// Starts an embedded server, with controllers if the real one has them.
    ///
    /// # Errors
    /// It cannot start.
    ///
    /// # Cancel safety
    /// A server that was not handed out is gone.
    pub async fn embedded(profile: Profile) -> Result<Target, String> {
        let controllers = match profile {
            Profile::Controllers => Controllers::all(),
            Profile::Plain | Profile::Uncached => Controllers::none(),
        };
        let server = ApiServer::builder()
            .controllers(controllers)
            .token("differential-admin", user("admin", "1", "system:masters"))
            .token("differential-jane", user("jane", "2", "developers"))
            .start()
            .await
            .map_err(|error| error.to_string())?;
        Ok(Target::Embedded(Box::new(server)))
    }

    /// The control plane that serves from `dir`.
    ///
    /// # Errors
    /// The folder does not say where it serves.
    pub fn real(dir: &Path, program: &Path) -> Result<Target, String> {
        let read = |name: &str| {
            let path = dir.join(name);
            std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))
        };
        let ready: serde_json::Value =
            serde_json::from_str(&read("control-plane.json")?).map_err(|e| e.to_string())?;
        let server = ready["server"].as_str().unwrap_or_default();
        let address = server.strip_prefix("https://").ok_or("no address of the server")?;
        let mut roots = rustls::RootCertStore::empty();
        let ca = read("pki/ca.crt")?;
        let certificate =
            CertificateDer::from_pem_slice(ca.as_bytes()).map_err(|e| format!("ca.crt: {e:?}"))?;
        roots.add(certificate).map_err(|e| e.to_string())?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|e| e.to_string())?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Target::Real(Real {
            address: address.to_owned(),
            tls: Arc::new(config).into(),
            dir: dir.to_owned(),
            program: program.to_owned(),
        }))
    }

    /// Sends a request.
    pub(crate) async fn send(&self, request: Request<Bytes>) -> Result<Response<Body>, String> {
        let answer = async {
            match self {
                Target::Embedded(server) => {
                    let mut service = server.service().with_user(None);
                    let Ok(response) = service.call(request.map(Full::new)).await;
                    Ok(response.map(|body| body.map_err(Into::into).boxed_unsync()))
                }
                Target::Real(real) => real.send(request).await,
            }
        };
        tokio::time::timeout(Duration::from_secs(90), answer).await.map_err(|e| e.to_string())?
    }

    /// Forgets the history of the storage.
    pub(crate) async fn compact(&self) -> Result<(), String> {
        match self {
            Target::Embedded(server) => {
                server.faults().compact().map(drop).map_err(|e| e.to_string())
            }
            Target::Real(real) => {
                // What etcd forgot the watch cache still has, until the API server starts anew.
                for what in ["compact", "restart"] {
                    let mut command = tokio::process::Command::new(&real.program);
                    command.arg(what).arg("--dir").arg(&real.dir);
                    let output = command.output().await.map_err(|e| e.to_string())?;
                    if !output.status.success() {
                        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
                    }
                }
                Ok(())
            }
        }
    }
}

impl Real {
    /// One connection for each request: nothing is left over from the one before.
    async fn send(&self, mut request: Request<Bytes>) -> Result<Response<Body>, String> {
        let text = |e: &dyn std::error::Error| e.to_string();
        let tcp = TcpStream::connect(&self.address).await.map_err(|e| text(&e))?;
        let host = self.address.split(':').next().unwrap_or_default().to_owned();
        let name = ServerName::try_from(host).map_err(|e| text(&e))?;
        let tls = self.tls.connect(name, tcp).await.map_err(|e| text(&e))?;
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(tls)).await.map_err(|e| text(&e))?;
        // Ends with the body, or when the body is dropped.
        tokio::spawn(connection);
        let host = self.address.parse().map_err(|e: http::header::InvalidHeaderValue| text(&e))?;
        request.headers_mut().insert(http::header::HOST, host);
        let response = sender.send_request(request.map(Full::new)).await.map_err(|e| text(&e))?;
        Ok(response.map(|body| body.map_err(Into::into).boxed_unsync()))
    }
}
