//! Whom a connection trusts: read once, used by every request.

use std::sync::Arc;

use rustls::client::Resumption;
use rustls::crypto::aws_lc_rs;
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::BuilderVerifierExt;
use tokio::sync::OnceCell;

/// The certificates that other servers' certificates have to lead to.
#[derive(Debug, Clone)]
pub enum Roots {
    /// Those of the operating system, and on Linux those that `SSL_CERT_FILE` or `SSL_CERT_DIR`
    /// name instead. They are read at the first request.
    System,
    /// These and no others, each in DER.
    Only(Vec<Vec<u8>>),
}

/// The configuration of every connection, made when the first one needs it.
#[derive(Debug)]
pub(super) struct Tls {
    roots: Roots,
    made: OnceCell<ClientConfig>,
}

impl Tls {
    pub(super) fn new(roots: Roots) -> Tls {
        Tls {
            roots,
            made: OnceCell::new(),
        }
    }

    /// The configuration; `None` when there are no certificates to trust, which is tried again by
    /// the next request.
    pub(super) async fn config(&self) -> Option<ClientConfig> {
        let made = self.made.get_or_try_init(|| async {
            let roots = self.roots.clone();
            // Files are read and parsed.
            let made = tokio::task::spawn_blocking(move || make(&roots)).await;
            made.unwrap_or_else(|_| Err(rustls::Error::General("interrupted".to_owned())))
        });
        match made.await {
            Ok(config) => Some(config.clone()),
            Err(error) => {
                tracing::error!(%error, "no certificates for requests to other servers");
                None
            }
        }
    }
}

fn make(roots: &Roots) -> Result<ClientConfig, rustls::Error> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let builder = match roots {
        Roots::System => builder.with_platform_verifier()?,
        Roots::Only(certificates) => {
            let mut store = RootCertStore::empty();
            for certificate in certificates {
                store.add(certificate.clone().into())?;
            }
            builder.with_root_certificates(store)
        }
    };
    let mut config = builder.with_no_client_auth();
    // Nothing of one request is left for the next, which may be another site's.
    config.resumption = Resumption::disabled();
    Ok(config)
}
