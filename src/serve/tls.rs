//! TLS from files that may be renewed while the hub runs.
//!
//! Connections keep what they began with; new ones take what the files say now. Files that do not fit together, as half-way
//! through a renewal, change nothing.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{NoServerSessionStorage, ParsedCertificate, WebPkiClientVerifier};
use rustls::version::{TLS12, TLS13};
use rustls::{RootCertStore, ServerConfig};
use sha2::{Digest, Sha256};
use tokio::signal::unix::Signal;
use tokio::sync::watch;
use zeroize::Zeroizing;

use crate::domain::SpkiFingerprint;

/// How often the files are looked at.
const LOOK: Duration = Duration::from_secs(2);

/// Certificate chain and private key, PEM, and who may show certificates of their own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    pub certificate: PathBuf,
    pub key: PathBuf,
    /// Authorities that sign clients' certificates, PEM. Without it no client is asked for one.
    pub client_ca: Option<PathBuf>,
    /// Whether a client without a certificate of theirs is turned away in the handshake.
    pub client_cert_required: bool,
}

/// Why there is no TLS.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read, or is not what it should be.
    #[error("cannot use the TLS file {}: {problem}", .path.display())]
    File { path: PathBuf, problem: String },
    /// The files are each what they should be, but not of one another.
    #[error("cannot use the TLS files {} and {} together: {problem}", .certificate.display(), .key.display())]
    Pair { certificate: PathBuf, key: PathBuf, problem: String },
}

impl TlsError {
    fn file(path: &Path, problem: impl ToString) -> Self {
        Self::File { path: path.to_owned(), problem: problem.to_string() }
    }
}

/// What TLS does for new connections at this moment.
#[derive(Clone, Debug)]
pub(super) struct Tls(watch::Receiver<Arc<ServerConfig>>);

impl Tls {
    pub(super) fn config(&self) -> Arc<ServerConfig> {
        self.0.borrow().clone()
    }
}

/// Reads the files again when they change.
#[derive(Debug)]
pub(super) struct Reloader {
    files: TlsFiles,
    /// Of what was read last, good or bad; `None` if it could not be read.
    read: Option<[u8; 32]>,
    config: watch::Sender<Arc<ServerConfig>>,
}

impl Reloader {
    /// Reads the files for the first time.
    ///
    /// # Errors
    /// [`TlsError`]: what is in them cannot be used.
    pub(super) fn start(files: TlsFiles) -> Result<(Self, Tls), TlsError> {
        let contents = Contents::read(&files)?;
        let (config, current) = watch::channel(Arc::new(contents.config(&files)?));
        Ok((Self { files, read: Some(contents.digest()), config }, Tls(current)))
    }

    /// Takes what the files say, if that has changed and is good. What is not good is logged once.
    fn reload(&mut self) {
        let read = Contents::read(&self.files);
        let digest = read.as_ref().ok().map(Contents::digest);
        if digest == self.read {
            return;
        }
        self.read = digest;
        match read.and_then(|contents| contents.config(&self.files)) {
            Ok(config) => {
                self.config.send_replace(Arc::new(config));
                tracing::info!("the TLS files have changed: new connections take them");
            }
            Err(error) => tracing::warn!(%error, "the TLS files have changed, but not for the better: the old stay"),
        }
    }

    /// Looks at the files every few seconds, and at once at SIGHUP, until there is nobody to tell.
    pub(super) async fn run(mut self, mut hangup: Signal) {
        while !self.config.is_closed() {
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                _ = hangup.recv() => tracing::info!("SIGHUP: looking at the TLS files"),
                () = self.config.closed() => break,
            }
            let looked = tokio::task::spawn_blocking(move || {
                self.reload();
                self
            });
            // It ends in no other way, unless the runtime is going down.
            let Ok(reloader) = looked.await else { break };
            self = reloader;
        }
    }
}

/// The files' bytes.
struct Contents {
    certificate: Vec<u8>,
    key: Zeroizing<Vec<u8>>,
    client_ca: Option<Vec<u8>>,
}

impl Contents {
    fn read(files: &TlsFiles) -> Result<Self, TlsError> {
        let read = |path: &Path| std::fs::read(path).map_err(|error| TlsError::file(path, error));
        Ok(Self {
            certificate: read(&files.certificate)?,
            key: Zeroizing::new(read(&files.key)?),
            client_ca: files.client_ca.as_deref().map(read).transpose()?,
        })
    }

    /// Tells contents apart: kept instead of them, the key being one.
    fn digest(&self) -> [u8; 32] {
        let mut digest = Sha256::new();
        for part in [&self.certificate[..], &self.key, self.client_ca.as_deref().unwrap_or_default()] {
            digest.update(part.len().to_be_bytes());
            digest.update(part);
        }
        digest.finalize().into()
    }

    fn config(&self, files: &TlsFiles) -> Result<ServerConfig, TlsError> {
        let chain = certificates(&self.certificate, &files.certificate)?;
        let key = PrivateKeyDer::from_pem_slice(&self.key).map_err(|error| TlsError::file(&files.key, error))?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let pair = |error: rustls::Error| TlsError::Pair {
            certificate: files.certificate.clone(),
            key: files.key.clone(),
            problem: error.to_string(),
        };
        let builder = ServerConfig::builder_with_provider(provider.clone())
            .with_protocol_versions(&[&TLS13, &TLS12])
            .map_err(pair)?;
        let builder = match (&files.client_ca, &self.client_ca) {
            (Some(path), Some(pem)) => {
                let mut roots = RootCertStore::empty();
                for authority in certificates(pem, path)? {
                    roots.add(authority).map_err(|error| TlsError::file(path, error))?;
                }
                let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), provider);
                let verifier = if files.client_cert_required { verifier } else { verifier.allow_unauthenticated() };
                builder.with_client_cert_verifier(verifier.build().map_err(|error| TlsError::file(path, error))?)
            }
            _ => builder.with_no_client_auth(),
        };
        let mut config = builder.with_single_cert(chain, key).map_err(pair)?;
        config.alpn_protocols = vec![b"h2".to_vec()];
        // A resumed connection would bring a client's certificate from before, unchecked: every handshake is a whole one.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        Ok(config)
    }
}

fn certificates(pem: &[u8], path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let found = found.map_err(|error| TlsError::file(path, error))?;
    if found.is_empty() { Err(TlsError::file(path, "there is no certificate in it")) } else { Ok(found) }
}

/// The fingerprint of the certificate that the client showed, which the handshake has verified.
pub(super) fn fingerprint(connection: &rustls::ServerConnection) -> Option<SpkiFingerprint> {
    of_certificate(connection.peer_certificates()?.first()?).ok()
}

/// The fingerprint by which a hub knows the first client certificate in a PEM file.
///
/// # Errors
/// [`TlsError::File`].
pub fn client_fingerprint(path: &Path) -> Result<SpkiFingerprint, TlsError> {
    let pem = std::fs::read(path).map_err(|error| TlsError::file(path, error))?;
    of_certificate(&certificates(&pem, path)?[0]).map_err(|error| TlsError::file(path, error))
}

fn of_certificate(certificate: &CertificateDer<'_>) -> Result<SpkiFingerprint, rustls::Error> {
    Ok(SpkiFingerprint::of(&ParsedCertificate::try_from(certificate)?.subject_public_key_info()))
}
