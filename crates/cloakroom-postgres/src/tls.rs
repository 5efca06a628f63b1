//! Encrypted connections, whose other end has proved that it is the host of the URL.

use std::sync::Arc;

use cloakroom_store::StoreError;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres_rustls::MakeRustlsConnect;

/// What a connection is encrypted with. The certificates of the system are read once.
pub(crate) fn client(trusted: &[CertificateDer<'static>]) -> Result<MakeRustlsConnect, StoreError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let versions =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let versions =
        versions.map_err(|error| StoreError::refused("TLS cannot be set up").because(error))?;
    let roots = if trusted.is_empty() { of_the_system()? } else { only(trusted)? };
    let config = versions.with_root_certificates(roots).with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

/// The certificates in a PEM text.
pub(crate) fn certificates(pem: &str) -> Result<Vec<CertificateDer<'static>>, StoreError> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    let certificates =
        read.map_err(|error| StoreError::refused("this is no certificate in PEM").because(error))?;
    // Judged here already, where the mistake is.
    only(&certificates)?;
    Ok(certificates)
}

fn only(trusted: &[CertificateDer<'static>]) -> Result<RootCertStore, StoreError> {
    let mut roots = RootCertStore::empty();
    for certificate in trusted {
        roots.add(certificate.clone()).map_err(|error| {
            StoreError::refused("a trusted certificate cannot be used").because(error)
        })?;
    }
    if roots.is_empty() {
        return Err(StoreError::refused("the text holds no certificate in PEM"));
    }
    Ok(roots)
}

fn of_the_system() -> Result<RootCertStore, StoreError> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        return Err(StoreError::refused(
            "the system trusts no certificate: install its package of certificates, or give \
             `PostgresConfig::trust` the one of the database",
        ));
    }
    Ok(roots)
}
