//! Certificate files that change. What happens over sockets is in `tests/client/network.rs`.

use super::tls::TlsSource;
use crate::config::{Identity, Pem, Secret, Tls};
use crate::testing::TempDir;
use rcgen::{CertificateParams, KeyPair};
use std::sync::Arc;

/// A certificate and its key.
fn pair() -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["a".to_owned()]).unwrap();
    (params.self_signed(&key).unwrap().pem(), key.serialize_pem())
}

#[test]
fn files_that_change_make_a_new_configuration() {
    let dir = TempDir::new();
    let write = |(certificate, key): (String, String)| {
        dir.write("ca.pem", &certificate);
        (dir.write("cert.pem", &certificate), dir.write("key.pem", &key))
    };
    let (certificate, key) = write(pair());
    let tls = Tls {
        authorities: Some(Pem::File(dir.path().join("ca.pem"))),
        identity: Some(Identity { certificate: Pem::File(certificate), key: Pem::File(key) }),
        ..Tls::default()
    };
    let source = TlsSource::new(&tls, true).unwrap();
    let first = source.current().any;
    assert!(!source.refresh());
    assert!(Arc::ptr_eq(&first, &source.current().any), "unchanged files, unchanged configuration");

    write(pair());
    assert!(source.refresh());
    let second = source.current();
    assert!(!Arc::ptr_eq(&first, &second.any));
    assert_eq!(second.any.alpn_protocols, [b"h2".to_vec(), b"http/1.1".to_vec()]);
    assert_eq!(second.http1.alpn_protocols, [b"http/1.1".to_vec()]);

    // A renewal caught half way, or gone wrong: what was there before stays in force.
    let (_, other_key) = pair();
    dir.write("key.pem", other_key);
    assert!(!source.refresh());
    assert!(Arc::ptr_eq(&second.any, &source.current().any));
    std::fs::remove_file(dir.path().join("key.pem")).unwrap();
    assert!(!source.refresh());
    assert!(Arc::ptr_eq(&second.any, &source.current().any));
}

#[test]
fn data_at_hand_does_not_change() {
    let (certificate, _) = pair();
    let authorities = Some(Pem::Data(Secret::new(certificate.into_bytes())));
    let source = TlsSource::new(&Tls { authorities, ..Tls::default() }, false).unwrap();
    assert!(!source.refresh());
    assert_eq!(source.current().any.alpn_protocols, [b"http/1.1".to_vec()]);
}
