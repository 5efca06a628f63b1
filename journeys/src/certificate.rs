//! A certificate that exactly one browser trusts.

use crate::Failure;
use crate::program::{self, run};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A self-signed certificate with its key, in files.
#[derive(Clone, Debug)]
pub struct Certificate {
    /// The certificate, PEM.
    pub certificate: PathBuf,
    /// Its private key (P-256), PEM, not encrypted.
    pub key: PathBuf,
    /// SHA-256 of the public key's `SubjectPublicKeyInfo`, base64: what
    /// [`Options::trust`](crate::chrome::Options::trust) takes.
    pub key_hash: String,
}

impl Certificate {
    /// Makes a certificate in `folder` for `name`, `*.name`, `localhost` and 127.0.0.1, valid for
    /// 30 days.
    ///
    /// # Errors
    ///
    /// When the `openssl` program is missing or fails.
    pub fn generate(folder: &Path, name: &str) -> Result<Self, Failure> {
        let certificate = folder.join("certificate.pem");
        let key = folder.join("key.pem");
        let asked = folder.join("certificate.conf");
        // It signs nothing but itself: some clients take no authority's certificate for a server's.
        let text = format!(
            "[req]\nprompt = no\ndistinguished_name = dn\nx509_extensions = v3\n[dn]\nCN = {name}\n\
             [v3]\nbasicConstraints = critical, CA:FALSE\n\
             subjectAltName = DNS:{name}, DNS:*.{name}, DNS:localhost, IP:127.0.0.1\n"
        );
        std::fs::write(&asked, text).map_err(Failure::when(asked.display()))?;
        run(openssl()?
            .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"])
            .args(["-nodes", "-days", "30", "-config"])
            .arg(&asked)
            .arg("-keyout")
            .arg(&key)
            .arg("-out")
            .arg(&certificate))?;
        let key_hash = key_hash(folder, &key)?;
        Ok(Self { certificate, key, key_hash })
    }
}

fn key_hash(folder: &Path, key: &Path) -> Result<String, Failure> {
    let (public, digest) = (folder.join("public.der"), folder.join("public.sha256"));
    let export = ["pkey", "-pubout", "-outform", "der", "-in"];
    run(openssl()?.args(export).arg(key).arg("-out").arg(&public))?;
    run(openssl()?.args(["dgst", "-sha256", "-binary", "-out"]).arg(&digest).arg(&public))?;
    let text = run(openssl()?.args(["base64", "-A", "-in"]).arg(&digest))?;
    Ok(String::from_utf8_lossy(&text).trim().to_owned())
}

fn openssl() -> Result<Command, Failure> {
    program::find("openssl").map(Command::new)
}
