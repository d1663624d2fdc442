//! The only wiring: settings and a shutdown signal in, a running service out.
//!
//! The port is open from the first moment, so that an orchestrator sees a live process, but everything except health and
//! reflection is UNAVAILABLE until the hub has loaded: never a false "no match".

mod accept;
mod activity;
mod door;
mod limits;
mod request;
mod response;
mod seldom;
mod socket;
mod tls;

pub use limits::{ArrivalLimit, TransportLimits};
pub use tls::{TlsError, TlsFiles, client_fingerprint};

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rustix::process::{Resource, getrlimit};
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;

use self::accept::Acceptor;
use self::door::Door;
use self::tls::Reloader;
use crate::domain::{Clock, Entropy};
use crate::grpc::{self, Desk};
use crate::hub::{self, HubConfig, SequencerThread, StartError, UseCases};

/// The services whose health says whether they are ready. Health of the empty name says that the process lives.
pub const SERVICES: [&str; 6] = [
    "hashcommons.v1.CheckService",
    "hashcommons.v1.ContributeService",
    "hashcommons.v1.ReviewService",
    "hashcommons.v1.LedgerService",
    "hashcommons.v1.AdminService",
    "hashcommons.v1.TaxonomyService",
];
/// The one that stops when the ledger can no longer be written.
const WRITING_SERVICES: [&str; 2] = ["hashcommons.v1.ContributeService", "hashcommons.v1.AdminService"];
/// Descriptors that are not for connections: those of the database (512), of the decoders and of the process itself.
pub const DESCRIPTORS_RESERVED: usize = 640;
const WATCH: Duration = Duration::from_millis(500);

/// Everything a service is started with.
#[derive(Clone, Debug)]
pub struct ServeConfig {
    pub data_dir: PathBuf,
    /// Port 0: any free one.
    pub listen: SocketAddr,
    pub tls: Option<TlsFiles>,
    /// Somebody in front does TLS: plain text on an address that others can reach is meant.
    pub behind_tls_proxy: bool,
    pub hub: HubConfig,
    pub transport: TransportLimits,
}

