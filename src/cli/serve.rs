//! `hashcommons serve`.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use clap::ValueEnum;
use serde::Deserialize;
use serde_json::json;

use super::{Verdict, output};
use crate::domain::{Quota, SystemClock, SystemEntropy};
use crate::hub::{ADMIN_KEY_FILE, HubConfig, SECOND_ADMIN_KEY_FILE};
use crate::policy::{QuotaTable, WalkLimits};
use crate::serve::{self, ServeConfig, TlsFiles, TransportLimits};
use crate::worker::{PoolConfig, Sandboxing};

const LISTEN_DEFAULT: &str = "127.0.0.1:7420";
const DATA_DIR_DEFAULT: &str = "hashcommons-data";

/// Run a hub
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: hashcommons serve --data-dir ./hub-data --listen 127.0.0.1:7420\n\n\
    Settings come from a TOML file (--config), then the environment, then flags; the later wins. On the first start the \
    operator's key is written to <data-dir>/admin.key, a second person's to <data-dir>/admin-2.key.")]
pub struct Args {
    /// TOML settings file; unknown fields in it are errors
    #[arg(long, env = "HASHCOMMONS_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,

    /// Where the hub keeps everything; made if absent [default: hashcommons-data]
    #[arg(long, env = "HASHCOMMONS_DATA_DIR", value_name = "DIR")]
    data_dir: Option<PathBuf>,

    /// Address and port; port 0 takes any free one [default: 127.0.0.1:7420]
    #[arg(long, env = "HASHCOMMONS_LISTEN", value_name = "ADDRESS")]
    listen: Option<SocketAddr>,

    /// The ledger's name, for the first start only, as in hub.example/ledger
    #[arg(long, env = "HASHCOMMONS_ORIGIN", value_name = "NAME")]
    origin: Option<String>,

    /// Certificate chain, PEM
    #[arg(long, env = "HASHCOMMONS_TLS_CERT", value_name = "FILE")]
    tls_cert: Option<PathBuf>,

    /// Private key of the certificate, PEM
    #[arg(long, env = "HASHCOMMONS_TLS_KEY", value_name = "FILE")]
    tls_key: Option<PathBuf>,

    /// Authorities that sign clients' certificates, PEM: clients are asked for one
    #[arg(long, env = "HASHCOMMONS_TLS_CLIENT_CA", value_name = "FILE")]
    tls_client_ca: Option<PathBuf>,

    /// Turn away clients without a certificate of those authorities
    #[arg(long, env = "HASHCOMMONS_TLS_CLIENT_CERT_REQUIRED", value_name = "BOOL", num_args = 0..=1, require_equals = true,
        default_missing_value = "true")]
    tls_client_cert_required: Option<bool>,

    /// Listen in the clear on an address that others can reach: a proxy in front does TLS
    #[arg(long, env = "HASHCOMMONS_BEHIND_TLS_PROXY", value_name = "BOOL", num_args = 0..=1, require_equals = true,
        default_missing_value = "true")]
    behind_tls_proxy: Option<bool>,

    /// Connections at the same time [default: 10000]
    #[arg(long, env = "HASHCOMMONS_CONNECTIONS_MAX", value_name = "N")]
    connections_max: Option<usize>,

    /// Connections at the same time of one address, or one /64 of IPv6 [default: 128; with --behind-tls-proxy all]
    #[arg(long, env = "HASHCOMMONS_CONNECTIONS_PER_ADDRESS_MAX", value_name = "N")]
    connections_per_address_max: Option<usize>,

    /// The longest picture to take, in bytes [default: 33554432]
    #[arg(long, env = "HASHCOMMONS_MEDIA_BYTES_MAX", value_name = "BYTES")]
    media_bytes_max: Option<usize>,

    /// Pictures decoded at the same time [default: one a core]
    #[arg(long, env = "HASHCOMMONS_MEDIA_WORKERS", value_name = "N")]
    media_workers: Option<usize>,

    /// Decode pictures without a sandbox, for development only: whoever takes over a decoder has the hub
    #[arg(long, env = "HASHCOMMONS_MEDIA_UNSANDBOXED", value_name = "BOOL", num_args = 0..=1, require_equals = true,
        default_missing_value = "true")]
    media_unsandboxed: Option<bool>,

    /// Log lines for people or for machines [default: text]
    #[arg(long, env = "HASHCOMMONS_LOG_FORMAT", value_name = "FORMAT")]
    log_format: Option<LogFormat>,

    /// What to log, as in info or hashcommons=debug [default: info]
    #[arg(long, env = "HASHCOMMONS_LOG", value_name = "FILTER")]
    log: Option<String>,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    #[default]
    Text,
    Json,
}

