//! The server's own certificate authority, made when a socket is opened and not before.
//!
//! Go counterpart: the self-signed certificates of `k8s.io/client-go/util/cert`, and the common
//! name authentication of `k8s.io/apiserver/pkg/authentication/request/x509`.

use std::net::IpAddr;
use std::sync::Arc;

use pintle_apimachinery::Error;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose,
};
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    DigitallySignedStruct, DistinguishedName, RootCertStore, ServerConfig, SignatureScheme,
};

use crate::auth::{User, sha256};
use crate::der::{Der, OID, SEQUENCE, SET, VERSION};

/// A certificate authority that signs for the server and for users.
pub(crate) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

/// A certificate and its key, in PEM.
pub(crate) struct Identity {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

fn failed(error: rcgen::Error) -> Error {
    Error::other(format!("cannot make a certificate: {error}"))
}

impl Authority {
    pub(crate) fn new() -> Result<Self, Error> {
        let key = KeyPair::generate().map_err(failed)?;
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "pintle-apiserver-ca");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        let issuer = CertifiedIssuer::self_signed(params, key).map_err(failed)?;
        Ok(Authority { issuer })
    }

    /// The authority's certificate, in PEM.
    pub(crate) fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// A certificate for a user: the common name is the user's, the organization the group.
    ///
    /// # Errors
    /// The user has more than one group, which these certificates cannot carry.
    pub(crate) fn user(&self, user: &User) -> Result<Identity, Error> {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, user.name.as_str());
        match user.groups.as_slice() {
            [] => {}
            [group] => params.distinguished_name.push(DnType::OrganizationName, group.as_str()),
            _ => {
                return Err(Error::invalid(format!(
                    "a client certificate of this server carries one group; give {} a token",
                    user.name
                )));
            }
        }
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let (certificate, key) = self.sign(params)?;
        Ok(Identity { certificate: certificate.pem(), key: key.serialize_pem() })
    }

    fn sign(&self, params: CertificateParams) -> Result<(rcgen::Certificate, KeyPair), Error> {
        let key = KeyPair::generate().map_err(failed)?;
        let certificate = params.signed_by(&key, &self.issuer).map_err(failed)?;
        Ok((certificate, key))
    }

    /// A certificate to serve an address with, and its key.
    ///
    /// # Errors
    /// The system has no randomness.
    pub(crate) fn server(&self, address: IpAddr) -> Result<Identity, Error> {
        let mut names = vec![
            "localhost".to_owned(),
            "kubernetes".to_owned(),
            "kubernetes.default".to_owned(),
            "kubernetes.default.svc".to_owned(),
            "127.0.0.1".to_owned(),
            "::1".to_owned(),
        ];
        let own = address.to_string();
        if !address.is_unspecified() && !names.contains(&own) {
            names.push(own);
        }
        let mut params = CertificateParams::new(names).map_err(failed)?;
        params.distinguished_name.push(DnType::CommonName, "pintle-apiserver");
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let (certificate, key) = self.sign(params)?;
        Ok(Identity { certificate: certificate.pem(), key: key.serialize_pem() })
    }
}

fn tls(error: &dyn std::fmt::Display) -> Error {
    Error::other(format!("cannot set up TLS: {error}"))
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// The certificates of a PEM file.
///
/// # Errors
/// There is none ([`Error::is_config`]).
pub(crate) fn certificates(pem: &str) -> Result<Vec<CertificateDer<'static>>, Error> {
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    match chain {
        Ok(chain) if !chain.is_empty() => Ok(chain),
        Ok(_) => Err(Error::config("data does not contain any valid certificates")),
        Err(error) => Err(Error::config(format!("a certificate cannot be read: {error}"))),
    }
}

