//! The client: what the command line uses, and what any Rust program may use, to talk to a hub.
//!
//! It knows the API's messages and nothing of what is behind them; but [`recount`] folds a ledger as a hub does.

mod json;
mod mirror;
mod recount;

pub use json::{JsonError, to_json};
pub use mirror::{Mirror, MirrorError};
pub use recount::{Difference, RecountError, name as figure_name, recount};

use std::path::{Path, PathBuf};
use std::time::Duration;

use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};
use tonic::{Request, Response, Status};

use crate::policy::ApiKey;
use crate::wire::v1;
use crate::wire::v1::admin_service_client::AdminServiceClient;
use crate::wire::v1::check_service_client::CheckServiceClient;
use crate::wire::v1::contribute_service_client::ContributeServiceClient;
use crate::wire::v1::feedback_service_client::FeedbackServiceClient;
use crate::wire::v1::incident_service_client::IncidentServiceClient;
use crate::wire::v1::ledger_service_client::LedgerServiceClient;
use crate::wire::v1::policy_service_client::PolicyServiceClient;
use crate::wire::v1::retention_service_client::RetentionServiceClient;
use crate::wire::v1::review_service_client::ReviewServiceClient;
use crate::wire::v1::statistics_service_client::StatisticsServiceClient;
use crate::wire::v1::taxonomy_service_client::TaxonomyServiceClient;

/// Pieces that a picture is sent in.
const CHUNK_BYTES: usize = 64 << 10;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// A connection to a hub, with or without a key. Cheap to clone.
#[derive(Clone)]
pub struct Client {
    channel: Channel,
    bearer: Bearer,
}

/// A channel that sends the key with every request.
pub type Keyed = InterceptedService<Channel, Bearer>;

/// Puts the API key into requests.
#[derive(Clone)]
pub struct Bearer(Option<MetadataValue<Ascii>>);

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(value) = &self.0 {
            request.metadata_mut().insert("authorization", value.clone());
        }
        Ok(request)
    }
}

/// What a client needs for TLS beside the address. All files are PEM.
#[derive(Clone, Debug, Default)]
pub struct TlsOptions {
    /// The authority that signed the hub's certificate; without it the web's are trusted.
    pub ca: Option<PathBuf>,
    /// A certificate chain to show, and its private key.
    pub identity: Option<(PathBuf, PathBuf)>,
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The address is not one.
    #[error("`{0}` is not a hub's address: it must be like http://127.0.0.1:7420 or https://hub.example:7420")]
    Address(String),
    /// The key would cross a network in the clear.
    #[error("refusing to send a key to {0} in the clear: use https://, or http:// to a loopback address only")]
    PlainText(String),
    /// A certificate or its key cannot be read.
    #[error("cannot read the certificate file {}: {source}", .path.display())]
    Certificate { path: PathBuf, source: std::io::Error },
    /// A certificate would not be shown without TLS.
    #[error("a client certificate is for https:// only")]
    CertificateInClear,
    /// Nobody answers, or not in TLS.
    #[error("cannot reach the hub at {address}: {source}")]
    Unreachable { address: String, source: tonic::transport::Error },
}

impl Client {
    /// Connects to the hub at `address`, trusting the authority in the PEM file `ca`, or the web's.
    ///
    /// # Errors
    /// [`ConnectError`].
    pub async fn connect(address: &str, key: Option<&ApiKey>, ca: Option<&Path>) -> Result<Self, ConnectError> {
        let tls = TlsOptions { ca: ca.map(Path::to_owned), identity: None };
        Self::connect_with(address, key, &tls).await
    }