/// Why the service does not run.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Keys and hashes would cross a network in the clear.
    #[error(
        "refusing to listen on {0} without TLS: keys would cross the network in the clear. Give --tls-cert and --tls-key, \
         or --behind-tls-proxy if a proxy in front does TLS, or listen on a loopback address"
    )]
    PlainText(SocketAddr),
    /// The TLS files cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The signal that has the TLS files read again cannot be waited for.
    #[error("cannot wait for SIGHUP: {0}")]
    Signal(std::io::Error),
    /// The address cannot be bound.
    #[error("cannot listen on {address}: {source}")]
    Bind { address: SocketAddr, source: std::io::Error },
    /// The hub did not come up.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The shipped protobuf files are broken.
    #[error("reflection cannot be served: {0}")]
    Reflection(#[from] tonic_reflection::server::Error),
    /// A task ended in a way that it should not.
    #[error("a task of the hub failed: {0}")]
    Task(#[from] tokio::task::JoinError),
}

/// A service that is listening, loaded or not.
pub struct Running {
    address: SocketAddr,
    desk: Desk,
    stop: watch::Sender<bool>,
    server: JoinHandle<()>,
    drain: Duration,
    loading: Option<JoinHandle<Result<SequencerThread, ServeError>>>,
    sequencer: Option<SequencerThread>,
    health: HealthReporter,
}

/// Opens the data directory and the port, and begins to load.
///
/// # Errors
/// [`ServeError`]: nothing is running then.
pub async fn start(
    config: ServeConfig,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
) -> Result<Running, ServeError> {
    if config.tls.is_none() && !config.behind_tls_proxy && !config.listen.ip().is_loopback() {
        return Err(ServeError::PlainText(config.listen));
    }
    // The decoders are started before the port is open.
    let ServeConfig { data_dir, hub, .. } = config.clone();
    let opened = tokio::task::spawn_blocking(move || hub::open(&data_dir, hub)).await??;
    let (stop, stopping) = watch::channel(false);
    let desk = Desk::new(stopping.clone());
    let (health, health_service) = tonic_health::server::health_reporter();
    set_health(&health, &SERVICES, ServingStatus::NotServing).await;

    let hangup = signal(SignalKind::hangup()).map_err(ServeError::Signal)?;
    let tls = match config.tls.clone() {
        Some(files) => {
            let (reloader, tls) = Reloader::start(files)?;
            tokio::spawn(reloader.run(hangup));
            Some(tls)
        }
        None => {
            tokio::spawn(outlive(hangup, stopping.clone()));
            None
        }
    };
    let services = grpc::services(&desk, health_service)?;
    let bind = |source| ServeError::Bind { address: config.listen, source };
    let listener = TcpListener::bind(config.listen).await.map_err(bind)?;
    let address = listener.local_addr().map_err(bind)?;
    let limits = config.transport;
    let connections_max = connections_max(&limits);
    let scarce = Arc::new(Semaphore::new(limits.reflections_max));
    let door = Door::new(connections_max, &limits);
    let server = tokio::spawn(Acceptor { door, tls, services, limits, scarce, stopping }.run(listener));
    tracing::info!(%address, tls = config.tls.is_some(), connections_max, "listening");

    let loading = tokio::task::spawn_blocking({
        let (desk, health, stopping) = (desk.clone(), health.clone(), stop.subscribe());
        let runtime = tokio::runtime::Handle::current();
        move || {
            let (use_cases, sequencer) = opened.start(clock, entropy, &stopping)?;
            desk.open(use_cases);
            if !*stopping.borrow() {
                runtime.block_on(set_health(&health, &SERVICES, ServingStatus::Serving));
            }
            Ok(sequencer)
        }
    });
    Ok(Running { address, desk, stop, server, drain: limits.drain, loading: Some(loading), sequencer: None, health })
}

impl Running {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits until the hub has loaded.
    ///
    /// # Errors
    /// [`ServeError::Start`] if it did not come up.
    pub async fn ready(&mut self) -> Result<(), ServeError> {
        // Taken out only when it has ended: who gives up waiting for it may wait again.
        if let Some(loading) = &mut self.loading {
            let loaded = loading.await;
            self.loading = None;
            self.sequencer = Some(loaded??);
        }
        Ok(())
    }

    /// The use cases, if loaded: for audits and tests, which look behind the service.
    pub fn use_cases(&self) -> Option<&UseCases> {
        self.desk.use_cases().ok()
    }

    /// Runs until `signal`; then stops as [`Self::stop`] does. Tells through health if the ledger can no longer be written.
    ///
    /// # Errors
    /// [`ServeError`].
    pub async fn run_until(mut self, signal: impl Future<Output = ()>) -> Result<(), ServeError> {
        tokio::pin!(signal);
        tokio::select! {
            result = self.ready() => result?,
            () = &mut signal => return self.stop().await,
        }
        let mut tick = tokio::time::interval(WATCH);
        loop {
            tokio::select! {
                () = &mut signal => return self.stop().await,
                _ = tick.tick() => {
                    if self.sequencer.as_ref().is_some_and(SequencerThread::has_ended) {
                        set_health(&self.health, &WRITING_SERVICES, ServingStatus::NotServing).await;
                    }
                }
            }
        }
    }

    /// Stops accepting, lets what is running finish, commits what is queued, and closes the store.
    ///
    /// # Errors
    /// [`ServeError`] if something failed on the way; everything is stopped all the same.
    pub async fn stop(mut self) -> Result<(), ServeError> {
        tracing::info!("stopping");
        set_health(&self.health, &SERVICES, ServingStatus::NotServing).await;
        self.stop.send_replace(true);
        let abort = self.server.abort_handle();
        let served = match tokio::time::timeout(self.drain, &mut self.server).await {
            Ok(served) => served.map_err(ServeError::from),
            Err(_) => {
                tracing::warn!("cutting connections that did not finish");
                abort.abort();
                Ok(())
            }
        };
        let loaded = match self.ready().await {
            // As it was told to.
            Err(ServeError::Start(StartError::Stopped)) => Ok(()),
            loaded => loaded,
        };
        if let Some(check_media) = self.use_cases().map(|use_cases| use_cases.check_media.clone()) {
            tokio::task::spawn_blocking(move || check_media.stop()).await?;
        }
        if let Some(sequencer) = self.sequencer.take() {
            tokio::task::spawn_blocking(move || sequencer.stop()).await?;
        }
        tracing::info!("stopped");
        served.and(loaded)
    }
}

async fn stopped(mut stopping: watch::Receiver<bool>) {
    // An error means that the sender is gone: that is the end, too.
    let _ = stopping.wait_for(|stopping| *stopping).await;
}

async fn set_health(health: &HealthReporter, services: &[&str], status: ServingStatus) {
    for service in services {
        health.set_service_status(service, status).await;
    }
}

/// Has the process live on at SIGHUP, for which it has no use.
async fn outlive(mut hangup: Signal, stopping: watch::Receiver<bool>) {
    let hangups = async { while hangup.recv().await.is_some() {} };
    tokio::select! {
        () = hangups => {}
        () = stopped(stopping) => {}
    }
}

/// The connections that there may be: no more than the process has descriptors for.
fn connections_max(limits: &TransportLimits) -> usize {
    let descriptors = getrlimit(Resource::Nofile).current.and_then(|descriptors| usize::try_from(descriptors).ok());
    let Some(descriptors) = descriptors else { return limits.connections_max };
    // Where there are few, half: better than none.
    let room = descriptors.saturating_sub(DESCRIPTORS_RESERVED).max(descriptors / 2);
    if room < limits.connections_max {
        let wanted = limits.connections_max;
        tracing::warn!(
            descriptors,
            "room for {room} connections instead of {wanted}: raise the number of open files that the process may have"
        );
    }
    room.min(limits.connections_max)
}
