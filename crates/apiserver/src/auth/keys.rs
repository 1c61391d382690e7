//! Keys that sign and check tokens of ServiceAccounts, from PEM files or made when first needed.
//!
//! Go counterpart: `k8s.io/client-go/util/keyutil`, and the key handling of
//! `k8s.io/kubernetes/pkg/serviceaccount`.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use pintle_apimachinery::Error;
use rustls::SignatureScheme;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::{PemObject, SectionKind};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::SigningKey;
use serde_json::{Value, json};

use crate::der::{self, BIT_STRING, Der, INTEGER, OID, SEQUENCE, VERSION};

/// A key that a token's signature is checked with.
#[derive(Clone, Debug)]
pub(crate) struct PublicKey {
    /// The name of the key: the hash of its DER form.
    pub(crate) id: String,
    algorithm: Algorithm,
    /// The content of the DER form's bit string.
    raw: Vec<u8>,
}

/// A key that signs tokens, and its public half.
#[derive(Clone)]
pub(crate) struct PrivateKey {
    signing: Arc<dyn SigningKey>,
    pub(crate) public: PublicKey,
}

impl std::fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PrivateKey").field("id", &self.public.id).finish_non_exhaustive()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Algorithm {
    Rs256,
    Es256,
    Es384,
}

const RSA: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x01];
const ELLIPTIC: &[u8] = &[0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01];
const P256: &[u8] = &[0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07];
const P384: &[u8] = &[0x2B, 0x81, 0x04, 0x00, 0x22];

impl Algorithm {
    fn name(self) -> &'static str {
        match self {
            Algorithm::Rs256 => "RS256",
            Algorithm::Es256 => "ES256",
            Algorithm::Es384 => "ES384",
        }
    }

    fn scheme(self) -> SignatureScheme {
        match self {
            Algorithm::Rs256 => SignatureScheme::RSA_PKCS1_SHA256,
            Algorithm::Es256 => SignatureScheme::ECDSA_NISTP256_SHA256,
            Algorithm::Es384 => SignatureScheme::ECDSA_NISTP384_SHA384,
        }
    }

    /// Bytes of one coordinate, of the algorithms that have a curve.
    fn coordinate(self) -> Option<usize> {
        match self {
            Algorithm::Rs256 => None,
            Algorithm::Es256 => Some(32),
            Algorithm::Es384 => Some(48),
        }
    }
}

/// SHA-256.
pub(crate) fn sha256(bytes: &[u8]) -> Vec<u8> {
    let suite = rustls::crypto::ring::cipher_suite::TLS13_AES_128_GCM_SHA256;
    let hash = suite.tls13().map(|suite| suite.common.hash_provider.hash(bytes));
    hash.map(|hash| hash.as_ref().to_vec()).unwrap_or_default()
}

impl PublicKey {
    /// Reads a SubjectPublicKeyInfo; `None` for what is none, or of an algorithm tokens do not use.
    fn from_der(info: &[u8]) -> Option<Self> {
        let mut content = Der(Der(info).take(SEQUENCE)?);
        let mut kind = Der(content.take(SEQUENCE)?);
        let algorithm = match kind.take(OID)? {
            RSA => Algorithm::Rs256,
            ELLIPTIC => match kind.take(OID)? {
                P256 => Algorithm::Es256,
                P384 => Algorithm::Es384,
                _ => return None,
            },
            _ => return None,
        };
        // The first byte tells how many bits of the last are not used: none.
        let raw = content.take(BIT_STRING)?.get(1..)?.to_vec();
        Some(PublicKey { id: URL_SAFE_NO_PAD.encode(sha256(info)), algorithm, raw })
    }

    fn from_certificate(certificate: &[u8]) -> Option<Self> {
        let mut certificate = Der(Der(certificate).take(SEQUENCE)?);
        let mut body = Der(certificate.take(SEQUENCE)?);
        body.skip_if(VERSION);
        for _ in 0..5 {
            // Serial number, signature algorithm, issuer, validity, subject.
            body.any()?;
        }
        PublicKey::from_der(body.whole()?)
    }

    /// The name of the algorithm, as tokens have it.
    pub(crate) fn algorithm(&self) -> &'static str {
        self.algorithm.name()
    }

    /// Whether `signature` is that of `message` under this key.
    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        let signature = match self.algorithm.coordinate() {
            None => signature.to_vec(),
            Some(half) if signature.len() == 2 * half => {
                let (r, s) = signature.split_at(half);
                let numbers = [der::write_unsigned(r), der::write_unsigned(s)].concat();
                der::write(SEQUENCE, &numbers)
            }
            Some(_) => return false,
        };
        let known = default_provider().signature_verification_algorithms.mapping;
        let wanted = self.algorithm.scheme();
        let mut algorithms = known
            .iter()
            .filter(|(scheme, _)| *scheme == wanted)
            .flat_map(|(_, algorithms)| algorithms.iter());
        algorithms
            .any(|algorithm| algorithm.verify_signature(&self.raw, message, &signature).is_ok())
    }

    /// The key as a member of a JSON web key set.
    pub(crate) fn jwk(&self) -> Option<Value> {
        let number = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let (id, algorithm) = (self.id.as_str(), self.algorithm.name());
        match self.algorithm.coordinate() {
            None => {
                let mut numbers = Der(Der(&self.raw).take(SEQUENCE)?);
                let modulus = der::unsigned(numbers.take(INTEGER)?);
                let exponent = der::unsigned(numbers.take(INTEGER)?);
                Some(json!({
                    "use": "sig", "kty": "RSA", "kid": id, "alg": algorithm,
                    "n": number(modulus), "e": number(exponent),
                }))
            }
            Some(length) => {
                // An uncompressed point: 4, x, y.
                let (x, y) = self.raw.get(1..)?.split_at_checked(length)?;
                let curve = if length == 32 { "P-256" } else { "P-384" };
                Some(json!({
                    "use": "sig", "kty": "EC", "kid": id, "crv": curve, "alg": algorithm,
                    "x": number(x), "y": number(y),
                }))
            }
        }
    }
}

