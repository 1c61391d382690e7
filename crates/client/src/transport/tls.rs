//! rustls configurations from PEM at hand or in files (Go: `transport/tls_cache`,
//! `rest.TLSConfigFor`).

use crate::config::{Pem, Tls};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{ClientConfig, WebPkiServerVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{DigitallySignedStruct, RootCertStore, SignatureScheme};
use std::sync::{Arc, Mutex, PoisonError};

/// The client's TLS configuration, made anew when the files behind it change.
pub(crate) struct TlsSource {
    tls: Tls,
    http2: bool,
    cached: Mutex<Cached>,
}

struct Cached {
    material: Material,
    configs: Configs,
}

/// A configuration that offers every protocol, and one that offers only HTTP/1.1.
#[derive(Clone)]
pub(crate) struct Configs {
    pub(crate) any: Arc<ClientConfig>,
    pub(crate) http1: Arc<ClientConfig>,
}

/// The bytes that a configuration was made of.
#[derive(PartialEq)]
struct Material {
    authorities: Option<Vec<u8>>,
    identity: Option<(Vec<u8>, Vec<u8>)>,
}

impl TlsSource {
    pub(crate) fn new(tls: &Tls, http2: bool) -> Result<Self, String> {
        let material = Material::read(tls)?;
        let configs = build(tls, &material, http2)?;
        let cached = Mutex::new(Cached { material, configs });
        Ok(TlsSource { tls: tls.clone(), http2, cached })
    }

    /// The configurations as of now. Files that have become unreadable or wrong are reported, and
    /// what they said before stays in force.
    pub(crate) fn current(&self) -> Configs {
        self.refresh();
        self.cached.lock().unwrap_or_else(PoisonError::into_inner).configs.clone()
    }

    /// Reads the files again. Whether they had changed.
    pub(crate) fn refresh(&self) -> bool {
        let from_files = |pem: &Pem| matches!(pem, Pem::File(_));
        let Tls { authorities, identity, .. } = &self.tls;
        if !authorities.as_ref().is_some_and(from_files)
            && !identity.as_ref().is_some_and(|i| from_files(&i.certificate) || from_files(&i.key))
        {
            return false;
        }
        let made = Material::read(&self.tls).and_then(|material| {
            let mut cached = self.cached.lock().unwrap_or_else(PoisonError::into_inner);
            if cached.material == material {
                return Ok(false);
            }
            *cached = Cached { configs: build(&self.tls, &material, self.http2)?, material };
            Ok(true)
        });
        made.unwrap_or_else(|complaint| {
            tracing::warn!("{complaint}; what was read before stays in force");
            false
        })
    }
}

impl Material {
    fn read(tls: &Tls) -> Result<Self, String> {
        let authorities = match &tls.authorities {
            Some(pem) if !tls.insecure => Some(read(pem, "certificate authorities")?),
            _ => None,
        };
        let identity = match &tls.identity {
            Some(identity) => Some((
                read(&identity.certificate, "client certificate")?,
                read(&identity.key, "client key")?,
            )),
            None => None,
        };
        Ok(Material { authorities, identity })
    }
}

fn read(pem: &Pem, what: &str) -> Result<Vec<u8>, String> {
    match pem {
        Pem::Data(bytes) => Ok(bytes.expose().clone()),
        Pem::File(path) => {
            std::fs::read(path).map_err(|e| format!("{what} {}: {e}", path.display()))
        }
    }
}

/// How to speak of a PEM in a message.
fn name(pem: Option<&Pem>, what: &str) -> String {
    match pem {
        Some(Pem::File(path)) => format!("{what} {}", path.display()),
        _ => format!("{what} (inline data)"),
    }
}

fn build(tls: &Tls, material: &Material, http2: bool) -> Result<Configs, String> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier: Arc<dyn ServerCertVerifier> = if tls.insecure {
        Arc::new(AcceptAny(provider.clone()))
    } else {
        let what = name(tls.authorities.as_ref(), "certificate authorities");
        let roots = match &material.authorities {
            Some(pem) => parse_roots(pem, &what)?,
            None => system_roots()?,
        };
        WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider.clone())
            .build()
            .map_err(|e| format!("{what}: {e}"))?
    };
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| format!("TLS: {e}"))?
        .dangerous()
        .with_custom_certificate_verifier(verifier);
    let mut config = match (&material.identity, &tls.identity) {
        (Some((certificate, key)), Some(identity)) => {
            let what = name(Some(&identity.certificate), "client certificate");
            let chain = parse_certificates(certificate, &what)?;
            let key_name = name(Some(&identity.key), "client key");
            let key = PrivateKeyDer::from_pem_slice(key)
                .map_err(|e| format!("{key_name}: no private key in PEM: {e}"))?;
            builder
                .with_client_auth_cert(chain, key)
                .map_err(|e| format!("{what} and {key_name}: {e}"))?
        }
        _ => builder.with_no_client_auth(),
    };
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    let http1 = Arc::new(config.clone());
    if http2 {
        config.alpn_protocols.insert(0, b"h2".to_vec());
    }
    Ok(Configs { any: Arc::new(config), http1 })
}

fn parse_certificates(pem: &[u8], what: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    let found: Vec<_> = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<_, _>>()
        .map_err(|e| format!("{what}: not PEM: {e}"))?;
    if found.is_empty() {
        return Err(format!("{what}: holds no certificate in PEM"));
    }
    Ok(found)
}

fn parse_roots(pem: &[u8], what: &str) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    for (i, certificate) in parse_certificates(pem, what)?.into_iter().enumerate() {
        roots.add(certificate).map_err(|e| format!("{what}: certificate {}: {e}", i + 1))?;
    }
    Ok(roots)
}

fn system_roots() -> Result<RootCertStore, String> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        let why = found.errors.first().map(|e| format!(": {e}")).unwrap_or_default();
        return Err(format!(
            "no certificate authority is given and the system has none{why}; set \
             certificate-authority"
        ));
    }
    Ok(roots)
}

/// The name that a server's certificate must bear.
pub(crate) fn server_name(text: &str) -> Result<ServerName<'static>, String> {
    let bare = text.trim_start_matches('[').trim_end_matches(']');
    ServerName::try_from(bare.to_owned())
        .map_err(|_| format!("{text:?} is neither a DNS name nor an IP address"))
}

/// `insecure-skip-tls-verify`: the handshake is checked, the certificate is not.
#[derive(Debug)]
struct AcceptAny(Arc<CryptoProvider>);

impl ServerCertVerifier for AcceptAny {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
