//! TLS: a certificate chain and a key from PEM files.

use std::{path::Path, sync::Arc};

use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use tenure::{Code, Error, Result};
use tokio_rustls::TlsAcceptor;

/// What makes a TLS connection of a plain one.
pub fn acceptor(chain: &Path, key: &Path) -> Result<TlsAcceptor> {
    let fault = |path: &Path, why: &dyn std::fmt::Display| {
        Error::new(Code::Invalid, format!("{}: {why}; give a PEM file", path.display()))
    };
    let certificates = CertificateDer::pem_file_iter(chain)
        .and_then(Iterator::collect::<std::result::Result<Vec<_>, _>>)
        .map_err(|error| fault(chain, &error))?;
    if certificates.is_empty() {
        return Err(fault(chain, &"there is no certificate in it"));
    }
    let secret = PrivateKeyDer::from_pem_file(key).map_err(|error| fault(key, &error))?;
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(certificates, secret))
        .map_err(|error| fault(chain, &error))?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}
