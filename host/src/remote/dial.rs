//! Connections to a service: kept and used again, over TCP or TLS.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Request, Response, body::Incoming};
use hyper_util::{
    client::legacy::{Client, Error, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use tenure_core::Result;

use super::options::Remoteness;

/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(5);

/// How long one is kept without use: less than the service keeps it.
const IDLE: Duration = Duration::from_secs(45);

#[cfg(feature = "tls")]
type Connector = hyper_rustls::HttpsConnector<HttpConnector>;
#[cfg(not(feature = "tls"))]
type Connector = HttpConnector;

/// The connections of one client.
#[derive(Clone, Debug)]
pub(super) struct Dial(Client<Connector, Full<Bytes>>);

impl Dial {
    pub fn new(options: &Remoteness, secure: bool) -> Result<Self> {
        let mut tcp = HttpConnector::new();
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(CONNECT));
        tcp.enforce_http(false);
        let connector = wrap(tcp, options, secure)?;
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .build(connector);
        Ok(Self(client))
    }

    /// Sends a request, and answers with the head of what comes back.
    pub async fn send(&self, request: Request<Full<Bytes>>) -> std::result::Result<Response<Incoming>, Error> {
        self.0.request(request).await
    }
}

#[cfg(not(feature = "tls"))]
#[allow(clippy::unnecessary_wraps, reason = "with TLS it can fail")]
fn wrap(tcp: HttpConnector, _: &Remoteness, _: bool) -> Result<Connector> {
    Ok(tcp)
}

#[cfg(feature = "tls")]
fn wrap(tcp: HttpConnector, options: &Remoteness, secure: bool) -> Result<Connector> {
    use std::sync::Arc;

    use rustls::{
        ClientConfig, RootCertStore,
        pki_types::{CertificateDer, pem::PemObject as _},
    };
    use tenure_core::{Code, Error};

    let invalid = |why: String| Error::new(Code::Invalid, why);
    let mut roots = RootCertStore::empty();
    match &options.authorities {
        Some(pem) => {
            for certificate in CertificateDer::pem_slice_iter(pem) {
                certificate
                    .map_err(|error| error.to_string())
                    .and_then(|certificate| roots.add(certificate).map_err(|error| error.to_string()))
                    .map_err(|error| invalid(format!("the authorities' certificates: {error}; give a PEM text")))?;
            }
            if roots.is_empty() {
                return Err(invalid("the authorities' certificates: there is none; give a PEM text".into()));
            }
        }
        // Reading those of the system takes a while, and is for nothing without TLS.
        None if secure => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
        None => {}
    }
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::new(Code::Internal, format!("TLS: {error}")))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(hyper_rustls::HttpsConnectorBuilder::new()
        .with_tls_config(config)
        .https_or_http()
        .enable_http1()
        .wrap_connector(tcp))
}
