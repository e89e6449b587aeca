//! Certificates for the servers of a test.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose,
    date_time_ymd,
};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

/// What a server shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Certificate {
    /// One for its name.
    Good,
    /// One for another name.
    For(String),
    /// One for its name that has run out.
    Expired,
    /// One for its name by an authority that nobody knows.
    Unknown,
}

/// Signs certificates of servers.
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    /// A new one, which nobody trusts yet.
    ///
    /// # Panics
    /// When the cryptography fails.
    #[must_use]
    pub fn new() -> Authority {
        let mut params = CertificateParams::new(Vec::new()).expect("parameters");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        (params.distinguished_name).push(DnType::CommonName, "Authority of a test");
        let key = KeyPair::generate().expect("a key");
        Authority {
            issuer: CertifiedIssuer::self_signed(params, key).expect("an authority"),
        }
    }

    /// Its own certificate, in DER.
    #[must_use]
    pub fn der(&self) -> Vec<u8> {
        self.issuer.der().to_vec()
    }

    /// Its own certificate in PEM, for `SSL_CERT_FILE`.
    #[must_use]
    pub fn pem(&self) -> String {
        let text = STANDARD.encode(self.issuer.der());
        format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n")
    }

    /// The server's side of TLS for these names.
    pub(super) fn acceptor(&self, names: &[String], certificate: &Certificate) -> TlsAcceptor {
        let names = match certificate {
            Certificate::For(other) => vec![other.clone()],
            _ => names.to_vec(),
        };
        let mut params = CertificateParams::new(names).expect("names");
        if *certificate == Certificate::Expired {
            params.not_before = date_time_ymd(2001, 1, 1);
            params.not_after = date_time_ymd(2002, 1, 1);
        }
        let stranger;
        let authority = if *certificate == Certificate::Unknown {
            stranger = Authority::new();
            &stranger
        } else {
            self
        };
        let key = KeyPair::generate().expect("a key");
        let signed = params.signed_by(&key, &authority.issuer).expect("signed");
        let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![signed.der().clone()], key)
            .expect("a certificate");
        TlsAcceptor::from(Arc::new(config))
    }
}

impl Default for Authority {
    fn default() -> Authority {
        Authority::new()
    }
}
