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
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};

use crate::auth::User;

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

    /// How to serve on an address: HTTP/2 and HTTP/1.1, certificates of clients looked at when
    /// they bring one.
    pub(crate) fn serving(&self, address: IpAddr) -> Result<ServerConfig, Error> {
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

        let tls =
            |error: &dyn std::fmt::Display| Error::other(format!("cannot set up TLS: {error}"));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut roots = RootCertStore::empty();
        roots.add(self.issuer.der().clone()).map_err(|error| tls(&error))?;
        let verifier =
            WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
                .allow_unauthenticated()
                .build()
                .map_err(|error| tls(&error))?;
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| tls(&error))?
            .with_client_cert_verifier(verifier)
            .with_single_cert(vec![certificate.der().clone()], key)
            .map_err(|error| tls(&error))?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(config)
    }
}

/// The user a verified certificate names; `None` when it has no common name.
pub(crate) fn user_of(certificate: &CertificateDer<'_>) -> Option<User> {
    let mut certificate = Der(Der(certificate).take(SEQUENCE)?);
    let mut tbs = Der(certificate.take(SEQUENCE)?);
    tbs.skip_if(0xA0);
    for _ in 0..4 {
        // Serial number, signature algorithm, issuer, validity.
        tbs.any()?;
    }
    let mut subject = Der(tbs.take(SEQUENCE)?);
    let mut user = User { name: String::new(), groups: Vec::new() };
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
                _ => {}
            }
        }
    }
    (!user.name.is_empty()).then_some(user)
}

const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const OID: u8 = 0x06;

/// Just enough of a DER reader for the subject of a certificate that was verified.
struct Der<'a>(&'a [u8]);

impl<'a> Der<'a> {
    /// The next element: its tag and content.
    fn any(&mut self) -> Option<(u8, &'a [u8])> {
        let (&tag, rest) = self.0.split_first()?;
        let (&first, mut rest) = rest.split_first()?;
        let mut length = usize::from(first);
        if first & 0x80 != 0 {
            let count = usize::from(first & 0x7F);
            if count == 0 || count > 4 || rest.len() < count {
                return None;
            }
            let (bytes, after) = rest.split_at(count);
            length = bytes.iter().fold(0, |length, byte| (length << 8) | usize::from(*byte));
            rest = after;
        }
        if rest.len() < length {
            return None;
        }
        let (content, rest) = rest.split_at(length);
        self.0 = rest;
        Some((tag, content))
    }

    fn take(&mut self, wanted: u8) -> Option<&'a [u8]> {
        let (tag, content) = self.any()?;
        (tag == wanted).then_some(content)
    }

    fn skip_if(&mut self, tag: u8) {
        if self.0.first() == Some(&tag) {
            self.any();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustls::pki_types::pem::PemObject;

    #[test]
    fn certificates_carry_users() {
        let authority = Authority::new().expect("an authority");
        for user in [User::admin(), User::new("jane", Vec::<String>::new())] {
            let identity = authority.user(&user).expect("a certificate");
            let der = CertificateDer::from_pem_slice(identity.certificate.as_bytes());
            assert_eq!(user_of(&der.expect("a certificate")), Some(user));
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