/// The settings file of `hashcommons serve`. Every field may be left out; any other is an error.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServeFile {
    data_dir: Option<PathBuf>,
    listen: Option<SocketAddr>,
    origin: Option<String>,
    tls_cert: Option<PathBuf>,
    tls_key: Option<PathBuf>,
    tls_client_ca: Option<PathBuf>,
    tls_client_cert_required: Option<bool>,
    behind_tls_proxy: Option<bool>,
    connections_max: Option<usize>,
    connections_per_address_max: Option<usize>,
    media_bytes_max: Option<usize>,
    media_workers: Option<usize>,
    media_unsandboxed: Option<bool>,
    log_format: Option<LogFormat>,
    log: Option<String>,
    #[serde(default)]
    quota: QuotasFile,
}

/// The table `quota` of the settings file: where the quotas of a status are to be others.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct QuotasFile {
    checker: QuotaFile,
    contributor: QuotaFile,
    trusted: QuotaFile,
    duties: QuotaFile,
}

/// Those of one status.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct QuotaFile {
    checks_per_second: Option<NonZeroU32>,
    media_bytes_per_second: Option<NonZeroU32>,
    contributions_per_day: Option<NonZeroU32>,
    streams: Option<NonZeroU32>,
}

impl QuotasFile {
    fn table(&self) -> QuotaTable {
        let default = QuotaTable::default();
        QuotaTable {
            checker: default.checker.with(&self.checker.quota()),
            contributor: default.contributor.with(&self.contributor.quota()),
            trusted: default.trusted.with(&self.trusted.quota()),
            duties: default.duties.with(&self.duties.quota()),
        }
    }
}

impl QuotaFile {
    fn quota(&self) -> Quota {
        Quota {
            checks_per_second: self.checks_per_second.map(NonZeroU32::get),
            media_bytes_per_second: self.media_bytes_per_second.map(NonZeroU32::get),
            contributions_per_day: self.contributions_per_day.map(NonZeroU32::get),
            streams: self.streams.map(NonZeroU32::get),
        }
    }
}

/// Settings as they are to be used.
struct Settings {
    serve: ServeConfig,
    log_format: LogFormat,
    log: String,
}