    /// Connects to the hub at `address`, with these files if it is `https`.
    ///
    /// # Errors
    /// [`ConnectError`].
    pub async fn connect_with(address: &str, key: Option<&ApiKey>, options: &TlsOptions) -> Result<Self, ConnectError> {
        let malformed = || ConnectError::Address(address.to_owned());
        let endpoint = Endpoint::from_shared(address.to_owned()).map_err(|_| malformed())?;
        let unreachable = |source| ConnectError::Unreachable { address: address.to_owned(), source };
        let uri = endpoint.uri().clone();
        let mut endpoint = endpoint.connect_timeout(CONNECT_TIMEOUT).tcp_nodelay(true);
        match uri.scheme_str() {
            Some("https") => {
                let mut tls = ClientTlsConfig::new();
                tls = match &options.ca {
                    Some(path) => tls.ca_certificate(Certificate::from_pem(read(path)?)),
                    None => tls.with_webpki_roots(),
                };
                if let Some((certificate, key)) = &options.identity {
                    tls = tls.identity(Identity::from_pem(read(certificate)?, read(key)?));
                }
                endpoint = endpoint.tls_config(tls).map_err(unreachable)?;
            }
            Some("http") if options.identity.is_some() => return Err(ConnectError::CertificateInClear),
            Some("http") if key.is_none() || uri.host().is_some_and(is_loopback) => {}
            Some("http") => return Err(ConnectError::PlainText(address.to_owned())),
            _ => return Err(malformed()),
        }
        let channel = endpoint.connect().await.map_err(unreachable)?;
        Ok(Self { channel, bearer: bearer(key) })
    }

    /// The same connection with another key.
    pub fn with_key(&self, key: &ApiKey) -> Self {
        Self { channel: self.channel.clone(), bearer: bearer(Some(key)) }
    }

    fn keyed(&self) -> Keyed {
        InterceptedService::new(self.channel.clone(), self.bearer.clone())
    }

    /// Checks.
    pub fn checks(&self) -> CheckServiceClient<Keyed> {
        CheckServiceClient::new(self.keyed())
    }

    /// Contributions and withdrawals.
    pub fn contributions(&self) -> ContributeServiceClient<Keyed> {
        ContributeServiceClient::new(self.keyed())
    }

    /// Traces.
    pub fn reviews(&self) -> ReviewServiceClient<Keyed> {
        ReviewServiceClient::new(self.keyed())
    }

    /// Reports, appeals, reversals, trust.
    pub fn feedback(&self) -> FeedbackServiceClient<Keyed> {
        FeedbackServiceClient::new(self.keyed())
    }

    /// The ledger.
    pub fn ledger(&self) -> LedgerServiceClient<Keyed> {
        LedgerServiceClient::new(self.keyed())
    }

    /// Incidents.
    pub fn incidents(&self) -> IncidentServiceClient<Keyed> {
        IncidentServiceClient::new(self.keyed())
    }

    /// Members and keys.
    pub fn admin(&self) -> AdminServiceClient<Keyed> {
        AdminServiceClient::new(self.keyed())
    }

    /// The rules of standing.
    pub fn policy(&self) -> PolicyServiceClient<Keyed> {
        PolicyServiceClient::new(self.keyed())
    }

    /// Preservation holds.
    pub fn retention(&self) -> RetentionServiceClient<Keyed> {
        RetentionServiceClient::new(self.keyed())
    }

    /// Statistics and samples.
    pub fn statistics(&self) -> StatisticsServiceClient<Keyed> {
        StatisticsServiceClient::new(self.keyed())
    }

    /// The taxonomy.
    pub fn taxonomy(&self) -> TaxonomyServiceClient<Keyed> {
        TaxonomyServiceClient::new(self.keyed())
    }

    /// Sends a picture to be hashed and looked up by the hub.
    ///
    /// # Errors
    /// The hub's status.
    pub async fn check_media(
        &self,
        bytes: Vec<u8>,
        options: v1::check_media_request::Options,
    ) -> Result<v1::CheckMediaResponse, Status> {
        use v1::check_media_request::Part;
        let options = std::iter::once(Part::Options(options));
        let chunks: Vec<_> = bytes.chunks(CHUNK_BYTES).map(|chunk| Part::Chunk(chunk.to_vec())).collect();
        let parts = options.chain(chunks).map(|part| v1::CheckMediaRequest { part: Some(part) });
        let parts: Vec<_> = parts.collect();
        self.checks().check_media(tokio_stream::iter(parts)).await.map(Response::into_inner)
    }
}

fn bearer(key: Option<&ApiKey>) -> Bearer {
    Bearer(key.and_then(|key| {
        // A key is base32 and `_`: it always fits a header.
        let mut value: MetadataValue<Ascii> = format!("Bearer {}", key.reveal()).parse().ok()?;
        value.set_sensitive(true);
        Some(value)
    }))
}

fn read(path: &Path) -> Result<Vec<u8>, ConnectError> {
    std::fs::read(path).map_err(|source| ConnectError::Certificate { path: path.to_owned(), source })
}

fn is_loopback(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}
