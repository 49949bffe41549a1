//! TLS, from the handshake on, and what speaks none where it is asked for.
#![allow(clippy::unwrap_used)]

mod wire;

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpStream,
    sync::Arc,
    time::Duration,
};

use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned, crypto::ring, pki_types::CertificateDer};
use tenure::Options;
use wire::{Client, Served, config};

/// A service behind a certificate of its own, and that certificate.
fn encrypted() -> (Served, CertificateDer<'static>, tempfile::TempDir) {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (chain, key) = (folder.path().join("chain.pem"), folder.path().join("key.pem"));
    fs::write(&chain, made.cert.pem()).unwrap();
    fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let mut config = config();
    config.tls = Some((chain, key));
    config.patience.head = Duration::from_secs(2);
    (Served::with(config, &Options::new()), made.cert.der().clone(), folder)
}

fn connect(served: &Served, roots: RootCertStore) -> StreamOwned<ClientConnection, TcpStream> {
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let session = ClientConnection::new(Arc::new(config), "localhost".try_into().unwrap()).unwrap();
    let stream = TcpStream::connect(served.at).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    StreamOwned::new(session, stream)
}

#[test]
fn a_client_that_knows_the_certificate_is_served() {
    let (served, certificate, _folder) = encrypted();
    let mut roots = RootCertStore::empty();
    roots.add(certificate).unwrap();
    let mut stream = connect(&served, roots);
    let body = r#"{"adds":[{"group":"g","data":"x"}]}"#;
    let head = format!(
        "POST /v1/update HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
    let mut text = String::new();
    // The service ends with the session's own farewell, without which this is an error.
    stream.read_to_string(&mut text).unwrap();
    assert!(text.starts_with("HTTP/1.1 200"), "{text}");
    assert_eq!(served.store.group("g").unwrap().tasks, 1);
}

#[test]
fn a_claim_that_waits_for_long_is_answered_over_tls() {
    let (served, certificate, _folder) = encrypted();
    let mut roots = RootCertStore::empty();
    roots.add(certificate).unwrap();
    let mut stream = connect(&served, roots);
    let body = r#"{"groups":["g"],"lease":60000,"wait":150}"#;
    let head = format!(
        "POST /v1/claim HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    let last = "GET /v1/groups HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    stream.write_all(format!("{head}{body}{last}").as_bytes()).unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    assert_eq!(text.matches("HTTP/1.1 200").count(), 2, "{text}");
    assert!(text.contains("\"tasks\":[]") && text.contains("\"groups\":[]"), "{text}");
}

#[test]
fn a_client_that_does_not_know_the_certificate_sends_nothing() {
    let (served, _, _folder) = encrypted();
    let mut stream = connect(&served, RootCertStore::empty());
    assert!(stream.write_all(b"GET /groups HTTP/1.1\r\nhost: localhost\r\n\r\n").is_err());
}

#[test]
fn plain_http_to_a_port_for_tls_is_hung_up_on_and_others_are_served() {
    let (served, certificate, _folder) = encrypted();
    let mut plain = served.client();
    plain.send("GET", "/healthz", &[], "");
    let answer = plain.reply();
    assert!(answer.is_none(), "{answer:?}");
    // Half a handshake, and silence.
    let mut silent = served.client();
    silent.raw(&[22, 3, 1, 2, 0, 1]);
    assert!(silent.reply().is_none(), "its time ran out");
    let mut roots = RootCertStore::empty();
    roots.add(certificate).unwrap();
    let mut stream = connect(&served, roots);
    stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    assert!(text.starts_with("HTTP/1.1 200"), "{text}");
}

#[test]
fn a_handshake_to_a_plain_port_is_a_bad_request() {
    let served = Served::new();
    let mut stream = connect(&served, RootCertStore::empty());
    assert!(stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n").is_err());
    assert_eq!(Client::new(served.at).get("/healthz").status, 200);
}
