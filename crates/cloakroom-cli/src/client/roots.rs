//! Whose certificates the client believes.

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use std::error::Error;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Why nobody can be trusted.
#[derive(Debug)]
pub(crate) enum RootsError {
    /// The file cannot be read, or a certificate in it.
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// The library has no protocol version to speak.
    Versions(rustls::Error),
}

impl fmt::Display for RootsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, why } => {
                write!(f, "the certificates in {} cannot be used: {why}", path.display())
            }
            Self::Versions(error) => write!(f, "TLS cannot be set up: {error}"),
        }
    }
}

impl Error for RootsError {}

/// What encrypted connections are made with: the system's certificates, and those of a file in PEM beside
/// them, for sites of one's own.
///
/// A system without certificates is no error: the handshake with whoever needs one says so.
pub(crate) fn trusted(file: Option<&Path>) -> Result<Arc<ClientConfig>, RootsError> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if let Some(path) = file {
        add(&mut roots, path).map_err(|why| RootsError::File { path: path.to_owned(), why })?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(RootsError::Versions)?;
    Ok(Arc::new(config.with_root_certificates(roots).with_no_client_auth()))
}

fn add(roots: &mut RootCertStore, path: &Path) -> Result<(), String> {
    let before = roots.len();
    for certificate in CertificateDer::pem_file_iter(path).map_err(|error| error.to_string())? {
        let certificate = certificate.map_err(|error| error.to_string())?;
        roots.add(certificate).map_err(|error| error.to_string())?;
    }
    if roots.len() == before { Err("there is none".to_owned()) } else { Ok(()) }
}