impl Args {
    fn settings(self) -> anyhow::Result<Settings> {
        let file = match &self.config {
            None => ServeFile::default(),
            Some(path) => {
                let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
                toml::from_str(&text).with_context(|| format!("the settings file {} is not sound", path.display()))?
            }
        };
        let client_ca = self.tls_client_ca.or(file.tls_client_ca);
        let client_cert_required = self.tls_client_cert_required.or(file.tls_client_cert_required).unwrap_or_default();
        if client_cert_required && client_ca.is_none() {
            anyhow::bail!("tls_client_cert_required is set, but tls_client_ca is not: whose certificates?");
        }
        let tls = match (self.tls_cert.or(file.tls_cert), self.tls_key.or(file.tls_key)) {
            (Some(certificate), Some(key)) => Some(TlsFiles { certificate, key, client_ca, client_cert_required }),
            (None, None) if client_ca.is_some() => anyhow::bail!("tls_client_ca is given, but no TLS: see tls_cert"),
            (None, None) => None,
            (Some(_), None) => anyhow::bail!("tls_cert is given, but tls_key is not: TLS needs both"),
            (None, Some(_)) => anyhow::bail!("tls_key is given, but tls_cert is not: TLS needs both"),
        };
        let mut media = match self.media_workers.or(file.media_workers) {
            Some(workers) => PoolConfig::with_workers(workers),
            None => PoolConfig::default(),
        };
        if let Some(bytes_max) = self.media_bytes_max.or(file.media_bytes_max) {
            media.limits.bytes_max = bytes_max;
            media.check().context("media_bytes_max")?;
        }
        if self.media_unsandboxed.or(file.media_unsandboxed).unwrap_or_default() {
            media.sandboxing = Sandboxing::Off;
        }
        let listen = match self.listen.or(file.listen) {
            Some(listen) => listen,
            None => LISTEN_DEFAULT.parse()?,
        };
        let behind_tls_proxy = self.behind_tls_proxy.or(file.behind_tls_proxy).unwrap_or_default();
        let mut transport = TransportLimits::default();
        if let Some(max) = self.connections_max.or(file.connections_max) {
            transport.connections_max = max;
        }
        match self.connections_per_address_max.or(file.connections_per_address_max) {
            Some(max) => transport.connections_per_address_max = max,
            // All come from the proxy.
            None if behind_tls_proxy => transport.connections_per_address_max = transport.connections_max,
            None => {}
        }
        if behind_tls_proxy {
            transport.arrivals = None;
        }
        for (name, max) in [
            ("connections_max", transport.connections_max),
            ("connections_per_address_max", transport.connections_per_address_max),
        ] {
            anyhow::ensure!(max > 0, "{name}: must be at least 1");
        }
        Ok(Settings {
            serve: ServeConfig {
                data_dir: self.data_dir.or(file.data_dir).unwrap_or_else(|| DATA_DIR_DEFAULT.into()),
                listen,
                tls,
                behind_tls_proxy,
                hub: HubConfig {
                    origin: self.origin.or(file.origin),
                    media,
                    quotas: file.quota.table(),
                    walks: WalkLimits::default(),
                },
                transport,
            },
            log_format: self.log_format.or(file.log_format).unwrap_or_default(),
            log: self.log.or(file.log).unwrap_or_else(|| "info".to_owned()),
        })
    }
}

pub(super) async fn run(args: Args, json: bool) -> anyhow::Result<Verdict> {
    let settings = args.settings()?;
    start_log(settings.log_format, &settings.log)?;
    let admin_keys = [ADMIN_KEY_FILE, SECOND_ADMIN_KEY_FILE].map(|file| settings.serve.data_dir.join(file));
    let signal = stop_signal()?;
    let mut running = serve::start(settings.serve, Arc::new(SystemClock), Arc::new(SystemEntropy)).await?;
    // Whoever started the hub with port 0 reads the port here.
    let address = running.address();
    tell(json, &json!({ "listening": address.to_string() }), &format!("listening on {address}"))?;
    tokio::pin!(signal);
    let ready = tokio::select! {
        ready = running.ready() => ready,
        () = &mut signal => {
            running.stop().await?;
            return Ok(Verdict::Yes);
        }
    };
    if let Err(error) = ready {
        // What is running must stop in good order all the same.
        running.stop().await?;
        return Err(error.into());
    }
    if running.use_cases().is_some_and(|use_cases| use_cases.founded_now) {
        let [first, second] = admin_keys.map(|path| path.display().to_string());
        tell(
            json,
            &json!({ "admin_key_file": first, "second_admin_key_file": second }),
            &format!("first start: the operator's key is in {first}, a second person's in {second}"),
        )?;
    }
    tell(json, &json!({ "ready": true }), "ready")?;
    running.run_until(signal).await?;
    Ok(Verdict::Yes)
}

/// One line about the start, for machines or for people.
fn tell(json: bool, fact: &serde_json::Value, words: &str) -> anyhow::Result<()> {
    if json { output::line(&fact.to_string()) } else { output::line(words) }
}

/// Resolves at SIGTERM or Ctrl-C.
pub(super) fn stop_signal() -> anyhow::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

fn start_log(format: LogFormat, filter: &str) -> anyhow::Result<()> {
    let filter = tracing_subscriber::EnvFilter::try_new(filter).context("log: not a filter")?;
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = match format {
        LogFormat::Text => log.with_ansi(false).try_init(),
        LogFormat::Json => log.json().try_init(),
    };
    started.map_err(|error| anyhow::anyhow!("cannot start the log: {error}"))
}