/// How to serve with a certificate: HTTP/2 and HTTP/1.1, certificates of clients taken when they
/// bring one.
///
/// # Errors
/// Certificate and key cannot be read, or do not belong together ([`Error::is_config`]).
pub(crate) fn serving(identity: &Identity) -> Result<ServerConfig, Error> {
    let key = PrivateKeyDer::from_pem_slice(identity.key.as_bytes())
        .map_err(|error| Error::config(format!("the key to serve with cannot be read: {error}")))?;
    let provider = provider();
    let mut config = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| tls(&error))?
        .with_client_cert_verifier(Arc::new(Anybody(provider)))
        .with_single_cert(certificates(&identity.certificate)?, key)
        .map_err(|error| Error::config(format!("cannot serve with this certificate: {error}")))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

/// Tells whose certificates count. As in Kubernetes, a certificate that does not count is refused
/// with 401 and not in the handshake.
///
/// # Errors
/// The authorities cannot be used ([`Error::is_config`]).
pub(crate) fn verifier(
    authorities: &[CertificateDer<'static>],
) -> Result<Arc<dyn ClientCertVerifier>, Error> {
    let mut roots = RootCertStore::empty();
    for authority in authorities {
        let added = roots.add(authority.clone());
        added.map_err(|error| Error::config(format!("not a certificate authority: {error}")))?;
    }
    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider())
        .build()
        .map(|verifier| verifier as Arc<dyn ClientCertVerifier>)
        .map_err(|error| tls(&error))
}

/// Takes every certificate in the handshake, if only the client has its key.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ClientCertVerifier for Anybody {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn verify_client_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

/// The user a verified certificate names; `None` when it has no common name.
pub(crate) fn user_of(der: &CertificateDer<'_>) -> Option<User> {
    let mut certificate = Der(Der(der).take(SEQUENCE)?);
    let mut tbs = Der(certificate.take(SEQUENCE)?);
    tbs.skip_if(VERSION);
    for _ in 0..4 {
        // Serial number, signature algorithm, issuer, validity.
        tbs.any()?;
    }
    let mut subject = Der(tbs.take(SEQUENCE)?);
    let mut user = User::default();
    while !subject.0.is_empty() {
        let mut set = Der(subject.take(SET)?);
        while !set.0.is_empty() {
            let mut attribute = Der(set.take(SEQUENCE)?);
            let oid = attribute.take(OID)?;
            let (_, value) = attribute.any()?;
            let text = String::from_utf8(value.to_vec()).ok()?;
            match oid {
                [0x55, 0x04, 0x03] => user.name = text,
                [0x55, 0x04, 0x0A] => user.groups.push(text),
                UID => user.uid = text,
                _ => {}
            }
        }
    }
    let hash: String = sha256(der).iter().map(|byte| format!("{byte:02x}")).collect();
    let id = "authentication.kubernetes.io/credential-id".to_owned();
    user.extra.insert(id, vec![format!("X509SHA256={hash}")]);
    (!user.name.is_empty()).then_some(user)
}

/// Where certificates say the user's UID: 1.3.6.1.4.1.57683.2.
const UID: &[u8] = &[0x2B, 0x06, 0x01, 0x04, 0x01, 0x83, 0xC2, 0x53, 0x02];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certificates_carry_users() {
        let authority = Authority::new().expect("an authority");
        for user in [User::admin(), User::new("jane", Vec::<String>::new())] {
            let identity = authority.user(&user).expect("a certificate");
            let der = CertificateDer::from_pem_slice(identity.certificate.as_bytes());
            let found = user_of(&der.expect("a certificate")).expect("a user");
            assert_eq!((found.name, found.groups), (user.name, user.groups));
            let id = &found.extra["authentication.kubernetes.io/credential-id"][0];
            assert_eq!(id.len(), "X509SHA256=".len() + 64);
        }
        assert!(authority.user(&User::new("x", ["a", "b"])).is_err());
    }

    #[test]
    fn broken_certificates_name_nobody() {
        let authority = Authority::new().expect("an authority");
        let identity = authority.user(&User::admin()).expect("a certificate");
        let der = CertificateDer::from_pem_slice(identity.certificate.as_bytes()).expect("DER");
        for end in 0..der.len().min(150) {
            assert_eq!(user_of(&CertificateDer::from(der[..end].to_vec())), None);
        }
    }
}