impl PrivateKey {
    /// A new key on P-256.
    ///
    /// # Errors
    /// The system has no randomness.
    pub(crate) fn generate() -> Result<Self, Error> {
        let key = rcgen::KeyPair::generate()
            .map_err(|error| Error::other(format!("cannot make a key: {error}")))?;
        PrivateKey::new(&PrivatePkcs8KeyDer::from(key.serialize_der()).into())
    }

    fn new(key: &PrivateKeyDer<'_>) -> Result<Self, Error> {
        let wrong = || Error::config("a private key for tokens is RSA, or ECDSA on P-256 or P-384");
        let signing = rustls::crypto::ring::sign::any_supported_type(key).map_err(|_| wrong())?;
        let public = signing.public_key().ok_or_else(wrong)?;
        let public = PublicKey::from_der(&public).ok_or_else(wrong)?;
        Ok(PrivateKey { signing, public })
    }

    /// Reads the first private key of a PEM file.
    ///
    /// # Errors
    /// There is none, or of an algorithm that is not used for tokens ([`Error::is_config`]).
    pub(crate) fn from_pem(pem: &str) -> Result<Self, Error> {
        let key = PrivateKeyDer::from_pem_slice(pem.as_bytes()).map_err(|error| {
            Error::config(format!(
                "data does not contain a valid RSA or ECDSA private key: {error}"
            ))
        })?;
        PrivateKey::new(&key)
    }

    /// Signs a message.
    ///
    /// # Errors
    /// The key does not sign in its algorithm.
    pub(crate) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        let failed = || Error::other("the key cannot sign");
        let algorithm = self.public.algorithm;
        let signer = self.signing.choose_scheme(&[algorithm.scheme()]).ok_or_else(failed)?;
        let signature =
            signer.sign(message).map_err(|error| Error::other(format!("cannot sign: {error}")))?;
        match algorithm.coordinate() {
            None => Ok(signature),
            Some(half) => fixed(&signature, half).ok_or_else(failed),
        }
    }
}

/// The two numbers of a DER signature, one after the other in `half` bytes each.
fn fixed(signature: &[u8], half: usize) -> Option<Vec<u8>> {
    let mut numbers = Der(Der(signature).take(SEQUENCE)?);
    let mut out = Vec::with_capacity(2 * half);
    for _ in 0..2 {
        let number = der::unsigned(numbers.take(INTEGER)?);
        out.resize(out.len() + half.checked_sub(number.len())?, 0);
        out.extend_from_slice(number);
    }
    Some(out)
}

/// Every key of a PEM file that tokens can be checked with: public keys, certificates, and the
/// public halves of private keys.
///
/// # Errors
/// There is none ([`Error::is_config`]).
pub(crate) fn public_keys(pem: &str) -> Result<Vec<PublicKey>, Error> {
    let mut keys = Vec::new();
    for section in <(SectionKind, Vec<u8>)>::pem_slice_iter(pem.as_bytes()) {
        let Ok((kind, der)) = section else { continue };
        let key = match kind {
            SectionKind::Certificate => PublicKey::from_certificate(&der),
            SectionKind::PublicKey => PublicKey::from_der(&der),
            kind => PrivateKeyDer::from_pem(kind, der)
                .and_then(|key| PrivateKey::new(&key).ok())
                .map(|key| key.public),
        };
        keys.extend(key);
    }
    if keys.is_empty() {
        return Err(Error::config("data does not contain any valid RSA or ECDSA public keys"));
    }
    Ok(keys)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_key_signs_its_public_half_verifies() {
        let key = PrivateKey::generate().expect("a key");
        let other = PrivateKey::generate().expect("a key");
        for round in 0..50_u8 {
            // Numbers with zeros in front are written in full, too.
            let signature = key.sign(&[round]).expect("a signature");
            assert_eq!(signature.len(), 64);
            assert!(key.public.verifies(&[round], &signature));
            assert!(!key.public.verifies(&[round, 1], &signature));
            assert!(!other.public.verifies(&[round], &signature));
        }
        assert!(!key.public.verifies(b"x", b"short"));
        let jwk = key.public.jwk().expect("a key");
        assert_eq!(jwk["crv"], "P-256");
        assert_eq!(jwk["x"].as_str().map(str::len), Some(43));
    }

    #[test]
    fn keys_are_read_from_pem_in_every_form() {
        let pair = rcgen::KeyPair::generate().expect("a key");
        let private = PrivateKey::from_pem(&pair.serialize_pem()).expect("a key");
        let params = rcgen::CertificateParams::default();
        let certificate = params.self_signed(&pair).expect("a certificate").pem();
        let forms = [pair.serialize_pem(), pair.public_key_pem(), certificate];
        for form in &forms {
            let keys = public_keys(form).expect("a key");
            assert_eq!(keys[0].id, private.public.id);
        }
        assert_eq!(public_keys(&forms.concat()).expect("keys").len(), 3);
        assert!(public_keys("nothing").is_err_and(|error| error.is_config()));
        assert!(PrivateKey::from_pem("nothing").is_err_and(|error| error.is_config()));
    }
}
